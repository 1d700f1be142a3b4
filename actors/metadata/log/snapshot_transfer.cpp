#include "actors/metadata/log/snapshot_transfer.hpp"

#include "base/log.hpp"
#include "storage/metadata/read/dump.hpp"
#include "storage/metadata/store.hpp"

namespace cairn::actors {

namespace {

namespace meta = storage::metadata;
namespace raft = cluster::raft;
using namespace std::chrono_literals;

constexpr std::size_t waiting_max = 64;
constexpr std::chrono::seconds piece_time = 10s, work_time = 300s;
constexpr std::chrono::milliseconds served_for = 60s; // after the last request

std::string served_path(const snapshot_transfer_services& s) {
  return s.folder + "/served";
}
std::string arriving_path(const snapshot_transfer_services& s) {
  return s.folder + "/arriving";
}
std::string staged_path(const snapshot_transfer_services& s) {
  return s.folder + "/staged";
}

result<std::string> read_piece(const snapshot_transfer_services& s, std::uint64_t offset, std::uint64_t total) {
  auto file = s.files->open(served_path(s), open_mode::read_only);
  if (!file) return file.error();
  std::string bytes(std::size_t(std::min<std::uint64_t>(s.piece_bytes, total - offset)), '\0');
  const bytes_span into = std::as_writable_bytes(std::span{bytes});
  const auto got = (*file)->read(offset, std::span{&into, 1});
  if (!got) return got.error();
  if (*got != bytes.size()) return error{errc::corrupt, served_path(s) + " is shorter than what was written"};
  return bytes;
}

result<void> gone(result<void> removed) {
  if (!removed && removed.error().code == errc::not_found) return {};
  return removed;
}

result<void> store_piece(const snapshot_transfer_services& s, std::uint64_t offset, std::string_view bytes) {
  if (offset == 0)
    if (auto removed = gone(s.files->remove(arriving_path(s))); !removed) return removed;
  auto file = s.files->open(arriving_path(s), offset == 0 ? open_mode::create : open_mode::read_write);
  if (!file) return file.error();
  const bytes_view data = std::as_bytes(std::span{bytes});
  return (*file)->write(offset, std::span{&data, 1});
}

// After the last piece: makes the file complete, durable and verified under its final name.
result<void> stage(const snapshot_transfer_services& s, log_index index) {
  {
    auto file = s.files->open(arriving_path(s), open_mode::read_write);
    if (!file) return file.error();
    if (auto flushed = (*file)->flush(); !flushed) return flushed;
  }
  const auto whole = meta::verify_dump(*s.files, arriving_path(s));
  if (!whole) return whole.error();
  if (whole->header.applied != index || whole->header.group != meta::default_group)
    return error{errc::corrupt, "the state is of another index"};
  if (auto renamed = s.files->rename(arriving_path(s), staged_path(s)); !renamed) return renamed;
  return s.files->flush_directory(s.folder);
}

result<void> not_reached() {
  return error{errc::timeout, "expired in the executor's queue"};
}

result<void> staged_is_of(const snapshot_transfer_services& s, log_index index) {
  const auto header = meta::read_dump_header(*s.files, staged_path(s));
  if (!header) return header.error();
  if (header->applied == index) return {};
  return error{errc::corrupt, staged_path(s) + " is the state of index " + std::to_string(header->applied) +
                                  ", not of " + std::to_string(index)};
}

} // namespace

result<void> install_staged(const snapshot_transfer_services& s, log_index index) {
  if (auto right = staged_is_of(s, index); !right) return right;
  auto loaded = meta::rebuild_from_dump(*s.engine, *s.files, staged_path(s));
  return loaded ? result<void>{} : loaded.error();
}

void remove_staged(const snapshot_transfer_services& s) {
  (void)s.files->remove(staged_path(s));
}

result<void> complete_install(const snapshot_transfer_services& s, log_index snapshot, log_index applied) {
  if (snapshot <= applied) return {};
  log::info("installing the metadata's state that was fetched before", {{"index", snapshot}});
  return install_staged(s, snapshot);
}

result<void> finish_install(const snapshot_transfer_services& s, log_index snapshot, log_index applied) {
  if (auto installed = complete_install(s, snapshot, applied); !installed) return installed;
  auto names = s.files->list(s.folder);
  if (!names) return names.error();
  for (const auto& name : *names)
    if (auto removed = gone(s.files->remove(s.folder + "/" + name)); !removed) return removed;
  return {};
}

// ── serving ──

void snapshot_transfer::serve(const link::incoming_request& request) {
  const auto wanted = decode_snapshot_request(request.bytes);
  if (!wanted) return request.respond(wanted.error());
  last_asked_ = host_.clock->now();
  const auto oldest = wanted->index == 0 ? std::max(host_.first_kept(), wanted->offset) : host_.first_kept();
  const bool useful = served_ && served_->record.index >= oldest;
  if (wanted->index != 0) {
    if (!useful || served_->record.index != wanted->index || wanted->offset >= served_->bytes)
      return request.respond(error{errc::not_found, "this snapshot is no longer served: request the newest"});
    return send_piece(request.respond, wanted->offset);
  }
  if (useful) return send_piece(request.respond, 0);
  if (waiting_.size() >= waiting_max) return request.respond(error{errc::busy, "too many nodes request the state"});
  waiting_.push_back(request.respond);
  if (!making_) make_dump();
}

void snapshot_transfer::make_dump() {
  making_ = true;
  served_.reset();
  auto job = [this, s = s_, post = host_.post](bool expired) {
    result<std::pair<log_index, std::uint64_t>> made = not_reached().error();
    if (!expired) {
      auto kv = s.engine->begin_read();
      auto dump = kv ? meta::write_dump(**kv, meta::default_group, *s.files, served_path(s))
                     : result<meta::dump_info>{kv.error()};
      if (dump)
        made = std::pair{dump->header.applied, dump->bytes};
      else
        made = dump.error();
    }
    post([this, made] { dump_made(made); });
  };
  if (auto posted = s_.work->post(host_.clock->now() + work_time, std::move(job)); !posted) dump_made(posted.error());
}

void snapshot_transfer::dump_made(const result<std::pair<log_index, std::uint64_t>>& made) {
  making_ = false;
  last_asked_ = host_.clock->now();
  if (made) {
    if (auto record = host_.record_at(made->first)) served_ = served_dump{made->second, std::move(*record)};
  } else {
    log::error("a snapshot of the metadata can't be written for another node", {{"error", to_string(made.error())}});
  }
  for (const auto& respond : std::exchange(waiting_, {})) {
    if (served_)
      send_piece(respond, 0);
    else
      respond(made ? error{errc::busy, "the log was compacted meanwhile: request again"} : made.error());
  }
  if (served_ && !watching_) watch_served();
}

void snapshot_transfer::send_piece(const link::responder& respond, std::uint64_t offset) {
  auto job = [s = s_, dump = *served_, offset, respond](bool expired) {
    if (expired) return respond(not_reached().error());
    auto bytes = read_piece(s, offset, dump.bytes);
    if (!bytes) return respond(bytes.error());
    respond(link::answer{encode(snapshot_piece{dump.record, dump.bytes, std::move(*bytes)}), {}});
  };
  if (auto posted = s_.work->post(host_.clock->now() + piece_time, std::move(job)); !posted) respond(posted.error());
}

std::optional<log_index> snapshot_transfer::holds_from() const {
  if (served_) return served_->record.index;
  return std::nullopt;
}

void snapshot_transfer::watch_served() {
  watching_ = true;
  host_.after(served_for, [this] {
    watching_ = false;
    if (!served_) return;
    if (host_.clock->now() - last_asked_ < served_for) return watch_served();
    stop_serving();
  });
}

void snapshot_transfer::stop_serving() {
  if (!served_) return;
  served_.reset();
  remove(served_path(s_));
}

// If this fails, the next start removes the file.
void snapshot_transfer::remove(std::string path) {
  (void)s_.work->post(host_.clock->now() + work_time, [files = s_.files, path = std::move(path)](bool expired) {
    if (!expired) (void)files->remove(path);
  });
}

// ── fetching ──

void snapshot_transfer::offered(const uuid& from, log_index index) {
  if (fetching_ || installing_ || repair_) return;
  if (staged_ && staged_->index >= index) return try_install();
  begin_fetch(from);
}

void snapshot_transfer::fetch(const uuid& from, std::function<void(result<raft::snapshot_record>)> staged) {
  if (fetching_ || repair_) return staged(error{errc::busy, "the state is being fetched"});
  repair_ = std::move(staged);
  begin_fetch(from);
}

void snapshot_transfer::begin_fetch(const uuid& from) {
  staged_.reset();
  if (!arriving_ || arriving_->from != from) {
    arriving_ = std::make_shared<arriving_dump>();
    arriving_->from = from;
    log::info("fetching the metadata's state", {{"from", cairn::to_string(from)}});
  }
  fetching_ = true;
  ask();
}

void snapshot_transfer::ask() {
  std::string bytes(1, char(peer_request::snapshot));
  // A state that ends before this node's log begins is of no use to it.
  bytes += encode(snapshot_request{arriving_->index, arriving_->index == 0 ? host_.first_kept() : arriving_->next});
  host_.network->call(arriving_->from, std::move(bytes), host_.clock->now() + piece_time,
                      [this, post = host_.post](result<link::answer> a) {
                        post([this, a = std::move(a)]() mutable { arrived(std::move(a)); });
                      });
}

void snapshot_transfer::arrived(result<link::answer> a) {
  if (!a) return failed(a.error());
  auto piece = decode_snapshot_piece(a->bytes);
  if (!piece) return failed(piece.error());
  auto& dump = *arriving_;
  const bool first = dump.index == 0;
  const auto end = dump.next + piece->bytes.size();
  if (piece->bytes.empty() || end > piece->total || piece->record.index == 0 ||
      (!first && (piece->record.index != dump.index || piece->total != dump.total)))
    return failed({errc::corrupt, "a piece of the state contradicts the earlier ones"});
  dump.index = piece->record.index;
  dump.total = piece->total;
  dump.record = piece->record;
  const auto offset = std::exchange(dump.next, end);
  auto job = [this, offset, last = end == dump.total, index = dump.index,
              bytes = std::make_shared<const std::string>(std::move(piece->bytes)), s = s_,
              post = host_.post](bool expired) {
    auto outcome = expired ? not_reached() : store_piece(s, offset, *bytes);
    if (outcome && last) outcome = stage(s, index);
    post([this, outcome] { kept(outcome); });
  };
  if (auto posted = s_.work->post(host_.clock->now() + work_time, std::move(job)); !posted) kept(posted.error());
}

void snapshot_transfer::kept(const result<void>& outcome) {
  if (!outcome) {
    arriving_.reset(); // the file's content is unknown: start from the beginning
    return failed(outcome.error());
  }
  if (arriving_->next < arriving_->total) return ask();
  log::info("the metadata's state has arrived", {{"index", arriving_->index}, {"bytes", arriving_->total}});
  staged_ = std::move(arriving_->record);
  arriving_.reset();
  fetching_ = false;
  if (repair_) return std::exchange(repair_, nullptr)(std::move(*std::exchange(staged_, std::nullopt)));
  try_install();
}

// The leader's next offer starts the next try.
void snapshot_transfer::failed(const error& why) {
  fetching_ = false;
  const bool resumes = why.code == errc::connection_lost || why.code == errc::timeout || why.code == errc::busy ||
                       why.code == errc::cancelled;
  if (!resumes) arriving_.reset();
  log::warn("fetching the metadata's state failed; it is tried again", {{"error", to_string(why)}});
  if (repair_) std::exchange(repair_, nullptr)(why);
}

void snapshot_transfer::try_install() {
  switch (host_.install(*staged_)) {
    case raft::install_answer::begun: installing_ = true; return;
    case raft::install_answer::not_now: return; // tried again with the next offer
    case raft::install_answer::not_needed: break;
  }
  staged_.reset();
  remove(staged_path(s_));
}

void snapshot_transfer::interrupted(log_index applied) {
  if (staged_ && staged_->index <= applied) return installed();
  installing_ = false; // the staged state is tried with the next offer
}

void snapshot_transfer::installed() {
  installing_ = false;
  staged_.reset();
  remove(staged_path(s_));
}

} // namespace cairn::actors

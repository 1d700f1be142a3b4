#include "sim/node/download_scenario.hpp"

#include "actors/chunks/chunk_cache.hpp"
#include "sim/node/fake_stores.hpp"
#include "sim/node/slow_client.hpp"
#include "sim/world/pattern.hpp"

#include <algorithm>

namespace cairn::sim {

namespace {

namespace meta = storage::metadata;

constexpr std::uint64_t download_cache_salt = 0x5BE0CD19137E2179ull;

class download_run {
public:
  download_run(world& w, std::uint64_t seed) : w_(w) {
    w_.begin(seed);
    dice d{seed ^ download_cache_salt}; // so that the draws of older seeds do not change
    cache_ = std::make_shared<actors::chunk_cache>(d.pick(std::vector<std::size_t>{0, 1 << 20, 4 << 20}), 1);
  }
  run_result run();

private:
  void draw_object();
  void draw_parts(std::uint64_t size);
  void draw_faults();
  actors::download_plan draw_plan(const meta::object_row& row);
  bool same_bytes(std::uint64_t offset, bytes_view bytes) const;
  void start();
  void exhaust_memory();
  void check_end();
  void clean_up();

  world& w_;
  checks checks_;
  std::shared_ptr<fake_object> object_ = std::make_shared<fake_object>();
  std::map<blob_id, fake_blob> blobs_;
  fake_disk_plan disk_plan_;
  std::size_t disks_ = 1;
  bool pressed_ = false, head_only_ = false;
  std::shared_ptr<buffer_pool> pool_;
  std::shared_ptr<actors::chunk_cache> cache_;
  std::unique_ptr<node_metrics> metrics_ = std::make_unique<node_metrics>();
  std::shared_ptr<void> hold_ = std::make_shared<int>(0);
  std::unique_ptr<fake_stores> stores_;
  std::shared_ptr<slow_client> client_;
  actors::services services_;
};

void download_run::draw_parts(std::uint64_t size) {
  const std::uint32_t chunk_size = std::uint32_t(w_.draw.between(1, 4) * block_size_bytes);
  const auto parts = std::min<std::uint64_t>(size, w_.draw.chance(0.6) ? 1 : w_.draw.between(2, 40));
  std::uint64_t offset = 0;
  for (std::uint64_t i = 0; i < parts; ++i) {
    meta::manifest_part part;
    part.number = std::uint32_t(i + 1);
    part.blob = {7, w_.draw.next()};
    part.object_offset = offset;
    part.length = i + 1 == parts ? size - offset : std::max<std::uint64_t>(1, size / parts);
    part.chunk_size = chunk_size;
    // A copied range begins anywhere in its blob.
    if (w_.draw.chance(0.2)) part.blob_offset = w_.draw.below(3ull * chunk_size);
    blobs_[part.blob] = {part.blob_offset + part.length + (w_.draw.chance(0.3) ? w_.draw.below(chunk_size) : 0),
                         chunk_size};
    offset += part.length;
    object_->parts.push_back(part);
  }
}

void download_run::draw_object() {
  auto& row = object_->row;
  row.version = 3;
  const auto kind = w_.draw.below(10);
  if (kind == 0) {
    row.content = w_.draw.chance(0.5) ? meta::content_kind::none : meta::content_kind::inline_bytes;
  } else if (kind == 1) {
    row.content = meta::content_kind::inline_bytes;
    row.size = w_.draw.between(1, 4096);
    object_->inline_bytes = pattern(1, 0, row.size);
  } else {
    row.content = meta::content_kind::manifest;
    row.manifest = 11;
    row.size = w_.draw.between(1, w_.draw.chance(0.2) ? 2 << 20 : 600'000);
    if (w_.draw.chance(0.2)) row.size = std::max<std::uint64_t>(1, row.size / block_size_bytes) * block_size_bytes;
    draw_parts(row.size);
  }
  object_->first_parts = w_.draw.between(1, 16);
  object_->page_parts = w_.draw.between(1, 8);
  object_->answer_max = microseconds{w_.draw.between(0, 20'000)};
  if (w_.draw.chance(0.03)) {
    constexpr errc kinds[] = {errc::no_such_key, errc::no_such_bucket, errc::corrupt, errc::io_error, errc::busy};
    object_->lookup_fault = kinds[w_.draw.below(5)];
  }
  if (w_.draw.chance(0.05)) object_->parts_fault = w_.draw.chance(0.5) ? errc::io_error : errc::corrupt;
}

void download_run::draw_faults() {
  disks_ = w_.draw.between(1, 3);
  auto& p = disk_plan_;
  p.read_max = microseconds{w_.draw.between(10, w_.draw.chance(0.3) ? 60'000 : 500)};
  if (w_.draw.chance(0.3)) p.slow = 0.1, p.slow_max = std::chrono::seconds{2};
  if (w_.draw.chance(0.3)) p.transient_failures = 0.2, p.late_garbage = 0.5;
  if (w_.draw.chance(0.3)) p.misplaced = 0.5;
  if (w_.draw.chance(0.2)) {
    constexpr double often = 0.1;
    double* const faults[] = {&p.corrupt, &p.lost, &p.unreadable, &p.short_chunks};
    *faults[w_.draw.below(4)] = often;
  }
}

actors::download_plan download_run::draw_plan(const meta::object_row& row) {
  actors::download_plan out;
  out.head = "HTTP/1.1 206 Partial Content\r\n\r\n";
  if (head_only_) return out;
  if (w_.draw.chance(0.6)) {
    out.body.push_back(actors::byte_range{0, row.size});
    return out;
  }
  const auto ranges = w_.draw.between(1, 5);
  for (std::uint64_t i = 0; i < ranges; ++i) {
    if (w_.draw.chance(0.7)) out.body.push_back("\r\n--part " + std::to_string(i) + "\r\n");
    const auto offset = w_.draw.below(row.size + 1);
    const auto longest = row.size - offset;
    out.body.push_back(actors::byte_range{
        offset, w_.draw.below((w_.draw.chance(0.5) ? longest : std::min<std::uint64_t>(longest, 1000)) + 1)});
  }
  if (w_.draw.chance(0.7)) out.body.push_back(std::string{"\r\n--end--\r\n"});
  return out;
}

bool download_run::same_bytes(std::uint64_t offset, bytes_view bytes) const {
  if (object_->row.content == meta::content_kind::inline_bytes) return is_pattern(1, offset, bytes);
  for (const auto& part : object_->parts) {
    if (offset >= part.object_offset + part.length) continue;
    const auto n = std::min<std::uint64_t>(bytes.size(), part.object_offset + part.length - offset);
    const auto in_blob = part.blob_offset + offset - part.object_offset;
    if (!is_pattern(part.blob.number, in_blob, bytes.first(n))) return false;
    bytes = bytes.subspan(n);
    offset += n;
    if (bytes.empty()) return true;
  }
  return bytes.empty();
}

// Another user's buffers are taken and released, so that growth fails and even a block must be waited for.
void download_run::exhaust_memory() {
  const auto memory_holders = w_.draw.between(1, 30);
  for (std::uint64_t i = 0; i < memory_holders; ++i) {
    w_.after(microseconds{w_.draw.below(200'000)}, [this] {
      const auto size = std::size_t(w_.draw.between(1, 4) * block_size_bytes);
      auto taken = pool_->try_acquire(size, reservation::minimum);
      if (taken) w_.after(microseconds{w_.draw.below(5'000'000)}, [taken] {});
    });
  }
}

void download_run::start() {
  services_.system = &w_.system();
  services_.buffers = pool_;
  services_.cache = cache_;
  services_.metrics = metrics_.get();
  services_.clock = &w_.clock();
  services_.window_min = std::uint32_t(w_.draw.between(1, 4));
  services_.window_max = std::uint32_t(w_.draw.between(services_.window_min, 8));
  stores_ = std::make_unique<fake_stores>(w_, checks_, disk_plan_, disks_, services_.window_max);
  stores_->blobs = blobs_;
  services_.stores = stores_->router();
  services_.metadata = spawn_fake_metadata(w_, checks_, object_, hold_);

  client_habits habits;
  habits.take_max = microseconds{w_.draw.between(0, w_.draw.chance(0.3) ? 100'000 : 500)};
  if (w_.draw.chance(0.2)) habits.stalls = 0.2, habits.stall_max = std::chrono::seconds{20};
  habits.acknowledges_together = w_.draw.chance(0.3);
  if (w_.draw.chance(0.15)) habits.leaves_after_bytes = w_.draw.below(object_->row.size + 1);
  client_ = std::make_shared<slow_client>(
      w_, checks_, habits, services_.window_max + 1, [this](const meta::object_row& row) { return draw_plan(row); },
      [this](const meta::object_row&, std::uint64_t offset, bytes_view bytes) { return same_bytes(offset, bytes); });
  stores_->queued_elsewhere = [this] { return client_->queued(); };
  client_->attach(actors::start_download(services_, {"bucket", "key", !head_only_}, client_));
  if (w_.draw.chance(0.1)) w_.after(microseconds{w_.draw.below(300'000)}, [c = client_] { c->leave(); });
}

void download_run::check_end() {
  const auto end = client_->end();
  if (end == download_end::failed || end == download_end::aborted) {
    const auto code = client_->reason().code;
    const bool planned = stores_->fatal().contains(code) || (pressed_ && code == errc::slow_down) ||
                         code == object_->lookup_fault || code == object_->parts_fault;
    if (!planned) checks_.fail("failed without a planned reason: " + to_string(client_->reason()));
  }
  w_.digest.add(std::uint64_t(end));
  w_.digest.add(client_->taken_bytes());
  checks_.expect(w_.live_actors() == disks_ + 1, "an actor of the download is left");
  checks_.expect(pool_->in_use_bytes() == 0, "buffers are left");
  checks_.expect(pool_->waiting() == 0, "a wait for memory is left");
  checks_.expect(cache_->stats().shared_reads == 0, "a read for the cache is left");
  cache_->set_limit(0);
  checks_.expect(cache_->stats().bytes == 0, "buffers of the cache are left");
  checks_.expect(hold_.use_count() == 2, "the read hold is left"); // this run's and the fake metadata's
  checks_.expect(metrics_->active_downloads == 0, "active_downloads is not zero");
  checks_.expect(metrics_->window_slices == 0, "window_slices is not zero");
  const bool gone = end == download_end::gone;
  checks_.expect(metrics_->downloads_cancelled <= std::uint64_t(gone),
                 "a download was counted as cancelled that was not");
}

void download_run::clean_up() {
  caf::anon_send_exit(services_.metadata, caf::exit_reason::kill);
  stores_->stop();
  w_.forget_everything();
  client_.reset();
  services_ = {};
  // A pool with buffers in use would end the process before the seed is printed.
  if (pool_->in_use_bytes() != 0) new std::shared_ptr<buffer_pool>(pool_);
  cache_->set_limit(0);
  if (cache_->stats().bytes != 0) new std::shared_ptr<actors::chunk_cache>(cache_);
}

run_result download_run::run() {
  draw_object();
  draw_faults();
  head_only_ = w_.draw.chance(0.05);
  pressed_ = w_.draw.chance(0.3);
  pool_ = std::make_shared<buffer_pool>(pressed_ ? w_.draw.between(2, 12) * block_size_bytes : 64 << 20);
  start();
  if (pressed_) exhaust_memory();

  const bool ended =
      w_.run_until([&] { return client_->end() != download_end::running || checks_.failed(); }, std::chrono::hours{1});
  if (!ended) checks_.fail("still running after an hour");
  while (w_.step()) {
  } // late reads, borrowed buffers, timers: all end
  if (ended) check_end();

  run_result out;
  out.problem = checks_.problem();
  out.digest = w_.digest.value();
  out.options = "size " + std::to_string(object_->row.size) + ", parts " + std::to_string(object_->parts.size()) +
                ", disks " + std::to_string(disks_) + ", window " + std::to_string(services_.window_min) + "–" +
                std::to_string(services_.window_max) + ", memory " + std::to_string(pool_->limit_bytes()) +
                (pressed_ ? " pressed" : "") + ", reads " + std::to_string(stores_->reads()) + ", end " +
                std::to_string(int(client_->end()));
  clean_up();
  return out;
}

} // namespace

run_result run_download(world& w, std::uint64_t seed) {
  return download_run{w, seed}.run();
}

} // namespace cairn::sim

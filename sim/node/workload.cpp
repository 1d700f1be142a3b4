#include "sim/node/workload.hpp"

#include "base/digest.hpp"
#include "sim/world/pattern.hpp"

#include <algorithm>

namespace cairn::sim {

namespace {

namespace meta = storage::metadata;
using namespace cairn::actors;

const std::string bucket_name = "bucket";

content_number content_of(const meta::object_row& row) {
  return row.headers.user.empty() ? absent : std::stoull(row.headers.user.front().second);
}

// One read in three covers a few ranges, with literals between them.
download_plan draw_plan(dice& draw, const meta::object_row& row) {
  download_plan out;
  out.head = "HTTP/1.1 200 OK\r\n\r\n";
  if (!draw.chance(0.3)) {
    out.body.push_back(byte_range{0, row.size});
    return out;
  }
  for (std::uint64_t i = draw.between(1, 3); i > 0; --i) {
    const auto offset = draw.below(row.size + 1);
    out.body.push_back("--part\r\n");
    out.body.push_back(byte_range{offset, draw.below(row.size - offset + 1)});
  }
  return out;
}

} // namespace

workload::workload(world& w, checks& c, sim_node& node, workload_plan plan)
    : w_(w), checks_(c), node_(node), plan_(std::move(plan)), left_(plan_.operations) {
  for (std::size_t i = 0; i < plan_.keys; ++i) {
    keys_.push_back("key-" + std::to_string(i));
    model_.add_key(keys_.back());
  }
}

void workload::tolerate(const error& why, const char* what) {
  if (plan_.tolerated.contains(why.code)) return;
  checks_.fail(std::string{what} + " failed without a planned reason: " + to_string(why));
}

void workload::make_bucket() {
  bool made = false;
  auto box = std::make_shared<const meta::command>(meta::create_bucket{bucket_name, w_.clock().wall()});
  ask_metadata<committed>(
      node_.handles(),
      [&](const result<committed>& r) {
        made = true;
        if (!r) checks_.fail("the bucket was not created: " + to_string(r.error()));
      },
      commit_atom_v, command_box{box});
  w_.run_until([&] { return made; }, std::chrono::minutes{2});
  checks_.expect(made, "creating the bucket hangs");
}

void workload::begin() {
  busy_users_ = plan_.users;
  for (std::size_t user = 0; user < plan_.users; ++user) later(user);
}

void workload::crashed() {
  ++life_;
  busy_users_ = 0;
  for (auto& weak : downloads_) {
    if (auto d = weak.lock()) d->leave();
  }
  for (auto& weak : uploads_) {
    if (auto u = weak.lock()) {
      caf::anon_send_exit(u->ingest(), caf::exit_reason::kill);
      u->forget();
    }
  }
  downloads_.clear();
  uploads_.clear();
  model_.crashed();
}

void workload::later(std::size_t user) {
  w_.after(microseconds{w_.draw.below(20'000)}, [this, user, life = life_] {
    if (life == life_) next(user);
  });
}

void workload::next(std::size_t user) {
  if (left_ == 0 || checks_.failed()) {
    --busy_users_;
    return;
  }
  --left_;
  const auto& key = w_.draw.pick(keys_);
  const auto what = w_.draw.below(100);
  w_.digest.add(what);
  if (what < 40 && model_.may_write(key))
    put(user, key);
  else if (what < 52 && model_.may_write(key))
    remove(user, key);
  else if (what < 58)
    list(user);
  else
    get(user, key, what < 92);
}

content_number workload::new_content(std::uint64_t size) {
  const auto number = contents_.size() + 1;
  md5 digest;
  const auto bytes = pattern(number, 0, size);
  digest.update(std::as_bytes(std::span{bytes.data(), bytes.size()}));
  contents_[number] = {size, to_string(meta::etag{digest.finish(), 0})};
  return number;
}

void workload::put(std::size_t user, const std::string& key) {
  std::uint64_t size = 0;
  if (const auto kind = w_.draw.below(10); kind > 0) size = w_.draw.below(kind < 4 ? 8192 : plan_.size_max);
  const auto number = new_content(size);
  put_request request{bucket_name, key, {}, {}, {}};
  if (w_.draw.chance(0.7)) request.length = size;
  request.headers.user = {{"content", std::to_string(number)}};
  request.condition.if_absent = w_.draw.chance(0.15);
  uploader_habits habits;
  habits.fill_max = plan_.socket_max;
  habits.end_at_once = w_.draw.chance(0.5);
  habits.on_demand = w_.draw.chance(0.5);
  if (habits.on_demand) request.grants = put_request::granting::on_demand;
  const bool wrong_md5 = w_.draw.chance(0.05);
  if (wrong_md5) habits.content_md5 = meta::md5_digest{};
  if (w_.draw.chance(plan_.cancels)) habits.leaves_after_bytes = w_.draw.below(size + 1);

  model_.begin_write(key, number);
  const bool conditional = request.condition.if_absent;
  auto uploader = std::make_shared<slow_uploader>(
      w_, checks_, habits, number, size, node_.handles().upload_window,
      [this, user, key, number, conditional, wrong_md5](std::optional<result<put_outcome>> outcome) {
        put_ended(user, key, number, conditional, wrong_md5, std::move(outcome));
      });
  uploads_.push_back(uploader);
  uploader->attach(start_upload(node_.handles(), std::move(request), uploader));
}

void workload::put_ended(std::size_t user, const std::string& key, content_number number, bool conditional,
                         bool wrong_md5, std::optional<result<put_outcome>> outcome) {
  later(user);
  if (!outcome) return model_.unknown(key);
  if (*outcome) {
    const auto& stored = **outcome;
    checks_.expect(!wrong_md5, "a put with a wrong MD5 was stored");
    checks_.expect(stored.size == contents_.at(number).size, "a put was acknowledged with another size");
    checks_.expect(to_string(stored.etag) == contents_.at(number).md5, "a put was acknowledged with another ETag");
    checks_.expect(!conditional || model_.possible(key).contains(absent), "if_absent stored over an object");
    ++acknowledged_puts_;
    return model_.acknowledged(key, number);
  }
  const auto& why = outcome->error();
  if (why.code == errc::timeout)
    model_.unknown(key);
  else
    model_.refused(key, number);
  if (wrong_md5 && why.code == errc::digest_mismatch) return;
  if (conditional && why.code == errc::precondition_failed) {
    const bool surely_absent = model_.possible(key).size() == 1 && model_.possible(key).contains(absent);
    checks_.expect(!surely_absent, "if_absent was refused for an absent key");
    return;
  }
  tolerate(why, "a put");
}

std::shared_ptr<slow_client> workload::start_get(const std::string& key, bool with_body, bool may_leave) {
  client_habits habits;
  habits.take_max = plan_.socket_max;
  habits.acknowledges_together = w_.draw.chance(0.3);
  if (w_.draw.chance(0.1)) habits.stalls = 0.3, habits.stall_max = std::chrono::seconds{30};
  if (may_leave && w_.draw.chance(plan_.cancels)) habits.leaves_after_bytes = w_.draw.below(plan_.size_max);
  auto client = std::make_shared<slow_client>(
      w_, checks_, habits, node_.handles().window_max + 1,
      [this, with_body](const meta::object_row& row) {
        return with_body ? draw_plan(w_.draw, row) : download_plan{"HTTP/1.1 200 OK\r\n\r\n", {}};
      },
      [](const meta::object_row& row, std::uint64_t offset, bytes_view bytes) {
        return is_pattern(content_of(row), offset, bytes);
      });
  downloads_.push_back(client);
  client->attach(start_download(node_.handles(), {bucket_name, key, with_body}, client));
  return client;
}

void workload::get(std::size_t user, const std::string& key, bool with_body) {
  const auto read = model_.begin_read(key);
  watch_get(user, start_get(key, with_body, true), read);
}

// The client has no callback for its end, as a socket has none: poll it.
void workload::watch_get(std::size_t user, std::shared_ptr<slow_client> client, std::uint64_t read) {
  if (client->end() != download_end::running) return get_ended(user, *client, read);
  w_.after(std::chrono::milliseconds{5}, [this, user, client, read, life = life_] {
    if (life == life_) watch_get(user, client, read);
  });
}

void workload::get_ended(std::size_t user, const slow_client& client, std::uint64_t read) {
  later(user);
  if (client.row()) {
    const auto number = content_of(*client.row());
    const auto known = contents_.find(number);
    if (!checks_.expect(known != contents_.end(), "a row with a content that was never put")) return;
    checks_.expect(client.row()->size == known->second.size, "a row with another size");
    checks_.expect(to_string(client.row()->etag) == known->second.md5, "a row with another ETag");
    model_.observed(read, number);
  }
  if (client.end() == download_end::finished) ++whole_reads_;
  if (client.end() == download_end::failed || client.end() == download_end::aborted) {
    if (client.reason().code == errc::no_such_key)
      model_.observed(read, absent);
    else
      tolerate(client.reason(), "a get");
  }
  model_.end_read(read);
}

void workload::remove(std::size_t user, const std::string& key) {
  model_.begin_write(key, absent);
  meta::delete_object del;
  del.bucket = bucket_name;
  del.key = key;
  del.now = w_.clock().wall();
  auto box = std::make_shared<const meta::command>(std::move(del));
  ask_metadata<committed>(node_.handles(), if_alive<committed>([this, user, key](const result<committed>& r) {
                            later(user);
                            if (r) return model_.acknowledged(key, absent);
                            if (r.error().code == errc::timeout)
                              model_.unknown(key);
                            else
                              model_.refused(key, absent);
                            tolerate(r.error(), "a delete");
                          }),
                          commit_atom_v, command_box{box});
}

void workload::list(std::size_t user) {
  std::map<std::string, std::uint64_t> changes;
  for (const auto& key : keys_) changes[key] = model_.changes(key);
  meta::listing_query query;
  query.bucket = bucket_name;
  ask_metadata<listing_page>(node_.handles(), if_alive<listing_page>([this, user, changes](result<listing_page> r) {
                               later(user);
                               if (r)
                                 check_listing(**r, changes);
                               else
                                 tolerate(r.error(), "a list");
                             }),
                             list_atom_v, query);
}

void workload::check_listing(const meta::listing& page, const std::map<std::string, std::uint64_t>& changes_before) {
  checks_.expect(!page.truncated, "a short listing was truncated");
  checks_.expect(std::ranges::is_sorted(page.objects, {}, &meta::listed_object::key), "a listing out of order");
  for (const auto& [key, changes] : changes_before) {
    if (changes != model_.changes(key) || model_.possible(key).size() != 1) continue;
    const bool is_there = !model_.possible(key).contains(absent);
    const bool listed = std::ranges::find(page.objects, key, &meta::listed_object::key) != page.objects.end();
    if (is_there != listed) checks_.fail("listing " + std::string{listed ? "shows " : "misses "} + key);
  }
}

void workload::verify_every_key() {
  for (const auto& key : keys_) {
    std::shared_ptr<slow_client> client;
    for (int attempt = 0; attempt < 5; ++attempt) {
      client = start_get(key, true, false);
      if (!w_.run_until([&] { return client->end() != download_end::running; }, std::chrono::hours{1})) {
        return checks_.fail("verifying " + key + " hangs");
      }
      if (client->reason().code != errc::timeout) break; // the disks of this run may be slow
    }
    if (client->end() == download_end::finished) {
      model_.settle(key, content_of(*client->row()));
    } else if (client->reason().code == errc::no_such_key) {
      model_.settle(key, absent);
    } else {
      checks_.fail("verifying " + key + ": " + to_string(client->reason()));
    }
  }
}

std::uint64_t workload::chunks_of_objects() const {
  const auto& s = node_.handles();
  std::uint64_t chunks = 0;
  for (const auto& key : keys_) {
    const auto number = *model_.possible(key).begin();
    const auto size = number == absent ? 0 : contents_.at(number).size;
    if (size > s.inline_max) chunks += (size + s.chunk_size - 1) / s.chunk_size;
  }
  return chunks;
}

void workload::delete_every_key() {
  std::size_t waiting = keys_.size();
  for (const auto& key : keys_) {
    meta::delete_object del;
    del.bucket = bucket_name;
    del.key = key;
    auto box = std::make_shared<const meta::command>(std::move(del));
    ask_metadata<committed>(
        node_.handles(),
        [this, &waiting](const result<committed>& r) {
          --waiting;
          if (!r) checks_.fail("deleting at the end: " + to_string(r.error()));
        },
        commit_atom_v, command_box{box});
  }
  if (!w_.run_until([&] { return waiting == 0; }, std::chrono::minutes{5})) checks_.fail("deleting at the end hangs");
}

} // namespace cairn::sim

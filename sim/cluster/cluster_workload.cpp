#include "sim/cluster/cluster_workload.hpp"

#include "base/digest.hpp"
#include "sim/world/pattern.hpp"

#include <algorithm>

namespace cairn::sim {

namespace {

namespace meta = storage::metadata;
using namespace cairn::actors;
using namespace std::chrono_literals;

// The errors that a client may get while nodes crash and links break.
const std::set<errc> tolerated{errc::no_leader, errc::no_quorum, errc::timeout,         errc::busy,
                               errc::slow_down, errc::stopping,  errc::connection_lost, errc::session_ended};

const std::set<errc> of_a_disk{errc::io_error, errc::read_only, errc::no_space, errc::corrupt, errc::chunk_lost};

} // namespace

bool cluster_workload::may_have_happened(errc code) {
  return code == errc::timeout || code == errc::stopping || code == errc::connection_lost;
}

cluster_workload::cluster_workload(world& w, checks& c, std::vector<std::unique_ptr<cluster_node>>& nodes,
                                   cluster_work_plan plan)
    : w_(w), checks_(c), nodes_(nodes), plan_(plan), users_(plan.users), left_(plan.operations) {
  for (std::size_t i = 0; i < plan_.keys; ++i) keys_.push_back("key-" + std::to_string(i));
  for (std::size_t i = 0; i < plan_.expiring.keys; ++i)
    keys_.push_back(std::string{expiring_work::prefix} + std::to_string(i));
}

result<void> cluster_workload::try_once(cluster_node& through, const meta::command& c) {
  std::optional<result<void>> outcome;
  const auto life = through.lives();
  ask_metadata<committed>(
      through.handles(),
      [&outcome](const result<committed>& r) { outcome = r ? result<void>{} : result<void>{r.error()}; }, commit_atom_v,
      command_box{std::make_shared<const meta::command>(c)});
  w_.run_until([&] { return outcome || through.lives() != life; }, 2min);
  if (!outcome) checks_.fail("a command is not answered");
  return outcome.value_or(error{errc::timeout, "not answered"});
}

result<void> cluster_workload::operate(const meta::command& c) {
  result<void> outcome = error{errc::no_leader, "no node served"};
  for (int tries = 0; tries < 20 && !outcome && !checks_.failed(); ++tries) {
    if (tries > 0) w_.run_for(500ms);
    if (auto* const through = any_node()) outcome = try_once(*through, c);
  }
  return outcome;
}

result<void> cluster_workload::operate_with_retries(const meta::command& c, const disk_check& check_nodes) {
  auto done = operate(c);
  const auto ends = [&] { return done || done.error() == errc::bucket_exists || checks_.failed(); };
  tries_beside_faults tries;
  while (!ends() && tries.again(check_nodes)) {
    w_.run_for(10s);
    done = operate(c);
  }
  return done;
}

// A disk may fail already during this; then the outcome of the command is unknown.
void cluster_workload::make_bucket(const disk_check& check_nodes) {
  if (auto made = operate_with_retries(meta::create_bucket{bucket_name, w_.clock().wall()}, check_nodes);
      !made && made.error() != errc::bucket_exists)
    checks_.fail("the bucket was not created: " + to_string(made.error()));
  if (plan_.policies > 0) prepare_policies(check_nodes);
  if (!plan_.quota.empty()) limit_bucket(check_nodes);
  if (!plan_.versioned) return;
  meta::set_bucket c;
  c.name = bucket_name;
  c.versioning = meta::versioning::enabled;
  if (auto set = operate_with_retries(c, check_nodes); !set) // only once the cluster has raised its feature level
    checks_.fail("the bucket was not versioned: " + to_string(set.error()));
  if (plan_.locks > 0) lock_bucket(check_nodes);
}

void cluster_workload::begin() {
  busy_ = users_.size();
  for (std::size_t u = 0; u < users_.size(); ++u) later(u);
}

void cluster_workload::later(std::size_t u) {
  w_.after(microseconds{w_.draw.below(std::uint64_t(plan_.pause_max.count()))}, [this, u] { next(u); });
}

cluster_node* cluster_workload::any_node() {
  std::vector<cluster_node*> serving;
  for (const auto& n : nodes_)
    if (n->serves()) serving.push_back(n.get());
  return serving.empty() ? nullptr : w_.draw.pick(serving);
}

void cluster_workload::next(std::size_t u) {
  if (left_ == 0 || checks_.failed()) {
    --busy_;
    return;
  }
  auto* const node = any_node();
  if (!node) return later(u);
  check_quota();
  --left_;
  start(u, *node, w_.draw.pick(keys_));
}

void cluster_workload::start(std::size_t u, cluster_node& node, const std::string& key) {
  auto& it = users_[u];
  it.operation = next_operation_++;
  it.node = node.number();
  it.recorded.clear();
  it.busy = true;
  it.calm = calm_;
  if (plan_.uploads > 0 && w_.draw.chance(plan_.uploads)) return upload_in_parts(u, node, key);
  if (plan_.copies > 0 && w_.draw.chance(plan_.copies)) return copy(u, node, key, false);
  if (plan_.renames > 0 && w_.draw.chance(plan_.renames)) return copy(u, node, key, true);
  if (plan_.access > 0 && w_.draw.chance(plan_.access)) return about_access(u, node);
  if (plan_.policies > 0 && w_.draw.chance(plan_.policies)) return about_policy(u, node);
  if (plan_.locks > 0 && w_.draw.chance(plan_.locks)) return about_locks(u, node);
  if (!plan_.quota.empty() && w_.draw.chance(0.05)) return about_quota(u, node);
  const auto what = w_.draw.below(100);
  w_.digest.add(what);
  if (what < 40)
    put(u, node, key);
  else if (what < 50)
    remove(u, node, key);
  else if (what < 57)
    list(u, node);
  else
    get(u, node, key, what < 90);
}

void cluster_workload::ended(std::size_t u) {
  auto& it = users_[u];
  it.operation = 0;
  it.busy = false;
  it.upload.reset();
  it.download.reset();
  it.parts.reset();
  later(u);
}

void cluster_workload::crashing(const cluster_node& node) {
  for (std::size_t u = 0; u < users_.size(); ++u) {
    auto& it = users_[u];
    if (!it.busy || it.node != node.number()) continue;
    for (const auto n : it.recorded)
      if (history_.open(n)) history_.unknown(n);
    if (it.download) it.download->leave();
    if (it.upload) {
      caf::anon_send_exit(it.upload->ingest(), caf::exit_reason::kill);
      it.upload->forget();
    }
    forget_upload(it);
    ended(u);
  }
}

void cluster_workload::tolerate(const user& it, const error& why) {
  ++failures_[why.code];
  if (why.code == errc::quota_exceeded && !plan_.quota.empty()) {
    ++over_quota_;
    return;
  }
  const bool damaged = why.code == errc::corrupt || why.code == errc::chunk_lost;
  const bool rotten = (plan_.bit_rot && why.code == errc::corrupt) || (plan_.changed_bytes && damaged);
  const bool disk = plan_.failing_disks && of_a_disk.contains(why.code);
  if (it.calm || (!tolerated.contains(why.code) && !rotten && !disk))
    checks_.fail(it.what + " through node " + std::to_string(it.node) +
                 " failed without a planned reason: " + to_string(why));
}

// ── writes ──

content_number cluster_workload::new_content(const std::string& key, std::uint64_t size) {
  const auto number = next_content_;
  md5 digest;
  const auto bytes = pattern(number, 0, size);
  digest.update(std::as_bytes(std::span{bytes.data(), bytes.size()}));
  return add_content(key, {size, to_string(meta::etag{digest.finish(), 0}), {{number, size}}});
}

content_number cluster_workload::add_content(const std::string& key, content whole) {
  const auto number = next_content_++;
  by_etag_[whole.etag] = number;
  written_[key].push_back(number);
  contents_[number] = std::move(whole);
  return number;
}

bool cluster_workload::has_bytes(content_number number, std::uint64_t offset, bytes_view bytes) const {
  const auto known = contents_.find(number);
  if (known == contents_.end()) return false;
  for (const auto& [piece, length] : known->second.pieces) {
    if (bytes.empty()) return true;
    if (offset >= length) {
      offset -= length;
      continue;
    }
    const auto n = std::min<std::uint64_t>(bytes.size(), length - offset);
    if (!is_pattern(piece, offset, bytes.first(n))) return false;
    bytes = bytes.subspan(n);
    offset = 0;
  }
  return bytes.empty();
}

void cluster_workload::condition(operation& o, meta::write_condition& c, const std::string& key) {
  const auto kind = w_.draw.below(10);
  if (kind < 2) {
    o.when = operation::condition::if_absent;
    c.if_absent = true;
  } else if (kind < 5 && !written_[key].empty()) {
    // Mostly the ETag of a recent content, which probably is the current one.
    const auto& all = written_[key];
    const auto back = w_.draw.below(std::min<std::uint64_t>(all.size(), 3));
    o.when = operation::condition::if_match;
    o.match = all[all.size() - 1 - back];
    c.if_match = contents_.at(o.match).etag;
  } else if (kind == 5) {
    o.when = operation::condition::if_match;
    c.if_match = "*";
  }
}

void cluster_workload::put(std::size_t u, cluster_node& node, const std::string& key) {
  auto& it = users_[u];
  const auto size = size_min + w_.draw.below(w_.draw.chance(0.5) ? 8000 : plan_.size_max);
  put_request request{bucket_name, key, {}, {}, {}};
  operation o{.write = true};
  condition(o, request.condition, key);
  const auto number = o.value = new_content(key, size);
  if (w_.draw.chance(0.7)) request.length = size;
  request.headers.user = {{"content", std::to_string(number)}};
  it.lock = request.extras.lock = draw_lock();
  uploader_habits habits;
  habits.fill_max = microseconds{500};
  if (w_.draw.chance(plan_.cancels)) habits.leaves_after_bytes = w_.draw.below(size + 1);
  it.what = "put " + std::to_string(number) + " of " + key;
  it.key = key;
  it.recorded = {history_.begin(key, o)};
  may_expire(key, number);
  const auto operation = it.operation;
  auto uploader =
      std::make_shared<slow_uploader>(w_, checks_, habits, number, size, node.handles().upload_window,
                                      [this, u, number, operation](std::optional<result<put_outcome>> outcome) {
                                        if (in_time(u, operation)) put_ended(u, number, std::move(outcome));
                                      });
  it.upload = uploader;
  uploader->attach(start_upload(node.handles(), std::move(request), uploader));
}

void cluster_workload::put_ended(std::size_t u, content_number number, std::optional<result<put_outcome>> outcome) {
  auto& it = users_[u];
  if (!outcome) {
    history_.unknown(it.recorded.front());
  } else if (*outcome) {
    const auto& stored = **outcome;
    checks_.expect(stored.size == contents_.at(number).size, "a put was acknowledged with another size");
    checks_.expect(to_string(stored.etag) == contents_.at(number).etag, "a put was acknowledged with another ETag");
    ++stored_;
    if (stored.version_id) versions_.push_back({it.key, *stored.version_id, number, it.lock});
    if (stored.version_id && !it.lock.empty()) locked_.push_back(versions_.back());
    checks_.expect(plan_.versioned == stored.version_id.has_value(),
                   "a put was answered with a version id in an unversioned bucket, or without one");
    history_.done(it.recorded.front());
  } else {
    write_failed(it, outcome->error());
  }
  ended(u);
}

void cluster_workload::write_failed(const user& it, const error& why) {
  const auto n = it.recorded.front();
  if (why.code == errc::precondition_failed) return history_.refused(n);
  if (may_have_happened(why.code))
    history_.unknown(n);
  else
    history_.nothing(n);
  tolerate(it, why);
}

void cluster_workload::remove(std::size_t u, cluster_node& node, const std::string& key) {
  auto& it = users_[u];
  meta::delete_object del;
  del.bucket = bucket_name;
  del.key = key;
  del.now = w_.clock().wall();
  operation o{.write = true};
  if (w_.draw.chance(0.3)) condition(o, del.condition, key);
  it.what = "delete of " + key;
  it.recorded = {history_.begin(key, o)};
  auto box = std::make_shared<const meta::command>(std::move(del));
  ask_metadata<committed>(
      node.handles(),
      [this, u, operation = it.operation](const result<committed>& r) {
        if (!in_time(u, operation)) return;
        if (r)
          history_.done(users_[u].recorded.front());
        else
          write_failed(users_[u], r.error());
        ended(u);
      },
      commit_atom_v, command_box{box});
}

// ── reads ──

content_number cluster_workload::content_of(const meta::object_row& row) {
  const auto number = row.headers.user.empty() ? absent : std::stoull(row.headers.user.front().second);
  const auto known = contents_.find(number);
  if (known == contents_.end() || known->second.size != row.size || known->second.etag != to_string(row.etag))
    checks_.fail("a row that no operation wrote");
  return number;
}

std::shared_ptr<slow_client> cluster_workload::start_get(cluster_node& node, const std::string& key, bool with_body,
                                                         bool may_leave, std::optional<meta::version_id> version,
                                                         meta::judgement judged) {
  client_habits habits;
  habits.take_max = microseconds{500};
  if (may_leave && w_.draw.chance(0.05)) habits.stalls = 0.3, habits.stall_max = 10s;
  if (may_leave && w_.draw.chance(plan_.cancels)) habits.leaves_after_bytes = w_.draw.below(plan_.size_max);
  auto client = std::make_shared<slow_client>(
      w_, checks_, habits, node.handles().window_max + 1,
      [with_body](const meta::object_row& row) {
        download_plan plan{"HTTP/1.1 200 OK\r\n\r\n", {}};
        if (with_body) plan.body.push_back(byte_range{0, row.size});
        return plan;
      },
      [this](const meta::object_row& row, std::uint64_t offset, bytes_view bytes) {
        return has_bytes(content_of(row), offset, bytes);
      });
  client->attach(start_download(node.handles(), {bucket_name, key, with_body, version, judged}, client));
  return client;
}

void cluster_workload::get(std::size_t u, cluster_node& node, const std::string& key, bool with_body) {
  auto& it = users_[u];
  it.what = (with_body ? "get of " : "head of ") + key;
  it.recorded = {history_.begin(key, {})};
  admit(u, node, [this, u, &node, key, with_body](const meta::judgement& judged) {
    users_[u].download = start_get(node, key, with_body, true, std::nullopt, judged);
    watch_get(u, users_[u].operation);
  });
}

// Looks the bucket up first, as a gateway does; half of the time the read that follows then needs no barrier.
void cluster_workload::admit(std::size_t u, cluster_node& node, std::function<void(const meta::judgement&)> then) {
  if (w_.draw.chance(0.5)) return then({});
  ask_metadata<found_access>(
      node.handles(),
      [this, u, then = std::move(then), operation = users_[u].operation](const result<found_access>& found) {
        if (!in_time(u, operation)) return;
        if (found && checks_.expect(found->bucket != nullptr, "the bucket does not exist"))
          return then({found->bucket->id, found->seen});
        for (const auto n : users_[u].recorded) history_.nothing(n);
        if (!found) tolerate(users_[u], found.error());
        ended(u);
      },
      access_atom_v, access_query{{}, bucket_name, {}});
}

// The client has no callback for its end, as a socket has none: poll it.
void cluster_workload::watch_get(std::size_t u, std::uint64_t operation) {
  if (!in_time(u, operation)) return;
  if (users_[u].download->end() != download_end::running) return get_ended(u);
  w_.after(5ms, [this, u, operation] { watch_get(u, operation); });
}

void cluster_workload::get_ended(std::size_t u) {
  auto& it = users_[u];
  const auto& client = *it.download;
  const auto n = it.recorded.front();
  const bool failed = client.end() == download_end::failed || client.end() == download_end::aborted;
  if (client.row())
    history_.seen(n, content_of(*client.row()));
  else if (failed && client.reason().code == errc::no_such_key)
    history_.seen(n, absent);
  else
    history_.nothing(n);
  if (client.end() == download_end::finished) ++whole_reads_;
  if (failed && client.reason().code != errc::no_such_key) tolerate(it, client.reason());
  ended(u);
}

void cluster_workload::list(std::size_t u, cluster_node& node) {
  auto& it = users_[u];
  it.what = "list";
  for (const auto& key : keys_) it.recorded.push_back(history_.begin(key, {}));
  admit(u, node, [this, u, &node](const meta::judgement& judged) {
    meta::listing_query query;
    query.bucket = bucket_name;
    query.judged = judged;
    ask_metadata<listing_page>(
        node.handles(),
        [this, u, operation = users_[u].operation](const result<listing_page>& r) {
          if (!in_time(u, operation)) return;
          if (r) {
            listed(users_[u], **r);
          } else {
            for (const auto n : users_[u].recorded) history_.nothing(n);
            tolerate(users_[u], r.error());
          }
          ended(u);
        },
        list_atom_v, query);
  });
}

void cluster_workload::listed(user& it, const meta::listing& page) {
  checks_.expect(!page.truncated, "a short listing was truncated");
  checks_.expect(std::ranges::is_sorted(page.objects, {}, &meta::listed_object::key), "a listing out of order");
  for (std::size_t i = 0; i < keys_.size(); ++i) {
    const auto at = std::ranges::find(page.objects, keys_[i], &meta::listed_object::key);
    const auto known = at == page.objects.end() ? by_etag_.end() : by_etag_.find(to_string(at->etag));
    if (at != page.objects.end() && known == by_etag_.end())
      return checks_.fail("a listing shows a content that was never written");
    history_.seen(it.recorded[i], at == page.objects.end() ? absent : known->second);
  }
}

// ── the end ──

content_number cluster_workload::verify_key(cluster_node& node, const std::string& key) {
  const auto n = history_.begin(key, {});
  const auto client = start_get(node, key, true, false);
  const auto what = "verifying " + key + " through node " + std::to_string(node.number());
  if (!w_.run_until([&] { return client->end() != download_end::running || checks_.failed(); }, 1h)) {
    checks_.fail(what + " hangs");
    return absent;
  }
  if (client->end() != download_end::finished && client->reason().code != errc::no_such_key)
    checks_.fail(what + ": " + to_string(client->reason()));
  const auto value = client->row() ? content_of(*client->row()) : absent;
  history_.seen(n, value);
  return value;
}

void cluster_workload::verify() {
  for (const auto& key : keys_) {
    std::optional<content_number> first;
    for (const auto& node : nodes_) {
      if (!node->serves() || checks_.failed()) continue;
      const auto value = verify_key(*node, key);
      if (!first) first = value;
      checks_.expect(value == *first, "two nodes show different objects while nothing is written");
    }
  }
}

std::string cluster_workload::waiting() const {
  std::string out;
  for (const auto& it : users_)
    if (it.busy) out += (out.empty() ? "" : ", ") + it.what + " through node " + std::to_string(it.node);
  return out;
}

std::string cluster_workload::summary() const {
  std::string out = "stored " + std::to_string(stored_) + ", whole reads " + std::to_string(whole_reads_);
  if (plan_.copies > 0) out += ", copies " + std::to_string(copies_);
  if (plan_.renames > 0) out += ", renames " + std::to_string(renames_);
  if (plan_.versioned) out += ", versions " + std::to_string(versions_.size());
  if (plan_.locks > 0)
    out += ", locked " + std::to_string(locked_.size()) + " and held " + std::to_string(locks_held_) + " times";
  if (!plan_.quota.empty()) out += ", over quota " + std::to_string(over_quota_);
  if (plan_.uploads > 0) out += ", uploads " + std::to_string(completed_uploads_);
  for (const auto& [code, count] : failures_) out += ", " + std::string{to_string(code)} + " " + std::to_string(count);
  if (history_.undecided() > 0) out += ", undecided keys " + std::to_string(history_.undecided());
  return out;
}

} // namespace cairn::sim

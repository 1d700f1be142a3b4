// Multipart uploads of the simulated users: each upload is begun, gets its parts, and is completed, aborted or left,
// every step through any node. Acknowledged steps must hold: an upload that was left can be completed or aborted at the
// end, an aborted one cannot be completed, and nodes list no other uploads. And a small quota of the bucket or of its
// owner, which users change while others write: no member may ever show more in the bucket than the highest of them
// allows. A bucket with a quota of its own changes its owner, too, whose sum the census compares.
#include "sim/cluster/cluster_workload.hpp"
#include "sim/world/pattern.hpp"

#include "base/digest.hpp"

namespace cairn::sim {

namespace {

namespace meta = storage::metadata;
using namespace cairn::actors;
using namespace std::chrono_literals;

constexpr int tries_max = 4;              // per part
constexpr std::uint64_t quota_growth = 2; // the highest quota, compared with the plan's
const std::string payer = "PAYER", sister_bucket = "sister";

meta::md5_digest md5_of(const std::string& bytes) {
  md5 digest;
  digest.update(std::as_bytes(std::span{bytes.data(), bytes.size()}));
  return digest.finish();
}

meta::complete_upload completion_of(const meta::upload_name& name, const std::vector<cluster_workload::part>& parts,
                                    const std::string& all_digests) {
  meta::complete_upload c;
  c.upload = name;
  for (std::size_t i = 0; i < parts.size(); ++i) c.parts.push_back({std::uint32_t(i + 1), parts[i].digest});
  c.etag = {md5_of(all_digests), std::uint32_t(parts.size())};
  return c;
}

} // namespace

// ── the content of an upload ──

cluster_workload::parts_ptr cluster_workload::new_parts(const std::string& key) {
  auto it = std::make_shared<part_upload>();
  it->name.bucket = bucket_name;
  it->name.key = key;
  it->name.nonce = w_.draw.next();
  it->asked = w_.now();
  if (w_.draw.chance(0.1)) it->parts.push_back({.size = meta::part_bytes_min});
  it->parts.push_back({.size = size_min + w_.draw.below(w_.draw.chance(0.5) ? 8000 : plan_.size_max)});
  content whole;
  for (auto& p : it->parts) {
    p.number = next_content_++;
    p.digest = md5_of(pattern(p.number, 0, p.size));
    it->digests.append(reinterpret_cast<const char*>(p.digest.data()), p.digest.size());
    whole.size += p.size;
    whole.pieces.push_back({p.number, p.size});
  }
  whole.etag = to_string(meta::etag{md5_of(it->digests), std::uint32_t(it->parts.size())});
  it->whole = add_content(key, std::move(whole));
  return it;
}

// ── the steps ──

void cluster_workload::upload_in_parts(std::size_t u, cluster_node& node, const std::string& key) {
  auto& it = users_[u];
  it.parts = new_parts(key);
  it.what = "upload of " + std::to_string(it.parts->whole) + " to " + key;
  meta::begin_upload begin;
  begin.bucket = bucket_name;
  begin.key = key;
  begin.now = w_.clock().wall();
  begin.nonce = it.parts->name.nonce;
  begin.headers.user = {{"content", std::to_string(it.parts->whole)}};
  send_command(u, node, std::move(begin), [this, u](const result<committed>& r) {
    auto& who = users_[u];
    if (!r) {
      uncertain_uploads_ += may_have_happened(r.error().code);
      tolerate(who, r.error());
      return ended(u);
    }
    who.parts->name.id = r->result.version;
    who.parts->begun = true;
    next_part(u);
  });
}

// Commits a command for the upload; calls `then` unless the user has begun another operation.
void cluster_workload::send_command(std::size_t u, cluster_node& node, meta::command c,
                                    std::function<void(const result<committed>&)> then) {
  users_[u].node = node.number();
  ask_metadata<committed>(
      node.handles(),
      [this, u, operation = users_[u].operation, then = std::move(then)](const result<committed>& r) {
        if (in_time(u, operation)) then(r);
      },
      commit_atom_v, command_box{std::make_shared<const meta::command>(std::move(c))});
}

void cluster_workload::next_part(std::size_t u) {
  auto& it = users_[u];
  auto& job = *it.parts;
  auto* const node = any_node();
  if (!node) {
    it.node = nobody;
    return w_.after(100ms, [this, u, operation = it.operation] {
      if (in_time(u, operation)) next_part(u);
    });
  }
  if (job.stored == job.parts.size()) return finish_parts(u, *node);
  it.node = node->number();
  const auto& one = job.parts[job.stored];
  put_request request{bucket_name, job.name.key, {}, {}, {}};
  if (w_.draw.chance(0.7)) request.length = one.size;
  request.commit_as = [name = job.name, number = std::uint32_t(job.stored + 1)](const meta::put_object& whole) {
    meta::put_part p;
    p.upload = name;
    p.number = number;
    p.now = whole.now;
    p.size = whole.size;
    p.digest = whole.etag.digest;
    p.content = whole.content;
    return meta::command{std::move(p)};
  };
  uploader_habits habits;
  habits.fill_max = microseconds{500};
  auto uploader =
      std::make_shared<slow_uploader>(w_, checks_, habits, one.number, one.size, node->handles().upload_window,
                                      [this, u, operation = it.operation](std::optional<result<put_outcome>> outcome) {
                                        if (in_time(u, operation) && outcome) part_ended(u, *outcome);
                                      });
  it.upload = uploader;
  uploader->attach(start_upload(node->handles(), std::move(request), uploader));
}

void cluster_workload::part_ended(std::size_t u, const result<put_outcome>& outcome) {
  auto& it = users_[u];
  auto& job = *it.parts;
  it.upload.reset();
  if (outcome) {
    const auto& one = job.parts[job.stored++];
    checks_.expect(outcome->size == one.size && outcome->etag.digest == one.digest,
                   "a part was acknowledged with another size or digest");
    job.tries = 0;
  } else if (outcome.error() == errc::no_such_upload && may_be_aborted(job)) {
    return ended(u);
  } else {
    tolerate(it, outcome.error());
    if (++job.tries == tries_max) {
      left_uploads_.push_back(it.parts);
      return ended(u);
    }
  }
  w_.after(microseconds{w_.draw.below(200'000)}, [this, u, operation = it.operation] {
    if (in_time(u, operation)) next_part(u);
  });
}

void cluster_workload::finish_parts(std::size_t u, cluster_node& node) {
  auto& it = users_[u];
  const auto fate = w_.draw.below(10);
  if (fate == 0) {
    left_uploads_.push_back(it.parts);
    return ended(u);
  }
  it.parts->finishing = true;
  if (fate < 3)
    abort_parts(u, node);
  else
    complete_parts(u, node);
}

void cluster_workload::complete_parts(std::size_t u, cluster_node& node) {
  auto& it = users_[u];
  const auto& job = *it.parts;
  auto command = completion_of(job.name, job.parts, job.digests);
  command.now = w_.clock().wall();
  operation o{.write = true, .value = job.whole};
  condition(o, command.condition, job.name.key);
  it.recorded = {history_.begin(job.name.key, o)};
  may_expire(job.name.key, o.value);
  send_command(u, node, std::move(command), [this, u](const result<committed>& r) {
    auto& who = users_[u];
    if (r) {
      ++completed_uploads_;
      history_.done(who.recorded.front());
    } else if (r.error() == errc::no_such_upload && may_be_aborted(*who.parts)) {
      history_.nothing(who.recorded.front());
    } else {
      not_ended(who, r.error());
      write_failed(who, r.error());
    }
    ended(u);
  });
}

// The upload may be neither completed nor aborted.
void cluster_workload::not_ended(const user& it, const error& why) {
  if (may_have_happened(why.code))
    ++uncertain_uploads_;
  else
    left_uploads_.push_back(it.parts);
}

void cluster_workload::abort_parts(std::size_t u, cluster_node& node) {
  send_command(u, node, meta::abort_upload{{}, users_[u].parts->name}, [this, u](const result<committed>& r) {
    auto& who = users_[u];
    if (r || (r.error() == errc::no_such_upload && may_be_aborted(*who.parts))) {
      aborted_uploads_.push_back(who.parts);
    } else {
      not_ended(who, r.error());
      tolerate(who, r.error());
    }
    ended(u);
  });
}

// The node crashes: the step in progress may have taken effect.
void cluster_workload::forget_upload(user& it) {
  if (!it.parts) return;
  if (it.parts->begun && !it.parts->finishing)
    left_uploads_.push_back(it.parts);
  else
    ++uncertain_uploads_;
}

// ── the end ──

void cluster_workload::settle_uploads() {
  for (const auto& job : std::exchange(left_uploads_, {})) {
    auto* const node = any_node();
    if (!node || checks_.failed()) return;
    const bool whole = job->stored == job->parts.size();
    if (!whole) {
      const auto done = try_once(*node, meta::abort_upload{{}, job->name});
      if (!done && !(done.error() == errc::no_such_upload && may_be_aborted(*job)))
        checks_.fail("an upload that was left can't be aborted: " + to_string(done.error()));
      continue;
    }
    auto command = completion_of(job->name, job->parts, job->digests);
    command.now = w_.clock().wall();
    const auto n = history_.begin(job->name.key, {.write = true, .value = job->whole});
    may_expire(job->name.key, job->whole);
    const auto done = try_once(*node, command);
    if (!done && done.error() == errc::no_such_upload && may_be_aborted(*job)) {
      history_.nothing(n);
      continue;
    }
    if (!done && done.error() == errc::quota_exceeded && !plan_.quota.empty()) { // the upload is still there
      history_.nothing(n);
      ++uncertain_uploads_;
      continue;
    }
    if (!done) return checks_.fail("an upload that was left can't be completed: " + to_string(done.error()));
    history_.done(n);
    ++completed_uploads_;
  }
  for (const auto& job : aborted_uploads_) {
    auto* const node = any_node();
    if (!node || checks_.failed()) return;
    const auto done = try_once(*node, completion_of(job->name, job->parts, job->digests));
    checks_.expect(!done, "an aborted upload was completed");
    if (!done && done.error() != errc::no_such_upload)
      checks_.fail("completing an aborted upload: " + to_string(done.error()));
  }
  for (const auto& node : nodes_) {
    if (!node->serves() || checks_.failed()) continue;
    const auto listed = list_uploads(*node);
    if (listed > uncertain_uploads_)
      checks_.fail("node " + std::to_string(node->number()) + " lists " + std::to_string(listed) + " uploads, " +
                   std::to_string(uncertain_uploads_) + " may exist");
  }
}

std::size_t cluster_workload::list_uploads(cluster_node& node) {
  std::optional<result<uploads_listing>> listing;
  meta::uploads_query query;
  query.bucket = bucket_name;
  ask_metadata<uploads_listing>(
      node.handles(), [&listing](const result<uploads_listing>& r) { listing = r; }, list_atom_v, query);
  w_.run_until([&] { return listing.has_value(); }, 2min);
  if (listing && *listing) return (**listing)->uploads.size();
  checks_.fail("the uploads are not listed");
  return 0;
}

// By a lifecycle rule.
bool cluster_workload::may_be_aborted(const part_upload& job) const {
  const auto& after = plan_.expiring.abort_after;
  return after && job.name.key.starts_with(expiring_work::prefix) && (all_due_ || w_.now() - job.asked >= *after);
}

// ── quotas ──

meta::command cluster_workload::quota_command(std::optional<std::uint64_t> bytes,
                                              std::optional<std::uint64_t> versions) const {
  if (plan_.quota_of_owner)
    return meta::set_user_quota{.stamp = {}, .user = payer, .bytes_max = bytes, .versions_max = versions};
  return meta::set_bucket_quota{.stamp = {}, .name = bucket_name, .bytes_max = bytes, .versions_max = versions};
}

// These succeed only once the cluster has raised its feature level, and what the bucket holds is counted.
void cluster_workload::limit_bucket(const disk_check& check_nodes) {
  const auto may_be_again = [](const result<void>& done) { return done || done.error() == errc::invalid_argument; };
  meta::create_key key{{}, payer, "secret", "payer", w_.clock().wall()};
  if (auto made = operate_with_retries(key, check_nodes); !may_be_again(made)) // a try may have been answered late
    return checks_.fail("the owner was not made: " + to_string(made.error()));
  const meta::command steps[] = {meta::set_bucket_owner{.stamp = {}, .name = bucket_name, .user = payer},
                                 quota_command(plan_.quota.bytes_max, plan_.quota.versions_max)};
  for (const auto& step : steps)
    if (auto set = operate_with_retries(step, check_nodes); !set)
      return checks_.fail("the bucket got no quota: " + to_string(set.error()));
}

void cluster_workload::about_quota(std::size_t u, cluster_node& node) {
  auto& d = w_.draw;
  users_[u].what = "change of a quota";
  std::optional<std::uint64_t> bytes, versions;
  if (d.chance(0.7)) bytes = d.between(plan_.quota.bytes_max, quota_growth * plan_.quota.bytes_max);
  if (d.chance(0.7)) versions = d.between(plan_.quota.versions_max, quota_growth * plan_.quota.versions_max);
  auto command = quota_command(bytes, versions);
  if (!plan_.quota_of_owner && d.chance(0.3))
    command = meta::set_bucket_owner{.stamp = {}, .name = bucket_name, .user = d.chance(0.5) ? payer : ""};
  send_command(u, node, std::move(command), [this, u](const result<committed>& r) {
    if (!r) tolerate(users_[u], r.error());
    ended(u);
  });
}

// What the quota is about; nullopt: it is not there yet, or not readable.
std::optional<meta::usage> cluster_workload::limited_usage(cluster_node& node) const {
  const auto view = node.view();
  if (!view) return std::nullopt;
  if (plan_.quota_of_owner) {
    const auto page = view->identities({.kind = meta::identity_kind::bucket_owner, .name = payer});
    return page && !page->owners.front().quota.empty() ? page->owners.front().counted : std::nullopt;
  }
  const auto bucket = view->bucket(bucket_name);
  if (!bucket || bucket->quota.empty()) return std::nullopt;
  const auto held = view->usage_of(bucket->id);
  return held ? *held : std::nullopt;
}

// The bucket was empty when it got its first quota.
void cluster_workload::check_quota() {
  if (plan_.quota.empty()) return;
  const meta::bucket_quota highest{quota_growth * plan_.quota.bytes_max, quota_growth * plan_.quota.versions_max};
  for (const auto& node : nodes_) {
    const auto held = limited_usage(*node);
    if (held && meta::exceeded(highest, held->bytes, held->versions))
      checks_.fail("node " + std::to_string(node->number()) + " holds " + std::to_string(held->bytes) + " bytes in " +
                   std::to_string(held->versions) + " versions, which no quota allowed");
  }
}

result<void> cluster_workload::put_bytes(const std::string& bucket, const std::string& key, std::size_t size) {
  meta::put_object c;
  c.bucket = bucket;
  c.key = key;
  c.now = w_.clock().wall();
  c.size = size;
  c.content = std::string(size, 'q');
  return operate(c);
}

void cluster_workload::verify_quota() {
  if (plan_.quota.empty()) return;
  check_quota();
  std::string last = bucket_name; // gets what reaches the limit
  if (plan_.quota_of_owner) {
    meta::create_bucket c{.name = sister_bucket, .now = w_.clock().wall(), .owner = payer};
    if (auto made = operate(c); !made && made.error() != errc::bucket_exists)
      return checks_.fail("the owner's second bucket was not created: " + to_string(made.error()));
    last = sister_bucket;
  }
  w_.run_for(2s); // all members have applied everything
  const auto held = limited_usage(*nodes_.front());
  if (!held) return checks_.fail("what the quota is about is not known");
  constexpr std::size_t size = 10;
  if (auto set = operate(quota_command(held->bytes + size, held->versions + 1)); !set)
    return checks_.fail("the quota was not changed: " + to_string(set.error()));
  const auto is_refused = [this](const std::string& bucket, const std::string& key, std::size_t bytes) {
    const auto put = put_bytes(bucket, key, bytes);
    return !put && put.error() == errc::quota_exceeded;
  };
  for (const auto& bucket : {bucket_name, last})
    checks_.expect(is_refused(bucket, "one byte more", size + 1), "an object above the quota was stored");
  if (auto put = put_bytes(last, "fits", size); !put)
    return checks_.fail("an object that fits into the quota was refused: " + to_string(put.error()));
  for (const auto& bucket : {bucket_name, last})
    checks_.expect(is_refused(bucket, "one version more", 0), "a version above the quota was stored");
  const bool refused_again = is_refused(last, "fits", size), keeps_both = plan_.versioned && last == bucket_name;
  checks_.expect(refused_again == keeps_both, "an overwrite was not counted as the bucket's versioning demands");
}

} // namespace cairn::sim

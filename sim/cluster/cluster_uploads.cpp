// Multipart uploads of the simulated users: each upload is begun, gets its parts, and is completed, aborted or left,
// every step through any node. Acknowledged steps must hold: an upload that was left can be completed or aborted at the
// end, an aborted one cannot be completed, and nodes list no other uploads.
#include "sim/cluster/cluster_workload.hpp"
#include "sim/world/pattern.hpp"

#include "base/digest.hpp"

namespace cairn::sim {

namespace {

namespace meta = storage::metadata;
using namespace cairn::actors;
using namespace std::chrono_literals;

constexpr int tries_max = 4; // per part

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

} // namespace cairn::sim

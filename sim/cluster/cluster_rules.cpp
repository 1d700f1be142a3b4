#include "sim/cluster/cluster_rules.hpp"

#include <algorithm>

namespace cairn::sim {

namespace {

namespace meta = storage::metadata;
using namespace std::chrono_literals;

constexpr std::uint64_t rules_salt = 0x3C6EF372FE94F82Bull;
constexpr auto wall_spread = 2 * 60s; // the largest difference of wall clocks that do not jump (cluster_scenario.cpp)
constexpr auto margin = 200ms;        // for clocks that agree
constexpr std::size_t other_buckets_max = 4;
constexpr int rounds_max = 6; // a version, the marker that hides it, and what one walk leaves for the next
constexpr std::string_view other_prefix = "other-";

// The errors that an operator may get for a bucket that a walk empties meanwhile, in a cluster with faults.
const std::set<errc> bucket_refusals{
    errc::no_leader,     errc::no_quorum,       errc::timeout,       errc::busy,           errc::slow_down,
    errc::stopping,      errc::connection_lost, errc::session_ended, errc::no_such_bucket, errc::bucket_not_empty,
    errc::bucket_exists, errc::corrupt,         errc::io_error,      errc::read_only,      errc::no_space};

std::uint32_t longest(const meta::lifecycle_rule& rule) {
  return std::max({rule.expire_days, rule.noncurrent_days, rule.abort_days, 1u});
}

bool fits(const meta::lifecycle_rule& rule, const meta::listed_version& version) {
  return version.key.starts_with(rule.prefix) && (!rule.size_above || version.size > *rule.size_above);
}

} // namespace

rules_plan draw_rules(std::uint64_t seed, bool versioned) {
  dice d{seed ^ rules_salt};
  rules_plan p;
  p.any = d.chance(0.3);
  if (!p.any) return p;
  p.exact_clocks = d.chance(0.5);
  p.other_buckets = d.chance(0.5);
  p.day = d.chance(0.25) ? std::chrono::milliseconds{24h} : std::chrono::milliseconds{d.between(500, 8'000)};
  p.walk_every = std::chrono::milliseconds{d.between(200, 5'000)};
  auto& rule = p.rule;
  rule.id = "rule-0";
  rule.prefix = expiring_work::prefix;
  if (d.chance(0.85)) rule.expire_days = std::uint32_t(d.between(1, 3));
  if (rule.expire_days > 0 && d.chance(0.25)) rule.size_above = d.pick(std::vector<std::uint64_t>{1000, 50'000});
  if (d.chance(0.6)) rule.abort_days = std::uint32_t(d.between(1, 3));
  if (versioned && d.chance(0.7)) {
    rule.noncurrent_days = std::uint32_t(d.between(1, 3));
    rule.noncurrent_kept = std::uint32_t(d.below(3));
  }
  rule.expire_markers = versioned && rule.expire_days == 0 && d.chance(0.5);
  if (rule.expire_days + rule.abort_days + rule.noncurrent_days == 0) rule.expire_days = 1;
  return p;
}

expiring_work expiring_keys_of(const rules_plan& p, bool clocks_jump) {
  expiring_work out;
  if (!p.any) return out;
  out.keys = 2;
  const auto after = [&](std::uint32_t days) {
    if (clocks_jump) return microseconds{0};
    const auto least = days * p.day - (p.exact_clocks ? std::chrono::milliseconds{margin} : wall_spread);
    return std::max(microseconds{0}, std::chrono::duration_cast<microseconds>(least));
  };
  if (p.rule.expire_days > 0) out.expire_after = after(p.rule.expire_days);
  if (p.rule.abort_days > 0) out.abort_after = after(p.rule.abort_days);
  out.size_above = p.rule.size_above;
  out.removes_versions = p.rule.noncurrent_days > 0;
  return out;
}

void cluster_rules::begin(const disk_check& check_nodes) {
  if (!plan_.any) return;
  meta::set_bucket c;
  c.name = cluster_workload::bucket_name;
  c.lifecycle = {rule_};
  if (auto set = work_.operate_with_retries(c, check_nodes); !set)
    checks_.fail("the bucket got no rules: " + to_string(set.error()));
}

void cluster_rules::act() {
  if (!plan_.any) return;
  auto& d = w_.draw;
  auto* const node = work_.any_node();
  if (!node) return;
  if (d.chance(0.1)) { // the same rule with another id: a running walk must not continue with the old rules
    rule_.id = "rule-" + std::to_string(++changed_);
    meta::set_bucket c;
    c.name = cluster_workload::bucket_name;
    c.lifecycle = {rule_};
    (void)work_.try_once(*node, c);
  }
  if (!plan_.other_buckets || !d.chance(0.5)) return;
  if (others_.size() < other_buckets_max && d.chance(0.6)) return make_bucket();
  if (others_.empty()) return;
  const auto name = d.pick(others_);
  if (d.chance(0.3)) return put_into_bucket(name);
  const auto gone = work_.try_once(*node, meta::delete_bucket{name});
  if (gone || gone.error() == errc::no_such_bucket) std::erase(others_, name);
  removed_ += gone.has_value();
  checks_.expect(gone || bucket_refusals.contains(gone.error().code),
                 "the deletion of a bucket was refused without a planned reason");
}

// The names sort before and after the users' bucket, and are used again.
void cluster_rules::make_bucket() {
  auto* const node = work_.any_node();
  if (!node) return;
  const auto name = (w_.draw.chance(0.5) ? "a-" : "z-") + std::string{other_prefix} + std::to_string(w_.draw.below(3));
  const auto made = work_.try_once(*node, meta::create_bucket{name, w_.clock().wall()});
  if (std::ranges::find(others_, name) == others_.end()) others_.push_back(name);
  made_ += made.has_value();
  if (!made && !checks_.expect(bucket_refusals.contains(made.error().code),
                               "the creation of a bucket was refused without a planned reason"))
    return;
  auto* const next = work_.any_node();
  if (!made || !next) return;
  meta::set_bucket c;
  c.name = name;
  c.lifecycle.emplace();
  c.lifecycle->emplace_back();
  c.lifecycle->front().id = "all";
  c.lifecycle->front().expire_days = 1;
  (void)work_.try_once(*next, c);
  put_into_bucket(name);
}

void cluster_rules::put_into_bucket(const std::string& name) {
  auto* const node = work_.any_node();
  if (!node) return;
  meta::put_object c;
  c.bucket = name;
  c.key = "object-" + std::to_string(w_.draw.below(3));
  c.now = w_.clock().wall();
  c.size = 4;
  c.content = std::string{"byte"};
  const auto put = work_.try_once(*node, c);
  checks_.expect(put || bucket_refusals.contains(put.error().code),
                 "a small object was refused without a planned reason");
}

// ── the end ──

result<cluster_rules::due_items> cluster_rules::due_in(meta::view& view, const std::string& bucket,
                                                       const meta::lifecycle_rule& rule) const {
  due_items out;
  const auto note = [&](const std::string& what, wall_ms since) {
    if (out.first.empty()) out.first = what + " in " + bucket;
    out.latest = std::max(out.latest, since);
  };
  const auto listed = view.versions({.bucket = bucket, .versions_max = 10'000});
  if (!listed) return listed.error();
  const auto& all = listed->versions;
  std::uint32_t displaced = 0; // of this key
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto& v = all[i];
    const bool last = i + 1 == all.size() || all[i + 1].key != v.key;
    if (v.latest) displaced = 0;
    if (!v.key.starts_with(rule.prefix)) continue;
    if (!v.latest) {
      if (displaced++ >= rule.noncurrent_kept && rule.noncurrent_days > 0 && fits(rule, v) && v.lock.empty())
        note("version " + to_string(v.id) + " of " + v.key, i > 0 ? all[i - 1].modified : v.modified);
    } else if (v.delete_marker) {
      if (last && (rule.expire_markers || (rule.expire_days > 0 && fits(rule, v))))
        note("the delete marker of " + v.key, v.modified);
    } else if (rule.expire_days > 0 && fits(rule, v)) {
      note(v.key, v.modified);
    }
  }
  if (rule.abort_days == 0) return out;
  const auto uploads = view.uploads({.bucket = bucket, .uploads_max = 10'000});
  if (!uploads) return uploads.error();
  for (const auto& u : uploads->uploads)
    if (u.key.starts_with(rule.prefix)) note("an upload of " + u.key, u.begun);
  return out;
}

result<cluster_rules::due_items> cluster_rules::still_there() const {
  const auto view = nodes_.front()->view();
  if (!view) return error{errc::io_error, "the metadata can't be read"};
  auto buckets = view->buckets();
  if (!buckets) return buckets.error();
  due_items out;
  for (const auto& b : *buckets) {
    if (b.lifecycle.empty()) continue;
    const auto due = due_in(*view, b.name, b.lifecycle.front());
    if (!due) return due.error();
    if (out.first.empty()) out.first = due->first;
    out.latest = std::max(out.latest, due->latest);
  }
  return out;
}

// Makes everything due by a jump of all wall clocks.
void cluster_rules::make_due(wall_ms latest) {
  const auto due = latest + std::chrono::milliseconds{(longest(rule_) + 1) * plan_.day}.count() + 1;
  for (const auto& n : nodes_)
    if (n->running() && n->wall() < due) n->jump_clock(std::chrono::milliseconds{due - n->wall()});
  work_.all_due();
}

void cluster_rules::expire_all() {
  if (!plan_.any) return;
  for (; !checks_.failed(); ++rounds_) {
    auto left = still_there();
    if (!left) return checks_.fail("rules: " + to_string(left.error()));
    if (left->first.empty()) break;
    if (rounds_ == rounds_max) return checks_.fail("a rule was not executed: " + left->first);
    make_due(left->latest);
    const auto until = w_.now() + 3 * plan_.walk_every + 10s;
    while (left && !left->first.empty() && w_.now() < until) {
      w_.run_for(500ms);
      left = still_there();
    }
  }
}

std::string cluster_rules::options() const {
  if (!plan_.any) return {};
  const auto& r = plan_.rule;
  const auto days = [](const char* what, std::uint32_t n) { return n == 0 ? "" : what + std::to_string(n); };
  return ", rules: a day of " + std::to_string(plan_.day.count()) + " ms, walks every " +
         std::to_string(plan_.walk_every.count()) + (plan_.exact_clocks ? ", exact clocks" : "") +
         days(", expire ", r.expire_days) + days(", noncurrent ", r.noncurrent_days) +
         days(" but ", r.noncurrent_kept) + days(", abort ", r.abort_days) +
         (r.size_above ? ", larger than " + std::to_string(*r.size_above) : "") + ", changed " +
         std::to_string(changed_) + ", rounds " + std::to_string(rounds_) + ", buckets made " + std::to_string(made_) +
         " and removed " + std::to_string(removed_);
}

// ── what rules delete ──

// Adds the effect that a rule may have: a delete on the condition that the key still has this content, because a walk's
// command names the version that it saw.
void cluster_workload::may_expire(const std::string& key, content_number value) {
  const auto& rule = plan_.expiring;
  if (!rule.expire_after || !key.starts_with(expiring_work::prefix)) return;
  if (rule.size_above && contents_.at(value).size <= *rule.size_above) return;
  const auto is_due = [this, key, value] {
    operation o{.write = true};
    o.when = operation::condition::if_match;
    o.match = value;
    history_.unknown(history_.begin(key, o));
  };
  if (all_due_ || rule.expire_after->count() == 0) return is_due();
  not_due_.emplace_back(key, value);
  w_.after(*rule.expire_after, [this, key, value, is_due] {
    const auto at = std::ranges::find(not_due_, std::pair{key, value});
    if (at == not_due_.end()) return;
    not_due_.erase(at);
    is_due();
  });
}

// By a rule. A retention has ended when no clock is before its end: the clocks are moved until rules apply.
bool cluster_workload::may_be_gone(const kept_version& v) const {
  if (!plan_.expiring.removes_versions || !v.key.starts_with(expiring_work::prefix)) return false;
  return v.lock.hold != meta::legal_hold::on && std::ranges::all_of(nodes_, [&v](const auto& n) {
           return !n->running() || n->wall() >= v.lock.retained.until;
         });
}

void cluster_workload::all_due() {
  all_due_ = true;
  for (const auto& [key, value] : std::exchange(not_due_, {})) may_expire(key, value);
}

} // namespace cairn::sim

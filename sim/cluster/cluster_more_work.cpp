// Operations of the simulated users other than puts and reads of bytes: copies, which share the source's blobs; access
// keys, the public flag of the bucket, its policy, those of a user and a role, which every node must apply to requests
// as soon as a change was acknowledged, also to those that were sent before; object lock: some puts lock their version
// for longer than any fault lasts, and users try to remove such versions, or their locks, with commands that claim any
// time, while a minority of the clocks jumps by years: none may succeed. At the end the versions of a versioned bucket,
// none of which may be lost, and the locks, which must end once all clocks have passed them. The effects that a
// lifecycle rule may have on the history. Not checked here: who may bypass governance
// (tests/storage/metadata/apply/locks_test.cpp).
#include "sim/cluster/cluster_workload.hpp"

#include <algorithm>

namespace cairn::sim {

namespace {

namespace meta = storage::metadata;
namespace policy = storage::policy;
using namespace cairn::actors;
using namespace std::chrono_literals;

constexpr std::size_t versions_read_max = 40;
constexpr wall_ms day_of_locks = 24 * 3600 * 1000, locked_for = 60 * day_of_locks; // longer than all rules
constexpr wall_ms claims_max = 3650 * day_of_locks;

std::string register_of(const std::string& access_key) { // in the history
  return "access key " + access_key;
}
const std::string public_register = "the bucket's public flag", policy_register = "the bucket's policy",
                  user_register = "the user's policy", role_register = "the role's policy";

// Of policy_register: whether everybody may tag objects. Of user_register: whether the user may remove their tags; of
// role_register: whether a session of the role may. Of public_register: 0, 1, or that the list has grants.
constexpr content_number forbids = absent, allows = 1, grants_more = 2;

std::string policy_text(std::string_view effect) {
  return R"({"Version":"2012-10-17","Statement":[{"Effect":")" + std::string{effect} +
         R"(","Principal":"*","Action":"s3:PutObjectTagging","Resource":"arn:aws:s3:::)" +
         cluster_workload::bucket_name + R"(/*"}]})";
}
const std::string policy_that_allows = policy_text("Allow");
const std::string user_name = "ann", user_key = "ANNSKEY", user_policy = "taggers", role_name = "tagger",
                  role_id = "AROA1";

} // namespace

// ── copies ──

void cluster_workload::copy(std::size_t u, cluster_node& node, const std::string& key, bool renames) {
  auto& it = users_[u];
  const auto from = w_.draw.pick(keys_);
  it.what = (renames ? "rename of " : "copy of ") + from + " to " + key;
  it.recorded = {history_.begin(from, {})};
  ask_metadata<found_object>(
      node.handles(),
      [this, u, from, key, renames, operation = it.operation](const result<found_object>& found) {
        if (!in_time(u, operation)) return;
        auto& who = users_[u];
        if (found) {
          history_.seen(who.recorded.front(), content_of(*found->row));
          return renames && from != key ? rename_found(u, from, key, *found->row)
                                        : copy_found(u, from, key, *found->row);
        }
        if (found.error().code == errc::no_such_key) {
          history_.seen(who.recorded.front(), absent);
        } else {
          history_.nothing(who.recorded.front());
          tolerate(who, found.error());
        }
        ended(u);
      },
      lookup_atom_v, object_name{bucket_name, from, false});
}

void cluster_workload::copy_found(std::size_t u, const std::string& from, const std::string& key,
                                  const meta::object_row& source) {
  auto& it = users_[u];
  it.recorded.clear(); // the read has its answer, whatever happens to the copy
  auto* const node = any_node();
  if (!node) return ended(u);
  meta::copy_object c;
  c.source = {bucket_name, from, source.version, source.ordinal};
  c.bucket = bucket_name;
  c.key = key;
  c.now = w_.clock().wall();
  operation o{.write = true, .value = content_of(source)};
  if (w_.draw.chance(0.4)) condition(o, c.condition, key);
  written_[key].push_back(o.value);
  it.recorded = {history_.begin(key, o)};
  may_expire(key, o.value);
  send_command(u, *node, std::move(c), [this, u](const result<committed>& r) {
    auto& who = users_[u];
    if (r) {
      ++copies_;
      history_.done(who.recorded.front());
    } else if (r.error() == errc::stale_source || r.error() == errc::no_such_key) {
      history_.nothing(who.recorded.front()); // the source has changed since
    } else {
      write_failed(who, r.error());
    }
    ended(u);
  });
}

// Both names change at one moment, of which the history checks each name by itself: with the bytes at the new one they
// are gone from the old one.
void cluster_workload::rename_found(std::size_t u, const std::string& from, const std::string& key,
                                    const meta::object_row& source) {
  auto& it = users_[u];
  it.recorded.clear();
  auto* const node = any_node();
  if (!node) return ended(u);
  meta::rename_object c;
  c.source = {bucket_name, from, source.version, source.ordinal};
  c.key = key;
  if (w_.draw.chance(0.5)) c.token = meta::upload_origin{~it.operation, it.operation};
  operation there{.write = true, .value = content_of(source)}, gone{.write = true};
  gone.when = operation::condition::if_match;
  gone.match = there.value;
  if (w_.draw.chance(0.4)) condition(there, c.condition, key);
  written_[key].push_back(there.value);
  it.recorded = {history_.begin(key, there), history_.begin(from, gone)};
  send_command(u, *node, std::move(c), [this, u](const result<committed>& r) {
    auto& who = users_[u];
    const auto old_name = who.recorded.back();
    if (r) {
      ++renames_;
      for (const auto n : who.recorded) history_.done(n);
    } else if (r.error() == errc::stale_source || r.error() == errc::no_such_key || r.error() == errc::unsupported) {
      // The source has changed since, or not all nodes are known to be of this level yet.
      for (const auto n : who.recorded) history_.nothing(n);
    } else {
      if (may_have_happened(r.error().code))
        history_.unknown(old_name);
      else
        history_.nothing(old_name);
      write_failed(who, r.error());
    }
    ended(u);
  });
}

// ── access ──

void cluster_workload::about_access(std::size_t u, cluster_node& node) {
  auto& d = w_.draw;
  const std::string id = "key" + std::to_string(d.below(2));
  const bool of_bucket = d.chance(0.4);
  if (d.chance(0.6)) {
    if (of_bucket)
      return read_access(u, node, public_register, {}, [](const found_access& found) {
        return found.bucket->grants ? grants_more : content_number(found.bucket->public_read);
      });
    return read_access(u, node, register_of(id), id, [](const found_access& found) {
      return found.key ? content_number(std::stoull(found.key->label)) : absent;
    });
  }
  if (of_bucket) {
    meta::set_bucket c;
    c.name = bucket_name;
    const content_number list = plan_.policies > 0 ? d.below(3) : d.chance(0.5); // with policies: of the newest level
    if (list < grants_more) c.public_read = list == 1;
    if (list == grants_more) c.grants = policy::acl_grants{{policy::grantee::user, id, policy::permission::read}};
    return change_access(u, node, public_register, {.write = true, .value = list}, c);
  }
  if (d.chance(0.5)) {
    operation o{.write = true};
    o.when = operation::condition::if_match; // any
    return change_access(u, node, register_of(id), o, meta::delete_key{{}, id});
  }
  const auto number = ++access_numbers_;
  operation o{.write = true, .value = number};
  o.when = operation::condition::if_absent;
  change_access(
      u, node, register_of(id), o,
      meta::create_key{{}, id, "secret-" + std::to_string(number), std::to_string(number), w_.clock().wall()});
}

void cluster_workload::change_access(std::size_t u, cluster_node& node, const std::string& what, const operation& o,
                                     meta::command c) {
  auto& it = users_[u];
  it.what = "change of " + what;
  it.recorded = {history_.begin(what, o)};
  send_command(u, node, std::move(c), [this, u](const result<committed>& r) {
    auto& who = users_[u];
    const bool refused = !r && (r.error() == errc::no_such_access_key || r.error() == errc::no_such_identity ||
                                r.error() == errc::invalid_argument); // the register does not allow it
    if (r)
      history_.done(who.recorded.front());
    else if (refused)
      history_.refused(who.recorded.front());
    else
      write_failed(who, r.error());
    ended(u);
  });
}

// Looks the access key and the bucket up, as a gateway does; `seen`: what the answer says about the register.
void cluster_workload::read_access(std::size_t u, cluster_node& node, const std::string& what, const std::string& id,
                                   std::function<content_number(const found_access&)> seen) {
  auto& it = users_[u];
  it.what = "look at " + what;
  it.recorded = {history_.begin(what, {})};
  ask_metadata<found_access>(
      node.handles(),
      [this, u, seen = std::move(seen), operation = it.operation](const result<found_access>& found) {
        if (!in_time(u, operation)) return;
        auto& who = users_[u];
        if (!found) {
          history_.nothing(who.recorded.front());
          tolerate(who, found.error());
        } else if (checks_.expect(found->bucket != nullptr, "the bucket does not exist")) {
          history_.seen(who.recorded.front(), seen(*found));
        }
        ended(u);
      },
      access_atom_v, access_query{id, bucket_name, {}});
}

// ── the bucket's policy ──

// This succeeds only once the cluster has raised its feature level. Commands do not carry what a policy is asked
// before.
void cluster_workload::prepare_policies(const disk_check& check_nodes) {
  meta::set_bucket_access c;
  c.name = bucket_name;
  c.policy.emplace();
  if (auto done = operate_with_retries(c, check_nodes); !done)
    checks_.fail("the bucket's policy was not removed: " + to_string(done.error()));
  make_user(check_nodes);
}

// A user whose only policy the others attach and detach.
void cluster_workload::make_user(const disk_check& check_nodes) {
  const auto do_once = [&](meta::change_identity c) {
    const auto done = operate_with_retries(c, check_nodes);
    if (!done && done.error() != errc::identity_exists) // an earlier try succeeded
      checks_.fail("there is no user: " + to_string(done.error()));
  };
  meta::change_identity c{.what = policy::action::iam_create_user, .name = user_name, .id = "AIDA1"};
  do_once(c);
  c.what = policy::action::iam_create_access_key;
  c.other = user_key;
  c.text = "secret";
  do_once(c);
  meta::change_identity made{.what = policy::action::iam_create_policy, .name = user_policy, .id = "ANPA1"};
  made.text =
      R"({"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:DeleteObjectTagging","Resource":"*"}})";
  do_once(made);
  meta::change_identity role{.what = policy::action::iam_create_role, .name = role_name, .id = role_id};
  role.text = R"({"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"}})";
  role.version = 3600;
  do_once(role);
}

void cluster_workload::about_policy(std::size_t u, cluster_node& node) {
  auto& d = w_.draw;
  if (d.chance(0.5)) return about_user(u, node);
  if (d.chance(0.3))
    return read_access(u, node, policy_register, {}, [](const found_access& found) {
      const auto& policy = found.bucket->policy;
      return !policy.empty() && policy.text() == policy_that_allows ? allows : forbids;
    });
  if (d.chance(0.6))
    return use_policy(u, node, policy_register, {.by = meta::allowed_by::anybody}, policy::action::put_object_tagging);
  const bool allow = d.chance(0.5);
  meta::set_bucket_access c;
  c.name = bucket_name;
  c.policy = allow ? policy_that_allows : d.chance(0.5) ? policy_text("Deny") : std::string{};
  change_access(u, node, policy_register, {.write = true, .value = allow ? allows : forbids}, c);
}

// The same with the policy of a user, which is attached and detached.
void cluster_workload::about_user(std::size_t u, cluster_node& node) {
  auto& d = w_.draw;
  if (d.chance(0.4)) return about_role(u, node);
  if (d.chance(0.3))
    return read_access(u, node, user_register, user_key, [this](const found_access& found) {
      if (!checks_.expect(found.key && found.key->of_user, "the user has no key")) return forbids;
      return found.key->of_user->policies.empty() ? forbids : allows;
    });
  if (d.chance(0.6)) {
    meta::authority by{.by = meta::allowed_by::identity, .key = user_key};
    return use_policy(u, node, user_register, std::move(by), policy::action::delete_object_tagging);
  }
  const bool attach = d.chance(0.5);
  operation o{.write = true, .value = attach ? allows : forbids};
  if (!attach) o.when = operation::condition::if_match; // any: detaching what is not attached is refused
  meta::change_identity c{.name = user_name, .other = user_policy};
  c.what = attach ? policy::action::iam_attach_user_policy : policy::action::iam_detach_user_policy;
  change_access(u, node, user_register, o, c);
}

// The same with the policy of a role, of which the sender has a session.
void cluster_workload::about_role(std::size_t u, cluster_node& node) {
  auto& d = w_.draw;
  if (d.chance(0.6)) {
    const auto now = w_.clock().wall();
    meta::authority by{.by = meta::allowed_by::identity, .key = "ASIA1"};
    by.session = std::make_shared<const meta::sts_session>(
        meta::sts_session{true, role_name, role_id, "session", now, now + 2 * claims_max, {}});
    return use_policy(u, node, role_register, std::move(by), policy::action::delete_object_tagging);
  }
  const bool attach = d.chance(0.5);
  operation o{.write = true, .value = attach ? allows : forbids};
  if (!attach) o.when = operation::condition::if_match; // any: detaching what is not attached is refused
  meta::change_identity c{.name = role_name, .other = user_policy};
  c.what = attach ? policy::action::iam_attach_role_policy : policy::action::iam_detach_role_policy;
  change_access(u, node, role_register, o, c);
}

// A command that its gateway allowed at some time before, perhaps by a policy that is gone: what decides is the policy
// when the command is applied, so its answer is a read of the policy. It finds no object, and so changes nothing.
void cluster_workload::use_policy(std::size_t u, cluster_node& node, const std::string& what, meta::authority by,
                                  policy::action wanted) {
  auto& it = users_[u];
  it.what = "tagging by " + what;
  it.recorded = {history_.begin(what, {})};
  auto asked = std::make_shared<meta::asked_access>();
  asked->with.kind = by.key.empty() ? policy::sender::anonymous : policy::sender::key;
  asked->with.time = w_.clock().wall();
  asked->actions = {wanted};
  by.asked = std::move(asked);
  meta::set_extras c;
  c.bucket = bucket_name;
  c.key = "no such key";
  c.tags.emplace();
  c.by = std::move(by);
  send_command(u, node, std::move(c), [this, u](const result<committed>& r) {
    auto& who = users_[u];
    const auto n = who.recorded.front();
    if (!r && r.error() == errc::no_such_key)
      history_.seen(n, allows);
    else if (!r && r.error() == errc::access_denied)
      history_.seen(n, forbids);
    else if (checks_.expect(!r, "an object that does not exist was tagged")) {
      history_.nothing(n);
      tolerate(who, r.error());
    }
    ended(u);
  });
}

// ── object lock ──

void cluster_workload::lock_bucket(const disk_check& check_nodes) {
  meta::set_bucket_lock c;
  c.name = bucket_name;
  if (auto set = operate_with_retries(c, check_nodes); !set)
    checks_.fail("the bucket got no object lock: " + to_string(set.error()));
}

meta::object_lock cluster_workload::draw_lock() {
  if (plan_.locks == 0 || !w_.draw.chance(plan_.locks)) return {};
  meta::object_lock lock;
  lock.retained = {w_.draw.chance(0.5) ? meta::retention_mode::governance : meta::retention_mode::compliance,
                   w_.clock().wall() + locked_for};
  if (w_.draw.chance(0.2)) lock.hold = meta::legal_hold::on;
  return lock;
}

void cluster_workload::about_locks(std::size_t u, cluster_node& node) {
  auto& it = users_[u];
  if (locked_.empty()) return ended(u);
  auto& d = w_.draw;
  const auto& wanted = d.pick(locked_);
  it.what = "unlocking of " + to_string(wanted.id) + " of " + wanted.key;
  const auto claimed = w_.clock().wall() + wall_ms(d.below(2 * claims_max)) - claims_max;
  const auto answered = [this, u](const result<committed>& r) {
    auto& who = users_[u];
    if (r)
      checks_.fail(who.what + " succeeded");
    else if (r.error() == errc::access_denied)
      ++locks_held_;
    else
      tolerate(who, r.error());
    ended(u);
  };
  if (d.chance(0.7)) {
    meta::delete_object c;
    c.bucket = bucket_name;
    c.key = wanted.key;
    c.now = claimed;
    c.version = wanted.id;
    c.bypasses_governance = d.chance(0.5); // without the right to
    return send_command(u, node, std::move(c), answered);
  }
  meta::set_object_lock c;
  c.bucket = bucket_name;
  c.key = wanted.key;
  c.now = claimed;
  c.version = wanted.id;
  c.retained.emplace();
  c.bypasses_governance = d.chance(0.5);
  send_command(u, node, std::move(c), answered);
}

// ── the end ──

void cluster_workload::judge() {
  if (auto problem = history_.unexplained()) checks_.fail(*problem);
}

void cluster_workload::verify_locks(const std::function<void()>& pass_retentions) {
  if (plan_.locks == 0) return;
  const auto view = nodes_.front()->view();
  if (!view) return checks_.fail("the metadata can't be read");
  for (const auto& v : locked_) {
    const auto row = view->object(bucket_name, v.key, v.id);
    if (!row && may_be_gone(v)) continue;
    if (!row) return checks_.fail("locked version " + to_string(v.id) + " of " + v.key + ": " + to_string(row.error()));
    checks_.expect(row->extras.lock == v.lock, "a lock is another one");
  }
  pass_retentions();
  for (const auto& v : locked_) {
    if (checks_.failed()) return;
    meta::delete_object c;
    c.bucket = bucket_name;
    c.key = v.key;
    c.now = w_.clock().wall();
    c.version = v.id;
    const auto gone = operate(c);
    const bool held = v.lock.hold == meta::legal_hold::on;
    if (held)
      checks_.expect(!gone && gone.error() == errc::access_denied, "a version with a legal hold was removed");
    else if (!gone)
      checks_.fail("a version whose retention has ended is still locked: " + to_string(gone.error()));
  }
}

wall_ms cluster_workload::last_retention() const {
  wall_ms last = 0;
  for (const auto& v : locked_) last = std::max(last, v.lock.retained.until);
  return last;
}

void cluster_workload::verify_versions() {
  if (!plan_.versioned) return;
  auto left = versions_;
  for (std::size_t n = 0; n < versions_read_max && !left.empty() && !checks_.failed(); ++n) {
    const auto at = std::ptrdiff_t(w_.draw.below(left.size()));
    const auto wanted = left[std::size_t(at)];
    left.erase(left.begin() + at);
    auto* const node = any_node();
    if (!node) return;
    const auto client = start_get(*node, wanted.key, true, false, wanted.id);
    const auto what =
        "version " + to_string(wanted.id) + " of " + wanted.key + " through node " + std::to_string(node->number());
    if (!w_.run_until([&] { return client->end() != download_end::running || checks_.failed(); }, 1h))
      return checks_.fail(what + " hangs");
    const auto why = client->end() == download_end::finished ? errc{} : client->reason().code;
    if ((why == errc::no_such_version || why == errc::no_such_key) && may_be_gone(wanted)) continue;
    if (client->end() != download_end::finished) return checks_.fail(what + ": " + to_string(client->reason()));
    checks_.expect(client->row() && content_of(*client->row()) == wanted.content, "a version is another object");
  }
}

} // namespace cairn::sim

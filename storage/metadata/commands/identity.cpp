#include "storage/metadata/commands/identity.hpp"

namespace cairn::storage::metadata {

namespace {

template <class Row>
result<std::optional<Row>> load(kv_reader& kv, const std::string& key, result<Row> (*decode)(std::string_view)) {
  const auto bytes = kv.get(id_of(table::identities), key);
  if (!bytes) {
    if (auto good = kv.status(); !good) return good.error();
    return std::optional<Row>{};
  }
  auto row = decode(*bytes);
  if (!row) return row.error();
  return std::optional{std::move(*row)};
}

std::optional<error> add_policies(kv_reader& kv, const key_maker& keys, const held_policies& from, identity& into) {
  for (const auto& one : from.own) into.policies.push_back({one.name, identity_policy{one.text}});
  for (const auto& name : from.attached) {
    const auto row =
        load<policy_row>(kv, keys.identity(identity_kind::policy, identity_key(name)), decode_managed_policy);
    if (!row) return row.error();
    const auto* const version = *row ? (*row)->find((*row)->default_version) : nullptr;
    if (version != nullptr) into.policies.push_back({name, identity_policy{version->text}});
  }
  return std::nullopt;
}

} // namespace

result<std::shared_ptr<const identity>> read_identity(kv_reader& kv, const key_maker& keys, std::string_view user) {
  auto made = std::make_shared<identity>();
  auto row = load<user_row>(kv, keys.identity(identity_kind::user, identity_key(user)), decode_user);
  if (!row) return row.error();
  made->user.name = user;
  if (*row) {
    if (auto failed = add_policies(kv, keys, (*row)->policies, *made)) return *failed;
    for (const auto& name : (*row)->groups) {
      const auto group = load<group_row>(kv, keys.identity(identity_kind::group, identity_key(name)), decode_group);
      if (!group) return group.error();
      if (!*group) continue;
      if (auto failed = add_policies(kv, keys, (*group)->policies, *made)) return *failed;
    }
    made->user = std::move((*row)->who);
  }
  return std::shared_ptr<const identity>{std::move(made)};
}

namespace {

// The row of the session's role or user, as far as it is the one that the session was made for.
result<bool> add_owner(kv_reader& kv, const key_maker& keys, const sts_session& session, identity& into) {
  if (!session.of_role) {
    const auto found = read_identity(kv, keys, session.name);
    if (!found) return found.error();
    into = **found;
    return into.user.id == session.id;
  }
  auto row = load<role_row>(kv, keys.identity(identity_kind::role, identity_key(session.name)), decode_role);
  if (!row) return row.error();
  if (!*row || (*row)->who.id != session.id) return false;
  if (auto failed = add_policies(kv, keys, (*row)->policies, into)) return *failed;
  into.user = std::move((*row)->who);
  override_tags(into.user.tags, session.tags);
  into.user.role_session = session.session;
  return true;
}

// What the session policy says: `deny` is all that it does not allow.
identity_decision within_session(const sts_session& session, const policy::request& asked) {
  if (session.policy.empty()) return {policy::effect::allow};
  const identity_policy document{session.policy};
  const auto* const rules = document.compiled();
  if (rules == nullptr) return {policy::effect::deny, "the session's policy, which this node can't read"};
  const auto told = rules->evaluate(asked);
  if (told.outcome == policy::effect::deny)
    return {policy::effect::deny, policy::name_of(*rules, told.statement) + " of the session's policy"};
  if (told.outcome == policy::effect::none)
    return {policy::effect::deny, "the session's policy, which does not allow it"};
  return {told.outcome};
}

} // namespace

result<std::shared_ptr<const identity>> read_identity(kv_reader& kv, const key_maker& keys,
                                                      std::shared_ptr<const sts_session> session) {
  auto made = std::make_shared<identity>();
  const auto there = add_owner(kv, keys, *session, *made);
  if (!there) return there.error();
  if (!*there) return std::shared_ptr<const identity>{};
  made->user.token_issued = session->issued;
  made->session = std::move(session);
  return std::shared_ptr<const identity>{std::move(made)};
}

access_key_row temporary_key(std::string id, std::string secret, std::shared_ptr<const identity> of) {
  auto owner = of->user.is_role() ? of->user.name + "/" + of->user.role_session : of->user.name;
  const auto issued = of->session->issued;
  return {.id = std::move(id),
          .secret = std::move(secret),
          .created = issued,
          .user = std::move(owner),
          .of_user = std::move(of)};
}

namespace {

std::optional<error> refused_by_trust(const role_row& role, const access_key_row& key, const policy::context& with,
                                      policy::action act) {
  const auto resource = resource_of(role);
  const auto* const owner = key.of_user ? &key.of_user->user : nullptr;
  policy::request asked{
      .act = act, .key = resource, .access_key = key.id, .with = &with, .object_missing = true, .user = owner};
  const auto sender = asked.sender_arn();
  const auto refused = [&](std::string_view why) {
    return error{errc::access_denied, "User: " + sender +
                                          " is not authorized to perform: " + std::string{policy::to_string(act)} +
                                          " on resource: " + asked.resource() + std::string{why}};
  };
  identity_decision own;
  if (key.of_user) own = ask_identity(*key.of_user, asked);
  if (own.outcome == policy::effect::deny) return refused(" with an explicit deny in " + own.why);
  const trust_policy trust{role.trust};
  const auto* const rules = trust.empty() ? nullptr : trust.compiled();
  if (rules == nullptr) return refused({});
  const auto direct = rules->evaluate(asked).outcome;
  if (direct == policy::effect::deny) return refused(" with an explicit deny in the role's trust policy");
  if (direct == policy::effect::allow) return std::nullopt;
  asked.through_account = true;
  const bool delegated =
      rules->evaluate(asked).outcome == policy::effect::allow && own.outcome == policy::effect::allow;
  return delegated ? std::nullopt : std::optional{refused({})};
}

std::optional<error> refused_by_trust(const role_row& role, std::string_view provider, const policy::context& with,
                                      policy::action act) {
  const auto resource = resource_of(role);
  const policy::request asked{.act = act, .key = resource, .with = &with, .object_missing = true, .provider = provider};
  const trust_policy trust{role.trust};
  const auto* const rules = trust.empty() ? nullptr : trust.compiled();
  if (rules != nullptr && rules->evaluate(asked).outcome == policy::effect::allow) return std::nullopt;
  return error{errc::access_denied, "Not authorized to perform " + std::string{policy::to_string(act)}};
}

} // namespace

std::optional<error> assumption_refused(const role_row& role, const access_key_row& key, const policy::context& with,
                                        bool with_tags) {
  auto refused = refused_by_trust(role, key, with, policy::action::sts_assume_role);
  if (!refused && with_tags) refused = refused_by_trust(role, key, with, policy::action::sts_tag_session);
  return refused;
}

std::optional<error> assumption_refused(const role_row& role, std::string_view provider, const policy::context& with,
                                        bool with_tags) {
  auto refused = refused_by_trust(role, provider, with, policy::action::sts_assume_role_with_web_identity);
  if (!refused && with_tags) refused = refused_by_trust(role, provider, with, policy::action::sts_tag_session);
  return refused;
}

identity_decision ask_identity(const identity& of, const policy::request& asked) {
  identity_decision all{policy::effect::none};
  bool waits = false;
  if (of.session) {
    auto within = within_session(*of.session, asked);
    if (within.outcome == policy::effect::deny) return within;
    waits = within.outcome == policy::effect::undecided;
  }
  for (const auto& one : of.policies) {
    if (one.document.empty()) continue;
    const auto* const rules = one.document.compiled();
    if (rules == nullptr) return {policy::effect::deny, "the policy `" + one.name + "`, which this node can't read"};
    const auto told = rules->evaluate(asked);
    if (told.outcome == policy::effect::deny)
      return {policy::effect::deny, policy::name_of(*rules, told.statement) + " of the policy `" + one.name + "`"};
    waits = waits || told.outcome == policy::effect::undecided;
    if (told.outcome == policy::effect::allow) all.outcome = policy::effect::allow;
  }
  if (waits) all.outcome = policy::effect::undecided;
  return all;
}

std::optional<error> identity_lapsed(const authority& a, policy::action wanted, const access_key_row* key,
                                     std::string_view resource) {
  if (a.by == allowed_by::internal || a.by == allowed_by::configuration) return std::nullopt;
  if (key == nullptr || !key->active) return error{errc::no_such_access_key};
  if (!key->of_user || !a.asked)
    return error{errc::access_denied, "Only the root key, and users whose policies allow it, may do this."};
  const auto& user = key->of_user->user;
  const policy::request asked{.act = wanted,
                              .key = resource,
                              .access_key = a.key,
                              .with = &a.asked->with,
                              .object_missing = true,
                              .user = &user};
  const auto told = ask_identity(*key->of_user, asked);
  if (told.outcome == policy::effect::allow) return std::nullopt;
  std::string text = "User: " + user.arn() +
                     " is not authorized to perform: " + std::string{policy::to_string(wanted)} +
                     " on resource: " + asked.resource();
  if (!told.why.empty()) text += " with an explicit deny in " + told.why;
  return error{errc::access_denied, std::move(text)};
}

} // namespace cairn::storage::metadata

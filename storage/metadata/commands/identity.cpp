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

identity_decision ask_identity(const identity& of, const policy::request& asked) {
  identity_decision all{policy::effect::none};
  bool waits = false;
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
  std::string text = "User: " + policy::arn_of({policy::sender::key, user.path_and_name()}) +
                     " is not authorized to perform: " + std::string{policy::to_string(wanted)} +
                     " on resource: " + asked.resource();
  if (!told.why.empty()) text += " with an explicit deny in " + told.why;
  return error{errc::access_denied, std::move(text)};
}

} // namespace cairn::storage::metadata

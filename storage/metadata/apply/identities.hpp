// Users, groups, roles, managed policies, identity providers and the access keys of users in a batch: the effect of
// change_identity. Names that rows refer to each other by always exist: what is referred to is not removed (IAM's
// DeleteConflict), and a user that is renamed takes its keys along.
#pragma once

#include "storage/metadata/apply/batch.hpp"
#include "storage/metadata/commands/identity.hpp"

namespace cairn::storage::metadata {

class identity_ledger {
public:
  explicit identity_ledger(batch& b) : b_(b) {}

  // Judges the command by the state at this index, and changes the rows. `number`: of a policy's new version.
  std::optional<error> change(const change_identity& c, std::uint64_t& number);
  // The key was removed: its user does not have it any more.
  void forget_key(const access_key_row& key);
  bool has_user(std::string_view name); // exactly so spelt

private:
  using outcome = std::optional<error>;

  template <class Row>
  std::optional<Row> load(identity_kind kind, std::string_view name, result<Row> (*decode)(std::string_view));
  std::optional<user_row> user(std::string_view name);
  std::optional<group_row> group(std::string_view name);
  std::optional<role_row> role(std::string_view name);
  std::optional<policy_row> managed(std::string_view name);
  std::optional<provider_row> provider(std::string_view name);
  void put(const user_row& row);
  void put(const group_row& row);
  void put(const role_row& row);
  void put(const policy_row& row);
  void put(const provider_row& row);
  void erase(identity_kind kind, std::string_view name);
  outcome taken_by_key(const std::string& name); // identity_exists: of a key that belongs to nobody
  bool is_full(identity_kind kind, std::size_t rows_max);
  // access_denied, no_such_access_key.
  outcome lapsed(const change_identity& c, const std::string& resource);

  outcome change_user(const change_identity& c);
  outcome create_user(const change_identity& c);
  outcome update(user_row row, const change_identity& c);
  template <class Row>
  outcome tag(Row row, const change_identity& c, bool adds);
  outcome change_group(const change_identity& c);
  outcome create_group(const change_identity& c);
  outcome change_member(group_row row, const change_identity& c);
  outcome change_role(const change_identity& c);
  outcome create_role(const change_identity& c);
  outcome update_role(role_row row, const change_identity& c);
  outcome change_provider(const change_identity& c); // this and the next one: providers.cpp
  outcome create_provider(const change_identity& c);
  outcome change_managed(const change_identity& c, std::uint64_t& number);
  outcome create_managed(const change_identity& c);
  outcome add_version(policy_row row, const change_identity& c, std::uint64_t& number);
  outcome change_version(policy_row row, const change_identity& c);
  outcome change_key(user_row row, const change_identity& c);
  // What is the same for users, groups and roles: inline and attached policies.
  template <class Row>
  outcome change_policies(Row row, const change_identity& c);
  template <class Row>
  outcome attach(Row row, const change_identity& c, bool attaches);

  batch& b_;
};

// Whether a row may have these tags, and those with what the command adds or removes: too_large, invalid_argument.
std::optional<error> bad_tags(const policy::tag_pairs& tags);
std::optional<error> change_tags(policy::tag_pairs& tags, const change_identity& c, bool adds);

} // namespace cairn::storage::metadata

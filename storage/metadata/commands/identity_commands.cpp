// Encoding of the commands about identities: their fields, which follow level and kind (commands.cpp; notation:
// rows.cpp).
//
//   40 change_identity  stamp action:u8 now:u64 name:s other:s id:s path:s text:s description:s version:v on:u8
//                       list(tags) [list(client_ids) list(thumbprints)]   of identity providers
//   42 renew_token_key  stamp now:u64 key:s
#include "storage/metadata/commands/identity_commands.hpp"

#include "storage/policy/policy.hpp"

#include <algorithm>

namespace cairn::storage::metadata {

bool changes_identities(policy::action what) {
  constexpr std::string_view prefix = "iam:";
  if (!policy::to_string(what).starts_with(prefix)) return false;
  const auto name = policy::to_string(what).substr(prefix.size());
  return !name.starts_with("Get") && !name.starts_with("List") && !name.starts_with("Simulate");
}

std::uint8_t identity_level(const change_identity& c) {
  using policy::action, policy::owner_kind;
  constexpr std::uint8_t of_identities = 13;
  const auto level = std::max(of_identities, policy::level_of(c.what));
  switch (c.what) {
    case action::iam_create_role:
    case action::iam_update_assume_role_policy: return std::max(level, policy::level_of(c.text, owner_kind::trust));
    case action::iam_put_user_policy:
    case action::iam_put_group_policy:
    case action::iam_put_role_policy:
    case action::iam_create_policy:
    case action::iam_create_policy_version: return std::max(level, policy::level_of(c.text, owner_kind::identity));
    default: return level;
  }
}

void write(byte_writer& w, const change_identity& c) {
  write_stamp(w, c.stamp);
  w.u8(static_cast<std::uint8_t>(c.what));
  write_time(w, c.now);
  w.string(c.name).string(c.other).string(c.id).string(c.path).string(c.text).string(c.description);
  w.varint(c.version).boolean(c.on);
  write_pairs(w, c.tags);
  if (!policy::is_of_providers(c.what)) return;
  write_texts(w, c.client_ids);
  write_texts(w, c.thumbprints);
}
void read(byte_reader& r, change_identity& c) {
  c.stamp = read_stamp(r);
  const std::uint8_t number = r.u8();
  if (number > static_cast<std::uint8_t>(policy::action::last)) return r.fail();
  c.what = static_cast<policy::action>(number);
  if (!changes_identities(c.what)) r.fail();
  c.now = read_time(r);
  c.name = r.string();
  c.other = r.string();
  c.id = r.string();
  c.path = r.string();
  c.text = r.string();
  c.description = r.string();
  c.version = r.varint32();
  c.on = r.boolean();
  c.tags = read_pairs(r);
  if (!policy::is_of_providers(c.what)) return;
  c.client_ids = read_texts(r);
  c.thumbprints = read_texts(r);
}

void write(byte_writer& w, const renew_token_key& c) {
  write_stamp(w, c.stamp);
  write_time(w, c.now);
  w.string(c.key);
}
void read(byte_reader& r, renew_token_key& c) {
  c.stamp = read_stamp(r);
  c.now = read_time(r);
  c.key = r.string();
}

} // namespace cairn::storage::metadata

// Encoding (notation: storage/metadata/rows/rows.cpp):
//
//   grants  count:v (to:u8 [id:s] permissions:u8)*      id: of a user
#include "storage/policy/access_list.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <tuple>
#include <utility>

namespace cairn::storage::policy {

namespace {

auto order_of(const acl_grant& g) {
  return std::tuple{g.to, std::string_view{g.id}};
}

std::uint8_t with_all(std::uint8_t permissions) {
  return (permissions & permission::full_control) != 0 ? permission::all : permissions;
}

acl_grants beside_owner(grantee to, std::uint8_t permissions) {
  acl_grants list{{grantee::owner, {}, permission::full_control}};
  add_grant(list, to, {}, permissions);
  return list;
}

} // namespace

void add_grant(acl_grants& list, grantee to, std::string_view id, std::uint8_t permissions) {
  acl_grant added{to, std::string{id}, permissions};
  const auto at = std::lower_bound(list.begin(), list.end(), added,
                                   [](const acl_grant& a, const acl_grant& b) { return order_of(a) < order_of(b); });
  if (at != list.end() && order_of(*at) == order_of(added))
    at->permissions |= permissions;
  else
    list.insert(at, std::move(added));
}

std::size_t grants_in(const acl_grants& list) {
  std::size_t count = 0;
  for (const auto& one : list) count += static_cast<std::size_t>(std::popcount(one.permissions));
  return count;
}

bool well_formed(const acl_grants& list) {
  for (std::size_t i = 0; i < list.size(); ++i) {
    const auto& one = list[i];
    const bool of_user = one.to == grantee::user;
    if (one.to < grantee::all_users || one.to > grantee::bucket_owner || of_user == one.id.empty()) return false;
    if (one.id.size() > grantee_id_bytes_max || one.permissions == 0 || one.permissions > permission::all) return false;
    if (i > 0 && order_of(list[i - 1]) >= order_of(one)) return false;
  }
  return grants_in(list) <= acl_grants_max;
}

std::size_t bytes_of(const std::optional<acl_grants>& list) {
  std::size_t sum = 0;
  if (list)
    for (const auto& one : *list) sum += sizeof one + one.id.size();
  return sum;
}

bool is_public(const acl_grants& list) {
  return !list.empty() && list.front().to <= grantee::authenticated_users;
}

bool names_others(const acl_grants& list) {
  return !list.empty() && list.front().to < grantee::owner;
}

bool names_bucket_owner(const acl_grants& list) {
  return !list.empty() && list.back().to == grantee::bucket_owner;
}

const acl_grants& bucket_owner_full_control() {
  static const auto list = beside_owner(grantee::bucket_owner, permission::full_control);
  return list;
}

const acl_grants& public_read_write() {
  static const auto list = beside_owner(grantee::all_users, permission::read | permission::write);
  return list;
}

acl_grants of_owner(const acl_grants& list, std::string_view owner) {
  acl_grants settled;
  for (const auto& one : list) {
    const bool is_owner = owner.empty() ? one.to == grantee::bucket_owner : one.to == grantee::user && one.id == owner;
    add_grant(settled, is_owner ? grantee::owner : one.to, is_owner ? std::string_view{} : one.id, one.permissions);
  }
  for (auto& one : settled) // FULL_CONTROL includes what else the owner was granted
    if (one.to == grantee::owner && (one.permissions & permission::full_control) != 0)
      one.permissions = permission::full_control;
  return settled;
}

acl_need acl_need_of(action a) {
  switch (a) {
    case action::list_bucket:
    case action::list_bucket_versions:
    case action::list_bucket_multipart_uploads: return {permission::read};
    case action::put_object:
    case action::delete_object:
    case action::abort_multipart_upload:
    case action::list_multipart_upload_parts: return {permission::write};
    case action::get_bucket_acl: return {permission::read_acp};
    case action::put_bucket_acl: return {permission::write_acp};
    case action::get_object:
    case action::get_object_version:
    case action::get_object_attributes:
    case action::get_object_version_attributes: return {permission::read, true};
    case action::get_object_acl:
    case action::get_object_version_acl: return {permission::read_acp, true};
    case action::put_object_acl:
    case action::put_object_version_acl: return {permission::write_acp, true};
    default: return {};
  }
}

held_permissions held_by(const acl_grants& list, const acl_sender& sender) {
  held_permissions held;
  if (sender.owns) held.as_user = permission::read_acp | permission::write_acp;
  for (const auto& one : list) {
    const auto permissions = with_all(one.permissions);
    if (one.to == grantee::all_users) held.as_anybody |= permissions;
    if (one.to == grantee::authenticated_users && sender.is_signed) held.as_signer |= permissions;
    if (one.to == grantee::user && one.id == sender.id) held.as_user |= permissions;
    if (one.to == grantee::owner && sender.owns) held.as_user |= permissions;
  }
  return held;
}

std::string header_text(const acl_grants& list, std::uint8_t permission, std::string_view owner) {
  std::string text;
  for (const auto& one : list) {
    if ((one.permissions & permission) == 0) continue;
    if (!text.empty()) text += ", ";
    switch (one.to) {
      case grantee::all_users: text.append("uri=").append(all_users_uri); break;
      case grantee::authenticated_users: text.append("uri=").append(authenticated_users_uri); break;
      case grantee::user: text.append("id=").append(one.id); break;
      case grantee::owner: text.append("id=").append(owner.empty() ? canonical_owner : owner); break;
      case grantee::bucket_owner: text.append("id=").append(canonical_owner); break;
    }
  }
  return text;
}

std::string_view canned_name(const acl_grants& list) {
  using permission::read;
  static const std::array names{
      std::pair{public_read_write(), std::string_view{"public-read-write"}},
      std::pair{beside_owner(grantee::authenticated_users, read), std::string_view{"authenticated-read"}},
      std::pair{beside_owner(grantee::bucket_owner, read), std::string_view{"bucket-owner-read"}},
      std::pair{bucket_owner_full_control(), std::string_view{"bucket-owner-full-control"}}};
  for (const auto& [canned, name] : names)
    if (list == canned) return name;
  return {};
}

void write_grants(byte_writer& w, const acl_grants& list) {
  w.varint(list.size());
  for (const auto& one : list) {
    w.u8(static_cast<std::uint8_t>(one.to));
    if (one.to == grantee::user) w.string(one.id);
    w.u8(one.permissions);
  }
}

acl_grants read_grants(byte_reader& r) {
  constexpr std::size_t grant_bytes_min = 2;
  const std::size_t count = r.count(grant_bytes_min);
  if (count > acl_grants_max) r.fail();
  acl_grants list;
  for (std::size_t i = 0; i < count && r.ok(); ++i) {
    acl_grant one{.to = static_cast<grantee>(r.u8())};
    if (one.to == grantee::user) one.id = r.string();
    one.permissions = r.u8();
    list.push_back(std::move(one));
  }
  if (!well_formed(list)) r.fail();
  return list;
}

} // namespace cairn::storage::policy

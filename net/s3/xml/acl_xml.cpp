#include "net/s3/xml/acl_xml.hpp"

#include "net/s3/xml/s3_errors.hpp"
#include "net/s3/xml/s3_xml.hpp"
#include "net/s3/xml/xml_reader.hpp"

#include <algorithm>
#include <array>
#include <optional>

namespace cairn::net {

namespace {

constexpr xml_bounds acl_bounds{acl_body_bytes_max, 1000, 400, 8};
constexpr std::string_view everybody = "http://acs.amazonaws.com/groups/global/AllUsers";
constexpr std::array<std::string_view, 5> permissions{"FULL_CONTROL", "READ", "WRITE", "READ_ACP", "WRITE_ACP"};

s3_error malformed_acl() {
  return malformed_xml("The body is not an AccessControlPolicy.");
}

struct granted {
  bool owner = false; // FULL_CONTROL
  public_access everybody;
};

std::optional<s3_error> read_group(std::string_view uri, std::string_view permission, granted& into) {
  if (uri != everybody) return not_implemented("Granting to the group " + std::string{uri});
  if (permission == "READ")
    into.everybody.read = true;
  else if (permission == "WRITE")
    into.everybody.write = true;
  else
    return not_implemented("Granting " + std::string{permission} + " to everybody");
  return std::nullopt;
}

std::optional<s3_error> read_grant(const xml_element& grant, granted& into) {
  const auto *to = grant.child("Grantee"), *what = grant.child("Permission");
  if (grant.name != "Grant" || !has_only(grant, {"Grantee", "Permission"}) || !to || !what) return malformed_acl();
  if (std::find(permissions.begin(), permissions.end(), what->token()) == permissions.end()) return malformed_acl();
  if (!has_only(*to, {"ID", "DisplayName", "URI", "EmailAddress"})) return malformed_acl();
  if (to->child("EmailAddress")) return not_implemented("Granting to an e-mail address");
  const auto *id = to->child("ID"), *group = to->child("URI");
  if (group && !id) return read_group(group->token(), what->token(), into);
  if (!id || group) return malformed_acl();
  if (id->token() != owner_id) return s3_error{400, "InvalidArgument", "Invalid id"};
  into.owner = into.owner || what->token() == "FULL_CONTROL"; // FULL_CONTROL includes all other permissions
  return std::nullopt;
}

} // namespace

std::variant<public_access, s3_error> read_acl_document(std::string_view body) {
  const auto root = read_xml(body, acl_bounds);
  if (!root || root->name != "AccessControlPolicy" || !has_only(*root, {"Owner", "AccessControlList"}))
    return malformed_acl();
  const auto *owner = root->child("Owner"), *list = root->child("AccessControlList");
  if (!owner || !list || !has_only(*owner, {"ID", "DisplayName"})) return malformed_acl();
  const auto* id = owner->child("ID");
  if (!id) return malformed_acl();
  if (id->token() != owner_id) return s3_error{403, "AccessDenied", "The owner cannot be changed."};
  granted all;
  for (const auto& grant : list->children)
    if (auto refused = read_grant(grant, all)) return std::move(*refused);
  if (!all.owner) return not_implemented("A list without FULL_CONTROL of the owner");
  if (all.everybody.write && !all.everybody.read) return not_implemented("Granting WRITE without READ to everybody");
  return all.everybody;
}

} // namespace cairn::net

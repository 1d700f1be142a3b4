#include "net/s3/xml/acl_xml.hpp"

#include "net/s3/xml/s3_xml.hpp"
#include "net/s3/xml/xml_reader.hpp"
#include "net/wire/grammar/ascii.hpp"
#include "net/wire/grammar/field_text.hpp"
#include "storage/policy/request.hpp"

#include <algorithm>
#include <array>

namespace cairn::net {

namespace {

using storage::policy::acl_grants;
using storage::policy::grantee;
namespace permission = storage::policy::permission;

constexpr xml_bounds acl_bounds{acl_body_bytes_max, 1200, 400, 8};
constexpr std::string_view log_delivery_uri = "http://acs.amazonaws.com/groups/s3/LogDelivery";

struct named_permission {
  std::string_view name, header;
  std::uint8_t bit;
};
constexpr std::array permissions{
    named_permission{"READ", "x-amz-grant-read", permission::read},
    named_permission{"WRITE", "x-amz-grant-write", permission::write},
    named_permission{"READ_ACP", "x-amz-grant-read-acp", permission::read_acp},
    named_permission{"WRITE_ACP", "x-amz-grant-write-acp", permission::write_acp},
    named_permission{"FULL_CONTROL", "x-amz-grant-full-control", permission::full_control},
};

s3_error malformed_acl() {
  return malformed_xml("The body is not an AccessControlPolicy.");
}

s3_error no_such_address() {
  return {400, "UnresolvableGrantByEmailAddress",
          "The email address you provided does not match any account on record."};
}

acl_grants of_owner() {
  return {{grantee::owner, {}, permission::full_control}};
}

// The grants of READ, or READ and WRITE, to a group beside those of the owner.
acl_grants with_group(grantee group, std::uint8_t granted) {
  auto grants = of_owner();
  if (granted != 0) add_grant(grants, group, {}, granted);
  return grants;
}

acl_grants all_grants(const access_list& list) {
  if (list.grants) return *list.grants;
  return with_group(grantee::all_users, static_cast<std::uint8_t>((list.public_read ? permission::read : 0) |
                                                                  (list.public_write ? permission::write : 0)));
}

access_list shortest(acl_grants grants, bool of_object) {
  if (of_object && grants == storage::policy::public_read_write()) return {false, false, std::move(grants)};
  // FULL_CONTROL includes what else the owner was granted.
  for (auto& one : grants)
    if (one.to == grantee::owner && (one.permissions & permission::full_control) != 0)
      one.permissions = permission::full_control;
  for (const auto& known : {access_list{}, access_list{true, false, {}}, access_list{true, true, {}}}) {
    if (grants != all_grants(known)) continue;
    return {known.public_read, known.public_write, {}};
  }
  return {false, false, std::move(grants)};
}

std::optional<s3_error> add_group(std::string_view uri, std::uint8_t granted, acl_grants& into) {
  if (uri == log_delivery_uri) return not_implemented("Granting to the group " + std::string{uri});
  if (uri != storage::policy::all_users_uri && uri != storage::policy::authenticated_users_uri)
    return s3_error{400, "InvalidArgument", "Invalid group uri"};
  const bool all = uri == storage::policy::all_users_uri;
  add_grant(into, all ? grantee::all_users : grantee::authenticated_users, {}, granted);
  return std::nullopt;
}

std::optional<s3_error> add_user(std::string_view id, std::uint8_t granted, bool of_object, acl_grants& into) {
  const bool printable = std::all_of(id.begin(), id.end(), [](char c) { return c > 0x20 && c < 0x7f && c != '"'; });
  if (id.empty() || id.size() > storage::policy::grantee_id_bytes_max || !printable || id.find(',') != id.npos)
    return s3_error{400, "InvalidArgument", "Invalid id"};
  if (id == owner_id)
    add_grant(into, of_object ? grantee::bucket_owner : grantee::owner, {}, granted);
  else
    add_grant(into, grantee::user, id, granted);
  return std::nullopt;
}

std::optional<s3_error> read_grant(const xml_element& grant, bool of_object, acl_grants& into) {
  const auto *to = grant.child("Grantee"), *what = grant.child("Permission");
  if (grant.name != "Grant" || !has_only(grant, {"Grantee", "Permission"}) || !to || !what) return malformed_acl();
  const auto known = std::find_if(permissions.begin(), permissions.end(),
                                  [name = what->token()](const auto& p) { return p.name == name; });
  if (known == permissions.end()) return malformed_acl();
  if (!has_only(*to, {"ID", "DisplayName", "URI", "EmailAddress"})) return malformed_acl();
  const auto *id = to->child("ID"), *group = to->child("URI"), *address = to->child("EmailAddress");
  if ((id != nullptr) + (group != nullptr) + (address != nullptr) != 1) return malformed_acl();
  if (address) return no_such_address();
  return group ? add_group(group->token(), known->bit, into) : add_user(id->token(), known->bit, of_object, into);
}

// The next `type=value` of a list; the value may be in quotes. False: malformed.
bool take_grantee(std::string_view& rest, std::string_view& type, std::string_view& value) {
  const auto equals = rest.find('=');
  if (equals == rest.npos) return false;
  type = trimmed(rest.substr(0, equals));
  rest = trimmed(rest.substr(equals + 1));
  if (rest.starts_with('"')) {
    const auto end = rest.find('"', 1);
    if (end == rest.npos) return false;
    value = rest.substr(1, end - 1);
    rest = trimmed(rest.substr(end + 1));
    if (!rest.empty() && rest.front() != ',') return false;
  } else {
    const auto end = std::min(rest.find(','), rest.size());
    value = trimmed(rest.substr(0, end));
    rest = rest.substr(end);
  }
  if (rest.empty()) return true;
  rest.remove_prefix(1);
  return !trimmed(rest).empty();
}

void write_grantee(xml_writer& xml, const storage::policy::acl_grant& grant, std::string_view owner) {
  const bool of_group = grant.to <= grantee::authenticated_users;
  xml.raw("<Grantee xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"");
  xml.raw(of_group ? "Group\">" : "CanonicalUser\">");
  if (of_group) {
    xml.text("URI", grant.to == grantee::all_users ? storage::policy::all_users_uri
                                                   : storage::policy::authenticated_users_uri);
  } else {
    const std::string_view id = grant.to == grantee::user    ? std::string_view{grant.id}
                                : grant.to == grantee::owner ? shown_owner(owner)
                                                             : owner_id;
    xml.text("ID", id);
    xml.text("DisplayName", id);
  }
  xml.raw("</Grantee>");
}

} // namespace

std::string acl_document(const access_list& list, std::string_view owner) {
  xml_writer xml;
  xml.open("AccessControlPolicy", s3_name_space);
  xml.owner(owner);
  xml.open("AccessControlList");
  for (const auto& grant : all_grants(list)) {
    for (const auto& one : permissions) {
      if ((grant.permissions & one.bit) == 0) continue;
      xml.open("Grant");
      write_grantee(xml, grant, owner);
      xml.text("Permission", one.name);
      xml.close("Grant");
    }
  }
  xml.close("AccessControlList");
  xml.close("AccessControlPolicy");
  return xml.take();
}

std::variant<access_list, s3_error> read_acl_document(std::string_view body, bool of_object, std::string_view owner) {
  const auto root = read_xml(body, acl_bounds);
  if (!root || root->name != "AccessControlPolicy" || !has_only(*root, {"Owner", "AccessControlList"}))
    return malformed_acl();
  const auto *named = root->child("Owner"), *list = root->child("AccessControlList");
  if (!named || !list || !has_only(*named, {"ID", "DisplayName"})) return malformed_acl();
  const auto* id = named->child("ID");
  if (!id) return malformed_acl();
  if (id->token() != shown_owner(owner)) return s3_error{403, "AccessDenied", "The owner cannot be changed."};
  if (list->children.size() > storage::policy::acl_grants_max)
    return s3_error{400, "MalformedACLError", "An access control list has at most 100 grants."};
  acl_grants grants;
  for (const auto& grant : list->children)
    if (auto refused = read_grant(grant, of_object, grants)) return std::move(*refused);
  return shortest(std::move(grants), of_object);
}

std::optional<s3_error> acl_headers::add(std::string_view name, std::string_view value) {
  const auto known =
      std::find_if(permissions.begin(), permissions.end(), [name](const auto& p) { return iequals(p.header, name); });
  if (known != permissions.end()) return add_grants(known->bit, value);
  if (!iequals(name, "x-amz-acl")) return std::nullopt;
  if (value == "aws-exec-read" || value == "log-delivery-write")
    return not_implemented("The access control list " + std::string{value});
  const bool gives_all = value == "bucket-owner-full-control";
  canned_ = of_owner();
  if (of_object_ && (gives_all || value == "bucket-owner-read"))
    add_grant(*canned_, grantee::bucket_owner, {}, gives_all ? permission::full_control : permission::read);
  else if (value == "private" || gives_all || value == "bucket-owner-read") // S3 ignores the latter two of a bucket
    return std::nullopt;
  else if (value == "public-read")
    canned_ = with_group(grantee::all_users, permission::read);
  else if (value == "public-read-write")
    canned_ = with_group(grantee::all_users, permission::read | permission::write);
  else if (value == "authenticated-read")
    canned_ = with_group(grantee::authenticated_users, permission::read);
  else
    return s3_error{400, "InvalidArgument", "x-amz-acl does not name an access control list."};
  return std::nullopt;
}

std::optional<s3_error> acl_headers::add_grants(std::uint8_t permission, std::string_view value) {
  if (value.size() > grant_header_bytes_max)
    return s3_error{400, "InvalidArgument", "A header x-amz-grant-… has at most 1900 bytes. A document may be longer."};
  if (!granted_) granted_.emplace();
  auto rest = value;
  do {
    std::string_view type, to;
    if (!take_grantee(rest, type, to)) return s3_error{400, "InvalidArgument", "Argument format not recognized"};
    std::optional<s3_error> refused;
    if (iequals(type, "emailAddress"))
      refused = no_such_address();
    else if (iequals(type, "uri"))
      refused = add_group(to, permission, *granted_);
    else if (iequals(type, "id"))
      refused = add_user(to, permission, of_object_, *granted_);
    else
      refused = s3_error{400, "InvalidArgument", "Argument format not recognized"};
    if (refused) return refused;
  } while (!rest.empty());
  if (grants_in(*granted_) <= storage::policy::acl_grants_max) return std::nullopt;
  return s3_error{400, "InvalidArgument", "An access control list has at most 100 grants."};
}

std::variant<std::optional<access_list>, s3_error> acl_headers::list() const {
  if (canned_ && granted_)
    return s3_error{400, "InvalidRequest", "Specifying both Canned ACLs and Header Grants is not allowed"};
  const auto& given = canned_ ? canned_ : granted_;
  return given ? std::optional{shortest(*given, of_object_)} : std::nullopt;
}

namespace {

// The bucket's owner, who has all rights anyway.
bool names_account_alone(std::string_view value) {
  acl_headers read{true};
  if (read.add("x-amz-grant-full-control", value)) return false; // will be refused
  const auto list = std::get<0>(read.list());
  return list && list->grants && !storage::policy::names_others(*list->grants);
}

} // namespace

bool is_grant_header(std::string_view name) {
  return std::any_of(permissions.begin(), permissions.end(), [name](const auto& p) { return iequals(p.header, name); });
}

bool gives_rights(std::string_view name, std::string_view value) {
  if (is_grant_header(name)) return !iequals(name, "x-amz-grant-full-control") || !names_account_alone(value);
  return iequals(name, "x-amz-acl") &&
         (value == "public-read" || value == "public-read-write" || value == "authenticated-read");
}

std::vector<std::string> grantees_in(const access_list& list) {
  std::vector<std::string> ids;
  if (list.grants)
    for (const auto& one : *list.grants)
      if (one.to == grantee::user) ids.push_back(one.id);
  return ids;
}

} // namespace cairn::net

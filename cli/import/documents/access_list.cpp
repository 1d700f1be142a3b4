#include "cli/import/documents/access_list.hpp"

#include "net/s3/xml/s3_xml.hpp"

namespace cairn::cli {

namespace {

constexpr std::string_view all_users = "http://acs.amazonaws.com/groups/global/AllUsers";

void append_grant(std::string& to, std::string_view permission, std::string_view whose) {
  if (!to.empty()) to += ", ";
  to.append(permission).append(" of ").append(whose);
}

void write_grant(net::xml_writer& xml, std::string_view kind, std::string_view grantee, std::string_view permission) {
  xml.open("Grant");
  xml.open("Grantee");
  xml.text(kind, grantee);
  xml.close("Grantee");
  xml.text("Permission", permission);
  xml.close("Grant");
}

} // namespace

taken_grants read_grants(const net::xml_element& list) {
  taken_grants taken;
  const auto *owner = list.child("Owner"), *grants = list.child("AccessControlList");
  if (grants == nullptr) return taken;
  const auto owner_of_list = owner ? owner->text_of("ID") : std::string_view{};
  bool writes = false;
  for (const auto& grant : grants->children) {
    const auto* const to = grant.child("Grantee");
    if (to == nullptr) continue;
    const auto permission = grant.text_of("Permission"), group = to->text_of("URI");
    if (group == all_users && permission == "READ")
      taken.everybody_reads = true;
    else if (group == all_users && permission == "WRITE")
      writes = true;
    else if (group == all_users)
      append_grant(taken.others, permission, "everybody");
    else if (!group.empty())
      append_grant(taken.others, permission, group.substr(group.rfind('/') + 1));
    else if (to->text_of("ID") != owner_of_list)
      append_grant(taken.others, permission, to->text_of(to->child("ID") ? "ID" : "EmailAddress"));
  }
  taken.everybody_writes = writes && taken.everybody_reads;
  if (writes && !taken.everybody_reads) append_grant(taken.others, "WRITE", "everybody");
  return taken;
}

bool has_grants(const net::xml_element& list) {
  const auto taken = read_grants(list);
  return taken.everybody_reads || !taken.others.empty();
}

std::string grants_xml(const taken_grants& grants) {
  net::xml_writer xml;
  xml.open("AccessControlPolicy", net::s3_name_space);
  xml.owner();
  xml.open("AccessControlList");
  write_grant(xml, "ID", net::owner_id, "FULL_CONTROL");
  if (grants.everybody_reads) write_grant(xml, "URI", all_users, "READ");
  if (grants.everybody_writes) write_grant(xml, "URI", all_users, "WRITE");
  xml.close("AccessControlList");
  xml.close("AccessControlPolicy");
  return xml.take();
}

std::string_view canned_acl(const taken_grants& grants) {
  return grants.everybody_reads ? "public-read" : "";
}

} // namespace cairn::cli

// Access control lists that clients send, as a document and as the value of a header. Whatever the bytes are: a list
// that is accepted is well-formed, grants what pugixml finds in the document and nothing else, and is printed as one
// that reads back the same.
#include "base/error.hpp"
#include "net/s3/xml/acl_xml.hpp"

#include <pugixml.hpp>

#include <set>
#include <string>
#include <utility>

namespace {

using cairn::net::access_list;
using granted = std::set<std::pair<std::string, std::string>>; // grantee, permission

std::string text_of(const pugi::xml_node& node) {
  std::string text;
  for (const auto& inside : node.children()) text += inside.value();
  constexpr const char* space = " \t\r\n";
  const auto first = text.find_first_not_of(space);
  return first == text.npos ? "" : text.substr(first, text.find_last_not_of(space) - first + 1);
}

std::string local_name(const pugi::xml_node& node) {
  const std::string name = node.name();
  return name.substr(name.find(':') + 1);
}

pugi::xml_node child_of(const pugi::xml_node& node, std::string_view name) {
  for (const auto& inside : node.children())
    if (inside.type() == pugi::node_element && local_name(inside) == name) return inside;
  return {};
}

granted grants_of(std::string_view body) {
  pugi::xml_document document;
  constexpr auto options = pugi::parse_default | pugi::parse_ws_pcdata;
  const auto parsed = document.load_buffer(body.data(), body.size(), options, pugi::encoding_utf8);
  CAIRN_ASSERT(parsed);
  granted all;
  for (const auto& grant : child_of(document.document_element(), "AccessControlList").children()) {
    if (grant.type() != pugi::node_element) continue;
    const auto to = child_of(grant, "Grantee");
    const auto id = child_of(to, "ID"), uri = child_of(to, "URI");
    CAIRN_ASSERT(static_cast<bool>(id) != static_cast<bool>(uri));
    all.emplace(text_of(id ? id : uri), text_of(child_of(grant, "Permission")));
  }
  if (all.contains({"cairn", "FULL_CONTROL"})) // includes what else the owner was granted
    for (const auto* included : {"READ", "WRITE", "READ_ACP", "WRITE_ACP"}) all.erase({"cairn", included});
  return all;
}

void check_list(const access_list& list) {
  CAIRN_ASSERT(!list.public_write || list.public_read);
  CAIRN_ASSERT(!list.grants || (!list.public_read && well_formed(*list.grants)));
  const auto again = cairn::net::read_acl_document(cairn::net::acl_document(list), false);
  CAIRN_ASSERT(std::get<access_list>(again) == list);
}

void check_header(std::string_view value) {
  cairn::net::acl_headers read{false};
  if (read.add("x-amz-grant-read", value)) return;
  const auto list = std::get<0>(read.list()).value();
  check_list(list);
  CAIRN_ASSERT(list.grants && !list.grants->empty());
  const auto text = header_text(*list.grants, cairn::storage::policy::permission::read);
  if (text.size() > cairn::net::grant_header_bytes_max) return; // with spaces that were not there
  cairn::net::acl_headers printed{false};
  const auto refused = printed.add("x-amz-grant-read", text);
  CAIRN_ASSERT(!refused);
  CAIRN_ASSERT(std::get<0>(printed.list()) == list);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  check_header(text);
  const auto read = cairn::net::read_acl_document(text, false);
  const auto* list = std::get_if<access_list>(&read);
  if (list == nullptr) return 0;
  check_list(*list);
  CAIRN_ASSERT(grants_of(text) == grants_of(cairn::net::acl_document(*list)));
  return 0;
}

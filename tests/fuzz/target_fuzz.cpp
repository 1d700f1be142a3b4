// Request targets, their routes and listing queries. Decoding never reads beyond the target, and every name that passes
// is printed as XML that an XML parser accepts.
#include "base/error.hpp"
#include "net/s3/operations/list_request.hpp"
#include "net/s3/router.hpp"

#include <pugixml.hpp>

#include <algorithm>
#include <string_view>

namespace {

using cairn::net::resource;

// One route of each shape: the table itself leads to handlers, which need the whole node.
const cairn::net::s3_operation table[] = {
    {.name = "node", .routes = {{"GET", resource::node}}},
    {.name = "bucket", .routes = {{"GET", resource::bucket}, {"PUT", resource::bucket}, {"HEAD", resource::bucket}}},
    {.name = "object", .routes = {{"GET", resource::object}, {"PUT", resource::object}, {"DELETE", resource::object}}},
    {.name = "copy", .routes = {{.method = "PUT", .of = resource::object, .copies = true}}},
    {.name = "setting", .routes = {{"GET", resource::bucket, "acl"}, {"GET", resource::object, "acl"}}},
    {.name = "delete", .routes = {{"POST", resource::bucket, "delete"}}},
    {.name = "part", .routes = {{"PUT", resource::object, "uploadId"}}},
    {.name = "options", .routes = {{"OPTIONS"}}},
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  const auto target = cairn::net::parse_s3_target(text);
  if (!target) return 0;
  for (const auto* method : {"GET", "PUT", "HEAD", "DELETE", "OPTIONS", "POST"}) {
    const auto routed = cairn::net::route(table, method, *target);
    const bool known = routed.operation != &cairn::net::no_operation;
    CAIRN_ASSERT(known != routed.refused.has_value());
    if (known && !target->bucket.empty()) CAIRN_ASSERT(target->bucket.find('/') == std::string::npos);
  }
  std::string encoded;
  cairn::net::append_percent_encoded(encoded, target->key);
  CAIRN_ASSERT(cairn::net::percent_decode(encoded, true) == target->key);
  if (target->key.find('\0') != std::string::npos) return 0;

  const auto listed = cairn::net::read_list_request(*target, 1000);
  const auto* request = std::get_if<cairn::net::list_request>(&listed);
  if (request == nullptr) return 0;
  cairn::storage::metadata::listing page;
  page.objects.push_back({target->key, 1, {}, 0});
  const auto xml = list_objects_xml(*request, page);
  pugi::xml_document document;
  const auto parsed = document.load_buffer(xml.data(), xml.size(), pugi::parse_escapes | pugi::parse_ws_pcdata);
  CAIRN_ASSERT(parsed);
  const auto key = document.child("ListBucketResult").child("Contents").child("Key");
  if (request->encode_url) return 0;
  // What XML cannot write is replaced: never ASCII.
  const std::string_view printed{key.text().get()};
  const bool replaced = printed.find("\xef\xbf\xbd") != std::string_view::npos;
  const bool ascii = std::ranges::all_of(target->key, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  CAIRN_ASSERT(printed == target->key || (replaced && !ascii));
  return 0;
}

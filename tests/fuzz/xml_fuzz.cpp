// XML that clients send: within its bounds whatever the bytes are, and every key that passes is printed as XML that
// reads back as the same key.
#include "config/error.hpp"
#include "net/delete_request.hpp"
#include "net/xml_reader.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  const auto read = cairn::net::read_delete_request(text);
  const auto* request = std::get_if<cairn::net::delete_request>(&read);
  if (request == nullptr) return 0;
  CAIRN_ASSERT(request->entries.size() <= cairn::net::delete_keys_max);
  auto printed = *request;
  printed.quiet = false;
  const auto again = cairn::net::read_xml(delete_result_xml(printed), {16 << 20, 1 << 20, 1 << 20, 8});
  CAIRN_ASSERT(again && again->children.size() == printed.entries.size());
  for (std::size_t i = 0; i < printed.entries.size(); ++i) {
    CAIRN_ASSERT(again->children[i].child("Key")->text == printed.entries[i].key);
  }
  return 0;
}

// XML that clients send. Whatever the bytes are: what comes out of the reader keeps to its bounds, counted here anew,
// and pugixml reads the same tree in the same document; and every key of a Delete document that passes is printed as
// XML that reads back as the same key, but for the two characters that XML cannot write. libFuzzer bounds the time of a
// run.
#include "base/error.hpp"
#include "net/s3/operations/delete_request.hpp"
#include "net/s3/xml/xml_reader.hpp"

#include <pugixml.hpp>

#include <algorithm>

namespace {

using cairn::net::xml_element;

constexpr cairn::net::xml_bounds bounds{64 << 10, 200, 20, 6};

struct measures {
  std::size_t elements = 0, depth = 0, bytes = 0;
};

// Without recursion: a tree that is deeper than allowed must fail the check, not the stack.
measures measured(const xml_element& root) {
  measures all;
  std::vector<std::pair<const xml_element*, std::size_t>> left{{&root, 1}};
  while (!left.empty()) {
    const auto [element, depth] = left.back();
    left.pop_back();
    ++all.elements;
    all.depth = std::max(all.depth, depth);
    all.bytes += element->name.size() + element->text.size();
    for (const auto& inside : element->children) left.emplace_back(&inside, depth + 1);
  }
  return all;
}

void expect_same(const xml_element& ours, const pugi::xml_node& theirs) {
  const std::string_view name = theirs.name();
  CAIRN_ASSERT(ours.name == name.substr(name.find(':') + 1));
  std::string text;
  auto child = ours.children.begin();
  for (const auto& inside : theirs.children()) {
    if (inside.type() != pugi::node_element) {
      text += inside.value();
      continue;
    }
    CAIRN_ASSERT(child != ours.children.end());
    expect_same(*child++, inside);
  }
  CAIRN_ASSERT(child == ours.children.end());
  if (!ours.children.empty()) CAIRN_ASSERT(text.find_first_not_of(" \t\r\n") == text.npos);
  CAIRN_ASSERT(ours.text == (ours.children.empty() ? text : ""));
}

void check_reader(std::string_view body) {
  const auto root = cairn::net::read_xml(body, bounds);
  if (!root) return;
  const auto all = measured(*root);
  CAIRN_ASSERT(body.size() <= bounds.bytes_max && all.depth <= bounds.depth_max);
  CAIRN_ASSERT(all.elements <= bounds.tags_max &&
               all.elements <= static_cast<std::size_t>(std::count(body.begin(), body.end(), '<')));
  CAIRN_ASSERT(all.bytes <= body.size());
  pugi::xml_document document;
  constexpr auto options = pugi::parse_default | pugi::parse_ws_pcdata;
  const auto parsed = document.load_buffer(body.data(), body.size(), options, pugi::encoding_utf8);
  CAIRN_ASSERT(parsed);
  expect_same(*root, document.document_element());
}

// U+FFFE and U+FFFF are answered as U+FFFD.
std::string answered(std::string key) {
  for (const std::string_view unwritable : {"\xef\xbf\xbe", "\xef\xbf\xbf"}) {
    for (auto at = key.find(unwritable); at != key.npos; at = key.find(unwritable, at)) key[at + 2] = '\xbd';
  }
  return key;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  check_reader(text);
  const auto read = cairn::net::read_delete_request(text);
  const auto* request = std::get_if<cairn::net::delete_request>(&read);
  if (request == nullptr) return 0;
  CAIRN_ASSERT(request->entries.size() <= cairn::net::delete_keys_max);
  auto printed = *request;
  printed.quiet = false;
  const auto again = cairn::net::read_xml(delete_result_xml(printed), {16 << 20, 1 << 20, 1 << 20, 8});
  CAIRN_ASSERT(again && again->children.size() == printed.entries.size());
  for (std::size_t i = 0; i < printed.entries.size(); ++i) {
    CAIRN_ASSERT(again->children[i].child("Key")->text == answered(printed.entries[i].key));
  }
  return 0;
}

// XML that clients send → a plain tree, by pugixml, whose only user in this layer is xml_reader.cpp. Pure; fuzzed.
//
// Bounded before anything is parsed: bytes, elements, attributes and depth, so that a body of a known size cannot
// become a tree many times as large. No document type, hence no entities but XML's own five and character references; a
// reference to NUL, which would cut a text short, is malformed. The text must be UTF-8.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cairn::net {

struct xml_bounds {
  std::size_t bytes_max = 64 << 10;
  std::size_t tags_max = 1000; // opening and closing ones, comments and instructions
  std::size_t attributes_max = 100;
  std::size_t depth_max = 16;
};

struct xml_element {
  std::string name; // without its name space's prefix
  std::string text; // of the element itself, pieces joined
  std::vector<xml_element> children;

  const xml_element* child(std::string_view child_name) const; // the first; null: none
};

// Whether all its children are of these names, and none comes twice.
bool has_only(const xml_element& element, std::initializer_list<std::string_view> names);

// The document's root. Nothing: malformed, or beyond the bounds.
std::optional<xml_element> read_xml(std::string_view body, const xml_bounds& bounds);

} // namespace cairn::net

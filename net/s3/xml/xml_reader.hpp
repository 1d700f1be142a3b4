// Parses XML that clients send, and that the `cairn` command receives as answers, into a plain tree. One pass over the
// bytes with a stack of open elements; the bounds (bytes, markup, attributes, depth) are checked during the pass, and
// only the tree, whose depth is bounded, is processed recursively. Pure; fuzzed.
//
// XML 1.0 (https://www.w3.org/TR/xml/) without document types, hence without entities except the five predefined ones
// and character references. Two rules differ, because keys are texts in documents: control characters except NUL are
// accepted, literally or as references, and a text of only spaces is kept. Text beside child elements, which none of
// S3's documents has, is malformed unless it is blank. The document must be UTF-8. Why no library: Expat refuses
// control characters, pugixml builds its tree before anything can be counted (up to 32 times the body's bytes).
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cairn::net {

struct xml_bounds {
  std::size_t bytes_max = 64 << 10;
  std::size_t tags_max = 1000; // opening and closing ones, CDATA sections, comments and instructions
  std::size_t attributes_max = 100;
  std::size_t depth_max = 16; // of elements; the root has depth 1
};

struct xml_element {
  std::string name; // without its name space's prefix
  std::string text; // of the element itself, pieces joined
  std::vector<xml_element> children;

  const xml_element* child(std::string_view child_name) const; // the first; null: none
  std::string_view text_of(std::string_view child_name) const; // of the first such child; empty: none
  // The text without surrounding white space, for values other than free text (numbers, booleans, dates, enumerations):
  // XML Schema collapses their white space.
  std::string_view token() const;
};

// Whether all children have these names, and no name occurs twice.
bool has_only(const xml_element& element, std::initializer_list<std::string_view> names);

// The document's root. nullopt: malformed, or beyond the bounds.
std::optional<xml_element> read_xml(std::string_view body, const xml_bounds& bounds);

// xs:int and the like: digits with an optional '+'. nullopt: not a number, negative, or larger than 64 bits.
std::optional<std::uint64_t> xml_number(const xml_element& element);
// xs:boolean ("true", "false", "1", "0"), in any case.
std::optional<bool> xml_boolean(const xml_element& element);

} // namespace cairn::net

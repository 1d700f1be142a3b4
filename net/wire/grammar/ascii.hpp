// Comparisons of names and tokens of HTTP, which ignore the case of ASCII letters. Boost.Algorithm's functions of the
// same names query a locale for each character, which costs more than the rest of reading a head; the function of Beast
// 1.81 reads a byte behind the end.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

namespace cairn::net {

inline char ascii_lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

inline std::string ascii_lower(std::string_view text) {
  std::string out{text};
  for (char& c : out) c = ascii_lower(c);
  return out;
}

inline bool iequals(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return ascii_lower(x) == ascii_lower(y); });
}

// Whether all characters may occur in a header's name (RFC 9110 §5.6.2).
inline bool is_token(std::string_view name) {
  constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
  return std::all_of(name.begin(), name.end(), [marks](char c) {
    const char low = ascii_lower(c);
    return (low >= 'a' && low <= 'z') || (c >= '0' && c <= '9') || marks.find(c) != marks.npos;
  });
}

// Whether the text is a valid header value.
inline bool is_header_value(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte >= 0x20 || c == '\t') && byte != 0x7f;
  });
}

inline bool istarts_with(std::string_view text, std::string_view prefix) {
  return iequals(text.substr(0, prefix.size()), prefix);
}

} // namespace cairn::net

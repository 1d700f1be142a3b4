// The text of a header field (RFC 9110 §5.5).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace cairn::net {

// Without the optional white space around it: spaces and tabs.
inline std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// UTF-8 as ISO-8859-1, the only charset that clients read in fields. nullopt: a character is not in ISO-8859-1, or the
// text is not UTF-8.
inline std::optional<std::string> as_latin1(std::string_view utf8) {
  std::string out;
  out.reserve(utf8.size());
  for (std::size_t i = 0; i < utf8.size(); ++i) {
    const auto lead = static_cast<unsigned char>(utf8[i]);
    if (lead < 0x80) {
      out.push_back(utf8[i]);
      continue;
    }
    if ((lead != 0xc2 && lead != 0xc3) || i + 1 == utf8.size()) return std::nullopt; // U+0080 to U+00FF
    const auto rest = static_cast<unsigned char>(utf8[++i]);
    if ((rest & 0xc0) != 0x80) return std::nullopt;
    out.push_back(static_cast<char>((lead & 3) << 6 | (rest & 0x3f)));
  }
  return out;
}

} // namespace cairn::net

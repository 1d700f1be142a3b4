// The text of a header field (RFC 9110 §5.5).
#pragma once

#include <string_view>

namespace cairn::net {

// Without the optional white space around it: spaces and tabs.
inline std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

} // namespace cairn::net

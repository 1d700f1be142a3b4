// Text from outside that is about to be printed on a terminal or written to a log: which characters could move the
// cursor, forge lines, or hide and reorder text. These are C0 controls and DEL, C1 controls (terminals interpret U+009B
// as ESC [), bidirectional formatting characters (Unicode TR 36), line and paragraph separators, and bytes that are not
// UTF-8. Pure functions.
#pragma once

#include <cstdint>
#include <string_view>

namespace cairn {

struct character {
  char32_t code = 0xFFFD;
  std::uint8_t bytes = 1;
  bool valid = false; // well-formed UTF-8 (Unicode 15, table 3-7); else this is one byte that is not
};
character first_character(std::string_view text); // `text` is not empty

bool drives_terminal(const character& c);

} // namespace cairn

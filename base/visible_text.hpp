// Text that others wrote, before it gets to a terminal or into a log that somebody opens in one: which characters could
// move the cursor, forge lines, or hide and reorder what is read. C0 controls and DEL, C1 controls (terminals take
// U+009B for ESC [), the marks of the bidirectional algorithm (Unicode TR 36), line and paragraph separators, and bytes
// that are not UTF-8. Pure functions.
#pragma once

#include <cstdint>
#include <string_view>

namespace cairn::storage {

struct character {
  char32_t code = 0xFFFD;
  std::uint8_t bytes = 1;
  bool valid = false; // UTF-8 (Unicode 15, table 3-7); else one byte that is none
};
character first_character(std::string_view text); // of at least one byte

bool drives_terminal(const character& c);

} // namespace cairn::storage

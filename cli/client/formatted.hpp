// printf into a string, for the numbers of short lines: at most 159 bytes, the rest is cut.
#pragma once

#include <algorithm>
#include <cstdio>
#include <string>

namespace cairn::cli {

template <class... Values>
std::string formatted(const char* format, Values... values) {
  char out[160];
  const int length = std::snprintf(out, sizeof out, format, values...);
  return {out, std::min(std::size_t(std::max(length, 0)), sizeof out - 1)};
}

} // namespace cairn::cli

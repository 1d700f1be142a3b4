// Bounds size and nesting depth of a TOML text before it is parsed. toml++ 3.3 limits the nesting of values but not of
// dotted keys: 100 KB of `a.a.a…` builds tables so deep that destroying them overflows the stack. This scan recognizes
// only strings, comments, brackets and dots, which is enough to bound the depth. It agrees with the parser up to the
// first syntax error, where the parser stops. O(size), no allocation.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace cairn::config {

constexpr std::size_t toml_bytes_max = 1 << 20;
constexpr std::uint32_t toml_brackets_max = 16;
constexpr std::uint32_t toml_key_dots_max = 16;

struct shape_problem {
  std::uint32_t line = 1, column = 1; // in bytes
  std::string_view text;
};

std::optional<shape_problem> check_shape(std::string_view text);

} // namespace cairn::config

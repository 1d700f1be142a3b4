#include "storage/metadata/rows/names.hpp"

#include "base/visible_text.hpp"

#include <algorithm>

namespace cairn::storage::metadata {

namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_lower_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || is_digit(c);
}

bool looks_like_an_ip_address(std::string_view name) {
  return std::count(name.begin(), name.end(), '.') == 3 &&
         std::all_of(name.begin(), name.end(), [](char c) { return is_digit(c) || c == '.'; });
}

} // namespace

bool valid_bucket_name(std::string_view name) {
  if (name.size() < 3 || name.size() > 63) return false;
  if (!is_lower_or_digit(name.front()) || !is_lower_or_digit(name.back())) return false;
  if (!std::all_of(name.begin(), name.end(), [](char c) { return is_lower_or_digit(c) || c == '.' || c == '-'; }))
    return false;
  for (const std::string_view pair : {"..", ".-", "-."})
    if (name.find(pair) != std::string_view::npos) return false;
  return !looks_like_an_ip_address(name);
}

bool valid_key(std::string_view key) {
  if (key.empty() || key.size() > key_bytes_max) return false;
  return key.find('\0') == key.npos && valid_utf8(key);
}

bool valid_utf8(std::string_view text) {
  while (!text.empty()) {
    const auto c = first_character(text);
    if (!c.valid) return false;
    text.remove_prefix(c.bytes);
  }
  return true;
}

} // namespace cairn::storage::metadata

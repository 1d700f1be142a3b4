// "Did you mean …?" for misspelt keys. Pure text.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace cairn::config {

// Levenshtein's distance: insertions, deletions and replacements of bytes. O(|a| · |b|).
std::size_t edit_distance(std::string_view a, std::string_view b);

// The hint after "unknown key" for "section.name": the nearest key, the section that has this key, or the keys of the
// section. Never empty.
std::string suggest_key(std::string_view full_name);

// The hint after "unknown section".
std::string suggest_section(std::string_view name);

} // namespace cairn::config

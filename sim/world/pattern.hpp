// The bytes of simulated objects: a function of (content number, offset), so that they can be checked without being
// stored. Two contents, and two offsets of one content, differ almost everywhere.
#pragma once

#include "base/file_system.hpp"

#include <cstdint>
#include <string>

namespace cairn::sim {

void fill_pattern(std::uint64_t content, std::uint64_t offset, bytes_span into);
bool is_pattern(std::uint64_t content, std::uint64_t offset, bytes_view bytes);
std::string pattern(std::uint64_t content, std::uint64_t offset, std::size_t length);

} // namespace cairn::sim

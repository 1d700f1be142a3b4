// Small files that name things (a node's or disk's identity, markers): read whole, replaced atomically and durably.
// After a crash the old or the new content is there, never a mixture. Errors: not_found, io_error, no_space, too_large.
#pragma once

#include "base/file_system.hpp"

#include <string>
#include <string_view>

namespace cairn::storage {

constexpr std::size_t small_file_bytes_max = 64 * 1024;

result<std::string> read_small_file(file_system& files, const std::string& path);
// Writes `path`.new, flushes it, renames it over `path`, flushes the directory.
result<void> replace_small_file(file_system& files, const std::string& path, std::string_view content);

} // namespace cairn::storage

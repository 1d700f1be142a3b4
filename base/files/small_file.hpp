// Small files (identities of nodes and disks, markers): read as a whole, replaced atomically and durably. After a crash
// the file has the old or the new content, never a mixture. Errors: not_found, io_error, no_space, too_large (read).
#pragma once

#include "base/file_system.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace cairn {

constexpr std::size_t small_file_bytes_max = 64 * 1024;

result<std::string> read_small_file(file_system& files, const std::string& path);
// Of a file of one line: the line after `grammar`, which it begins with. nullopt: there is no such file. corrupt: it
// has another form.
result<std::optional<std::string>> read_small_line(file_system& files, const std::string& path,
                                                   std::string_view grammar);
// Writes `path`.new, flushes it, renames it over `path`, flushes the directory.
result<void> replace_small_file(file_system& files, const std::string& path, std::string_view content);

} // namespace cairn

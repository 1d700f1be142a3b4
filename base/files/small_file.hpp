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
// The content of a file of one line:
//
//   line = grammar text " crc32c:" 8 hexadecimal digits, of all before " crc32c:" LF
//
// Older builds wrote no checksum.
std::string hexadecimal_crc32c(std::string_view text); // 8 digits
std::string small_line(std::string_view grammar, std::string_view text);
// The text of such a file. nullopt: there is no such file. corrupt: it has another form, or another checksum.
result<std::optional<std::string>> read_small_line(file_system& files, const std::string& path,
                                                   std::string_view grammar);
// Writes `path`.new, flushes it, renames it over `path`, flushes the directory.
result<void> replace_small_file(file_system& files, const std::string& path, std::string_view content);
// Writes over an existing file of the same size, which needs no space on the disk. At most a sector (512 bytes), so
// that a crash leaves the old or the new content. invalid_argument: another size.
result<void> overwrite_small_file(file_system& files, const std::string& path, std::string_view content);

} // namespace cairn

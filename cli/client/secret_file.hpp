// Files that hold keys: only their owner may read them, from the first byte on.
#pragma once

#include "base/error.hpp"

#include <string>
#include <string_view>

namespace cairn::cli {

enum class file_secrecy : std::uint8_t { everyone, owner_only }; // 0644, 0600

// Writes `path`.new, flushes it, renames it over `path`. A crash leaves the old or the new file. io_error, no_space.
result<void> write_private_file(const std::string& path, std::string_view content, file_secrecy secrecy);

} // namespace cairn::cli

// The console's files, which the build makes of net/admin/console (console/README.md) and embeds.
#pragma once

#include <span>
#include <string_view>

namespace cairn::net {

struct console_file {
  std::string_view path, type, content; // "/console/console.js"
};
std::span<const console_file> console_files();

} // namespace cairn::net

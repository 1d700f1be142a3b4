// The media type that `cairn put` sends for a file, by its name's extension: as registered with IANA
// (https://www.iana.org/assignments/media-types), else the one in common use. The table is compiled in, so that a file
// gets the same type on every machine. Pure.
#pragma once

#include <string_view>

namespace cairn::cli {

// Of a name or a path; empty: an unknown extension, so that the server's default ("binary/octet-stream") applies.
std::string_view content_type_of(std::string_view name);

} // namespace cairn::cli

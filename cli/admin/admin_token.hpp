// The token of the admin port that a node makes for itself: `data_dir`/admin.token, one line of 64 hexadecimal digits
// (256 random bits), readable by the node's user only. Made at the first start and kept; deleting it before a start
// makes a new one. Commands on the same machine and of the same user find it there.
#pragma once

#include "base/error.hpp"
#include "base/seams.hpp"

#include <string>

namespace cairn::cli {

std::string admin_token_path(const std::string& data_dir);
// Reads it; creates it if it is missing, or incomplete after a crash. io_error, no_space.
result<std::string> own_admin_token(const std::string& data_dir, random_source& random);
// The first line of a file, at most 64 KiB, without the white space around it. not_found, io_error, too_large,
// invalid_argument (it is empty).
result<std::string> read_token_file(const std::string& path);

} // namespace cairn::cli

// Fetches one object into a local file, as `cairn get` does (cli/client/file_transfer.hpp), and gives the file the
// modification time that the object keeps (object_time.hpp). The bytes gather in a hidden file beside it, whose name
// belongs to no object: `is_partial_name`.
#pragma once

#include "cli/client/object_path.hpp"
#include "cli/transfer/multipart_upload.hpp"
#include "cli/transfer/set_progress.hpp"

#include <string>
#include <string_view>

namespace cairn::cli {

// ".cairn-part-<32 hex digits>", with and without ".etag". `name`: without folders.
bool is_partial_name(std::string_view name);
// For a file: beside it, found again by the next run.
std::string partial_path(const std::string& file);

// The folder of `file` must exist. Errors: as download_to_file.
result<void> download_file_to(http_client& client, const object_path& from, const std::string& file,
                              set_progress& progress);

} // namespace cairn::cli

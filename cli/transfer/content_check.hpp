// Whether a local file has the bytes of an object, by what the server reports: the ETag of an object in one piece, a
// checksum of the whole, or the ETag of parts of one size. False also if none of them can prove it.
#pragma once

#include "cli/client/http_client.hpp"
#include "cli/client/object_path.hpp"

#include <string>

namespace cairn::cli {

result<bool> same_content(http_client& client, const object_path& path, const std::string& etag,
                          const std::string& file);

// By the ETag of the parts only, for an open file. Requests the size of the object's first part.
result<bool> has_etag_of_parts(http_client& client, const object_path& path, const std::string& etag, int file,
                               const std::string& name);

} // namespace cairn::cli

// Copies an object within a server: with CopyObject, and one that is too large for that (5 GiB on S3) with
// UploadPartCopy. The copy has the source's metadata; one in parts has no tags. Errors: as failure_of;
// precondition_failed when the source changed since it was listed.
#pragma once

#include "cli/client/object_path.hpp"
#include "cli/transfer/set_progress.hpp"
#include "cli/transfer/worker_pool.hpp"

#include <cstdint>
#include <string>

namespace cairn::cli {

struct copy_order {
  object_path from, to;
  std::string etag; // the source's; empty: any
  std::uint64_t size_bytes = 0;
};

result<void> copy_object(worker_pool& pool, http_client& client, const copy_order& order, set_progress& progress);

// The headers of HEAD's answer with which a new object of the same content and metadata is made.
header_list copied_headers(const http_response& about);

} // namespace cairn::cli

// Stores one local file: in one request, or a large one in parts, several at a time. Every part is digested before it
// is sent, and the server checks it (Content-MD5, and CRC-64/NVME where it knows that). A part that an interrupted
// upload has already stored is not sent again when its size and MD5 are those of the file's bytes. The modification
// time is kept in the metadata (object_time.hpp).
//
// Errors: as failure_of and system_failure; io_error when the file changed meanwhile (the bytes that were read are then
// stored, with the earlier modification time).
#pragma once

#include "cli/client/object_path.hpp"
#include "cli/transfer/set_progress.hpp"
#include "cli/transfer/worker_pool.hpp"

#include <string>

namespace cairn::cli {

struct upload_order {
  std::string file;
  object_path to;
  std::uint64_t part_bytes = 0; // as wanted: part_plan.hpp
};

result<void> upload_file_to(worker_pool& pool, http_client& client, const upload_order& order, set_progress& progress);

} // namespace cairn::cli

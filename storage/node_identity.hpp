// Who this node is: a UUID in `data_dir`/node, made at the first start and kept for ever. The file is one line,
// "cairn-node 1 <uuid>". Errors: corrupt, io_error, no_space.
#pragma once

#include "storage/file_system.hpp"
#include "storage/ids.hpp"
#include "storage/seams.hpp"

namespace cairn::storage {

result<uuid> load_or_make_node_identity(file_system& files, const std::string& data_dir, random_source& random);

} // namespace cairn::storage

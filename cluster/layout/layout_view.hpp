// Reads the layout from the metadata's rows: one point read per 64 partitions and a scan of the nodes. Blocking: runs
// on the metadata's executors.
#pragma once

#include "cluster/layout/layout.hpp"
#include "storage/metadata/read/view.hpp"

namespace cairn::cluster {

// All of it is read from the view's one snapshot. Errors: not_found (there is no cluster), corrupt, io_error.
result<layout> read_layout(storage::metadata::view& rows);

} // namespace cairn::cluster

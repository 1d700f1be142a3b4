// The layout as the metadata's rows say it. One point read for each 64 partitions and a scan of the nodes: blocking, on
// the metadata's executors.
#pragma once

#include "cluster/layout/layout.hpp"
#include "storage/metadata/read/view.hpp"

namespace cairn::cluster {

// Everything is of the view's one snapshot. not_found: there is no cluster; corrupt, io_error.
result<layout> read_layout(storage::metadata::view& rows);

} // namespace cairn::cluster

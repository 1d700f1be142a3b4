// The node's counters as Prometheus text (docs/metrics.md lists them). The only user of prometheus-cpp.
#pragma once

#include "actors/runtime/storage_node.hpp"
#include "base/metrics.hpp"
#include "net/s3/operation.hpp"

#include <span>
#include <string>

namespace cairn::net {

// `operations`: the table whose rows are the indexes of metrics.http.
std::string metrics_page(const storage::node_metrics& metrics, const actors::node_status& status,
                         std::span<const s3_operation> operations);

} // namespace cairn::net

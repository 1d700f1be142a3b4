// The node's counters as Prometheus text (docs/metrics.md lists them). The only user of prometheus-cpp.
#pragma once

#include "actors/runtime/storage_node.hpp"
#include "base/metrics.hpp"

#include <string>

namespace cairn::net {

std::string metrics_page(const storage::node_metrics& metrics, const actors::node_status& status);

} // namespace cairn::net

// The node's counters as Prometheus text (docs/metrics.md lists them). The only user of prometheus-cpp.
#pragma once

#include "actors/protocol/node_status.hpp"
#include "base/metrics.hpp"
#include "net/s3/operation.hpp"

#include <span>
#include <string>
#include <string_view>

namespace cairn::net {

// `operations`: the table whose rows are the indexes of metrics.http. `version`: the program's.
std::string metrics_page(const node_metrics& metrics, const actors::node_status& status,
                         std::span<const s3_operation> operations, std::string_view version);

} // namespace cairn::net

// The screen of `cairn top`, from what a node's admin port answers at two moments. Pure text.
#pragma once

#include "base/error.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace cairn::cli {

// The answers of one round.
struct top_sample {
  std::chrono::milliseconds taken{0}; // on a clock that never goes back
  std::string node;                   // of /v1/node
  std::string metrics;                // of /metrics
  std::string cluster;                // of /v1/cluster?format=text; empty: a standalone node
};

bool is_clustered(const top_sample& s); // by `node`

// Of one operation since the node's start.
struct operation_counters {
  std::uint64_t requests = 0, server_errors = 0;
  std::map<double, std::uint64_t> within; // seconds → how many took no longer
};

// By the operation's name, of the text format of Prometheus.
std::map<std::string, operation_counters> read_operations(const std::string& metrics);

// The time within which this share of the requests between two moments ended, in seconds; 0: there were none. Between
// two bounds it is interpolated, as histogram_quantile does; above the last bound it is that bound.
double quantile(const operation_counters& before, const operation_counters& now, double share);

// invalid_argument: an answer is not what an admin port says. After a restart of the node between the two the counters
// are those since its start.
result<std::vector<std::string>> top_lines(const top_sample& before, const top_sample& now);

} // namespace cairn::cli

// What an operator should know about a cluster or a node now, and why something waits, in sentences: for the table of
// `cairn cluster status`, the admin API and the console. Pure.
#pragma once

#include "actors/protocol/cluster_status.hpp"
#include "actors/protocol/node_status.hpp"
#include "base/json.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace cairn::net {

enum class severity : std::uint8_t { info, warning, error };

struct reason {
  net::severity severity{};
  std::string text; // one or more whole sentences
  friend bool operator==(const reason&, const reason&) = default;
};

struct notice {
  std::string label; // "PAUSED"
  std::string text;
};

// What the table of the status shows below the nodes: paused replacements, nodes that wait to join, certificates that
// end, lost chunks.
std::vector<notice> cluster_notices(const actors::cluster_status& s);
// All faults and changes in progress, worst first. Empty: none.
std::vector<reason> cluster_reasons(const actors::cluster_status& s);
// Of one node: whether it serves requests, its disks, its certificates.
std::vector<reason> node_reasons(const actors::node_status& s, wall_ms now);
json_array reasons_json(const std::vector<reason>& reasons); // [{"severity", "text"}]

std::string short_bytes(std::uint64_t bytes);                // "1.5 GiB"
std::string short_time(wall_ms ms);                          // "6 min"
std::string node_list(const std::vector<node_number>& list); // "1, 4"
// For terminals: characters other than visible ASCII become '?', because addresses and zones come from other nodes.
std::string ascii_only(std::string_view text);

} // namespace cairn::net

// Computes the cluster's status for operators from what a node knows. A leader has the members' reports; another node
// has the layout, its links and its own log. Pure, except `report_lost`.
#pragma once

#include "actors/metadata/log/replicated_log.hpp"
#include "actors/protocol/cluster_messages.hpp"
#include "actors/protocol/cluster_status.hpp"
#include "cluster/layout/layout.hpp"
#include "storage/metadata/store.hpp"

#include <chrono>
#include <functional>

namespace cairn::actors {

struct known_cluster {
  const cluster::layout* layout = nullptr;
  const log_status* log = nullptr;
  const member_reports* reports = nullptr;
  std::string name;
  steady_time now;
  wall_ms wall = 0;
  std::chrono::milliseconds down_after{6000};         // without a report
  std::function<bool(const cluster::member&)> linked; // whether this node reaches that one
  std::uint64_t repairs_waiting = 0, chunks_lost = 0;
};
// Cost: one pass over the partitions.
cluster_status report_cluster(const known_cluster& k);

// The lost chunks of all members' reports, in ascending order without duplicates, and whether members have more than
// they listed.
struct reported_losses {
  std::vector<chunk_id> chunks;
  bool more = false;
};
reported_losses losses_of(const member_reports& reports);
// The text for operators. Removes the chunks that no object needs from `losses`. Reads the metadata: blocking, bounded.
result<std::string> report_lost(storage::metadata::store& store, reported_losses& losses);

// The voters of the committed configuration in ascending order, or of the newest configuration while the committed one
// is not known. `coming_voters`: those of a change in progress, without removed members.
std::vector<node_number> committed_voters(const log_status& log);
std::vector<node_number> coming_voters(const log_status& log, const cluster::layout& l);

// The node to which this leader transfers leadership: of the other voters that are up, the one with the longest log.
// nullopt: no other voter is up.
std::optional<node_number> successor(const log_status& log, const cluster::layout& l,
                                     const std::function<bool(const cluster::member&)>& is_up);

} // namespace cairn::actors

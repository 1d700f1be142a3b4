// From what a node knows to the cluster's status as operators see it. A leader knows how the members are; another node
// knows the layout, who is linked to it and its own log. Pure, but for `report_lost`.
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
  storage::steady_time now;
  storage::wall_ms wall = 0;
  std::chrono::milliseconds down_after{6000};         // without a report
  std::function<bool(const cluster::member&)> linked; // whether this node reaches that one
  std::uint64_t repairs_waiting = 0, chunks_lost = 0;
};
// Cost: one pass over the partitions.
cluster_status report_cluster(const known_cluster& k);

// What the members said of lost chunks, together: rising, each once, and whether there are more than they named.
struct reported_losses {
  std::vector<storage::chunk_id> chunks;
  bool more = false;
};
reported_losses losses_of(const member_reports& reports);
// What an operator is told of them; leaves in `losses` what some object needs. Blocking reads of the metadata, bounded.
result<std::string> report_lost(storage::metadata::store& store, reported_losses& losses);

// Voters by what the log's majority knows, rising; the newest configuration while that is not known yet. And what they
// are to become: that of a change that is under way, without members that were removed.
std::vector<storage::node_number> committed_voters(const log_status& log);
std::vector<storage::node_number> coming_voters(const log_status& log, const cluster::layout& l);

// The node to lead after this one, the leader: of the other voters that `is_up` the one with the most of the log.
// nullopt: there is none.
std::optional<storage::node_number> successor(const log_status& log, const cluster::layout& l,
                                              const std::function<bool(const cluster::member&)>& is_up);

} // namespace cairn::actors

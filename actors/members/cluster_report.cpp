#include "actors/members/cluster_report.hpp"

#include "actors/upkeep/backfill_pages.hpp"
#include "actors/upkeep/lost_chunks.hpp"
#include "cluster/raft/log_servers.hpp"

#include <algorithm>

namespace cairn::actors {

namespace {

namespace raft = cluster::raft;

constexpr std::size_t objects_listed_max = 100, rows_searched_max = 200'000;

metadata_role role_of(const raft::configuration& servers, node_number n) {
  const auto* s = servers.find(cluster::server_of(n));
  if (!s) return metadata_role::none;
  return s->role == raft::server_role::voter ? metadata_role::voter : metadata_role::standby;
}

const raft::configuration& known_servers(const log_status& log) {
  return log.committed.servers.empty() ? log.servers : log.committed;
}

std::vector<node_number> voters_of(const raft::configuration& servers) {
  std::vector<node_number> out;
  for (const auto& s : servers.servers)
    if (s.role == raft::server_role::voter) out.push_back(cluster::node_of(s.id));
  return out;
}

const node_report* report_of(const known_cluster& k, node_number n) {
  if (!k.reports) return nullptr;
  const auto found = k.reports->by_node.find(n);
  return found == k.reports->by_node.end() ? nullptr : &found->second.report;
}

bool is_up(const known_cluster& k, const cluster::member& m) {
  if (m.number == k.log->self) return true;
  if (!k.linked(m)) return false;
  if (!k.reports || !k.reports->leads) return true;
  const auto found = k.reports->by_node.find(m.number);
  return found != k.reports->by_node.end() && k.now - found->second.healthy_at < k.down_after;
}

cluster_node_status node_status_of(const known_cluster& k, const cluster::member& m) {
  cluster_node_status n;
  n.number = m.number;
  n.id = m.id;
  n.address = m.address;
  n.zone = m.zone;
  n.weight = m.weight;
  n.state = m.state;
  n.up = is_up(k, m);
  if (!n.up) n.since = m.down_since;
  n.role = role_of(known_servers(*k.log), m.number);
  if (const auto* r = report_of(k, m.number)) {
    n.used_bytes = r->used_bytes;
    n.capacity_bytes = r->capacity_bytes;
    n.data_bytes = r->data_bytes;
    n.applied_index = r->applied;
    n.fault = r->fault;
    n.closed_disks = r->closed_disks;
    n.certificate_end = r->certificate_end;
  }
  if (m.number != k.log->self) return n;
  n.applied_index = k.log->applied;
  n.fault = k.log->failure ? to_string(k.log->failure->code) : "";
  return n;
}

// The number of replicas that every partition could have with the current members, whether they are up or down.
std::size_t copies_possible(const cluster::layout& l) {
  const auto holders = std::ranges::count_if(
      l.members, [](const auto& m) { return m.state != cluster::member_state::removed && m.weight > 0; });
  return std::min<std::size_t>(l.replicas, std::size_t(holders));
}

std::vector<std::uint32_t> held_partitions(const cluster::layout& l) {
  std::vector<std::uint32_t> held(l.members.size());
  for (const auto& owners : l.partitions)
    for (const auto n : owners.current) ++held[n];
  return held;
}

std::uint64_t under_replicated(const cluster::layout& l, const std::vector<bool>& up) {
  const auto wanted = copies_possible(l);
  return std::uint64_t(std::ranges::count_if(l.partitions, [&](const auto& owners) {
    return std::size_t(std::ranges::count_if(owners.current, [&](auto n) { return n < up.size() && up[n]; })) < wanted;
  }));
}

// An estimate. The size of a partition is the mean over the nodes without incoming partitions. The bytes of a node
// beyond those of its complete partitions are counted as already received for its incoming partitions.
std::uint64_t bytes_to_move(const std::vector<cluster_node_status>& nodes) {
  std::uint64_t settled = 0, settled_bytes = 0, complete = 0, bytes = 0;
  for (const auto& n : nodes) {
    if (!n.up) continue;
    complete += n.partitions_owned;
    bytes += n.data_bytes;
    if (n.partitions_incoming > 0) continue;
    settled += n.partitions_owned;
    settled_bytes += n.data_bytes;
  }
  if (complete == 0) return 0;
  const double size = settled > 0 ? double(settled_bytes) / double(settled) : double(bytes) / double(complete);
  double out = 0;
  for (const auto& n : nodes)
    if (n.partitions_incoming > 0 && n.up)
      out += std::max(0.0, size * (n.partitions_owned + n.partitions_incoming) - double(n.data_bytes));
  return std::uint64_t(out);
}

} // namespace

cluster_status report_cluster(const known_cluster& k) {
  const auto& l = *k.layout;
  cluster_status s;
  s.name = k.name;
  s.id = l.cluster;
  s.replicas = l.replicas;
  s.write_quorum = l.write_quorum;
  s.epoch = l.epoch;
  s.leader = k.log->leader;
  s.term = k.log->term;
  s.self = k.log->self;
  s.now = k.wall;
  s.repairs_waiting = k.repairs_waiting;
  s.voters = committed_voters(*k.log);
  s.voters_next = coming_voters(*k.log, l);
  if (s.voters_next == s.voters) s.voters_next.clear();
  s.chunks_lost = k.chunks_lost;
  if (k.reports) {
    s.auto_out = k.reports->auto_out;
    for (const auto& w : k.reports->waiting) s.waiting.push_back({w.id, w.address});
  }
  const auto moves = cluster::pending_moves(l);
  const auto held = held_partitions(l);
  std::vector<bool> up(l.members.size());
  for (const auto& m : l.members) {
    if (m.state == cluster::member_state::removed) continue;
    auto n = node_status_of(k, m);
    up[m.number] = n.up;
    n.partitions_owned = held[m.number];
    n.partitions_incoming = moves.incoming[m.number];
    s.nodes.push_back(std::move(n));
  }
  s.partitions_under_replicated = under_replicated(l, up);
  s.bytes_to_move = bytes_to_move(s.nodes);
  return s;
}

reported_losses losses_of(const member_reports& reports) {
  reported_losses out;
  for (const auto& [number, received] : reports.by_node) {
    out.chunks.insert(out.chunks.end(), received.report.lost.begin(), received.report.lost.end());
    out.more = out.more || received.report.lost_count > received.report.lost.size();
  }
  std::ranges::sort(out.chunks);
  out.chunks.erase(std::unique(out.chunks.begin(), out.chunks.end()), out.chunks.end());
  return out;
}

std::vector<node_number> committed_voters(const log_status& log) {
  return voters_of(known_servers(log));
}

std::vector<node_number> coming_voters(const log_status& log, const cluster::layout& l) {
  auto out = voters_of(log.servers);
  std::erase_if(out,
                [&](auto n) { return n < l.members.size() && l.members[n].state == cluster::member_state::removed; });
  return out;
}

std::optional<node_number> successor(const log_status& log, const cluster::layout& l,
                                     const std::function<bool(const cluster::member&)>& is_up) {
  std::optional<node_number> best;
  log_index has = 0;
  for (const auto& m : l.members) {
    if (m.number == log.self || m.state == cluster::member_state::removed ||
        role_of(log.servers, m.number) != metadata_role::voter || !is_up(m))
      continue;
    const auto match = log.match.find(m.number);
    const auto its = match == log.match.end() ? 0 : match->second;
    if (best && its <= has) continue;
    best = m.number;
    has = its;
  }
  return best;
}

result<std::string> report_lost(storage::metadata::store& store, reported_losses& losses) {
  auto view = store.read();
  if (!view) return view.error();
  const auto live = still_live(**view, losses.chunks);
  if (!live) return live.error();
  losses.chunks.clear();
  for (const auto& w : *live) losses.chunks.push_back(w.id);
  const auto objects = objects_with(**view, losses.chunks, objects_listed_max, rows_searched_max);
  if (!objects) return objects.error();
  return describe_lost(losses.chunks.size(), *objects) + (losses.more ? "\n(and more chunks: this is a part)" : "");
}

} // namespace cairn::actors

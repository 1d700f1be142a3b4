#include "actors/runtime/member_wiring.hpp"

#include "actors/metadata/log/state_repair.hpp"
#include "cluster/raft/log_servers.hpp"

namespace cairn::actors {

namespace {

namespace meta = storage::metadata;
namespace raft = cluster::raft;

// A founder's log begins with its state; its first command creates the cluster.
result<void> begin_log(const member_log_services& services, replicated_log_services& out) {
  const auto& identity = *services.identity;
  // A node that joined knows other members; a founder knows none before it has founded the cluster.
  if (identity.self != 0 || !identity.members.empty()) return {};
  auto view = services.store->read();
  if (!view) return view.error();
  const auto row = (*view)->cluster();
  if (!row && row.error().code != errc::not_found) return row.error();
  if (row) return {};
  // Begun by an earlier start that was interrupted, or now.
  auto begun = services.log->begin(raft::raft_core::first_state(cluster::server_of(identity.self), (*view)->applied()));
  if (!begun && begun.error().code != errc::invalid_argument) return begun.error();
  out.found = meta::create_cluster{identity.id,           identity.name,          services.replicas,
                                   services.write_quorum, services.clock->wall(), services.self};
  return {};
}

using finish_function = result<void> (*)(const snapshot_transfer_services&, log_index snapshot, log_index applied);

result<opened_log> start_log(const member_log_services& services, cluster::raft::server_id self,
                             raft::stored_state stored, log_index applied) {
  if (const auto end = stored.first + stored.entries.size() - 1; end < services.applied_before)
    return error{errc::precondition_failed,
                 "the metadata's log ends at " + std::to_string(end) + ", but this node had applied entry " +
                     std::to_string(services.applied_before) +
                     ": it was restored from an older image, and does not know what it acknowledged since. Remove the "
                     "node (cairn cluster remove), and start it with an empty data directory, as a new one"};
  opened_log out;
  out.applied = applied;
  out.bytes = stored.bytes;
  raft::node_options node;
  node.core.id = self;
  node.core.seed = std::uint32_t(services.random->next());
  const auto now =
      std::chrono::duration_cast<std::chrono::milliseconds>(services.clock->now().time_since_epoch()).count();
  auto started = raft::raft_node::start(node, std::move(stored), applied, raft::time_ms(now));
  if (!started) return started.error();
  out.node = std::move(*started);
  return out;
}

bool is_damage(const error& e) {
  return e == errc::corrupt || e == errc::quarantined;
}

// The state's applied index cannot be read. The state is out of service until it has been replaced; meanwhile the
// engine takes no part in the consensus and starts from the log's snapshot.
result<opened_log> open_log_of_damaged(const member_log_services& services, cluster::raft::server_id self) {
  services.damage->unreadable();
  auto stored = services.log->load(0);
  if (!stored) return stored.error();
  const auto snapshot = stored->snapshot ? stored->snapshot->index : 0;
  return start_log(services, self, std::move(*stored), snapshot);
}

// Opens the log and completes an install that a crash or a failure interrupted.
result<opened_log> open_log(const member_log_services& services, cluster::raft::server_id self,
                            finish_function finish) {
  const auto applied = [&]() -> result<log_index> {
    auto view = services.store->read();
    if (!view) return view.error();
    const auto index = (*view)->applied();
    const auto row = (*view)->cluster(); // the error may also be damage of the neighbouring row
    if (!row && row.error().code != errc::not_found) return row.error();
    return index;
  };
  const auto before = applied();
  if (!before && is_damage(before.error()) && services.damage && !services.identity->members.empty())
    return open_log_of_damaged(services, self);
  if (!before) return before.error();
  auto stored = services.log->load(*before);
  if (!stored) return stored.error();
  const auto snapshot = stored->snapshot ? stored->snapshot->index : 0;
  if (auto finished = finish(services.transfer, snapshot, *before); !finished) return finished.error();
  const auto after = applied();
  if (!after) return after.error();
  if (*after != *before) stored = services.log->load(*after);
  if (!stored) return stored.error();
  return start_log(services, self, std::move(*stored), *after);
}

} // namespace

result<std::shared_ptr<replicated_log_services>> open_member_log(const member_log_services& services) {
  auto out = std::make_shared<replicated_log_services>();
  out->log = services.log;
  out->transfer = services.transfer;
  if (auto made = services.transfer.files->make_directories(services.transfer.folder); !made) return made.error();
  if (auto begun = begin_log(services, *out); !begun) return begun.error();
  const auto& identity = *services.identity;
  const auto self = cluster::server_of(identity.self);
  auto opened = open_log(services, self, &finish_install);
  if (!opened) return opened.error();
  out->node = std::move(opened->node);
  out->applied = opened->applied;
  out->log_bytes = opened->bytes;
  out->reopen = [services, self]() -> result<opened_log> {
    if (services.has_room && !services.has_room()) return error{errc::no_space, "the metadata's disk has no room yet"};
    return open_log(services, self, &complete_install);
  };
  out->damage = services.damage;
  out->log_damage = services.log_damage;
  out->repair = [transfer = services.transfer, log = services.log,
                 repaired = services.repaired](const raft::snapshot_record& record) -> result<void> {
    auto done = repair_state(transfer, *log, record);
    if (done && repaired) repaired->fetch_add(1);
    return done;
  };
  if (services.state) out->reported = [state = services.state] { return state->applied(); };
  out->log_writes = services.writes;
  out->log_reads = services.reads;
  out->network = services.network;
  out->members.push_back({identity.self, {services.self.id, services.self.address, 0}});
  for (const auto& m : identity.members) out->members.push_back({m.number, {m.id, m.address, 0}});
  return out;
}

void serve_members(peer_service& service, actor_slot_ptr<metadata_actor> metadata,
                   actor_slot_ptr<membership_actor> membership, actor_slot_ptr<admin_service_actor> admin_service) {
  const auto to = [](auto receiver, peer_request kind) {
    return [receiver = std::move(receiver), kind](link::incoming_request request) {
      if (const auto actor = receiver->get())
        caf::anon_send(actor, peer_atom_v,
                       peer_call{kind, std::make_shared<link::incoming_request>(std::move(request))});
    };
  };
  for (const auto kind : {peer_request::consensus, peer_request::submit, peer_request::barrier, peer_request::snapshot})
    service.serve(kind, to(metadata, kind));
  for (const auto kind : {peer_request::join, peer_request::report, peer_request::members})
    service.serve(kind, to(membership, kind));
  if (admin_service) service.serve(peer_request::membership, to(std::move(admin_service), peer_request::membership));
}

member_chunks open_member_chunks(caf::actor_system& system, const member_chunk_services& services,
                                 peer_service& service) {
  chunk_server_services served;
  served.stores = services.local;
  served.layouts = services.layouts;
  served.buffers = services.peer_buffers;
  served.metrics = services.metrics;
  served.clock = services.clock;
  served.disk_closed = services.disk_closed;
  member_chunks out;
  out.service = std::make_unique<chunk_service>(system, served, services.servers);
  out.service->serve_at(service);
  remote_store_services remote;
  remote.network = services.network;
  remote.layouts = services.layouts;
  remote.buffers = services.buffers;
  remote.metrics = services.metrics;
  remote.clock = services.clock;
  chunk_router::cluster_services routed;
  routed.layouts = services.layouts;
  routed.network = services.network;
  routed.make = [&system, remote](const uuid& peer) { return spawn_remote_store(system, remote, peer); };
  out.router = std::make_shared<chunk_router>(services.local, std::move(routed));
  return out;
}

} // namespace cairn::actors

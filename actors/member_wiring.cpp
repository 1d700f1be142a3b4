#include "actors/member_wiring.hpp"

namespace cairn::actors {

namespace {

namespace meta = storage::metadata;
namespace raft = cluster::raft;

} // namespace

result<std::shared_ptr<replicated_log_services>> open_member_log(const member_log_parts& parts) {
  auto out = std::make_shared<replicated_log_services>();
  out->log = std::make_shared<raft::raft_log>(*parts.engine);
  auto view = parts.store->read();
  if (!view) return view.error();
  out->applied = (*view)->applied();
  const auto& identity = *parts.identity;
  const auto id = raft::server_id{identity.self} + 1;
  const auto row = (*view)->cluster();
  if (!row && row.error().code != errc::not_found) return row.error();
  if (!row && identity.self == 0) {
    // Made by an earlier start that did not get further, or now. What the state holds already is the log's beginning.
    auto begun = out->log->begin(raft::raft_core::first_state(id, out->applied));
    if (!begun && begun.error().code != errc::invalid_argument) return begun.error();
    out->found = meta::create_cluster{identity.id,        identity.name,       parts.replicas,
                                      parts.write_quorum, parts.clock->wall(), parts.self};
  }
  auto stored = out->log->load(out->applied);
  if (!stored) return stored.error();
  raft::node_options node;
  node.core.id = id;
  node.core.seed = std::uint32_t(parts.random->next());
  const auto now = std::chrono::duration_cast<std::chrono::milliseconds>(parts.clock->now().time_since_epoch()).count();
  auto started = raft::raft_node::start(node, std::move(*stored), out->applied, raft::time_ms(now));
  if (!started) return started.error();
  out->node = std::move(*started);
  out->log_writes = parts.writes;
  out->log_reads = parts.reads;
  out->network = parts.network;
  out->members.push_back({identity.self, {parts.self.id, parts.self.address, 0}});
  for (const auto& m : identity.members) out->members.push_back({m.number, {m.id, m.address, 0}});
  return out;
}

void serve_members(peer_service& service, const metadata_actor& metadata, const membership_actor& membership) {
  const auto to = [](auto actor, peer_request kind) {
    return [actor, kind](link::incoming_request request) {
      caf::anon_send(actor, peer_atom_v, peer_call{kind, std::make_shared<link::incoming_request>(std::move(request))});
    };
  };
  for (const auto kind : {peer_request::consensus, peer_request::submit, peer_request::barrier, peer_request::snapshot})
    service.serve(kind, to(metadata, kind));
  for (const auto kind : {peer_request::join, peer_request::report, peer_request::membership})
    service.serve(kind, to(membership, kind));
}

member_chunks open_member_chunks(caf::actor_system& system, const member_chunk_parts& parts, peer_service& service) {
  chunk_service_parts served;
  served.stores = parts.local;
  served.layouts = parts.layouts;
  served.buffers = parts.peer_buffers;
  served.metrics = parts.metrics;
  served.clock = parts.clock;
  member_chunks out;
  out.service = std::make_unique<chunk_service>(system, served, parts.servers);
  out.service->serve_at(service);
  remote_store_parts remote;
  remote.network = parts.network;
  remote.layouts = parts.layouts;
  remote.buffers = parts.buffers;
  remote.metrics = parts.metrics;
  remote.clock = parts.clock;
  chunk_router::cluster_parts routed;
  routed.layouts = parts.layouts;
  routed.network = parts.network;
  routed.make = [&system, remote](const storage::uuid& peer) { return spawn_remote_store(system, remote, peer); };
  out.router = std::make_shared<chunk_router>(parts.local, std::move(routed));
  return out;
}

} // namespace cairn::actors

#include "actors/members/join_service.hpp"

#include "base/log.hpp"
#include "cluster/raft/log_servers.hpp"

#include <algorithm>

namespace cairn::actors {

namespace {

namespace meta = storage::metadata;
namespace raft = cluster::raft;
using namespace std::chrono_literals;

constexpr std::chrono::milliseconds read_time = 5s, waiting_time = 30s; // waiting_time: since the node's last request

error leader_starting() {
  return {errc::no_leader, "the leader is still starting: try again"};
}

} // namespace

known_members members_of(const cluster::layout& layout) {
  known_members out;
  for (const auto& m : layout.members)
    if (m.state != cluster::member_state::removed) out.push_back({m.number, m.id, m.address});
  return out;
}

void join_service::take(join_request request, bool certified, const link::responder& respond, const log_status& log) {
  if (request.cluster_name != s_.cluster_name)
    return respond(error{errc::invalid_argument,
                         "this is the cluster \"" + s_.cluster_name + "\", not \"" + request.cluster_name + "\""});
  auto job = [this, request = std::move(request), certified, respond, log, store = s_.store,
              back = s_.on_actor](bool expired) {
    auto rows = std::make_shared<result<meta::admission_rows>>(error{errc::busy, "the metadata was not reached"});
    if (!expired) {
      auto view = store->read();
      *rows = view ? (*view)->admission() : result<meta::admission_rows>{view.error()};
    }
    back([this, request, certified, respond, log, rows] { decide(request, certified, respond, log, *rows); });
  };
  if (auto posted = s_.reads->post(s_.clock->now() + read_time, std::move(job)); !posted) respond(posted.error());
}

void join_service::decide(const join_request& request, bool certified, const link::responder& respond,
                          const log_status& log, const result<meta::admission_rows>& rows) {
  const auto layout = s_.layout->get();
  if (!layout || !rows) return respond(leader_starting());
  const auto now = s_.clock->wall();
  const auto judged = cluster::judge_join({request.node.id, certified, request.proof}, *layout, *rows, s_.founding,
                                          log.feature_level, now);
  using verdict = cluster::admission::verdict;
  switch (judged.what) {
    case verdict::wait: note_waiting(request); [[fallthrough]];
    case verdict::refused: return respond(judged.why);
    case verdict::known: return rejoin(request, respond, log);
    case verdict::founding: return add(request, std::nullopt, respond);
    case verdict::invited: return add(request, meta::used_invitation{judged.by.token, judged.by.node, now}, respond);
  }
}

void join_service::note_waiting(const join_request& request) {
  (void)waiting(); // removes nodes that no longer ask
  const auto at = s_.clock->now();
  if (const auto known = waiting_.find(request.node.id); known != waiting_.end()) {
    known->second.asked = at;
    return;
  }
  if (waiting_.size() >= waiting_max) return;
  waiting_[request.node.id] = {request.node.id, request.node.address, at};
  log::info("a node waits for `cairn cluster add`",
            {{"node", cairn::to_string(request.node.id)}, {"address", request.node.address}});
}

std::vector<waiting_node> join_service::waiting() {
  std::erase_if(waiting_, [at = s_.clock->now()](const auto& w) { return at - w.second.asked > waiting_time; });
  std::vector<waiting_node> out;
  for (const auto& [id, w] : waiting_) out.push_back(w);
  return out;
}

void join_service::rejoin(const join_request& request, const link::responder& respond, const log_status& log) {
  const auto layout = s_.layout->get();
  const auto known = std::ranges::find(layout->members, request.node.id, &cluster::member::id);
  const auto* server = known == layout->members.end() ? nullptr : log.servers.find(cluster::server_of(known->number));
  if (!server) return add(request, std::nullopt, respond);
  if (server->role == raft::server_role::voter)
    return respond(error{errc::precondition_failed,
                         "node " + cairn::to_string(request.node.id) +
                             " is a member already, and this one has lost its data: remove the member (cairn cluster "
                             "remove) and start with an empty data directory"});
  // A member that lost its log and has no vote may join again: after a recovery this is the state of all other members.
  // The leader first removes it from the log's configuration, and with it what it knows about the member's log.
  s_.change_log({known->number, raft::change_kind::remove}, [this, request, respond](bool accepted) {
    if (accepted) return add(request, std::nullopt, respond);
    respond(error{errc::busy, "the log's servers are being changed: try again"});
  });
}

void join_service::add(const join_request& request, const std::optional<meta::used_invitation>& by,
                       const link::responder& respond) {
  const auto layout = s_.layout->get();
  if (!layout) return respond(leader_starting());
  std::vector<meta::command> commands;
  const auto known = std::ranges::find(layout->members, request.node.id, &cluster::member::id);
  if (known != layout->members.end() && known->address != request.node.address)
    commands.emplace_back(meta::set_node{.node = known->number, .address = request.node.address});
  auto fresh = request.node;
  fresh.incarnation = 0; // its first report sets it
  commands.emplace_back(meta::add_node{std::move(fresh), by});
  s_.commit(std::move(commands), [this, respond, layout, request](const result<meta::command_result>& added) {
    if (!added) return respond(added.error());
    waiting_.erase(request.node.id);
    join_answer a;
    a.cluster = layout->cluster;
    a.name = s_.cluster_name;
    a.number = node_number(added->more);
    a.members = members_of(*layout);
    log::info("a node joins",
              {{"node", cairn::to_string(request.node.id)}, {"number", a.number}, {"address", request.node.address}});
    respond(link::answer{encode(a), {}});
    s_.joined(a.number);
  });
}

} // namespace cairn::actors

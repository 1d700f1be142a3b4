// One node's membership in virtual time: the real metadata state beneath a metadata actor that applies at once, a
// network that writes down what is asked and answers what the test says.
#pragma once

#include "actors/members/membership.hpp"

#include "actors/metadata/log/replicated_log.hpp"
#include "actors/protocol/cluster_messages.hpp"
#include "cluster/layout/layout_view.hpp"
#include "cluster/raft/log_servers.hpp"
#include "cluster/raft/raft_membership.hpp"
#include "sim/world/world.hpp"
#include "tests/actors/link/noting_peers.hpp"
#include "tests/actors/metadata/unasked_metadata.hpp"
#include "tests/actors/protocol/scripted_actors.hpp"

#include <gtest/gtest.h>

#include <deque>

namespace cairn::actors {

namespace meta = storage::metadata;
namespace raft = cluster::raft;
using namespace std::chrono_literals;

inline uuid id_of(std::size_t n) {
  return uuid{std::uint8_t(0x10 + n)};
}

class membership_test : public testing::Test, protected unasked_metadata {
protected:
  void SetUp() override {
    run(meta::create_cluster{
        .id = {7}, .name = "blue", .first = {.id = id_of(0), .address = "node-0:1", .incarnation = 1}});
    log.self = 0;
    log.term = 3;
    log.feature_level = meta::feature_level;
    add_member(0, raft::server_role::voter);
  }
  void TearDown() override {
    if (member) caf::anon_send_exit(member, caf::exit_reason::kill);
    if (metadata) caf::anon_send_exit(metadata, caf::exit_reason::kill);
    member = nullptr;
    metadata = nullptr;
    w.forget_everything();
  }

  meta::command_result run(const meta::command& c) {
    const meta::command batch[] = {c};
    auto out = store->apply(batch).value().results.at(0);
    layouts->set(std::make_shared<cluster::layout>(cluster::read_layout(*store->read().value()).value()));
    return out;
  }
  void add_member(node_number n, raft::server_role role) {
    if (n > 0) run(meta::add_node{{.id = id_of(n), .address = "node-" + std::to_string(n) + ":1", .incarnation = 1}});
    log.servers.servers.push_back({cluster::server_of(n), role});
  }
  void cluster_of(std::size_t members) {
    for (std::size_t n = 1; n < members; ++n)
      add_member(node_number(n), n < 3 ? raft::server_role::voter : raft::server_role::standby);
  }
  void lead() {
    log.leads = true;
    log.leader = log.self;
  }
  void start() {
    metadata = spawn_metadata_of_the_test(w.system());
    membership_services s;
    s.metadata = metadata;
    s.store = store.get();
    s.reads = &executor;
    s.layout = layouts;
    s.state = state;
    s.network = &network;
    s.clock = &w.clock();
    s.self = {.id = id_of(0), .address = "node-0:1", .incarnation = 1};
    s.cluster_name = "blue";
    s.disks = [] { return disk_use{60, 100, 40, true}; };
    s.controller = controller;
    s.founding = founding;
    s.feature_level = [this](std::uint8_t level) { level_told = level; };
    s.remember_refusal = [this](const std::string& why) { remembered.push_back(why); };
    s.remember_members = [this](const std::vector<cluster::known_member>& members) -> result<void> {
      if (disk_full) return error{errc::no_space};
      file_of_members = members;
      return {};
    };
    s.remember_applied = [this](log_index applied) { applied_told = applied; };
    s.ask_configured = [this](const std::string& request, link::reply_callback reply) {
      auto& asked = configured.emplace_back();
      asked.kind = peer_request(request.at(0));
      asked.reply = std::move(reply);
    };
    member = spawn_membership(w.system(), std::move(s));
  }
  void pass(std::chrono::milliseconds time) { w.run_for(time); }

  // A request of another node, answered in `answer` some messages later.
  std::shared_ptr<std::optional<result<link::answer>>> ask(peer_request kind, std::string bytes, uuid from = {},
                                                           std::uint32_t feature_level = 0,
                                                           std::uint64_t incarnation = 1, bool is_member = true) {
    auto answer = std::make_shared<std::optional<result<link::answer>>>();
    link::peer peer;
    peer.node = from;
    peer.member = is_member;
    peer.certified = certified;
    peer.incarnation = incarnation;
    peer.feature_level = feature_level;
    link::responder respond{[answer](result<link::answer>&& a) { *answer = std::move(a); },
                            std::make_shared<std::atomic<bool>>(false)};
    auto request = std::make_shared<link::incoming_request>(
        link::incoming_request{peer, std::move(bytes), {}, w.clock().now() + 5s, 0, std::move(respond)});
    caf::anon_send(member, peer_atom_v, peer_call{kind, std::move(request)});
    w.settle();
    return answer;
  }
  node_report report_of(node_number n, std::uint64_t incarnation = 1) {
    node_report r;
    r.node = {.id = id_of(n), .address = "node-" + std::to_string(n) + ":1", .incarnation = incarnation};
    r.oldest_hold = 100u + n;
    r.capacity_bytes = 100;
    return r;
  }
  std::shared_ptr<std::optional<result<link::answer>>> report(node_number n, std::uint64_t incarnation = 1) {
    return ask(peer_request::report, encode(report_of(n, incarnation)), id_of(n), meta::feature_level, incarnation);
  }
  auto report_fault(node_number n) {
    auto r = report_of(n);
    r.fault = "no_space";
    return ask(peer_request::report, encode(r), id_of(n), meta::feature_level);
  }
  // Until the time is over, these report each second.
  void pass_with_reports(std::chrono::seconds time, const std::vector<node_number>& of) {
    for (auto left = time; left > 0s; left -= 1s) {
      for (const auto n : of) (void)report(n);
      pass(1s);
    }
  }
  auto join(const uuid& who, const std::string& name = "blue", const std::string& token = "") {
    join_request command{{.id = who, .address = "new:1", .incarnation = 1}, name, {}};
    if (!token.empty()) command.proof = cluster::prove_token(cluster::hash_of_token(token), who);
    return ask(peer_request::join, encode(command), who, 0, 1, false);
  }
  member_reports_ptr reports() {
    caf::scoped_actor self{w.system()};
    auto asked = self->request(member, caf::infinite, status_atom_v);
    w.settle();
    member_reports_ptr out;
    asked.receive([&](const member_reports_ptr& r) { out = r; }, [](caf::error&) { ADD_FAILURE() << "no reports"; });
    return out;
  }
  template <class Command>
  std::vector<Command> committed_of() const {
    std::vector<Command> out;
    for (const auto& c : commits)
      if (const auto* one = std::get_if<Command>(&c)) out.push_back(*one);
    return out;
  }
  const cluster::member& row(node_number n) { return (keep = layouts->get())->members.at(n); }

  caf::result<committed> commit(const meta::command& c) override {
    commits.push_back(c);
    auto done = run(c);
    if (done.refused) return to_caf(*done.refused);
    return committed{std::move(done)};
  }
  caf::result<log_status_ptr> log_now() override { return std::make_shared<const log_status>(log); }
  caf::result<std::uint8_t> change(const log_change& c) override {
    changes.push_back(c);
    const auto next = raft::changed(log.servers, cluster::server_of(c.node), c.kind);
    if (next) log.servers = *next;
    return std::uint8_t(next ? raft::accepted::yes : raft::accepted::invalid);
  }
  caf::result<std::uint8_t> transfer(node_number to) override {
    transfers.push_back(to);
    return std::uint8_t(raft::accepted::yes);
  }

  sim::world w;
  std::unique_ptr<storage::kv_engine> engine = storage::make_memory_kv(meta::table_count);
  std::unique_ptr<meta::store> store = meta::store::open(*engine).value();
  std::shared_ptr<layout_holder> layouts = std::make_shared<layout_holder>(0);
  std::shared_ptr<cluster_state> state = std::make_shared<cluster_state>();
  layout_ptr keep;
  immediate_executor executor;
  noting_peers network;
  std::deque<noting_peers::note> configured;
  cluster::controller_options controller;
  cluster::founding_rules founding{std::chrono::hours{24 * 365 * 200}, 4096};
  bool certified = true; // the links of other nodes
  log_status log;
  std::vector<meta::command> commits;
  std::vector<log_change> changes;
  std::vector<node_number> transfers;
  std::vector<std::string> remembered;
  std::vector<cluster::known_member> file_of_members;
  log_index applied_told = 0;
  bool disk_full = false;
  std::uint8_t level_told = 0;
  metadata_actor metadata;
  membership_actor member;
};

} // namespace cairn::actors

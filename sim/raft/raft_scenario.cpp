#include "sim/raft/raft_scenario.hpp"

#include "sim/raft/raft_cluster.hpp"

namespace cairn::sim {

namespace {

constexpr std::uint64_t extras_salt = 0x5FB3AD20D9B62C6Eull;

raft_options draw(dice& d) {
  raft_options o;
  o.voters = d.pick(std::vector<unsigned>{1, 2, 3, 3, 3, 5});
  o.membership = d.chance(0.4);
  o.servers = o.voters + static_cast<unsigned>(o.membership ? d.below(3) : 0);
  o.grows = o.membership && d.chance(0.3);
  o.transfers = d.chance(0.4);
  o.storage_errors = d.chance(0.4);
  if (d.chance(0.2)) o.loss = o.doubled = 0;
  o.delay_ms = d.chance(0.3) ? 3 : 25;
  o.disk_ms = d.chance(0.3) ? 2 : 12;
  o.compact_every = d.chance(0.3) ? 1000000 : static_cast<unsigned>(d.between(5, 40));
  o.node.unstored_entries_max = d.between(1, 4);
  o.node.entry_commands_max = d.between(1, 8);
  if (d.chance(0.5)) o.node.core.cache_bytes = d.below(2000);
  if (d.chance(0.2)) o.node.core.waiting_bytes_max = 4000;
  return o;
}

// Drawn from a separate source, so that the draws of older seeds do not change.
void draw_extras(raft_options& o, std::uint64_t seed) {
  dice d{seed ^ extras_salt};
  if (d.chance(0.5)) o.crashes_voting = d.pick(std::vector<double>{0.05, 0.2, 0.5});
  o.freezes = d.chance(0.5);
}

std::string described(const raft_options& o) {
  return "servers " + std::to_string(o.servers) + " voters " + std::to_string(o.voters) + (o.grows ? " from one" : "") +
         (o.membership ? " membership" : "") + (o.transfers ? " transfers" : "") +
         (o.storage_errors ? " storage errors" : "") + (o.crashes_voting > 0 ? " voters die" : "") +
         (o.freezes ? " freezes" : "") + " delay " + std::to_string(o.delay_ms) + " compact " +
         std::to_string(o.compact_every) + " cache " + std::to_string(o.node.core.cache_bytes);
}

class trouble {
public:
  trouble(const raft_options& o, raft_cluster& c, dice& d) : options_(o), cluster_(c), dice_(d) {}

  void step() {
    cluster_.run(10 + dice_.below(70));
    const auto lead = cluster_.leader();
    if (lead != 0 && dice_.chance(0.06)) {
      for (auto n = dice_.below(5); n > 0; --n) cluster_.submit(lead);
      cluster_.run(dice_.below(7));
      cluster_.crash(lead);
    }
    if (dice_.chance(0.04)) cluster_.crash(any());
    if (dice_.chance(0.2)) cluster_.start(any());
    if (options_.freezes) freeze(lead);
    if (dice_.chance(0.04)) isolate(any());
    if (dice_.chance(0.08)) cluster_.heal();
    for (raft::server_id id = 1; id <= cluster_.servers(); ++id) {
      const auto* node = cluster_.node(id);
      const bool leads = node != nullptr && node->engine().role() == raft::role::leader;
      if (!leads && !dice_.chance(0.02)) continue;
      for (auto n = dice_.below(4); n > 0; --n) cluster_.submit(id);
      if (dice_.chance(0.5)) cluster_.read(id);
    }
    if (options_.transfers && lead != 0 && dice_.chance(0.03)) cluster_.transfer(lead, any());
    if (options_.membership && lead != 0 && dice_.chance(0.12)) {
      constexpr raft::change_kind kinds[] = {raft::change_kind::add_standby, raft::change_kind::promote,
                                             raft::change_kind::promote, raft::change_kind::demote,
                                             raft::change_kind::remove};
      cluster_.change(lead, any(), kinds[dice_.below(5)]);
    }
  }
  void heal() {
    cluster_.heal();
    for (raft::server_id id = 1; id <= cluster_.servers(); ++id) cluster_.start(id);
  }

private:
  // Mostly the leader: a frozen leader does not notice its successor, and gets a read right after it resumes.
  void freeze(raft::server_id lead) {
    if (!dice_.chance(0.04)) return;
    const auto id = lead != 0 && dice_.chance(0.8) ? lead : any();
    cluster_.freeze(id, dice_.between(200, 6000));
    if (dice_.chance(0.8)) cluster_.read(id);
  }
  raft::server_id any() { return 1 + dice_.below(cluster_.servers()); }
  void isolate(raft::server_id id) {
    for (raft::server_id other = 1; other <= cluster_.servers(); ++other) {
      if (dice_.chance(0.66)) cluster_.cut(other, id);
      if (dice_.chance(0.66)) cluster_.cut(id, other);
    }
  }

  const raft_options& options_;
  raft_cluster& cluster_;
  dice& dice_;
};

} // namespace

raft_run run_raft(std::uint64_t seed) {
  dice d{seed};
  run_digest digest;
  checks problems;
  auto options = draw(d);
  draw_extras(options, seed);
  raft_cluster cluster{options, d, digest, problems};
  trouble t{options, cluster, d};
  for (int i = 1; i <= 300 && !problems.failed(); ++i) {
    t.step();
    if (i % 60 == 0) {
      t.heal();
      cluster.run(3000);
    }
  }
  t.heal();
  cluster.calm();
  cluster.run(15000);
  if (const auto lead = cluster.leader(); lead != 0) cluster.submit(lead);
  cluster.run(5000);
  cluster.check_converged();
  return {problems.problem(),
          described(options) + "; " + cluster.summary() + (problems.failed() ? cluster.standing() : std::string{}),
          digest.value()};
}

} // namespace cairn::sim

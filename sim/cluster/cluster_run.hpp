// One run of a simulated cluster: setup, faults, recovery, checks. The class is one, its parts are in two files:
// cluster_scenario.cpp, and cluster_losses.cpp for disks and nodes that are lost, replaced or put back at the end.
#pragma once

#include "sim/cluster/cluster_census.hpp"
#include "sim/cluster/cluster_operator.hpp"
#include "sim/cluster/cluster_plan.hpp"
#include "sim/world/scenario.hpp"

namespace cairn::sim {

class cluster_run {
public:
  cluster_run(world& w, std::uint64_t seed, bool hostile) : w_(w), plan_(begun(w, seed, hostile)), images_(~seed) {}
  run_result run();

private:
  static cluster_plan begun(world& w, std::uint64_t seed, bool hostile) {
    w.begin(seed);
    return draw_cluster_plan(w.draw, seed, hostile);
  }
  void build();
  void inject_faults();
  void trouble();
  void invite_waiting();
  void crash(cluster_node& n, bool powerless = false);
  void start(cluster_node& n);
  bool restart_failed(); // true: a disk failed since the last call
  void heal();
  void settle(const char* after);
  void drain();
  void take_out_removed();
  void settle_drains();
  void wait_until_demoted(node_number number);
  void take_out(cluster_node& n);
  void remove_drained();
  void replace_disks();
  void restore_disk();
  void restore_metadata();
  bool is_up_to_date(const cluster_node& n) const;
  void replace_refused(cluster_node& n);
  bool may_lose(const cluster_node& a, const cluster_node& b) const;
  std::vector<cluster_node*> draw_two_to_lose();
  void rescue();
  void add_nodes(std::size_t count);
  void pass_retentions(); // of locked versions
  void check_end();
  void expect_no_needless_chunks();
  bool all_ready() const;
  bool is_away(const cluster_node& n) const {
    return plan_.long_absence && n.joined() && n.number() + 1 == plan_.nodes;
  }
  std::string options() const;
  std::string standing() const;

  world& w_;
  checks checks_;
  const cluster_plan plan_;
  dice images_; // which metadata is copied; apart, so that the draws of older seeds do not change
  std::unique_ptr<sim_network> network_;
  std::vector<std::unique_ptr<cluster_node>> nodes_, removed_;
  cluster_node* draining_ = nullptr;
  std::unique_ptr<cluster_workload> work_;
  std::unique_ptr<cluster_operator> operator_;
  std::unique_ptr<bit_rot> bit_rot_;
  std::unique_ptr<cluster_faults> faults_;
  std::unique_ptr<cluster_disks> disks_;
  std::unique_ptr<cluster_rules> rules_;
  cluster_census census_{nodes_};
  std::uint64_t crashes_ = 0, cuts_ = 0, disk_errors_ = 0;
  std::size_t strays_ = 0, added_ = 0;
};

} // namespace cairn::sim

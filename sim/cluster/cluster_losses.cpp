#include "sim/cluster/cluster_run.hpp"

#include <algorithm>

namespace cairn::sim {

using namespace std::chrono_literals;

void cluster_run::replace_disks() {
  if (nodes_.size() < 3) return;
  auto& n = *w_.draw.pick(nodes_);
  n.crash(true);
  n.replace_disks();
  w_.run_for(microseconds{w_.draw.below(5'000'000)});
  start(n);
  if (!w_.run_until([&] { return all_ready() || checks_.failed(); }, 2min))
    return checks_.fail("not ready after a disk was replaced: " + standing());
  settle("after a disk was replaced");
}

void cluster_run::restore_disk() {
  const auto n = std::ranges::find_if(nodes_, [](const auto& it) { return it->has_disk_image(); });
  if (n == nodes_.end() || nodes_.size() < 3) return;
  (*n)->crash(true);
  (*n)->restore_disk();
  start(**n);
  if (!w_.run_until([&] { return all_ready() || checks_.failed(); }, 2min))
    return checks_.fail("not ready after an old disk was put back: " + standing());
  settle("after an old disk was put back");
}

bool cluster_run::is_up_to_date(const cluster_node& n) const {
  return n.ready() && std::ranges::all_of(nodes_, [&](const auto& other) { return n.applied() >= other->applied(); });
}

// A member's log and state are put back from an image, so that it has forgotten what it acknowledged. If the leader can
// know that, the cluster refuses it, and an operator replaces it by a new node. Otherwise it fetches what it lacks. It
// must not stay behind.
void cluster_run::restore_metadata() {
  const auto at = std::ranges::find_if(nodes_, [](const auto& it) { return it->has_metadata_image(); });
  if (at == nodes_.end() || nodes_.size() < 3) return;
  auto& n = **at;
  crash(n, true);
  n.restore_metadata();
  start(n);
  const auto decided = [&] { return n.refused() || (all_ready() && is_up_to_date(n)); };
  if (!w_.run_until([&] { return decided() || checks_.failed(); }, 2min))
    return checks_.fail("neither up to date nor refused after old metadata was put back: " + standing());
  w_.run_for(20s);
  if (n.refused()) return replace_refused(n);
  settle("after old metadata was put back");
}

void cluster_run::replace_refused(cluster_node& n) {
  const auto number = *n.member_number();
  take_out(n);
  storage::metadata::set_node change;
  change.node = number;
  change.state = cluster::member_state::draining;
  if (auto done = work_->operate(change); !done)
    return checks_.fail("draining a node that is refused: " + to_string(done.error()));
  settle("after a refused node was drained");
  if (checks_.failed()) return;
  if (auto done = work_->operate(storage::metadata::remove_node{number}); !done)
    return checks_.fail("removing a node that is refused: " + to_string(done.error()));
  wait_until_demoted(number);
  if (!checks_.failed()) add_nodes(1);
}

// Whether each partition has an owner beside these two.
bool cluster_run::may_lose(const cluster_node& a, const cluster_node& b) const {
  const auto layout = nodes_.front()->layout();
  return layout && std::ranges::all_of(layout->partitions, [&](const auto& owners) {
           return std::ranges::any_of(nodes_, [&](const auto& n) {
             return n.get() != &a && n.get() != &b && owners.current.contains(*n->member_number());
           });
         });
}

std::vector<cluster_node*> cluster_run::draw_two_to_lose() {
  std::vector<cluster_node*> left;
  for (const auto& n : nodes_) left.push_back(n.get());
  auto* const first = left[w_.draw.below(left.size())];
  std::erase(left, first);
  auto* const second = left[w_.draw.below(left.size())];
  if (may_lose(*first, *second)) return {first, second};
  for (const auto& a : nodes_)
    for (const auto& b : nodes_)
      if (a != b && may_lose(*a, *b)) return {a.get(), b.get()};
  return {}; // others were drained or have no weight
}

// Two of three or four nodes are lost for good, and with them a majority of the voters or nearly. The others go on as
// docs/recovery.md says. Nothing was being written, so nothing that was acknowledged may be missing.
void cluster_run::rescue() {
  if (plan_.member.replicas != 3 || nodes_.size() < 3 || nodes_.size() > 4) return;
  std::vector<node_number> lost;
  for (auto* const n : draw_two_to_lose()) {
    lost.push_back(*n->member_number());
    take_out(*n);
  }
  if (lost.empty()) return;
  for (const auto& n : nodes_) n->crash(w_.draw.chance(0.5));
  const auto best = std::ranges::max_element(nodes_, {}, [](const auto& n) { return n->log_end(); });
  uuid fresh{};
  fresh.fill(0xCB);
  (*best)->recover(fresh);
  if (checks_.failed()) return;
  for (const auto& n : nodes_)
    if (n != *best) n->rejoin();
  start(**best);
  for (const auto& n : nodes_)
    if (n != *best) start(*n);
  if (!w_.run_until([&] { return all_ready() || checks_.failed(); }, 3min))
    return checks_.fail("not ready after a rescue: " + standing());
  settle("after a rescue");
  for (const auto number : lost) {
    if (checks_.failed()) return;
    if (auto done = work_->operate(storage::metadata::remove_node{number}); !done)
      return checks_.fail("removing a node that was lost: " + to_string(done.error()));
  }
  if (auto done = work_->operate(storage::metadata::hold_deletions{false}); !done)
    return checks_.fail("letting deletions go on: " + to_string(done.error()));
  add_nodes(lost.size());
}

void cluster_run::add_nodes(std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    nodes_.push_back(std::make_unique<cluster_node>(w_, checks_, *network_, plan_.member, plan_.nodes + added_++));
    start(*nodes_.back());
  }
  const auto until = w_.now() + 3min;
  while (!all_ready() && !checks_.failed()) {
    if (w_.now() > until) return checks_.fail("new nodes do not get ready: " + standing());
    invite_waiting();
    w_.run_for(1s);
  }
  settle("after new nodes were added");
}

} // namespace cairn::sim

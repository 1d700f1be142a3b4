#include "sim/cluster/cluster_scenario.hpp"

#include "sim/cluster/cluster_run.hpp"

#include <algorithm>
#include <utility>

namespace cairn::sim {

using namespace std::chrono_literals;

void cluster_run::build() {
  network_ = std::make_unique<sim_network>(w_, plan_.calm_net);
  for (std::size_t i = 0; i < plan_.nodes; ++i) {
    auto mine = plan_.member;
    mine.clock.drift_ppm = w_.draw.chance(0.5) ? 0 : std::int64_t(w_.draw.between(0, 4000)) - 2000;
    mine.clock.wall_off = std::chrono::milliseconds{std::int64_t(w_.draw.between(0, 120'000)) - 60'000};
    if (plan_.rules.exact_clocks) mine.clock = {};
    if (plan_.old_level != 0 && w_.draw.chance(0.5)) mine.feature_level = plan_.old_level;
    nodes_.push_back(std::make_unique<cluster_node>(w_, checks_, *network_, mine, i));
  }
  work_ = std::make_unique<cluster_workload>(w_, checks_, nodes_, plan_.work);
  operator_ = std::make_unique<cluster_operator>(w_, checks_, nodes_, *work_);
  bit_rot_ = std::make_unique<bit_rot>(w_, nodes_);
  faults_ = std::make_unique<cluster_faults>(w_, *network_, nodes_, plan_.faults);
  disks_ = std::make_unique<cluster_disks>(w_, nodes_, plan_.disk_faults);
  rules_ = std::make_unique<cluster_rules>(w_, checks_, nodes_, *work_, plan_.rules);
  const disk_check restart = [this] { return restart_failed(); };
  for (const auto& n : nodes_) {
    if (n->number() >= plan_.at_first) break;
    start(*n);
    const auto done = [&] { return n->ready() || checks_.failed(); };
    tries_beside_faults tries;
    while (!w_.run_until(done, 2min) && tries.again(restart)) continue;
    if (checks_.failed()) return;
    if (!n->ready()) return checks_.fail("a node does not become ready: " + standing());
    if (n == nodes_.front()) work_->make_bucket(restart);
  }
  if (!checks_.failed()) rules_->begin(restart);
}

void cluster_run::start(cluster_node& n) {
  std::vector<uuid> known;
  for (const auto& other : nodes_)
    if (other->joined() && other.get() != &n) known.push_back(other->id());
  // A backup of a stopped node; the last one counts.
  if (plan_.restores_disks && w_.draw.chance(0.5)) n.keep_disk_image(w_.draw.below(n.disks()));
  if (plan_.restores_metadata && n.joined() && images_.chance(0.5)) n.keep_metadata_image();
  disks_->open(n);
  if (n.is_old() && w_.draw.chance(0.3)) n.upgrade();
  n.start(known);
  if (n.running()) disks_->begin(n);
}

void cluster_run::crash(cluster_node& n, bool powerless) {
  ++crashes_;
  work_->crashing(n);
  n.crash(powerless || (plan_.power_losses && w_.draw.chance(0.6)));
}

// Restarts nodes whose disks have failed, as an operator would.
bool cluster_run::restart_failed() {
  const auto before = std::exchange(disk_errors_, disks_->errors());
  for (const auto& n : nodes_) {
    if (!disks_->has_failed_disk(*n)) continue;
    crash(*n);
    start(*n);
  }
  return disk_errors_ > before;
}

// Invites nodes that wait for an operator because nodes were removed before they asked to join.
void cluster_run::invite_waiting() {
  for (const auto& n : nodes_) {
    if (!n->running() || n->joined()) continue;
    const auto leader = std::ranges::find_if(nodes_, [](const auto& other) { return other->leads(); });
    const auto layout = leader == nodes_.end() ? nullptr : (*leader)->layout();
    if (!layout ||
        std::ranges::none_of(layout->members, [](const auto& m) { return m.state == cluster::member_state::removed; }))
      continue;
    const auto wall = (*leader)->wall(); // which judges how long an invitation holds
    (void)work_->try_once(**leader, storage::metadata::invite_node{{{}, n->id(), wall + 86'400'000}, wall});
  }
}

void cluster_run::trouble() {
  auto& d = w_.draw;
  const auto any = [&]() -> cluster_node& { return *d.pick(nodes_); };
  auto& n = any();
  if (plan_.drains && !draining_ && d.chance(0.2)) drain();
  if (plan_.commands && d.chance(0.3)) operator_->act();
  invite_waiting();
  if (plan_.rots && d.chance(0.5)) bit_rot_->flip();
  if (plan_.rows_rot && d.chance(0.1)) bit_rot_->flip_row();
  if (plan_.crashes && d.chance(0.4)) {
    if (n.running())
      crash(n);
    else if (!is_away(n))
      start(n);
  }
  for (const auto& other : nodes_)
    if (!other->running() && !is_away(*other) && d.chance(0.3)) start(*other);
  if (plan_.partitions && d.chance(0.4)) {
    ++cuts_;
    auto& one = any();
    const double most = d.chance(0.5) ? 1.0 : 0.5;
    for (const auto& other : nodes_)
      if (other.get() != &one && d.chance(most)) network_->cut(one.id(), other->id());
  }
  faults_->act();
  disks_->act();
  rules_->act();
  if (auto* const powerless = disks_->lose_power()) crash(*powerless, true);
  if (d.chance(0.35)) network_->heal();
}

void cluster_run::inject_faults() {
  work_->begin();
  network_->set_plan(plan_.rough_net);
  const auto until = w_.now() + plan_.trouble;
  while (w_.now() < until && !work_->done() && !checks_.failed()) {
    w_.run_for(microseconds{w_.draw.between(1'000, std::uint64_t(plan_.pause_max.count()))});
    if (!checks_.failed()) trouble();
  }
}

bool cluster_run::all_ready() const {
  return std::ranges::all_of(nodes_, [](const auto& n) { return n->ready(); }) &&
         std::ranges::any_of(nodes_, [](const auto& n) { return n->leads(); });
}

void cluster_run::heal() {
  faults_->end();
  disks_->end();
  network_->heal();
  network_->set_plan(plan_.calm_net);
  for (const auto& n : nodes_) {
    if (disks_->has_failed_disk(*n)) crash(*n); // an operator restarts it
    if (n->is_old() && n->running()) crash(*n);
    n->upgrade();
    if (!n->running()) start(*n);
  }
  if (!w_.run_until([&] { return work_->done() || checks_.failed(); }, 10min))
    return checks_.fail("no answer to: " + work_->waiting() + "; " + standing());
  if (plan_.commands && !checks_.failed()) take_out_removed();
  if (!checks_.failed()) invite_waiting();
  if (!w_.run_until([&] { return all_ready() || checks_.failed(); }, 2min))
    return checks_.fail("not ready after all faults were repaired: " + standing());
  // What a node began while its machine was slow takes as long as it took then.
  const auto old_job = [](const auto& n) { return n->longest_job() > 5s; };
  if (!w_.run_until([&] { return std::ranges::none_of(nodes_, old_job) || checks_.failed(); }, 5min))
    return checks_.fail("a job does not end after all faults were repaired: " + standing());
  const auto until = w_.now() + 2min;
  while (plan_.rots && !bit_rot_->metadata_is_whole() && !checks_.failed()) {
    if (w_.now() > until) return checks_.fail("damaged metadata was not replaced: " + standing());
    w_.run_for(1s);
  }
  settle("after all faults were repaired");
  if (plan_.commands && !checks_.failed()) take_out_removed(); // a removal ends when the node holds nothing any more
  if (plan_.commands && !checks_.failed()) settle_drains();
  if (draining_ && !checks_.failed()) remove_drained();
  if (plan_.replaces_disks && !checks_.failed()) replace_disks();
  if (plan_.restores_disks && !checks_.failed()) restore_disk();
  if (plan_.restores_metadata && !checks_.failed()) restore_metadata();
  if (plan_.rescues && !checks_.failed()) rescue();
}

// ── members and their data ──

// The command may be lost with the node that was asked; then no node is drained.
void cluster_run::drain() {
  std::size_t members = 0;
  for (const auto& n : nodes_) members += n->ready();
  auto& n = *w_.draw.pick(nodes_);
  if (members < 2 || !n.ready()) return;
  if (plan_.commands) { // other nodes may hold nothing
    if (operator_->run({actors::admin_verb::drain, *n.member_number(), 0, {}, {}})) draining_ = &n;
    return;
  }
  storage::metadata::set_node change;
  change.node = *n.member_number();
  change.state = cluster::member_state::draining;
  draining_ = &n;
  (void)work_->operate(change);
}

// Takes nodes out that an operator removed while faults were active.
void cluster_run::take_out_removed() {
  const auto led = [&] { return std::ranges::any_of(nodes_, [](const auto& n) { return n->leads(); }); };
  if (!w_.run_until([&] { return led() || checks_.failed(); }, 2min))
    return checks_.fail("there is no leader: " + standing());
  w_.run_for(2s);
  std::vector<cluster_node*> gone;
  for (const auto& n : nodes_)
    for (const auto& other : nodes_)
      if (const auto l = other->layout(); l && n->member_number() && *n->member_number() < l->members.size() &&
                                          l->members[*n->member_number()].state == cluster::member_state::removed) {
        gone.push_back(n.get());
        break;
      }
  for (auto* n : gone) {
    wait_until_demoted(*n->member_number());
    if (checks_.failed()) return;
    if (draining_ == n) draining_ = nullptr;
    take_out(*n);
  }
}

// Every drain of an operator ends in an activation, one of them possibly in a removal.
void cluster_run::settle_drains() {
  const auto layout = nodes_.front()->layout();
  for (const auto& m : layout->members) {
    auto* const n = m.state == cluster::member_state::draining ? census_.member(m.number) : nullptr;
    if (!n || n == draining_) continue;
    if (plan_.removes && !draining_) {
      draining_ = n;
    } else if (auto done = operator_->run({actors::admin_verb::activate, m.number, 0, {}, {}}); !done) {
      return checks_.fail("an activation: " + to_string(done.error()));
    }
  }
  settle("after an activation");
}

void cluster_run::wait_until_demoted(node_number number) {
  const auto until = w_.now() + 2min;
  for (bool gone = false; !gone;) {
    w_.run_for(500ms);
    const auto other =
        std::ranges::find_if(nodes_, [number](const auto& n) { // one that was just restarted may not serve
          return n->serves() && n->member_number() != number;
        });
    const auto members =
        other == nodes_.end() ? std::make_shared<std::vector<node_number>>() : (*other)->ask_log_members();
    w_.run_for(10ms);
    gone = !members->empty() && std::ranges::find(*members, number) == members->end();
    if (!gone && w_.now() > until) return checks_.fail("a removed node is still a member of the log: " + standing());
  }
}

void cluster_run::take_out(cluster_node& n) {
  work_->crashing(n);
  n.crash(false);
  const auto at = std::ranges::find(nodes_, &n, &std::unique_ptr<cluster_node>::get);
  removed_.push_back(std::move(*at));
  nodes_.erase(at);
}

void cluster_run::remove_drained() {
  const auto number = *draining_->member_number();
  storage::metadata::set_node change;
  change.node = number;
  change.state = cluster::member_state::draining;
  const auto drained =
      plan_.commands ? operator_->run({actors::admin_verb::drain, number, 0, {}, {}}) : work_->operate(change);
  if (!drained && plan_.commands && drained.error() == errc::precondition_failed) { // other nodes may hold nothing
    draining_ = nullptr;
    return;
  }
  if (!drained) return checks_.fail("draining: " + to_string(drained.error()));
  settle("after a drain");
  if (checks_.failed()) return;
  if (auto done = work_->operate(storage::metadata::remove_node{number}); !done)
    return checks_.fail("removing a node that was drained: " + to_string(done.error()));
  // An operator waits until the node is no member of the log any more: to remove one of two voters, both are needed.
  wait_until_demoted(number);
  if (checks_.failed()) return;
  take_out(*std::exchange(draining_, nullptr));
  if (!w_.run_until([&] { return all_ready() || checks_.failed(); }, 2min))
    return checks_.fail("not ready after a removal: " + standing());
  settle("after a removal");
}

// Waits until every partition is on its target owners and every live chunk on all its owners.
void cluster_run::settle(const char* after) {
  const auto until = w_.now() + 15min;
  w_.run_for(6s); // suspect peers are probed meanwhile
  std::string problem;
  do {
    w_.run_for(2s);
    problem = census_.unsettled(plan_.rots);
    if (plan_.rots && !problem.empty()) bit_rot_->read_damaged(plan_.scrubs);
  } while (!problem.empty() && w_.now() < until && !checks_.failed());
  if (!problem.empty()) checks_.fail(std::string{after} + ": " + problem + "; " + standing());
}

// A chunk that a fault left behind is erased at the latest by the next walk of its disk, any other with its blob.
void cluster_run::expect_no_needless_chunks() {
  const auto until = w_.now() + (plan_.trouble.count() > 0 ? 2 * plan_.member.walk_every + 30s : 30s);
  std::string problem;
  do {
    w_.run_for(5s);
    problem = census_.needless_chunk();
  } while (!problem.empty() && w_.now() < until);
  if (!problem.empty()) checks_.fail(problem + "; " + standing());
  strays_ = census_.stray_chunks();
}

void cluster_run::check_end() {
  work_->expect_no_failures();
  if (plan_.work.uploads > 0) work_->settle_uploads();
  rules_->expire_all();
  if (checks_.failed()) return;
  work_->verify();
  if (!checks_.failed()) work_->verify_versions();
  if (!checks_.failed()) work_->verify_quota();
  if (!checks_.failed()) work_->verify_locks([this] { pass_retentions(); });
  if (checks_.failed()) return;
  work_->judge();
  if (plan_.looks_for_leftovers) expect_no_needless_chunks();
  w_.run_for(20s);
  const auto before = nodes_.front()->applied();
  w_.run_for(5s);
  const log_index lock_times = plan_.work.locks > 0 ? 1 : 0;
  if (const auto grown = nodes_.front()->applied() - before; grown > lock_times)
    checks_.fail("the log grew by " + std::to_string(grown) + " entries in an idle cluster");
  for (const auto& n : nodes_)
    if (const auto left = n->leftovers(); !left.empty()) checks_.fail(left);
  if (const auto wrong = census_.miscounted(); !wrong.empty()) checks_.fail(wrong);
}

// The lock time follows the clocks by a step of half a minute.
void cluster_run::pass_retentions() {
  const auto end = work_->last_retention() + 1;
  for (const auto& n : nodes_)
    if (n->running() && n->wall() < end) n->jump_clock(std::chrono::milliseconds{end - n->wall()});
  w_.run_for(60s);
}

std::string cluster_run::options() const {
  return to_string(plan_) + "; crashes " + std::to_string(crashes_) + ", cuts " + std::to_string(cuts_) +
         (plan_.commands && operator_ ? ", " + operator_->summary() : "") +
         (plan_.rots && bit_rot_
              ? ", rotten chunks " + std::to_string(bit_rot_->count()) + ", rows " + std::to_string(bit_rot_->rows())
              : "") +
         (faults_ ? faults_->options() : "") + (disks_ ? disks_->options() : "") + (rules_ ? rules_->options() : "") +
         (strays_ > 0 ? ", stray chunks " + std::to_string(strays_) : "") + ", " + work_->summary() + ", virtual s " +
         std::to_string(w_.elapsed().count() / 1'000'000) + ", steps " + std::to_string(w_.steps());
}

std::string cluster_run::standing() const {
  std::string out;
  for (const auto& n : nodes_) out += (out.empty() ? "" : "; ") + n->standing();
  return out;
}

run_result cluster_run::run() {
  build();
  if (!checks_.failed()) inject_faults();
  if (!checks_.failed()) heal();
  if (!checks_.failed()) check_end();
  run_result out;
  out.options = options();
  for (const auto& n : nodes_) {
    if (!n->running()) continue;
    work_->crashing(*n);
    n->crash(false);
  }
  w_.forget_everything();
  rules_.reset();
  disks_.reset();
  faults_.reset();
  bit_rot_.reset();
  operator_.reset();
  work_.reset();
  nodes_.clear();
  removed_.clear();
  network_.reset();
  w_.forget_everything();
  out.problem = checks_.problem();
  out.digest = w_.digest.value();
  return out;
}

run_result run_cluster(world& w, std::uint64_t seed) {
  return cluster_run{w, seed, false}.run();
}

run_result run_hostile_cluster(world& w, std::uint64_t seed) {
  return cluster_run{w, seed, true}.run();
}

} // namespace cairn::sim

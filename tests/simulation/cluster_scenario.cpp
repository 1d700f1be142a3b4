#include "tests/simulation/cluster_scenario.hpp"

#include "tests/simulation/cluster_operator.hpp"
#include "tests/simulation/cluster_workload.hpp"
#include "tests/simulation/rotten_bits.hpp"

#include <algorithm>

namespace cairn::sim {

namespace {

using namespace std::chrono_literals;

struct cluster_plan {
  std::size_t nodes = 3;
  std::size_t at_first = 3;                                          // the others join in the middle of it
  bool drains = false, replaces_disks = false, long_absence = false; // of the last node
  bool wishes = false, removes = false; // an operator's, of any kind; a drained node at the end
  bool rots = false, scrubs = false;    // bits; found by operators' wishes, not by readers
  bool crashes = false, power_losses = false, partitions = false, broken_links = false, late_messages = false;
  microseconds trouble{0}; // how long
  microseconds pause_max{2s};
};

class cluster_run {
public:
  cluster_run(world& w, std::uint64_t seed) : w_(w), seed_(seed) { w_.begin(seed); }
  run_result run();

private:
  void draw();
  void draw_extras(std::uint64_t seed);
  void build();
  void make_trouble();
  void trouble();
  void let_in();
  void crash(cluster_node& n);
  void start(cluster_node& n);
  void mend();
  void settle(const char* after);
  std::string unsettled() const;
  std::string unsettled_chunks(cluster_node& through, const cluster::layout& layout) const;
  cluster_node* member(storage::node_number number) const;
  void drain();
  void take_out_removed();
  void settle_drains();
  void wait_until_it_votes_no_more(storage::node_number number);
  void take_out(cluster_node& n);
  void remove_drained();
  void replace_disks();
  void check_end();
  bool all_ready() const;
  bool is_away(const cluster_node& n) const {
    return plan_.long_absence && n.joined() && n.number() + 1 == plan_.nodes;
  }
  std::string options() const;
  std::string standing() const;

  world& w_;
  const std::uint64_t seed_;
  checks checks_;
  cluster_plan plan_;
  network_plan calm_net_, rough_net_;
  member_plan member_;
  cluster_work_plan work_plan_;
  std::unique_ptr<sim_network> network_;
  std::vector<std::unique_ptr<cluster_node>> nodes_, removed_;
  cluster_node* draining_ = nullptr;
  std::unique_ptr<cluster_workload> work_;
  std::unique_ptr<cluster_operator> operator_;
  std::unique_ptr<rotten_bits> rot_;
  std::uint64_t crashes_ = 0, cuts_ = 0;
};

void cluster_run::draw() {
  auto& d = w_.draw;
  plan_.nodes = d.pick(std::vector<std::size_t>{1, 2, 3, 3, 3, 3, 3, 4, 4, 5, 5, 6});
  plan_.at_first = d.chance(0.6) ? plan_.nodes : d.between(1, plan_.nodes);
  plan_.drains = plan_.nodes > 1 && d.chance(0.25);
  plan_.replaces_disks = plan_.nodes > 2 && d.chance(0.2);
  plan_.crashes = d.chance(0.6);
  plan_.long_absence = plan_.crashes && plan_.nodes > 2 && d.chance(0.3);
  plan_.power_losses = plan_.crashes && d.chance(0.6);
  plan_.partitions = d.chance(0.5);
  plan_.broken_links = d.chance(0.4);
  plan_.late_messages = d.chance(0.3);
  if (plan_.crashes || plan_.partitions || plan_.broken_links || plan_.late_messages)
    plan_.trouble = microseconds{d.between(5'000'000, 40'000'000)};
  plan_.pause_max = microseconds{d.between(300'000, 6'000'000)};
  if (d.chance(0.4)) { // what takes minutes happens within the run
    member_.steward.session_ends_after = std::chrono::milliseconds{d.between(7'000, 20'000)};
    member_.steward.out_after = std::chrono::milliseconds{d.between(8'000, 25'000)};
  }
  calm_net_.delay_max = microseconds{d.between(100, d.chance(0.2) ? 20'000 : 2'000)};
  rough_net_ = calm_net_;
  if (plan_.late_messages) {
    rough_net_.late = d.pick(std::vector<double>{0.002, 0.02, 0.1});
    rough_net_.late_max = microseconds{d.between(20'000, 3'000'000)};
  }
  if (plan_.broken_links) rough_net_.breaks = d.pick(std::vector<double>{0.0005, 0.005, 0.02});
  for (auto* times : {&member_.disk_times, &member_.metadata_times, &member_.digest_times}) {
    times->max = microseconds{d.between(50, d.chance(0.3) ? 20'000 : 2'000)};
    if (d.chance(0.1)) times->slow = 0.01, times->slow_max = 2s;
  }
  member_.disks = d.chance(0.8) ? 1 : 2;
  member_.upload_window = std::uint32_t(d.between(1, 6));
  member_.window_max = std::uint32_t(d.between(2, 6));
  if (d.chance(0.3)) {
    member_.compact_after_entries = d.between(5, 60);
    member_.entries_kept = d.between(0, 20);
  }
  work_plan_.keys = d.between(1, 5);
  work_plan_.users = d.between(2, 6);
  work_plan_.operations = d.between(40, 140);
  work_plan_.pause_max = microseconds{d.between(20'000, 900'000)};
  if (plan_.nodes == 6 && d.chance(0.5)) plan_.nodes = 7;
}

// From a source of its own: what a seed without them draws stays as it was.
void cluster_run::draw_extras(std::uint64_t seed) {
  dice d{seed ^ 0x2545F4914F6CDD1Dull};
  if (d.chance(0.3)) work_plan_.uploads = d.pick(std::vector<double>{0.05, 0.15, 0.3});
  plan_.wishes = plan_.trouble.count() > 0 && d.chance(0.3);
  plan_.removes = plan_.wishes && d.chance(0.5);
  plan_.rots = plan_.nodes > 2 && plan_.trouble.count() > 0 && d.chance(0.3);
  plan_.scrubs = plan_.rots && d.chance(0.4);
  work_plan_.rotten_bits = plan_.rots;
  member_.scrubs = plan_.scrubs;
  if (d.chance(0.2)) rough_net_.doubled = d.pick(std::vector<double>{0.005, 0.05, 0.2});
}

void cluster_run::build() {
  network_ = std::make_unique<sim_network>(w_, calm_net_);
  for (std::size_t i = 0; i < plan_.nodes; ++i) {
    auto mine = member_;
    mine.clock.drift_ppm = w_.draw.chance(0.5) ? 0 : std::int64_t(w_.draw.between(0, 4000)) - 2000;
    mine.clock.wall_off = std::chrono::milliseconds{std::int64_t(w_.draw.between(0, 120'000)) - 60'000};
    nodes_.push_back(std::make_unique<cluster_node>(w_, checks_, *network_, mine, i));
  }
  work_ = std::make_unique<cluster_workload>(w_, checks_, nodes_, work_plan_);
  operator_ = std::make_unique<cluster_operator>(w_, checks_, nodes_, *work_);
  rot_ = std::make_unique<rotten_bits>(w_, nodes_);
  for (const auto& n : nodes_) {
    if (n->number() >= plan_.at_first) break;
    start(*n);
    w_.run_until([&] { return n->ready() || checks_.failed(); }, 2min);
    if (checks_.failed()) return;
    if (!n->ready()) return checks_.fail("a node does not get ready: " + standing());
    if (n == nodes_.front()) work_->make_bucket(*n);
  }
}

void cluster_run::start(cluster_node& n) {
  std::vector<storage::uuid> known;
  for (const auto& other : nodes_)
    if (other->joined() && other.get() != &n) known.push_back(other->id());
  n.start(std::move(known));
}

void cluster_run::crash(cluster_node& n) {
  ++crashes_;
  work_->crashing(n);
  n.crash(plan_.power_losses && w_.draw.chance(0.6));
}

// Nodes that wait for an operator, because others were removed before they came.
void cluster_run::let_in() {
  for (const auto& n : nodes_) {
    if (!n->running() || n->joined()) continue;
    const auto leader = std::ranges::find_if(nodes_, [](const auto& other) { return other->leads(); });
    const auto layout = leader == nodes_.end() ? nullptr : (*leader)->layout();
    if (!layout ||
        std::ranges::none_of(layout->members, [](const auto& m) { return m.state == cluster::member_state::removed; }))
      continue;
    const auto wall = w_.clock().wall();
    (void)work_->try_once(**leader, storage::metadata::invite_node{{{}, n->id(), wall + 86'400'000}, wall});
  }
}

void cluster_run::trouble() {
  auto& d = w_.draw;
  const auto any = [&]() -> cluster_node& { return *d.pick(nodes_); };
  auto& n = any();
  if (plan_.drains && !draining_ && d.chance(0.2)) drain();
  if (plan_.wishes && d.chance(0.3)) operator_->act();
  if (plan_.removes) let_in();
  if (plan_.rots && d.chance(0.5)) rot_->flip();
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
  if (d.chance(0.35)) network_->mend();
}

void cluster_run::make_trouble() {
  work_->begin();
  network_->set_plan(rough_net_);
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

void cluster_run::mend() {
  network_->mend();
  network_->set_plan(calm_net_);
  for (const auto& n : nodes_)
    if (!n->running()) start(*n);
  if (!w_.run_until([&] { return work_->done() || checks_.failed(); }, 10min))
    return checks_.fail("not answered: " + work_->waiting() + "; " + standing());
  if (plan_.wishes && !checks_.failed()) take_out_removed();
  if (plan_.removes && !checks_.failed()) let_in();
  if (!w_.run_until([&] { return all_ready() || checks_.failed(); }, 2min))
    return checks_.fail("not ready after all was mended: " + standing());
  settle("after all was mended");
  if (plan_.wishes && !checks_.failed()) settle_drains();
  if (draining_ && !checks_.failed()) remove_drained();
  if (plan_.replaces_disks && !checks_.failed()) replace_disks();
}

// ── members and their data ──

cluster_node* cluster_run::member(storage::node_number number) const {
  for (const auto& n : nodes_)
    if (n->member_number() == number) return n.get();
  return nullptr;
}

// One time in some the command is lost with the node that was asked: then nobody is drained.
void cluster_run::drain() {
  std::size_t members = 0;
  for (const auto& n : nodes_) members += n->ready();
  auto& n = *w_.draw.pick(nodes_);
  if (members < 2 || !n.ready()) return;
  if (plan_.wishes) { // others may hold nothing
    if (operator_->wish({actors::membership_wish::drain, *n.member_number(), 0, {}, {}})) draining_ = &n;
    return;
  }
  storage::metadata::set_node change;
  change.node = *n.member_number();
  change.state = cluster::member_state::draining;
  draining_ = &n;
  (void)work_->operate(change);
}

// Those that an operator removed in the midst of the trouble.
void cluster_run::take_out_removed() {
  const auto led = [&] { return std::ranges::any_of(nodes_, [](const auto& n) { return n->leads(); }); };
  if (!w_.run_until([&] { return led() || checks_.failed(); }, 2min))
    return checks_.fail("nobody leads: " + standing());
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
    wait_until_it_votes_no_more(*n->member_number());
    if (checks_.failed()) return;
    if (draining_ == n) draining_ = nullptr;
    take_out(*n);
  }
}

// An operator's drains end in an activation, or one of them in a removal.
void cluster_run::settle_drains() {
  const auto layout = nodes_.front()->layout();
  for (const auto& m : layout->members) {
    auto* const n = m.state == cluster::member_state::draining ? member(m.number) : nullptr;
    if (!n || n == draining_) continue;
    if (plan_.removes && !draining_) {
      draining_ = n;
    } else if (auto done = operator_->wish({actors::membership_wish::activate, m.number, 0, {}, {}}); !done) {
      return checks_.fail("an activation: " + to_string(done.error()));
    }
  }
  settle("after an activation");
}

void cluster_run::wait_until_it_votes_no_more(storage::node_number number) {
  const auto until = w_.now() + 2min;
  for (bool gone = false; !gone;) {
    w_.run_for(500ms);
    const auto& other = nodes_.front()->member_number() == number ? nodes_.back() : nodes_.front();
    const auto members = other->ask_log_members();
    w_.run_for(10ms);
    gone = !members->empty() && std::ranges::find(*members, number) == members->end();
    if (!gone && w_.now() > until) return checks_.fail("a removed node still holds the log: " + standing());
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
      plan_.wishes ? operator_->wish({actors::membership_wish::drain, number, 0, {}, {}}) : work_->operate(change);
  if (!drained && plan_.wishes && drained.error() == errc::precondition_failed) { // others may hold nothing
    draining_ = nullptr;
    return;
  }
  if (!drained) return checks_.fail("draining: " + to_string(drained.error()));
  settle("after a drain");
  if (checks_.failed()) return;
  if (auto done = work_->operate(storage::metadata::remove_node{number}); !done)
    return checks_.fail("removing a node that was drained: " + to_string(done.error()));
  // An operator waits until the node holds the log no more: of two voters both are needed.
  wait_until_it_votes_no_more(number);
  if (checks_.failed()) return;
  take_out(*std::exchange(draining_, nullptr));
  if (!w_.run_until([&] { return all_ready() || checks_.failed(); }, 2min))
    return checks_.fail("not ready after a removal: " + standing());
  settle("after a removal");
}

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

// Every partition is where it is to be, and every live chunk on all its owners.
void cluster_run::settle(const char* after) {
  const auto until = w_.now() + 15min;
  w_.run_for(6s); // suspicions end
  std::string problem;
  do {
    w_.run_for(2s);
    problem = unsettled();
    if (plan_.rots && !problem.empty()) rot_->meet(plan_.scrubs);
  } while (!problem.empty() && w_.now() < until && !checks_.failed());
  if (!problem.empty()) checks_.fail(std::string{after} + ": " + problem + "; " + standing());
}

std::string cluster_run::unsettled() const {
  actors::layout_ptr newest;
  for (const auto& n : nodes_) {
    const auto l = n->layout();
    if (!l) return "a node knows no layout";
    if (newest && newest->epoch != l->epoch) return "layouts differ";
    newest = l;
  }
  for (const auto& m : newest->members)
    if (m.down_since != 0 && member(m.number)) return "a member counts as down";
  const auto moving = cluster::pending_moves(*newest);
  if (moving.partitions > 0) return std::to_string(moving.partitions) + " partitions have not moved";
  return unsettled_chunks(*nodes_.front(), *newest);
}

std::string cluster_run::unsettled_chunks(cluster_node& through, const cluster::layout& layout) const {
  const auto view = through.view();
  if (!view) return "the metadata can't be read";
  if (const auto waiting = view->repairs_waiting(); waiting > 0) return std::to_string(waiting) + " repairs wait";
  const auto live = view->blobs(std::nullopt, 1000);
  if (!live || live->next) return "blobs are not listed";
  for (const auto& blob : live->blobs) {
    for (std::uint32_t i = 0; i < blob.chunks; ++i) {
      const storage::chunk_id id{blob.blob, i};
      for (const auto owner : layout.partitions[storage::partition_of(id)].current) {
        const auto* n = member(owner);
        if (!n) return "a partition of a node that is gone";
        if (!n->has(id)) return "node " + std::to_string(n->number()) + " lacks chunk " + to_string(id);
        if (plan_.rots && !n->good(id)) return "node " + std::to_string(n->number()) + " keeps rotten " + to_string(id);
      }
    }
  }
  return {};
}

void cluster_run::check_end() {
  work_->expect_no_failures();
  if (work_plan_.uploads > 0) work_->settle_uploads();
  if (checks_.failed()) return;
  work_->verify();
  if (checks_.failed()) return;
  work_->judge();
  w_.run_for(20s);
  const auto before = nodes_.front()->applied();
  w_.run_for(5s);
  if (const auto grown = nodes_.front()->applied() - before; grown > 0)
    checks_.fail("the log grew by " + std::to_string(grown) + " entries though nothing happens");
  for (const auto& n : nodes_)
    if (const auto left = n->leftovers(); !left.empty()) checks_.fail(left);
}

std::string cluster_run::options() const {
  return std::to_string(plan_.nodes) + " nodes, keys " + std::to_string(work_plan_.keys) + ", users " +
         std::to_string(work_plan_.users) + ", operations " + std::to_string(work_plan_.operations) +
         (plan_.crashes ? ", crashes " + std::to_string(crashes_) : "") + (plan_.power_losses ? " of power" : "") +
         (plan_.at_first < plan_.nodes ? ", " + std::to_string(plan_.at_first) + " at first" : "") +
         (plan_.drains ? ", drains" : "") + (plan_.long_absence ? ", long absence" : "") +
         (plan_.replaces_disks ? ", replaces disks" : "") +
         (member_.compact_after_entries < 1000 ? ", short log" : "") +
         (plan_.partitions ? ", cuts " + std::to_string(cuts_) : "") + (plan_.broken_links ? ", broken links" : "") +
         (plan_.late_messages ? ", late messages" : "") + (rough_net_.doubled > 0 ? ", doubled messages" : "") +
         (plan_.wishes && operator_ ? ", " + operator_->summary() : "") +
         (plan_.rots && rot_ ? ", rotten chunks " + std::to_string(rot_->count()) + (plan_.scrubs ? " scrubbed" : "")
                             : "") +
         ", " + work_->summary() + ", virtual s " + std::to_string(w_.elapsed().count() / 1'000'000) + ", steps " +
         std::to_string(w_.steps());
}

std::string cluster_run::standing() const {
  std::string out;
  for (const auto& n : nodes_) out += (out.empty() ? "" : "; ") + n->standing();
  return out;
}

run_result cluster_run::run() {
  draw();
  draw_extras(seed_);
  build();
  if (!checks_.failed()) make_trouble();
  if (!checks_.failed()) mend();
  if (!checks_.failed()) check_end();
  run_result out;
  out.options = options();
  for (const auto& n : nodes_) {
    if (!n->running()) continue;
    work_->crashing(*n);
    n->crash(false);
  }
  w_.forget_everything();
  rot_.reset();
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

} // namespace

run_result run_cluster(world& w, std::uint64_t seed) {
  return cluster_run{w, seed}.run();
}

} // namespace cairn::sim

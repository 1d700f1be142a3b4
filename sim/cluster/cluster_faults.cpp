#include "sim/cluster/cluster_faults.hpp"

namespace cairn::sim {

namespace {

using std::chrono::milliseconds;

constexpr std::uint64_t faults_salt = 0xBB6DB3F7B4E953ECull;
constexpr std::uint64_t day_ms = 24ull * 3600 * 1000;

} // namespace

fault_plan draw_faults(std::uint64_t seed) {
  dice d{seed ^ faults_salt};
  fault_plan p;
  if (!d.chance(0.45)) return p;
  p.freezes = d.chance(0.4);
  p.one_way_cuts = d.chance(0.35);
  p.slow_node = d.chance(0.3);
  p.clock_jumps = d.chance(0.3);
  if (d.chance(0.25)) p.changed_payloads = d.pick(std::vector<double>{0.001, 0.01, 0.05});
  return p;
}

void cluster_faults::act() {
  auto& d = w_.draw;
  if (plan_.freezes && d.chance(0.35)) freeze();
  if (plan_.one_way_cuts && d.chance(0.35)) cut_one_way();
  if (plan_.slow_node && !slow_) slow_one_down();
  if (plan_.clock_jumps && d.chance(0.25)) jump_a_clock();
}

// Sometimes longer than an election timeout, sometimes longer than a link's silence limit.
void cluster_faults::freeze() {
  auto& n = *w_.draw.pick(nodes_);
  if (!n.running() || n.frozen()) return;
  ++freezes_;
  n.freeze();
  const auto most = w_.draw.chance(0.3) ? 12'000'000u : 3'000'000u;
  w_.after(microseconds{w_.draw.between(50'000, most)}, [this, number = n.number(), life = n.lives()] {
    for (const auto& it : nodes_)
      if (it->number() == number && it->lives() == life) it->thaw();
  });
}

void cluster_faults::cut_one_way() {
  auto& d = w_.draw;
  const auto& one = *d.pick(nodes_);
  const bool receives = d.chance(0.5);
  const double most = d.chance(0.5) ? 1.0 : 0.5;
  ++cuts_;
  for (const auto& other : nodes_) {
    if (other.get() == &one || !d.chance(most)) continue;
    if (receives)
      network_.cut_one_way(one.id(), other->id());
    else
      network_.cut_one_way(other->id(), one.id());
  }
}

void cluster_faults::slow_one_down() {
  auto& d = w_.draw;
  slow_ = d.pick(nodes_).get();
  if (d.chance(0.7)) slow_->slow_down(std::uint32_t(d.between(5, 60)));
  if (d.chance(0.5)) network_.slow_down(slow_->id(), microseconds{d.between(5'000, 150'000)});
}

void cluster_faults::jump_a_clock() {
  auto& d = w_.draw;
  auto& n = plan_.jumpers == 0 ? *d.pick(nodes_) : *nodes_[nodes_.size() - 1 - d.below(plan_.jumpers)];
  const auto years = plan_.jumpers == 0 ? 400 * day_ms : 3650 * day_ms;
  const auto far = plan_.far_jumps && d.chance(plan_.jumpers == 0 ? 0.3 : 0.7) ? years : 120'000;
  const milliseconds by{std::int64_t(d.below(2 * far)) - std::int64_t(far)};
  if (!n.running()) return;
  ++jumps_;
  n.jump_clock(by);
}

void cluster_faults::end() {
  for (const auto& n : nodes_) n->thaw();
  if (!slow_) return;
  for (const auto& n : nodes_) {
    n->slow_down(1);
    network_.slow_down(n->id(), microseconds{0});
  }
}

std::string cluster_faults::options() const {
  return (plan_.freezes ? ", freezes " + std::to_string(freezes_) : "") +
         (plan_.one_way_cuts ? ", one-way cuts " + std::to_string(cuts_) : "") +
         (plan_.slow_node ? ", a slow node" : "") +
         (plan_.clock_jumps ? ", clock jumps " + std::to_string(jumps_) : "") +
         (plan_.changed_payloads > 0 ? ", changed payloads " + std::to_string(network_.changed()) : "");
}

} // namespace cairn::sim

#include "actors/upkeep/metadata_scrub.hpp"

#include "actors/upkeep/scrub_walk.hpp"
#include "base/log.hpp"

namespace cairn::actors {

namespace {

constexpr std::chrono::seconds rows_step_time{60};

class metadata_scrub_state {
public:
  explicit metadata_scrub_state(scrubber_actor::pointer self) : self_(self) {}
  void start(metadata_scrub_services services) {
    s_ = std::move(services);
    walk_.emplace(s_.checks.size(), s_.period, s_.clock->now());
    self_->delayed_send(self_, s_.interval, tick_atom_v);
  }
  void tick();

private:
  void stepped(const storage::kv_checked& step);

  scrubber_actor::pointer self_;
  metadata_scrub_services s_;
  std::optional<scrub_walk> walk_; // one "disk" for each check
  bool busy_ = false;
};
static_assert(!std::is_aggregate_v<metadata_scrub_state>);

void metadata_scrub_state::tick() {
  self_->delayed_send(self_, s_.interval, tick_atom_v);
  const auto now = s_.clock->now();
  if (busy_ || !walk_->due(now)) return;
  busy_ = true;
  auto job = [this, check = &s_.checks[walk_->disk()], rows = s_.rows_a_step,
              me = scrubber_actor{self_}](bool expired) {
    const auto step = std::make_shared<const storage::kv_checked>(expired ? storage::kv_checked{} : (*check)(rows));
    caf::anon_send(me, completion{[this, step] { stepped(*step); }});
  };
  if (!s_.work->post(now + rows_step_time, std::move(job))) busy_ = false;
}

void metadata_scrub_state::stepped(const storage::kv_checked& step) {
  busy_ = false;
  s_.metrics->metadata_rows_scrubbed.fetch_add(step.rows, std::memory_order_relaxed);
  if (step.damage) log::error("the scrub of the metadata found damage", {{"error", to_string(*step.damage)}});
  if (step.done) walk_->reached(std::nullopt);
}

scrubber_actor::behavior_type metadata_scrub(scrubber_actor::stateful_pointer<metadata_scrub_state> self,
                                             metadata_scrub_services services) {
  auto* state = &self->state;
  state->start(std::move(services));
  return {
      [](completion& c) { c.run(); },
      [state](tick_atom) { state->tick(); },
  };
}

} // namespace

scrubber_actor spawn_metadata_scrub(caf::actor_system& system, metadata_scrub_services services) {
  return system.spawn(metadata_scrub, std::move(services));
}

} // namespace cairn::actors

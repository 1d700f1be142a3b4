#include "actors/upkeep/scrubber.hpp"

#include "actors/upkeep/backfill_pages.hpp"
#include "actors/upkeep/scrub_walk.hpp"
#include "base/log.hpp"

namespace cairn::actors {

namespace {

constexpr std::chrono::seconds step_time{60};

class scrubber_state {
public:
  explicit scrubber_state(scrubber_actor::pointer self) : self_(self) {}
  void start(scrubber_services services);
  void tick();

private:
  void stepped(const result<scrubbed_page>& page);

  scrubber_actor::pointer self_;
  scrubber_services s_;
  std::optional<scrub_walk> walk_;
  bool busy_ = false;
};
static_assert(!std::is_aggregate_v<scrubber_state>);

void scrubber_state::start(scrubber_services services) {
  s_ = std::move(services);
  walk_.emplace(s_.disks.size(), s_.period, s_.clock->now());
  self_->delayed_send(self_, s_.interval, tick_atom_v);
}

void scrubber_state::tick() {
  self_->delayed_send(self_, s_.interval, tick_atom_v);
  const auto now = s_.clock->now();
  if (busy_ || !walk_->due(now)) return;
  busy_ = true;
  std::uint64_t used = 0;
  for (const auto* d : s_.disks) used += d->stats().used_bytes;
  const auto bytes = walk_->step_bytes(used, now);
  auto job = [this, disk = s_.disks[walk_->disk()], after = walk_->after(), bytes, store = s_.store,
              me = scrubber_actor{self_}](bool expired) {
    auto page = std::make_shared<result<scrubbed_page>>(error{errc::timeout, "expired in the executor's queue"});
    if (!expired) {
      auto view = store->read();
      *page = view ? scrub_page_of(**view, *disk, after, bytes) : result<scrubbed_page>{view.error()};
    }
    caf::anon_send(me, completion{[this, page] { stepped(*page); }});
  };
  if (!s_.work->post(now + step_time, std::move(job))) busy_ = false;
}

void scrubber_state::stepped(const result<scrubbed_page>& page) {
  busy_ = false;
  walk_->reached(page ? page->reached : std::nullopt);
  if (!page) return; // the disk is quarantined: go on with the next
  s_.metrics->scrubbed_bytes.fetch_add(page->bytes, std::memory_order_relaxed);
  s_.metrics->scrub_damaged.fetch_add(page->damaged.size(), std::memory_order_relaxed);
  for (const auto& w : page->damaged)
    log::error("the scrub found a damaged chunk, and this node has no other copy", {{"chunk", to_string(w.id)}});
}

scrubber_actor::behavior_type scrubber(scrubber_actor::stateful_pointer<scrubber_state> self,
                                       scrubber_services services) {
  auto* state = &self->state;
  state->start(std::move(services));
  return {
      [](completion& c) { c.run(); },
      [state](tick_atom) { state->tick(); },
  };
}

} // namespace

scrubber_actor spawn_scrubber(caf::actor_system& system, scrubber_services services) {
  return system.spawn(scrubber, std::move(services));
}

} // namespace cairn::actors

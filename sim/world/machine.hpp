// The actor system of one simulated process: its runnable actors and its timers wait until a world (world.hpp) runs
// them. Its steady clock starts with the process and may run slow or fast; its wall clock may jump. A frozen process
// (SIGSTOP, a paused machine) runs nothing: events from outside wait, and its timers are late when it resumes. With
// world.hpp one of the places that use CAF's internals.
#pragma once

#include "actors/protocol/interfaces.hpp"
#include "actors/runtime/message_types.hpp"
#include "base/seams.hpp"
#include "base/third_party/caf.hpp"
#include "base/third_party/caf_scheduler.hpp"

#include <algorithm>
#include <functional>
#include <utility>
#include <vector>

namespace cairn::sim {

class machine final : public clock {
public:
  struct clock_faults {
    std::int64_t drift_ppm = 0;            // of the steady clock
    std::chrono::milliseconds wall_off{0}; // of the wall clock
  };

  machine() : machine(steady_zero, steady_zero, {}) {} // uses the world's time
  // `run_began`: in the world's time, so that all wall clocks show the same in every run of a seed.
  machine(steady_time world_now, steady_time run_began, clock_faults faults)
      : faults_(faults),
        world_began_(world_now),
        run_began_(run_began),
        system_(std::make_unique<caf::actor_system>(config_)) {
    scheduler_ = static_cast<coordinator*>(&system_->scheduler());
    base_actors_ = system_->registry().running();
  }
  ~machine() override {
    forget_everything();
    if (live_actors() > 0) static_cast<void>(system_.release()); // its destructor would wait for these actors for ever
  }
  machine(const machine&) = delete;
  machine& operator=(const machine&) = delete;

  caf::actor_system& system() { return *system_; }
  std::size_t live_actors() const {
    const auto running = system_->registry().running();
    return running - std::min(running, base_actors_);
  }
  void count_actors_from_now() { base_actors_ = system_->registry().running(); }

  steady_time now() const override { return scheduler_->clock().now(); }
  wall_ms wall() const override {
    const auto since = (world_began_ - run_began_) + now().time_since_epoch() + faults_.wall_off;
    return 1'760'000'000'000 + std::chrono::duration_cast<std::chrono::milliseconds>(since).count();
  }

  void jump_wall(std::chrono::milliseconds by) { faults_.wall_off += by; }

  bool frozen() const noexcept { return frozen_; }
  void freeze() { frozen_ = true; }
  void thaw() {
    if (!std::exchange(frozen_, false)) return;
    for (auto& what : std::exchange(delayed_, {})) what();
  }
  // Runs `what` now, or when the process is thawed; never if the process ends before that.
  void when_awake(std::function<void()> what) {
    if (frozen_) return delayed_.push_back(std::move(what));
    what();
  }

  // Drops all timers with their messages, and runs the runnable actors until none is left.
  void forget_everything() {
    delayed_.clear();
    scheduler_->clock().cancel_all();
    while (!scheduler_->jobs.empty()) {
      scheduler_->try_run_once();
      scheduler_->clock().cancel_all();
    }
  }

  // ── for the world ──
  std::size_t runnable() const { return frozen_ ? 0 : scheduler_->jobs.size(); }
  void run(std::size_t chosen) {
    std::swap(scheduler_->jobs.front(), scheduler_->jobs[chosen]);
    scheduler_->try_run_once();
  }
  // When the next timer is due, in the world's time.
  std::optional<steady_time> next_timer() const {
    const auto& waiting = scheduler_->clock().schedule();
    if (waiting.empty() || frozen_) return std::nullopt;
    const auto local = waiting.begin()->first.time_since_epoch();
    return world_began_ + local - local / (million + faults_.drift_ppm) * faults_.drift_ppm;
  }
  void set_time(steady_time world_now) {
    const auto since = world_now - world_began_;
    auto& time = scheduler_->clock().current_time;
    time = std::max(time, steady_time{since + since / million * faults_.drift_ppm});
  }
  void run_timer() { scheduler_->clock().trigger_timeout(); }
  void send_later(steady_time at, const caf::strong_actor_ptr& to, actors::completion what) {
    scheduler_->clock().schedule_message(
        at, to, caf::make_mailbox_element(nullptr, caf::make_message_id(), {}, std::move(what)));
  }

private:
  static constexpr std::int64_t million = 1'000'000;
  static constexpr steady_time steady_zero{};

  class coordinator final : public caf::scheduler::test_coordinator {
  public:
    using test_coordinator::test_coordinator;
    static caf::actor_system::module* make(caf::actor_system& s, caf::detail::type_list<>) {
      return new coordinator(s);
    }

  protected:
    void stop() override { // the base version does not return while timers are set again
      for (int i = 0; i < 100'000 && try_run_once(); ++i) {
      }
    }
  };
  struct simulated_system final : caf::actor_system_config {
    simulated_system() {
      load<coordinator>();
      actors::register_message_types(*this);
    }
  };

  clock_faults faults_;
  const steady_time world_began_, run_began_;
  simulated_system config_;
  std::unique_ptr<caf::actor_system> system_;
  coordinator* scheduler_ = nullptr;
  std::size_t base_actors_ = 0;
  bool frozen_ = false;
  std::vector<std::function<void()>> delayed_;
};

} // namespace cairn::sim

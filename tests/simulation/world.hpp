// A deterministic world for the real actors: one thread, virtual time, one seed. CAF's test scheduler holds the
// runnable actors and the world draws which of them handles its next message; when none can run, time jumps to the next
// timer. So a run of a seed is repeatable to the bit, and `digest` proves it. One of the three places that touch CAF's
// internals.
//
// Header-only, because the unit tests of the actors use it too. Not thread-safe; several worlds may run on several
// threads.
#pragma once

#include "actors/interfaces.hpp"
#include "storage/seams.hpp"
#include "tests/simulation/dice.hpp"

#include <caf/all.hpp>
#include <caf/detail/test_actor_clock.hpp>
#include <caf/scheduler/test_coordinator.hpp>

namespace cairn::sim {

using microseconds = std::chrono::microseconds;

class world {
public:
  world() : system_(std::make_unique<caf::actor_system>(config_)) {
    scheduler_ = static_cast<coordinator*>(&system_->scheduler());
    runner_ = system_->spawn([](actors_runner::pointer) -> actors_runner::behavior_type {
      return {[](actors::completion& c) { c.run(); }};
    });
    settle();
    base_actors_ = system_->registry().running();
    begin(0);
  }
  ~world() {
    caf::anon_send_exit(runner_, caf::exit_reason::kill);
    runner_ = nullptr;
    forget_everything();
  }
  world(const world&) = delete;
  world& operator=(const world&) = delete;

  // A fresh run: the seed's draws, an empty digest. Time goes on from where it is.
  void begin(std::uint64_t seed) {
    draw = dice{seed};
    schedule_ = dice{seed ^ 0x9E3779B97F4A7C15ull};
    digest = run_digest{};
    begun_ = now();
    steps_ = 0;
  }

  caf::actor_system& system() { return *system_; }
  const storage::clock& clock() const { return clock_; }
  storage::random_source& random() { return random_; }
  storage::steady_time now() const { return scheduler_->clock().now(); }
  microseconds elapsed() const { return std::chrono::duration_cast<microseconds>(now() - begun_); }
  std::uint64_t steps() const { return steps_; }
  // Actors beyond the world's own.
  std::size_t live_actors() const { return system_->registry().running() - base_actors_; }

  // Runs `what` at a virtual time, between messages.
  void after(microseconds delay, std::function<void()> what) {
    scheduler_->clock().schedule_message(
        now() + delay, caf::actor_cast<caf::strong_actor_ptr>(runner_),
        caf::make_mailbox_element(nullptr, caf::make_message_id(), {}, actors::completion{std::move(what)}));
  }

  // One message or one timer. False: nothing is left to happen.
  bool step() {
    if (!scheduler_->jobs.empty()) {
      const auto chosen = schedule_.below(scheduler_->jobs.size());
      std::swap(scheduler_->jobs.front(), scheduler_->jobs[chosen]);
      digest.add(chosen);
      ++steps_;
      scheduler_->try_run_once();
      return true;
    }
    if (!scheduler_->clock().has_pending_timeout()) return false;
    scheduler_->clock().trigger_timeout();
    digest.add(std::uint64_t(elapsed().count()));
    return true;
  }
  // Until `done`, nothing is left, or a bound is passed. Answers done().
  template <class Predicate>
  bool run_until(Predicate done, microseconds time_max, std::uint64_t steps_max = 10'000'000) {
    const auto last_step = steps_ + steps_max;
    const auto until = now() + time_max;
    while (!done() && steps_ < last_step && now() < until && step()) {
    }
    return done();
  }
  void run_for(microseconds time) {
    bool over = false;
    after(time, [&over] { over = true; });
    while (!over && step()) {
    }
  }
  // Messages only, no time passes.
  void settle() {
    while (!scheduler_->jobs.empty()) step();
  }
  // Drops all timers and what they would have brought, then what is runnable. For the end of a run and for crashes.
  void forget_everything() {
    scheduler_->clock().cancel_all();
    while (!scheduler_->jobs.empty()) {
      scheduler_->try_run_once();
      scheduler_->clock().cancel_all();
    }
  }

  dice draw{0}; // for everything but the schedule
  run_digest digest;

private:
  using actors_runner = caf::typed_actor<caf::reacts_to<actors::completion>>;

  class coordinator final : public caf::scheduler::test_coordinator {
  public:
    using test_coordinator::test_coordinator;
    static caf::actor_system::module* make(caf::actor_system& s, caf::detail::type_list<>) {
      return new coordinator(s);
    }

  protected:
    void stop() override { // the base version never returns while timers re-arm
      for (int i = 0; i < 100'000 && try_run_once(); ++i) {
      }
    }
  };
  struct simulated_system final : caf::actor_system_config {
    simulated_system() {
      load<coordinator>();
      add_message_types<caf::id_block::cairn>();
    }
  };
  struct virtual_clock final : storage::clock {
    explicit virtual_clock(const world& w) : of(w) {}
    storage::steady_time now() const override { return of.now(); }
    storage::wall_ms wall() const override {
      return 1'760'000'000'000 + std::chrono::duration_cast<std::chrono::milliseconds>(of.elapsed()).count();
    }
    const world& of;
  };
  struct seeded_random final : storage::random_source {
    explicit seeded_random(world& w) : of(w) {}
    std::uint64_t next() override { return of.draw.next(); }
    world& of;
  };

  simulated_system config_;
  std::unique_ptr<caf::actor_system> system_;
  coordinator* scheduler_ = nullptr;
  actors_runner runner_;
  virtual_clock clock_{*this};
  seeded_random random_{*this};
  dice schedule_{0};
  storage::steady_time begun_;
  std::uint64_t steps_ = 0;
  std::size_t base_actors_ = 0;
};

} // namespace cairn::sim

// A deterministic world for the production actors: one thread, virtual time, one seed. CAF's test scheduler holds the
// runnable actors, and the world draws which of them handles its next message; when none is runnable, time advances to
// the next timer. So a run of a seed is repeatable exactly, and `digest` shows it. One of the places that use
// CAF's internals.
//
// Header-only, because the unit tests of the actors use it too. Not thread-safe; several worlds may run on several
// threads.
#pragma once

#include "sim/world/dice.hpp"
#include "sim/world/machine.hpp"

#include <algorithm>

namespace cairn::sim {

using microseconds = std::chrono::microseconds;

class world {
public:
  world() {
    runner_ = system().spawn([](actors_runner::pointer) -> actors_runner::behavior_type {
      return {[](actors::completion& c) { c.run(); }};
    });
    settle();
    own_.count_actors_from_now();
    begin(0);
  }
  ~world() {
    caf::anon_send_exit(runner_, caf::exit_reason::kill);
    runner_ = nullptr;
    forget_everything();
  }
  world(const world&) = delete;
  world& operator=(const world&) = delete;

  // Begins a new run: the seed's draws, an empty digest. Time continues.
  void begin(std::uint64_t seed) {
    draw = dice{seed};
    schedule_ = dice{seed ^ 0x9E3779B97F4A7C15ull};
    digest = run_digest{};
    begun_ = now();
    steps_ = 0;
  }

  caf::actor_system& system() { return own_.system(); }
  const cairn::clock& clock() const { return clock_; }
  random_source& random() { return random_; }
  steady_time now() const { return own_.now(); }
  steady_time begun() const { return begun_; } // when the run began
  microseconds elapsed() const { return std::chrono::duration_cast<microseconds>(now() - begun_); }
  std::uint64_t steps() const { return steps_; }
  // Actors beyond the world's own, in its own process.
  std::size_t live_actors() const { return own_.live_actors(); }

  // Further processes, which run in addition to the world's own until they are taken out.
  void add(machine& m) { others_.push_back(&m); }
  void take_out(machine& m) { std::erase(others_, &m); }

  // Runs `what` at a virtual time, between messages.
  void after(microseconds delay, std::function<void()> what) {
    own_.send_later(now() + delay, caf::actor_cast<caf::strong_actor_ptr>(runner_),
                    actors::completion{std::move(what)});
  }

  // Runs one message or one timer. False: nothing is left to run.
  bool step() { return run_actor() || run_timer(); }
  // Runs until `done`, until nothing is left, or until a bound is passed. Returns done().
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
  // Runs messages only; no time passes.
  void settle() {
    while (run_actor()) {
    }
  }
  // Drops all timers with their messages, and runs what is runnable. For the end of a run and for crashes.
  void forget_everything() {
    for (auto* m : others_) m->forget_everything();
    own_.forget_everything();
  }

  dice draw{0}; // for everything but the schedule
  run_digest digest;

private:
  using actors_runner = caf::typed_actor<caf::reacts_to<actors::completion>>;

  struct virtual_clock final : cairn::clock {
    explicit virtual_clock(const world& w) : of(w) {}
    steady_time now() const override { return of.now(); }
    wall_ms wall() const override {
      return 1'760'000'000'000 + std::chrono::duration_cast<std::chrono::milliseconds>(of.elapsed()).count();
    }
    const world& of;
  };
  struct seeded_random final : random_source {
    explicit seeded_random(world& w) : of(w) {}
    std::uint64_t next() override { return of.draw.next(); }
    world& of;
  };

  bool run_actor() {
    std::size_t runnable = own_.runnable();
    for (const auto* m : others_) runnable += m->runnable();
    if (runnable == 0) return false;
    auto chosen = std::size_t(schedule_.below(runnable));
    digest.add(chosen);
    ++steps_;
    if (chosen < own_.runnable()) return own_.run(chosen), true;
    chosen -= own_.runnable();
    for (auto* m : others_) {
      if (chosen < m->runnable()) return m->run(chosen), true;
      chosen -= m->runnable();
    }
    return false;
  }

  bool run_timer() {
    machine* next = &own_;
    auto due = own_.next_timer();
    for (auto* m : others_) {
      const auto at = m->next_timer();
      if (!at || (due && *due <= *at)) continue;
      next = m;
      due = at;
    }
    if (!due) return false;
    if (*due > now()) {
      own_.set_time(*due);
      for (auto* m : others_) m->set_time(*due);
    }
    next->run_timer();
    digest.add(std::uint64_t(elapsed().count()));
    return true;
  }

  machine own_;
  std::vector<machine*> others_;
  actors_runner runner_;
  virtual_clock clock_{*this};
  seeded_random random_{*this};
  dice schedule_{0};
  steady_time begun_;
  std::uint64_t steps_ = 0;
};

} // namespace cairn::sim

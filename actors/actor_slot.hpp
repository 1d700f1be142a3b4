// An actor as others' threads reach it while it lives: handlers of links and of the admin port keep the slot, not the
// actor, so that no handle outlives the actor system. Thread-safe; shared.
#pragma once

#include <mutex>
#include <utility>

namespace cairn::actors {

template <class Actor>
class actor_slot {
public:
  Actor get() const { // null before it is set and after it was cleared
    const std::lock_guard lock{mutex_};
    return actor_;
  }
  void set(Actor a) {
    const std::lock_guard lock{mutex_};
    std::swap(actor_, a);
  }

private:
  mutable std::mutex mutex_;
  Actor actor_;
};

} // namespace cairn::actors

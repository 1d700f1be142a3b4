// A handle of an actor that other threads may use only while the actor lives. Handlers of links and of the admin port
// keep the slot and not the handle, so no handle outlives the actor system. Thread-safe; shared.
#pragma once

#include <memory>
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

template <class Actor>
using actor_slot_ptr = std::shared_ptr<actor_slot<Actor>>;

template <class Actor>
actor_slot_ptr<Actor> slot_of(Actor a) {
  auto slot = std::make_shared<actor_slot<Actor>>();
  slot->set(std::move(a));
  return slot;
}

} // namespace cairn::actors

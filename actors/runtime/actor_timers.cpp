#include "actors/runtime/actor_timers.hpp"

#include <utility>

namespace cairn::actors {

template <class Change>
void actor_timers::change(Change made) {
  const std::lock_guard lock{mutex_};
  if (stopped_) return;
  made();
  cancellable_.store(actor_lookup_.size(), std::memory_order_relaxed);
  if (!schedule_.empty() && schedule_.begin()->first < wakes_at_) earlier_.notify_one();
}

void actor_timers::set_ordinary_timeout(time_point t, caf::abstract_actor* self, caf::atom_value type,
                                        std::uint64_t id) {
  change([&] { simple_actor_clock::set_ordinary_timeout(t, self, type, id); });
}

void actor_timers::set_multi_timeout(time_point t, caf::abstract_actor* self, caf::atom_value type, std::uint64_t id) {
  change([&] { simple_actor_clock::set_multi_timeout(t, self, type, id); });
}

void actor_timers::set_request_timeout(time_point t, caf::abstract_actor* self, caf::message_id id) {
  change([&] { simple_actor_clock::set_request_timeout(t, self, id); });
}

void actor_timers::cancel_ordinary_timeout(caf::abstract_actor* self, caf::atom_value type) {
  change([&] { simple_actor_clock::cancel_ordinary_timeout(self, type); });
}

void actor_timers::cancel_request_timeout(caf::abstract_actor* self, caf::message_id id) {
  change([&] { simple_actor_clock::cancel_request_timeout(self, id); });
}

// Every actor that ends calls this. An actor sees the timers that it has set itself.
void actor_timers::cancel_timeouts(caf::abstract_actor* self) {
  if (cancellable_.load(std::memory_order_relaxed) == 0) return;
  change([&] { simple_actor_clock::cancel_timeouts(self); });
}

void actor_timers::schedule_message(time_point t, caf::strong_actor_ptr receiver, caf::mailbox_element_ptr content) {
  change([&] { simple_actor_clock::schedule_message(t, std::move(receiver), std::move(content)); });
}

void actor_timers::schedule_message(time_point t, caf::group target, caf::strong_actor_ptr sender,
                                    caf::message content) {
  change([&] { simple_actor_clock::schedule_message(t, std::move(target), std::move(sender), std::move(content)); });
}

// The timers are destroyed without the mutex: an actor may end with the last reference to it, and then calls this
// clock.
void actor_timers::cancel_all() {
  schedule_map dropped;
  const std::lock_guard lock{mutex_};
  actor_lookup_.clear();
  dropped.swap(schedule_);
}

std::vector<actor_timers::unique_delayed_event_ptr> actor_timers::take_due() {
  std::vector<unique_delayed_event_ptr> due;
  const auto until = now();
  for (auto at = schedule_.begin(); at != schedule_.end() && at->first <= until; at = schedule_.erase(at)) {
    if (at->second->backlink != actor_lookup_.end()) actor_lookup_.erase(at->second->backlink);
    due.push_back(std::move(at->second));
  }
  cancellable_.store(actor_lookup_.size(), std::memory_order_relaxed);
  return due;
}

void actor_timers::run() {
  std::unique_lock lock{mutex_};
  while (!stopped_) {
    wakes_at_ = schedule_.empty() ? time_point::max() : schedule_.begin()->first;
    if (wakes_at_ == time_point::max())
      earlier_.wait(lock);
    else
      earlier_.wait_until(lock, wakes_at_);
    wakes_at_ = time_point::min();
    auto due = take_due();
    lock.unlock(); // what receives a message, or ends with its timer, may call this clock
    for (const auto& timer : due) ship(*timer);
    due.clear();
    lock.lock();
  }
}

void actor_timers::stop() {
  {
    const std::lock_guard lock{mutex_};
    stopped_ = true;
  }
  earlier_.notify_one();
  cancel_all();
}

} // namespace cairn::actors

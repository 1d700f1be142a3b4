// The timers of all actors: delayed messages and timeouts of requests, and the thread that delivers them. Uses CAF's
// internals, as asio_scheduler does.
//
// CAF's own clock passes every call to its thread and wakes it, even when an ending actor cancels timeouts that it
// never set: two wake-ups for each download. Here the caller changes the schedule itself, and the thread is woken only
// by a timer that is due earlier than all others.
//
// Thread-safe. The times are those of the steady clock.
#pragma once

#include "base/third_party/caf.hpp"
#include "base/third_party/caf_scheduler.hpp"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <vector>

namespace cairn::actors {

class actor_timers final : public caf::detail::simple_actor_clock {
public:
  void run();  // delivers what is due, until stop
  void stop(); // drops all timers

  void set_ordinary_timeout(time_point t, caf::abstract_actor* self, caf::atom_value type, std::uint64_t id) override;
  void set_multi_timeout(time_point t, caf::abstract_actor* self, caf::atom_value type, std::uint64_t id) override;
  void set_request_timeout(time_point t, caf::abstract_actor* self, caf::message_id id) override;
  void cancel_ordinary_timeout(caf::abstract_actor* self, caf::atom_value type) override;
  void cancel_request_timeout(caf::abstract_actor* self, caf::message_id id) override;
  void cancel_timeouts(caf::abstract_actor* self) override;
  void schedule_message(time_point t, caf::strong_actor_ptr receiver, caf::mailbox_element_ptr content) override;
  void schedule_message(time_point t, caf::group target, caf::strong_actor_ptr sender, caf::message content) override;
  void cancel_all() override;

private:
  template <class Change>
  void change(Change made);
  std::vector<unique_delayed_event_ptr> take_due(); // with the mutex held

  std::mutex mutex_; // of the base's schedule, and of the two below
  std::condition_variable earlier_;
  time_point wakes_at_ = time_point::min(); // min: the thread does not wait
  bool stopped_ = false;
  std::atomic<std::size_t> cancellable_{0}; // timers that actors can cancel
};

} // namespace cairn::actors

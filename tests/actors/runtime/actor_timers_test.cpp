#include "actors/runtime/actor_timers.hpp"

#include <gtest/gtest.h>

#include <thread>

namespace cairn::actors::actor_timers_test {

using namespace std::chrono_literals;

struct actor_timers_test : ::testing::Test {
  caf::actor_system_config config;
  caf::actor_system system{config};
  caf::scoped_actor self{system};
  actor_timers timers;

  void schedule(std::chrono::milliseconds after, int number) {
    timers.schedule_message(timers.now() + after, caf::actor_cast<caf::strong_actor_ptr>(self),
                            caf::make_mailbox_element(nullptr, caf::make_message_id(), {}, number));
  }
  int receive() {
    int got = 0;
    self->receive([&](int number) { got = number; }, caf::after(20s) >> [&] { got = -1; });
    return got;
  }
};

// Runs the timers on a thread until it is destroyed.
struct running {
  explicit running(actor_timers& t) : timers(t), thread([&t] { t.run(); }) {}
  ~running() {
    timers.stop();
    thread.join();
  }
  actor_timers& timers;
  std::thread thread;
};

TEST_F(actor_timers_test, deliver_in_the_order_of_their_times_and_not_before) {
  const running thread{timers};
  const auto start = timers.now();
  schedule(60ms, 3);
  schedule(40ms, 2);
  schedule(-1ms, 1);
  EXPECT_EQ(receive(), 1);
  EXPECT_EQ(receive(), 2);
  EXPECT_GE(timers.now() - start, 40ms);
  EXPECT_EQ(receive(), 3);
  EXPECT_GE(timers.now() - start, 60ms);
}

TEST_F(actor_timers_test, that_are_due_earlier_than_the_one_waited_for_wake_the_thread) {
  const running thread{timers};
  schedule(1h, 9);
  std::this_thread::sleep_for(20ms); // the thread waits for the timer of an hour
  schedule(5ms, 1);
  EXPECT_EQ(receive(), 1);
}

TEST_F(actor_timers_test, that_were_set_before_the_thread_runs_are_delivered_too) {
  schedule(0ms, 1);
  const running thread{timers};
  EXPECT_EQ(receive(), 1);
}

TEST_F(actor_timers_test, of_an_actor_that_ends_are_cancelled_and_messages_to_others_stay) {
  schedule(1h, 9);
  auto* const me = caf::actor_cast<caf::abstract_actor*>(self);
  timers.cancel_timeouts(me);
  EXPECT_EQ(timers.schedule().size(), 1u);
  timers.set_request_timeout(timers.now() + 1h, me, caf::make_message_id(7));
  timers.set_multi_timeout(timers.now() + 1h, me, caf::atom("test"), 8);
  EXPECT_EQ(timers.schedule().size(), 3u);
  timers.cancel_request_timeout(me, caf::make_message_id(7));
  EXPECT_EQ(timers.schedule().size(), 2u);
  timers.cancel_timeouts(me);
  EXPECT_EQ(timers.schedule().size(), 1u);
  EXPECT_TRUE(timers.actor_lookup().empty());
}

TEST_F(actor_timers_test, after_the_stop_none_is_kept_and_none_is_taken) {
  { const running thread{timers}; }
  schedule(0ms, 1);
  EXPECT_TRUE(timers.schedule().empty());
}

} // namespace cairn::actors::actor_timers_test

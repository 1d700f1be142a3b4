#include "base/execution/executor.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <mutex>
#include <thread>
#include <vector>

namespace cairn::executor_test {

using std::chrono::milliseconds;

steady_time in(milliseconds time) {
  return system_clock().now() + time;
}
constexpr milliseconds long_enough{60000};

// Holds the only thread of an executor until opened.
class gate {
public:
  executor::job job() {
    return [this](bool) {
      entered_.set_value();
      opened_.get_future().wait();
    };
  }
  void wait_until_entered() { entered_.get_future().wait(); }
  void open() { opened_.set_value(); }

private:
  std::promise<void> entered_, opened_;
};

TEST(thread_executor, runs_jobs_in_the_order_in_which_they_were_posted) {
  const auto disk = make_thread_executor("disk", 1, 100);
  std::vector<int> order;
  for (int i = 0; i < 50; ++i)
    ASSERT_TRUE(disk->post(in(long_enough), [&order, i](bool expired) {
      EXPECT_FALSE(expired);
      order.push_back(i);
    }));
  std::promise<void> done;
  ASSERT_TRUE(disk->post(in(long_enough), [&done](bool) { done.set_value(); }));
  done.get_future().wait();
  ASSERT_EQ(order.size(), 50u);
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
}

TEST(thread_executor, takes_the_parties_jobs_in_turns) {
  const auto disk = make_thread_executor("disk", 1, 100);
  const auto flood = std::make_shared<std::string>("flood"), other = std::make_shared<std::string>("other");
  gate g;
  ASSERT_TRUE(disk->post(in(long_enough), g.job()));
  g.wait_until_entered();
  std::vector<std::string> order;
  for (const auto& party : {flood, flood, flood, other})
    ASSERT_TRUE(disk->post(
        in(long_enough), [&order, party](bool) { order.push_back(*party); }, party));
  std::promise<void> done;
  ASSERT_TRUE(disk->post(
      in(long_enough), [&done](bool) { done.set_value(); }, flood));
  g.open();
  done.get_future().wait();
  EXPECT_EQ(order, (std::vector<std::string>{"flood", "other", "flood", "flood"}));
}

TEST(thread_executor, has_room_for_a_party_beside_one_that_queues_all_it_can) {
  const auto disk = make_thread_executor("disk", 1, 16);
  const auto flood = std::make_shared<int>(1), other = std::make_shared<int>(2);
  gate g;
  ASSERT_TRUE(disk->post(in(long_enough), g.job()));
  g.wait_until_entered();
  std::atomic<int> ran{0};
  const auto count = [&ran](bool) { ++ran; };
  result<void> last;
  for (int i = 0; i < 20 && last; ++i) last = disk->post(in(long_enough), count, flood);
  EXPECT_EQ(last.error(), errc::busy);
  EXPECT_TRUE(disk->post(in(long_enough), count, other));
  g.open();
  disk->stop();
  EXPECT_EQ(ran, 15);
}

TEST(thread_executor, answers_busy_when_its_queue_is_full_and_does_not_run_the_job) {
  const auto disk = make_thread_executor("disk", 1, 2);
  gate g;
  ASSERT_TRUE(disk->post(in(long_enough), g.job()));
  g.wait_until_entered();
  std::atomic<int> ran{0};
  const auto count = [&ran](bool) { ++ran; };
  EXPECT_TRUE(disk->post(in(long_enough), count));
  EXPECT_TRUE(disk->post(in(long_enough), count));
  EXPECT_EQ(disk->queued(), 2u);
  EXPECT_EQ(disk->post(in(long_enough), count).error(), errc::busy);
  g.open();
  disk->stop();
  EXPECT_EQ(ran, 2);
}

TEST(thread_executor, expires_a_queued_job_at_its_deadline_while_all_threads_hang) {
  const auto disk = make_thread_executor("disk", 1, 10);
  gate g;
  ASSERT_TRUE(disk->post(in(long_enough), g.job()));
  g.wait_until_entered();
  std::promise<bool> late, patient;
  ASSERT_TRUE(disk->post(in(long_enough), [&patient](bool expired) { patient.set_value(expired); }));
  ASSERT_TRUE(disk->post(in(milliseconds{20}), [&late](bool expired) { late.set_value(expired); }));
  EXPECT_TRUE(late.get_future().get()) << "expired although the thread still hangs";
  EXPECT_EQ(disk->queued(), 1u);
  g.open();
  EXPECT_FALSE(patient.get_future().get());
}

TEST(thread_executor, does_not_run_a_job_whose_deadline_has_already_passed) {
  const auto disk = make_thread_executor("disk", 1, 10);
  std::promise<bool> told;
  ASSERT_TRUE(disk->post(system_clock().now() - milliseconds{1}, [&told](bool expired) { told.set_value(expired); }));
  EXPECT_TRUE(told.get_future().get());
}

TEST(thread_executor, says_how_long_its_oldest_job_has_been_running) {
  const auto disk = make_thread_executor("disk", 2, 10);
  EXPECT_EQ(disk->longest_running().count(), 0);
  gate g;
  ASSERT_TRUE(disk->post(in(long_enough), g.job()));
  g.wait_until_entered();
  std::this_thread::sleep_for(milliseconds{20});
  EXPECT_GE(disk->longest_running(), milliseconds{20});
  g.open();
  disk->stop();
  EXPECT_EQ(disk->longest_running().count(), 0);
}

TEST(thread_executor, stops_by_expiring_what_is_queued_and_waiting_for_what_runs) {
  const auto disk = make_thread_executor("disk", 1, 10);
  gate g;
  std::atomic<bool> finished{false};
  ASSERT_TRUE(disk->post(in(long_enough), [&, hold = g.job()](bool expired) {
    hold(expired);
    std::this_thread::sleep_for(milliseconds{20});
    finished = true;
  }));
  g.wait_until_entered();
  std::promise<bool> queued;
  ASSERT_TRUE(disk->post(in(long_enough), [&queued](bool expired) { queued.set_value(expired); }));
  std::thread stopper{[&] { disk->stop(); }};
  g.open();
  stopper.join();
  EXPECT_TRUE(finished);
  EXPECT_TRUE(queued.get_future().get());
  EXPECT_EQ(disk->post(in(long_enough), [](bool) {}).error(), errc::stopping);
  disk->stop();
}

TEST(thread_executor, calls_every_accepted_job_exactly_once_under_load) {
  const auto disk = make_thread_executor("disk", 3, 64);
  std::atomic<int> accepted{0}, called{0};
  std::vector<std::thread> posters;
  posters.reserve(4);
  for (int t = 0; t < 4; ++t)
    posters.emplace_back([&, t] {
      for (int i = 0; i < 3000; ++i)
        if (disk->post(in(milliseconds{i % 5 == t ? 0 : 1000}), [&called](bool) { ++called; })) ++accepted;
    });
  for (auto& poster : posters) poster.join();
  disk->stop();
  EXPECT_EQ(called, accepted);
  EXPECT_GT(accepted, 0);
}

} // namespace cairn::executor_test

#include "cli/transfer/worker_pool.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <set>

namespace cairn::cli::worker_pool_test {

std::unique_ptr<worker_pool> pool_of(unsigned threads) {
  s3_endpoint nowhere;
  nowhere.url = "http://127.0.0.1:1"; // the tasks here send nothing
  return worker_pool::start(nowhere, threads).value();
}

TEST(worker_pool, every_task_runs_once_before_finish_returns) {
  const auto pool = pool_of(4);
  std::atomic<int> ran = 0;
  for (int i = 0; i < 1000; ++i) pool->submit([&](http_client&) { ++ran; });
  pool->finish();
  EXPECT_EQ(ran, 1000);
}

TEST(worker_pool, a_task_shares_its_parts_and_ends_after_all_of_them) {
  const auto pool = pool_of(4);
  std::atomic<int> files_done = 0;
  for (int file = 0; file < 20; ++file)
    pool->submit([&](http_client& client) {
      std::mutex mutex;
      std::multiset<std::uint64_t> seen;
      const auto outcome = pool->share(client, 50, [&](http_client&, std::uint64_t part) -> result<void> {
        const std::lock_guard lock(mutex);
        seen.insert(part);
        return {};
      });
      EXPECT_TRUE(outcome);
      EXPECT_EQ(seen.size(), 50U);
      EXPECT_EQ(std::set<std::uint64_t>(seen.begin(), seen.end()).size(), 50U);
      ++files_done;
    });
  pool->finish();
  EXPECT_EQ(files_done, 20);
}

TEST(worker_pool, one_thread_is_enough_for_parts) {
  const auto pool = pool_of(1);
  std::atomic<int> ran = 0;
  pool->submit([&](http_client& client) {
    EXPECT_TRUE(pool->share(client, 10, [&](http_client&, std::uint64_t) -> result<void> {
      ++ran;
      return {};
    }));
  });
  pool->finish();
  EXPECT_EQ(ran, 10);
}

TEST(worker_pool, the_first_failure_ends_the_parts) {
  const auto pool = pool_of(1);
  int ran = 0;
  pool->submit([&](http_client& client) {
    const auto outcome = pool->share(client, 10, [&](http_client&, std::uint64_t part) -> result<void> {
      ++ran;
      if (part == 3) return error{errc::io_error, "part 3"};
      return {};
    });
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().text, "part 3");
  });
  pool->finish();
  EXPECT_EQ(ran, 4);
}

} // namespace cairn::cli::worker_pool_test

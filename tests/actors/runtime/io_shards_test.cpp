#include "actors/runtime/io_shards.hpp"

#include <gtest/gtest.h>

namespace cairn::actors::io_shards_test {

struct made {
  std::size_t shards, threads;
  friend bool operator==(const made&, const made&) = default;
};

made make(std::uint32_t shards, std::uint32_t threads) {
  const io_shards s{shards, threads};
  return {s.contexts().size(), s.threads()};
}

TEST(io_shards, are_one_for_every_four_threads_unless_their_number_is_given) {
  EXPECT_EQ(make(0, 1), (made{1, 1}));
  EXPECT_EQ(make(0, 7), (made{1, 7}));
  EXPECT_EQ(make(0, 8), (made{2, 8}));
  EXPECT_EQ(make(0, 64), (made{16, 64}));
  EXPECT_EQ(make(3, 7), (made{3, 7})) << "no thread is left out";
  EXPECT_EQ(make(5, 2), (made{5, 5})) << "one each at least";
}

TEST(io_shards, run_what_is_posted_to_each_of_them) {
  io_shards s{3, 7};
  s.start();
  std::atomic<int> ran{0};
  for (auto* context : s.contexts()) boost::asio::post(*context, [&ran] { ++ran; });
  while (ran < 3) std::this_thread::yield();
  s.stop();
}

} // namespace cairn::actors::io_shards_test

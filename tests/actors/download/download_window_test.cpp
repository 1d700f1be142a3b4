#include "actors/download/download_window.hpp"

#include <gtest/gtest.h>

namespace cairn::actors::download_window_test {

using std::chrono::microseconds;
constexpr microseconds slow{50'000}, fast{300};

slice tagged(std::uint32_t tag) {
  return {nullptr, tag, 1};
}

std::vector<std::uint32_t> released(download_window& w) {
  std::vector<std::uint32_t> out;
  while (auto s = w.release()) out.push_back(s->offset);
  return out;
}

// One whole slice: asked, answered, taken by the socket.
void pass_one(download_window& w, microseconds latency, bool starving) {
  w.arrived(w.begin(), tagged(0), latency);
  ASSERT_EQ(released(w).size(), 1u);
  ASSERT_TRUE(w.credit(1, starving));
}

TEST(download_window, releases_replies_in_index_order_when_the_last_read_answers_first) {
  download_window w{3, 3};
  for (int i = 0; i < 3; ++i) w.begin();
  w.arrived(2, tagged(2), fast);
  EXPECT_TRUE(released(w).empty());
  w.arrived(0, tagged(0), fast);
  EXPECT_EQ(released(w), (std::vector<std::uint32_t>{0}));
  w.arrived(1, tagged(1), fast);
  EXPECT_EQ(released(w), (std::vector<std::uint32_t>{1, 2}));
}

TEST(download_window, begins_no_slice_until_the_socket_took_one) {
  download_window w{2, 2};
  w.begin();
  w.begin();
  EXPECT_FALSE(w.may_begin());
  w.arrived(0, tagged(0), fast);
  EXPECT_EQ(released(w).size(), 1u);
  EXPECT_FALSE(w.may_begin()); // its buffer is still in use
  EXPECT_TRUE(w.credit(1, false));
  EXPECT_TRUE(w.may_begin());
  EXPECT_EQ(w.on_their_way(), 1u);
}

TEST(download_window, refuses_credit_for_slices_that_were_not_released) {
  download_window w{2, 2};
  w.begin();
  EXPECT_FALSE(w.credit(1, false));
}

TEST(download_window, grows_to_its_maximum_while_slow_reads_starve_the_streamer) {
  download_window w{2, 8};
  for (int i = 0; i < 20; ++i) pass_one(w, slow, true);
  EXPECT_EQ(w.size(), 8u);
}

TEST(download_window, stays_small_when_reads_are_as_fast_as_a_copy) {
  download_window w{2, 8};
  for (int i = 0; i < 100; ++i) pass_one(w, fast, true);
  EXPECT_EQ(w.size(), 2u);
}

TEST(download_window, shrinks_to_its_minimum_when_the_socket_is_the_bottleneck) {
  download_window w{2, 8};
  for (int i = 0; i < 20; ++i) pass_one(w, slow, true);
  for (int i = 0; i < 300; ++i) pass_one(w, slow, false);
  EXPECT_EQ(w.size(), 2u);
}

TEST(download_window, never_has_more_than_its_maximum_on_the_way) {
  download_window w{1, 5};
  std::uint64_t begun = 0, answered = 0;
  for (int round = 0; round < 200; ++round) {
    while (w.may_begin()) begun = w.begin() + 1;
    ASSERT_LE(w.on_their_way(), 5u);
    while (answered < begun) w.arrived(answered++, tagged(0), slow);
    const auto n = std::uint32_t(released(w).size());
    ASSERT_TRUE(w.credit(n, round % 3 != 0));
  }
  EXPECT_TRUE(w.all_credited());
}

} // namespace cairn::actors::download_window_test

#include "actors/upload/upload_window.hpp"

#include <gtest/gtest.h>

namespace cairn::actors::upload_window_test {

constexpr upload_window::limits small{.chunk_size = 100, .inline_max = 10, .buffers = 3, .size_max = 1000};

std::uint32_t grant(upload_window& w) {
  const auto n = w.next_grant().value();
  w.granted(n);
  return n;
}

TEST(upload_window, grants_chunks_and_at_the_end_what_is_left) {
  upload_window w{250, small};
  EXPECT_EQ(grant(w), 100u);
  EXPECT_EQ(grant(w), 100u);
  EXPECT_FALSE(w.next_grant()); // two are empty at the socket
  ASSERT_TRUE(w.received(100));
  EXPECT_EQ(grant(w), 50u);
  ASSERT_TRUE(w.received(100));
  EXPECT_FALSE(w.next_grant()); // nothing is left
  ASSERT_TRUE(w.received(50));
  EXPECT_TRUE(w.ended());
  EXPECT_EQ(w.bytes(), 250u);
}

TEST(upload_window, keeps_at_most_its_buffers_out) {
  upload_window w{{}, small};
  for (int i = 0; i < 3; ++i) {
    grant(w);
    ASSERT_TRUE(w.received(100));
  }
  EXPECT_FALSE(w.next_grant());
  EXPECT_FALSE(w.alone());
  w.released();
  EXPECT_TRUE(w.next_grant());
}

TEST(upload_window, grants_one_small_buffer_for_a_small_or_empty_body) {
  upload_window five{5, small};
  EXPECT_EQ(grant(five), 5u);
  EXPECT_FALSE(five.next_grant());
  upload_window none{0, small};
  EXPECT_EQ(grant(none), 1u);
  EXPECT_FALSE(none.next_grant());
  EXPECT_TRUE(none.ended());
  EXPECT_TRUE(none.is_inline());
}

TEST(upload_window, stores_small_bodies_inline_once_it_knows_that_nothing_follows) {
  upload_window known{10, small};
  grant(known);
  ASSERT_TRUE(known.received(10));
  EXPECT_TRUE(known.is_inline());
  upload_window unknown{{}, small};
  grant(unknown);
  ASSERT_TRUE(unknown.received(10));
  EXPECT_TRUE(unknown.is_inline());
  upload_window large{{}, small};
  grant(large);
  ASSERT_TRUE(large.received(11));
  EXPECT_FALSE(large.is_inline());
  upload_window more{20, small};
  grant(more);
  ASSERT_TRUE(more.received(20));
  EXPECT_FALSE(more.is_inline());
}

TEST(upload_window, refuses_bodies_above_the_limit) {
  upload_window w{{}, small};
  for (int i = 0; i < 10; ++i) {
    grant(w);
    ASSERT_TRUE(w.received(100));
    w.released();
  }
  grant(w);
  EXPECT_EQ(w.received(1).error(), errc::too_large);
}

TEST(upload_window, notices_a_socket_that_breaks_its_promise) {
  upload_window w{250, small};
  grant(w);
  EXPECT_EQ(w.received(101).error(), errc::invalid_argument);
  upload_window gap{{}, small};
  grant(gap);
  grant(gap);
  ASSERT_TRUE(gap.received(40));
  EXPECT_EQ(gap.received(1).error(), errc::invalid_argument);
  upload_window less{250, small};
  grant(less);
  ASSERT_TRUE(less.received(100));
  EXPECT_EQ(less.ended().error(), errc::connection_lost);
  upload_window never{{}, small};
  EXPECT_EQ(never.received(0).error(), errc::invalid_argument);
}

} // namespace cairn::actors::upload_window_test

#include "actors/link/wire/send_queue.hpp"

#include <gtest/gtest.h>

namespace cairn::actors::link::send_queue_test {

class link_send_queue : public ::testing::Test {
protected:
  message small(std::uint64_t number, std::size_t meta = 10) {
    message m;
    m.header.kind = frame_kind::request;
    m.header.lane = lane::control;
    m.header.request = number;
    m.meta = std::string(meta, 'm');
    return m;
  }
  message bulk(std::uint64_t number, std::uint32_t bytes) {
    auto m = small(number);
    m.header.lane = lane::bulk;
    m.payload = {pool.try_acquire(bytes, reservation::minimum), 0, bytes};
    return m;
  }
  static frame_header header_of(const sent_frame& f) { return decode_header(f.header).value(); }

  buffer_pool pool{64 << 20};
  send_queue queue{8 << 20};
};

TEST_F(link_send_queue, sends_small_messages_together) {
  for (std::uint64_t i = 1; i <= 30; ++i) ASSERT_TRUE(queue.push(small(i)));
  const auto batch = queue.next_batch();
  ASSERT_EQ(batch.size(), send_queue::batch_frames);
  EXPECT_EQ(header_of(batch[3]).request, 4u);
  EXPECT_EQ(header_of(batch[3]).meta_length, 10u);
  EXPECT_EQ(queue.bytes(), 30 * (header_bytes + 10)) << "what is on its way counts too";
  queue.written(batch);
  queue.written(queue.next_batch());
  EXPECT_EQ(queue.bytes(), 0u);
  EXPECT_TRUE(queue.next_batch().empty());
}

TEST_F(link_send_queue, lets_payloads_take_turns) {
  ASSERT_TRUE(queue.push(bulk(1, 2 * piece_max + 5)));
  ASSERT_TRUE(queue.push(bulk(2, piece_max)));
  ASSERT_TRUE(queue.push(small(3)));
  std::vector<std::pair<std::uint64_t, std::uint32_t>> order;
  for (auto batch = queue.next_batch(); !batch.empty(); batch = queue.next_batch()) {
    for (const auto& f : batch) {
      const auto h = header_of(f);
      order.emplace_back(h.request, h.payload_length);
      EXPECT_EQ(h.kind == frame_kind::fragment, h.payload_offset > 0);
      EXPECT_EQ(f.piece.owner ? f.piece.offset : h.payload_offset, h.payload_offset);
    }
    queue.written(batch);
  }
  const std::vector<std::pair<std::uint64_t, std::uint32_t>> expected{
      {1, piece_max}, {2, piece_max}, {3, 0}, {1, piece_max}, {1, 5}};
  EXPECT_EQ(order, expected);
  EXPECT_EQ(queue.bytes(), 0u);
}

TEST_F(link_send_queue, is_bounded_but_takes_one_message_of_any_size) {
  send_queue narrow{100};
  EXPECT_TRUE(narrow.push(bulk(1, 1000)));
  EXPECT_FALSE(narrow.push(small(2)));
  narrow.push_unbounded(small(3));
  narrow.clear();
  EXPECT_EQ(narrow.bytes(), 0u);
  EXPECT_TRUE(narrow.push(small(4, 60)));
  EXPECT_FALSE(narrow.push(small(5, 60)));
}

TEST_F(link_send_queue, lets_go_of_buffers_that_were_sent) {
  ASSERT_TRUE(queue.push(bulk(1, 4096)));
  auto batch = queue.next_batch();
  queue.written(batch);
  EXPECT_GT(pool.in_use_bytes(), 0u);
  batch.clear();
  EXPECT_EQ(pool.in_use_bytes(), 0u);
}

} // namespace cairn::actors::link::send_queue_test

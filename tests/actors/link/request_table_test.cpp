#include "actors/link/request_table.hpp"

#include <gtest/gtest.h>

namespace cairn::actors::link::request_table_test {

using std::chrono::milliseconds;

class link_request_table : public ::testing::Test {
protected:
  link_request_table() { table.link_up(10'000, 2); }

  outgoing_request request(lane on, std::uint32_t into = 0) {
    outgoing_request r;
    r.on = on;
    r.bytes = "ask";
    r.deadline = now + milliseconds{100};
    if (into > 0) r.into = {pool.try_acquire(into, reservation::minimum), 0, into};
    r.reply = [this](result<answer> a) { outcomes.push_back(std::move(a)); };
    return r;
  }
  request_number add(lane on, std::uint32_t into = 0) {
    auto r = request(on, into);
    return table.add(r, now).value();
  }
  std::vector<request_number> sent() {
    std::vector<request_number> numbers;
    for (const auto& s : table.take_sendable(now)) numbers.push_back(s.number);
    return numbers;
  }
  frame_header reply(request_number n, std::uint32_t piece = 0, std::uint32_t total = 0) {
    frame_header h;
    h.kind = frame_kind::reply;
    h.lane = total > 0 ? lane::bulk : lane::control;
    h.request = n;
    h.payload_length = piece;
    h.payload_total = total;
    return h;
  }
  void arrive(const frame_header& h, const std::string& meta = {}) {
    auto over = table.arrived(h, meta).value();
    if (over) (*over)();
  }

  buffer_pool pool{1 << 20};
  steady_time now{milliseconds{1000}};
  request_table table{6};
  std::vector<result<answer>> outcomes;
};

TEST_F(link_request_table, answers_a_call_with_the_reply_s_bytes) {
  const auto n = add(lane::control);
  const auto out = table.take_sendable(now);
  ASSERT_EQ(out.size(), 1u);
  EXPECT_EQ(out[0].connection, 0u);
  EXPECT_EQ(out[0].what.header.time_left_ms, 100u);
  arrive(reply(n), "said");
  ASSERT_EQ(outcomes.size(), 1u);
  EXPECT_EQ(outcomes[0]->bytes, "said");
  EXPECT_EQ(table.in_flight(), 0u);
  EXPECT_FALSE(table.arrived(reply(n), {})) << "a second reply is against the rules";
}

TEST_F(link_request_table, hands_an_error_of_the_peer_on) {
  const auto n = add(lane::control);
  sent();
  auto h = reply(n);
  h.code = static_cast<std::uint8_t>(errc::not_found);
  arrive(h, "no such chunk");
  EXPECT_EQ(outcomes[0].error().code, errc::not_found);
  EXPECT_EQ(outcomes[0].error().text, "no such chunk");
}

TEST_F(link_request_table, places_the_pieces_of_a_reply_in_the_requester_s_buffer) {
  const auto n = add(lane::bulk, 4000);
  sent();
  const auto first = table.place(reply(n, 1000, 3000)).value();
  EXPECT_EQ(first.offset, 0u);
  EXPECT_EQ(first.length, 1000u);
  arrive(reply(n, 1000, 3000), "meta");
  auto next = reply(n, 2000, 3000);
  next.kind = frame_kind::fragment;
  next.payload_offset = 999;
  EXPECT_FALSE(table.place(next)) << "out of order";
  next.payload_offset = 1000;
  EXPECT_EQ(table.place(next)->offset, 1000u);
  arrive(next);
  ASSERT_EQ(outcomes.size(), 1u);
  EXPECT_EQ(outcomes[0]->bytes, "meta");
  EXPECT_EQ(outcomes[0]->payload.length, 3000u);
  EXPECT_EQ(table.outstanding_bytes(), 0u);
}

TEST_F(link_request_table, calls_a_reply_beyond_its_buffer_corrupt) {
  const auto n = add(lane::bulk, 100);
  sent();
  EXPECT_EQ(table.place(reply(n, 101, 101)).error().code, errc::corrupt);
}

TEST_F(link_request_table, sends_as_far_as_the_credit_goes_and_in_order) {
  const auto a = add(lane::bulk, 6000), b = add(lane::bulk, 6000), c = add(lane::bulk, 100);
  EXPECT_EQ(sent(), std::vector{a});
  EXPECT_EQ(table.waiting_for_credit(), 2u);
  const auto small = add(lane::control);
  EXPECT_EQ(sent(), std::vector{small}) << "control requests need no credit";
  arrive(reply(a));
  EXPECT_EQ(sent(), (std::vector{b, c}));
}

TEST_F(link_request_table, spreads_bulk_requests_over_the_connections) {
  add(lane::bulk, 3000);
  add(lane::bulk, 1000);
  add(lane::bulk, 1000);
  std::vector<std::size_t> connections;
  for (const auto& s : table.take_sendable(now)) connections.push_back(s.connection);
  EXPECT_EQ(connections, (std::vector<std::size_t>{1, 2, 2}));
}

TEST_F(link_request_table, keeps_the_credit_of_a_late_request_until_its_reply_which_is_forgotten) {
  const auto n = add(lane::bulk, 6000);
  sent();
  add(lane::bulk, 5000); // waits
  now += milliseconds{100};
  auto over = table.expire(now);
  for (auto& f : over.answers) f();
  ASSERT_EQ(outcomes.size(), 2u);
  EXPECT_EQ(outcomes[0].error().code, errc::timeout);
  EXPECT_EQ(over.cancels.size(), 1u) << "the one that was never sent is just gone";
  EXPECT_EQ(table.in_flight(), 1u);
  EXPECT_EQ(table.outstanding_bytes(), 6000u);
  EXPECT_EQ(pool.in_use_bytes(), 0u) << "its buffer is free";
  EXPECT_FALSE(table.place(reply(n, 6000, 6000))->owner);
  arrive(reply(n, 6000, 6000));
  EXPECT_EQ(outcomes.size(), 2u);
  EXPECT_EQ(table.outstanding_bytes(), 0u);
}

TEST_F(link_request_table, answers_everything_when_the_link_is_lost) {
  add(lane::control);
  sent();
  add(lane::bulk, 6000);
  sent();
  const auto cancelled = add(lane::bulk, 6000);
  for (auto& f : table.cancel(cancelled).answers) f();
  EXPECT_EQ(outcomes.at(0).error().code, errc::cancelled);
  add(lane::bulk, 6000);
  for (auto& f : table.link_lost({errc::connection_lost, "cut"})) f();
  ASSERT_EQ(outcomes.size(), 4u);
  for (std::size_t i = 1; i < 4; ++i) EXPECT_EQ(outcomes[i].error().code, errc::connection_lost);
  EXPECT_EQ(table.in_flight(), 0u);
  EXPECT_EQ(pool.in_use_bytes(), 0u);
  table.link_up(10'000, 1);
  EXPECT_GT(add(lane::control), cancelled) << "numbers are not used again";
}

TEST_F(link_request_table, refuses_what_it_cannot_hold) {
  auto large = request(lane::bulk, 10'001);
  EXPECT_EQ(table.add(large, now).error().code, errc::too_large);
  auto long_one = request(lane::control);
  long_one.bytes.assign(control_meta_max + 1, 'x');
  EXPECT_EQ(table.add(long_one, now).error().code, errc::too_large);
  auto late = request(lane::control);
  late.deadline = now;
  EXPECT_EQ(table.add(late, now).error().code, errc::timeout);
  EXPECT_TRUE(late.reply) << "the caller still has to answer";
  for (int i = 0; i < 6; ++i) add(lane::control);
  auto more = request(lane::control);
  EXPECT_EQ(table.add(more, now).error().code, errc::busy);
}

TEST_F(link_request_table, that_is_full_of_chunks_has_room_for_votes) {
  for (int i = 0; i < 6; ++i) add(lane::bulk, 6000); // one is sent, the others wait for credit
  auto more = request(lane::bulk, 6000);
  EXPECT_EQ(table.add(more, now).error().code, errc::busy);
  for (int i = 0; i < 6; ++i) add(lane::control);
  auto beat = request(lane::control);
  EXPECT_EQ(table.add(beat, now).error().code, errc::busy);
  table.cancel(2); // never sent
  EXPECT_TRUE(table.add(more, now));
}

} // namespace cairn::actors::link::request_table_test

#include "actors/link/wire/frame_parser.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace cairn::actors::link::frame_test {

frame_header request_header(lane on, std::uint32_t meta, std::uint32_t piece = 0, std::uint32_t total = 0) {
  frame_header h;
  h.kind = frame_kind::request;
  h.lane = on;
  h.request = 7;
  h.meta_length = meta;
  h.payload_length = piece;
  h.payload_total = total;
  h.time_left_ms = 1500;
  return h;
}

std::string bytes_of(const frame_header& h, const std::string& meta = {}, const std::string& payload = {}) {
  const auto block = encode(h);
  return std::string{reinterpret_cast<const char*>(block.data()), block.size()} + meta + payload;
}

void feed(frame_parser& parser, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto space = parser.space();
    const auto n = std::min(space.size(), bytes.size());
    std::copy_n(reinterpret_cast<const std::byte*>(bytes.data()), n, space.begin());
    parser.filled(n);
    bytes.remove_prefix(n);
    if (bytes.empty()) break;
    ASSERT_EQ(parser.step().value(), frame_parser::step_result::more);
  }
}

TEST(link_frame, has_one_encoding_which_is_forty_bytes_big_endian) {
  auto h = request_header(lane::bulk, 5, 3, 4);
  h.reply_max = 9;
  const auto bytes = bytes_of(h);
  EXPECT_EQ(
      bytes,
      std::string("CRNL\x01\x05\x01\x00\0\0\0\0\0\0\0\x07\0\0\0\x05\0\0\0\x03\0\0\0\x04\0\0\0\0\0\0\x05\xdc\0\0\0\x09",
                  header_bytes));
  EXPECT_EQ(decode_header(encode(h)).value(), h);
}

TEST(link_frame, refuses_every_header_against_the_grammar) {
  const auto refused = [](std::size_t at, std::uint8_t value, const frame_header& h) {
    auto block = encode(h);
    block[at] = static_cast<std::byte>(value);
    const auto read = decode_header(block);
    return read.has_value() ? std::string{"accepted"} : read.error().text;
  };
  const auto request = request_header(lane::bulk, 5, 3, 4);
  frame_header heartbeat;
  heartbeat.kind = frame_kind::heartbeat;
  EXPECT_EQ(refused(0, 'X', request), "not a frame of the node link");
  EXPECT_EQ(refused(4, 2, request), "frames of version 2; this node speaks 1");
  EXPECT_EQ(refused(5, 9, request), "a frame of unknown kind 9");
  EXPECT_EQ(refused(5, 0, request), "a frame of unknown kind 0");
  EXPECT_EQ(refused(6, 2, request), "a request frame with an unknown lane");
  EXPECT_EQ(refused(7, 1, request), "a request frame with an error code");
  EXPECT_EQ(refused(7, 255, request), "a request frame with an unknown error code");
  EXPECT_EQ(refused(15, 0, request), "a request frame with no request number");
  EXPECT_EQ(refused(16, 0xff, request), "a request frame with a meta beyond its limit");
  EXPECT_EQ(refused(20, 0xff, request), "a request frame with a payload beyond its limit");
  EXPECT_EQ(refused(24, 0xff, request), "a request frame with a payload beyond its limit");
  EXPECT_EQ(refused(23, 5, request), "a request frame with a piece beyond its payload");
  EXPECT_EQ(refused(23, 0, request), "a request frame with an empty piece");
  EXPECT_EQ(refused(31, 1, request), "a request frame with a first piece with an offset");
  EXPECT_EQ(refused(36, 0xff, request), "a request frame with reply_max beyond its limit");
  EXPECT_EQ(refused(6, 0, request), "a request frame with a payload on the control lane");
  EXPECT_EQ(refused(19, 1, heartbeat), "a heartbeat frame with a meta beyond its limit");
  EXPECT_EQ(refused(15, 1, heartbeat), "a heartbeat frame with a request number");
  EXPECT_EQ(refused(35, 1, heartbeat), "a heartbeat frame with a deadline or reply_max");
  EXPECT_EQ(refused(23, 1, heartbeat), "a heartbeat frame with a payload");
}

TEST(link_frame_parser, reads_frames_that_arrive_byte_by_byte) {
  frame_parser parser;
  parser.known(lane::control);
  const std::string meta(1000, 'm');
  const auto stream = bytes_of(request_header(lane::control, 1000), meta) + bytes_of(request_header(lane::control, 0));
  std::size_t frames = 0;
  for (const char c : stream) {
    parser.space().front() = static_cast<std::byte>(c);
    parser.filled(1);
    for (auto step = parser.step().value(); step != frame_parser::step_result::more; step = parser.step().value()) {
      ASSERT_EQ(step, frame_parser::step_result::frame);
      EXPECT_EQ(parser.take_meta(), frames == 0 ? meta : std::string{});
      ++frames;
    }
  }
  EXPECT_EQ(frames, 2u);
}

TEST(link_frame_parser, receives_a_payload_at_its_place_but_for_what_came_along) {
  frame_parser parser;
  parser.known(lane::bulk);
  const std::uint32_t size = 100'000;
  std::string payload(size, '\0');
  for (std::size_t i = 0; i < size; ++i) payload[i] = static_cast<char>(i * 31 / 7);
  const auto stream = bytes_of(request_header(lane::bulk, 3, size, size), "abc", payload);
  EXPECT_LE(parser.space().size(), 4096u);
  feed(parser, std::string_view{stream}.substr(0, 60));
  ASSERT_EQ(parser.step().value(), frame_parser::step_result::payload);
  EXPECT_EQ(parser.meta(), "abc");
  std::vector<std::byte> place(size);
  parser.place(place);
  ASSERT_EQ(parser.step().value(), frame_parser::step_result::more);
  EXPECT_EQ(parser.space().data(), place.data() + 17) << "17 bytes came with the header";
  EXPECT_EQ(parser.space().size(), size - 17);
  feed(parser, std::string_view{stream}.substr(60));
  ASSERT_EQ(parser.step().value(), frame_parser::step_result::frame);
  EXPECT_TRUE(std::equal(place.begin(), place.end(), reinterpret_cast<const std::byte*>(payload.data())));
}

TEST(link_frame_parser, skips_a_payload_without_a_receiver_and_continues) {
  frame_parser parser;
  parser.known(lane::bulk);
  const auto stream = bytes_of(request_header(lane::bulk, 0, 500'000, 500'000), {}, std::string(500'000, 'x')) +
                      bytes_of(request_header(lane::bulk, 4), "next");
  feed(parser, std::string_view{stream}.substr(0, header_bytes));
  ASSERT_EQ(parser.step().value(), frame_parser::step_result::payload);
  parser.skip();
  feed(parser, std::string_view{stream}.substr(header_bytes, 500'000));
  ASSERT_EQ(parser.step().value(), frame_parser::step_result::frame);
  feed(parser, std::string_view{stream}.substr(header_bytes + 500'000));
  ASSERT_EQ(parser.step().value(), frame_parser::step_result::frame);
  EXPECT_EQ(parser.take_meta(), "next");
}

TEST(link_frame_parser, stays_failed_after_garbage) {
  frame_parser parser;
  feed(parser, std::string(header_bytes, 'G'));
  EXPECT_EQ(parser.step().error().code, errc::corrupt);
  EXPECT_EQ(parser.step().error().text, "not a frame of the node link");
}

TEST(link_frame_parser, takes_no_large_frames_from_strangers_and_none_of_the_other_lane) {
  frame_parser stranger;
  feed(stranger, bytes_of(request_header(lane::control, greeting_meta_max + 1)));
  EXPECT_EQ(stranger.step().error().code, errc::corrupt);
  frame_parser other;
  other.known(lane::bulk);
  feed(other, bytes_of(request_header(lane::control, 0)));
  EXPECT_EQ(other.step().error().text, "a request frame of another lane");
}

} // namespace cairn::actors::link::frame_test

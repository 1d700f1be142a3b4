#include "actors/protocol/chunk_messages.hpp"

#include <gtest/gtest.h>

namespace cairn::actors::chunk_messages_test {

const chunk_id id{{0x0102030405060708, 0xfffefdfcfbfaf9f8}, 77};

template <class Message>
void comes_back(const Message& m, std::size_t kind_bytes) {
  const auto whole = encode(m);
  const auto bytes = std::string_view{whole}.substr(kind_bytes);
  const auto again = decode<Message>(bytes);
  ASSERT_TRUE(again) << to_string(again.error());
  EXPECT_EQ(*again, m);
  for (std::size_t cut = 0; cut < bytes.size(); ++cut) EXPECT_FALSE(decode<Message>(bytes.substr(0, cut))) << cut;
  EXPECT_EQ(decode<Message>(std::string{bytes} + '\0').error(), errc::corrupt);
  std::string newer{bytes};
  newer[0] = 2;
  EXPECT_EQ(decode<Message>(newer).error(), errc::unsupported);
}

TEST(chunk_messages, come_back_as_they_were_and_never_in_part) {
  comes_back(read_chunk_request{300, id, 65536, 1 << 20}, 1);
  comes_back(write_chunk_request{0, id, 0xdeadbeef}, 1);
  comes_back(erase_chunks_request{~0ull, {id, {}, id}}, 1);
  comes_back(read_chunk_answer{1, 2}, 0);
  comes_back(write_chunk_answer{}, 0);
  comes_back(erase_chunks_answer{1u << 31}, 0);
}

TEST(chunk_messages, begin_with_their_kind) {
  EXPECT_EQ(encode(read_chunk_request{}).front(), char(peer_request::read_chunk));
  EXPECT_EQ(encode(write_chunk_request{}).front(), char(peer_request::write_chunk));
  EXPECT_EQ(encode(erase_chunks_request{}).front(), char(peer_request::erase_chunks));
}

TEST(chunk_messages, refuse_values_outside_their_bounds) {
  const auto refused = [](const auto& m) {
    return decode<std::decay_t<decltype(m)>>(std::string_view{encode(m)}.substr(1)).has_error();
  };
  EXPECT_FALSE(refused(read_chunk_request{1, id, 0, 1}));
  EXPECT_TRUE(refused(read_chunk_request{1, id, 0, 0}));
  EXPECT_TRUE(refused(read_chunk_request{1, id, 0, chunk_bytes_max + 1}));
  EXPECT_TRUE(refused(read_chunk_request{1, id, 4096, 1}));
  EXPECT_TRUE(refused(read_chunk_request{1, id, chunk_bytes_max + 65536, 1}));
}

} // namespace cairn::actors::chunk_messages_test

#include "cluster/raft/raft_message.hpp"

#include <gtest/gtest.h>

namespace cairn::cluster::raft::raft_message_test {
entry command(term_t term, std::string bytes) {
  return {term, entry_kind::command, share(std::move(bytes))};
}

const configuration three{{{1, server_role::voter}, {2, server_role::voter}, {9, server_role::standby}}};

std::vector<message> one_of_each() {
  append_request a{5, 7, 4, 6, {command(4, "x"), {5, entry_kind::barrier, share({})}}};
  a.entries.push_back({5, entry_kind::change, share(encode(three))});
  return {vote_request{5, 3, 2, true, false},
          vote_answer{5, true, true},
          a,
          append_answer{5, 0, 9},
          snapshot_offer{5, 8, 3},
          timeout_now{5, 8, 3},
          read_round{5, 77},
          read_echo{5, 77}};
}

TEST(raft_message, every_kind_comes_back_as_it_was_and_no_shorter_or_longer_form_is_read) {
  for (const auto& m : one_of_each()) {
    const std::string bytes = encode(m);
    const auto back = decode_message(bytes);
    ASSERT_TRUE(back);
    EXPECT_EQ(back->index(), m.index());
    EXPECT_EQ(encode(*back), bytes);
    EXPECT_EQ(what_is_wrong(*back, 5), nullptr) << what_is_wrong(*back, 5);
    for (std::size_t n = 0; n < bytes.size(); ++n) EXPECT_FALSE(decode_message(bytes.substr(0, n)));
    EXPECT_FALSE(decode_message(bytes + '\0'));
  }
  EXPECT_EQ(decode_message(std::string{"\x02\x01", 2}).error().code, errc::unsupported);
}

TEST(raft_message, invalid_messages_are_refused) {
  const auto refused = [](const message& m) { return what_is_wrong(m, 5) != nullptr; };
  EXPECT_TRUE(refused(vote_answer{0, true, false}));
  EXPECT_TRUE(refused(vote_answer{5 + term_step_max + 1, true, false}));
  EXPECT_TRUE(refused(vote_request{5, 3, 6, false, false}));
  EXPECT_TRUE(refused(vote_request{5, 3, 0, false, false}));
  EXPECT_TRUE(refused(append_request{5, 7, 0, 0, {}}));
  EXPECT_TRUE(refused(append_request{5, number_max + 1, 1, 0, {}}));
  EXPECT_TRUE(refused(append_request{5, 7, 4, 0, {command(3, "older than the one before")}}));
  EXPECT_TRUE(refused(append_request{5, 7, 4, 0, {command(6, "of a later term")}}));
  EXPECT_TRUE(refused(append_request{5, 0, 0, 0, {command(1, "the first entry is a configuration")}}));
  EXPECT_TRUE(refused(append_request{5, 7, 4, 0, {{5, entry_kind::change, share("?")}}}));
  EXPECT_TRUE(refused(append_request{5, 7, 4, 0, {command(5, std::string(entry_bytes_max + 1, 'x'))}}));
  EXPECT_TRUE(refused(append_answer{5, number_max + 1, 0}));
  EXPECT_TRUE(refused(snapshot_offer{5, 0, 1}));
  EXPECT_TRUE(refused(timeout_now{5, 3, 6}));
}

TEST(raft_message, a_configuration_has_ascending_ids_and_a_voter) {
  EXPECT_EQ(decode_configuration(encode(three)).value(), three);
  EXPECT_FALSE(decode_configuration(encode(configuration{})));
  EXPECT_FALSE(decode_configuration(encode(configuration{{{1, server_role::standby}}})));
  EXPECT_FALSE(decode_configuration(encode(configuration{{{2, server_role::voter}, {1, server_role::voter}}})));
  EXPECT_FALSE(decode_configuration(encode(configuration{{{0, server_role::voter}}})));
}

TEST(raft_message, a_request_is_split_into_parts_that_fit_and_follow_each_other) {
  append_request whole{5, 10, 2, 9, {}};
  for (term_t i = 0; i < 10; ++i) whole.entries.push_back(command(2 + i / 4, std::string(400000, 'x')));
  whole.entries.push_back(command(5, std::string(entry_bytes_max, 'x')));
  const auto parts = split(append_request{whole});
  EXPECT_EQ(parts.size(), 6u);
  index_t next = 10;
  for (const auto& part : parts) {
    EXPECT_EQ(part.previous, next);
    EXPECT_LE(encode(message{part}).size(), message_bytes_max);
    EXPECT_EQ(what_is_wrong(message{part}, 5), nullptr);
    next += part.entries.size();
  }
  EXPECT_EQ(next, 21u);
  EXPECT_EQ(split(append_request{5, 10, 2, 9, {}}).size(), 1u);
}

} // namespace cairn::cluster::raft::raft_message_test

#include "actors/protocol/cluster_messages.hpp"

#include <gtest/gtest.h>

namespace cairn::actors::cluster_messages_test {

namespace meta = storage::metadata;

// Comes back as it was, never in part, never longer, never of a newer version. `decode` may be any of the decoders.
template <class Decode>
void never_in_part(const std::string& bytes, Decode decode, std::uint8_t newest = 1) {
  ASSERT_TRUE(decode(bytes)) << to_string(decode(bytes).error());
  for (std::size_t cut = 0; cut < bytes.size(); ++cut)
    EXPECT_FALSE(decode(std::string_view{bytes}.substr(0, cut))) << cut;
  EXPECT_EQ(decode(bytes + '\0').error(), errc::corrupt);
  std::string newer = bytes;
  newer[0] = char(newest + 1);
  EXPECT_EQ(decode(newer).error(), errc::unsupported);
  EXPECT_EQ(decode(std::string_view{}).error(), errc::corrupt);
}

meta::new_node some_node() {
  return {.id = {1, 2, 3}, .address = "node-1:9100", .zone = "rack 7", .weight = 250, .incarnation = 1ull << 40};
}

TEST(cluster_messages, commands_on_their_way_to_the_leader) {
  const std::vector<meta::command> batch{meta::create_bucket{.name = "files", .now = 7},
                                         meta::end_session{.session = 9}};
  const auto bytes = encode_submit(batch);
  never_in_part(bytes, decode_submit);
  const auto again = decode_submit(bytes).value();
  ASSERT_EQ(again.size(), 2u);
  EXPECT_EQ(std::get<meta::create_bucket>(again[0]).name, "files");
  EXPECT_EQ(std::get<meta::end_session>(again[1]).session, 9u);
}

TEST(cluster_messages, outcomes_that_are_known_and_that_are_not) {
  command_outcomes outcomes(3);
  outcomes[0] = meta::command_result{.version = 5, .more = 6};
  outcomes[2] = meta::command_result{.refused = error{errc::bucket_exists, "files"}};
  const auto bytes = encode_outcomes(outcomes);
  never_in_part(bytes, decode_outcomes);
  const auto again = decode_outcomes(bytes).value();
  ASSERT_EQ(again.size(), 3u);
  EXPECT_EQ(again[0]->version, 5u);
  EXPECT_EQ(again[0]->more, 6u);
  EXPECT_FALSE(again[1]);
  EXPECT_EQ(again[2]->refused->code, errc::bucket_exists);
}

TEST(cluster_messages, a_count_of_outcomes_allocates_no_more_than_is_there) {
  EXPECT_EQ(decode_outcomes("\x01\xff\xff\xff\xff\x0f").error(), errc::corrupt);
}

TEST(cluster_messages, barriers_and_indexes) {
  never_in_part(encode_barrier(), [](std::string_view bytes) -> result<bool> {
    if (auto good = decode_barrier(bytes); !good) return good.error();
    return true;
  });
  const auto index = encode(read_index{1ull << 50, 0}), with_term = encode(read_index{1ull << 50, 7});
  never_in_part(index, decode_read_index);
  EXPECT_EQ(decode_read_index(index).value().index, 1ull << 50);
  EXPECT_EQ(decode_read_index(index).value().term, 0u) << "as builds before this one say it";
  EXPECT_EQ(decode_read_index(with_term).value().index, 1ull << 50);
  EXPECT_EQ(decode_read_index(with_term).value().term, 7u);
}

TEST(cluster_messages, pieces_of_a_state) {
  const auto wanted = encode(snapshot_request{77, 1ull << 33});
  never_in_part(wanted, decode_snapshot_request);
  EXPECT_EQ(decode_snapshot_request(wanted)->index, 77u);
  EXPECT_EQ(decode_snapshot_request(wanted)->offset, 1ull << 33);

  snapshot_piece p;
  p.record = {77, 5, {{{1, cluster::raft::server_role::voter}, {3, cluster::raft::server_role::standby}}}, 70};
  p.total = 1ull << 34;
  p.bytes = "a piece";
  const auto bytes = encode(p);
  never_in_part(bytes, decode_snapshot_piece);
  const auto again = decode_snapshot_piece(bytes).value();
  EXPECT_EQ(again.record.index, 77u);
  EXPECT_EQ(again.record.term, 5u);
  EXPECT_EQ(again.record.servers, p.record.servers);
  EXPECT_EQ(again.record.servers_index, 70u);
  EXPECT_EQ(again.total, p.total);
  EXPECT_EQ(again.bytes, p.bytes);
  for (std::size_t bit = 0; bit < 8; ++bit) {
    std::string flipped = bytes;
    flipped.back() = char(flipped.back() ^ (1 << bit));
    EXPECT_EQ(decode_snapshot_piece(flipped).error(), errc::corrupt);
  }
}

TEST(cluster_messages, round_trip_join_requests_and_their_answers) {
  const auto command = encode(join_request{some_node(), "blue"});
  never_in_part(command, decode_join, 2);
  const auto j = decode_join(command).value();
  EXPECT_EQ(j.node.id, some_node().id);
  EXPECT_EQ(j.node.address, some_node().address);
  EXPECT_EQ(j.node.zone, some_node().zone);
  EXPECT_EQ(j.node.weight, some_node().weight);
  EXPECT_EQ(j.node.incarnation, some_node().incarnation);
  EXPECT_EQ(j.cluster_name, "blue");

  cluster::join_proof proof{};
  proof.fill(7);
  const auto proven = encode(join_request{some_node(), "blue", proof});
  never_in_part(proven, decode_join, 2);
  EXPECT_EQ(decode_join(proven)->proof, proof);
  EXPECT_FALSE(j.proof);
  EXPECT_EQ(std::uint8_t(proven.front()), 2u) << "an older build says that it does not know it";

  join_answer a{{9}, "blue", 3, {{0, {1}, "node-0:9100"}, {2, {2}, "node-2:9100"}}};
  const auto answer = encode(a);
  never_in_part(answer, decode_join_answer);
  const auto again = decode_join_answer(answer).value();
  EXPECT_EQ(again.cluster, a.cluster);
  EXPECT_EQ(again.name, "blue");
  EXPECT_EQ(again.number, 3u);
  EXPECT_EQ(again.members, a.members);
  EXPECT_FALSE(decode_join(encode(join_request{some_node(), std::string(5000, 'x')}))) << "a name without bounds";
}

TEST(cluster_messages, who_is_a_member) {
  const known_members members{{0, {1}, "node-0:9100"}, {2, {2}, "node-2:9100"}};
  never_in_part(encode(members), decode_members);
  EXPECT_EQ(decode_members(encode(members)).value(), members);
  EXPECT_EQ(decode_members(encode(known_members{})).value(), known_members{});
}

TEST(cluster_messages, reports) {
  node_report r;
  r.node = some_node();
  r.oldest_hold = 1;
  r.settled = 2;
  r.applied = 3;
  r.used_bytes = 4;
  r.capacity_bytes = 5;
  r.takes_writes = false;
  r.complete_epoch = 6;
  r.complete = {0, 7, 16383};
  const auto bytes = encode(r);
  never_in_part(bytes, decode_report);
  const auto again = decode_report(bytes).value();
  EXPECT_EQ(again.node.id, r.node.id);
  EXPECT_EQ(again.oldest_hold, 1u);
  EXPECT_EQ(again.settled, 2u);
  EXPECT_EQ(again.applied, 3u);
  EXPECT_EQ(again.used_bytes, 4u);
  EXPECT_EQ(again.capacity_bytes, 5u);
  EXPECT_FALSE(again.takes_writes);
  EXPECT_EQ(again.complete_epoch, 6u);
  EXPECT_EQ(again.complete, r.complete);
  EXPECT_EQ(again.fault, "");
}

TEST(cluster_messages, reports_name_faults_only_when_there_are_some) {
  node_report r;
  r.node = some_node();
  const auto healthy = encode(r);
  for (const bool failed : {false, true}) {
    r.fault = failed ? "no_space" : "";
    r.closed_disks = failed ? 0 : 2;
    const auto bytes = encode(r);
    EXPECT_EQ(bytes.substr(0, healthy.size()), healthy) << "as builds before this one write it";
    const auto again = decode_report(bytes).value();
    EXPECT_EQ(again.fault, r.fault);
    EXPECT_EQ(again.closed_disks, r.closed_disks);
    for (std::size_t n = healthy.size() + 1; n < bytes.size(); ++n) EXPECT_FALSE(decode_report(bytes.substr(0, n)));
  }
}

TEST(cluster_messages, reports_tell_a_clock_only_to_leaders_that_know_it) {
  node_report r;
  r.node = some_node();
  const auto without = encode(r);
  r.wall = 1'796'000'000'000;
  const auto with = encode(r);
  EXPECT_TRUE(with.starts_with(without));
  EXPECT_EQ(decode_report(with)->wall, r.wall);
  EXPECT_EQ(decode_report(without)->wall, 0);
  EXPECT_FALSE(decode_report(with.substr(0, with.size() - 1)));
}

} // namespace cairn::actors::cluster_messages_test

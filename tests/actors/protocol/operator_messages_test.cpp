#include "actors/protocol/operator_messages.hpp"

#include <gtest/gtest.h>

namespace cairn::actors::operator_messages_test {

cluster_status example() {
  cluster_status s;
  s.name = "blue";
  s.id[3] = 7;
  s.replicas = 3;
  s.write_quorum = 2;
  s.deletions_held = true;
  s.epoch = 300;
  s.leader = 0;
  s.term = 1'000'000;
  s.self = 4;
  s.now = 1'700'000'000'000;
  s.repairs_waiting = 1;
  s.bytes_to_move = std::uint64_t{1} << 40;
  s.partitions_under_replicated = 16384;
  s.voters = {0, 2, 300};
  s.chunks_lost = 77;
  s.voters_next = {0, 2};
  s.auto_out = {{}, cluster::out_pause::many_down, {4, 300}, {4, 5, 300}};
  for (node_number n = 0; n < 3; ++n) {
    cluster_node_status node;
    node.number = n;
    node.id[0] = std::uint8_t(n);
    node.address = "node:9100";
    node.zone = n == 0 ? "" : "rack";
    node.weight = 1'000'000'000;
    node.state = storage::metadata::node_state::draining;
    node.up = n == 1;
    node.since = 5;
    node.role = metadata_role::voter;
    node.partitions_owned = 16384;
    node.partitions_incoming = n;
    node.used_bytes = 1 << 20;
    node.capacity_bytes = ~std::uint64_t{0};
    node.data_bytes = n;
    node.applied_index = 99;
    s.nodes.push_back(std::move(node));
  }
  return s;
}

TEST(operator_messages, a_status_comes_back_as_it_went) {
  auto s = example();
  EXPECT_EQ(decode_cluster_status(encode(s)).value(), s);
  s.nodes[1].fault = "no_space";
  s.nodes[2].closed_disks = 3;
  EXPECT_EQ(decode_cluster_status(encode(s)).value(), s);
  s.waiting = {{uuid{5}, "new:9100"}, {uuid{6}, ""}};
  EXPECT_EQ(decode_cluster_status(encode(s)).value(), s);
  s.nodes[0].certificate_end = 1'800'000'000'000;
  EXPECT_EQ(decode_cluster_status(encode(s)).value(), s);
  s.leader.reset();
  s.nodes.clear();
  EXPECT_EQ(decode_cluster_status(encode(s)).value(), s);
}

TEST(operator_messages, requests_come_back_as_they_went) {
  EXPECT_TRUE(std::holds_alternative<status_request>(*decode_admin_request(encode(admin_request{status_request{}}))));
  EXPECT_TRUE(
      std::holds_alternative<repair_scan_request>(*decode_admin_request(encode(admin_request{repair_scan_request{}}))));
  const admin_command held{admin_verb::deletions, 0, 1, {}, {}};
  EXPECT_EQ(std::get<admin_command>(*decode_admin_request(encode(admin_request{held}))), held);
  const admin_command command{admin_verb::zone, 7, 12, "rack 2", {}};
  EXPECT_EQ(std::get<admin_command>(*decode_admin_request(encode(admin_request{command}))), command);
  const admin_command voters{admin_verb::voters, 0, 0, {}, {1, 2, 4}};
  EXPECT_EQ(std::get<admin_command>(*decode_admin_request(encode(admin_request{voters}))), voters);
  admin_command invitation{admin_verb::add, 0, 3600, {}, {}};
  invitation.token[31] = 7;
  invitation.invited[15] = 9;
  EXPECT_EQ(std::get<admin_command>(*decode_admin_request(encode(admin_request{invitation}))), invitation);
  EXPECT_EQ(decode_done(encode_done("it is so")).value(), "it is so");
}

TEST(operator_messages, commands_that_name_nodes_are_of_a_version_that_older_builds_refuse) {
  admin_command drain;
  drain.kind = admin_verb::drain;
  EXPECT_EQ(encode(admin_request{drain})[0], 1) << "numbers, as ever";
  drain.names = {"node-3:9100"};
  drain.repeated = true;
  auto bytes = encode(admin_request{drain});
  EXPECT_EQ(bytes[0], 2);
  EXPECT_EQ(std::get<admin_command>(*decode_admin_request(bytes)), drain);
  for (std::size_t length = 0; length < bytes.size(); ++length)
    EXPECT_EQ(decode_admin_request(bytes.substr(0, length)).error(), errc::corrupt) << length;
  drain.names.emplace_back("4");
  EXPECT_EQ(decode_admin_request(encode(admin_request{drain})).error(), errc::corrupt) << "it drains one node";
  drain.kind = admin_verb::voters;
  EXPECT_EQ(std::get<admin_command>(*decode_admin_request(encode(admin_request{drain}))), drain);
  drain.kind = admin_verb::repair;
  EXPECT_EQ(decode_admin_request(encode(admin_request{drain})).error(), errc::corrupt) << "it is about no node";
  for (auto unnamed : {encode(admin_request{status_request{}}), encode(admin_request{repair_scan_request{}})}) {
    unnamed[0] = 2;
    EXPECT_EQ(decode_admin_request(unnamed).error(), errc::corrupt);
  }
}

TEST(operator_messages, nonsense_is_corrupt_and_newer_ones_are_unsupported) {
  const auto whole = encode(example());
  auto more = example();
  more.waiting = {{uuid{5}, "new:9100"}};
  more.nodes[0].certificate_end = 5;
  const auto all = encode(more);
  for (std::size_t length = whole.size() + 1; length < all.size(); ++length)
    EXPECT_EQ(decode_cluster_status(all.substr(0, length)).error(), errc::corrupt) << length;
  for (std::size_t length = 0; length < whole.size(); ++length)
    EXPECT_EQ(decode_cluster_status(whole.substr(0, length)).error(), errc::corrupt) << length;
  EXPECT_EQ(decode_cluster_status(whole + '\0').error(), errc::corrupt);
  const auto command = encode(admin_request{admin_command{admin_verb::drain, 1, 0, {}, {}}});
  for (std::size_t length = 0; length < command.size(); ++length)
    EXPECT_EQ(decode_admin_request(command.substr(0, length)).error(), errc::corrupt) << length;
  for (const char kind : {'\0', char(admin_verbs.size() + 1)}) {
    auto unknown = command;
    unknown[2] = kind;
    EXPECT_EQ(decode_admin_request(unknown).error(), errc::corrupt);
  }
  for (auto newer : {whole, command}) {
    newer[0] = 3;
    EXPECT_EQ(decode_cluster_status(newer).error(), errc::unsupported);
    EXPECT_EQ(decode_admin_request(newer).error(), errc::unsupported);
    EXPECT_EQ(decode_done(newer).error(), errc::unsupported);
  }
}

} // namespace cairn::actors::operator_messages_test

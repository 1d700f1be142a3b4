#include "net/admin/cluster_reasons.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cairn::net::cluster_reasons_test {

using storage::metadata::node_state;
using ::testing::HasSubstr;

actors::cluster_status calm() {
  actors::cluster_status s;
  s.leader = 0;
  s.now = 1'000'000;
  s.voters = {0, 1, 2};
  for (node_number n = 0; n < 3; ++n) {
    actors::cluster_node_status node;
    node.number = n;
    node.address = "node-" + std::to_string(n) + ":9100";
    node.up = true;
    node.partitions_owned = 16384;
    s.nodes.push_back(node);
  }
  return s;
}

std::string all_of(const std::vector<reason>& reasons) {
  return json_text(reasons_json(reasons));
}

TEST(cluster_reasons, has_nothing_to_say_of_a_calm_cluster) {
  EXPECT_TRUE(cluster_reasons(calm()).empty());
  actors::node_status node;
  node.ready = true;
  EXPECT_TRUE(node_reasons(node, 0).empty());
}

TEST(cluster_reasons, says_what_is_down_and_what_waits_for_it) {
  auto s = calm();
  s.nodes[2].up = false;
  s.nodes[2].since = s.now - 400'000;
  s.repairs_waiting = 7;
  s.partitions_under_replicated = 16384;
  const auto reasons = cluster_reasons(s);
  ASSERT_EQ(reasons.size(), 3u);
  EXPECT_EQ(reasons[0].severity, severity::error) << "worst first";
  EXPECT_THAT(reasons[0].text, HasSubstr("Node 2 (node-2:9100) is down for 6 min. After cluster.down_out_after"));
  EXPECT_THAT(all_of(reasons), HasSubstr("Those of node 2 wait until it runs again or is taken out."));
  EXPECT_THAT(all_of(reasons), HasSubstr("than configured: 16384."));
  s.nodes[2].state = node_state::out;
  EXPECT_THAT(all_of(cluster_reasons(s)), HasSubstr("are making new replicas of its chunks"));
}

TEST(cluster_reasons, says_that_there_is_no_leader_and_who_has_to_be_up) {
  auto s = calm();
  s.leader.reset();
  EXPECT_THAT(cluster_reasons(s).at(0).text, HasSubstr("a majority of the voters (0, 1, 2) is up"));
}

TEST(cluster_reasons, follows_a_drain_to_its_end) {
  auto s = calm();
  s.nodes[1].state = node_state::draining;
  s.nodes[0].partitions_incoming = 12;
  s.bytes_to_move = 3 << 20;
  EXPECT_THAT(all_of(cluster_reasons(s)), HasSubstr("is being drained: it still owns 16384 partitions"));
  EXPECT_THAT(all_of(cluster_reasons(s)), HasSubstr("To move to new owners: 12 partitions, about 3.0 MiB."));
  s.nodes[1].partitions_owned = 0;
  EXPECT_THAT(all_of(cluster_reasons(s)), HasSubstr("is drained: it owns nothing and may be removed."));
  s.chunks_lost = 1;
  EXPECT_THAT(all_of(cluster_reasons(s)), HasSubstr("Partitions with lost chunks do not move"));
  EXPECT_EQ(cluster_reasons(s).at(0).severity, severity::error) << "what is lost comes first";
}

TEST(cluster_reasons, shows_text_of_other_nodes_as_visible_ascii) {
  auto s = calm();
  s.nodes[1].address = "evil\x1b[31m\xe2\x80\xae";
  s.nodes[1].fault = "bad\nrow";
  const auto text = cluster_reasons(s).at(0).text;
  EXPECT_THAT(text, HasSubstr("evil?[31m???"));
  EXPECT_THAT(text, HasSubstr("bad?row"));
}

TEST(cluster_reasons, says_what_is_wrong_with_disks_and_certificates_of_a_node) {
  actors::node_status node;
  node.reason = "the node starts";
  actors::disk_status disk;
  disk.path = "/disks/a";
  node.disks = {disk, disk, disk, disk, disk};
  for (auto& d : node.disks) d.stats.disk.available = 100;
  for (std::size_t i = 1; i < 5; ++i) node.disks[i].open = true;
  node.disks[1].stats.state = storage::disk_state::quarantined;
  node.disks[2].stats.state = storage::disk_state::read_only;
  node.disks[3].stats.reserve_bytes = 100;
  for (std::size_t i = 3; i < 5; ++i) node.disks[i].stats.full = true;
  node.certificates = {{"http", 5 * 86'400'000ll}, {"admin", 0}, {"cluster", 90 * 86'400'000ll}};
  const auto reasons = node_reasons(node, 86'400'000);
  ASSERT_EQ(reasons.size(), 7u);
  const auto text = all_of(reasons);
  for (const auto* part : {"look at its quota and its inodes", "serves no requests: the node starts.",
                           "could not be opened", "is quarantined", "takes no writes, because a flush failed",
                           "full up to storage.reserve", "of the http port ends in 4 d"})
    EXPECT_THAT(text, HasSubstr(part));
}

} // namespace cairn::net::cluster_reasons_test

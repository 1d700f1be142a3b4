#include "storage/metadata/rows/cluster_rows.hpp"

#include "storage/metadata/apply/repairs.hpp"

#include <gtest/gtest.h>

namespace cairn::storage::metadata::cluster_rows_test {
template <class Row>
void expect_kept(const Row& row, result<Row> (*decode)(std::string_view)) {
  const std::string bytes = encode(row);
  const auto decoded = decode(bytes);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(*decoded, row);
  EXPECT_EQ(encode(*decoded), bytes);
  for (std::size_t length = 0; length < bytes.size(); ++length)
    ASSERT_EQ(decode(std::string_view{bytes}.substr(0, length)).error(), errc::corrupt) << length;
  EXPECT_EQ(decode(bytes + '\0').error(), errc::corrupt);
  EXPECT_EQ(decode('\x02' + bytes.substr(1)).error(), errc::unsupported);
  EXPECT_EQ(decode('\0' + bytes.substr(1)).error(), errc::corrupt);
}

const node_row a_node{.number = 300,
                      .id = {1, 2, 3},
                      .address = "host:7000",
                      .zone = "rack-1",
                      .weight = 4000,
                      .state = node_state::out,
                      .incarnation = ~0ull,
                      .down_since = 1'700'000'000'000};
const cluster_row a_cluster{
    .id = {4}, .name = "cairn", .replicas = 3, .write_quorum = 2, .epoch = 1ull << 40, .nodes = 7, .created = 8};

owners_page a_page() {
  owners_page page;
  page.fill({.epoch = 3, .current = {0, 1, 2}, .target = {0, 1, 2}});
  page[5] = {.epoch = 300, .current = {2, 1, 0}, .target = {0, 1, 2}};
  page[6] = {.epoch = 4, .current = {0, 1, 2, 3, 4, 5, 6, 7}, .target = {4095}};
  return page;
}

TEST(node_list, keeps_distinct_nodes_in_order_up_to_its_size) {
  owner_list list{3, 1, 3};
  EXPECT_EQ(list.size(), 2u);
  EXPECT_EQ(list[0], 3);
  EXPECT_TRUE(list.contains(1));
  EXPECT_FALSE(list.contains(2));
  EXPECT_FALSE(list.add(1));
  for (node_number n = 10; n < 16; ++n) EXPECT_TRUE(list.add(n));
  EXPECT_FALSE(list.add(20)) << "full";
  EXPECT_FALSE((owner_list{1, 2}) == (owner_list{2, 1}));
  EXPECT_TRUE(same_nodes(owner_list{1, 2}, owner_list{2, 1}));
  EXPECT_FALSE(same_nodes(owner_list{1, 2}, owner_list{2, 3}));
  EXPECT_FALSE(same_nodes(owner_list{1, 2}, owner_list{2}));
}

TEST(cluster_rows, come_back_as_they_were_encoded) {
  expect_kept(a_node, decode_node);
  expect_kept(a_cluster, decode_cluster);
  expect_kept(a_page(), decode_owners);
}

TEST(cluster_rows, of_owners_take_a_few_bytes_a_partition) {
  owners_page settled;
  settled.fill({.epoch = 3, .current = {0, 1, 2}, .target = {0, 1, 2}});
  EXPECT_EQ(encode(settled).size(), 1 + 5 * settled.size());
}

TEST(cluster_rows, refuse_values_that_contradict_themselves) {
  cluster_row cluster = a_cluster;
  cluster.replicas = 0;
  EXPECT_EQ(decode_cluster(encode(cluster)).error(), errc::corrupt);
  cluster.replicas = 9;
  EXPECT_EQ(decode_cluster(encode(cluster)).error(), errc::corrupt);
  cluster.replicas = 1;
  EXPECT_EQ(decode_cluster(encode(cluster)).error(), errc::corrupt) << "a quorum above the replicas";
  node_row node = a_node;
  node.weight = node_weight_max + 1;
  EXPECT_EQ(decode_node(encode(node)).error(), errc::corrupt);
  node.weight = 0;
  EXPECT_EQ(decode_node(encode(node)).value(), node) << "it holds no chunks";
  for (const int state : {0, 5}) {
    node.state = node_state(state);
    EXPECT_EQ(decode_node(encode(node)).error(), errc::corrupt);
  }
  owners_page page = a_page();
  page[9] = {};
  EXPECT_EQ(decode_owners(encode(page)).error(), errc::corrupt) << "nobody";
  // Owners that were written twice: 0x11, epoch, the same node as current and as target.
  std::string bytes = encode(a_page());
  const std::string twice{'\x11', '\x03', '\x07', '\x07'};
  ASSERT_EQ(hex_of(bytes.substr(1, 5)), "0303000102");
  bytes.replace(1, 5, twice);
  EXPECT_EQ(decode_owners(bytes).error(), errc::corrupt);
}

TEST(cluster_rows, have_the_bytes_that_earlier_builds_wrote) {
  node_row node = a_node;
  node.down_since = 9;
  EXPECT_EQ(hex_of(encode(node)), "01ac020102030000000000000000000000000009" // number, id, length of the address
                                  "686f73743a37303030067261636b2d31a01f03ffffffffffffffff0000000000000009");
  EXPECT_EQ(hex_of(encode(a_cluster)), "0104000000000000000000000000000000056361697"
                                       "26e0302808080808020070000000000000008");
  EXPECT_EQ(hex_of(encode(a_page()).substr(1 + 5 * 5, 9)), "33ac02020100000102");
  EXPECT_EQ(hex_of(encode_repair({.count = 300})), "01ac02");
}

TEST(repair_rows, are_found_by_node_and_by_blob) {
  const repair_row row{{1, 2}, {.node = 300, .first = 4, .count = 5}};
  const key_maker keys{0};
  const std::string by_node = keys.repair_by_node(row).substr(keys.repairs_of(row.missing.node).size());
  const std::string by_blob = keys.repair_by_blob(row).substr(keys.repairs_of(row.blob).size());
  const std::string value = encode_repair(row.missing);
  EXPECT_EQ(decode_repair(node_number{300}, by_node, value).value(), row);
  EXPECT_EQ(decode_repair(row.blob, by_blob, value).value(), row);
  EXPECT_EQ(decode_repair(node_number{300}, by_node + '\0', value).error(), errc::corrupt);
  EXPECT_EQ(decode_repair(node_number{300}, by_node, value + '\0').error(), errc::corrupt);
  EXPECT_EQ(decode_repair(node_number{300}, by_node, "").error(), errc::corrupt);
  EXPECT_EQ(decode_repair(row.blob, by_blob, "\x02\x01").error(), errc::unsupported);
}

} // namespace cairn::storage::metadata::cluster_rows_test

#include "net/admin/cluster_page.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cairn::net::cluster_page_test {

using namespace actors;
using ::testing::HasSubstr;

uuid id(std::uint8_t first) {
  uuid u{};
  u[0] = first;
  return u;
}

cluster_status example() {
  cluster_status s;
  s.name = "blue";
  s.id = id(9);
  s.replicas = 3;
  s.epoch = 12;
  s.leader = 1;
  s.term = 4;
  s.self = 0;
  s.now = 1'000'000;
  s.repairs_waiting = 5;
  s.bytes_to_move = 3 << 20;
  s.voters = {0, 1};
  s.chunks_lost = 2;
  for (std::uint8_t n = 0; n < 2; ++n) {
    cluster_node_status node;
    node.number = n;
    node.id = id(static_cast<std::uint8_t>(0xa0 + n));
    node.address = "node-" + std::to_string(n) + ":9100";
    node.weight = 1;
    node.up = n == 0;
    node.since = s.now - 400'000;
    node.role = metadata_role::voter;
    node.partitions_owned = 16384;
    s.nodes.push_back(node);
  }
  s.nodes[1].zone = "rack \"1\"\n";
  s.nodes[1].used_bytes = 1536 << 20;
  s.nodes[1].capacity_bytes = 100ull << 30;
  s.nodes[1].data_bytes = 2 << 20;
  s.nodes[1].partitions_incoming = 7;
  return s;
}

std::string json_of(const cluster_status& s) {
  return json_text(cluster_object(s));
}

result<admin_command> parse(const std::string& query) {
  return parse_admin_command(parse_target("/cluster/command?" + query).value());
}

TEST(cluster_page, is_json_with_every_member) {
  const auto json = json_of(example());
  EXPECT_THAT(json, HasSubstr(R"("name":"blue","id":"09000000-0000-0000-0000-000000000000","replicas":3)"));
  EXPECT_THAT(
      json,
      HasSubstr(
          R"("epoch":12,"leader":1,"term":4,"self":0,"repairs_waiting":5,"deletions_held":false,"bytes_to_move":3145728)"));
  EXPECT_THAT(json, HasSubstr(R"("zone":"rack \"1\"\n","weight":1,"state":"active","up":false,"since_ms":600000)"));
  EXPECT_THAT(json, HasSubstr(R"("partitions_under_replicated":0,"chunks_lost":2,"voters":[0,1],"voters_next":[],)"
                              R"("auto_out":{"paused":null,"waiting":[],"because":[]},"waiting":[],"nodes":[)"));
  EXPECT_THAT(json, HasSubstr(R"("role":"voter","partitions_owned":16384,"partitions_incoming":7,"used_bytes":)"));
  auto s = example();
  s.leader.reset();
  s.nodes.clear();
  EXPECT_THAT(json_of(s), HasSubstr(R"("leader":null)"));
  EXPECT_THAT(json_of(s), HasSubstr(R"("nodes":[],"reasons":[)"));
}

TEST(cluster_page, is_a_table_for_people) {
  const auto text = cluster_text(example());
  EXPECT_THAT(text, HasSubstr("Cluster blue (09000000-0000-0000-0000-000000000000): 3 replicas, layout 12, term 4\n"));
  EXPECT_THAT(text, HasSubstr("0*    node-0:9100  -"));
  EXPECT_THAT(text,
              HasSubstr("active, DOWN 6 min  leader    16384 +7    2.0 MiB  1.5 GiB of 100 GiB  0        a1000000-"));
  EXPECT_THAT(text, HasSubstr("Repairs waiting: 5. To move: 3.0 MiB."));
  EXPECT_THAT(text, HasSubstr("Voters: 0, 1; 2 of them must be up.\nLOST: no node has 2 chunks that objects need: "));
}

TEST(cluster_page, names_failed_logs_and_closed_disks) {
  auto s = example();
  EXPECT_THAT(json_of(s), HasSubstr(R"("closed_disks":0,"fault":null)"));
  s.nodes[0].fault = "no_space";
  s.nodes[0].closed_disks = 2;
  EXPECT_THAT(cluster_text(s), HasSubstr("active, up 6 min, log failed: no_space, 2 disks closed"));
  EXPECT_THAT(json_of(s), HasSubstr(R"("closed_disks":2,"fault":"no_space")"));
}

TEST(cluster_page, says_that_votes_are_being_changed) {
  auto s = example();
  s.voters_next = {0};
  EXPECT_THAT(cluster_text(s), HasSubstr("Voters: 0, 1; 2 of them must be up. This is being changed to 0.\n"));
  EXPECT_THAT(json_of(s), HasSubstr(R"("voters":[0,1],"voters_next":[0],)"));
}

TEST(cluster_page, says_why_a_replacement_is_paused_and_what_to_do) {
  using cluster::out_pause;
  auto s = example();
  s.chunks_lost = 0;
  s.nodes[1].zone = "rack-1";
  s.auto_out = {{}, out_pause::many_down, {1}, {0, 1}};
  EXPECT_THAT(json_of(s), HasSubstr(R"("auto_out":{"paused":"many_down","waiting":[1],"because":[0,1]})"));
  EXPECT_THAT(
      cluster_text(s),
      HasSubstr("PAUSED: no new replicas are made of what node 1 holds, which is away for longer than "
                "cluster.down_out_after: 2 of 2 nodes are down (0, 1), so that the network is more likely at "
                "fault than their disks. Start them again, or repair the network between them. For one that won't "
                "come back: `cairn cluster drain NODE`.\n"));
  s.auto_out = {{}, out_pause::zone_down, {0, 1}, {1}};
  EXPECT_THAT(cluster_text(s), HasSubstr("of what nodes 0, 1 hold, which are away for longer than "
                                         "cluster.down_out_after: all nodes of the zone rack-1 are down (1), "));
  s.auto_out.because = {0, 1};
  EXPECT_THAT(cluster_text(s), HasSubstr("all nodes of the zones without a name, rack-1 are down (0, 1), "));
  s.auto_out = {{}, out_pause::no_room, {1}, {}};
  EXPECT_THAT(cluster_text(s),
              HasSubstr("the others' disks would get fuller than 85 % with what it holds. Add nodes or disks, delete "
                        "objects, or start it again. `cairn cluster drain NODE` moves the data in any case.\n"));
  s.auto_out = {};
  EXPECT_THAT(cluster_text(s), ::testing::Not(HasSubstr("PAUSED")));
}

TEST(cluster_page, tells_a_new_node_how_to_join) {
  const auto text = join_text(example());
  EXPECT_THAT(text, HasSubstr("name = \"blue\"\njoin = [\"node-0:9100\", \"node-1:9100\"]\n"));
  EXPECT_THAT(text, HasSubstr("cairn cluster certs issue --dir CERTS --data-dir /var/lib/cairn NEW-NODE\n"));
  EXPECT_THAT(text, HasSubstr("advertise = \"NEW-NODE:9100\"\n"));
}

TEST(cluster_page, reads_commands_and_refuses_what_is_missing_or_too_much) {
  EXPECT_EQ(parse("kind=drain&node=1")->kind, admin_verb::drain);
  EXPECT_EQ(parse("kind=remove&node=node-1%3A9100")->names, std::vector<std::string>{"node-1:9100"});
  EXPECT_EQ(parse("kind=weight&node=0&value=1000000000")->number, 1'000'000'000u);
  EXPECT_EQ(parse("kind=zone&node=0&value=rack%2F2")->zone, "rack/2");
  EXPECT_EQ(parse("kind=zone&node=0&value=")->zone, "");
  EXPECT_EQ(parse("kind=repair")->kind, admin_verb::repair);
  EXPECT_EQ(parse("kind=deletions&value=hold")->number, 1u);
  EXPECT_EQ(parse("kind=deletions&value=release")->number, 0u);
  EXPECT_EQ(parse("kind=lost")->kind, admin_verb::lost);
  EXPECT_EQ(parse("kind=forget-lost")->kind, admin_verb::forget);
  EXPECT_EQ(parse("kind=voters&node=1,node-0%3A9100")->names, (std::vector<std::string>{"1", "node-0:9100"}));
  for (const auto* bad :
       {"", "kind=explode", "kind=voters", "kind=lost&node=0", "kind=drain", "kind=drain&node=0&value=1",
        "kind=weight&node=0", "kind=weight&node=0&value=-1", "kind=weight&node=0&value=1000000001", "kind=deletions",
        "kind=deletions&value=1", "kind=deletions&node=0&value=hold", "kind=voters&value=3", "kind=repair&node=0",
        "kind=zone&node=0&value=a%20b"})
    EXPECT_EQ(parse(bad).error().code, errc::invalid_argument) << bad;
  EXPECT_EQ(parse("kind=explode").error().text,
            "expected kind=add, drain, activate, remove, weight, zone, voters, repair, lost, forget-lost or deletions");
}

TEST(cluster_page, reads_whom_an_operator_invites) {
  const auto any = parse("kind=add&value=3600");
  ASSERT_TRUE(any);
  EXPECT_EQ(any->kind, admin_verb::add);
  EXPECT_EQ(any->number, 3600u);
  EXPECT_EQ(any->invited, uuid{});
  const std::string id = "6e0b0c3a-5a57-4d0c-9d0c-0f1f6c1f8f11";
  EXPECT_EQ(cairn::to_string(parse("kind=add&value=60&id=" + id)->invited), id);
  for (const auto* bad :
       {"kind=add", "kind=add&value=0", "kind=add&value=2592001", "kind=add&value=1h", "kind=add&value=60&id=6e0b",
        "kind=add&value=60&node=1", "kind=add&value=60&id=00000000-0000-0000-0000-000000000000"})
    EXPECT_EQ(parse(bad).error().code, errc::invalid_argument) << bad;
}

TEST(cluster_page, shows_who_waits_and_whose_certificate_ends) {
  cluster_status s;
  s.now = 1'000'000'000'000;
  s.nodes.resize(3);
  s.nodes[1].number = 1;
  s.nodes[1].certificate_end = s.now + 12ll * 24 * 3600 * 1000;
  s.nodes[2].number = 2;
  s.nodes[2].certificate_end = s.now + 400ll * 24 * 3600 * 1000;
  s.waiting.push_back({uuid{1}, "evil\x1b[2J:9100"});
  const auto text = cluster_text(s);
  EXPECT_NE(text.find("CERTIFICATE: that of node 1 ends in 12 d"), std::string::npos) << text;
  EXPECT_EQ(text.find("that of node 2"), std::string::npos);
  EXPECT_NE(text.find("`cairn cluster add 01000000-"), std::string::npos) << text;
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  const auto json = json_of(s);
  EXPECT_NE(json.find("\"waiting\":[{\"id\":\"01000000-"), std::string::npos) << json;
  EXPECT_NE(json.find("\"certificate_end_ms\":"), std::string::npos);
  s.nodes[1].certificate_end = s.now - 1;
  EXPECT_NE(cluster_text(s).find("that of node 1 has ended"), std::string::npos);
}

TEST(cluster_page, takes_changes_with_the_token_only) {
  const auto may = [](std::optional<std::string_view> sent, const char* token) {
    return may_command(sent, token).has_value();
  };
  EXPECT_TRUE(may("0123456789abcdef", "0123456789abcdef"));
  EXPECT_FALSE(may("0123456789abcdeg", "0123456789abcdef"));
  EXPECT_FALSE(may("0123456789abcde", "0123456789abcdef"));
  EXPECT_FALSE(may("", "0123456789abcdef"));
  EXPECT_FALSE(may({}, "0123456789abcdef")) << "a form on a web page";
  EXPECT_FALSE(may("", "")) << "a node without one takes nothing";
  EXPECT_FALSE(may("anything", ""));
}

} // namespace cairn::net::cluster_page_test

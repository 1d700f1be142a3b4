#include "storage/metadata/apply/members.hpp"

#include "base/files/node_identity.hpp"
#include "tests/storage/metadata/store_fixture.hpp"

namespace cairn::storage::metadata::members_test {
class members : public store_test {
protected:
  void SetUp() override {
    store_test::SetUp();
    EXPECT_EQ(refused(founding), std::nullopt);
  }
  static new_node node_named(std::uint8_t id) {
    return {.id = {id}, .address = "node-" + std::to_string(id) + ":7000", .weight = 100, .incarnation = 1};
  }
  node_number add(std::uint8_t id) { return node_number(run(add_node{.node = node_named(id)}).more); }
  layout_epoch epoch() { return read()->cluster()->epoch; }
  node_row node(std::uint8_t id) { return read()->node({id}).value(); }
  partition_owners owners(partition_id p) {
    return read()->owners(p / owners_page_partitions).value()[p % owners_page_partitions];
  }
  std::optional<errc> target(partition_id p, const owner_list& nodes) {
    return refused(set_targets{.epoch = epoch() + 1, .targets = {{p, nodes}}});
  }
  void acknowledge() { EXPECT_EQ(refused(acknowledge_epoch{session, epoch()}), std::nullopt); }

  const create_cluster founding{.id = {7}, .name = "cairn", .now = 5, .first = node_named(1)};
};

TEST_F(members, begin_with_one_node_that_owns_everything) {
  EXPECT_EQ(epoch(), 1u);
  EXPECT_EQ(read()->cluster()->name, "cairn");
  EXPECT_EQ(read()->cluster()->nodes, 1u);
  ASSERT_EQ(read()->nodes()->size(), 1u);
  EXPECT_EQ(node(1).address, "node-1:7000");
  EXPECT_EQ(node(1).state, node_state::active);
  for (const partition_id p : {0, 63, 64, 16383})
    EXPECT_EQ(owners(p), (partition_owners{.epoch = 1, .current = {0}, .target = {0}}));
  EXPECT_EQ(read()->owners(owners_page_count).error(), errc::not_found);
  EXPECT_EQ(read()->node({9}).error(), errc::not_found);
}

TEST_F(members, are_founded_once) {
  const auto before = dump(*engine);
  EXPECT_EQ(run(founding).version, 1u) << "a retry";
  create_cluster other = founding;
  other.id = {8};
  EXPECT_EQ(refused(other), errc::precondition_failed);
  EXPECT_EQ(read()->cluster()->id, founding.id);
  for (auto bad : {founding, founding, founding, founding, founding}) {
    static int n = 0;
    const int which = n++;
    if (which == 0) bad.replicas = 0;
    if (which == 1) bad.replicas = owners_max + 1;
    if (which == 2) bad.write_quorum = 4;
    if (which == 3) bad.first.address = "";
    if (which == 4) bad.first.weight = 0;
    EXPECT_EQ(refused(bad), errc::invalid_argument) << which;
  }
}

TEST_F(members, are_required_by_every_other_command) {
  const auto fresh = make_memory_kv(table_count);
  const auto rows = store::open(*fresh).value();
  const command batch[] = {add_node{.node = node_named(2)},
                           set_node{.weight = 5},
                           remove_node{},
                           set_targets{.epoch = 1},
                           moved{},
                           note_down{.now = 1},
                           note_up{}};
  for (const auto& result : rows->apply(batch).value().results) EXPECT_EQ(*result.refused, errc::not_found);
  EXPECT_EQ(rows->read().value()->cluster().error(), errc::not_found);
  EXPECT_TRUE(rows->read().value()->nodes()->empty());
  EXPECT_EQ(rows->read().value()->owners(0).error(), errc::not_found);
  EXPECT_EQ(rows->read().value()->acknowledged_epoch().value(), 0u);
}

TEST_F(members, join_with_rising_numbers_and_a_new_epoch) {
  const auto added = run(add_node{.node = node_named(2)});
  EXPECT_EQ(added.more, 1u);
  EXPECT_EQ(added.version, 2u);
  EXPECT_EQ(add(3), 2);
  EXPECT_EQ(epoch(), 3u);
  EXPECT_EQ(add(2), 1) << "a retry";
  EXPECT_EQ(epoch(), 3u);
  EXPECT_EQ(owners(9).target, (owner_list{0})) << "it owns nothing yet";
  new_node bad = node_named(4);
  bad.weight = node_weight_max + 1;
  EXPECT_EQ(refused(add_node{bad}), errc::invalid_argument);
  bad = node_named(0);
  EXPECT_EQ(refused(add_node{bad}), errc::invalid_argument) << "no id";
  bad = node_named(4);
  bad.zone = std::string(node_zone_bytes_max + 1, 'z');
  EXPECT_EQ(refused(add_node{bad}), errc::invalid_argument);
  EXPECT_EQ(read()->nodes()->size(), 3u);
}

TEST_F(members, are_invited_once_each) {
  const auto invited = [&](std::uint8_t token, std::uint8_t only, wall_ms expires, wall_ms now = 10) {
    return refused(invite_node{{.token = {token}, .node = {only}, .expires = expires}, now});
  };
  const auto join = [&](std::uint8_t id, std::uint8_t token, std::uint8_t only, wall_ms now) {
    return refused(add_node{node_named(id), used_invitation{{token}, {only}, now}});
  };
  EXPECT_FALSE(read()->admission()->founded);
  EXPECT_EQ(read()->admission()->created, 5);
  EXPECT_EQ(invited(1, 0, 100), std::nullopt);
  EXPECT_EQ(invited(0, 3, 100), std::nullopt);
  EXPECT_EQ(invited(2, 4, 100), std::nullopt);
  EXPECT_TRUE(read()->admission()->founded);
  EXPECT_EQ(read()->admission()->invitations.size(), 3u);
  EXPECT_EQ(join(2, 9, 0, 50), errc::invalid_argument) << "no invitation has this token";
  EXPECT_EQ(join(2, 1, 0, 100), errc::invalid_argument) << "expired";
  EXPECT_EQ(join(2, 0, 3, 50), errc::invalid_argument) << "another node's";
  EXPECT_EQ(join(2, 2, 4, 50), errc::invalid_argument) << "another node's token";
  EXPECT_EQ(read()->nodes()->size(), 1u);
  EXPECT_EQ(join(2, 1, 0, 50), std::nullopt);
  EXPECT_EQ(join(2, 1, 0, 50), std::nullopt) << "its first answer was lost";
  EXPECT_EQ(join(5, 1, 0, 50), errc::invalid_argument) << "used";
  EXPECT_EQ(join(3, 0, 3, 50), std::nullopt);
  EXPECT_EQ(read()->nodes()->size(), 3u);
  EXPECT_EQ(read()->admission()->invitations.size(), 1u);
  EXPECT_EQ(refused(remove_node{2}), std::nullopt);
  EXPECT_EQ(invited(0, 3, 100), errc::precondition_failed) << "removed for ever";
  EXPECT_EQ(invited(5, 0, 10), errc::invalid_argument) << "ends before it begins";
}

TEST_F(members, have_a_bounded_number_of_invitations_and_expired_ones_are_removed) {
  const auto invited = [&](std::size_t n, wall_ms expires, wall_ms now) {
    invite_node c{{.expires = expires}, now};
    c.what.token[0] = std::uint8_t(n >> 8);
    c.what.token[1] = std::uint8_t(n);
    c.what.token[2] = 1;
    return refused(c);
  };
  for (std::size_t n = 0; n < invitations_max; ++n) EXPECT_EQ(invited(n, 100, 10), std::nullopt) << n;
  EXPECT_EQ(invited(invitations_max, 100, 10), errc::too_large);
  EXPECT_EQ(invited(3, 200, 10), std::nullopt) << "the same again";
  EXPECT_EQ(invited(invitations_max, 300, 100), std::nullopt);
  EXPECT_EQ(read()->admission()->invitations.size(), 2u) << "the others had expired and were removed";
}

TEST_F(members, are_at_most_64_from_feature_level_8_on) {
  run(raise_feature_level{feature_level_of_invitations - 1});
  for (std::uint8_t id = 2; id <= members_max + 1; ++id) add(id);
  EXPECT_EQ(read()->nodes()->size(), members_max + 1) << "an older build would admit it";
  run(raise_feature_level{feature_level_of_invitations});
  EXPECT_EQ(refused(add_node{node_named(100)}), errc::too_large);
  EXPECT_EQ(refused(add_node{node_named(2)}), std::nullopt) << "the node is already a member";
  EXPECT_EQ(refused(remove_node{5}), std::nullopt);
  EXPECT_EQ(refused(remove_node{6}), std::nullopt);
  EXPECT_EQ(refused(add_node{node_named(100)}), std::nullopt);
  EXPECT_EQ(refused(add_node{node_named(101)}), errc::too_large);
}

TEST_F(members, change_what_is_given_and_nothing_else) {
  add(2);
  const auto before = epoch();
  EXPECT_EQ(run(set_node{.node = 1, .zone = "rack", .state = node_state::draining}).version, before + 1);
  EXPECT_EQ(node(2).zone, "rack");
  EXPECT_EQ(node(2).state, node_state::draining);
  EXPECT_EQ(node(2).address, "node-2:7000");
  EXPECT_EQ(run(set_node{.node = 1, .zone = "rack"}).version, before + 1) << "nothing changed";
  run(set_node{.node = 1, .address = "other:1", .weight = 50});
  EXPECT_EQ(node(2).address, "other:1");
  EXPECT_EQ(node(2).weight, 50u);
  EXPECT_EQ(refused(set_node{.node = 2}), errc::not_found);
  EXPECT_EQ(refused(set_node{.node = 1, .address = ""}), errc::invalid_argument);
  EXPECT_EQ(refused(set_node{.node = 1, .weight = node_weight_max + 1}), errc::invalid_argument);
  EXPECT_EQ(refused(set_node{.node = 1, .state = node_state::removed}), errc::invalid_argument);
  EXPECT_EQ(refused(set_node{.node = 1, .state = node_state(9)}), errc::invalid_argument);
}

TEST_F(members, may_have_weight_0_except_the_first) {
  new_node gateway = node_named(2);
  gateway.weight = 0;
  EXPECT_EQ(refused(add_node{gateway}), std::nullopt);
  EXPECT_EQ(node(2).weight, 0u);
  EXPECT_EQ(refused(set_node{.node = 1, .weight = 7}), std::nullopt);
  EXPECT_EQ(refused(set_node{.node = 1, .weight = 0}), std::nullopt);
  EXPECT_EQ(node(2).weight, 0u);
}

TEST_F(members, that_were_removed_stay_refused_and_lose_their_session) {
  add(2);
  const session_id theirs = begin({2}, 1);
  EXPECT_EQ(target(5, {0, 1}), std::nullopt);
  EXPECT_EQ(refused(remove_node{1}), errc::precondition_failed) << "it is a target";
  EXPECT_EQ(target(5, {0}), std::nullopt);
  EXPECT_EQ(refused(remove_node{0}), errc::precondition_failed);
  const auto removed = run(remove_node{1});
  EXPECT_FALSE(removed.refused);
  EXPECT_EQ(removed.version, epoch());
  EXPECT_EQ(run(remove_node{1}).version, epoch()) << "a retry";
  EXPECT_EQ(node(2).state, node_state::removed);
  EXPECT_TRUE(is_dead({theirs, 1}));
  EXPECT_EQ(refused(begin_session{.node = {2}, .incarnation = 2}), errc::session_ended);
  EXPECT_EQ(refused(add_node{node_named(2)}), errc::precondition_failed);
  EXPECT_EQ(refused(set_node{.node = 1, .weight = 5}), errc::precondition_failed);
  EXPECT_EQ(refused(note_up{1, 9}), errc::precondition_failed);
  EXPECT_EQ(target(5, {0, 1}), errc::invalid_argument);
  EXPECT_EQ(add(3), 2) << "a number is not assigned again";
}

TEST_F(members, are_down_since_the_first_note_until_they_are_up) {
  add(2);
  const auto before = epoch();
  run(note_down{.node = 1, .now = 100});
  run(note_down{.node = 1, .now = 200});
  EXPECT_EQ(node(2).down_since, 100);
  EXPECT_EQ(refused(note_up{.node = 1, .incarnation = 5}), std::nullopt);
  EXPECT_EQ(node(2).down_since, 0);
  EXPECT_EQ(node(2).incarnation, 5u);
  EXPECT_EQ(refused(note_up{.node = 1, .incarnation = 5}), std::nullopt);
  EXPECT_EQ(refused(note_up{.node = 1, .incarnation = 4}), errc::precondition_failed) << "a restored old disk";
  EXPECT_EQ(refused(note_down{.node = 1, .now = 0}), errc::invalid_argument);
  EXPECT_EQ(refused(note_down{.node = 2, .now = 1}), errc::not_found);
  EXPECT_EQ(epoch(), before) << "the layout is the same";
}

TEST_F(members, begin_no_session_with_a_disk_that_is_older_than_the_cluster_knows) {
  add(2);
  const auto known = begin({2}, 5);
  EXPECT_EQ(node(2).incarnation, 5u);
  EXPECT_EQ(refused(begin_session{.node = {2}, .incarnation = 4}), errc::precondition_failed);
  const auto copied = std::uint64_t{1} << incarnation_count_bits | 5;
  EXPECT_EQ(refused(begin_session{.node = {2}, .incarnation = copied}), errc::precondition_failed) << "the same start";
  EXPECT_EQ(begin({2}, 5), known) << "a retry; its session goes on";
  EXPECT_NE(begin({2}, 6), known);
  EXPECT_EQ(refused(begin_session{.node = {2}, .incarnation = 5}), errc::precondition_failed);
}

TEST_F(members, get_targets_while_current_owners_stay) {
  add(2);
  add(3);
  const auto before = epoch();
  const set_targets command{.epoch = before + 1, .targets = {{0, {0, 1, 2}}, {64, {1}}, {65, {0}}, {16383, {2, 0}}}};
  EXPECT_EQ(run(command).version, before + 1);
  EXPECT_EQ(owners(0), (partition_owners{.epoch = before + 1, .current = {0}, .target = {0, 1, 2}}));
  EXPECT_EQ(owners(64).target, (owner_list{1}));
  EXPECT_EQ(owners(65), (partition_owners{.epoch = 1, .current = {0}, .target = {0}})) << "not changed";
  EXPECT_EQ(owners(16383).target, (owner_list{2, 0}));
  EXPECT_EQ(owners(1).epoch, 1u);
  EXPECT_EQ(refused(command), errc::precondition_failed) << "made from an older layout";
  EXPECT_EQ(refused(set_targets{.epoch = epoch() + 2}), errc::precondition_failed);
  EXPECT_EQ(run(set_targets{.epoch = epoch() + 1}).version, epoch()) << "nothing changed";
  EXPECT_EQ(epoch(), before + 1);
}

TEST_F(members, refuse_invalid_targets) {
  add(2);
  const auto try_targets = [&](std::vector<partition_target> targets) {
    return refused(set_targets{.epoch = epoch() + 1, .targets = std::move(targets)});
  };
  EXPECT_EQ(try_targets({{5, {0}}, {5, {1}}}), errc::invalid_argument);
  EXPECT_EQ(try_targets({{6, {0}}, {5, {1}}}), errc::invalid_argument);
  EXPECT_EQ(try_targets({{partition_count, {0}}}), errc::invalid_argument);
  EXPECT_EQ(try_targets({{5, {}}}), errc::invalid_argument);
  EXPECT_EQ(try_targets({{5, {0, 2}}}), errc::invalid_argument) << "no such node";
  EXPECT_EQ(epoch(), 2u);
}

TEST_F(members, finish_moves_compared_under_owners_that_every_session_acknowledged) {
  add(2);
  EXPECT_EQ(target(5, {1}), std::nullopt);
  EXPECT_EQ(target(6, {0, 1}), std::nullopt);
  const layout_epoch compared = epoch();
  const auto early = run(moved{.epoch = compared, .partitions = {5, 6, 7}});
  EXPECT_EQ(early.more, 2u) << "the session has not acknowledged the epoch";
  EXPECT_EQ(early.version, compared);
  acknowledge();
  EXPECT_EQ(target(6, {1, 0}), std::nullopt);
  acknowledge();
  const auto late = run(moved{.epoch = compared, .partitions = {5, 6, 7}});
  EXPECT_EQ(late.more, 1u) << "the owners of 6 changed after the comparison began";
  EXPECT_EQ(late.version, compared + 2);
  EXPECT_EQ(owners(5), (partition_owners{.epoch = epoch(), .current = {1}, .target = {1}}));
  EXPECT_EQ(owners(6).current, (owner_list{0}));
  const auto again = run(moved{.epoch = epoch(), .partitions = {5, 6}});
  EXPECT_EQ(again.more, 0u);
  EXPECT_EQ(owners(6).current, (owner_list{1, 0}));
  EXPECT_EQ(run(moved{.epoch = epoch(), .partitions = {5, 6}}).version, epoch()) << "a retry";
  EXPECT_EQ(refused(moved{.epoch = epoch() + 1, .partitions = {5}}), errc::invalid_argument);
  EXPECT_EQ(refused(moved{.epoch = epoch(), .partitions = {6, 5}}), errc::invalid_argument);
  EXPECT_EQ(refused(moved{.epoch = epoch(), .partitions = {partition_count}}), errc::invalid_argument);
}

TEST_F(members, do_not_finish_a_move_while_a_new_owner_lacks_chunks) {
  add(2);
  const blob_id blob = new_blob();
  const partition_id lacking = partition_of({blob, 2}), whole = partition_of({blob, 3});
  ASSERT_NE(lacking, whole);
  EXPECT_EQ(target(lacking, {1}), std::nullopt);
  EXPECT_EQ(target(whole, {1}), std::nullopt);
  acknowledge();
  put_object put = big("file", blob);
  std::get<written_blob>(put.content).unconfirmed = {{1, 2, 1}};
  EXPECT_EQ(refused(put), std::nullopt);
  std::vector<partition_id> both{lacking, whole};
  std::sort(both.begin(), both.end());
  EXPECT_EQ(run(moved{.epoch = epoch(), .partitions = both}).more, 1u);
  EXPECT_EQ(owners(whole).current, (owner_list{1}));
  EXPECT_EQ(owners(lacking).current, (owner_list{0}));
  run(confirm_replicas{{{blob, {1, 2, 1}}}});
  EXPECT_EQ(run(moved{.epoch = epoch(), .partitions = {lacking}}).more, 0u);
  EXPECT_EQ(owners(lacking).current, (owner_list{1}));
}

TEST_F(members, that_remain_have_no_repairs_before_other_replicas_are_dropped) {
  add(2);
  add(3);
  const blob_id blob = new_blob();
  const partition_id p = partition_of({blob, 2});
  const auto move_it = [&](owner_list to) {
    EXPECT_EQ(target(p, to), std::nullopt);
    acknowledge();
    return run(moved{.epoch = epoch(), .partitions = {p}}).more == 0;
  };
  EXPECT_TRUE(move_it({0, 1, 2}));
  put_object put = big("file", blob);
  std::get<written_blob>(put.content).unconfirmed = {{2, 2, 1}};
  EXPECT_EQ(refused(put), std::nullopt);
  EXPECT_TRUE(move_it({1, 2})) << "this log may have members that apply the older rule";
  run(raise_feature_level{7});
  EXPECT_TRUE(move_it({0, 1, 2})) << "no replica is dropped";
  EXPECT_FALSE(move_it({1, 2}));
  EXPECT_FALSE(move_it({2}));
  for (const node_number n : {0, 1}) EXPECT_EQ(refused(set_node{.node = n, .state = node_state::out}), std::nullopt);
  EXPECT_TRUE(move_it({2})) << "there is no reason to wait";
}

TEST_F(members, that_own_a_chunk_but_lack_it_prevent_its_commit) {
  add(2);
  const blob_id blob = new_blob();
  const partition_id p = partition_of({blob, 2});
  EXPECT_EQ(target(p, {1}), std::nullopt);
  acknowledge();
  EXPECT_EQ(run(moved{.epoch = epoch(), .partitions = {p}}).more, 0u);
  put_object put = big("file", blob); // written when node 0 owned it
  std::get<written_blob>(put.content).unconfirmed = {{1, 2, 1}};
  EXPECT_EQ(refused(put), errc::no_quorum);
  EXPECT_EQ(buried().size(), 1u);
  put = big("file", new_blob());
  std::get<written_blob>(put.content).unconfirmed = {{1, 0, 6}};
  EXPECT_EQ(refused(put), std::nullopt) << "node 0 owns the others";
}

TEST_F(members, confirm_a_commit_by_the_quorum_that_they_are_when_it_is_made) {
  add(2);
  const blob_id blob = new_blob();
  const partition_id p = partition_of({blob, 2});
  EXPECT_EQ(target(p, {0, 1}), std::nullopt);
  acknowledge();
  EXPECT_EQ(run(moved{.epoch = epoch(), .partitions = {p}}).more, 0u);
  put_object put = big("file", blob); // written when node 0 owned it alone
  std::get<written_blob>(put.content).unconfirmed = {{1, 2, 1}};
  run(raise_feature_level{7});
  EXPECT_EQ(refused(put), errc::no_quorum) << "an acknowledged write survives either disk";
  put = big("file", new_blob());
  std::get<written_blob>(put.content).unconfirmed = {{1, 0, 6}};
  EXPECT_EQ(refused(put), std::nullopt) << "node 0 owns the others alone";
}

TEST_F(members, wait_for_the_slowest_live_session_only) {
  add(2);
  const session_id other = begin({2}, 1);
  EXPECT_EQ(target(5, {1}), std::nullopt);
  acknowledge();
  EXPECT_EQ(read()->acknowledged_epoch().value(), 2u) << "the other began then";
  EXPECT_EQ(run(moved{.epoch = epoch(), .partitions = {5}}).more, 1u);
  const session_id next = begin({2}, 2);
  EXPECT_NE(next, other);
  EXPECT_EQ(read()->acknowledged_epoch().value(), epoch())
      << "the session that delayed it has ended, and its successor has acknowledged";
  EXPECT_EQ(run(moved{.epoch = epoch(), .partitions = {5}}).more, 0u);
  EXPECT_EQ(refused(acknowledge_epoch{other, 1}), errc::session_ended);
  EXPECT_EQ(refused(acknowledge_epoch{999, 1}), errc::session_ended);
  EXPECT_EQ(refused(acknowledge_epoch{next, epoch() + 1}), errc::invalid_argument);
  const auto before = read()->acknowledged_epoch().value();
  EXPECT_EQ(refused(acknowledge_epoch{next, 1}), std::nullopt);
  EXPECT_EQ(read()->acknowledged_epoch().value(), before) << "it never decreases";
}

} // namespace cairn::storage::metadata::members_test

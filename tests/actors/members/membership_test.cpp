// What one node does for the membership of its cluster, alone and as the leader.
#include "tests/actors/members/membership_fixture.hpp"

#include <gmock/gmock.h>

namespace cairn::actors::membership_tests {

using ::testing::HasSubstr;

// ── a node that does not lead ──

TEST_F(membership_test, a_node_keeps_who_the_members_are_also_after_its_disk_was_full) {
  cluster_of(3);
  disk_full = true;
  start();
  pass(3s);
  EXPECT_TRUE(file_of_members.empty());
  disk_full = false;
  pass(2s);
  ASSERT_EQ(file_of_members.size(), 3u);
  EXPECT_EQ(file_of_members[2], (cluster::known_member{2, id_of(2), "node-2:1"}));
  run(meta::remove_node{2});
  pass(2s);
  EXPECT_EQ(file_of_members.size(), 2u);
}

TEST_F(membership_test, reports_to_the_leader_each_second) {
  cluster_of(3);
  log.leader = 1;
  log.applied = 55;
  log.oldest_hold = 44;
  log.feature_level = 4;
  state->set_complete(9, {1, 5});
  state->set_lost({{{1, 2}, 3}});
  start();
  pass(3s);
  ASSERT_EQ(network.calls.size(), 3u);
  const auto& last = network.calls.back();
  EXPECT_EQ(last.to, id_of(1));
  EXPECT_EQ(last.kind, peer_request::report);
  const auto r = decode_report(last.bytes);
  ASSERT_TRUE(r);
  EXPECT_EQ(r->node.id, id_of(0));
  EXPECT_EQ(r->applied, 55u);
  EXPECT_EQ(r->oldest_hold, 44u);
  EXPECT_EQ(r->used_bytes, 60u);
  EXPECT_EQ(r->data_bytes, 40u);
  EXPECT_EQ(r->complete_epoch, 9u);
  EXPECT_EQ(r->complete, (std::vector<partition_id>{1, 5}));
  EXPECT_EQ(r->lost_count, 1u);
  EXPECT_EQ(level_told, 4);
  EXPECT_EQ(applied_told, 55u);
  EXPECT_FALSE(state->leads.load());
  EXPECT_FALSE(reports()->leads);
  EXPECT_TRUE(commits.empty()) << "deciding is the leader's";
}

TEST_F(membership_test, without_a_leader_asks_those_it_reaches_and_then_its_configuration_who_is_a_member) {
  cluster_of(3);
  network.linked = {id_of(1), id_of(2)};
  start();
  pass(3s);
  ASSERT_EQ(network.calls.size(), 3u);
  EXPECT_EQ(network.calls[0].kind, peer_request::members);
  EXPECT_NE(network.calls[0].to, network.calls[1].to) << "in turns";
  EXPECT_TRUE(configured.empty());
  network.linked.clear();
  pass(1s);
  ASSERT_EQ(configured.size(), 1u);
  EXPECT_EQ(configured[0].kind, peer_request::members);
  const known_members members{{4, id_of(4), "node-4:1"}};
  configured[0].reply(link::answer{encode(members), {}});
  w.settle();
  ASSERT_TRUE(layouts->learned());
  EXPECT_EQ(*layouts->learned(), members);
  configured[0].reply(link::answer{"nonsense", {}});
  w.settle();
  EXPECT_EQ(*layouts->learned(), members);
}

TEST_F(membership_test, believes_the_leader_that_it_is_refused_and_remembers_it_once) {
  cluster_of(2);
  log.leader = 1;
  start();
  pass(1s);
  network.calls.back().reply(error{errc::connection_lost, "a link broke"});
  w.settle();
  EXPECT_EQ(state->refusal(), "");
  for (int i = 0; i < 2; ++i) {
    network.calls.back().reply(error{errc::precondition_failed, "the node was removed"});
    w.settle();
  }
  EXPECT_EQ(state->refusal(), "the node was removed");
  EXPECT_EQ(remembered, std::vector<std::string>{"the node was removed"});
}

TEST_F(membership_test, a_refusal_that_the_disk_had_no_time_for_is_remembered_the_next_time) {
  cluster_of(2);
  log.leader = 1;
  start();
  pass(1s);
  executor.overdue = true;
  network.calls.back().reply(error{errc::precondition_failed, "an older incarnation"});
  w.settle();
  EXPECT_TRUE(remembered.empty());
  EXPECT_EQ(state->refusal(), "");
  executor.overdue = false;
  pass(1s);
  network.calls.back().reply(error{errc::precondition_failed, "an older incarnation"});
  w.settle();
  EXPECT_EQ(remembered, std::vector<std::string>{"an older incarnation"});
  EXPECT_EQ(state->refusal(), "an older incarnation");
}

TEST_F(membership_test, forwards_reports_and_join_requests_to_the_leader) {
  cluster_of(3);
  log.leader = 2;
  start();
  const auto answer = join(id_of(8));
  ASSERT_EQ(network.calls.size(), 1u);
  EXPECT_EQ(network.calls[0].to, id_of(2));
  EXPECT_EQ(network.calls[0].kind, peer_request::join);
  EXPECT_EQ(decode_join(network.calls[0].bytes)->node.id, id_of(8));
  EXPECT_FALSE(*answer);
  network.calls[0].reply(link::answer{"welcome", {}});
  ASSERT_TRUE(*answer && **answer);
  EXPECT_EQ((**answer)->bytes, "welcome");
  log.leader.reset();
  const auto nobody = report(1);
  ASSERT_TRUE(*nobody);
  EXPECT_EQ((*nobody)->error(), errc::no_leader);
}

TEST_F(membership_test, answers_any_node_with_the_list_of_members) {
  cluster_of(3);
  run(meta::remove_node{2});
  start();
  const auto answer = ask(peer_request::members, "");
  ASSERT_TRUE(*answer && **answer);
  EXPECT_EQ(decode_members((**answer)->bytes).value(),
            (known_members{{0, id_of(0), "node-0:1"}, {1, id_of(1), "node-1:1"}}));
}

// ── a leader ──

TEST_F(membership_test, a_leader_accepts_reports_of_members_and_refuses_others_and_older_incarnations) {
  cluster_of(4);
  run(meta::remove_node{3});
  log.servers.servers.pop_back();
  lead();
  start();
  pass(1s);
  EXPECT_TRUE(state->leads.load());
  EXPECT_TRUE(**report(1));
  EXPECT_EQ((*report(9))->error(), errc::no_leader) << "its row may be on the way";
  EXPECT_EQ((*report(3))->error(), errc::precondition_failed);
  EXPECT_TRUE(**report(2, 5));
  pass(1s);
  EXPECT_EQ(row(2).incarnation, 5u);
  const auto old = *report(2, 4);
  EXPECT_EQ(old->error(), errc::precondition_failed);
  EXPECT_THAT(old->error().text, HasSubstr("restored disk"));
  EXPECT_EQ((*ask(peer_request::report, "\1nonsense"))->error(), errc::corrupt);
  EXPECT_EQ((*ask(peer_request::barrier, ""))->error(), errc::unsupported);
  const auto heard = reports();
  EXPECT_TRUE(heard->leads);
  EXPECT_EQ(heard->by_node.size(), 3u) << "its own too";
  EXPECT_EQ(heard->by_node.at(1).feature_level, meta::feature_level);
}

TEST_F(membership_test, holds_what_a_read_of_any_member_needs) {
  cluster_of(3);
  lead();
  start();
  pass(1s);
  EXPECT_EQ(state->others_oldest_hold.load(), 0u) << "nobody has said anything yet";
  (void)report(1);
  EXPECT_EQ(state->others_oldest_hold.load(), 0u);
  (void)report(2);
  EXPECT_EQ(state->others_oldest_hold.load(), 101u);
  run(meta::set_node{.node = 1, .state = cluster::member_state::out});
  (void)report(2);
  EXPECT_EQ(state->others_oldest_hold.load(), 102u) << "one that is out serves nothing";
}

TEST_F(membership_test, a_new_term_begins_without_the_reports_of_the_last_one) {
  cluster_of(3);
  lead();
  start();
  pass(1s);
  (void)report(1);
  log.leads = false;
  pass(1s);
  EXPECT_FALSE(reports()->leads);
  EXPECT_FALSE(state->leads.load());
  lead();
  ++log.term;
  pass(1s);
  EXPECT_EQ(reports()->by_node.size(), 1u) << "its own";
}

TEST_F(membership_test, records_which_nodes_are_down_and_which_are_up_again) {
  cluster_of(3);
  lead();
  start();
  pass_with_reports(3s, {1, 2});
  EXPECT_TRUE(committed_of<meta::note_down>().empty());
  pass_with_reports(8s, {1});
  EXPECT_NE(row(2).down_since, 0);
  EXPECT_EQ(row(1).down_since, 0);
  pass_with_reports(2s, {1, 2});
  EXPECT_EQ(row(2).down_since, 0);
}

TEST_F(membership_test, tells_the_leader_that_its_log_has_failed_when_all_understand_it) {
  cluster_of(3);
  log.leader = 1;
  log.failure = error{errc::no_space, "/somewhere: commit"};
  start();
  pass(1s);
  ASSERT_FALSE(network.calls.empty());
  EXPECT_EQ(decode_report(network.calls.back().bytes)->fault, "no_space");
  log.feature_level = meta::feature_level_of_reported_faults - 1;
  pass(1s);
  EXPECT_EQ(decode_report(network.calls.back().bytes)->fault, "");
}

TEST_F(membership_test, one_whose_log_has_failed_is_down_though_it_reports) {
  cluster_of(4);
  lead();
  start();
  pass_with_reports(3s, {1, 2, 3});
  for (int i = 0; i < 3; ++i) {
    (void)report_fault(2);
    pass_with_reports(1s, {1, 3});
  }
  EXPECT_EQ(row(2).down_since, 0) << "for some seconds it may come back";
  EXPECT_EQ(reports()->by_node.at(2).report.fault, "no_space") << "but it is known at once";
  for (int i = 0; i < 6; ++i) {
    (void)report_fault(2);
    pass_with_reports(1s, {1, 3});
  }
  EXPECT_NE(row(2).down_since, 0);
  ASSERT_FALSE(changes.empty());
  EXPECT_EQ(changes.front().node, 2) << "its vote goes to the standby";
  EXPECT_EQ(changes.front().kind, raft::change_kind::demote);
  pass_with_reports(3s, {1, 2, 3});
  EXPECT_EQ(row(2).down_since, 0);
}

TEST_F(membership_test, takes_one_out_and_tells_why_it_leaves_two_in) {
  controller.out_after = 20s;
  controller.session_ends_after = 10s;
  cluster_of(4);
  lead();
  start();
  pass_with_reports(60s, {1, 2, 3});
  ASSERT_EQ(row(3).state, cluster::member_state::active);
  EXPECT_EQ(reports()->auto_out, cluster::out_decision{});
  pass_with_reports(40s, {1});
  EXPECT_EQ(row(2).state, cluster::member_state::active);
  EXPECT_EQ(row(3).state, cluster::member_state::active);
  EXPECT_EQ(reports()->auto_out, (cluster::out_decision{{}, cluster::out_pause::many_down, {2, 3}, {2, 3}}));
  pass_with_reports(10s, {1, 2});
  EXPECT_EQ(row(2).state, cluster::member_state::active);
  EXPECT_EQ(row(3).state, cluster::member_state::out);
  EXPECT_EQ(reports()->auto_out, cluster::out_decision{});
}

TEST_F(membership_test, a_leader_that_was_removed_hands_over_to_the_voter_with_the_most_of_the_log) {
  cluster_of(4);
  // Somebody else owns everything, so that the leader may go.
  meta::set_targets away{.epoch = layouts->get()->epoch + 1};
  meta::moved all{.epoch = away.epoch};
  for (std::uint32_t p = 0; p < partition_count; ++p) {
    away.targets.push_back({partition_id(p), {1}});
    all.partitions.push_back(partition_id(p));
  }
  ASSERT_FALSE(run(away).refused);
  ASSERT_FALSE(run(all).refused);
  ASSERT_FALSE(run(meta::remove_node{0}).refused);
  log.match = {{1, 30}, {2, 50}, {3, 90}};
  lead();
  start();
  pass_with_reports(3s, {1, 2, 3});
  ASSERT_FALSE(transfers.empty());
  EXPECT_EQ(transfers.back(), 2) << "3 has no vote";
  pass(8s);
  transfers.clear();
  pass_with_reports(2s, {1});
  ASSERT_FALSE(transfers.empty());
  EXPECT_EQ(transfers.back(), 1) << "2 is silent";
  EXPECT_TRUE(committed_of<meta::note_down>().empty()) << "it decides nothing any more";
}

TEST_F(membership_test, takes_the_vote_of_one_that_was_removed_and_then_its_log) {
  cluster_of(4);
  run(meta::remove_node{2});
  lead();
  start();
  pass_with_reports(3s, {1, 3});
  ASSERT_GE(changes.size(), 3u);
  EXPECT_EQ(changes[0].node, 2);
  EXPECT_EQ(changes[0].kind, raft::change_kind::demote);
  EXPECT_EQ(changes[1].node, 2);
  EXPECT_EQ(changes[1].kind, raft::change_kind::remove);
  EXPECT_EQ(changes[2].node, 3);
  EXPECT_EQ(changes[2].kind, raft::change_kind::promote);
}

// ── joining ──

TEST_F(membership_test, lets_a_new_node_in_once_and_tells_it_who_is_there) {
  cluster_of(2);
  lead();
  start();
  for (int i = 0; i < 2; ++i) { // its first answer may be lost
    const auto answer = join(id_of(8));
    ASSERT_TRUE(*answer && **answer) << to_string((*answer)->error());
    const auto a = decode_join_answer((**answer)->bytes);
    ASSERT_TRUE(a);
    EXPECT_EQ(a->number, 2);
    EXPECT_EQ(a->name, "blue");
    EXPECT_EQ(a->cluster, uuid{7});
    EXPECT_GE(a->members.size(), 2u);
  }
  EXPECT_EQ(layouts->get()->members.size(), 3u);
  pass_with_reports(1s, {1});
  ASSERT_FALSE(changes.empty());
  EXPECT_EQ(changes[0].node, 2);
  EXPECT_EQ(changes[0].kind, raft::change_kind::add_standby);
}

TEST_F(membership_test, a_newcomer_has_time_for_its_first_report_however_long_the_leader_has_led) {
  cluster_of(2);
  lead();
  start();
  pass_with_reports(90s, {1});
  ASSERT_TRUE(**join(id_of(8)));
  run(meta::begin_session{id_of(8), 1}); // it does this before it reports
  pass_with_reports(4s, {1});
  EXPECT_TRUE(committed_of<meta::end_session>().empty());
  EXPECT_TRUE(committed_of<meta::note_down>().empty());
  pass_with_reports(62s, {1});
  EXPECT_EQ(committed_of<meta::note_down>().size(), 1u);
  EXPECT_EQ(committed_of<meta::end_session>().size(), 1u) << "it never reported";
}

TEST_F(membership_test, refuses_reports_in_the_name_of_another_node) {
  cluster_of(3);
  lead();
  start();
  pass(1s);
  const auto other = *ask(peer_request::report, encode(report_of(2, 99)), id_of(1), meta::feature_level);
  EXPECT_EQ(other->error(), errc::invalid_argument);
  EXPECT_THAT(other->error().text, HasSubstr("claims to be node"));
  EXPECT_FALSE(reports()->by_node.contains(2));
  // The start is that of the link, which was let in as it.
  EXPECT_TRUE(**ask(peer_request::report, encode(report_of(1, 99)), id_of(1), meta::feature_level, 1));
  pass(1s);
  EXPECT_EQ(row(1).incarnation, 1u);
  join_request command{{.id = id_of(9), .address = "new:1", .incarnation = 1}, "blue", {}};
  const auto stranger = *ask(peer_request::join, encode(command), id_of(8), 0, 1, false);
  EXPECT_EQ(stranger->error(), errc::invalid_argument);
  EXPECT_TRUE(committed_of<meta::add_node>().empty());
  EXPECT_TRUE(**ask(peer_request::join, encode(command), id_of(1))) << "a member passes on what a stranger asked";
}

TEST_F(membership_test, believes_only_its_leader_about_reports) {
  cluster_of(3);
  log.leader = 2;
  start();
  EXPECT_EQ((*report(1))->error(), errc::no_leader) << "not passed on: the next one finds the leader";
  EXPECT_TRUE(network.calls.empty());
}

TEST_F(membership_test, a_removed_identity_stays_out) {
  cluster_of(3);
  run(meta::remove_node{2});
  log.servers.servers.pop_back();
  lead();
  start();
  const auto answer = *join(id_of(2));
  EXPECT_EQ(answer->error(), errc::precondition_failed);
  EXPECT_TRUE(committed_of<meta::add_node>().empty());
  EXPECT_TRUE(changes.empty());
}

TEST_F(membership_test, a_node_without_an_invitation_waits_is_shown_and_is_let_in_once) {
  cluster_of(2);
  founding.window = 0ms;
  run(meta::raise_feature_level{meta::feature_level});
  lead();
  start();
  pass(1s);
  const auto waits = *join(id_of(8));
  EXPECT_EQ(waits->error(), errc::busy);
  ASSERT_EQ(reports()->waiting.size(), 1u);
  EXPECT_EQ(reports()->waiting[0].id, id_of(8));
  EXPECT_EQ(layouts->get()->members.size(), 2u) << "it has no number";
  run(meta::invite_node{{.node = id_of(8), .expires = w.clock().wall() + 3'600'000}, w.clock().wall()});
  EXPECT_TRUE(**join(id_of(8)));
  EXPECT_TRUE(reports()->waiting.empty());
  EXPECT_EQ(layouts->get()->members.size(), 3u);
  EXPECT_EQ(row(2).incarnation, 0u) << "not seen yet";
  for (std::size_t n = 20; n < 60; ++n) (void)join(id_of(n));
  EXPECT_EQ(reports()->waiting.size(), 16u) << "strangers take no room";
  pass(31s);
  EXPECT_TRUE(reports()->waiting.empty()) << "they ask no more";
}

TEST_F(membership_test, a_token_lets_one_node_in) {
  cluster_of(1);
  founding.window = 0ms;
  certified = false;
  run(meta::raise_feature_level{meta::feature_level});
  lead();
  start();
  const std::string token = "cairn-join-0123456789012345678901234567890123456789";
  EXPECT_EQ((*join(id_of(8), "blue", token))->error(), errc::invalid_argument);
  run(meta::invite_node{{.token = cluster::hash_of_token(token), .expires = w.clock().wall() + 3'600'000},
                        w.clock().wall()});
  EXPECT_TRUE(**join(id_of(8), "blue", token));
  EXPECT_EQ((*join(id_of(9), "blue", token))->error(), errc::invalid_argument);
  EXPECT_EQ(layouts->get()->members.size(), 2u);
}

TEST_F(membership_test, believes_no_members_that_it_knows_better) {
  cluster_of(3);
  run(meta::remove_node{2});
  start();
  pass(1s);
  ASSERT_EQ(configured.size(), 1u);
  known_members told{
      {7, id_of(2), "removed:1"}, {1, id_of(1), "node-1:1"}, {0, id_of(9), "taken:1"}, {4, id_of(4), "new:1"}};
  configured[0].reply(link::answer{encode(told), {}});
  w.settle();
  ASSERT_TRUE(layouts->learned());
  EXPECT_EQ(*layouts->learned(), (known_members{{1, id_of(1), "node-1:1"}, {4, id_of(4), "new:1"}}));
  told.clear();
  for (node_number n = 100; n < 400; ++n) told.push_back({n, uuid{1, std::uint8_t(n >> 8), std::uint8_t(n)}, "x:1"});
  configured[0].reply(link::answer{encode(told), {}});
  w.settle();
  EXPECT_EQ(layouts->learned()->size(), meta::members_max);
}

TEST_F(membership_test, refuses_strangers_to_its_cluster_and_members_that_lost_their_vote_with_their_disk) {
  cluster_of(4);
  lead();
  start();
  const auto other = *join(id_of(8), "green");
  EXPECT_EQ(other->error(), errc::invalid_argument);
  EXPECT_THAT(other->error().text, HasSubstr("\"blue\", not \"green\""));
  const auto voter = *join(id_of(2));
  EXPECT_EQ(voter->error(), errc::precondition_failed);
  EXPECT_THAT(voter->error().text, HasSubstr("start with an empty data directory"));
  EXPECT_EQ((*ask(peer_request::join, "\1nonsense"))->error(), errc::corrupt);
  EXPECT_TRUE(commits.empty());
  // One without a vote may begin its log anew.
  const auto standby = *join(id_of(3));
  ASSERT_TRUE(standby && *standby);
  ASSERT_FALSE(changes.empty());
  EXPECT_EQ(changes[0].node, 3);
  EXPECT_EQ(changes[0].kind, raft::change_kind::remove);
  EXPECT_EQ(row(3).address, "new:1");
}

} // namespace cairn::actors::membership_tests

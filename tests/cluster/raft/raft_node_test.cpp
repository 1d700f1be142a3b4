// One or two nodes without faults; the simulation tests faults (scenario raft).
#include "base/codec.hpp"
#include "cluster/raft/raft_membership.hpp"
#include "cluster/raft/raft_message.hpp"
#include "cluster/raft/raft_node.hpp"
#include "tests/cluster/raft/log/log_disk.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace cairn::cluster::raft::raft_node_test {
struct owner {
  std::unique_ptr<raft_node> node;
  std::vector<answer> answers;
  std::vector<committed> applied;
  std::vector<envelope> sent;

  explicit owner(server_id id, stored_state stored) {
    node_options options;
    options.core.id = id;
    node = raft_node::start(options, std::move(stored), 0, 0).value();
  }
  // Stores and applies at once.
  void settle(time_ms now = 0) {
    for (int i = 0; i < 10; ++i) {
      auto u = node->take();
      answers.insert(answers.end(), u.answers.begin(), u.answers.end());
      sent.insert(sent.end(), u.messages.begin(), u.messages.end());
      for (auto& c : u.to_apply) {
        node->applied(c.index, now);
        applied.push_back(std::move(c));
      }
      if (!u.writes.empty()) node->stored(u.writes.back().number, now);
    }
  }
};

stored_state voter_of_three() {
  stored_state s = raft_core::first_state(1);
  configuration three{{{1, server_role::voter}, {2, server_role::voter}, {3, server_role::voter}}};
  s.entries[0].bytes = share(encode(three));
  return s;
}

// Its leader, server 2, transfers leadership to it.
void follow_and_take_over(owner& o) {
  o.node->receive(2, append_request{1, 1, 1, 1, {}}, 5);
  o.settle(5);
  o.node->receive(2, timeout_now{1, 1, 1}, 10);
}

term_t made_leader(owner& o) {
  follow_and_take_over(o);
  o.settle(10);
  const auto term = o.node->engine().term();
  o.node->receive(3, vote_answer{term, true, false}, 20);
  o.settle(20);
  return term;
}

std::vector<vote_answer> votes_to(const std::vector<envelope>& sent, server_id candidate) {
  std::vector<vote_answer> out;
  for (const auto& envelope : sent)
    if (const auto* v = std::get_if<vote_answer>(&envelope.body); v && envelope.to == candidate) out.push_back(*v);
  return out;
}

TEST(raft_node, a_sole_server_leads_in_a_new_term_and_commits_what_waits_in_one_entry) {
  owner o{1, raft_core::first_state(1)};
  EXPECT_EQ(o.node->engine().role(), role::leader);
  EXPECT_EQ(o.node->engine().term(), 2u) << "never again in the term before the restart";
  EXPECT_FALSE(o.node->engine().leads()) << "nothing of its term is committed";
  o.node->read(50, 0);
  for (ticket t = 1; t <= 20; ++t) o.node->submit({{"command", t}}, 0);
  o.settle();
  EXPECT_TRUE(o.node->engine().leads());
  ASSERT_EQ(o.answers.size(), 1u);
  EXPECT_EQ(o.answers[0].what, outcome::read);
  std::vector<ticket> answered;
  std::size_t entries = 0;
  for (const auto& c : o.applied) {
    answered.insert(answered.end(), c.tickets.begin(), c.tickets.end());
    entries += !c.tickets.empty();
  }
  EXPECT_EQ(answered.size(), 20u);
  EXPECT_TRUE(std::ranges::is_sorted(answered));
  EXPECT_LE(entries, 3u);
}

TEST(raft_node, commands_that_come_together_share_an_entry) {
  owner o{1, raft_core::first_state(1)};
  o.settle();
  std::vector<ticketed_command> many;
  for (ticket t = 1; t <= 20; ++t) many.push_back({"command", t});
  o.node->submit(std::move(many), 0);
  o.settle();
  const auto with_tickets = std::ranges::count_if(o.applied, [](const auto& c) { return !c.tickets.empty(); });
  EXPECT_EQ(with_tickets, 1);
}

TEST(raft_node, nothing_is_sent_before_the_term_it_depends_on_is_stored) {
  owner o{1, raft_core::first_state(1)};
  o.settle();
  EXPECT_EQ(o.node->change(2, change_kind::add_standby, 0), accepted::yes);
  const auto u = o.node->take();
  ASSERT_EQ(u.writes.size(), 1u);
  EXPECT_TRUE(u.messages.empty());
  o.node->stored(u.writes[0].number, 0);
  o.settle();
  EXPECT_FALSE(o.sent.empty());
}

TEST(raft_node, a_server_that_does_not_lead_answers_not_leader_at_once) {
  owner o{2, {}};
  o.node->submit({{"command", 1}}, 0);
  o.node->read(2, 0);
  o.settle();
  ASSERT_EQ(o.answers.size(), 2u);
  for (const auto& a : o.answers) EXPECT_EQ(a.what, outcome::not_leader);
  EXPECT_EQ(o.node->change(3, change_kind::add_standby, 0), accepted::not_leader);
}

TEST(raft_node, an_invalid_message_is_dropped) {
  owner o{1, raft_core::first_state(1)};
  o.settle();
  const auto last = o.node->engine().last_index();
  o.node->receive(2, vote_answer{0, true, false}, 0);
  o.node->receive(1, append_answer{2, 0, 1}, 0);
  o.node->receive(2, append_request{2, 1, 1, 0, {}}, 0); // a second leader of its own term
  o.settle();
  EXPECT_TRUE(o.sent.empty());
  EXPECT_TRUE(o.node->engine().leads());
  EXPECT_EQ(o.node->engine().term(), 2u);
  EXPECT_EQ(o.node->engine().last_index(), last);
  EXPECT_FALSE(o.node->engine().failure());
}

TEST(raft_node, a_vote_is_sent_when_it_is_stored_and_kept_by_the_next_start) {
  log_disk disk;
  ASSERT_TRUE(disk.open().begin(voter_of_three()));
  {
    owner o{1, disk.load().value()};
    o.node->receive(2, vote_request{7, 1, 1, true, false}, 10);
    const auto u = o.node->take();
    ASSERT_EQ(u.writes.size(), 1u);
    ASSERT_TRUE(u.writes[0].vote);
    EXPECT_EQ(u.writes[0].vote->term, 7u);
    EXPECT_EQ(u.writes[0].vote->vote, 2u);
    EXPECT_TRUE(u.messages.empty()) << "the vote is not stored";
    ASSERT_TRUE(disk.log->write(u.writes));
    o.node->stored(u.writes[0].number, 10);
    o.settle(10);
    EXPECT_EQ(votes_to(o.sent, 2), (std::vector<vote_answer>{{7, true, false}}));
  }
  owner again{1, disk.load().value()};
  EXPECT_EQ(again.node->engine().term(), 7u);
  again.node->receive(3, vote_request{7, 1, 1, true, false}, 20);
  again.settle(20);
  EXPECT_EQ(votes_to(again.sent, 3), (std::vector<vote_answer>{{7, false, false}}));
}

TEST(raft_node, a_candidate_asks_for_votes_when_its_own_is_stored) {
  log_disk disk;
  ASSERT_TRUE(disk.open().begin(voter_of_three()));
  owner o{1, disk.load().value()};
  follow_and_take_over(o); // no pre-vote
  const auto u = o.node->take();
  ASSERT_EQ(o.node->engine().role(), role::candidate);
  ASSERT_EQ(u.writes.size(), 1u);
  ASSERT_TRUE(u.writes[0].vote);
  EXPECT_EQ(u.writes[0].vote->vote, 1u);
  EXPECT_TRUE(u.messages.empty()) << "its vote for itself is not stored";
  ASSERT_TRUE(disk.log->write(u.writes));
  EXPECT_EQ(disk.load()->vote.vote, 1u);
  o.node->stored(u.writes[0].number, 10);
  o.settle(10);
  const auto asked = [](const envelope& envelope) { return std::holds_alternative<vote_request>(envelope.body); };
  EXPECT_EQ(std::ranges::count_if(o.sent, asked), 2);
}

TEST(raft_node, a_read_is_answered_when_a_majority_has_confirmed_the_term_after_it_was_asked) {
  owner o{1, voter_of_three()};
  const auto term = made_leader(o);
  ASSERT_EQ(o.node->engine().role(), role::leader);
  o.node->receive(3, append_answer{term, 0, o.node->engine().last_index()}, 30);
  o.settle(30);
  ASSERT_TRUE(o.node->engine().leads());

  const auto rounds = [&] {
    std::vector<std::uint64_t> out;
    for (const auto& envelope : o.sent)
      if (const auto* r = std::get_if<read_round>(&envelope.body); r && envelope.to == 2) out.push_back(r->sequence);
    return out;
  };
  o.node->read(50, 40);
  o.settle(40);
  ASSERT_EQ(rounds().size(), 1u);
  EXPECT_TRUE(o.answers.empty()) << "nobody has confirmed it";
  o.node->receive(2, read_echo{term - 1, rounds()[0]}, 50);
  o.node->receive(2, read_echo{term, rounds()[0] + 1}, 50);
  o.settle(50);
  EXPECT_TRUE(o.answers.empty()) << "echoes of another term, or of no round";
  o.node->receive(2, read_echo{term, rounds()[0]}, 60);
  o.settle(60);
  ASSERT_EQ(o.answers.size(), 1u);
  EXPECT_EQ(o.answers[0].what, outcome::read);

  // The echo of an earlier round says nothing of a later one.
  o.node->read(51, 70);
  o.settle(70);
  ASSERT_EQ(rounds().size(), 2u);
  o.node->receive(2, read_echo{term, rounds()[0]}, 80);
  o.settle(80);
  EXPECT_EQ(o.answers.size(), 1u);
  o.node->receive(3, append_request{term + 1, 2, term, 1, {}}, 90); // another one leads meanwhile
  o.settle(90);
  ASSERT_EQ(o.answers.size(), 2u);
  EXPECT_EQ(o.answers[1].what, outcome::not_leader);
}

TEST(raft_node, a_leader_confirms_no_read_before_an_entry_of_its_term_is_committed) {
  owner o{1, voter_of_three()};
  const auto term = made_leader(o);
  ASSERT_EQ(o.node->engine().role(), role::leader);
  const auto asked = [](const envelope& sent) { return std::holds_alternative<read_round>(sent.body); };
  o.node->read(50, 25);
  o.settle(25);
  EXPECT_EQ(std::ranges::count_if(o.sent, asked), 0)
      << "its commit index may be behind results that others have acknowledged";
  o.node->receive(3, append_answer{term, 0, o.node->engine().last_index()}, 30);
  o.settle(30);
  EXPECT_EQ(std::ranges::count_if(o.sent, asked), 2);
}

TEST(raft_node, a_read_waits_until_what_was_committed_before_it_is_applied) {
  owner o{1, voter_of_three()};
  const auto term = made_leader(o);
  o.node->receive(3, append_answer{term, 0, o.node->engine().last_index()}, 30);
  o.settle(30);
  o.node->submit({{"command", 1}}, 40);
  const auto written = o.node->take();
  ASSERT_FALSE(written.writes.empty());
  o.node->stored(written.writes.back().number, 40);
  const index_t last = o.node->engine().last_index();
  o.node->receive(3, append_answer{term, 0, last}, 50);
  o.node->read(50, 60);
  auto u = o.node->take();
  ASSERT_EQ(u.to_apply.size(), 1u);
  const auto round = std::ranges::find_if(
      u.messages, [](const envelope& sent) { return std::holds_alternative<read_round>(sent.body); });
  ASSERT_NE(round, u.messages.end());
  o.node->receive(3, read_echo{term, std::get<read_round>(round->body).sequence}, 70);
  EXPECT_TRUE(o.node->take().answers.empty()) << "the command is committed and not applied";
  o.node->applied(last, 80);
  u = o.node->take();
  ASSERT_EQ(u.answers.size(), 1u);
  EXPECT_EQ(u.answers[0].what, outcome::read);
  EXPECT_EQ(u.answers[0].index, last);
}

TEST(raft_node, a_leader_applies_nothing_that_its_own_disk_does_not_have) {
  owner o{1, voter_of_three()};
  const auto term = made_leader(o);
  o.node->receive(3, append_answer{term, 0, o.node->engine().last_index()}, 30);
  o.settle(30);
  o.node->submit({{"command", 1}}, 40);
  auto u = o.node->take();
  ASSERT_FALSE(u.writes.empty());
  const auto write = u.writes.back().number;
  const index_t last = o.node->engine().last_index();
  o.node->receive(2, append_answer{term, 0, last}, 50);
  o.node->receive(3, append_answer{term, 0, last}, 50);
  EXPECT_EQ(o.node->engine().commit(), last) << "the others are a majority";
  EXPECT_TRUE(o.node->take().to_apply.empty());
  o.node->stored(write, 60);
  EXPECT_EQ(o.node->take().to_apply.size(), 1u);
}

// Another leader may have replaced them in the log that they were read from.
TEST(raft_node, entries_read_for_a_follower_are_not_sent_when_it_does_not_lead_any_more) {
  for (const bool still_leads : {true, false}) {
    owner o{1, voter_of_three()};
    node_options options;
    options.core.id = 1;
    options.core.cache_bytes = 0;
    o.node = raft_node::start(options, voter_of_three(), 0, 0).value();
    const auto term = made_leader(o);
    for (ticket t = 1; t <= 3; ++t) {
      o.node->submit({{"command", t}}, 30);
      o.settle(30);
      o.node->receive(3, append_answer{term, 0, o.node->engine().last_index()}, 30);
      o.settle(30);
    }
    ASSERT_EQ(o.applied.size(), 5u)
        << "with the configuration and the entry of the term: none of them is in memory any more";
    o.node->receive(2, append_answer{term, o.node->engine().last_index(), 1}, 40);
    o.node->tick(40 + options.core.heartbeat_ms);
    auto u = o.node->take();
    ASSERT_EQ(u.reads.size(), 1u);
    if (!still_leads) o.node->receive(3, append_request{term + 1, 2, term, 1, {}}, 50);
    o.settle(50);
    std::vector<entry> read(u.reads[0].count, entry{term, entry_kind::barrier, share({})});
    o.node->filled(std::move(u.reads[0]), std::move(read));
    const auto sent = o.node->take().messages;
    EXPECT_EQ(std::ranges::count_if(
                  sent, [](const envelope& m) { return std::holds_alternative<append_request>(m.body); }) > 0,
              still_leads);
  }
}

TEST(raft_node, entries_that_a_later_leader_replaced_do_not_count_as_stored) {
  owner o{1, voter_of_three()};
  const entry old{1, entry_kind::barrier, share({})}, fresh{2, entry_kind::barrier, share({})};
  o.node->receive(2, append_request{1, 1, 1, 1, {old, old, old}}, 5);
  const auto first = o.node->take();
  ASSERT_EQ(first.writes.size(), 1u);
  o.node->receive(3, append_request{2, 1, 1, 1, {fresh, fresh, fresh}}, 10);
  const auto second = o.node->take();
  ASSERT_FALSE(second.writes.empty());
  o.node->stored(first.writes.back().number, 20);
  EXPECT_EQ(o.node->engine().last_stored(), 1u);
  o.node->stored(second.writes.back().number, 30);
  EXPECT_EQ(o.node->engine().last_stored(), 4u);
  EXPECT_EQ(o.node->engine().term_at(4), 2u);
}

// Ongaro's correction of the changes of one server at a time (2015).
TEST(raft_node, changes_wait_for_an_entry_of_the_term_and_for_each_other) {
  owner o{1, voter_of_three()};
  const auto term = made_leader(o);
  ASSERT_EQ(o.node->engine().role(), role::leader);
  EXPECT_EQ(o.node->change(4, change_kind::add_standby, 20), accepted::busy) << "nothing of its term is committed";
  const auto stored_by = [&](server_id id) {
    o.node->receive(id, append_answer{term, 0, o.node->engine().last_index()}, 30);
    o.settle(30);
  };
  stored_by(3);
  ASSERT_EQ(o.node->change(4, change_kind::add_standby, 30), accepted::yes);
  EXPECT_EQ(o.node->change(5, change_kind::add_standby, 30), accepted::busy) << "one at a time";
}

TEST(raft_node, only_a_server_of_that_term_echoes_a_read_round) {
  owner o{1, voter_of_three()};
  o.node->receive(2, read_round{1, 4}, 10);
  o.node->receive(2, vote_request{7, 1, 1, true, false}, 10); // it has heard of a later term
  o.node->receive(2, read_round{1, 5}, 10);
  o.settle(10);
  std::vector<read_echo> echoes;
  for (const auto& envelope : o.sent)
    if (const auto* e = std::get_if<read_echo>(&envelope.body)) echoes.push_back(*e);
  EXPECT_EQ(echoes, (std::vector<read_echo>{{1, 4}}));
}

TEST(raft_core, a_stored_state_that_contradicts_itself_is_refused) {
  core_options options;
  options.id = 1;
  const auto refused = [&](stored_state s, index_t applied) {
    auto made = raft_core::start(options, std::move(s), applied, 0);
    return !made && made.error().code == errc::corrupt;
  };
  const auto good = raft_core::first_state(1);
  EXPECT_FALSE(refused(good, 1));
  EXPECT_TRUE(refused(good, 2)) << "the state is newer than the log";
  auto gap = good;
  gap.first = 2;
  EXPECT_TRUE(refused(gap, 0));
  auto no_term = good;
  no_term.vote.term = 0;
  EXPECT_TRUE(refused(no_term, 0));
  auto old_state = good;
  old_state.snapshot = snapshot_record{1, 1, {{{1, server_role::voter}}}, 1};
  EXPECT_TRUE(refused(old_state, 0)) << "the state is older than the snapshot";
}

TEST(raft_membership, changes_go_one_server_at_a_time_and_never_lose_the_last_voter) {
  const configuration one{{{5, server_role::voter}}};
  EXPECT_FALSE(changed(one, 5, change_kind::demote));
  EXPECT_FALSE(changed(one, 5, change_kind::remove));
  EXPECT_FALSE(changed(one, 5, change_kind::add_standby));
  EXPECT_FALSE(changed(one, 6, change_kind::promote));
  const auto two = changed(one, 3, change_kind::add_standby);
  ASSERT_TRUE(two);
  EXPECT_EQ(two->servers[0].id, 3u) << "in the order of their ids";
  EXPECT_TRUE(changed(*two, 3, change_kind::promote)->is_voter(3));
  EXPECT_EQ(*changed(*two, 3, change_kind::remove), one);
  EXPECT_FALSE(changed(*changed(*two, 3, change_kind::promote), 3, change_kind::remove)) << "voters are demoted first";
}

TEST(raft_membership, the_history_knows_each_index_configuration) {
  configuration_history h;
  EXPECT_EQ(h.at(5).index, 0u);
  const configuration a{{{1, server_role::voter}}}, b{{{1, server_role::voter}, {2, server_role::standby}}};
  h.reset(1, a);
  h.add(7, b);
  EXPECT_EQ(h.at(6).servers, a);
  EXPECT_EQ(h.at(7).servers, b);
  EXPECT_EQ(h.between(1, 7).size(), 1u);
  h.forget_before(6);
  EXPECT_EQ(h.at(6).servers, a) << "still needed";
  h.truncate(7);
  EXPECT_EQ(h.at(9).servers, a);
}

} // namespace cairn::cluster::raft::raft_node_test

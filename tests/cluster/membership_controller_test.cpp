#include "cluster/membership_controller.hpp"

#include "base/files/node_identity.hpp"
#include "tests/cluster/layout/layouts.hpp"

namespace cairn::cluster::membership_controller_test {

namespace meta = storage::metadata;
using namespace std::chrono_literals;
using namespace std::string_literals;

// A cluster with nothing to do: all nodes are up, and each is a server of the log.
class membership_controller_test : public testing::Test {
protected:
  void cluster(std::size_t nodes) {
    now = cluster_of(equal_weights(nodes));
    view.now = &now;
    view.wall = 1'000'000'000;
    view.reports.assign(nodes, member_report{.has_report = true, .since_last_report = 100ms});
    for (std::size_t n = 0; n < nodes; ++n) {
      now.members[n].incarnation = view.reports[n].incarnation = 1;
      const auto role = n < wanted_voters(nodes) ? raft::server_role::voter : raft::server_role::standby;
      view.servers.servers.push_back({n + 1, role});
    }
    view.acknowledged = now.epoch;
    planned = plan_base_of(now);
  }
  void silence(member_index n, std::chrono::milliseconds time) { view.reports[n].since_last_report = time; }
  std::optional<controller_step> next() { return next_step(view, options, planned); }
  std::vector<meta::command> commands() {
    auto s = next();
    if (!s || !std::holds_alternative<step::commit>(*s)) return {};
    return std::get<step::commit>(*s).commands;
  }
  std::optional<step::change_log> log_change() {
    auto s = next();
    if (!s || !std::holds_alternative<step::change_log>(*s)) return std::nullopt;
    return std::get<step::change_log>(*s);
  }
  std::optional<change::set_state> state_change() {
    auto s = next();
    if (!s || !std::holds_alternative<step::plan>(*s)) return std::nullopt;
    const auto* change = std::get_if<change::set_state>(&std::get<step::plan>(*s).change);
    return change ? std::optional{*change} : std::nullopt;
  }

  layout now;
  controller_view view;
  controller_options options;
  plan_base planned;
};

TEST_F(membership_controller_test, has_nothing_to_do_in_a_settled_cluster) {
  for (const std::size_t nodes : {1, 2, 3, 4, 5, 9}) {
    view = {};
    cluster(nodes);
    EXPECT_FALSE(next()) << nodes;
  }
}

TEST_F(membership_controller_test, raises_the_feature_level_when_all_members_have_reported_it) {
  cluster(3);
  view.feature_level = 4;
  view.reports[0].feature_level = view.reports[1].feature_level = meta::feature_level;
  EXPECT_FALSE(next());
  view.reports[2].feature_level = 4;
  EXPECT_FALSE(next());
  now.members[2].state = member_state::removed;
  ASSERT_EQ(commands().size(), 1u);
  EXPECT_EQ(std::get<meta::raise_feature_level>(commands().front()).level, meta::feature_level);
  view.feature_level = meta::feature_level;
  EXPECT_TRUE(commands().empty());
}

TEST_F(membership_controller_test, a_member_is_reached_at_the_address_that_it_reports) {
  cluster(3);
  for (auto& m : now.members) view.reports[m.number].address = m.address;
  EXPECT_FALSE(next());
  view.reports[1].address = "moved:9100";
  const auto c = commands();
  ASSERT_EQ(c.size(), 1u);
  EXPECT_EQ(std::get<meta::set_node>(c.front()).node, 1u);
  EXPECT_EQ(std::get<meta::set_node>(c.front()).address, "moved:9100");
  for (const auto& nowhere : {"0.0.0.0:9100"s, "[::]:9100"s, "a b:1"s, "a\n:1"s, std::string(300, 'a')}) {
    view.reports[1].address = nowhere;
    EXPECT_FALSE(next()) << nowhere;
  }
}

TEST_F(membership_controller_test, advances_the_lock_time_to_what_a_majority_of_the_clocks_has_reached) {
  cluster(3);
  view.feature_level = meta::feature_level;
  for (auto& r : view.reports) r.feature_level = meta::feature_level;
  const auto clocks = [this](std::vector<wall_ms> walls) {
    for (std::size_t n = 0; n < walls.size(); ++n) view.reports[n].wall = walls[n];
    const auto c = commands();
    return c.empty() ? wall_ms{-1} : std::get<meta::advance_lock_time>(c.front()).time;
  };
  constexpr wall_ms years = wall_ms{10} * 365 * 24 * 3600 * 1000, time = 5 * years;
  EXPECT_EQ(clocks({time, time, time}), -1); // no object lock
  view.lock_time = 0;
  EXPECT_EQ(clocks({time, time + 5, time + 9}), time + 5);
  EXPECT_EQ(clocks({time + years, time, time - 5}), time); // the leader's own clock is wrong
  EXPECT_EQ(clocks({time, time - years, time}), time);
  EXPECT_EQ(clocks({time + years, time, 0}), time); // one has not reported
  EXPECT_EQ(clocks({time + years, 0, 0}), -1);
  view.lock_time = time;
  EXPECT_EQ(clocks({time + 29'999, time + 29'999, time + years}), -1);
  EXPECT_EQ(clocks({time + 30'000, time + 30'000, time + years}), time + 30'000);
  EXPECT_EQ(clocks({time - years, time - years, time - years}), -1);
  view.feature_level = meta::feature_level_of_object_lock - 1;
  for (auto& r : view.reports) r.feature_level = view.feature_level;
  EXPECT_EQ(clocks({time + years, time + years, time + years}), -1);
}

TEST_F(membership_controller_test, the_lock_time_of_voters_alone_counts) {
  for (const auto& [nodes, wrong] :
       std::vector<std::pair<std::size_t, std::size_t>>{{1, 0}, {2, 1}, {4, 2}, {5, 2}, {9, 6}}) {
    view = {};
    cluster(nodes);
    for (std::size_t n = 0; n < nodes; ++n) view.reports[n].wall = n + wrong >= nodes ? 900'000 : 100'000;
    EXPECT_EQ(majority_time(view), 100'000) << nodes;
  }
}

TEST_F(membership_controller_test, notes_who_is_down_and_who_is_back_once) {
  cluster(3);
  silence(2, 5s);
  EXPECT_FALSE(next());
  silence(2, 6s);
  auto c = commands();
  ASSERT_EQ(c.size(), 1u);
  EXPECT_EQ(std::get<meta::note_down>(c[0]).node, 2);
  EXPECT_EQ(std::get<meta::note_down>(c[0]).now, view.wall);
  now.members[2].down_since = view.wall;
  EXPECT_FALSE(next());
  silence(2, 10ms);
  view.reports[2].incarnation = 2;
  c = commands();
  ASSERT_EQ(c.size(), 1u);
  EXPECT_EQ(std::get<meta::note_up>(c[0]).node, 2);
  EXPECT_EQ(std::get<meta::note_up>(c[0]).incarnation, 2u);
}

TEST_F(membership_controller_test, notes_a_restart_that_was_too_short_to_be_down) {
  cluster(3);
  view.reports[1].incarnation = 7;
  const auto c = commands();
  ASSERT_EQ(c.size(), 1u);
  EXPECT_EQ(std::get<meta::note_up>(c[0]).incarnation, 7u);
}

TEST_F(membership_controller_test, a_start_that_lost_what_it_had_acknowledged_is_older_than_what_the_cluster_knows) {
  constexpr std::uint64_t drawn = std::uint64_t{99} << incarnation_count_bits, lost = drawn | 7;
  cluster(3);
  now.members[1].incarnation = 6;
  view.reports[1].incarnation = view.reports[1].lost_log = lost;
  const auto c = commands();
  ASSERT_EQ(c.size(), 1u);
  const auto fence = std::get<meta::note_up>(c[0]);
  EXPECT_EQ(fence.node, 1);
  EXPECT_TRUE(may_start_as(fence.incarnation, 6));
  for (const std::uint64_t later : {0, 1, 1000}) EXPECT_FALSE(may_start_as(lost + later, fence.incarnation));
  now.members[1].incarnation = fence.incarnation;
  EXPECT_FALSE(next());
  now.members[1].state = member_state::removed;
  now.members[1].incarnation = 6;
  view.reports[1].lost_log = lost;
  for (const auto& command : commands()) EXPECT_FALSE(std::holds_alternative<meta::note_up>(command));
}

TEST_F(membership_controller_test, a_new_leader_gives_everybody_time_to_report) {
  cluster(3);
  view.reports[1] = view.reports[2] = member_report{.has_report = false, .since_last_report = 5s};
  EXPECT_FALSE(next());
  silence(1, 6s);
  const auto c = commands();
  ASSERT_EQ(c.size(), 1u);
  EXPECT_EQ(std::get<meta::note_down>(c[0]).node, 1);
}

TEST_F(membership_controller_test, the_leader_is_never_down) {
  cluster(3);
  view.self = 1;
  silence(1, 1h);
  EXPECT_FALSE(next());
}

TEST_F(membership_controller_test, ends_the_sessions_of_members_that_are_down_for_long) {
  cluster(3);
  view.live = {
      {.id = 10, .node = now.members[1].id}, {.id = 11, .node = now.members[2].id}, {.id = 12, .node = {0xee}}};
  now.members[2].down_since = view.wall - 1;
  silence(2, 59s);
  EXPECT_FALSE(next());
  silence(2, 60s);
  const auto c = commands();
  ASSERT_EQ(c.size(), 1u) << "and of no other node, in particular not of a standalone node that is no member";
  EXPECT_EQ(std::get<meta::end_session>(c[0]).session, 11u);
}

TEST_F(membership_controller_test, wants_one_voter_of_one_two_of_two_three_of_three_or_four_five_beyond) {
  const std::vector<std::size_t> wanted{1, 2, 3, 3, 5, 5, 5};
  for (std::size_t n = 1; n <= wanted.size(); ++n) EXPECT_EQ(wanted_voters(n), wanted[n - 1]);
}

TEST_F(membership_controller_test, a_member_becomes_a_standby_then_a_voter_while_it_is_up) {
  cluster(3);
  view.servers.servers.pop_back();
  auto c = log_change();
  ASSERT_TRUE(c);
  EXPECT_EQ(c->node, 2);
  EXPECT_EQ(c->kind, raft::change_kind::add_standby);
  view.servers.servers.push_back({3, raft::server_role::standby});
  c = log_change();
  ASSERT_TRUE(c);
  EXPECT_EQ(c->node, 2);
  EXPECT_EQ(c->kind, raft::change_kind::promote);
  silence(2, 10s);
  now.members[2].down_since = 1;
  EXPECT_FALSE(log_change());
}

TEST_F(membership_controller_test, a_voter_that_is_down_keeps_its_vote_and_one_that_was_removed_loses_it) {
  cluster(5);
  now.members[4].down_since = 1;
  silence(4, 1h);
  view.live.clear();
  options.out_after = 100h;
  EXPECT_FALSE(log_change());
  now.members[4].state = member_state::removed;
  auto c = log_change();
  ASSERT_TRUE(c);
  EXPECT_EQ(c->node, 4);
  EXPECT_EQ(c->kind, raft::change_kind::demote);
  view.servers.servers[4].role = raft::server_role::standby;
  c = log_change();
  ASSERT_TRUE(c);
  EXPECT_EQ(c->kind, raft::change_kind::remove);
}

TEST_F(membership_controller_test, a_voter_that_reports_a_failed_log_is_replaced_by_a_standby) {
  cluster(4);
  view.reports[1].failed = true;
  EXPECT_FALSE(next()) << "it may be back in a moment";
  silence(1, 10s);
  now.members[1].down_since = 1;
  auto c = log_change();
  ASSERT_TRUE(c);
  EXPECT_EQ(c->node, 1);
  EXPECT_EQ(c->kind, raft::change_kind::demote);
  view.servers.servers[1].role = raft::server_role::standby;
  c = log_change();
  ASSERT_TRUE(c);
  EXPECT_EQ(c->node, 3) << "not the one that has failed";
  EXPECT_EQ(c->kind, raft::change_kind::promote);
  view.servers.servers[3].role = raft::server_role::voter;
  EXPECT_FALSE(log_change());
  view.reports[1] = member_report{.has_report = true, .since_last_report = 100ms, .incarnation = 1};
  now.members[1].down_since = 0;
  EXPECT_FALSE(next()) << "it stays a standby";
}

TEST_F(membership_controller_test, a_voter_whose_log_has_failed_keeps_its_vote_without_a_successor) {
  cluster(4);
  for (const member_index n : {1, 3}) {
    silence(n, 10s);
    now.members[n].down_since = 1;
  }
  view.reports[1].failed = view.reports[3].failed = true;
  EXPECT_FALSE(log_change());
  view.reports[1].failed = false;
  view.reports[3] = member_report{.has_report = true, .since_last_report = 100ms, .incarnation = 1};
  now.members[3].down_since = 0;
  EXPECT_FALSE(log_change()) << "a node that is down reports nothing about its log";
}

TEST_F(membership_controller_test, a_server_without_a_row_yet_is_kept) {
  cluster(3);
  view.servers.servers.push_back({9, raft::server_role::standby});
  EXPECT_FALSE(next());
}

TEST_F(membership_controller_test, takes_a_member_out_that_was_down_for_too_long_and_activates_it_when_it_is_back) {
  cluster(4);
  now.members[3].down_since = view.wall - 599'999;
  silence(3, 599s);
  EXPECT_FALSE(state_change());
  now.members[3].down_since = view.wall - 600'000;
  auto s = state_change();
  ASSERT_TRUE(s);
  EXPECT_EQ(s->who, 3);
  EXPECT_EQ(s->state, member_state::out);
  now.members[3].state = member_state::out;
  EXPECT_FALSE(state_change());
  now.members[3].down_since = 0;
  silence(3, 10ms);
  s = state_change();
  ASSERT_TRUE(s);
  EXPECT_EQ(s->state, member_state::active);
}

TEST_F(membership_controller_test, takes_no_member_out_when_many_are_down) {
  cluster(4);
  for (const member_index n : {2, 3}) {
    now.members[n].down_since = 1;
    silence(n, 1h);
  }
  EXPECT_FALSE(state_change());
}

TEST_F(membership_controller_test, says_why_it_takes_no_member_out) {
  cluster(5);
  EXPECT_EQ(auto_out(view, options), out_decision{});
  for (const member_index n : {2, 4}) {
    now.members[n].down_since = view.wall - 700'000;
    silence(n, 700s);
  }
  view.live.clear();
  EXPECT_EQ(auto_out(view, options), (out_decision{{}, out_pause::many_down, {2, 4}, {2, 4}}));
  silence(4, 1s); // back, and not noted yet
  EXPECT_EQ(auto_out(view, options).out, std::vector<member_index>{2});
}

TEST_F(membership_controller_test, plans_targets_once_for_a_new_node_that_is_up) {
  cluster(3);
  now.members.push_back({.number = 3, .id = {0x77}, .address = "new:1", .weight = 100, .incarnation = 1});
  view.servers.servers.push_back({4, raft::server_role::standby});
  view.reports.push_back({.has_report = false, .since_last_report = 100ms});
  ++now.epoch;
  EXPECT_FALSE(next()) << "it has not arrived yet";
  view.reports[3] = {.has_report = true, .since_last_report = 10ms, .incarnation = 1};
  const auto s = next();
  ASSERT_TRUE(s && std::holds_alternative<step::plan>(*s));
  EXPECT_TRUE(std::holds_alternative<change::retarget>(std::get<step::plan>(*s).change));
  planned = plan_base_of(now);
  EXPECT_FALSE(next()) << "planned, and the targets are right";
}

TEST_F(membership_controller_test, a_move_is_finished_when_it_was_compared_after_all_sessions_acknowledged_it) {
  cluster(4);
  ++now.epoch;
  const owner_list before{0, 1, 2}, after{0, 1, 3};
  for (const partition_id p : {5, 6, 7}) now.partitions[p] = {now.epoch, before, after};
  planned = plan_base_of(now);
  auto& report = view.reports[3];
  report.complete = {5, 7};
  report.complete_epoch = now.epoch;
  EXPECT_FALSE(next()) << "a session may still write under the older layout";
  view.acknowledged = now.epoch;
  report.complete_epoch = now.epoch - 1;
  EXPECT_FALSE(next()) << "compared before";
  report.complete_epoch = now.epoch;
  const auto c = commands();
  ASSERT_EQ(c.size(), 1u);
  const auto& m = std::get<meta::moved>(c[0]);
  EXPECT_EQ(m.partitions, (std::vector<partition_id>{5, 7}));
  EXPECT_EQ(m.epoch, now.epoch);
}

TEST_F(membership_controller_test, a_partition_with_two_new_owners_waits_for_both) {
  cluster(5);
  ++now.epoch;
  now.partitions[9] = {now.epoch, owner_list{0, 1, 2}, owner_list{0, 3, 4}};
  planned = plan_base_of(now);
  view.acknowledged = now.epoch;
  view.reports[3].complete = {9};
  view.reports[3].complete_epoch = now.epoch;
  EXPECT_FALSE(next());
  view.reports[4].complete = {9};
  view.reports[4].complete_epoch = now.epoch + 3; // this leader is behind
  const auto c = commands();
  ASSERT_EQ(c.size(), 1u);
  EXPECT_EQ(std::get<meta::moved>(c[0]).epoch, now.epoch) << "the lower of the two";
}

TEST_F(membership_controller_test, remaining_owners_compare_before_replicas_are_dropped) {
  cluster(4);
  ++now.epoch;
  now.members[0].state = member_state::draining;
  planned = plan_base_of(now);
  view.acknowledged = now.epoch;
  const auto compared = [&](std::size_t n) {
    view.reports[n].complete = {9};
    view.reports[n].complete_epoch = now.epoch;
  };
  now.partitions[9] = {now.epoch, owner_list{0, 1, 2}, owner_list{2, 1}};
  compared(1);
  EXPECT_FALSE(next());
  compared(2);
  EXPECT_EQ(commands().size(), 1u);
  view.reports[1].complete.clear();
  now.partitions[9] = {now.epoch, owner_list{0, 2}, owner_list{2}};
  EXPECT_EQ(commands().size(), 1u);
  view.reports[2].complete.clear();
  EXPECT_FALSE(next());
  silence(0, 10s);
  now.members[0].down_since = 1;
  now.members[0].state = member_state::out;
  EXPECT_EQ(commands().size(), 1u) << "there is no other copy";
}

TEST_F(membership_controller_test, a_move_to_a_member_that_is_down_is_not_finished) {
  cluster(4);
  ++now.epoch;
  now.partitions[9] = {now.epoch, owner_list{0, 1, 2}, owner_list{0, 1, 3}};
  planned = plan_base_of(now);
  view.acknowledged = now.epoch;
  view.reports[3].complete = {9};
  view.reports[3].complete_epoch = now.epoch;
  for (const member_index away : {3, 1}) {
    silence(away, 10s);
    now.members[away].down_since = view.wall = 1;
    EXPECT_FALSE(next()) << "new or not, it may lack chunks that are dropped with node 2";
    silence(away, 10ms);
    now.members[away].down_since = 0;
    EXPECT_EQ(commands().size(), 1u);
  }
}

TEST_F(membership_controller_test, health_comes_before_everything_else) {
  cluster(3);
  silence(2, 1h);
  view.servers.servers.pop_back();
  const auto c = commands();
  ASSERT_EQ(c.size(), 1u);
  EXPECT_TRUE(std::holds_alternative<meta::note_down>(c[0]));
}

// Steps may be lost or executed twice: called repeatedly with the new state, the controller converges.
TEST_F(membership_controller_test, converges_whatever_steps_are_lost) {
  for (std::uint32_t seed = 1; seed <= 30; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 draw{seed};
    view = {};
    cluster(1 + draw() % 4);
    // Some nodes come, some go.
    for (std::size_t added = draw() % 4; added > 0; --added) {
      const auto n = random_node(draw);
      now.members.push_back({.number = member_index(now.members.size()),
                             .id = n.id,
                             .address = n.address,
                             .weight = 100,
                             .incarnation = 1});
      view.reports.push_back({.has_report = true, .since_last_report = 10ms, .incarnation = 1});
      ++now.epoch;
    }
    const auto gone = member_index(draw() % now.members.size());
    if (gone != 0) silence(gone, 1h);
    planned = {};
    view.acknowledged = now.epoch;
    int steps = 0;
    while (auto s = next()) {
      ASSERT_LT(++steps, 500);
      if (draw() % 4 == 0) continue; // lost
      if (auto* c = std::get_if<step::commit>(&*s)) {
        for (const auto& command : c->commands) {
          if (const auto* down = std::get_if<meta::note_down>(&command)) now.members[down->node].down_since = down->now;
          if (const auto* up = std::get_if<meta::note_up>(&command)) {
            now.members[up->node].down_since = 0;
            now.members[up->node].incarnation = up->incarnation;
          }
          if (const auto* m = std::get_if<meta::moved>(&command)) mark_moved(now, m->partitions);
        }
      } else if (auto* l = std::get_if<step::change_log>(&*s)) {
        const auto id = raft::server_id{l->node} + 1;
        if (l->kind == raft::change_kind::add_standby) view.servers.servers.push_back({id, raft::server_role::standby});
        for (auto& server : view.servers.servers)
          if (server.id == id && l->kind == raft::change_kind::promote) server.role = raft::server_role::voter;
        std::ranges::sort(view.servers.servers, {}, &raft::server::id);
      } else {
        auto plan = plan_change(now, std::get<step::plan>(*s).change);
        ASSERT_TRUE(plan);
        if (plan->commands.empty())
          planned = plan_base_of(now);
        else
          now = plan->after;
      }
      // The others follow: what is to come to them comes.
      view.acknowledged = now.epoch;
      for (const auto& each : now.members) {
        const auto n = each.number;
        auto& report = view.reports[n];
        report.complete.clear();
        report.complete_epoch = now.epoch;
        for (std::uint32_t p = 0; p < now.partitions.size(); ++p)
          if (now.partitions[p].target.contains(n) && report.since_last_report < 1s)
            report.complete.push_back(partition_id(p));
      }
    }
    std::size_t members = now.members.size(), up = members - (gone != 0);
    EXPECT_GE(view.servers.voters(), std::min(wanted_voters(members), up));
  }
}

} // namespace cairn::cluster::membership_controller_test

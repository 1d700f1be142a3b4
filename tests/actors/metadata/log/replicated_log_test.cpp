// The consensus beneath is fuzzed in the simulation; here is what the metadata's log adds to it.
#include "tests/actors/metadata/log/log_fixture.hpp"

namespace cairn::actors::replicated_log_test {

class replicated_log_test : public testing::Test {
protected:
  log_cluster::node& follower() {
    for (auto& n : cluster.nodes)
      if (n->log && !n->leads()) return *n;
    ADD_FAILURE() << "no follower";
    return cluster.at(0);
  }
  void fill(log_cluster::node& through, log_client& client, const std::string& prefix, int objects, std::size_t bytes) {
    for (int i = 0; i < objects; i += 10) {
      std::vector<meta::command> batch;
      for (int k = i; k < i + 10; ++k) batch.push_back(client.put(prefix + std::to_string(k), std::string(bytes, 'x')));
      for (const auto& r : cluster.submit(through, std::move(batch))) ASSERT_FALSE(r.refused) << r.refused->text;
    }
  }
  log_cluster cluster{3};
};

TEST_F(replicated_log_test, commands_of_a_follower_are_answered_with_their_own_results_and_applied_everywhere) {
  cluster.begin(3);
  auto& f = follower();
  log_client client{cluster, f, 1};
  const auto all = cluster.submit(f, {client.put("a"), client.put("a", "again", true), client.put("b")});
  EXPECT_FALSE(all[0].refused);
  ASSERT_TRUE(all[1].refused);
  EXPECT_EQ(all[1].refused->code, errc::precondition_failed);
  EXPECT_FALSE(all[2].refused);
  cluster.expect_equal_states();
  for (auto& n : cluster.nodes) EXPECT_TRUE(n->has("a") && n->has("b"));
}

TEST_F(replicated_log_test, a_follower_begins_no_session_of_another_node_or_of_another_start) {
  cluster.begin(3);
  auto& f = follower();
  f.incarnation = 4;
  const auto begun = [&](const uuid& node, std::uint64_t incarnation) {
    const auto answer = cluster.submit(f, {meta::begin_session{node, incarnation}})[0];
    return answer.refused ? answer.refused->code : errc{};
  };
  EXPECT_EQ(begun(log_cluster::id_of(cluster.leader()->number), 4), errc::invalid_argument);
  EXPECT_EQ(begun(log_cluster::id_of(f.number), 5), errc::invalid_argument);
  EXPECT_EQ(begun(log_cluster::id_of(f.number), 4), errc{});
}

TEST_F(replicated_log_test, a_barrier_on_any_node_shows_what_was_acknowledged_on_another) {
  cluster.begin(3);
  cluster.loss = 0.05;
  log_client client{cluster, cluster.at(1), 1};
  for (int i = 0; i < 30; ++i) {
    const auto key = std::to_string(i);
    ASSERT_FALSE(cluster.submit(cluster.at(std::size_t(i % 3)), {client.put(key)})[0].refused) << cluster.last_refusal;
    auto& other = cluster.at(std::size_t((i + 1) % 3));
    ASSERT_TRUE(cluster.barrier(other));
    EXPECT_TRUE(other.shows(key)) << i;
  }
}

TEST_F(replicated_log_test, a_barrier_on_a_follower_does_not_wait_for_the_next_heartbeat) {
  cluster.begin(3);
  auto* l = cluster.leader();
  auto& f = follower();
  log_client client{cluster, *l, 1};
  const auto slowest = [&] {
    std::chrono::nanoseconds out{0};
    for (int i = 0; i < 20; ++i) {
      EXPECT_FALSE(cluster.submit(*l, {client.put("k" + std::to_string(i))})[0].refused);
      const auto since = cluster.loop.now();
      EXPECT_TRUE(cluster.barrier(f));
      out = std::max<std::chrono::nanoseconds>(out, cluster.loop.now() - since);
      EXPECT_TRUE(f.shows("k" + std::to_string(i)));
      cluster.loop.run(13ms);
    }
    return out;
  };
  slowest(); // after an election a leader sends a follower's first entries with its heartbeat
  EXPECT_LT(slowest(), 25ms);
  cluster.feature_level = meta::feature_level_of_read_terms - 1;
  EXPECT_GT(slowest(), 40ms) << "an older leader does not tell its term";
}

// Of a leader: the disk of its log, that of its state, or both.
struct slow_disks {
  const char* name;
  std::chrono::microseconds log, state;
};
class slow_leader_test : public replicated_log_test, public testing::WithParamInterface<slow_disks> {};

INSTANTIATE_TEST_SUITE_P(disks, slow_leader_test,
                         testing::Values(slow_disks{"both", 2s, 2s}, slow_disks{"log", 2s, 300us},
                                         slow_disks{"state", 200us, 2s}, slow_disks{"state_beyond_a_try", 200us, 5s}),
                         [](const auto& given) { return std::string{given.param.name}; });

TEST_P(slow_leader_test, transfers_leadership_and_delays_no_request_afterwards) {
  cluster.begin(3);
  auto* slow = cluster.leader();
  auto& f = follower();
  log_client client{cluster, f, 1};
  slow->log_writes->take(GetParam().log);
  slow->applies->take(GetParam().state);
  const auto since = cluster.loop.now();
  std::function<void()> tick = [&] {
    for (auto& n : cluster.nodes)
      if (n->log) n->log->tick();
    cluster.loop.at(1s, tick);
  };
  tick();
  int i = 0;
  while (cluster.leader() == nullptr || cluster.leader() == slow) {
    ASSERT_FALSE(cluster.submit(f, {client.put(std::to_string(i++))})[0].refused) << cluster.last_refusal;
    ASSERT_LT(cluster.loop.now() - since, 12s);
  }
  EXPECT_FALSE(slow->log->failure());
  const auto term = cluster.leader()->log->status().term;
  for (int n = 0; n < 100; ++n) {
    const auto begun = cluster.loop.now();
    ASSERT_FALSE(cluster.submit(f, {client.put(std::to_string(i++))})[0].refused) << cluster.last_refusal;
    EXPECT_LT(cluster.loop.now() - begun, 150ms); // a heartbeat, by which a follower learns of the commit, and a flush
    cluster.loop.run(100ms);
  }
  EXPECT_EQ(cluster.leader()->log->status().term, term) << "leadership does not wander about";
  tick = [] {};
}

TEST_F(replicated_log_test, a_leader_sees_that_a_follower_came_back_with_an_older_log) {
  cluster.begin(3);
  auto& leader = *cluster.leader();
  auto& back = follower();
  log_client client{cluster, leader, 1};
  back.incarnation = 10;
  ASSERT_FALSE(cluster.submit(leader, {client.put("before")})[0].refused);
  cluster.expect_equal_states();
  auto state = back.state->image();
  auto disk = back.disk->image();
  ASSERT_FALSE(cluster.submit(leader, {client.put("after")})[0].refused);
  cluster.expect_equal_states();
  cluster.crash(back); // a start of what it has is no old copy
  back.incarnation = 11;
  ASSERT_TRUE(cluster.start(back));
  ASSERT_FALSE(cluster.submit(leader, {client.put("more")})[0].refused);
  cluster.expect_equal_states();
  EXPECT_TRUE(leader.log->status().lost.empty());
  cluster.crash(back);
  back.state = std::move(state);
  back.disk = std::move(disk);
  back.incarnation = 12;
  ASSERT_TRUE(cluster.start(back));
  ASSERT_TRUE(cluster.loop.until([&] { return !leader.log->status().lost.empty(); }));
  EXPECT_EQ(leader.log->status().lost, (std::map<node_number, std::uint64_t>{{back.number, 12}}));
}

TEST_F(replicated_log_test, many_barriers_share_rounds) {
  cluster.begin(3);
  auto& f = follower();
  int rounds = 0, answered = 0;
  cluster.watch = [&](const auto&, const auto&, peer_request kind) {
    rounds += kind == peer_request::barrier;
    return true;
  };
  for (int i = 0; i < 1000; ++i)
    f.log->barrier(cluster.loop.now() + 10s, [&](const result<log_index>& r) { answered += r.has_value(); });
  EXPECT_TRUE(cluster.loop.until([&] { return answered == 1000; }));
  EXPECT_LE(rounds, 3);
}

TEST_F(replicated_log_test, loss_and_doubling_lose_and_double_nothing) {
  cluster.begin(3);
  cluster.loss = 0.2;
  cluster.doubled = 0.2;
  std::vector<log_client> clients;
  for (std::size_t n = 0; n < 3; ++n) clients.emplace_back(cluster, cluster.at(n), std::uint8_t(n));
  int answered = 0, refused = 0;
  for (int i = 0; i < 120; ++i) {
    const auto n = std::size_t(i % 3);
    cluster.at(n).log->submit({clients[n].put(std::to_string(i), "bytes", true)}, cluster.loop.now() + 60s,
                              [&](const log_cluster::results& r) {
                                ++answered;
                                refused += r[0].refused.has_value();
                              });
    cluster.loop.run(20ms);
  }
  ASSERT_TRUE(cluster.loop.until([&] { return answered == 120; }));
  EXPECT_EQ(refused, 0) << "a retry met itself, or was not carried out";
  cluster.loss = cluster.doubled = 0;
  cluster.expect_equal_states();
}

TEST_F(replicated_log_test, a_leader_that_is_lost_at_any_moment_takes_no_answer_along) {
  // The moment, in events after the submit.
  for (int moment = 0; moment < 60; moment += 3) {
    SCOPED_TRACE("after " + std::to_string(moment) + " events");
    log_cluster c{3, std::uint64_t(moment + 1)};
    c.found();
    c.grow_to(3);
    auto* l = c.leader();
    ASSERT_NE(l, nullptr);
    auto& f = c.at(l->number == 1 ? 2 : 1);
    ASSERT_FALSE(c.submit(f, {meta::create_bucket{.name = "files", .now = 1}})[0].refused);
    log_client client{c, f, 1};
    std::optional<log_cluster::results> out;
    f.log->submit({client.put("a", "1", true), client.stamped(meta::create_bucket{.name = "other", .now = 1})},
                  c.loop.now() + 60s, [&](log_cluster::results r) { out = std::move(r); });
    for (int i = 0; i < moment; ++i) c.loop.step();
    c.crash(*l);
    ASSERT_TRUE(c.loop.until([&] { return out.has_value(); }));
    EXPECT_FALSE((*out)[0].refused);
    EXPECT_FALSE((*out)[1].refused) << "the bucket that an earlier try made counts as made";
    ASSERT_TRUE(c.barrier(f));
    EXPECT_TRUE(f.has("a"));
    ASSERT_TRUE(c.start(*l));
    c.expect_equal_states();
  }
}

TEST_F(replicated_log_test, a_leader_that_was_cut_off_does_not_answer_for_the_others) {
  cluster.begin(3);
  auto* old = cluster.leader();
  for (auto& n : cluster.nodes)
    if (n.get() != old) cluster.cuts.insert({{old->number, n->number}, {n->number, old->number}});
  const auto isolated = cluster.submit(*old, {meta::create_bucket{.name = "lonely", .now = 1}}, 5s);
  ASSERT_TRUE(isolated[0].refused);
  EXPECT_TRUE(isolated[0].refused->code == errc::timeout || isolated[0].refused->code == errc::no_leader);
  EXPECT_EQ(cluster.barrier(*old, 3s).error().code, errc::no_leader);
  ASSERT_TRUE(cluster.loop.until([&] { return cluster.leader() && cluster.leader() != old; }));
  EXPECT_FALSE(cluster.submit(*cluster.leader(), {meta::create_bucket{.name = "ours", .now = 1}})[0].refused);
  cluster.cuts.clear();
  cluster.expect_equal_states();
  EXPECT_TRUE(old->store->read().value()->bucket("ours"));
}

TEST_F(replicated_log_test, what_waits_for_a_frozen_leader_goes_to_the_next_one_when_it_is_elected) {
  cluster.begin(3);
  auto* old = cluster.leader();
  cluster.watch = [&](const auto& from, const auto& to, peer_request) { return &from != old && &to != old; };
  const auto began = cluster.loop.now();
  EXPECT_FALSE(cluster.submit(follower(), {meta::create_bucket{.name = "other", .now = 1}})[0].refused);
  EXPECT_LT(cluster.loop.now() - began, 3500ms) << "a try lasts four seconds";
}

TEST_F(replicated_log_test, without_a_majority_everything_is_answered_at_its_deadline) {
  cluster.begin(3);
  auto& f = follower();
  for (auto& n : cluster.nodes)
    if (n.get() != &f) cluster.crash(*n);
  const auto r = cluster.submit(f, {meta::create_bucket{.name = "x", .now = 1}}, 5s);
  ASSERT_TRUE(r[0].refused);
  EXPECT_TRUE(r[0].refused->code == errc::no_leader || r[0].refused->code == errc::timeout);
  EXPECT_EQ(cluster.barrier(f, 5s).error().code, errc::no_leader);
}

TEST_F(replicated_log_test, a_read_does_not_wait_for_a_state_that_hangs) {
  cluster.begin(3);
  auto& f = follower();
  f.applies->hang();
  ASSERT_FALSE(cluster.submit(*cluster.leader(), {meta::create_bucket{.name = "other", .now = 1}})[0].refused);
  std::optional<result<log_index>> out;
  f.log->barrier(cluster.loop.now() + 5s, [&](result<log_index> r) { out = std::move(r); });
  cluster.loop.run(4s);
  f.log->tick();
  EXPECT_FALSE(out);
  cluster.loop.run(2s);
  f.log->tick();
  ASSERT_TRUE(out);
  EXPECT_EQ(out->error().code, errc::no_leader);
}

TEST_F(replicated_log_test, stopping_answers_all_that_wait) {
  cluster.begin(3);
  auto& f = follower();
  for (auto& n : cluster.nodes)
    if (n.get() != &f) cluster.crash(*n);
  std::vector<errc> codes;
  f.log->submit({meta::create_bucket{.name = "x", .now = 1}}, cluster.loop.now() + 60s,
                [&](const log_cluster::results& r) { codes.push_back(r[0].refused->code); });
  f.log->barrier(cluster.loop.now() + 60s, [&](const result<log_index>& r) { codes.push_back(r.error().code); });
  cluster.loop.run(1s);
  EXPECT_TRUE(codes.empty());
  f.log->stop();
  cluster.loop.run(1s);
  EXPECT_EQ(codes, (std::vector{errc::stopping, errc::stopping}));
}

TEST_F(replicated_log_test, a_node_that_was_away_for_less_than_the_log_keeps_gets_entries) {
  cluster.begin(3);
  auto& f = follower();
  log_client client{cluster, *cluster.leader(), 1};
  cluster.crash(f);
  fill(*cluster.leader(), client, "k", 100, 1000);
  ASSERT_TRUE(cluster.start(f));
  cluster.expect_equal_states();
  EXPECT_EQ(f.replaced, 0u);
}

// ── the state instead of entries ──

TEST_F(replicated_log_test, a_node_that_the_log_has_left_behind_fetches_the_state) {
  cluster.compact_after_bytes = 20'000;
  cluster.entries_kept = 5;
  cluster.begin(3);
  auto& f = follower();
  log_client client{cluster, *cluster.leader(), 1};
  cluster.crash(f);
  fill(*cluster.leader(), client, "k", 300, 1000);
  EXPECT_GT(cluster.leader()->log->status().commit, f.applied() + 5);
  ASSERT_TRUE(cluster.start(f));
  const auto before = f.store->read().value();
  EXPECT_FALSE(before->object("files", "k299"));
  cluster.expect_equal_states();
  EXPECT_EQ(f.replaced, 1u);
  EXPECT_FALSE(before->object("files", "k299")) << "a view shows one state";
  ASSERT_TRUE(cluster.barrier(f));
  EXPECT_TRUE(f.has("k299"));
  EXPECT_FALSE(cluster.submit(f, {client.put("after")})[0].refused);
}

TEST_F(replicated_log_test, the_log_stays_short) {
  cluster.compact_after_bytes = 20'000;
  cluster.entries_kept = 5;
  cluster.begin(1);
  log_client client{cluster, cluster.at(0), 1};
  fill(cluster.at(0), client, "k", 600, 1000);
  cluster.loop.run(1s);
  const auto stored = cluster.at(0).disk->image()->open()->load(cluster.at(0).applied()).value();
  EXPECT_LT(stored.entries.size(), 20u) << "of some 60 entries";
  ASSERT_TRUE(cluster.start(cluster.at(0)));
  ASSERT_TRUE(cluster.loop.until([&] { return cluster.at(0).leads(); }));
  EXPECT_TRUE(cluster.at(0).has("k599"));
}

TEST_F(replicated_log_test, writes_go_on_while_the_state_travels_and_arrive_behind_it) {
  cluster.compact_after_bytes = 20'000;
  cluster.entries_kept = 5;
  cluster.begin(3);
  auto& f = follower();
  log_client client{cluster, *cluster.leader(), 1};
  cluster.crash(f);
  fill(*cluster.leader(), client, "k", 300, 1000);
  ASSERT_TRUE(cluster.start(f));
  auto& l = *cluster.leader();
  for (int i = 0; i < 400 && !(f.replaced > 0 && i > 100); ++i) {
    ASSERT_FALSE(cluster.submit(l, {client.put("w" + std::to_string(i), std::string(2000, 'w'))})[0].refused);
  }
  cluster.expect_equal_states();
  EXPECT_GE(f.replaced, 1u);
  EXPECT_LE(f.replaced, 2u) << "what follows the state was kept for it";
}

TEST_F(replicated_log_test, a_crash_at_any_moment_of_an_installation_is_recovered_from) {
  cluster.compact_after_bytes = 20'000;
  cluster.entries_kept = 5;
  cluster.piece_bytes = 64 << 10;
  cluster.begin(3);
  auto& f = follower();
  log_client client{cluster, *cluster.leader(), 1};
  int round = 0;
  const auto leave_behind = [&] {
    cluster.crash(f);
    cluster.loop.run(130s); // what was served the last time is not kept any longer
    fill(*cluster.leader(), client, "r" + std::to_string(round++ % 3) + "-", 120, 1000);
  };
  for (int moment = 0;; moment += 1) {
    SCOPED_TRACE("crash after " + std::to_string(moment) + " events");
    leave_behind();
    ASSERT_TRUE(cluster.start(f));
    const auto replaced_before = f.replaced;
    ASSERT_TRUE(cluster.loop.until([&] { return f.files.used_bytes() > 0 || f.replaced > replaced_before; }));
    for (int i = 0; i < moment; ++i) cluster.loop.step();
    const bool done = f.replaced > replaced_before;
    cluster.crash(f);
    ASSERT_TRUE(cluster.start(f)) << "the state and the log fit each other";
    cluster.expect_equal_states();
    if (done) break;
    ASSERT_LT(moment, 2000);
  }
  // The moment that matters most: the log has its record, and the state is the old one.
  leave_behind();
  ASSERT_TRUE(cluster.start(f));
  const auto record = [&] {
    const auto stored = f.disk->image()->open()->load(f.applied());
    return stored && stored->snapshot ? stored->snapshot->index : 0;
  };
  ASSERT_TRUE(cluster.loop.until([&] { return record() > f.applied(); }));
  cluster.crash(f);
  const auto before = f.applied();
  ASSERT_TRUE(cluster.start(f));
  EXPECT_GT(f.applied(), before) << "the start replaces the state";
  cluster.expect_equal_states();
}

TEST_F(replicated_log_test, a_disk_that_fails_once_at_any_operation_only_delays_a_transfer) {
  cluster.compact_after_bytes = 20'000;
  cluster.entries_kept = 5;
  cluster.piece_bytes = 64 << 10;
  cluster.begin(3);
  auto& f = follower();
  auto& l = *cluster.leader();
  log_client client{cluster, l, 1};
  bool any = true;
  for (int nth = 0; any; ++nth) {
    any = false;
    SCOPED_TRACE("operation " + std::to_string(nth));
    for (auto* broken : {&f, &l}) {
      cluster.crash(f);
      cluster.loop.run(130s);
      fill(l, client, "k", 60, 1000);
      ASSERT_TRUE(cluster.start(f));
      int left = nth;
      bool hit = false;
      broken->files.set_fault([&](disk_operation, const std::string&) -> std::optional<error> {
        if (left-- != 0) return std::nullopt;
        hit = true;
        return error{errc::io_error, "as the test wants"};
      });
      // An installation that can't read what was staged is the end of this start.
      if (!cluster.loop.until([&] { return f.log->failure() || cluster.converged(); })) FAIL();
      broken->files.set_fault({});
      any = any || hit;
      if (f.log->failure()) {
        ASSERT_TRUE(cluster.start(f));
      }
      cluster.expect_equal_states();
    }
    ASSERT_LT(nth, 500);
  }
}

TEST_F(replicated_log_test, a_transfer_survives_loss_and_the_loss_of_its_source) {
  cluster.compact_after_bytes = 20'000;
  cluster.entries_kept = 5;
  cluster.begin(3);
  auto& f = follower();
  log_client client{cluster, *cluster.leader(), 1};
  cluster.crash(f);
  fill(*cluster.leader(), client, "k", 300, 1000);
  int pieces = 0;
  auto* first = cluster.leader();
  cluster.watch = [&](const auto&, const auto& to, peer_request kind) {
    if (kind == peer_request::snapshot && &to == first) ++pieces;
    return true;
  };
  cluster.loss = 0.01;
  ASSERT_TRUE(cluster.start(f));
  ASSERT_TRUE(cluster.loop.until([&] { return pieces == 20; }));
  ASSERT_TRUE(first->log->transfer([&] {
    for (auto& n : cluster.nodes)
      if (n.get() != first && n.get() != &f) return n->number;
    return node_number{0};
  }()) == raft::accepted::yes);
  cluster.loop.run(5s);
  cluster.crash(*first);
  // Two of three are left, and one of them needs the other's state.
  cluster.expect_equal_states();
  EXPECT_GE(f.replaced, 1u);
  cluster.loss = 0;
  ASSERT_TRUE(cluster.start(*first));
  cluster.expect_equal_states();
}

TEST_F(replicated_log_test, nodes_that_join_a_cluster_with_old_data_get_it) {
  {
    // It was a standalone node before.
    auto alone = meta::store::open(*cluster.at(0).state).value();
    std::vector<meta::command> commands{meta::create_bucket{.name = "files", .now = 1},
                                        meta::begin_session{uuid{0xaa}, 1}};
    ASSERT_TRUE(alone->apply(commands));
    const auto session = alone->read().value()->sessions().value().at(0).id;
    for (std::uint64_t i = 1; i <= 50; ++i) {
      const std::vector<meta::command> put{meta::put_object{.stamp = {session, i, 0},
                                                            .bucket = "files",
                                                            .key = "old" + std::to_string(i),
                                                            .now = 1,
                                                            .size = 3,
                                                            .content = std::string{"old"}}};
      ASSERT_FALSE(alone->apply(put).value().results.at(0).refused);
    }
  }
  cluster.found();
  cluster.grow_to(3);
  cluster.expect_equal_states();
  for (auto& n : cluster.nodes) EXPECT_TRUE(n->has("old50")) << n->number;
  EXPECT_EQ(cluster.at(1).replaced, 1u);
  EXPECT_EQ(cluster.at(2).replaced, 1u);
}

} // namespace cairn::actors::replicated_log_test

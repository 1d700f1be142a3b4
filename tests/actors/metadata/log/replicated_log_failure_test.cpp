// Disks of the log and of the state that fill up or fail, on a leader and on a follower.
#include "tests/actors/metadata/log/log_fixture.hpp"

namespace cairn::actors::replicated_log_failure_test {

struct fault {
  const char* name;
  bool of_leader, of_state;
  errc code;
};
void PrintTo(const fault& f, std::ostream* out) {
  *out << f.name;
}

class failing_log_test : public testing::TestWithParam<fault> {
protected:
  void SetUp() override {
    cluster.begin(3);
    cluster.expect_equal_states();
    for (auto& n : cluster.nodes)
      if (n->leads() == GetParam().of_leader) broken = n.get();
    for (auto& n : cluster.nodes)
      if (n.get() != broken && (!healthy || n->leads())) healthy = n.get();
  }
  errc& failing() { return GetParam().of_state ? broken->state->failing : broken->disk->failing(); }
  // Whatever meets the disk next fails.
  void break_disk() {
    failing() = GetParam().code;
    meet_disk();
  }
  void meet_disk() {
    log_client other{cluster, *healthy, 9};
    ASSERT_FALSE(cluster.submit(*healthy, {other.put("met")})[0].refused) << cluster.last_refusal;
    ASSERT_TRUE(cluster.loop.until([&] { return broken->log->failure().has_value(); }));
  }

  log_cluster cluster{3};
  log_cluster::node *broken = nullptr, *healthy = nullptr;
};

// A log that is opened anew without a restart.
class full_log_test : public failing_log_test {};

constexpr fault full_disks[] = {{"log of a leader without room", true, false, errc::no_space},
                                {"state of a leader without room", true, true, errc::no_space},
                                {"log of a follower without room", false, false, errc::no_space},
                                {"state of a follower without room", false, true, errc::no_space},
                                {"log of a follower without descriptors", false, false, errc::busy}};
constexpr fault broken_disks[] = {{"log of a leader broken", true, false, errc::io_error},
                                  {"state of a leader broken", true, true, errc::io_error},
                                  {"log of a follower broken", false, false, errc::io_error},
                                  {"state of a follower broken", false, true, errc::io_error}};

INSTANTIATE_TEST_SUITE_P(full_disks, failing_log_test, testing::ValuesIn(full_disks));
INSTANTIATE_TEST_SUITE_P(broken_disks, failing_log_test, testing::ValuesIn(broken_disks));
INSTANTIATE_TEST_SUITE_P(disks, full_log_test, testing::ValuesIn(full_disks));

TEST_P(failing_log_test, the_others_go_on_at_once) {
  const auto before = cluster.loop.now();
  break_disk();
  ASSERT_TRUE(cluster.loop.until([&] { return cluster.leader() != nullptr; }));
  log_client client{cluster, *healthy, 1};
  ASSERT_FALSE(cluster.submit(*healthy, {client.put("a")})[0].refused) << cluster.last_refusal;
  EXPECT_TRUE(cluster.barrier(*healthy));
  EXPECT_TRUE(healthy->shows("a"));
  EXPECT_LT(cluster.loop.now() - before, 600ms) << "no election timeout may have passed";
  EXPECT_FALSE(broken->leads());
}

TEST_P(failing_log_test, reads_through_it_are_refused_at_once_and_commands_go_to_the_leader) {
  break_disk();
  cluster.loop.run(500ms);
  const auto before = cluster.loop.now();
  EXPECT_EQ(cluster.barrier(*broken).error().code, errc::no_leader);
  EXPECT_EQ(cluster.loop.now() - before, 0ms);
  const auto status = broken->log->status();
  EXPECT_FALSE(status.leads);
  ASSERT_TRUE(status.failure);
  EXPECT_EQ(status.failure->code, GetParam().code);
  EXPECT_EQ(status.leader, cluster.leader()->number) << "it hears who leads";
  EXPECT_EQ(status.term, cluster.leader()->log->status().term);
  log_client client{cluster, *broken, 1};
  ASSERT_FALSE(cluster.submit(*broken, {client.put("through")})[0].refused) << cluster.last_refusal;
  EXPECT_TRUE(cluster.leader()->has("through"));
}

TEST_P(failing_log_test, what_waited_when_it_failed_is_carried_out_once) {
  log_client client{cluster, *broken, 1};
  failing() = GetParam().code;
  int answered = 0, refused = 0;
  for (int i = 0; i < 20; ++i) {
    broken->log->submit({client.put(std::to_string(i), "x", true)}, cluster.loop.now() + 30s,
                        [&](const log_cluster::results& r) {
                          ++answered;
                          refused += r[0].refused.has_value();
                        });
    cluster.loop.run(100us);
  }
  ASSERT_TRUE(cluster.loop.until([&] { return answered == 20; }));
  EXPECT_EQ(refused, 0) << "a retry met itself, or was not carried out";
}

TEST_P(failing_log_test, comes_back_by_itself_when_there_is_room_and_after_a_failed_flush_only_by_a_restart) {
  break_disk();
  log_client client{cluster, *healthy, 1};
  for (int i = 0; i < 20; ++i)
    ASSERT_FALSE(cluster.submit(*healthy, {client.put(std::to_string(i))})[0].refused) << cluster.last_refusal;
  cluster.loop.run(5s);
  EXPECT_TRUE(broken->log->failure()) << "there is no room yet";
  EXPECT_FALSE(broken->has("19"));
  failing() = {};
  cluster.loop.run(5s);
  if (GetParam().code == errc::io_error) {
    EXPECT_TRUE(broken->log->failure()) << "nobody knows what a disk holds after a failed flush";
    ASSERT_TRUE(cluster.start(*broken));
  }
  EXPECT_FALSE(broken->log->failure());
  cluster.expect_equal_states();
  EXPECT_TRUE(broken->has("19"));
  ASSERT_TRUE(cluster.barrier(*broken));
  EXPECT_FALSE(cluster.submit(*broken, {client.put("again")})[0].refused);
}

TEST_P(failing_log_test, what_was_answered_before_it_failed_is_kept) {
  log_client client{cluster, *broken, 1};
  ASSERT_FALSE(cluster.submit(*broken, {client.put("answered")})[0].refused) << cluster.last_refusal;
  break_disk(); // the transaction may be open
  ASSERT_FALSE(cluster.submit(*healthy, {client.put("later")})[0].refused) << cluster.last_refusal;
  EXPECT_TRUE(cluster.barrier(*healthy));
  EXPECT_TRUE(healthy->has("answered"));
  failing() = {};
  if (GetParam().code == errc::io_error) {
    ASSERT_TRUE(cluster.start(*broken));
  }
  ASSERT_TRUE(cluster.loop.until([&] { return !broken->log->failure(); }));
  cluster.expect_equal_states();
  EXPECT_TRUE(broken->has("answered"));
}

TEST_P(full_log_test, its_vote_counts_again_when_it_is_back) {
  break_disk();
  failing() = {};
  ASSERT_TRUE(cluster.loop.until([&] { return !broken->log->failure() && cluster.converged(); }));
  for (auto& n : cluster.nodes)
    if (n.get() != broken && n.get() != healthy) cluster.crash(*n);
  log_client client{cluster, *healthy, 1};
  EXPECT_FALSE(cluster.submit(*healthy, {client.put("with two of three")})[0].refused) << cluster.last_refusal;
}

TEST_P(full_log_test, failures_that_come_again_are_met_ever_more_slowly) {
  break_disk();
  const auto until = cluster.loop.now() + 60s;
  int returns = 0;
  log_client client{cluster, *healthy, 1};
  while (cluster.loop.now() < until) {
    failing() = {};
    if (!cluster.loop.until([&] { return !broken->log->failure(); })) break;
    ++returns;
    failing() = GetParam().code;
    ASSERT_FALSE(cluster.submit(*healthy, {client.put("x")})[0].refused) << cluster.last_refusal;
    ASSERT_TRUE(cluster.loop.until([&] { return broken->log->failure().has_value(); }));
  }
  EXPECT_LE(returns, 7);
  EXPECT_GE(returns, 4);
}

// A disk that does not answer at all, of the log or of the state.
class hanging_log_test : public failing_log_test {
protected:
  void SetUp() override {
    failing_log_test::SetUp();
    for (auto& n : cluster.nodes)
      if (n.get() != broken && n->number != healthy->number) third = n.get();
    tick();
  }
  void tick() {
    for (auto& n : cluster.nodes)
      if (n->log && (n.get() != broken || !process_frozen)) n->log->tick();
    cluster.loop.at(1s, [this] { tick(); });
  }
  loop_executor& lane() { return GetParam().of_state ? *broken->applies : *broken->log_writes; }
  void hang() {
    lane().freeze();
    client.emplace(cluster, *healthy, 1);
    write("met");
  }
  void write(const std::string& key) {
    ASSERT_FALSE(cluster.submit(*healthy, {client->put(key)})[0].refused) << cluster.last_refusal;
  }

  log_cluster::node* third = nullptr;
  bool process_frozen = false;
  std::optional<log_client> client;
};

class hanging_leader_log_test : public hanging_log_test {};

constexpr fault leaders[] = {{"log of a leader", true, false, errc::timeout},
                             {"state of a leader", true, true, errc::timeout}};
constexpr fault followers[] = {{"log of a follower", false, false, errc::timeout},
                               {"state of a follower", false, true, errc::timeout}};

INSTANTIATE_TEST_SUITE_P(leaders, hanging_log_test, testing::ValuesIn(leaders));
INSTANTIATE_TEST_SUITE_P(followers, hanging_log_test, testing::ValuesIn(followers));
INSTANTIATE_TEST_SUITE_P(disks, hanging_leader_log_test, testing::ValuesIn(leaders));

TEST_P(hanging_log_test, is_known_within_seconds_and_the_others_go_on) {
  const auto before = cluster.loop.now();
  hang();
  ASSERT_TRUE(cluster.loop.until([&] { return broken->log->failure().has_value(); }));
  EXPECT_LT(cluster.loop.now() - before, 11s);
  EXPECT_EQ(broken->log->failure()->code, errc::timeout);
  EXPECT_EQ(broken->log->status().failure->code, errc::timeout);
  ASSERT_TRUE(cluster.loop.until([&] { return cluster.leader() && cluster.leader() != broken; }));
  cluster.loop.run(500ms);
  EXPECT_EQ(cluster.barrier(*broken, 5s).error().code, errc::no_leader);
  log_client through{cluster, *broken, 2};
  EXPECT_FALSE(cluster.submit(*broken, {through.put("through")})[0].refused) << cluster.last_refusal;
  write("more");
  EXPECT_TRUE(cluster.barrier(*healthy));
  EXPECT_TRUE(healthy->has("through"));
}

TEST_P(hanging_log_test, follows_again_when_the_disk_answers) {
  hang();
  ASSERT_TRUE(cluster.loop.until([&] { return broken->log->failure().has_value(); }));
  cluster.loop.run(100s);
  EXPECT_TRUE(broken->log->failure()) << "it hangs for longer than a job may wait";
  for (int i = 0; i < 20; ++i) write(std::to_string(i));
  lane().thaw();
  const auto before = cluster.loop.now();
  ASSERT_TRUE(cluster.loop.until([&] { return !broken->log->failure(); }));
  EXPECT_LT(cluster.loop.now() - before, 2s);
  cluster.expect_equal_states();
  EXPECT_TRUE(broken->has("19"));
  EXPECT_TRUE(cluster.barrier(*broken));
  cluster.crash(*third); // its vote counts as well
  ASSERT_TRUE(cluster.loop.until([&] { return cluster.leader() != nullptr; }));
  write("two of three");
}

TEST_P(hanging_log_test, stays_away_when_what_hung_fails_at_last) {
  hang();
  ASSERT_TRUE(cluster.loop.until([&] { return broken->log->failure().has_value(); }));
  failing() = errc::io_error;
  lane().thaw();
  cluster.loop.run(1s);
  failing() = {};
  cluster.loop.run(60s);
  ASSERT_TRUE(broken->log->failure()) << "a failed flush is not tried again";
  EXPECT_EQ(broken->log->failure()->code, errc::io_error);
  ASSERT_TRUE(cluster.start(*broken));
  cluster.expect_equal_states();
}

TEST_P(hanging_log_test, is_not_one_that_is_slow_nor_a_process_that_was_frozen) {
  lane().take(1500ms); // many after each other
  client.emplace(cluster, *healthy, 1);
  for (int i = 0; i < 20; ++i) write(std::to_string(i));
  cluster.loop.run(20s);
  EXPECT_FALSE(broken->log->failure());
  lane().take(200us);
  cluster.loop.run(20s);
  lane().freeze();
  process_frozen = true;
  healthy->log->submit({client->put("frozen")}, cluster.loop.now() + 30s, [](const log_cluster::results&) {});
  cluster.loop.run(60s);
  broken->log->tick();
  EXPECT_FALSE(broken->log->failure());
}

TEST_P(hanging_leader_log_test, of_a_leader_is_handed_over_before_it_counts_as_failed) {
  hang();
  const auto before = cluster.loop.now();
  ASSERT_TRUE(cluster.loop.until([&] { return cluster.leader() && cluster.leader() != broken; }));
  EXPECT_LT(cluster.loop.now() - before, 5s);
  EXPECT_FALSE(broken->log->failure());
}

TEST(failing_log, of_a_single_member_answers_at_once_and_returns_to_service) {
  log_cluster cluster{1};
  cluster.found();
  auto& only = cluster.at(0);
  ASSERT_FALSE(cluster.submit(only, {meta::create_bucket{.name = "files", .now = 1}})[0].refused);
  only.disk->failing() = errc::no_space;
  EXPECT_TRUE(cluster.submit(only, {meta::create_bucket{.name = "more", .now = 1}})[0].refused);
  const auto before = cluster.loop.now();
  EXPECT_TRUE(cluster.submit(only, {meta::create_bucket{.name = "more", .now = 1}})[0].refused);
  EXPECT_LT(cluster.loop.now() - before, 1s);
  only.disk->failing() = {};
  ASSERT_TRUE(cluster.loop.until([&] { return only.leads(); }));
  EXPECT_FALSE(cluster.submit(only, {meta::create_bucket{.name = "other", .now = 1}})[0].refused);
  EXPECT_TRUE(cluster.barrier(only));
}

// A state that was being put in the place of the node's own.
TEST(failing_log, installs_what_was_staged_when_there_is_room_again) {
  for (const bool of_state : {false, true}) {
    SCOPED_TRACE(of_state ? "the state's disk" : "the log's disk");
    log_cluster cluster{3};
    cluster.compact_after_bytes = 64 << 10; // 16 entries: not before the members have joined
    cluster.entries_kept = 10;
    cluster.begin(3);
    auto* behind = &cluster.at(cluster.leader()->number == 1 ? 2 : 1);
    cluster.crash(*behind);
    log_client client{cluster, *cluster.leader(), 1};
    for (int i = 0; i < 60; ++i)
      ASSERT_FALSE(
          cluster.submit(*cluster.leader(), {client.put(std::to_string(i), std::string(300, 'x'))})[0].refused);
    ASSERT_TRUE(cluster.start(*behind));
    auto& failing = of_state ? behind->state->failing : behind->disk->failing();
    ASSERT_TRUE(cluster.loop.until([&] { return behind->replacing; }));
    failing = errc::no_space;
    ASSERT_TRUE(cluster.loop.until([&] { return behind->log->failure().has_value(); }));
    cluster.loop.run(3s);
    failing = {};
    ASSERT_TRUE(cluster.loop.until([&] { return !behind->log->failure(); }));
    cluster.expect_equal_states();
    EXPECT_TRUE(behind->has("59"));
  }
}

} // namespace cairn::actors::replicated_log_failure_test

#include "actors/members/admin_service.hpp"

#include "actors/protocol/operator_messages.hpp"
#include "tests/actors/members/membership_fixture.hpp"

#include <gmock/gmock.h>

namespace cairn::actors::admin_service_test {

using ::testing::HasSubstr;

// The admin_service of node 0 of three, over the metadata of membership_fixture and a membership that only reports.
class admin_service_test : public membership_test {
protected:
  void SetUp() override {
    membership_test::SetUp();
    cluster_of(3);
    metadata = spawn_metadata_of_the_test(w.system());
    membership = w.system().spawn([this](membership_actor::pointer) -> membership_actor::behavior_type {
      return {
          [](peer_atom, const peer_call&) { ADD_FAILURE() << "a request of another node"; },
          [this](status_atom) -> caf::result<member_reports_ptr> {
            return std::make_shared<const member_reports>(reported);
          },
          [](completion& c) { c.run(); },
          [](tick_atom) {},
      };
    });
  }
  void TearDown() override {
    for (auto& c : network.calls) c.reply = nullptr;
    caf::anon_send_exit(admin_service, caf::exit_reason::kill);
    caf::anon_send_exit(membership, caf::exit_reason::kill);
    admin_service = nullptr;
    membership = nullptr;
    membership_test::TearDown();
  }
  void start() {
    admin_services s;
    s.metadata = metadata;
    s.membership = membership;
    s.store = store.get();
    s.reads = &executor;
    s.layout = layouts;
    s.state = state;
    s.network = &network;
    s.clock = &w.clock();
    s.cluster_name = "blue";
    s.random = &w.random();
    admin_service = spawn_admin_service(w.system(), std::move(s));
    w.settle();
  }
  void lead_and_start() {
    lead();
    start();
  }
  void follow_and_start(node_number leader = 1) {
    log.leader = leader;
    start();
  }

  template <class Answer, class... Message>
  std::shared_ptr<std::optional<result<Answer>>> ask_admin(Message... message) {
    auto out = std::make_shared<std::optional<result<Answer>>>();
    w.system().spawn([=, this](caf::event_based_actor* self) {
      self->request(admin_service, caf::infinite, message...)
          .then([out](Answer& a) { *out = std::move(a); }, [out](caf::error& e) { *out = from_caf(e); });
    });
    w.settle();
    return out;
  }
  auto command(admin_command c) { return ask_admin<std::string>(admin_command_atom_v, std::move(c)); }
  auto status() { return ask_admin<cluster_status_ptr>(status_atom_v); }

  // A request of another node.
  std::shared_ptr<std::optional<result<link::answer>>> serve(std::string bytes, std::chrono::seconds time = 5s) {
    auto out = std::make_shared<std::optional<result<link::answer>>>();
    link::responder respond{[out](result<link::answer>&& a) { *out = std::move(a); },
                            std::make_shared<std::atomic<bool>>(false)};
    auto request = std::make_shared<link::incoming_request>(
        link::incoming_request{{}, std::move(bytes), {}, w.clock().now() + time, 0, std::move(respond)});
    caf::anon_send(admin_service, peer_atom_v, peer_call{peer_request::membership, std::move(request)});
    w.settle();
    return out;
  }
  // What was asked of other nodes last, read; and its answer.
  admin_request asked() {
    EXPECT_EQ(network.calls.back().kind, peer_request::membership);
    return decode_admin_request(network.calls.back().bytes).value();
  }
  void answer(result<link::answer> a) {
    network.calls.back().reply(std::move(a));
    w.settle();
  }

  member_reports reported;
  membership_actor membership;
  admin_service_actor admin_service;
};

const admin_command weigh{.kind = admin_verb::weight, .node = 1, .number = 7};
const admin_command drain{.kind = admin_verb::drain, .node = 2};
const admin_command drain_by_name{.kind = admin_verb::drain, .names = {"2"}};

// ── status ──

TEST_F(admin_service_test, a_leader_answers_with_its_own_status) {
  lead_and_start();
  const auto told = status();
  ASSERT_TRUE(*told && **told);
  const auto& s = ***told;
  EXPECT_EQ(s->name, "blue");
  EXPECT_EQ(s->leader, 0);
  EXPECT_EQ(s->nodes.size(), 3u);
  EXPECT_TRUE(network.calls.empty());
}

TEST_F(admin_service_test, a_follower_answers_with_the_leaders_status_and_its_own_number) {
  follow_and_start();
  const auto told = status();
  ASSERT_EQ(network.calls.size(), 1u);
  EXPECT_EQ(network.calls[0].to, id_of(1));
  EXPECT_TRUE(std::holds_alternative<status_request>(asked()));
  cluster_status theirs;
  theirs.name = "as the leader says";
  theirs.self = 1;
  answer(link::answer{encode(theirs), {}});
  ASSERT_TRUE(*told && **told);
  EXPECT_EQ((***told)->name, "as the leader says");
  EXPECT_EQ((***told)->self, 0);
}

TEST_F(admin_service_test, a_follower_answers_with_its_own_status_when_the_leader_does_not_answer) {
  follow_and_start();
  for (const auto& broken : {result<link::answer>{error{errc::timeout}}, result<link::answer>{link::answer{"?", {}}}}) {
    const auto told = status();
    answer(broken);
    ASSERT_TRUE(*told && **told);
    EXPECT_EQ((***told)->name, "blue");
    EXPECT_EQ((***told)->leader, 1);
  }
}

TEST_F(admin_service_test, a_node_that_knows_no_layout_yet_says_so) {
  layouts = std::make_shared<layout_holder>(0);
  start();
  const auto told = status();
  ASSERT_TRUE(*told);
  EXPECT_EQ((*told)->error(), errc::no_leader);
}

TEST_F(admin_service_test, shows_metrics_each_second_what_this_node_knows) {
  lead_and_start();
  EXPECT_EQ(state->status(), nullptr);
  pass(1100ms);
  ASSERT_NE(state->status(), nullptr);
  EXPECT_EQ(state->status()->nodes.size(), 3u);
}

// ── commands ──

TEST_F(admin_service_test, a_leader_commits_what_is_asked_and_answers_what_was_done) {
  lead_and_start();
  const auto done = command(weigh);
  ASSERT_TRUE(*done && **done) << to_string((*done)->error());
  EXPECT_THAT(***done, HasSubstr("node 1 has the weight 7"));
  EXPECT_EQ(row(1).weight, 7u);
  const auto again = command(weigh);
  EXPECT_THAT(***again, HasSubstr("already"));
  EXPECT_EQ(committed_of<meta::set_node>().size(), 1u);
}

TEST_F(admin_service_test, says_why_it_can_not_be_and_changes_nothing) {
  lead_and_start();
  EXPECT_EQ((*command({.kind = admin_verb::drain, .node = 9}))->error(), errc::not_found);
  EXPECT_EQ((*command({.kind = admin_verb::remove, .node = 0}))->error(), errc::precondition_failed)
      << "it owns partitions";
  EXPECT_EQ((*command({.kind = admin_verb::voters, .nodes = {0}}))->error(), errc::precondition_failed);
  EXPECT_TRUE(commits.empty());
}

TEST_F(admin_service_test, a_follower_passes_a_command_on_and_answers_what_the_leader_did) {
  follow_and_start();
  const auto done = command(drain);
  EXPECT_EQ(std::get<admin_command>(asked()), drain);
  EXPECT_FALSE(*done);
  answer(link::answer{encode_done("node 2 drains"), {}});
  ASSERT_TRUE(*done && **done);
  EXPECT_EQ(***done, "node 2 drains");
  const auto refused = command(drain);
  answer(error{errc::precondition_failed, "no"});
  EXPECT_EQ((*refused)->error(), errc::precondition_failed);
  EXPECT_TRUE(commits.empty());
}

TEST_F(admin_service_test, asks_the_next_leader_when_the_one_it_asked_leads_no_more) {
  follow_and_start();
  const auto done = command(drain);
  log.leader = 2;
  answer(error{errc::no_leader, "not me"});
  pass(300ms);
  ASSERT_EQ(network.calls.size(), 2u);
  EXPECT_EQ(network.calls[1].to, id_of(2));
  log.leader = 0;
  log.leads = true;
  answer(error{errc::connection_lost, "it went down"});
  pass(300ms);
  ASSERT_TRUE(*done && **done) << "this node leads now";
  EXPECT_EQ(row(2).state, cluster::member_state::draining);
}

TEST_F(admin_service_test, a_leader_finds_the_node_that_is_named) {
  lead_and_start();
  const auto done = command({.kind = admin_verb::drain, .names = {cairn::to_string(id_of(2))}});
  ASSERT_TRUE(*done && **done) << to_string((*done)->error());
  EXPECT_EQ(row(2).state, cluster::member_state::draining);
  const auto nobody = command({.kind = admin_verb::drain, .names = {"node-7:9100"}});
  EXPECT_EQ((*nobody)->error(), errc::not_found);
  EXPECT_EQ((*nobody)->error().text, "the cluster has no node \"node-7:9100\"");
}

TEST_F(admin_service_test, a_follower_passes_a_name_on_in_one_request) {
  follow_and_start();
  const auto done = command(drain_by_name);
  ASSERT_EQ(network.calls.size(), 1u);
  EXPECT_EQ(std::get<admin_command>(asked()), drain_by_name);
  answer(link::answer{encode_done("node 2 drains"), {}});
  EXPECT_EQ(***done, "node 2 drains");
  const auto nobody = command({.kind = admin_verb::drain, .names = {"a node that only the leader may know"}});
  EXPECT_EQ(network.calls.size(), 2u) << "this node's layout may be old";
  answer(error{errc::not_found, "the leader says"});
  EXPECT_EQ((*nobody)->error().text, "the leader says");
}

TEST_F(admin_service_test, a_leader_of_an_older_build_is_asked_by_number) {
  follow_and_start();
  const auto done = command(drain_by_name);
  answer(error{errc::unsupported, "a message between nodes of version 2"});
  ASSERT_EQ(network.calls.size(), 2u);
  EXPECT_EQ(std::get<admin_command>(asked()), drain);
  EXPECT_EQ(network.calls[1].bytes[0], 1) << "its version";
  answer(link::answer{encode_done("node 2 drains"), {}});
  ASSERT_TRUE(*done && **done);
  const auto nobody = command({.kind = admin_verb::drain, .names = {"9"}});
  answer(error{errc::unsupported, "a message between nodes of version 2"});
  EXPECT_EQ((*nobody)->error(), errc::not_found);
  EXPECT_EQ(network.calls.size(), 3u);
}

TEST_F(admin_service_test, a_removal_that_the_last_leader_may_have_made_is_asked_for_as_a_repeated_one) {
  follow_and_start();
  const auto done = command({.kind = admin_verb::remove, .names = {"2"}});
  EXPECT_FALSE(std::get<admin_command>(asked()).repeated);
  answer(error{errc::connection_lost, "it went down"});
  pass(300ms);
  ASSERT_EQ(network.calls.size(), 2u);
  EXPECT_TRUE(std::get<admin_command>(asked()).repeated);
  answer(error{errc::no_leader, "not me"});
  run(meta::remove_node{.node = 2});
  std::erase_if(log.servers.servers, [](const auto& s) { return s.id == cluster::server_of(2); });
  log.committed = log.servers;
  log.leader = 0;
  log.leads = true;
  pass(300ms);
  ASSERT_TRUE(*done && **done) << (*done ? to_string((*done)->error()) : "");
  EXPECT_THAT(***done, HasSubstr("node 2 is removed, for good"));
}

TEST_F(admin_service_test, without_a_leader_tries_until_its_time_is_over) {
  start();
  const auto done = command(weigh);
  pass(19s);
  EXPECT_FALSE(*done);
  pass(2s);
  ASSERT_TRUE(*done);
  EXPECT_EQ((*done)->error(), errc::no_leader);
}

TEST_F(admin_service_test, a_join_token_goes_to_the_operator_and_its_hash_into_the_log) {
  lead_and_start();
  const auto made = command({.kind = admin_verb::add, .number = 3600});
  ASSERT_TRUE(*made && **made);
  EXPECT_THAT(***made, ::testing::StartsWith(std::string{cluster::join_token_prefix}));
  const auto invited = committed_of<meta::invite_node>();
  ASSERT_EQ(invited.size(), 1u);
  EXPECT_EQ(invited[0].what.token, cluster::hash_of_token(***made));
  EXPECT_EQ(invited[0].what.expires - invited[0].now, 3600'000);
}

TEST_F(admin_service_test, a_follower_forwards_only_the_hash_of_the_token) {
  follow_and_start();
  const auto made = command({.kind = admin_verb::add, .number = 60});
  const auto passed = std::get<admin_command>(asked());
  answer(link::answer{encode_done("node may join"), {}});
  ASSERT_TRUE(*made && **made);
  EXPECT_EQ(passed.token, cluster::hash_of_token(***made));
  EXPECT_EQ(network.calls.back().bytes.find(***made), std::string::npos);
}

TEST_F(admin_service_test, asks_every_member_to_scan_for_missing_replicas_and_reports_how_many_do) {
  lead_and_start();
  const auto done = command({.kind = admin_verb::repair});
  ASSERT_EQ(network.calls.size(), 2u);
  EXPECT_EQ(state->scans_requested, 1u) << "this node too";
  EXPECT_TRUE(std::holds_alternative<repair_scan_request>(asked()));
  network.calls[0].reply(link::answer{encode_done(""), {}});
  w.settle();
  EXPECT_FALSE(*done);
  answer(error{errc::timeout});
  ASSERT_TRUE(*done && **done);
  EXPECT_THAT(***done, HasSubstr("2 of 3 nodes"));
}

TEST_F(admin_service_test, holds_deletions_and_releases_them) {
  lead_and_start();
  EXPECT_TRUE(**command({.kind = admin_verb::deletions, .number = 1}));
  EXPECT_TRUE(store->read().value()->deletions_held());
  EXPECT_TRUE(**command({.kind = admin_verb::deletions, .number = 0}));
  EXPECT_FALSE(store->read().value()->deletions_held());
}

TEST_F(admin_service_test, changes_voters_one_by_one_until_the_log_has_them) {
  add_member(3, raft::server_role::standby);
  for (std::size_t n = 1; n < 4; ++n) network.linked.insert(id_of(n));
  lead_and_start();
  const auto done = command({.kind = admin_verb::voters, .nodes = {0, 1, 3}});
  log.committed = log.servers;
  for (int i = 0; i < 20 && !*done; ++i) {
    pass(300ms);
    log.committed = log.servers;
  }
  ASSERT_TRUE(*done && **done) << to_string((*done)->error());
  EXPECT_EQ(changes.size(), 2u);
  EXPECT_TRUE(log.servers.is_voter(cluster::server_of(3)));
  EXPECT_FALSE(log.servers.is_voter(cluster::server_of(2)));
}

TEST_F(admin_service_test, a_removal_is_done_when_a_majority_knows_that_the_node_votes_no_more) {
  log.committed = log.servers;
  lead_and_start();
  const auto done = command({.kind = admin_verb::remove, .node = 2});
  EXPECT_EQ(row(2).state, cluster::member_state::removed);
  pass(1s);
  EXPECT_FALSE(*done) << "its death would still count";
  std::erase_if(log.servers.servers, [](const auto& s) { return s.id == cluster::server_of(2); });
  log.committed = log.servers;
  pass(1s);
  ASSERT_TRUE(*done && **done) << to_string((*done)->error());
  EXPECT_THAT(***done, HasSubstr("node 2 is removed, for good"));
}

TEST_F(admin_service_test, a_leader_that_is_to_be_removed_transfers_its_leadership_first) {
  run(meta::set_node{.node = 0, .weight = 0});
  std::vector<meta::partition_target> to_node_1;
  std::vector<partition_id> all;
  for (std::uint32_t p = 0; p < partition_count; ++p) {
    to_node_1.push_back({partition_id(p), {1}});
    all.push_back(partition_id(p));
  }
  run(meta::set_targets{layouts->get()->epoch + 1, to_node_1});
  run(meta::moved{layouts->get()->epoch, all});
  for (std::size_t n = 1; n < 3; ++n) {
    network.linked.insert(id_of(n));
    log.match[node_number(n)] = n;
  }
  lead_and_start();
  const auto done = command({.kind = admin_verb::remove, .node = 0});
  ASSERT_FALSE(transfers.empty()) << (*done ? to_string((*done)->error()) : "");
  EXPECT_EQ(transfers[0], 2) << "it has the most of the log";
  EXPECT_TRUE(commits.empty());
  log.leads = false;
  log.leader = 2;
  pass(300ms);
  ASSERT_FALSE(network.calls.empty());
  EXPECT_EQ(network.calls.back().to, id_of(2)) << "the new leader carries it out";
}

// ── requests of other nodes ──

TEST_F(admin_service_test, serves_other_nodes_while_it_leads_and_says_when_it_does_not) {
  follow_and_start();
  EXPECT_EQ((*serve(encode(admin_request{weigh})))->error(), errc::no_leader);
  EXPECT_EQ((*serve(encode(admin_request{status_request{}})))->error(), errc::no_leader);
  EXPECT_TRUE(network.calls.empty()) << "it passes nothing on twice";
  lead();
  const auto done = serve(encode(admin_request{weigh}));
  ASSERT_TRUE(*done && **done);
  EXPECT_THAT(decode_done((**done)->bytes).value(), HasSubstr("weight 7"));
  const auto told = serve(encode(admin_request{status_request{}}));
  ASSERT_TRUE(*told && **told);
  EXPECT_EQ(decode_cluster_status((**told)->bytes).value().name, "blue");
}

TEST_F(admin_service_test, scans_for_missing_replicas_when_another_node_asks_even_if_it_does_not_lead) {
  start();
  const auto done = serve(encode(admin_request{repair_scan_request{}}));
  ASSERT_TRUE(*done && **done);
  EXPECT_EQ(state->scans_requested, 1u);
}

TEST_F(admin_service_test, refuses_what_does_not_decode) {
  lead_and_start();
  EXPECT_EQ((*serve("\x01\x7f"))->error(), errc::corrupt);
  EXPECT_EQ((*serve("\x09"))->error(), errc::unsupported);
}

} // namespace cairn::actors::admin_service_test

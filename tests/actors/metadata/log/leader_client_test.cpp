#include "actors/metadata/log/leader_client.hpp"

#include "actors/metadata/log/replicated_log.hpp"
#include "tests/actors/link/noting_peers.hpp"

#include <gtest/gtest.h>

#include <deque>

namespace cairn::actors::leader_client_test {

using namespace std::chrono_literals;
using kind = leader_step::kind;

const steady_time start{100s};
const leader_patience patience{200ms, 4s};
const leader_place no_leader{}, local_leader{true, {}}, remote_leader{false, uuid{1}};

// ── who leads ──

TEST(leader_of, is_this_node_another_node_or_none) {
  cluster::layout layout;
  layout.members.resize(2);
  layout.members[1].id = {7};
  log_status log;
  EXPECT_FALSE(leader_of(log, &layout).local);
  EXPECT_FALSE(leader_of(log, &layout).remote) << "no leader is known";
  log.leader = 1;
  EXPECT_EQ(leader_of(log, &layout).remote, uuid{7});
  EXPECT_FALSE(leader_of(log, nullptr).remote) << "no layout says how it is reached";
  log.leader = 2;
  EXPECT_FALSE(leader_of(log, &layout).remote) << "a member that this node's layout does not have yet";
  log.leader = log.self;
  EXPECT_FALSE(leader_of(log, &layout).remote) << "elected, and not ready to serve";
  EXPECT_FALSE(leader_of(log, &layout).local);
  log.leads = true;
  EXPECT_TRUE(leader_of(log, nullptr).local);
}

// ── decisions ──

TEST(leader_step, is_to_execute_the_request_or_to_send_it_to_the_leader) {
  EXPECT_EQ(next_try(local_leader, start + 1s, patience, start).what, kind::local);
  const auto short_one = next_try(remote_leader, start + 1s, patience, start);
  EXPECT_EQ(short_one.what, kind::call);
  EXPECT_EQ(short_one.until, start + 1s) << "no try lasts beyond the deadline";
  EXPECT_EQ(next_try(remote_leader, start + 10s, patience, start).until, start + 4s);
}

TEST(leader_step, waits_for_a_leader_as_long_as_there_is_time_for_another_try) {
  EXPECT_EQ(next_try(no_leader, start + 1s, patience, start).what, kind::wait);
  EXPECT_EQ(next_try(no_leader, start + 200ms, patience, start).what, kind::give_up);
  EXPECT_EQ(after_failure(start + 201ms, patience, start).what, kind::wait);
  EXPECT_EQ(after_failure(start + 200ms, patience, start).what, kind::give_up);
}

TEST(leader_step, is_to_give_up_at_the_deadline_whoever_leads) {
  for (const auto& place : {local_leader, remote_leader, no_leader})
    EXPECT_EQ(next_try(place, start, patience, start).what, kind::give_up);
}

// ── the client ──

struct asked {
  steady_time deadline;
  std::string told;
};

class test_clock final : public cairn::clock {
public:
  steady_time now() const override { return at; }
  wall_ms wall() const override { return 0; }
  steady_time at = start;
};

class leader_client_test : public testing::Test {
protected:
  leader_client_test() : client_{services()} {}

  leader_client<asked>::services services() {
    leader_client<asked>::services s;
    s.network = &network;
    s.clock = &clock;
    s.patience = patience;
    s.post = [](const std::function<void()>& run) { run(); };
    s.after = [this](std::chrono::milliseconds pause, std::function<void()> run) {
      later.emplace_back(clock.at + pause, std::move(run));
    };
    s.find = [this](const std::shared_ptr<asked>&, const std::function<void(const leader_place&)>& then) {
      if (!over) then(leader);
    };
    s.serve_locally = [](const std::shared_ptr<asked>& r) { r->told += "local "; };
    s.bytes = [](asked&) { return std::string(1, char(peer_request::submit)) + "bytes"; };
    s.answered = [this](const std::shared_ptr<asked>& r, const result<link::answer>& a) {
      if (a)
        r->told += a->bytes;
      else
        client_.again(r, a.error());
    };
    s.gave_up = [](const std::shared_ptr<asked>& r, const error& why) { r->told += "gave up: " + to_string(why); };
    return s;
  }
  std::shared_ptr<asked> ask(std::chrono::milliseconds time) {
    auto r = std::make_shared<asked>();
    r->deadline = start + time;
    client_.ask(r);
    return r;
  }
  void run_next() {
    ASSERT_FALSE(later.empty());
    clock.at = later.front().first;
    const auto run = std::move(later.front().second);
    later.pop_front();
    run();
  }

  test_clock clock;
  noting_peers network;
  leader_place leader;
  bool over = false;
  std::deque<std::pair<steady_time, std::function<void()>>> later;
  leader_client<asked> client_;
};

TEST_F(leader_client_test, follows_the_leader_when_it_moves) {
  leader = remote_leader;
  const auto r = ask(10s);
  ASSERT_EQ(network.calls.size(), 1u);
  EXPECT_EQ(network.calls[0].to, uuid{1});
  network.calls[0].reply(error{errc::no_leader, "not me"});
  leader = {false, uuid{2}};
  run_next();
  ASSERT_EQ(network.calls.size(), 2u);
  EXPECT_EQ(network.calls[1].to, uuid{2});
  network.calls[1].reply(error{errc::connection_lost, "it went down"});
  leader = local_leader;
  run_next();
  EXPECT_EQ(r->told, "local ");
  EXPECT_EQ(network.calls.size(), 2u);
  EXPECT_TRUE(later.empty());
}

TEST_F(leader_client_test, cancels_what_waits_for_a_former_leader) {
  leader = remote_leader;
  const auto answered = ask(10s), waits = ask(10s);
  network.calls[0].reply(link::answer{"done", {}});
  client_.leader_moved(remote_leader);
  EXPECT_TRUE(network.cancelled.empty());
  leader = {false, uuid{2}};
  client_.leader_moved(leader);
  ASSERT_EQ(network.cancelled.size(), 1u);
  EXPECT_EQ(network.cancelled[0], std::pair(uuid{1}, link::request_number{2}));
  network.calls[1].reply(error{errc::cancelled, "cancelled by the requester"});
  run_next();
  ASSERT_EQ(network.calls.size(), 3u);
  EXPECT_EQ(network.calls[2].to, uuid{2});
  client_.leader_moved(local_leader);
  EXPECT_EQ(network.cancelled.back(), std::pair(uuid{2}, link::request_number{3}));
}

TEST_F(leader_client_test, answers_what_the_leader_answers) {
  leader = remote_leader;
  const auto r = ask(10s);
  network.calls[0].reply(link::answer{"done", {}});
  EXPECT_EQ(r->told, "done");
  EXPECT_TRUE(later.empty());
}

TEST_F(leader_client_test, gives_up_with_the_error_of_the_last_try) {
  const auto never = ask(1s);
  while (!later.empty()) run_next();
  EXPECT_EQ(never->told, "gave up: " + to_string(error{errc::no_leader, "the cluster has no leader now"}));
  EXPECT_LT(clock.at, never->deadline);
  clock.at = start;
  leader = remote_leader;
  const auto late = ask(300ms);
  clock.at = start + 200ms;
  network.calls.back().reply(error{errc::connection_lost, "gone"});
  EXPECT_EQ(late->told, "gave up: " + to_string(error{errc::connection_lost, "gone"}));
}

TEST_F(leader_client_test, forgets_a_request_that_is_over) {
  const auto r = ask(10s);
  over = true;
  run_next();
  EXPECT_EQ(r->told, "");
  EXPECT_TRUE(later.empty());
}

} // namespace cairn::actors::leader_client_test

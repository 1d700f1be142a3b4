#include "tests/actors/chunks/gateway_fixture.hpp"
#include "tests/actors/chunks/late_store.hpp"

namespace cairn::actors::replicated_reads_test {

class replicated_reads_test : public gateway_fixture {
protected:
  // Node 0 is the gateway and owns nothing; 1 to 3 own everything.
  void start() {
    for (int i = 0; i < 4; ++i) add_node();
    for (int i = 1; i < 4; ++i) place(*nodes[std::size_t(i)], body);
    set_layout(1, {1, 2, 3}, {1, 2, 3});
  }
  const std::string body = body_of(40 * chunk_size + 123);
};

TEST_F(replicated_reads_test, come_from_this_node_when_it_owns_the_chunks) {
  for (int i = 0; i < 2; ++i) add_node();
  place(*nodes[0], body);
  set_layout(1, {0, 1}, {0, 1});
  connect(1);
  start_gateway();
  const auto got = download(body.size());
  ASSERT_TRUE(got) << to_string(got.error());
  EXPECT_TRUE(*got == body);
  EXPECT_EQ(metrics.remote_reads, 0u);
}

TEST_F(replicated_reads_test, come_from_the_others_while_one_is_down) {
  start();
  connect(2);
  connect(3);
  start_gateway();
  const auto got = download(body.size());
  ASSERT_TRUE(got) << to_string(got.error());
  EXPECT_TRUE(*got == body);
  EXPECT_EQ(metrics.remote_reads, 41u + metrics.reads_hedged);
  EXPECT_EQ(metrics.reads_failed_over, 0u) << "who is down is asked last";
}

TEST_F(replicated_reads_test, move_on_when_a_replica_is_lost_in_the_middle) {
  start();
  nodes[1]->freeze(peer_request::read_chunk);
  for (int i = 1; i < 4; ++i) connect(std::size_t(i));
  start_gateway();
  auto cut = std::async(std::launch::async, [&] {
    eventually([&] {
      const std::lock_guard lock{nodes[1]->mutex};
      return !nodes[1]->held.empty();
    });
    nodes[1]->server->stop();
  });
  const auto got = download(body.size());
  cut.get();
  ASSERT_TRUE(got) << to_string(got.error());
  EXPECT_TRUE(*got == body);
}

TEST_F(replicated_reads_test, are_hedged_when_a_replica_hangs_and_go_on_after_its_timeout) {
  start();
  nodes[1]->freeze(peer_request::read_chunk);
  for (int i = 1; i < 4; ++i) connect(std::size_t(i));
  start_gateway(400ms);
  const auto got = download(body.size());
  ASSERT_TRUE(got) << to_string(got.error());
  EXPECT_TRUE(*got == body);
  EXPECT_GT(metrics.reads_hedged, 0u);
  EXPECT_GT(metrics.hedges_won, 0u);
  EXPECT_LE(metrics.hedges_won, metrics.reads_hedged);
}

TEST_F(replicated_reads_test, pass_over_a_rotten_replica) {
  start();
  for (const auto record : {1u, 5u, 9u}) // 17 pages each
    nodes[1]->files.flip_bit("/disk/segments/0000000000000001.seg", (record * 17 + 3) * 4096ull * 8);
  for (int i = 1; i < 4; ++i) connect(std::size_t(i));
  start_gateway();
  const auto got = download(body.size());
  ASSERT_TRUE(got) << to_string(got.error());
  EXPECT_TRUE(*got == body);
  EXPECT_GT(metrics.reads_failed_over, 0u);
}

TEST_F(replicated_reads_test, use_no_buffer_again_that_a_late_replica_may_still_write_into) {
  for (int i = 0; i < 3; ++i) add_node();
  place(*nodes[2], body);
  set_layout(1, {1, 2}, {1, 2});
  start_gateway();
  for (const auto why : {errc::timeout, errc::connection_lost}) {
    const auto late = std::make_shared<late_reads>();
    chunk_router::cluster_services parts{nodes[0]->layouts, network, [&](const uuid& id) {
                                           ended_later.push_back(
                                               id == node_id(2) ? spawn_late_store(system, late, why)
                                                                : spawn_good_store(system, late, *nodes[2]->store));
                                           return remote_store{ended_later.back(), std::make_shared<peer_health>()};
                                         }};
    services_.stores = std::make_shared<chunk_router>(nodes[0]->router, std::move(parts));
    const auto got = download(body.size());
    ASSERT_TRUE(got) << to_string(got.error());
    EXPECT_TRUE(*got == body) << "after " << to_string(why);
    EXPECT_GT(late->count(), 0u);
    late->let_go();
  }
}

TEST_F(replicated_reads_test, fail_with_what_says_most_when_no_replica_can_answer) {
  for (int i = 0; i < 3; ++i) add_node();
  set_layout(1, {1, 2}, {1, 2});
  connect(1);
  start_gateway();
  const auto got = download(100);
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error(), errc::connection_lost) << "node 2 may have it";
  connect(2);
  EXPECT_EQ(download(100).error(), errc::chunk_lost);
}

} // namespace cairn::actors::replicated_reads_test

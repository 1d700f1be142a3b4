#include "tests/actors/chunks/gateway_fixture.hpp"

namespace cairn::actors::replicated_writes_test {

class replicated_writes_test : public gateway_fixture {
protected:
  // Node 0 is the gateway and owns a copy of everything, as do 1 and 2.
  void start() {
    for (int i = 0; i < 3; ++i) add_node();
    set_layout(1, {0, 1, 2}, {0, 1, 2});
  }
  void expect_chunks_on(std::size_t node) {
    for (std::uint32_t i = 0; i < 20; ++i) EXPECT_TRUE(nodes[node]->has({blob, i})) << node << " lacks " << i;
  }
  std::vector<meta::missing_chunks> committed_missing() {
    const auto puts = noted->of<meta::put_object>();
    if (puts.size() != 1) return ADD_FAILURE() << puts.size() << " commits", std::vector<meta::missing_chunks>{};
    return std::get<meta::written_blob>(puts[0].content).unconfirmed;
  }
  const std::string body = body_of(20 * chunk_size - 7);
};

TEST_F(replicated_writes_test, are_on_all_owners_when_the_object_is_committed) {
  start();
  connect(1);
  connect(2);
  start_gateway();
  const auto put = upload(body);
  ASSERT_TRUE(put) << to_string(put.error());
  EXPECT_TRUE(committed_missing().empty());
  for (std::size_t n = 0; n < 3; ++n) expect_chunks_on(n);
  const auto got = download(body.size());
  ASSERT_TRUE(got) << to_string(got.error());
  EXPECT_TRUE(*got == body);
}

TEST_F(replicated_writes_test, name_the_owner_that_is_down_in_the_commit) {
  start();
  connect(1);
  start_gateway();
  const auto put = upload(body);
  ASSERT_TRUE(put) << to_string(put.error());
  EXPECT_EQ(committed_missing(), (std::vector<meta::missing_chunks>{{2, 0, 20}}));
  EXPECT_EQ(metrics.replicas_unconfirmed, 20u);
  expect_chunks_on(1);
}

TEST_F(replicated_writes_test, do_not_wait_for_an_owner_that_hangs) {
  start();
  nodes[2]->freeze(peer_request::write_chunk);
  connect(1);
  connect(2);
  start_gateway();
  const auto put = upload(body);
  ASSERT_TRUE(put) << to_string(put.error());
  EXPECT_EQ(committed_missing(), (std::vector<meta::missing_chunks>{{2, 0, 20}}));
  EXPECT_EQ(layouts->settled_epoch(), 1u);
}

TEST_F(replicated_writes_test, confirm_copies_that_came_after_the_commit) {
  start();
  nodes[2]->freeze(peer_request::write_chunk);
  connect(1);
  connect(2);
  start_gateway();
  const auto put = upload(body_of(3 * chunk_size));
  ASSERT_TRUE(put) << to_string(put.error());
  EXPECT_EQ(committed_missing(), (std::vector<meta::missing_chunks>{{2, 0, 3}}));
  {
    const std::lock_guard lock{nodes[2]->mutex};
    EXPECT_EQ(nodes[2]->held.size(), 3u);
    for (auto& r : nodes[2]->held) r.respond(link::answer{encode(write_chunk_answer{}), {}});
    nodes[2]->held.clear();
  }
  ASSERT_TRUE(eventually([&] { return noted->of<meta::confirm_replicas>().size() == 1; }));
  EXPECT_EQ(noted->of<meta::confirm_replicas>()[0].repairs,
            (std::vector<meta::repair_row>{{blob, meta::missing_chunks{2, 0, 3}}}));
}

TEST_F(replicated_writes_test, keep_the_layout_that_they_began_under_unsettled_until_they_end) {
  start();
  for (const std::size_t n : {1, 2}) {
    nodes[n]->freeze(peer_request::write_chunk);
    connect(n);
  }
  start_gateway();
  auto put = std::async(std::launch::async, [&] { return upload(body_of(chunk_size)); });
  for (const std::size_t n : {1, 2}) {
    ASSERT_TRUE(eventually([&] {
      const std::lock_guard lock{nodes[n]->mutex};
      return nodes[n]->held.size() == 1;
    }));
  }
  const auto newer = std::make_shared<cluster::layout>(*nodes[0]->layouts->get());
  newer->epoch = 2;
  nodes[0]->layouts->set(newer);
  EXPECT_EQ(nodes[0]->layouts->settled_epoch(), 1u) << "it may still write to the owners of then";
  for (const std::size_t n : {1, 2}) {
    const std::lock_guard lock{nodes[n]->mutex};
    nodes[n]->held.front().respond(link::answer{encode(write_chunk_answer{}), {}});
    nodes[n]->held.clear();
  }
  EXPECT_TRUE(put.get());
  EXPECT_TRUE(eventually([&] { return nodes[0]->layouts->settled_epoch() == 2; }));
}

// What lands behind the erase of a dead blob's chunks would stay until a walk over the disk.
TEST_F(replicated_writes_test, abandon_their_blob_when_none_of_them_is_under_way_any_more) {
  start();
  nodes[2]->freeze(peer_request::write_chunk);
  connect(2);
  start_gateway();
  const auto client = std::make_shared<body_sender>(body);
  put_request request;
  request.bucket = "b";
  request.key = "k";
  request.length = body.size();
  const auto ingest = start_upload(services_, std::move(request), client);
  client->attach(ingest);
  ASSERT_TRUE(eventually([&] {
    const std::lock_guard lock{nodes[2]->mutex};
    return nodes[2]->held.size() == services_.upload_window;
  }));
  caf::anon_send(ingest, gone_atom_v);
  std::this_thread::sleep_for(100ms);
  EXPECT_TRUE(noted->of<meta::abandon_blob>().empty());
  {
    const std::lock_guard lock{nodes[2]->mutex};
    for (auto& r : nodes[2]->held) r.respond(link::answer{encode(write_chunk_answer{}), {}});
    nodes[2]->held.clear();
  }
  EXPECT_TRUE(eventually([&] { return noted->of<meta::abandon_blob>().size() == 1; }));
}

TEST_F(replicated_writes_test, commit_nothing_that_is_shorter_than_it_was_announced) {
  start();
  connect(1);
  connect(2);
  start_gateway();
  for (const std::size_t bytes : {50, 3 * 65536, 3 * 65536 + 5}) { // in the row; whole chunks; and a piece of one
    const auto client = std::make_shared<body_sender>(body_of(bytes));
    put_request request;
    request.bucket = "b";
    request.key = "k";
    request.length = bytes + 1;
    client->attach(start_upload(services_, std::move(request), client));
    const auto put = client->wait();
    ASSERT_FALSE(put);
    EXPECT_EQ(put.error(), errc::connection_lost) << to_string(put.error());
  }
  EXPECT_TRUE(noted->of<meta::put_object>().empty());
}

TEST_F(replicated_writes_test, fail_and_abandon_the_blob_without_a_quorum) {
  start();
  start_gateway();
  const auto put = upload(body);
  ASSERT_FALSE(put);
  EXPECT_EQ(put.error(), errc::no_quorum) << to_string(put.error());
  ASSERT_TRUE(eventually([&] { return noted->of<meta::abandon_blob>().size() == 1; }));
  EXPECT_TRUE(noted->of<meta::put_object>().empty());
}

TEST_F(replicated_writes_test, go_to_the_owners_of_the_newest_layout) {
  for (int i = 0; i < 3; ++i) add_node();
  set_layout(2, {1}, {1});
  connect(1);
  connect(2);
  start_gateway();
  // The other nodes have moved on; the gateway learns it while the upload runs.
  const auto newer = std::make_shared<cluster::layout>(*nodes[0]->layouts->get());
  newer->epoch = 3;
  for (auto& p : newer->partitions) p = {.epoch = 3, .current = {1}, .target = {1, 2}};
  for (std::size_t n : {1u, 2u}) nodes[n]->layouts->set(newer);
  auto learns = std::async(std::launch::async, [&] {
    EXPECT_TRUE(eventually([&] { return metrics.remote_writes > 0; }));
    std::this_thread::sleep_for(30ms);
    nodes[0]->layouts->set(newer);
  });
  const auto put = upload(body);
  learns.get();
  ASSERT_TRUE(put) << to_string(put.error());
  EXPECT_TRUE(committed_missing().empty());
  expect_chunks_on(1);
  expect_chunks_on(2);
}

} // namespace cairn::actors::replicated_writes_test

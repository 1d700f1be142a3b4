#include "base/checksum.hpp"
#include "tests/actors/chunks/chunk_fixture.hpp"
#include "tests/actors/chunks/late_store.hpp"

#include <future>

namespace cairn::actors::remote_store_test {

class remote_store_test : public chunk_fixture {
protected:
  bool is_chunk(const result<chunk_data>& got, std::uint64_t n, std::uint32_t chunk_length, std::uint32_t offset,
                std::uint32_t length) {
    if (!got) return ADD_FAILURE() << to_string(got.error()), false;
    const auto all = payload_of(n, chunk_length);
    return got->chunk_length == chunk_length && got->bytes.length == length &&
           std::memcmp(got->bytes.view().data(), all.data() + offset, length) == 0;
  }
  static constexpr std::uint32_t kib = 1024;
};

TEST_F(remote_store_test, reads_and_writes_chunks_of_a_peer) {
  add_node();
  connect(0);
  set_layout(3, {0}, {0});
  const auto peer = remote(0);
  const auto wrote = write(peer.store, 1, 1000 * kib);
  ASSERT_TRUE(wrote) << to_string(wrote.error());
  EXPECT_TRUE(nodes[0]->has(chunk_number(1)));
  EXPECT_TRUE(is_chunk(read(peer.store, 1, 0, 1024 * kib), 1, 1000 * kib, 0, 1000 * kib));
  EXPECT_TRUE(is_chunk(read(peer.store, 1, 128 * kib, 64 * kib), 1, 1000 * kib, 128 * kib, 64 * kib));
  EXPECT_EQ(read(peer.store, 2, 0, 64 * kib).error(), errc::not_found);
  EXPECT_EQ(metrics.remote_reads, 3u);
  EXPECT_EQ(metrics.remote_read_bytes, 1064u * kib);
  EXPECT_GT(peer.health->typical_us(), 0u);
}

TEST_F(remote_store_test, erases) {
  add_node();
  connect(0);
  for (std::uint64_t n = 0; n < 20; ++n) nodes[0]->put(n, 100);
  const auto peer = remote(0);
  const chunk_ids ids{chunk_number(3), chunk_number(7), chunk_number(500)};
  const auto erased = ask<std::uint64_t>(peer.store, erase_atom_v, ids);
  ASSERT_TRUE(erased);
  EXPECT_EQ(*erased, 2u);
  EXPECT_FALSE(nodes[0]->has(ids[0]));
}

TEST_F(remote_store_test, takes_no_writes_by_a_layout_that_is_behind_or_ahead) {
  add_node();
  connect(0);
  const auto peer = remote(0);
  EXPECT_EQ(write(peer.store, 1, 100, 5).error(), errc::busy) << "the node knows no layout yet";
  set_layout(5, {0}, {0});
  EXPECT_EQ(write(peer.store, 1, 100, 4).error(), errc::stale_layout);
  EXPECT_EQ(write(peer.store, 1, 100, 6).error(), errc::busy);
  EXPECT_FALSE(nodes[0]->has(chunk_number(1)));
  EXPECT_TRUE(write(peer.store, 1, 100, 5));
}

TEST_F(remote_store_test, answers_corrupt_when_the_peers_disk_rotted) {
  auto& n = add_node();
  connect(0);
  n.put(1, 64 * kib);
  n.files.flip_bit("/disk/segments/0000000000000001.seg", 2 * 4096 * 8); // in the first record's payload
  const auto got = read(remote(0).store, 1, 0, 64 * kib);
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error(), errc::corrupt);
}

TEST_F(remote_store_test, finds_bytes_that_changed_on_their_way) {
  auto& n = add_node();
  n.service->serve(peer_request::read_chunk, [&](const link::incoming_request& r) {
    link::answer a{encode(read_chunk_answer{100, 1}), {n.pool->try_acquire(100, reservation::minimum), 0, 100}};
    r.respond(std::move(a));
  });
  connect(0);
  EXPECT_EQ(read(remote(0).store, 1, 0, 100).error(), errc::corrupt);
}

TEST_F(remote_store_test, takes_no_fewer_bytes_than_were_asked_for_and_are_there) {
  auto& n = add_node();
  n.service->serve(peer_request::read_chunk, [&](const link::incoming_request& r) {
    const slice some{n.pool->try_acquire(100, reservation::minimum), 0, 100};
    std::memset(some.owner->data(), 'x', 100);
    r.respond(link::answer{encode(read_chunk_answer{1000, crc32c(some.view())}), some});
  });
  connect(0);
  const auto peer = remote(0);
  EXPECT_EQ(read(peer.store, 1, 0, 1000).error(), errc::corrupt);
  EXPECT_TRUE(read(peer.store, 1, 0, 100));
}

TEST_F(remote_store_test, stores_no_bytes_that_changed_on_their_way) {
  add_node();
  connect(0);
  set_layout(3, {0}, {0});
  const auto sent = [&](std::uint64_t n, std::uint32_t checksum_off) {
    const auto bytes = payload(n, 1000);
    auto request = encode(write_chunk_request{3, chunk_number(n), crc32c(bytes.view()) + checksum_off});
    std::promise<errc> told;
    network->send_bulk(node_id(1), std::move(request), bytes, std::chrono::steady_clock::now() + 20s,
                       [&told](const result<link::answer>& a) { told.set_value(a ? errc{} : a.error().code); });
    return told.get_future().get();
  };
  EXPECT_EQ(sent(1, 1), errc::corrupt);
  EXPECT_FALSE(nodes[0]->has(chunk_number(1)));
  EXPECT_EQ(sent(1, 0), errc{});
  EXPECT_TRUE(nodes[0]->has(chunk_number(1)));
}

TEST_F(remote_store_test, asks_no_other_disk_of_a_peer_with_a_buffer_that_a_late_one_may_still_write_into) {
  auto& n = add_node();
  const auto late = std::make_shared<late_reads>();
  std::vector<store_router::member> disks;
  for (const std::uint8_t id : {1, 2}) {
    ended_later.push_back(spawn_late_store(system, late, errc::timeout));
    disks.push_back({{node_id(id), 1.0}, {ended_later.back()}, nullptr});
  }
  n.chunks->stop();
  n.chunks = std::make_unique<chunk_service>(
      system,
      chunk_server_services{std::make_shared<store_router>(disks), n.layouts, n.pool, &n.metrics, &system_clock()}, 1);
  n.chunks->serve_at(*n.service);
  connect(0);
  EXPECT_EQ(read(remote(0).store, 1, 0, 100).error(), errc::timeout);
  EXPECT_EQ(late->count(), 1u);
  late->let_go();
}

TEST_F(remote_store_test, does_not_say_that_a_peer_has_no_chunk_while_a_disk_of_it_is_closed) {
  auto& n = add_node();
  n.chunks->stop();
  chunk_server_services parts{n.router, n.layouts, n.pool, &n.metrics, &system_clock()};
  parts.disk_closed = true;
  n.chunks = std::make_unique<chunk_service>(system, parts, 1);
  n.chunks->serve_at(*n.service);
  n.put(1, 100);
  connect(0);
  const auto peer = remote(0);
  EXPECT_TRUE(is_chunk(read(peer.store, 1, 0, 100), 1, 100, 0, 100));
  EXPECT_EQ(read(peer.store, 2, 0, 100).error(), errc::quarantined);
}

TEST_F(remote_store_test, answers_at_once_when_the_peer_is_not_reachable) {
  add_node();
  const auto peer = remote(0);
  EXPECT_EQ(read(peer.store, 1, 0, 100).error(), errc::connection_lost);
  EXPECT_EQ(write(peer.store, 1, 100).error(), errc::connection_lost);
  EXPECT_FALSE(peer.health->suspect());
}

TEST_F(remote_store_test, fails_requests_in_flight_when_the_link_is_cut) {
  auto& n = add_node();
  n.freeze(peer_request::read_chunk);
  connect(0);
  const auto peer = remote(0);
  caf::scoped_actor self{system};
  const auto into = room(100);
  auto asked = self->request(peer.store, 20s, read_atom_v, chunk_read{chunk_number(1), 0, 100, into});
  ASSERT_TRUE(eventually([&] {
    const std::lock_guard lock{n.mutex};
    return n.held.size() == 1;
  }));
  n.server->stop();
  errc code{};
  asked.receive([](chunk_data&) {}, [&](caf::error& e) { code = from_caf(e).code; });
  EXPECT_EQ(code, errc::connection_lost);
}

TEST_F(remote_store_test, suspects_a_peer_that_leaves_three_reads_unanswered_and_probes_it) {
  auto& n = add_node();
  n.freeze(peer_request::read_chunk);
  connect(0);
  const auto peer = remote(0, [](auto& parts) {
    parts.read_timeout = 100ms;
    parts.overdue_after = 50ms;
  });
  for (int i = 0; i < 2; ++i) EXPECT_EQ(read(peer.store, 1, 0, 100).error(), errc::timeout);
  EXPECT_FALSE(peer.health->suspect());
  EXPECT_EQ(read(peer.store, 1, 0, 100).error(), errc::timeout);
  EXPECT_TRUE(peer.health->suspect());
  // The probe is the fourth.
  EXPECT_TRUE(eventually([&] {
    const std::lock_guard lock{n.mutex};
    return n.held.size() >= 4;
  }));
}

TEST_F(remote_store_test, answers_busy_when_it_has_no_buffers) {
  auto& n = add_node();
  connect(0);
  n.put(1, 100);
  set_layout(1, {0}, {0});
  const auto all = n.pool->try_acquire(8 << 20, reservation::minimum);
  ASSERT_TRUE(all);
  const auto peer = remote(0);
  EXPECT_EQ(read(peer.store, 1, 0, 100).error(), errc::busy);
  EXPECT_EQ(write(peer.store, 2, 100).error(), errc::busy);
}

} // namespace cairn::actors::remote_store_test

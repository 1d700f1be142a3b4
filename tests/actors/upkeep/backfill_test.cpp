#include "actors/upkeep/backfill.hpp"

#include "actors/chunks/chunk_router.hpp"
#include "actors/metadata/metadata.hpp"
#include "tests/actors/chunks/chunk_fixture.hpp"
#include "tests/actors/chunks/late_store.hpp"

namespace cairn::actors::backfill_test {
namespace meta = storage::metadata;

constexpr std::uint32_t chunk_bytes = 256 << 10;

// Node 0 fills its disk from nodes 1 and 2, by real links and with the metadata that a single node keeps.
class backfill_actor_test : public chunk_fixture {
protected:
  void SetUp() override {
    for (int i = 0; i < 3; ++i) add_node();
    connect(1);
    connect(2);
    engine = storage::make_memory_kv(meta::table_count);
    store = meta::store::open(*engine).value();
    metadata_reads = make_thread_executor("metadata-read", 1, 1000);
    metadata_writes = make_thread_executor("metadata-write", 1, 1000);
    work = make_thread_executor("backfill", 1, 16);
    run(meta::create_cluster{.id = {7}, .name = "cairn", .first = {.id = node_id(1), .address = "a:1"}});
    run(meta::add_node{.node = {.id = node_id(2), .address = "b:1"}});
    run(meta::add_node{.node = {.id = node_id(3), .address = "c:1"}});
    meta::set_targets everything{.epoch = store->read().value()->cluster()->epoch + 1};
    meta::moved all{.epoch = everything.epoch};
    for (std::uint32_t p = 0; p < partition_count; ++p) {
      everything.targets.push_back({partition_id(p), {0, 1, 2}});
      all.partitions.push_back(partition_id(p));
    }
    EXPECT_FALSE(run(everything).refused);
    EXPECT_EQ(run(all).more, 0u);
    run(meta::create_bucket{.name = "files", .now = 1});
    session = run(meta::begin_session{.node = node_id(9), .incarnation = 1}).version;
  }
  void TearDown() override {
    if (filler) { // it posts to the executors until it has ended
      caf::anon_send_exit(filler, caf::exit_reason::user_shutdown);
      caf::scoped_actor {
        system
        } -> wait_for(filler);
    }
    work->stop();
    metadata_reads->stop();
    metadata_writes->stop();
    if (metadata) caf::anon_send_exit(metadata, caf::exit_reason::user_shutdown);
    if (router) router->stop();
    filler = nullptr;
    metadata = nullptr;
  }

  meta::command_result run(const meta::command& c) {
    const meta::command batch[] = {c};
    return store->apply(batch).value().results.at(0);
  }
  // An object of so many chunks, on the disks of these nodes.
  blob_id put(std::uint32_t chunks, const std::vector<std::size_t>& on,
              std::vector<meta::missing_chunks> unconfirmed = {}) {
    const blob_id blob{session, ++blobs};
    for (std::uint32_t i = 0; i < chunks; ++i) {
      const auto bytes = payload_of(blob.number * 100 + i, chunk_bytes);
      const storage::chunk_write write{{blob, i}, bytes};
      for (const auto n : on) EXPECT_TRUE(nodes[n]->store->write(std::span{&write, 1}).front());
    }
    const std::uint64_t length = std::uint64_t{chunks} * chunk_bytes;
    const auto answer = run(meta::put_object{
        .stamp = {.session = session, .sequence = blobs, .acknowledged_below = blobs},
        .bucket = "files",
        .key = std::to_string(blobs),
        .size = length,
        .content = meta::written_blob{
            .blob = blob, .length = length, .chunk_size = chunk_bytes, .unconfirmed = std::move(unconfirmed)}});
    EXPECT_FALSE(answer.refused);
    return blob;
  }
  void start(node_number self = 0) {
    layouts = std::make_shared<layout_holder>(self);
    layouts->set(nodes[0]->layouts->get());
    router = std::make_shared<chunk_router>(
        nodes[0]->router,
        chunk_router::cluster_services{
            layouts, network, [this](const uuid& peer) {
              if (make_remote) return make_remote(peer);
              return spawn_remote_store(system, {network, layouts, buffers, &metrics, &system_clock()}, peer);
            }});
    metadata_services m;
    m.store = store.get();
    m.reads = metadata_reads.get();
    m.writes = metadata_writes.get();
    m.metrics = &metrics;
    m.clock = &system_clock();
    m.random = &random;
    m.holds = std::make_shared<read_holds>(system_clock());
    m.node = node_id(1);
    m.incarnation = 1;
    m.has_room = [] { return true; };
    metadata = spawn_metadata(system, std::move(m));
    backfill_services b;
    b.node.system = &system;
    b.node.metadata = metadata;
    b.node.stores = router;
    b.node.buffers = buffers;
    b.node.metrics = &metrics;
    b.node.clock = &system_clock();
    b.store = store.get();
    b.work = work.get();
    b.state = state;
    b.scrubbed.push_back(nodes[0]->store.get());
    b.own = chunks_on(b.scrubbed);
    if (!scrubs) b.scrubbed.clear();
    b.disk_closed = disk_closed;
    b.damaged = nodes[0]->shared->damaged = damaged;
    b.bandwidth = std::make_shared<const std::atomic<std::uint64_t>>(1ull << 30);
    filler = spawn_backfill(system, std::move(b),
                            {.interval = 10ms, .retry_pause = 20ms, .drop_pause = 10ms, .scrub_period = scrub_period});
  }
  bool has_all(const blob_id& blob, std::uint32_t chunks) {
    std::vector<std::byte> bytes(chunk_bytes);
    for (std::uint32_t i = 0; i < chunks; ++i) {
      const auto got = nodes[0]->store->read({blob, i}, 0, chunk_bytes, bytes.data());
      if (!got) return false;
      EXPECT_TRUE(bytes == payload_of(blob.number * 100 + i, chunk_bytes)) << i;
    }
    return true;
  }
  void acknowledge_all() {
    for (const auto& s : store->read().value()->sessions().value())
      if (!s.ended) run(meta::acknowledge_epoch{s.id, store->read().value()->cluster()->epoch});
  }

  std::unique_ptr<storage::kv_engine> engine;
  std::unique_ptr<meta::store> store;
  std::unique_ptr<executor> metadata_reads, metadata_writes, work;
  seeded_random random{5};
  std::shared_ptr<cluster_state> state = std::make_shared<cluster_state>();
  std::shared_ptr<chunk_router> router;
  metadata_actor metadata;
  backfill_actor filler;
  session_id session = 0;
  std::uint64_t blobs = 0;
  bool disk_closed = false, scrubs = true;
  std::function<remote_store(const uuid& peer)> make_remote; // empty: over the links
  std::shared_ptr<damaged_chunks> damaged = std::make_shared<damaged_chunks>();
  std::chrono::seconds scrub_period{std::chrono::hours{24}};
};

TEST_F(backfill_actor_test, fills_partitions_that_come_and_says_so) {
  const auto first = put(5, {1, 2}), second = put(3, {2}); // node 1 lacks the second
  const auto gone = put(2, {1, 2});
  run(meta::delete_object{.stamp = {.session = session, .sequence = 99}, .bucket = "files", .key = "3"});
  run(meta::reap{.blobs = store->read().value()->buried(9).value()});
  set_layout(2, {1, 2}, {0, 1, 2});
  start();
  ASSERT_TRUE(eventually([&] { return state->complete().second.size() == partition_count; }));
  EXPECT_EQ(state->complete().first, 2u);
  EXPECT_TRUE(has_all(first, 5));
  EXPECT_TRUE(has_all(second, 3));
  EXPECT_EQ(nodes[0]->store->stats().chunks, 8u) << "nothing of " << to_string(gone);
  EXPECT_EQ(metrics.chunks_backfilled.load(), 8u);
}

TEST_F(backfill_actor_test, waits_for_a_chunk_that_no_owner_has) {
  const auto blob = put(3, {1, 2});
  const chunk_id lost{blob, 1};
  for (const std::size_t n : {1, 2}) ASSERT_TRUE(nodes[n]->store->erase(std::span{&lost, 1}));
  set_layout(2, {1, 2}, {0, 1, 2});
  start();
  ASSERT_TRUE(eventually([&] { return state->complete().second.size() == partition_count - 1; }));
  ASSERT_TRUE(eventually([&] { return metrics.chunks_unrecoverable.load() > 1; })) << "it keeps asking";
  run(meta::delete_object{.stamp = {.session = session, .sequence = 99}, .bucket = "files", .key = "1"});
  EXPECT_TRUE(eventually([&] { return state->complete().second.size() == partition_count; }))
      << "nobody needs it any more";
}

TEST_F(backfill_actor_test, skips_a_lost_chunk_that_was_given_up_and_fetches_it_when_a_disk_with_it_comes_back) {
  const auto blob = put(3, {1, 2});
  const chunk_id lost{blob, 1};
  for (const std::size_t n : {1, 2}) ASSERT_TRUE(nodes[n]->store->erase(std::span{&lost, 1}));
  set_layout(2, {1, 2}, {0, 1, 2});
  start();
  ASSERT_TRUE(eventually([&] { return state->lost() == chunk_ids{lost}; })) << "it is told";
  EXPECT_EQ(state->complete().second.size(), partition_count - 1u);
  run(meta::give_up_chunks{{{blob, 1, 1}}});
  ASSERT_TRUE(eventually([&] { return state->complete().second.size() == partition_count; }));
  EXPECT_TRUE(eventually([&] { return state->lost().empty(); }));
  const auto bytes = payload_of(blob.number * 100 + 1, chunk_bytes);
  const storage::chunk_write found{lost, bytes};
  EXPECT_TRUE(nodes[1]->store->write(std::span{&found, 1}).front());
  state->scans_requested.fetch_add(1);
  EXPECT_TRUE(eventually([&] { return has_all(blob, 3); }));
}

TEST_F(backfill_actor_test, takes_no_chunk_for_lost_that_a_closed_disk_or_an_absent_owner_may_have) {
  const auto blob = put(3, {1, 2});
  const chunk_id away{blob, 1};
  for (const std::size_t n : {1, 2}) ASSERT_TRUE(nodes[n]->store->erase(std::span{&away, 1}));
  set_layout(2, {1, 2}, {0, 1, 2});
  disk_closed = true;
  start();
  ASSERT_TRUE(eventually([&] { return state->complete().second.size() == partition_count - 1; }));
  EXPECT_TRUE(state->lost().empty());
  EXPECT_EQ(metrics.chunks_unrecoverable.load(), 0u);
}

TEST_F(backfill_actor_test, takes_no_chunk_of_another_length_than_the_metadata_says) {
  const auto blob = put(6, {2});
  for (std::uint32_t i = 0; i < 6; ++i) { // node 1, which is asked first, has shorter and longer ones
    const auto bytes = payload_of(1000 + i, i % 2 == 0 ? chunk_bytes - 4096 : chunk_bytes + 4096);
    const storage::chunk_write wrong{{blob, i}, bytes};
    ASSERT_TRUE(nodes[1]->store->write(std::span{&wrong, 1}).front());
  }
  set_layout(2, {1, 2}, {0, 1, 2});
  start();
  EXPECT_TRUE(eventually([&] { return has_all(blob, 6) && metrics.chunks_backfilled.load() == 6; }));
}

TEST_F(backfill_actor_test, uses_no_buffer_again_that_a_late_owner_may_still_write_into) {
  const auto late = std::make_shared<late_reads>();
  make_remote = [&](const uuid& peer) {
    ended_later.push_back(peer == node_id(2) ? spawn_late_store(system, late, errc::timeout)
                                             : spawn_good_store(system, late, *nodes[2]->store));
    return remote_store{ended_later.back(), std::make_shared<peer_health>()};
  };
  const auto blob = put(6, {2});
  set_layout(2, {1, 2}, {0, 1, 2});
  start();
  EXPECT_TRUE(eventually([&] { return has_all(blob, 6); }));
  EXPECT_GT(late->count(), 0u);
  late->let_go();
}

TEST_F(backfill_actor_test, makes_up_for_what_commits_went_through_without) {
  const auto blob = put(4, {1, 2}, {{0, 0, 4}});
  const auto there = put(2, {0, 1}, {{0, 1, 1}});
  set_layout(2, {0, 1, 2}, {0, 1, 2});
  start();
  ASSERT_TRUE(eventually([&] { return store->read().value()->repairs_waiting() == 0; }));
  EXPECT_TRUE(has_all(blob, 4));
  EXPECT_TRUE(has_all(there, 2));
}

TEST_F(backfill_actor_test, fetches_again_what_a_disk_has_lost) {
  const auto blob = put(6, {0, 1, 2});
  const chunk_id lost[] = {{blob, 1}, {blob, 5}};
  ASSERT_TRUE(nodes[0]->store->erase(lost));
  set_layout(2, {0, 1, 2}, {0, 1, 2});
  start();
  EXPECT_TRUE(eventually([&] { return has_all(blob, 6); }));
}

TEST_F(backfill_actor_test, fetches_what_a_disk_has_lost_also_while_a_partition_waits_for_a_lost_chunk) {
  const auto waiting = put(1, {1, 2}), blob = put(6, {1, 2});
  const chunk_id lost{waiting, 0};
  for (const std::size_t n : {1, 2}) ASSERT_TRUE(nodes[n]->store->erase(std::span{&lost, 1}));
  set_layout(2, {1, 2}, {0, 1, 2});
  start();
  ASSERT_TRUE(eventually([&] { return state->complete().second.size() == partition_count - 1; }));
  const chunk_id own{blob, 3};
  ASSERT_TRUE(nodes[0]->store->erase(std::span{&own, 1}));
  state->scans_requested.fetch_add(1);
  EXPECT_TRUE(eventually([&] { return has_all(blob, 6); }));
}

TEST_F(backfill_actor_test, has_nothing_complete_whose_disk_failed_afterwards) {
  put(5, {1, 2});
  set_layout(2, {1, 2}, {0, 1, 2});
  start();
  ASSERT_TRUE(eventually([&] { return state->complete().second.size() == partition_count; }));
  nodes[0]->store->quarantine();
  EXPECT_TRUE(eventually([&] { return state->complete().second.empty(); }));
  EXPECT_TRUE(eventually([&] { return state->complete().second.size() == partition_count - 5; }))
      << "what lies there is on no disk of this node";
}

TEST_F(backfill_actor_test, replaces_chunks_that_rot_on_the_disk) {
  const auto blob = put(6, {0, 1, 2});
  nodes[0]->files.flip_bit("/disk/segments/0000000000000001.seg", (4096 + 100) * 8ull);
  EXPECT_FALSE(has_all(blob, 6));
  set_layout(2, {0, 1, 2}, {0, 1, 2});
  start();
  EXPECT_TRUE(eventually([&] { return has_all(blob, 6); }));
}

TEST_F(backfill_actor_test, replaces_what_has_rotted_before_it_keeps_the_only_copy) {
  const auto blob = put(6, {0, 1, 2});
  nodes[0]->files.flip_bit("/disk/segments/0000000000000001.seg", (4096 + 100) * 8ull);
  scrubs = false;
  set_layout(2, {0, 1, 2}, {0});
  start();
  ASSERT_TRUE(eventually([&] { return state->complete().second.size() == partition_count; }));
  EXPECT_TRUE(has_all(blob, 6));
  EXPECT_EQ(metrics.chunks_backfilled.load(), 1u);
}

TEST_F(backfill_actor_test, replaces_what_a_reader_finds_damaged_long_before_a_scrub_would) {
  const auto blob = put(6, {0, 1, 2});
  const auto dead = put(2, {0, 1, 2});
  run(meta::delete_object{.stamp = {.session = session, .sequence = 99}, .bucket = "files", .key = "2"});
  run(meta::reap{.blobs = store->read().value()->buried(9).value()});
  set_layout(2, {0, 1, 2}, {0, 1, 2});
  start();
  // All was compared and scrubbed once: neither happens again within a day.
  const auto stored = nodes[0]->store->stats().used_bytes;
  ASSERT_TRUE(eventually([&] { return metrics.scrubbed_bytes.load() >= stored; }));
  const std::string segment = "/disk/segments/0000000000000001.seg";
  nodes[0]->files.flip_bit(segment, (4096 + 100) * 8ull);
  const auto of_the_dead = 6 * (4096 + chunk_bytes) + 4096 + 100ull;
  nodes[0]->files.flip_bit(segment, of_the_dead * 8);
  const auto get = [&](const chunk_id& id) {
    return ask<chunk_data>(nodes[0]->actors[0], read_atom_v, chunk_read{id, 0, chunk_bytes, room(chunk_bytes)});
  };
  EXPECT_EQ(get({dead, 0}).error(), errc::corrupt);
  EXPECT_EQ(get({blob, 0}).error(), errc::corrupt) << "so its reader goes on to another node";
  EXPECT_TRUE(eventually([&] { return has_all(blob, 6); }));
  EXPECT_TRUE(eventually([&] { return metrics.damage_repaired.load() == 1; })) << metrics.damage_repaired.load();
  EXPECT_EQ(metrics.scrub_damaged.load(), 0u);
  EXPECT_EQ(get({dead, 0}).error(), errc::corrupt) << "nobody needs it";
}

TEST_F(backfill_actor_test, reads_everything_once_in_a_period_and_on_an_operators_request) {
  const auto blob = put(6, {0, 1, 2});
  set_layout(2, {0, 1, 2}, {0, 1, 2});
  start();
  const auto stored = nodes[0]->store->stats().used_bytes;
  ASSERT_TRUE(eventually([&] { return metrics.scrubbed_bytes.load() >= stored; }));
  const auto once = metrics.scrubbed_bytes.load();
  for (std::uint32_t i = 0; i < 6; ++i) { // each takes a round
    damaged->note({blob, i});
    ASSERT_TRUE(eventually([&] { return metrics.damage_repaired.load() == i + 1; }));
  }
  EXPECT_EQ(metrics.scrubbed_bytes.load(), once) << "it rests";
  state->scans_requested.fetch_add(1);
  EXPECT_TRUE(eventually([&] { return metrics.scrubbed_bytes.load() == 2 * once; }));
}

TEST_F(backfill_actor_test, lets_go_of_what_moved_away) {
  const auto needed = put(4, {0}, {{1, 2, 1}});
  put(4, {0, 1, 2});
  set_layout(2, {1, 2}, {1, 2});
  start();
  ASSERT_TRUE(eventually([&] {
    acknowledge_all();
    return nodes[0]->store->stats().chunks == 1;
  })) << nodes[0]->store->stats().chunks;
  EXPECT_TRUE(nodes[0]->has({needed, 2})) << "node 1 has not got it yet";
}

} // namespace cairn::actors::backfill_test

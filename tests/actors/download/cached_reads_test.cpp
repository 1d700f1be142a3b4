// Downloads that share the cache of chunks.
#include "actors/chunks/chunk_cache.hpp"
#include "actors/chunks/chunk_router.hpp"
#include "actors/download/sequencer.hpp"
#include "tests/actors/protocol/scripted_actors.hpp"

namespace cairn::actors::cached_reads_test {

using namespace std::chrono_literals;

constexpr std::uint32_t chunk_size = block_size_bytes;

// Downloads of one object from one disk; the test is their streamers.
class cached_reads_test : public testing::Test {
protected:
  struct download {
    streamer_actor streamer;
    sequencer_actor sequencer;
    std::vector<std::uint32_t> got; // chunks, as their slices came
    std::vector<slice> held;
    std::optional<error> failed;
  };

  cached_reads_test() {
    std::vector<store_router::member> disks{{{{1}, 1.0}, {disk.actor()}, nullptr}};
    s.system = &w.system();
    s.buffers = buffers;
    s.cache = cache;
    s.metrics = &metrics;
    s.clock = &w.clock();
    s.stores = std::make_shared<chunk_router>(std::make_shared<store_router>(std::move(disks)));
    s.window_min = s.window_max = 2;
    s.memory_wait = 2s;
  }
  download& start(std::uint32_t chunks) {
    auto& d = *downloads.emplace_back(std::make_unique<download>());
    download_range_list what{{byte_range{0, std::uint64_t{chunks} * chunk_size}}, parts_of(chunks)};
    d.streamer = w.system().spawn([this, &d, what](streamer_actor::pointer self) -> streamer_actor::behavior_type {
      d.sequencer = spawn_sequencer(self, s, what, streamer_actor{self});
      return {
          [this, &d](slice_atom, std::uint64_t index, const slice& bytes) {
            EXPECT_EQ(index, d.got.size());
            EXPECT_EQ(bytes.length, chunk_size);
            d.got.push_back(std::uint32_t(bytes.view()[0]) - 1);
            if (holds) return d.held.push_back(bytes);
            caf::anon_send(d.sequencer, credit_atom_v, 1u, false);
          },
          [&d](failed_atom, const failure& f) { d.failed = f.reason; },
          [](written_atom, std::uint64_t) { ADD_FAILURE() << "not the sequencer's"; },
          [](gone_atom) { ADD_FAILURE() << "not the sequencer's"; },
          [](parts_atom, std::uint64_t) { ADD_FAILURE() << "all parts are known"; },
      };
    });
    w.settle();
    return d;
  }
  void cancel(download& d) {
    caf::anon_send(d.sequencer, cancel_atom_v);
    w.settle();
  }
  void TearDown() override {
    for (auto& d : downloads) caf::anon_send_exit(d->streamer, caf::exit_reason::kill);
    w.settle();
    downloads.clear();
    disk.stop();
    s = {};
    w.settle();
    EXPECT_EQ(buffers->in_use_bytes(), 0u);
    w.forget_everything();
    cache->set_limit(0);
    EXPECT_EQ(cache->stats().bytes, 0u);
  }
  static part_list parts_of(std::uint32_t chunks) {
    storage::metadata::manifest_part p;
    p.number = 1;
    p.blob = {7, 1};
    p.length = std::uint64_t{chunks} * chunk_size;
    p.chunk_size = chunk_size;
    return std::make_shared<const std::vector<storage::metadata::manifest_part>>(1, p);
  }
  static std::vector<std::uint32_t> first(std::uint32_t chunks) {
    std::vector<std::uint32_t> out(chunks);
    for (std::uint32_t i = 0; i < chunks; ++i) out[i] = i;
    return out;
  }
  // Answers the disk's reads until there are none.
  void answer_everything() {
    for (std::size_t answered = 0; answered < disk.reads.size(); ++answered)
      if (disk.reads[answered].waits) disk.answer(answered);
  }

  sim::world w;
  node_metrics metrics;
  std::shared_ptr<buffer_pool> buffers = std::make_shared<buffer_pool>(64 << 20);
  std::shared_ptr<chunk_cache> cache = std::make_shared<chunk_cache>(4 << 20, 1);
  scripted_store disk{w};
  services s;
  bool holds = false; // the clients take nothing
  std::vector<std::unique_ptr<download>> downloads;
};

TEST_F(cached_reads_test, a_second_download_reads_nothing) {
  auto& one = start(20);
  answer_everything();
  EXPECT_EQ(one.got, first(20));
  EXPECT_EQ(disk.reads.size(), 20u);
  EXPECT_TRUE(disk.reads[0].wanted.direct);
  auto& two = start(20);
  EXPECT_EQ(two.got, first(20));
  EXPECT_EQ(disk.reads.size(), 20u);
  EXPECT_EQ(cache->stats().hits, 20u);
}

TEST_F(cached_reads_test, downloads_at_the_same_time_share_their_reads) {
  for (int i = 0; i < 8; ++i) start(20);
  answer_everything();
  for (const auto& d : downloads) EXPECT_EQ(d->got, first(20));
  EXPECT_EQ(disk.reads.size(), 20u);
  EXPECT_EQ(cache->stats().misses, 20u);
}

TEST_F(cached_reads_test, a_read_that_fails_fails_its_own_download_and_the_others_read_by_themselves) {
  auto& one = start(3);
  auto& two = start(3);
  auto& three = start(3);
  ASSERT_EQ(disk.reads.size(), 2u);
  disk.refuse(0, errc::not_found);
  ASSERT_TRUE(one.failed);
  ASSERT_EQ(disk.reads.size(), 5u) << "the first chunk by both, and one of them the second, whose reader has ended";
  answer_everything();
  for (auto* d : {&two, &three}) {
    EXPECT_FALSE(d->failed);
    EXPECT_EQ(d->got, first(3));
  }
}

TEST_F(cached_reads_test, when_the_download_that_reads_is_cancelled_one_of_the_others_reads) {
  auto& one = start(3);
  auto& two = start(3);
  auto& three = start(3);
  cancel(one);
  EXPECT_EQ(disk.reads.size(), 4u) << "each chunk of the window once more";
  answer_everything();
  EXPECT_TRUE(one.got.empty());
  EXPECT_EQ(two.got, first(3));
  EXPECT_EQ(three.got, first(3));
  EXPECT_EQ(disk.reads.size(), 5u);
}

TEST_F(cached_reads_test, all_that_wait_may_be_cancelled) {
  auto& one = start(3);
  auto& two = start(3);
  cancel(two);
  cancel(one);
  EXPECT_EQ(disk.reads.size(), 2u);
  answer_everything();
  EXPECT_EQ(start(3).got.size(), 0u);
  answer_everything();
  EXPECT_EQ(downloads.back()->got, first(3));
}

TEST_F(cached_reads_test, a_short_chunk_fails_all_by_their_own_reads) {
  auto& one = start(1);
  auto& two = start(1);
  for (std::size_t i = 0; i < disk.reads.size(); ++i) disk.answer(i, 100);
  EXPECT_TRUE(one.failed);
  EXPECT_TRUE(two.failed);
}

TEST_F(cached_reads_test, the_cache_switched_off_in_the_middle_stops_nothing) {
  auto& one = start(10);
  auto& two = start(10);
  disk.answer(0);
  cache->set_limit(0);
  answer_everything();
  EXPECT_EQ(one.got, first(10));
  EXPECT_EQ(two.got, first(10));
  EXPECT_FALSE(disk.reads.back().wanted.direct);
}

TEST_F(cached_reads_test, what_is_cached_needs_no_memory_of_the_downloads) {
  start(10);
  answer_everything();
  const auto hog = buffers->try_acquire(16 << 20, reservation::minimum);
  buffers->set_limit(16 << 20);
  EXPECT_EQ(start(10).got, first(10));
}

TEST_F(cached_reads_test, when_sockets_hold_the_whole_cache_reads_use_the_memory_of_downloads) {
  cache->set_limit(4 * chunk_size);
  holds = true;
  auto& one = start(2);
  answer_everything();
  ASSERT_EQ(one.held.size(), 2u);
  start(4);
  EXPECT_EQ(downloads.back()->held.size(), 2u);
  downloads.back()->held.clear();
  EXPECT_EQ(buffers->in_use_bytes(), 0u);
  auto taken = cache->find({{{{9, 9}, 0}, 0}, chunk_size, chunk_size}, nullptr);
  ASSERT_TRUE(taken.fill) << "the last buffer of the cache";
  caf::anon_send(downloads.back()->sequencer, credit_atom_v, 2u, false);
  w.settle();
  EXPECT_GT(buffers->in_use_bytes(), 0u);
  answer_everything();
  EXPECT_EQ(downloads.back()->got, first(4));
}

} // namespace cairn::actors::cached_reads_test

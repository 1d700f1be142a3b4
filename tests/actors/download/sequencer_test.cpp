#include "actors/download/sequencer.hpp"

#include "actors/chunks/chunk_router.hpp"
#include "tests/actors/protocol/scripted_actors.hpp"

namespace cairn::actors::sequencer_test {

using namespace std::chrono_literals;

constexpr std::uint32_t chunk_size = block_size_bytes;

// A sequencer over one disk; the test is its streamer.
class sequencer_test : public testing::Test {
protected:
  static constexpr std::uint32_t window = 3;

  void start(std::uint32_t chunks, std::uint32_t chunks_of_first_parts = ~0u) {
    std::vector<store_router::member> disks{{{{1}, 1.0}, {disk.actor()}, nullptr}};
    s.system = &w.system();
    s.buffers = buffers;
    s.metrics = &metrics;
    s.clock = &w.clock();
    s.stores = std::make_shared<chunk_router>(std::make_shared<store_router>(std::move(disks)));
    s.window_min = s.window_max = window;
    s.memory_wait = 2s;
    total = chunks;
    download_range_list what{{byte_range{0, std::uint64_t{chunks} * chunk_size}}, page(0, chunks_of_first_parts)};
    streamer = w.system().spawn([this, what](streamer_actor::pointer self) -> streamer_actor::behavior_type {
      sequencer = spawn_sequencer(self, s, what, streamer_actor{self});
      return {
          [this](slice_atom, std::uint64_t index, const slice& bytes) {
            EXPECT_FALSE(failed) << "a slice after the failure";
            EXPECT_EQ(index, got.size());
            EXPECT_EQ(bytes.length, chunk_size);
            got.push_back(std::uint32_t(bytes.view()[0]) - 1);
          },
          [this](failed_atom, const failure& f) {
            EXPECT_FALSE(failed) << "it fails once";
            failed = f.reason;
          },
          [](written_atom, std::uint64_t) { ADD_FAILURE() << "not the sequencer's"; },
          [](gone_atom) { ADD_FAILURE() << "not the sequencer's"; },
          [this](parts_atom, std::uint64_t from) { parts_asked.push_back(from); },
      };
    });
    w.settle();
  }
  void TearDown() override {
    caf::anon_send_exit(streamer, caf::exit_reason::kill);
    w.settle();
    disk.stop();
    sequencer = nullptr;
    streamer = nullptr;
    s = {};
    w.settle();
    EXPECT_EQ(metrics.window_slices, 0u);
    EXPECT_EQ(buffers->in_use_bytes(), 0u);
    w.forget_everything();
  }

  // Parts of one chunk each, from the object's chunk `from` on.
  part_list page(std::uint32_t from, std::uint32_t count) const {
    std::vector<storage::metadata::manifest_part> parts;
    for (auto i = from; i < total && i - from < count; ++i) {
      storage::metadata::manifest_part p;
      p.number = i + 1;
      p.blob = {7, 1};
      p.object_offset = p.blob_offset = std::uint64_t{i} * chunk_size;
      p.length = p.chunk_size = chunk_size;
      parts.push_back(p);
    }
    return std::make_shared<const std::vector<storage::metadata::manifest_part>>(std::move(parts));
  }
  void credit(std::uint32_t slices) {
    caf::anon_send(sequencer, credit_atom_v, slices, false);
    w.settle();
  }
  bool ended() const { return w.live_actors() == 2; } // the disk and the streamer are left
  std::vector<std::uint32_t> first(std::uint32_t chunks) const {
    std::vector<std::uint32_t> out(chunks);
    for (std::uint32_t i = 0; i < chunks; ++i) out[i] = i;
    return out;
  }

  sim::world w;
  node_metrics metrics;
  std::shared_ptr<buffer_pool> buffers = std::make_shared<buffer_pool>(64 << 20);
  scripted_store disk{w};
  services s;
  std::uint32_t total = 0;
  streamer_actor streamer;
  sequencer_actor sequencer;
  std::vector<std::uint32_t> got; // chunks, as their slices came
  std::size_t credited = 0;
  std::vector<std::uint64_t> parts_asked;
  std::optional<error> failed;
};

TEST_F(sequencer_test, asks_for_a_window_of_chunks_and_for_one_more_with_each_credit) {
  start(10);
  EXPECT_EQ(disk.reads.size(), window);
  disk.answer_all();
  EXPECT_EQ(disk.reads.size(), window) << "their slices are with the socket";
  credit(1);
  EXPECT_EQ(disk.reads.size(), window + 1);
  credit(2);
  EXPECT_EQ(disk.reads.size(), window + 3);
  EXPECT_EQ(metrics.window_slices, window);
}

TEST_F(sequencer_test, releases_slices_in_order_when_the_first_read_answers_last) {
  start(3);
  disk.answer(2);
  disk.answer(1);
  EXPECT_TRUE(got.empty());
  disk.answer(0);
  EXPECT_EQ(got, first(3));
}

TEST_F(sequencer_test, ends_when_its_last_slice_was_credited) {
  start(2);
  disk.answer_all();
  credit(1);
  EXPECT_FALSE(ended());
  credit(1);
  EXPECT_TRUE(ended());
  EXPECT_FALSE(failed);
}

TEST_F(sequencer_test, delivers_all_of_it_in_order_whichever_read_stumbles_once) {
  for (std::uint32_t stumbles = 0; stumbles < 7; ++stumbles) {
    const auto before = disk.reads.size();
    got.clear();
    start(6);
    for (std::size_t read = before; got.size() < 6; ++read) {
      while (read == disk.reads.size()) ASSERT_TRUE(w.step()) << "nothing is asked any more";
      if (read - before == stumbles)
        disk.refuse(read, errc::io_error);
      else
        disk.answer(read);
      if (got.size() > credited) credit(std::uint32_t(got.size() - credited)), credited = got.size();
    }
    EXPECT_EQ(got, first(6)) << "read " << stumbles << " stumbled";
    EXPECT_EQ(disk.reads.size() - before, stumbles < 6 ? 7u : 6u);
    EXPECT_FALSE(failed);
    credited = 0;
    caf::anon_send_exit(streamer, caf::exit_reason::kill);
    w.settle();
  }
}

TEST_F(sequencer_test, asks_a_busy_disk_again_after_a_pause_into_the_same_buffer) {
  start(1);
  const auto* into = disk.reads[0].wanted.into.get();
  disk.refuse(0, errc::busy);
  EXPECT_EQ(disk.reads.size(), 1u);
  w.run_for(20ms);
  ASSERT_EQ(disk.reads.size(), 2u);
  EXPECT_EQ(disk.reads[1].wanted.into.get(), into);
  disk.answer(1);
  EXPECT_EQ(got, first(1));
  EXPECT_EQ(metrics.chunk_read_retries, 1u);
}

TEST_F(sequencer_test, reads_what_was_late_into_another_buffer_since_the_disk_may_still_write_into_the_first) {
  start(1);
  const auto first_buffer = disk.reads[0].wanted.into;
  disk.refuse(0, errc::timeout);
  w.run_for(20ms);
  ASSERT_EQ(disk.reads.size(), 2u);
  EXPECT_NE(disk.reads[1].wanted.into, first_buffer);
}

TEST_F(sequencer_test, says_that_bytes_are_lost_when_no_disk_has_the_chunk_and_sends_nothing_after_that) {
  start(5);
  disk.answer(1);
  disk.refuse(0, errc::not_found);
  ASSERT_TRUE(failed);
  EXPECT_EQ(failed->code, errc::chunk_lost) << to_string(*failed);
  EXPECT_TRUE(ended());
  disk.answer(2);
  EXPECT_TRUE(got.empty());
}

TEST_F(sequencer_test, takes_a_chunk_that_is_shorter_than_its_manifest_says_for_damaged) {
  start(1);
  disk.answer(0, chunk_size - 1);
  ASSERT_TRUE(failed);
  EXPECT_EQ(failed->code, errc::chunk_lost);
  EXPECT_NE(failed->text.find("damaged"), std::string::npos) << failed->text;
}

TEST_F(sequencer_test, gives_up_a_disk_that_keeps_failing_with_its_own_reason) {
  start(1);
  for (std::size_t read = 0; !failed; ++read) {
    ASSERT_LT(read, 10u);
    w.run_until([&] { return disk.reads.size() > read; }, 1min);
    disk.refuse(read, errc::io_error);
  }
  EXPECT_EQ(failed->code, errc::io_error);
}

TEST_F(sequencer_test, asks_for_further_parts_once_and_goes_on_with_them) {
  start(5, 2);
  EXPECT_EQ(disk.reads.size(), 2u);
  disk.answer_all();
  credit(2);
  EXPECT_EQ(parts_asked, (std::vector<std::uint64_t>{2 * chunk_size}));
  caf::anon_send(sequencer, parts_atom_v, page(2, 3));
  w.settle();
  disk.answer_all();
  EXPECT_EQ(got, first(5));
}

TEST_F(sequencer_test, a_page_of_parts_that_is_not_the_one_asked_for_ends_it) {
  start(5, 2);
  caf::anon_send(sequencer, parts_atom_v, page(4, 1));
  w.settle();
  ASSERT_TRUE(failed);
  EXPECT_EQ(failed->code, errc::corrupt);
  EXPECT_TRUE(ended());
}

TEST_F(sequencer_test, waits_for_memory_for_its_first_block_and_answers_slow_down_when_none_comes) {
  buffers = std::make_shared<buffer_pool>(chunk_size);
  auto others = buffers->try_acquire(chunk_size, reservation::minimum);
  start(3);
  EXPECT_TRUE(disk.reads.empty());
  w.run_for(1900ms);
  EXPECT_FALSE(failed);
  w.run_for(200ms);
  ASSERT_TRUE(failed);
  EXPECT_EQ(failed->code, errc::slow_down);
  EXPECT_EQ(buffers->waiting(), 0u);
  others.reset();
}

TEST_F(sequencer_test, goes_on_block_by_block_when_little_memory_comes_back) {
  buffers = std::make_shared<buffer_pool>(chunk_size);
  auto others = buffers->try_acquire(chunk_size, reservation::minimum);
  start(3);
  others.reset();
  w.settle();
  for (std::size_t i = 0; i < 3; ++i) {
    ASSERT_EQ(disk.reads.size(), i + 1) << "one at a time";
    disk.answer(i);
    credit(1);
  }
  EXPECT_EQ(got, first(3));
  EXPECT_TRUE(ended());
}

TEST_F(sequencer_test, cancelled_holds_no_buffer_but_those_that_a_disk_still_works_on) {
  start(5);
  disk.answer(0);
  caf::anon_send(sequencer, cancel_atom_v);
  w.settle();
  EXPECT_TRUE(ended());
  EXPECT_EQ(buffers->in_use_bytes(), 2u * chunk_size);
  disk.answer_all();
  EXPECT_EQ(buffers->in_use_bytes(), 0u);
  EXPECT_EQ(got, first(1));
  EXPECT_FALSE(failed) << "who cancels is not told";
}

} // namespace cairn::actors::sequencer_test

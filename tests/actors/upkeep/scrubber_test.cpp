#include "actors/upkeep/scrubber.hpp"

#include "base/files/memory_file_system.hpp"
#include "sim/world/world.hpp"
#include "tests/base/seeded_random.hpp"
#include "tests/storage/metadata/store_fixture.hpp"

#include <deque>

namespace cairn::actors::scrubber_test {

namespace meta = storage::metadata;
using namespace std::chrono_literals;

constexpr std::uint32_t chunk_length = 256 << 10;

// Takes one job at a time, and runs it when the test says so.
class stepped_executor final : public executor {
public:
  using executor::post;
  result<void> post(steady_time, job work, const party_ptr&) override {
    ++posted;
    if (full) return error{errc::busy};
    EXPECT_TRUE(waiting.empty()) << "a step while another one is under way";
    waiting.push_back(std::move(work));
    if (at_once) run();
    return {};
  }
  void run(bool expired = false) {
    ASSERT_FALSE(waiting.empty());
    const auto work = std::move(waiting.front());
    waiting.pop_front();
    work(expired);
  }
  std::size_t queued() const override { return waiting.size(); }
  std::chrono::nanoseconds longest_running() const override { return {}; }
  void stop() override {}

  std::deque<job> waiting;
  bool at_once = true, full = false;
  std::size_t posted = 0;
};

struct scrubbed_disk {
  memory_file_system files{256ull << 20};
  seeded_random random{42};
  std::unique_ptr<storage::kv_engine> index = storage::make_memory_kv(storage::chunk_index_tables);
  std::unique_ptr<storage::chunk_store> store;

  scrubbed_disk() {
    storage::chunk_store_options options;
    options.directory = "/disk";
    options.segment_size_bytes = 64 << 20;
    options.reserve_bytes = 64 << 10;
    store = storage::chunk_store::open(options, files, *index, random).value();
  }
};

// Two disks of a standalone node, with chunks of `chunk_length` bytes.
class scrubber_test : public meta::store_test {
protected:
  void TearDown() override {
    caf::anon_send_exit(scrubber, caf::exit_reason::kill);
    scrubber = nullptr;
    work.waiting.clear();
    w.settle();
    w.forget_everything();
  }
  // An object of so many chunks, all of them on this disk.
  blob_id put(std::size_t disk, std::uint32_t chunks) {
    const auto blob = new_blob();
    auto command = big("key" + std::to_string(blob.number), blob, std::uint64_t{chunks} * chunk_length);
    std::get<meta::written_blob>(command.content).chunk_size = chunk_length;
    EXPECT_EQ(refused(command), std::nullopt);
    const std::vector<std::byte> bytes(chunk_length, std::byte(blob.number));
    for (std::uint32_t i = 0; i < chunks; ++i) {
      const storage::chunk_write write{{blob, i}, bytes};
      EXPECT_TRUE(disks[disk].store->write(std::span{&write, 1}).front());
      ++records[disk];
    }
    return blob;
  }
  // In the middle of the n-th chunk that was written to the disk.
  void damage(std::size_t disk, std::size_t n) {
    const auto record = chunk_length + 4096ull;
    disks[disk].files.flip_bit("/disk/segments/0000000000000001.seg", (4096 + n * record + record / 2) * 8);
  }
  void start(std::chrono::seconds period = 100s) {
    scrubber_services services;
    services.store = s.get();
    services.work = &work;
    services.disks = {disks[0].store.get(), disks[1].store.get()};
    services.metrics = &metrics;
    services.clock = &w.clock();
    services.period = period;
    scrubber = spawn_scrubber(w.system(), services);
  }
  std::uint64_t bytes_on_disks() const {
    return disks[0].store->stats().used_bytes + disks[1].store->stats().used_bytes;
  }

  sim::world w;
  std::array<scrubbed_disk, 2> disks;
  std::array<std::size_t, 2> records{};
  stepped_executor work;
  node_metrics metrics;
  scrubber_actor scrubber;
};

TEST_F(scrubber_test, reads_everything_on_every_disk_once_in_a_period_and_then_rests) {
  put(0, 20);
  put(1, 30);
  start();
  w.run_for(99s);
  EXPECT_EQ(metrics.scrubbed_bytes, bytes_on_disks());
  EXPECT_EQ(metrics.scrub_damaged, 0u);
  const auto steps = work.posted;
  EXPECT_GT(steps, 2u) << "a little at a time";
  w.run_for(99s);
  EXPECT_EQ(metrics.scrubbed_bytes, 2 * bytes_on_disks());
}

TEST_F(scrubber_test, counts_each_damaged_chunk_that_an_object_needs_once_a_pass) {
  put(0, 5);
  put(1, 5);
  damage(0, 3);
  damage(1, 0);
  damage(1, 4);
  start();
  w.run_for(99s);
  EXPECT_EQ(metrics.scrub_damaged, 3u);
  w.run_for(99s);
  EXPECT_EQ(metrics.scrub_damaged, 6u);
}

TEST_F(scrubber_test, does_not_report_damage_of_chunks_that_no_object_needs) {
  const auto blob = put(0, 5);
  damage(0, 2);
  run(removal("key" + std::to_string(blob.number)));
  start();
  w.run_for(99s);
  EXPECT_EQ(metrics.scrub_damaged, 0u);
  EXPECT_GT(metrics.scrubbed_bytes, 0u);
}

TEST_F(scrubber_test, goes_on_to_the_next_disk_when_one_is_quarantined) {
  put(0, 5);
  put(1, 5);
  damage(1, 1);
  disks[0].store->quarantine();
  start();
  w.run_for(99s);
  EXPECT_EQ(metrics.scrub_damaged, 1u);
  EXPECT_EQ(metrics.scrubbed_bytes, disks[1].store->stats().used_bytes);
}

TEST_F(scrubber_test, takes_one_step_at_a_time_however_long_it_takes) {
  put(0, 5);
  work.at_once = false;
  start();
  w.run_for(10s);
  EXPECT_EQ(work.posted, 1u);
  work.run();
  w.run_for(2s);
  EXPECT_EQ(work.posted, 2u);
}

TEST_F(scrubber_test, tries_again_when_the_executor_is_full_or_did_not_get_to_it) {
  put(0, 2);
  work.full = true;
  start();
  w.run_for(5s);
  EXPECT_GE(work.posted, 4u);
  EXPECT_EQ(metrics.scrubbed_bytes, 0u);
  work.full = work.at_once = false;
  w.run_for(2s);
  work.run(true);
  EXPECT_EQ(metrics.scrubbed_bytes, 0u);
  work.at_once = true;
  w.run_for(200s);
  EXPECT_GE(metrics.scrubbed_bytes, bytes_on_disks());
}

} // namespace cairn::actors::scrubber_test

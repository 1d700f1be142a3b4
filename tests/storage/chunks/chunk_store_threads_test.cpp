// Readers concurrent with the one writer, on real files and LMDB: a read returns the exact bytes or an error.
#include "storage/chunks/disk_identity.hpp"
#include "tests/storage/chunks/chunk_store_fixture.hpp"

#include <atomic>
#include <filesystem>
#include <thread>

#include <unistd.h>

namespace cairn::storage::chunk_store_threads_test {

TEST(chunk_store_threads, read_exact_bytes_or_nothing_while_chunks_come_and_go) {
  constexpr std::uint64_t chunk_count = 64;
  constexpr std::uint32_t length = 100 * 1024;
  const auto directory = testing::TempDir() + "cairn_store_" + std::to_string(::getpid());
  std::filesystem::remove_all(directory);
  {
    ASSERT_TRUE(posix_file_system().make_directories(directory));
    const auto index =
        open_lmdb({.directory = index_directory(directory), .tables = chunk_index_tables, .map_bytes = 1ull << 30});
    ASSERT_TRUE(index) << to_string(index.error());
    const chunk_store_options options{
        .directory = directory, .segment_size_bytes = 2 << 20, .reserve_bytes = 1, .location_cache_entries = 32};
    const auto opened = chunk_store::open(options, posix_file_system(), **index, system_random());
    ASSERT_TRUE(opened) << to_string(opened.error());
    auto& store = **opened;

    std::vector<std::vector<std::byte>> payloads;
    for (std::uint64_t n = 0; n < chunk_count; ++n) payloads.push_back(payload_of(n, length));
    std::atomic<bool> stop{false};
    std::atomic<std::uint64_t> exact{0}, wrong{0}, failed{0};
    std::vector<std::thread> readers;
    for (std::uint64_t t = 0; t < 3; ++t)
      readers.emplace_back([&, t] {
        seeded_random random{t};
        std::vector<std::byte> into(length);
        while (!stop) {
          const auto n = random.next() % chunk_count;
          auto got = store.read_cached(chunk_number(n), 0, length, into.data());
          if (!got && got.error() == errc::would_block) got = store.read(chunk_number(n), 0, length, into.data());
          if (got)
            ++(into == payloads[n] ? exact : wrong);
          else if (got.error() != errc::not_found)
            ++failed;
        }
      });

    readers.emplace_back([&] {
      std::optional<chunk_id> after;
      while (!stop) {
        const auto page = store.scrub(after, 10 * length);
        failed += !page || !page->corrupt.empty() || !page->unreadable.empty();
        if (page) after = page->reached;
      }
    });

    seeded_random random{99};
    for (int round = 0; round < 150; ++round) {
      std::vector<chunk_write> batch;
      std::vector<chunk_id> victims;
      for (int i = 0; i < 4; ++i) {
        const auto n = random.next() % chunk_count;
        batch.push_back({chunk_number(n), payloads[n]});
        victims.push_back(chunk_number(random.next() % chunk_count));
      }
      for (const auto& answer : store.write(batch)) EXPECT_TRUE(answer);
      EXPECT_TRUE(store.erase(victims));
      EXPECT_TRUE(store.seal(2));
      EXPECT_TRUE(store.punch(8));
      EXPECT_EQ(store.stats().state, disk_state::healthy);
    }
    stop = true;
    for (auto& reader : readers) reader.join();
    EXPECT_EQ(wrong, 0u);
    EXPECT_EQ(failed, 0u);
    EXPECT_GT(exact, 0u);
    while (*store.punch(100) > 0) {
    }
    EXPECT_EQ(store.stats().to_punch, 0u);
  }
  std::filesystem::remove_all(directory);
}

} // namespace cairn::storage::chunk_store_threads_test

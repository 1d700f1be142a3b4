// Scrub: chunks in pages, verified records, replaced records, used bytes.
#include "storage/chunks/disk_identity.hpp"
#include "storage/chunks/record.hpp"
#include "tests/base/temporary_directory.hpp"
#include "tests/storage/chunks/chunk_store_fixture.hpp"

#include <algorithm>
#include <fstream>

namespace cairn::storage::chunk_store_scrub_test {

class chunk_store_scrub : public chunk_store_test {
protected:
  // Every page of a scrub until the end.
  scrub_page scrub_all(std::uint64_t max_bytes) {
    scrub_page all;
    for (int calls = 0; calls < 10'000; ++calls) {
      const auto page = store_->scrub(all.reached, max_bytes);
      EXPECT_TRUE(page) << to_string(page.error());
      if (!page) return all;
      all.corrupt.insert(all.corrupt.end(), page->corrupt.begin(), page->corrupt.end());
      all.unreadable.insert(all.unreadable.end(), page->unreadable.begin(), page->unreadable.end());
      all.chunks += page->chunks;
      all.bytes += page->bytes;
      all.reached = page->reached;
      if (!all.reached) return all;
    }
    ADD_FAILURE() << "it never ends";
    return all;
  }
  std::vector<chunk_id> every() { return store_->list({}, 10'000).value(); }
};

constexpr auto segment_1 = "/disk/segments/0000000000000001.seg";
constexpr std::uint64_t page_bits = 4096 * 8;

TEST_F(chunk_store_scrub, lists_chunks_in_pages) {
  for (std::uint64_t n = 0; n < 200; ++n) ASSERT_TRUE(put(n, 100));
  const auto all = every();
  ASSERT_EQ(all.size(), 200u);
  std::vector<chunk_id> listed;
  for (std::optional<chunk_id> after;;) {
    const auto page = store_->list(after, 7).value();
    listed.insert(listed.end(), page.begin(), page.end());
    if (page.size() < 7) break;
    after = page.back();
  }
  EXPECT_EQ(listed, all);
  EXPECT_TRUE(store_->list(all[199], 1000).value().empty());
}

TEST_F(chunk_store_scrub, verifies_every_record_in_bounded_steps) {
  EXPECT_FALSE(store_->scrub({}, 1000)->reached);
  std::uint64_t expected = 0;
  for (std::uint64_t n = 0; n < 100; ++n) {
    const std::size_t length = 1 + n * 3000;
    ASSERT_TRUE(put(n, length));
    expected += record_bytes(static_cast<std::uint32_t>(length));
  }
  for (const std::uint64_t step : {0ull, 1ull, 500'000ull, 1ull << 40}) {
    const auto all = scrub_all(step);
    EXPECT_EQ(all.chunks, 100u);
    EXPECT_EQ(all.bytes, expected);
    EXPECT_TRUE(all.corrupt.empty());
    EXPECT_TRUE(all.unreadable.empty());
  }
  EXPECT_EQ(store_->scrub({}, 1)->chunks, 1u) << "one at least";
  const auto page = store_->scrub({}, 1'000'000).value();
  EXPECT_GE(page.bytes, 1'000'000u);
  EXPECT_LT(page.bytes, 1'400'000u);
}

TEST_F(chunk_store_scrub, finds_a_flipped_bit_of_a_header_or_of_any_block_and_nothing_else) {
  ASSERT_TRUE(put(1, 150 * kib)); // header at page 0, payload to page 38
  ASSERT_TRUE(put(2, 100));       // header at page 39
  expect_whole(1, 150 * kib);     // its bytes are in memory
  const std::vector<chunk_id> first{chunk_number(1)}, second{chunk_number(2)};
  for (const std::uint64_t bit : {page_bits - 1, page_bits + 5, 33 * page_bits, 38 * page_bits + 4}) {
    disk_.flip_bit(segment_1, bit);
    EXPECT_EQ(scrub_all(1).corrupt, first) << bit;
    disk_.flip_bit(segment_1, bit);
  }
  EXPECT_TRUE(scrub_all(1).corrupt.empty());
  disk_.flip_bit(segment_1, 40 * page_bits);
  EXPECT_EQ(scrub_all(1).corrupt, second);
}

TEST_F(chunk_store_scrub, finds_nothing_after_an_unreadable_chunk_was_rewritten) {
  ASSERT_TRUE(put(1, 150 * kib));
  crash_and_reopen(); // nothing is in memory
  disk_.set_fault([](disk_operation op, const std::string& path) -> std::optional<error> {
    if (op == disk_operation::read && path.ends_with("1.seg")) return error{errc::io_error, path};
    return std::nullopt;
  });
  EXPECT_EQ(scrub_all(1).unreadable.size(), 1u);
  ASSERT_TRUE(put(1, 150 * kib));
  disk_.set_fault({});
  EXPECT_TRUE(scrub_all(1).unreadable.empty());
  EXPECT_EQ(store_->stats().chunks, 1u);
  EXPECT_EQ(store_->stats().to_punch, 1u) << "where it was";
}

TEST_F(chunk_store_scrub, verifies_the_chunks_that_it_is_asked_for) {
  for (std::uint64_t n = 1; n < 4; ++n) ASSERT_TRUE(put(n, 150 * kib));
  for (const int page : {2, 38 + 2}) disk_.flip_bit(segment_1, page * page_bits);
  const std::vector<chunk_id> first{chunk_number(1)}, others{chunk_number(2), chunk_number(3), chunk_number(9)};
  EXPECT_EQ(store_->verify(first)->corrupt, first);
  const auto page = store_->verify(others).value();
  EXPECT_EQ(page.corrupt, std::vector<chunk_id>{chunk_number(2)});
  EXPECT_EQ(page.chunks, 2u) << "the third does not exist";
  store_->quarantine();
  EXPECT_EQ(store_->verify(first).error(), errc::quarantined);
}

TEST_F(chunk_store_scrub, reads_chunks_of_many_steps) {
  ASSERT_TRUE(put(1, 5'000'001));
  EXPECT_TRUE(scrub_all(1).corrupt.empty());
  disk_.flip_bit(segment_1, (4096 + 5'000'000) * 8ull);
  EXPECT_EQ(scrub_all(1).corrupt.size(), 1u);
}

TEST_F(chunk_store_scrub, distinguishes_unreadable_from_damaged_chunks_and_continues) {
  for (std::uint64_t n = 0; n < 40; ++n) ASSERT_TRUE(put(n));
  ASSERT_GT(store_->stats().segments, 2u);
  ASSERT_TRUE(disk_.rename(segment_1, "/disk/segments/away"));
  disk_.set_fault([](disk_operation op, const std::string& path) -> std::optional<error> {
    if (op == disk_operation::read && path.ends_with("2.seg")) return error{errc::io_error, path};
    return std::nullopt;
  });
  const auto all = scrub_all(100'000);
  disk_.set_fault({});
  EXPECT_EQ(all.chunks, 40u);
  EXPECT_FALSE(all.corrupt.empty());
  EXPECT_FALSE(all.unreadable.empty());
  EXPECT_LT(all.corrupt.size() + all.unreadable.size(), 40u);
  store_->quarantine();
  EXPECT_EQ(store_->scrub({}, 1).error(), errc::quarantined);
}

TEST_F(chunk_store_scrub, finds_nothing_after_a_damaged_chunk_was_rewritten) {
  for (std::uint64_t n = 0; n < 20; ++n) ASSERT_TRUE(put(n));
  const auto used = store_->stats().used_bytes;
  disk_.flip_bit(segment_1, page_bits + 1);      // payload of the first record
  disk_.flip_bit(segment_1, 17 * page_bits + 1); // header of the second
  EXPECT_EQ(scrub_all(1).corrupt.size(), 2u);

  const auto other = payload_of(99, 64 * kib);
  const chunk_write intact{chunk_number(5), other};
  EXPECT_EQ(code(store_->write(std::span{&intact, 1}).front()), errc::content_mismatch) << "this one is not damaged";
  ASSERT_TRUE(put(0));
  ASSERT_TRUE(put(1));
  EXPECT_TRUE(scrub_all(1).corrupt.empty());
  EXPECT_EQ(store_->stats().to_punch, 2u);
  EXPECT_EQ(store_->stats().used_bytes, used);
  crash_and_reopen();
  EXPECT_EQ(store_->stats().to_punch, 0u);
  EXPECT_EQ(store_->stats().chunks, 20u);
  EXPECT_EQ(store_->stats().used_bytes, used);
  for (std::uint64_t n = 0; n < 20; ++n) expect_whole(n);
  store_.reset();
  const auto report = check_disk(options_, disk_, *index_, true, {}).value();
  EXPECT_TRUE(report.problems.empty()) << report.problems.front();
}

TEST_F(chunk_store_scrub, counts_used_bytes_of_live_chunks) {
  EXPECT_EQ(store_->stats().used_bytes, 0u);
  ASSERT_TRUE(put(1, 1));
  ASSERT_TRUE(put(2, 64 * kib));
  EXPECT_EQ(store_->stats().used_bytes, 4 * kib + 4 * kib + 4 * kib + 64 * kib);
  for (std::uint64_t n = 10; n < 50; ++n) ASSERT_TRUE(put(n)); // over several segments
  const auto all = store_->stats().used_bytes;
  EXPECT_EQ(all, 8 * kib + 41 * 68 * kib);
  for (std::uint64_t n = 10; n < 30; ++n) ASSERT_TRUE(drop(n));
  EXPECT_EQ(store_->stats().used_bytes, all - 20 * 68 * kib);
  tidy();
  EXPECT_EQ(store_->stats().used_bytes, all - 20 * 68 * kib);
  reopen();
  EXPECT_EQ(store_->stats().used_bytes, all - 20 * 68 * kib);
}

// Real files: the scrub finds damage on the disk even if the page cache has intact pages (where O_DIRECT works).
TEST(chunk_store_scrub_files, verifies_real_files) {
  const temporary_directory directory;
  const auto index =
      open_lmdb({.directory = index_directory(directory.path()), .tables = chunk_index_tables, .map_bytes = 1 << 30})
          .value();
  const chunk_store_options options{.directory = directory.path(), .segment_size_bytes = 16 << 20, .reserve_bytes = 1};
  const auto store = chunk_store::open(options, posix_file_system(), *index, system_random()).value();
  std::vector<std::vector<std::byte>> payloads;
  for (std::uint64_t n = 0; n < 4; ++n) payloads.push_back(payload_of(n, 3'000'000 + n));
  for (std::uint64_t n = 0; n < 4; ++n) {
    const chunk_write write{chunk_number(n), payloads[n]};
    ASSERT_TRUE(store->write(std::span{&write, 1}).front());
  }
  auto page = store->scrub({}, 1ull << 40).value();
  EXPECT_EQ(page.chunks, 4u);
  EXPECT_TRUE(page.corrupt.empty());
  EXPECT_TRUE(page.unreadable.empty());
  {
    std::fstream segment{directory.path() + "/segments/0000000000000001.seg",
                         std::ios::in | std::ios::out | std::ios::binary};
    segment.seekp(2'500'000);
    segment.put('x').put('y').put('z');
    ASSERT_TRUE(segment.flush());
  }
  page = store->scrub({}, 1ull << 40).value();
  EXPECT_EQ(page.corrupt, std::vector{chunk_number(0)});
  EXPECT_TRUE(page.unreadable.empty());
}

} // namespace cairn::storage::chunk_store_scrub_test

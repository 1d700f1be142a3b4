#include "storage/chunks/segment.hpp"
#include "tests/storage/chunks/chunk_store_fixture.hpp"

#include <algorithm>
#include <array>

namespace cairn::storage::chunk_store_tests {

// Calls a hook once, between an index look-up and the use of its result.
class hooked_kv final : public kv_engine {
public:
  explicit hooked_kv(kv_engine& inner) : inner_(inner) {}
  std::function<void()> after_get;

  result<std::unique_ptr<kv_reader>> begin_read() override {
    auto reader = inner_.begin_read();
    if (!reader) return reader.error();
    return std::unique_ptr<kv_reader>{std::make_unique<hooked_reader>(*this, std::move(*reader))};
  }
  result<std::unique_ptr<kv_writer>> begin_write() override { return inner_.begin_write(); }

private:
  class hooked_reader final : public kv_reader {
  public:
    hooked_reader(hooked_kv& engine, std::unique_ptr<kv_reader> inner) : engine_(engine), inner_(std::move(inner)) {}
    std::optional<std::string_view> get(table_id table, std::string_view key) override {
      const auto value = inner_->get(table, key);
      if (const auto hook = std::exchange(engine_.after_get, nullptr)) hook();
      return value;
    }
    std::unique_ptr<kv_cursor> cursor(table_id table) override { return inner_->cursor(table); }
    std::uint64_t entries(table_id table) override { return inner_->entries(table); }
    result<void> status() const override { return inner_->status(); }

  private:
    hooked_kv& engine_;
    std::unique_ptr<kv_reader> inner_;
  };
  kv_engine& inner_;
};

TEST_F(chunk_store_test, returns_what_was_written_for_every_kind_of_length) {
  const std::vector<std::size_t> lengths{1, 4095, 4096, 4097, 65535, 65536, 65537, 300 * kib};
  for (std::size_t i = 0; i < lengths.size(); ++i) ASSERT_TRUE(put(i, lengths[i]));
  for (std::size_t i = 0; i < lengths.size(); ++i) expect_whole(i, lengths[i]);
  reopen();
  for (std::size_t i = 0; i < lengths.size(); ++i) expect_whole(i, lengths[i]);
  EXPECT_EQ(store_->stats().chunks, lengths.size());
  expect_absent(99);
}

// The in-memory disk demands of such reads what O_DIRECT does: whole pages.
TEST_F(chunk_store_test, reads_that_bypass_the_page_cache_return_the_same_bytes) {
  const std::vector<std::uint32_t> lengths{1, 4095, 4096, 4097, 65535, 65536, 65537, 200 * kib, 300 * kib + 7};
  for (std::size_t i = 0; i < lengths.size(); ++i) ASSERT_TRUE(put(i, lengths[i]));
  buffer_pool memory{4096 * kib};
  for (std::size_t i = 0; i < lengths.size(); ++i) {
    const auto all = payload_of(i, lengths[i]);
    for (const std::uint32_t offset : {0u, 64 * kib, 128 * kib, 256 * kib})
      for (const std::uint32_t length : {100u, 4096u, 64 * kib, 64 * kib + 100, 512 * kib}) {
        const auto into = memory.try_acquire(length, reservation::minimum);
        const auto got = store_->read(chunk_number(i), offset, length, into->data(), true);
        ASSERT_TRUE(got) << to_string(got.error());
        const auto end = std::min(offset + length, lengths[i]);
        ASSERT_EQ(got->length, offset < end ? end - offset : 0);
        EXPECT_TRUE(std::equal(into->data(), into->data() + got->length, all.begin() + std::min(offset, lengths[i])));
      }
  }
  std::vector<std::byte> unaligned(65 * kib);
  EXPECT_TRUE(store_->read(chunk_number(4), 0, 64 * kib, unaligned.data() + 1, true)) << "through the page cache";
}

TEST_F(chunk_store_test, reads_that_bypass_the_page_cache_find_damage_in_any_page) {
  ASSERT_TRUE(put(1, 70 * kib + 5));
  buffer_pool memory{4096 * kib};
  const auto into = memory.try_acquire(128 * kib, reservation::minimum);
  for (const std::uint64_t at : {20u, 4096u + 10, 4096u + 70 * kib + 4}) { // header, first and last page
    disk_.flip_bit("/disk/segments/" + segment_file_name(1), at * 8);
    const auto got = store_->read(chunk_number(1), 0, 128 * kib, into->data(), true);
    ASSERT_FALSE(got) << at;
    EXPECT_EQ(got.error(), errc::corrupt);
    disk_.flip_bit("/disk/segments/" + segment_file_name(1), at * 8);
  }
  EXPECT_TRUE(store_->read(chunk_number(1), 0, 128 * kib, into->data(), true));
}

TEST_F(chunk_store_test, reads_ranges_by_blocks_and_clips_them_to_the_chunk) {
  const auto all = payload_of(1, 200 * kib);
  ASSERT_TRUE(put(1, all.size()));
  for (const std::uint32_t offset : {0u, 64 * kib, 128 * kib, 192 * kib})
    for (const std::uint32_t length : {1u, 4096u, 64 * kib - 1, 64 * kib, 64 * kib + 1, 500 * kib}) {
      const auto got = get(1, offset, length);
      ASSERT_TRUE(got) << to_string(got.error());
      const auto end = std::min<std::size_t>(all.size(), std::size_t{offset} + length);
      EXPECT_TRUE(std::equal(got->begin(), got->end(), all.begin() + offset, all.begin() + std::ptrdiff_t(end)));
    }
  EXPECT_EQ(get(1, 256 * kib, 10)->size(), 0u);
  EXPECT_EQ(get(1, 100, 10).error(), errc::invalid_argument);
}

TEST_F(chunk_store_test, flushes_once_for_a_batch) {
  ASSERT_TRUE(put(0));
  std::vector<std::vector<std::byte>> payloads;
  std::vector<chunk_write> batch;
  for (std::uint64_t n = 1; n <= 8; ++n) payloads.push_back(payload_of(n, 16 * kib));
  for (std::uint64_t n = 1; n <= 8; ++n) batch.push_back({chunk_number(n), payloads[n - 1]});
  const auto before = disk_.flushes();
  for (const auto& answer : store_->write(batch)) EXPECT_TRUE(answer);
  EXPECT_EQ(disk_.flushes(), before + 1);
}

TEST_F(chunk_store_test, fills_several_segments_with_one_batch_and_seals_the_full_ones) {
  std::vector<std::vector<std::byte>> payloads;
  std::vector<chunk_write> batch;
  for (std::uint64_t n = 0; n < 40; ++n) payloads.push_back(payload_of(n, 64 * kib));
  for (std::uint64_t n = 0; n < 40; ++n) batch.push_back({chunk_number(n), payloads[n]});
  for (const auto& answer : store_->write(batch)) EXPECT_TRUE(answer);
  EXPECT_EQ(store_->stats().segments, 3u);
  crash_and_reopen();
  for (std::uint64_t n = 0; n < 40; ++n) expect_whole(n);
}

TEST_F(chunk_store_test, leaves_a_full_segment_to_be_sealed_in_steps_between_writes) {
  for (std::uint64_t n = 0; n < 16; ++n) ASSERT_TRUE(put(n)); // 14 records fit into the first segment
  ASSERT_EQ(store_->stats().segments, 2u);
  EXPECT_TRUE(store_->stats().sealing);
  EXPECT_EQ(tail_rows(), 16u);
  const auto before = disk_.flushes();
  EXPECT_TRUE(*store_->seal(10));
  EXPECT_EQ(disk_.flushes(), before + 1) << "the footer";
  EXPECT_EQ(tail_rows(), 16u);
  ASSERT_TRUE(put(16)) << "a write between two steps";
  EXPECT_TRUE(*store_->seal(10));
  EXPECT_EQ(tail_rows(), 7u);
  EXPECT_TRUE(*store_->seal(10));
  EXPECT_EQ(tail_rows(), 3u) << "those of the active segment";
  EXPECT_FALSE(*store_->seal(10));
  EXPECT_FALSE(store_->stats().sealing);
  EXPECT_EQ(tail_rows(), 3u);
}

TEST_F(chunk_store_test, goes_on_sealing_after_a_crash_between_two_steps) {
  std::uint64_t next = 0;
  for (int steps = 0; steps < 8; ++steps) {
    for (int i = 0; i < 40; ++i) ASSERT_TRUE(put(next++, 20 * kib));
    for (int i = 0; i < steps; ++i) ASSERT_TRUE(store_->seal(7));
    crash_and_reopen();
    for (std::uint64_t n = 0; n < next; ++n) expect_whole(n, 20 * kib);
    tidy();
    EXPECT_LT(tail_rows(), 43u) << "more than the active segment can have";
    store_.reset();
    const auto report = check_disk(options_, disk_, *index_, true, {});
    ASSERT_TRUE(report);
    EXPECT_TRUE(report->problems.empty()) << report->problems.front();
    reopen();
  }
}

TEST_F(chunk_store_test, seals_at_once_when_too_many_full_segments_wait) {
  for (std::uint64_t n = 0; n < 200; ++n) ASSERT_TRUE(put(n));
  std::size_t preallocated = 0;
  for (const auto& name : *disk_.list("/disk/segments")) {
    auto opened = disk_.open("/disk/segments/" + name, open_mode::read_only);
    ASSERT_TRUE(opened);
    preallocated += *(*opened)->size() == options_.segment_size_bytes;
  }
  EXPECT_LE(preallocated, 5u) << "the active one and four full ones";
}

TEST_F(chunk_store_test, stores_a_chunk_that_is_larger_than_a_segment) {
  ASSERT_TRUE(put(1, 3 << 20));
  expect_whole(1, 3 << 20);
}

TEST_F(chunk_store_test, refuses_empty_and_oversized_payloads_and_stores_the_rest_of_the_batch) {
  const auto good = payload_of(1, 10), large = payload_of(2, (16 << 20) + 1);
  const std::array<chunk_write, 3> batch{
      chunk_write{chunk_number(0), {}}, {chunk_number(1), good}, {chunk_number(2), large}};
  const auto answers = store_->write(batch);
  EXPECT_EQ(code(answers[0]), errc::invalid_argument);
  EXPECT_TRUE(answers[1]);
  EXPECT_EQ(code(answers[2]), errc::invalid_argument);
  expect_whole(1, 10);
}

TEST_F(chunk_store_test, accepts_the_same_bytes_again_and_refuses_others) {
  ASSERT_TRUE(put(1));
  const auto used = disk_.used_bytes();
  EXPECT_TRUE(put(1));
  const auto other = payload_of(2, 64 * kib), shorter = payload_of(1, 1000);
  for (const auto& payload : {other, shorter}) {
    const chunk_write write{chunk_number(1), payload};
    EXPECT_EQ(code(store_->write(std::span{&write, 1}).front()), errc::content_mismatch);
  }
  expect_whole(1);
  EXPECT_EQ(store_->stats().chunks, 1u);
  EXPECT_EQ(disk_.used_bytes(), used);
}

TEST_F(chunk_store_test, treats_repeats_within_a_batch_like_repeats_between_batches) {
  const auto a = payload_of(1, 100), b = payload_of(2, 100);
  const std::array<chunk_write, 3> batch{chunk_write{chunk_number(1), a}, {chunk_number(1), a}, {chunk_number(1), b}};
  const auto answers = store_->write(batch);
  EXPECT_TRUE(answers[0]);
  EXPECT_TRUE(answers[1]);
  EXPECT_EQ(code(answers[2]), errc::content_mismatch);
  expect_whole(1, 100);
}

TEST_F(chunk_store_test, reports_a_flipped_bit_as_corrupt_and_accepts_the_chunk_again) {
  ASSERT_TRUE(put(1));
  ASSERT_TRUE(put(2));
  const auto path = "/disk/segments/0000000000000001.seg";
  disk_.flip_bit(path, (4096 + 1000) * 8);
  EXPECT_EQ(get(1).error(), errc::corrupt);
  expect_whole(2);
  ASSERT_TRUE(put(1)) << "a damaged copy must not count as stored";
  expect_whole(1);
  EXPECT_EQ(store_->stats().chunks, 2u);
  EXPECT_EQ(*store_->punch(100), 1u);
  reopen();
  expect_whole(1);
}

TEST_F(chunk_store_test, notices_damage_of_a_header_also_when_block_checks_are_off) {
  options_.verify_reads = false;
  reopen();
  ASSERT_TRUE(put(1));
  disk_.flip_bit("/disk/segments/0000000000000001.seg", 20 * 8);
  EXPECT_EQ(get(1).error(), errc::corrupt);
}

TEST_F(chunk_store_test, reads_from_memory_only_what_needs_no_waiting) {
  ASSERT_TRUE(put(1));
  std::vector<std::byte> into(64 * kib);
  const auto cached = [&] { return store_->read_cached(chunk_number(1), 0, 64 * kib, into.data()); };
  EXPECT_EQ(cached().error(), errc::would_block) << "the file is not open yet";
  expect_whole(1);
  ASSERT_TRUE(cached());
  EXPECT_EQ(into, payload_of(1, 64 * kib));
  EXPECT_EQ(store_->read_cached(chunk_number(5), 0, 10, into.data()).error(), errc::would_block);
  disk_.set_fault([](disk_operation op, const std::string&) -> std::optional<error> {
    if (op == disk_operation::read_cached) return error{errc::would_block, {}};
    return std::nullopt;
  });
  EXPECT_EQ(cached().error(), errc::would_block);
  disk_.set_fault({});
  reopen();
  EXPECT_EQ(cached().error(), errc::would_block) << "the place is not known yet";
}

TEST_F(chunk_store_test, forgets_erased_chunks_and_frees_their_space) {
  for (std::uint64_t n = 0; n < 10; ++n) ASSERT_TRUE(put(n));
  const auto full = disk_.used_bytes();
  std::vector<chunk_id> ids{chunk_number(2), chunk_number(3), chunk_number(3), chunk_number(77)};
  EXPECT_EQ(*store_->erase(ids), 2u);
  expect_absent(2);
  EXPECT_EQ(store_->stats().to_punch, 2u);
  EXPECT_EQ(*store_->punch(100), 2u);
  EXPECT_EQ(disk_.used_bytes(), full - 2 * 68 * kib);
  EXPECT_EQ(store_->stats().to_punch, 0u);
  EXPECT_EQ(store_->stats().chunks, 8u);
  crash_and_reopen();
  expect_absent(2);
  expect_whole(4);
  ASSERT_TRUE(put(2)) << "an id may come back";
  expect_whole(2);
}

TEST_F(chunk_store_test, unlinks_a_sealed_segment_without_live_chunks) {
  for (std::uint64_t n = 0; n < 16; ++n) ASSERT_TRUE(put(n));
  ASSERT_EQ(store_->stats().segments, 2u);
  for (std::uint64_t n = 0; n < 16; ++n) ASSERT_TRUE(drop(n));
  tidy();
  EXPECT_EQ(store_->stats().segments, 1u);
  EXPECT_EQ(disk_.list("/disk/segments")->size(), 1u);
  reopen();
  ASSERT_TRUE(put(1));
  expect_whole(1);
}

TEST_F(chunk_store_test, counts_freed_bytes_once_and_only_when_they_are_freed) {
  counter punched{0};
  options_.bytes_punched = &punched;
  reopen();
  for (std::uint64_t n = 0; n < 16; ++n) ASSERT_TRUE(put(n)); // 64 KiB each: the first segment is full
  tidy();
  ASSERT_TRUE(drop(1));
  EXPECT_EQ(punched.load(), 0u) << "deleted, and not freed yet";
  const auto full = disk_.used_bytes();
  tidy();
  const auto record = punched.load();
  EXPECT_EQ(record, full - disk_.used_bytes()) << "the bytes that the file system got back";
  for (std::uint64_t n = 0; n < 16; ++n) ASSERT_TRUE(drop(n));
  tidy();
  ASSERT_EQ(store_->stats().segments, 1u) << "the sealed segment was removed as a whole";
  EXPECT_EQ(punched.load(), 16 * record);
}

TEST_F(chunk_store_test, punches_in_steps_of_rows_or_of_bytes) {
  for (std::uint64_t n = 0; n < 10; ++n) ASSERT_TRUE(put(n)); // records of 68 KiB
  std::vector<chunk_id> ids;
  for (std::uint64_t n = 0; n < 9; ++n) ids.push_back(chunk_number(n));
  ASSERT_EQ(*store_->erase(ids), 9u);
  EXPECT_EQ(*store_->punch(4), 4u);
  EXPECT_EQ(*store_->punch(100, 1), 1u) << "a chunk larger than a step";
  EXPECT_EQ(*store_->punch(100, 2 * 68 * kib), 2u);
  EXPECT_EQ(*store_->punch(100), 2u);
  EXPECT_EQ(store_->stats().to_punch, 0u);
  expect_whole(9);
}

TEST_F(chunk_store_test, punches_at_opening_what_was_not_punched_before) {
  for (std::uint64_t n = 0; n < 5; ++n) ASSERT_TRUE(put(n));
  const auto full = disk_.used_bytes();
  ASSERT_TRUE(drop(1));
  crash_and_reopen();
  EXPECT_EQ(store_->stats().to_punch, 0u);
  EXPECT_LT(disk_.used_bytes(), full);
}

TEST_F(chunk_store_test, flushes_holes_before_it_removes_their_rows) {
  ASSERT_TRUE(put(1));
  ASSERT_TRUE(put(2));
  ASSERT_EQ(*drop(1), 1u);
  const auto before = disk_.flushes();
  disk_.set_fault([](disk_operation op, const std::string& path) -> std::optional<error> {
    if (op == disk_operation::flush) return error{errc::io_error, path};
    return std::nullopt;
  });
  EXPECT_EQ(store_->punch(100).error(), errc::io_error);
  disk_.set_fault({});
  EXPECT_EQ(disk_.flushes(), before);
  reopen();
  EXPECT_EQ(store_->stats().to_punch, 0u) << "opening the store punched it again";
  EXPECT_GT(disk_.flushes(), before);
}

TEST_F(chunk_store_test, delays_punching_until_a_read_that_began_before_the_erase_ends) {
  ASSERT_TRUE(put(1));
  hooked_kv hooked{*index_};
  store_.reset();
  auto opened = chunk_store::open(options_, disk_, hooked, random_);
  ASSERT_TRUE(opened) << to_string(opened.error());
  store_ = std::move(*opened);
  hooked.after_get = [this] { // the read knows the place by now
    EXPECT_EQ(*drop(1), 1u);
    for (int i = 0; i < 3; ++i) EXPECT_EQ(*store_->punch(100), 0u);
  };
  expect_whole(1);
  EXPECT_EQ(*store_->punch(100), 1u) << "the read has ended";
  expect_absent(1);
  std::vector<std::byte> into(64 * kib);
  EXPECT_EQ(store_->read_cached(chunk_number(1), 0, 64 * kib, into.data()).error(), errc::would_block)
      << "the late reader must not have cached the old location";
}

TEST_F(chunk_store_test, keeps_an_empty_segment_for_a_read_that_began_before_its_chunks_were_erased) {
  constexpr std::uint64_t a_segment = 15; // 64 KiB and a header each, and the footer
  for (std::uint64_t n = 0; n < a_segment + 5; ++n) ASSERT_TRUE(put(n));
  hooked_kv hooked{*index_};
  store_.reset();
  auto opened = chunk_store::open(options_, disk_, hooked, random_);
  ASSERT_TRUE(opened) << to_string(opened.error());
  store_ = std::move(*opened);
  const std::string first = "/disk/segments/0000000000000001.seg";
  hooked.after_get = [&] { // the read knows the place by now
    for (std::uint64_t n = 0; n < a_segment; ++n) EXPECT_EQ(*drop(n), 1u);
    for (std::uint64_t n = 100; n < 100 + 2 * a_segment; ++n) ASSERT_TRUE(put(n));
    tidy();
    EXPECT_TRUE(disk_.open(first, open_mode::read_only));
  };
  expect_whole(1);
  for (int i = 0; i < 3; ++i) tidy();
  EXPECT_EQ(disk_.open(first, open_mode::read_only).error(), errc::not_found) << "the read has ended";
}

TEST_F(chunk_store_test, lists_chunks_in_pages_in_index_order) {
  for (std::uint64_t n = 0; n < 30; ++n) ASSERT_TRUE(put(n, 100));
  std::vector<chunk_id> all;
  std::optional<chunk_id> after;
  while (true) {
    const auto page = store_->list(after, 7);
    ASSERT_TRUE(page);
    if (page->empty()) break;
    EXPECT_LE(page->size(), 7u);
    all.insert(all.end(), page->begin(), page->end());
    after = page->back();
  }
  EXPECT_EQ(all.size(), 30u);
  EXPECT_TRUE(std::is_sorted(all.begin(), all.end(), [](const auto& a, const auto& b) {
    return std::pair{partition_of(a), a} < std::pair{partition_of(b), b};
  }));
}

TEST_F(chunk_store_test, stays_usable_when_the_process_has_no_descriptor_for_a_flush) {
  disk_.set_fault([](disk_operation op, const std::string& path) -> std::optional<error> {
    if (op == disk_operation::flush_directory) return error{errc::busy, path};
    return std::nullopt;
  });
  EXPECT_EQ(code(put(1)), errc::busy);
  disk_.set_fault({});
  EXPECT_EQ(store_->stats().state, disk_state::healthy);
  ASSERT_TRUE(put(1));
  expect_whole(1);
}

} // namespace cairn::storage::chunk_store_tests

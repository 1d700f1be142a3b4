// The store when the disk or the power fails: faults at every operation, crashes at random times.
#include "tests/storage/chunks/chunk_store_fixture.hpp"

#include "storage/chunks/chunk_index.hpp"
#include "storage/chunks/disk_identity.hpp"
#include "storage/kv/forwarding_writer.hpp"

#include <set>

namespace cairn::storage::chunk_store_failure_test {

class chunk_store_failure : public chunk_store_test {
protected:
  void fail_all(disk_operation wanted, errc with) {
    disk_.set_fault([wanted, with](disk_operation op, const std::string& path) -> std::optional<error> {
      if (op == wanted) return error{with, path};
      return std::nullopt;
    });
  }
  check_report checked() {
    store_.reset();
    auto report = check_disk(options_, disk_, *index_, true, {});
    EXPECT_TRUE(report) << to_string(report.error());
    return report ? *report : check_report{};
  }
  void expect_clean() {
    const auto report = checked();
    for (const auto& problem : report.problems) ADD_FAILURE() << problem;
  }
  errc open_code() {
    store_.reset();
    auto opened = chunk_store::open(options_, disk_, *index_, random_);
    if (!opened) return opened.error().code;
    store_ = std::move(*opened);
    return errc{};
  }
};

// An index whose commits fail.
class unwilling_kv final : public kv_engine {
public:
  explicit unwilling_kv(kv_engine& inner) : inner_(inner) {}
  errc failing{};

  result<std::unique_ptr<kv_reader>> begin_read() override { return inner_.begin_read(); }
  result<std::unique_ptr<kv_writer>> begin_write() override {
    auto writer = inner_.begin_write();
    if (!writer) return writer.error();
    return std::unique_ptr<kv_writer>{std::make_unique<unwilling_writer>(*this, std::move(*writer))};
  }

private:
  class unwilling_writer final : public forwarding_writer {
  public:
    unwilling_writer(unwilling_kv& engine, std::unique_ptr<kv_writer> inner)
        : forwarding_writer(std::move(inner)), engine_(engine) {}
    result<void> commit() override {
      if (engine_.failing != errc{}) return error{engine_.failing, "as the test wants"};
      return inner_->commit();
    }

  private:
    unwilling_kv& engine_;
  };
  kv_engine& inner_;
};

constexpr auto segment_1 = "/disk/segments/0000000000000001.seg";

TEST_F(chunk_store_failure, turns_read_only_for_good_after_a_failed_flush) {
  ASSERT_TRUE(put(1));
  fail_all(disk_operation::flush, errc::io_error);
  EXPECT_EQ(code(put(2)), errc::io_error);
  disk_.set_fault({});
  EXPECT_EQ(store_->stats().state, disk_state::read_only);
  EXPECT_EQ(code(put(3)), errc::read_only);
  EXPECT_EQ(drop(1).error(), errc::read_only);
  EXPECT_EQ(store_->punch(1).error(), errc::read_only);
  expect_whole(1);
  expect_absent(2);
  reopen();
  EXPECT_EQ(store_->stats().state, disk_state::healthy);
  ASSERT_TRUE(put(2));
  expect_whole(1);
  expect_whole(2);
  expect_clean();
}

// In a batch that fills several segments, nothing is written after a failed flush.
TEST_F(chunk_store_failure, turns_read_only_after_a_failed_commit_of_the_index_unless_it_found_no_room) {
  unwilling_kv index{*index_};
  store_.reset();
  store_ = chunk_store::open(options_, disk_, index, random_).value();
  ASSERT_TRUE(put(1));
  index.failing = errc::no_space;
  EXPECT_EQ(code(put(2)), errc::no_space);
  index.failing = errc{};
  ASSERT_TRUE(put(3));
  index.failing = errc::io_error;
  EXPECT_EQ(code(put(4)), errc::io_error);
  index.failing = errc{};
  EXPECT_EQ(store_->stats().state, disk_state::read_only) << "the state of the index is unknown";
  EXPECT_EQ(code(put(5)), errc::read_only);
  EXPECT_EQ(drop(1).error(), errc::read_only);
  expect_whole(1);
  expect_whole(3);
  reopen();
  for (const std::uint64_t n : {2, 4, 5}) expect_absent(n);
  expect_clean();
}

TEST_F(chunk_store_failure, writes_nothing_behind_a_failed_flush_of_the_same_batch) {
  ASSERT_TRUE(put(0));
  std::vector<std::vector<std::byte>> payloads;
  std::vector<chunk_write> batch;
  for (std::uint64_t n = 1; n <= 30; ++n) payloads.push_back(payload_of(n, 64 * kib));
  for (std::uint64_t n = 1; n <= 30; ++n) batch.push_back({chunk_number(n), payloads[n - 1]});
  auto failed = std::make_shared<bool>(false);
  auto writes_after = std::make_shared<int>(0);
  disk_.set_fault([failed, writes_after](disk_operation op, const std::string& path) -> std::optional<error> {
    if (op == disk_operation::write) *writes_after += *failed;
    if (op != disk_operation::flush || !path.ends_with(".seg") || std::exchange(*failed, true)) return std::nullopt;
    return error{errc::io_error, path};
  });
  const auto answers = store_->write(batch);
  for (const auto& answer : answers) EXPECT_FALSE(answer);
  EXPECT_EQ(answers.back().error(), errc::read_only);
  EXPECT_EQ(*writes_after, 0);
}

TEST_F(chunk_store_failure, stays_usable_after_a_write_that_found_no_space) {
  ASSERT_TRUE(put(1));
  fail_all(disk_operation::write, errc::no_space);
  EXPECT_EQ(code(put(2)), errc::no_space);
  disk_.set_fault({});
  EXPECT_EQ(store_->stats().state, disk_state::healthy);
  ASSERT_TRUE(put(3));
  expect_whole(1);
  expect_absent(2);
  expect_whole(3);
  expect_clean();
}

TEST_F(chunk_store_failure, is_full_while_a_quota_refuses_what_the_file_system_has) {
  ASSERT_TRUE(put(0));
  fail_all(disk_operation::preallocate, errc::no_space);
  std::uint64_t n = 1;
  while (put(n)) ++n;
  EXPECT_TRUE(store_->stats().full);
  EXPECT_GT(store_->stats().disk.available, 10 * options_.reserve_bytes);
  store_->try_room();
  EXPECT_TRUE(store_->stats().full);
  EXPECT_EQ(store_->stats().state, disk_state::healthy);
  EXPECT_EQ(code(put(n)), errc::no_space);
  disk_.set_fault({});
  EXPECT_TRUE(store_->stats().full) << "nobody has tried";
  store_->try_room();
  EXPECT_FALSE(store_->stats().full);
  ASSERT_TRUE(put(n));
  for (std::uint64_t i = 0; i <= n; ++i) expect_whole(i);
  expect_clean();
}

TEST_F(chunk_store_failure, is_full_until_a_write_of_the_refused_size_has_room) {
  ASSERT_TRUE(put(0));
  fail_all(disk_operation::open, errc::no_space); // no inode is left
  EXPECT_EQ(code(put(1, 2048 * kib)), errc::no_space);
  EXPECT_TRUE(store_->stats().full);
  disk_.set_fault({});
  ASSERT_TRUE(put(2, 4 * kib));
  EXPECT_TRUE(store_->stats().full) << "there may be no room for a larger one";
  ASSERT_TRUE(put(1, 2048 * kib));
  EXPECT_FALSE(store_->stats().full);
  expect_clean();
}

TEST_F(chunk_store_failure, is_full_while_its_index_finds_no_room) {
  unwilling_kv index{*index_};
  store_.reset();
  store_ = chunk_store::open(options_, disk_, index, random_).value();
  ASSERT_TRUE(put(1));
  index.failing = errc::no_space;
  EXPECT_EQ(code(put(2)), errc::no_space);
  store_->try_room();
  EXPECT_TRUE(store_->stats().full);
  index.failing = errc{};
  store_->try_room();
  EXPECT_FALSE(store_->stats().full);
  EXPECT_EQ(store_->stats().state, disk_state::healthy);
  reopen();
  expect_whole(1);
  expect_clean();
}

TEST_F(chunk_store_failure, fills_a_small_disk_up_to_its_reserve_and_goes_on_after_a_delete) {
  options_.segment_size_bytes = 32ull << 20; // half of the disk
  options_.reserve_bytes = 2ull << 20;
  reopen();
  std::uint64_t stored = 0;
  result<void> last;
  while ((last = put(stored, 1000 * kib))) ++stored;
  EXPECT_EQ(code(last), errc::no_space);
  EXPECT_GE(stored, 56u) << "of about 62 that fit beyond the reserve";
  EXPECT_GE(store_->stats().disk.available, options_.reserve_bytes);
  EXPECT_EQ(code(put(1000, 1000 * kib)), errc::no_space);
  for (std::uint64_t n = 0; n < 3; ++n) EXPECT_EQ(*drop(n), 1u);
  tidy();
  ASSERT_TRUE(put(1000, 1000 * kib));
  expect_whole(1000, 1000 * kib);
  for (std::uint64_t n = 3; n < stored; ++n) expect_whole(n, 1000 * kib);
  expect_clean();
}

TEST_F(chunk_store_failure, keeps_every_acknowledged_chunk_when_the_nth_operation_fails) {
  std::size_t needed = 1;
  for (std::size_t nth = 1; nth <= needed + 5; ++nth) {
    memory_file_system disk{64ull << 20};
    const auto index = make_memory_kv(chunk_index_tables);
    std::size_t calls = 0;
    disk.set_fault([&](disk_operation op, const std::string& path) -> std::optional<error> {
      if (op == disk_operation::space_of || ++calls != nth) return std::nullopt;
      return error{errc::io_error, path};
    });
    std::set<std::uint64_t> acknowledged, erased;
    {
      const auto opened = chunk_store::open(options_, disk, *index, random_);
      for (std::uint64_t n = 0; opened && n < 20; ++n) {
        const auto bytes = payload_of(n, 100 * kib);
        const chunk_write write{chunk_number(n), bytes};
        if ((*opened)->write(std::span{&write, 1}).front()) acknowledged.insert(n);
        if (n % 3 != 2) continue;
        const auto id = chunk_number(n - 1);
        if (const auto gone = (*opened)->erase(std::span{&id, 1}); gone && *gone == 1) erased.insert(n - 1);
        static_cast<void>((*opened)->seal(2)); // may fail; nothing is promised then
        static_cast<void>((*opened)->punch(2));
      }
    }
    needed = std::max(needed, calls);
    disk.set_fault({});
    disk.crash(random_);
    const auto opened = chunk_store::open(options_, disk, *index, random_);
    ASSERT_TRUE(opened) << nth << ": " << to_string(opened.error());
    for (const auto n : acknowledged) {
      std::vector<std::byte> into(100 * kib);
      const auto got = (*opened)->read(chunk_number(n), 0, 100 * kib, into.data());
      if (erased.contains(n)) {
        EXPECT_FALSE(got) << nth << ": chunk " << n;
      } else {
        ASSERT_TRUE(got) << nth << ": chunk " << n << ": " << to_string(got.error());
        EXPECT_TRUE(into == payload_of(n, 100 * kib)) << nth << ": chunk " << n;
      }
    }
  }
  EXPECT_GT(needed, 60u) << "the loop must have reached the last operation";
}

TEST_F(chunk_store_failure, keeps_exactly_what_was_acknowledged_over_many_crashes) {
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    memory_file_system disk{64ull << 20};
    const auto index = make_memory_kv(chunk_index_tables);
    seeded_random random{seed};
    std::set<std::uint64_t> live;
    std::uint64_t next = 0;
    for (int round = 0; round < 6; ++round) {
      auto opened = chunk_store::open(options_, disk, *index, random);
      ASSERT_TRUE(opened) << "seed " << seed << ": " << to_string(opened.error());
      auto& store = **opened;
      for (std::uint64_t n = 0; n < next; ++n) {
        std::vector<std::byte> into(40 * kib);
        const auto got = store.read(chunk_number(n), 0, 40 * kib, into.data());
        ASSERT_EQ(bool(got), live.contains(n)) << "seed " << seed << " chunk " << n;
        ASSERT_TRUE(!got || into == payload_of(n, 40 * kib)) << "seed " << seed << " chunk " << n;
      }
      auto left = random.next() % 60; // operations until the power goes
      disk.set_fault([&left](disk_operation, const std::string& path) -> std::optional<error> {
        if (left > 0) {
          --left;
          return std::nullopt;
        }
        return error{errc::io_error, path + ": no power"};
      });
      while (left > 0) {
        std::vector<std::vector<std::byte>> payloads;
        std::vector<chunk_write> batch;
        const auto first = next;
        for (auto i = random.next() % 4 + 1; i > 0; --i) payloads.push_back(payload_of(next++, 40 * kib));
        for (std::size_t i = 0; i < payloads.size(); ++i) batch.push_back({chunk_number(first + i), payloads[i]});
        const auto answers = store.write(batch);
        for (std::size_t i = 0; i < answers.size(); ++i)
          if (answers[i]) live.insert(first + i);
        const auto victim = random.next() % next;
        const auto id = chunk_number(victim);
        if (const auto gone = store.erase(std::span{&id, 1}); gone && *gone > 0) live.erase(victim);
        static_cast<void>(store.seal(random.next() % 3));
        static_cast<void>(store.punch(random.next() % 3));
      }
      disk.set_fault({});
      opened->reset();
      disk.crash(random);
    }
    { ASSERT_TRUE(chunk_store::open(options_, disk, *index, random)); } // recovers, then is checked
    const auto report = check_disk(options_, disk, *index, true, {});
    ASSERT_TRUE(report);
    for (const auto& problem : report->problems) ADD_FAILURE() << "seed " << seed << ": " << problem;
    EXPECT_EQ(report->chunks, live.size());
  }
}

TEST_F(chunk_store_failure, refuses_a_second_owner_of_the_directory) {
  const auto other = make_memory_kv(chunk_index_tables);
  EXPECT_EQ(chunk_store::open(options_, disk_, *other, random_).error(), errc::locked);
  EXPECT_EQ(check_disk(options_, disk_, *index_, false, {}).error(), errc::locked);
}

TEST_F(chunk_store_failure, refuses_a_disk_whose_index_or_identity_is_missing_or_another_disks) {
  ASSERT_TRUE(put(1));
  store_.reset();
  const auto good_index = std::exchange(index_, make_memory_kv(chunk_index_tables));
  store_.reset();
  const auto opened = chunk_store::open(options_, disk_, *index_, random_);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error(), errc::corrupt);
  EXPECT_NE(opened.error().text.find("cairn storage rebuild-index"), std::string::npos);

  memory_file_system other_disk{64ull << 20};
  { ASSERT_TRUE(chunk_store::open(options_, other_disk, *index_, random_)); }
  EXPECT_EQ(open_code(), errc::corrupt) << "the index of another disk";

  index_ = make_memory_kv(chunk_index_tables);
  ASSERT_TRUE(disk_.remove("/disk/disk"));
  EXPECT_EQ(open_code(), errc::corrupt) << "without its identity no record can be verified";
}

// The other disk has other records at these places: punching by the wrong index would destroy them.
TEST_F(chunk_store_failure, refuses_the_index_of_another_disk_whose_segments_have_the_same_names) {
  ASSERT_TRUE(put(1));
  store_.reset();
  const auto own_index = std::exchange(index_, make_memory_kv(chunk_index_tables));
  memory_file_system other_disk{64ull << 20};
  {
    const auto other = chunk_store::open(options_, other_disk, *index_, random_).value();
    const auto bytes = payload_of(2, 64 * kib);
    const chunk_write write{chunk_number(2), bytes};
    ASSERT_TRUE(other->write(std::span{&write, 1}).front());
  }
  EXPECT_EQ(open_code(), errc::corrupt);
}

TEST_F(chunk_store_failure, serves_no_chunk_from_the_place_of_another_one) {
  ASSERT_TRUE(put(1));
  ASSERT_TRUE(put(2));
  const auto leads_to = [&](std::uint64_t n, std::uint32_t shorter) {
    store_.reset(); // with the places that it remembers
    const auto writer = index_->begin_write().value();
    auto place = chunk_index::find(*writer, chunk_number(n)).value();
    place.length -= shorter;
    chunk_index::put(*writer, chunk_number(1), place);
    EXPECT_TRUE(writer->commit());
    reopen();
    const auto got = get(1);
    return got ? errc{} : got.error().code;
  };
  ASSERT_EQ(leads_to(2, 0), errc::corrupt);
  expect_whole(2);
  EXPECT_EQ(leads_to(2, 4 * kib), errc::corrupt);
}

TEST_F(chunk_store_failure, refuses_segments_that_an_old_index_does_not_know_and_removes_empty_ones) {
  store_.reset();
  { ASSERT_TRUE(disk_.open("/disk/segments/0000000000000009.seg", open_mode::create).value()->preallocate(1 << 20)); }
  reopen();
  EXPECT_TRUE(disk_.list("/disk/segments")->empty());

  ASSERT_TRUE(put(1));
  store_.reset();
  ASSERT_TRUE(disk_.rename(segment_1, "/disk/segments/0000000000000001.away"));
  reopen(); // the file is missing: its chunks are damaged, the disk goes on
  EXPECT_EQ(get(1).error(), errc::corrupt);
  ASSERT_TRUE(put(2));
  expect_whole(2);
  store_.reset();
  ASSERT_TRUE(disk_.rename("/disk/segments/0000000000000001.away", segment_1));
  {
    auto writer = index_->begin_write(); // an index from before the segment was made
    (*writer)->erase(2, std::string_view{"\0\0\0\0\0\0\0\1", 8});
    ASSERT_TRUE((*writer)->commit());
  }
  EXPECT_EQ(open_code(), errc::corrupt);
}

TEST_F(chunk_store_failure, refuses_a_quarantined_disk_until_the_marker_is_cleared) {
  ASSERT_TRUE(put(1));
  store_->quarantine();
  EXPECT_EQ(get(1).error(), errc::quarantined);
  EXPECT_EQ(code(put(2)), errc::quarantined);
  EXPECT_EQ(store_->stats().state, disk_state::quarantined);
  EXPECT_EQ(open_code(), errc::quarantined);
  ASSERT_TRUE(clear_quarantine(disk_, "/disk"));
  reopen();
  expect_whole(1);
}

TEST_F(chunk_store_failure, refuses_a_file_system_without_holes) {
  memory_file_system plain{64ull << 20};
  plain.set_fault([](disk_operation op, const std::string&) -> std::optional<error> {
    if (op == disk_operation::punch) return error{errc::unsupported, {}};
    return std::nullopt;
  });
  const auto index = make_memory_kv(chunk_index_tables);
  EXPECT_EQ(chunk_store::open(options_, plain, *index, random_).error(), errc::unsupported);
}

TEST_F(chunk_store_failure, rebuilds_a_lost_index_from_footers_and_records) {
  for (std::uint64_t n = 0; n < 30; ++n) ASSERT_TRUE(put(n));
  for (std::uint64_t n = 0; n < 5; ++n) ASSERT_TRUE(drop(n));
  ASSERT_TRUE(store_->punch(100));
  const auto before = store_->stats().chunks;
  crash_and_reopen();
  store_.reset();
  EXPECT_EQ(rebuild_index(options_, disk_, *index_, {}).error(), errc::invalid_argument) << "not empty";

  index_ = make_memory_kv(chunk_index_tables);
  std::uint64_t steps = 0;
  const auto report = rebuild_index(options_, disk_, *index_, [&](std::uint64_t done, std::uint64_t total) {
    EXPECT_LE(done, total);
    ++steps;
  });
  ASSERT_TRUE(report) << to_string(report.error());
  EXPECT_GT(steps, 1u);
  EXPECT_EQ(report->chunks, before);
  for (const auto& problem : report->problems) ADD_FAILURE() << problem;
  expect_clean();
  reopen();
  for (std::uint64_t n = 0; n < 5; ++n) expect_absent(n);
  for (std::uint64_t n = 5; n < 30; ++n) expect_whole(n);
  ASSERT_TRUE(put(100));
  expect_whole(100);
}

TEST_F(chunk_store_failure, rebuilds_the_later_one_of_two_copies_of_a_chunk) {
  ASSERT_TRUE(put(1));
  ASSERT_TRUE(drop(1));
  ASSERT_TRUE(put(1)); // the first copy is not punched yet
  store_.reset();
  index_ = make_memory_kv(chunk_index_tables);
  const auto report = rebuild_index(options_, disk_, *index_, {});
  ASSERT_TRUE(report);
  EXPECT_EQ(report->chunks, 1u);
  expect_clean();
  reopen();
  expect_whole(1);
}

TEST_F(chunk_store_failure, never_takes_bytes_of_a_user_for_a_record) {
  // A payload that is a copy of another record, header and all, at the offset where a scan looks.
  ASSERT_TRUE(put(1, 4096));
  std::vector<std::byte> copy(2 * 4096);
  {
    const bytes_span into{copy};
    ASSERT_TRUE(disk_.open(segment_1, open_mode::read_only).value()->read(0, std::span{&into, 1}));
  }
  const chunk_write write{chunk_number(2), copy};
  ASSERT_TRUE(store_->write(std::span{&write, 1}).front());
  ASSERT_TRUE(drop(1));
  ASSERT_TRUE(drop(2));
  ASSERT_TRUE(put(3));
  store_.reset();
  // Without the header of chunk 2 the scan walks through its payload.
  disk_.flip_bit(segment_1, 2 * 4096 * 8);
  index_ = make_memory_kv(chunk_index_tables);
  const auto report = rebuild_index(options_, disk_, *index_, {});
  ASSERT_TRUE(report);
  EXPECT_EQ(report->chunks, 2u) << "chunks 1 (deleted, not yet punched) and 3";
}

TEST_F(chunk_store_failure, names_each_kind_of_damage_when_checked) {
  for (std::uint64_t n = 0; n < 20; ++n) ASSERT_TRUE(put(n));
  tidy();
  store_.reset();
  disk_.flip_bit(segment_1, (3 * 68 * 1024 + 30) * 8);         // a header
  disk_.flip_bit(segment_1, (5 * 68 * 1024 + 4096 + 500) * 8); // a payload
  const auto size = disk_.open(segment_1, open_mode::read_only).value()->size().value();
  auto report = checked();
  ASSERT_EQ(report.problems.size(), 2u);
  EXPECT_NE(report.problems[0].find("header checksum"), std::string::npos) << report.problems[0];
  EXPECT_NE(report.problems[1].find("checksum of block 0"), std::string::npos) << report.problems[1];
  EXPECT_EQ(check_disk(options_, disk_, *index_, false, {})->problems.size(), 1u) << "payloads only when deep";
  disk_.flip_bit(segment_1, (size - 4096 + 30) * 8); // the footer's trailer
  report = checked();
  ASSERT_EQ(report.problems.size(), 3u);
  EXPECT_NE(report.problems[0].find("footer of segment 1"), std::string::npos) << report.problems[0];
}

} // namespace cairn::storage::chunk_store_failure_test

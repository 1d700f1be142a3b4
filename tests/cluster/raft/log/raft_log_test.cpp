#include "tests/base/temporary_directory.hpp"
#include "tests/cluster/raft/log/log_disk.hpp"

namespace cairn::cluster::raft::raft_log_test {
constexpr const char *first_segment = "0000000000000001.seg", *second_segment = "0000000000000002.seg";

snapshot_record snapshot_at(index_t index, term_t term = 1) {
  return {index, term, {{{1, server_role::voter}}}, 1};
}

// On real files and on those in memory.
class raft_log_of : public testing::TestWithParam<const char*> {
protected:
  void SetUp() override { open(); }
  void open() {
    const bool memory = std::string_view{GetParam()} == "memory";
    auto& files = memory ? static_cast<file_system&>(disk.files) : posix_file_system();
    made =
        std::make_unique<raft_log>(files, memory ? log_folder : directory.path() + "/log", disk.random, disk.options);
  }
  raft_log& log() { return *made; }
  void write(const log_write& w) { ASSERT_TRUE(log().write({&w, 1})); }

  temporary_directory directory;
  log_disk disk;
  std::unique_ptr<raft_log> made;
};

class raft_log_on_disk : public testing::Test {
protected:
  raft_log_on_disk() {
    disk.open();
    EXPECT_TRUE(disk.log->begin(raft_core::first_state(1)));
  }
  void write(const log_write& w) {
    const auto written = disk.write(w);
    ASSERT_TRUE(written) << to_string(written.error());
  }
  log_disk disk;
};

TEST_P(raft_log_of, a_new_server_has_an_empty_log_and_begins_once) {
  auto empty = log().load(0).value();
  EXPECT_EQ(empty.vote.term, 0u);
  EXPECT_EQ(empty.first, 1u);
  EXPECT_TRUE(empty.entries.empty());
  ASSERT_TRUE(log().begin(raft_core::first_state(7)));
  EXPECT_EQ(log().begin(raft_core::first_state(7)).error().code, errc::invalid_argument);
  const auto first = log().load(0).value();
  ASSERT_EQ(first.entries.size(), 1u);
  EXPECT_EQ(first.entries[0].kind, entry_kind::change);
  EXPECT_EQ(log().begin(raft_core::first_state(7)).error().code, errc::invalid_argument);
}

TEST_P(raft_log_of, a_log_may_begin_behind_a_state) {
  ASSERT_TRUE(log().begin(raft_core::first_state(7, 40)));
  open();
  const auto back = log().load(40).value();
  EXPECT_EQ(back.first, 41u);
  EXPECT_EQ(back.snapshot->index, 40u);
  EXPECT_TRUE(back.snapshot->servers.is_voter(7));
  EXPECT_EQ(log().begin(raft_core::first_state(7, 40)).error().code, errc::invalid_argument);
  write(entries(41, 1, 2));
  EXPECT_EQ(log().read(41, 9).value().size(), 2u);
}

TEST_P(raft_log_of, entries_replace_the_log_from_their_first_on_and_survive_a_reopening) {
  ASSERT_TRUE(log().begin(raft_core::first_state(1)));
  write(entries(2, 1, 9));
  log_write w = entries(5, 3, 2);
  w.vote = vote_record{3, 2};
  write(w);
  open();
  const auto back = log().load(3).value();
  EXPECT_EQ(back.vote.term, 3u);
  EXPECT_EQ(back.vote.vote, 2u);
  ASSERT_EQ(back.entries.size(), 6u);
  EXPECT_TRUE(back.entries[0].bytes) << "a configuration's bytes are always there";
  EXPECT_FALSE(back.entries[2].bytes) << "applied";
  EXPECT_EQ(back.entries[3].term, 1u);
  EXPECT_EQ(back.entries[4].term, 3u);
  EXPECT_EQ(back.entries[5].view(), "ggg");
}

TEST_P(raft_log_of, a_compaction_keeps_what_it_was_told_and_a_snapshot_replaces_all) {
  ASSERT_TRUE(log().begin(raft_core::first_state(1)));
  write(entries(2, 1, 19));
  log_write w;
  w.compaction = compaction{snapshot_at(15), 11};
  write(w);
  for (int opened = 0; opened < 2; ++opened, open()) {
    const auto back = log().load(0).value();
    EXPECT_EQ(back.first, 11u);
    EXPECT_EQ(back.entries.size(), 10u);
    EXPECT_EQ(back.snapshot->index, 15u);
    EXPECT_TRUE(log().read(10, 5).value().empty());
    EXPECT_EQ(log().read(11, 5).value().size(), 5u);
  }
  log_write s;
  s.snapshot = snapshot_record{40, 4, {{{1, server_role::voter}, {2, server_role::standby}}}, 33};
  write(s);
  open();
  const auto back = log().load(40).value();
  EXPECT_EQ(back.first, 41u);
  EXPECT_TRUE(back.entries.empty());
  EXPECT_EQ(back.snapshot->servers_index, 33u);
  EXPECT_EQ(back.snapshot->servers.servers.size(), 2u);
  write(entries(41, 5, 2));
  EXPECT_EQ(log().load(40).value().entries.size(), 2u);
}

TEST_P(raft_log_of, a_read_is_bounded_in_bytes_but_gives_at_least_one_entry) {
  ASSERT_TRUE(log().begin(raft_core::first_state(1)));
  write(entries(2, 1, 10, 1000));
  EXPECT_EQ(log().read(2, 100).value().size(), 10u);
  EXPECT_EQ(log().read(2, 4).value().size(), 4u);
  EXPECT_EQ(log().read(2, 100, 3100).value().size(), 3u);
  EXPECT_EQ(log().read(2, 100, 1).value().size(), 1u);
  EXPECT_TRUE(log().read(12, 100).value().empty());
}

TEST_P(raft_log_of, entries_span_segments_and_large_ones_get_larger_segments) {
  ASSERT_TRUE(log().begin(raft_core::first_state(1)));
  for (index_t i = 2; i < 40; ++i) write(entries(i, 1, 1, 3000));
  write(entries(40, 1, 1, 300'000));
  write(entries(41, 1, 50, 1000)); // several batches
  open();
  const auto back = log().load(0).value();
  ASSERT_EQ(back.entries.size(), 90u);
  EXPECT_EQ(back.entries[39].view().size(), 300'000u);
  EXPECT_EQ(back.entries[89].view(), std::string(1000, 'a' + 90 % 26));
  EXPECT_EQ(log().read(40, 1).value()[0].view().size(), 300'000u);
}

INSTANTIATE_TEST_SUITE_P(files, raft_log_of, testing::Values("memory", "posix"),
                         [](const auto& tested) { return std::string{tested.param}; });

// ── space ──

TEST_F(raft_log_on_disk, compaction_removes_the_segments_that_hold_nothing_that_is_needed) {
  for (index_t i = 2; i <= 100; ++i) write(entries(i, 1, 1));
  const auto before = disk.names().size();
  log_write w;
  w.compaction = compaction{snapshot_at(95), 90};
  write(w);
  EXPECT_LT(disk.names().size(), before - 3);
  EXPECT_EQ(disk.load(95)->entries.size(), 11u);
  EXPECT_EQ(disk.log->read(90, 1)->size(), 1u);
}

TEST_F(raft_log_on_disk, a_removed_segment_that_is_back_after_a_crash_changes_nothing) {
  for (int round = 0; round < 50; ++round) {
    log_disk d{std::uint64_t(round + 1)};
    ASSERT_TRUE(d.open().begin(raft_core::first_state(1)));
    for (index_t i = 2; i <= 60; ++i) ASSERT_TRUE(d.write(entries(i, 1, 1)));
    log_write w;
    w.compaction = compaction{snapshot_at(55), 50};
    ASSERT_TRUE(d.write(w));
    d.lose_power();
    const auto back = d.load();
    ASSERT_TRUE(back) << to_string(back.error());
    EXPECT_EQ(back->first, 50u);
    EXPECT_EQ(back->entries.size(), 11u);
  }
}

TEST_F(raft_log_on_disk, a_full_disk_is_no_space_and_the_log_goes_on_when_there_is_room) {
  index_t i = 2;
  disk.fail_at(1, errc::no_space, [](auto o) { return o == disk_operation::preallocate; });
  for (; disk.write(entries(i, 1, 1)); ++i) ASSERT_LT(i, 100u);
  EXPECT_EQ(disk.write(entries(i, 1, 1)).error(), errc::read_only) << "until it is read again";
  disk.files.set_fault({});
  EXPECT_EQ(disk.log->load(0)->entries.size(), i - 1);
  write(entries(i, 1, 1));
  EXPECT_EQ(disk.load()->entries.size(), i);
}

TEST(raft_log, makes_smaller_segments_on_a_disk_that_is_nearly_full_and_frees_them) {
  log_disk disk{1, 256 << 10};
  disk.options.segment_bytes = 100 << 10;
  ASSERT_TRUE(disk.open().begin(raft_core::first_state(1)));
  index_t last = 1;
  while (disk.write(entries(last + 1, 1, 1))) ++last;
  EXPECT_GT(last, 50u) << "of 64 pages, two for the vote, one for the marker";
  EXPECT_GT(disk.names().size(), 5u);
  EXPECT_EQ(disk.log->load(0)->entries.size(), last);
  log_write w;
  w.compaction = compaction{snapshot_at(last), last};
  EXPECT_EQ(disk.write(w).error(), errc::no_space);
}

// Each operation of a run of writes fails in turn, with each error; then the power fails as well.
TEST(raft_log, keeps_what_it_acknowledged_whatever_operation_fails) {
  for (const auto code : {errc::no_space, errc::io_error}) {
    for (std::uint64_t nth = 1;; ++nth) {
      log_disk disk{nth};
      ASSERT_TRUE(disk.open().begin(raft_core::first_state(1)));
      const auto changes = [](disk_operation o) {
        return o != disk_operation::read && o != disk_operation::read_cached && o != disk_operation::list;
      };
      disk.fail_at(nth, code, changes);
      index_t acknowledged = 1;
      term_t voted = 1;
      for (index_t i = 2; i <= 40; ++i) {
        auto w = entries(i, 1, 1);
        if (i % 7 == 0) w.vote = vote_record{i, 1};
        if (!disk.write(w)) break;
        acknowledged = i;
        if (w.vote) voted = i;
      }
      if (nth % 2 == 0) disk.lose_power();
      disk.files.set_fault({});
      const auto back = disk.load();
      ASSERT_TRUE(back) << nth << ": " << to_string(back.error());
      EXPECT_GE(back->entries.size(), acknowledged) << nth;
      EXPECT_LE(back->entries.size(), acknowledged + 1) << nth;
      EXPECT_GE(back->vote.term, voted) << nth;
      if (acknowledged == 40) break;
    }
  }
}

// ── crashes ──

// The last batch's bytes are cut at every length, as if only these had reached the disk.
TEST(raft_log, cuts_off_a_write_that_was_torn_at_any_byte) {
  log_disk whole;
  ASSERT_TRUE(whole.open().begin(raft_core::first_state(1)));
  ASSERT_TRUE(whole.write(entries(2, 1, 3)));
  const auto end = whole.log->segments()->back().end;
  ASSERT_TRUE(whole.write(entries(5, 1, 4, 30)));
  const auto bytes = whole.read_file(first_segment).substr(end, 4096);
  const auto length = bytes.find_last_not_of('\0') + 1;
  for (std::size_t kept = 0; kept <= length; ++kept) {
    const auto copy = whole.files.image();
    {
      const auto file = copy->open(log_folder + "/" + first_segment, open_mode::read_write).value();
      auto torn = bytes.substr(0, kept);
      torn.resize(4096);
      ASSERT_TRUE(write_bytes(*file, end, torn));
    }
    raft_log log{*copy, log_folder, whole.random, whole.options};
    const auto back = log.load(0);
    ASSERT_TRUE(back) << kept << ": " << to_string(back.error());
    ASSERT_EQ(back->entries.size(), kept == length ? 8u : 4u) << kept;
    const auto w = entries(back->entries.size() + 1, 2, 1);
    ASSERT_TRUE(log.write({&w, 1}));
    raft_log again{*copy, log_folder, whole.random, whole.options};
    EXPECT_EQ(again.load(0)->entries.size(), back->entries.size() + 1) << kept;
  }
}

// A write, of which any part may be on the disk, after others that were acknowledged; several lives.
TEST(raft_log, has_a_prefix_of_the_writes_with_all_that_were_acknowledged_after_any_crash) {
  for (std::uint64_t seed = 1; seed <= 1000; ++seed) {
    log_disk disk{seed};
    auto& random = disk.random;
    ASSERT_TRUE(disk.open().begin(raft_core::first_state(1)));
    stored_state known = disk.log->load(0).value();
    for (int life = 0; life < 6; ++life) {
      const auto writes = random.next() % 12;
      for (std::uint64_t i = 0; i < writes; ++i) {
        log_write w;
        const auto last = known.first + known.entries.size() - 1;
        const auto term = known.vote.term + random.next() % 2;
        if (term != known.vote.term) w.vote = vote_record{term, random.next() % 3};
        const auto kind = random.next() % 10;
        if (kind == 0 && last > known.first) {
          w.compaction = compaction{snapshot_at(last, known.entries.back().term), last - random.next() % 3};
          w.compaction->keep = std::max(w.compaction->keep, known.first);
        } else if (kind == 1) {
          w.snapshot = snapshot_at(last + 5, term);
        } else if (kind < 8) {
          const auto back = random.next() % 4 == 0 ? std::min<index_t>(random.next() % 4, known.entries.size()) : 0;
          const auto e = entries(last + 1 - back, term, 1 + random.next() % 4, 1 + random.next() % 6000);
          w.first = e.first;
          w.entries = e.entries;
        }
        const bool dies = i + 1 == writes && random.next() % 2 == 0;
        if (dies) disk.fail_at(1 + random.next() % 8, errc::io_error, [](auto) { return true; });
        const auto before = known;
        if (w.vote) known.vote = *w.vote;
        if (w.snapshot) {
          known.snapshot = w.snapshot;
          known.first = w.snapshot->index + 1;
          known.entries.clear();
        }
        if (!w.entries.empty()) known.entries.resize(w.first - known.first);
        known.entries.insert(known.entries.end(), w.entries.begin(), w.entries.end());
        if (w.compaction) {
          known.snapshot = w.compaction->record;
          known.entries.erase(known.entries.begin(),
                              known.entries.begin() + std::ptrdiff_t(w.compaction->keep - known.first));
          known.first = w.compaction->keep;
        }
        const bool written = disk.write(w).has_value();
        disk.files.set_fault({});
        if (written) continue;
        ASSERT_TRUE(dies) << seed;
        if (random.next() % 2 == 0) disk.lose_power(); // or only the process ends
        if (random.next() % 2 == 0) {                  // and the next start is interrupted, too
          disk.open();
          disk.fail_at(1 + random.next() % 12, errc::io_error, [](auto) { return true; });
          static_cast<void>(disk.log->load(0));
          disk.lose_power();
        }
        auto back = disk.load();
        ASSERT_TRUE(back) << seed << ": " << to_string(back.error());
        // The vote may be there without the rest, and a part of the entries without all of them.
        auto part = known;
        part.vote = back->vote;
        auto nothing = before;
        nothing.vote = back->vote;
        while (!equal(*back, part) &&
               part.entries.size() > (w.entries.empty() ? part.entries.size() : w.first - part.first))
          part.entries.pop_back();
        const bool is_vote = back->vote.term == known.vote.term ? back->vote.vote == known.vote.vote
                                                                : back->vote.term == before.vote.term;
        ASSERT_TRUE(is_vote && (equal(*back, part) || equal(*back, nothing))) << seed << " life " << life;
        ASSERT_TRUE(back->entries.empty() || back->entries.back().term <= back->vote.term)
            << seed << " life " << life << ": an entry of a term that the server has not reached";
        known = *back;
      }
      if (random.next() % 2 == 0) disk.lose_power();
      auto back = disk.load();
      ASSERT_TRUE(back) << seed << ": " << to_string(back.error());
      ASSERT_TRUE(equal(*back, known)) << seed << " life " << life;
    }
  }
}

// ── damage ──

// Every bit of what the log needs, in turn: nothing acknowledged is cut off, and no file is changed.
TEST_F(raft_log_on_disk, a_bit_that_flips_before_the_last_batch_is_corrupt_and_never_cut_off) {
  write(entries(2, 1, 3));
  write(entries(5, 2, 2, 50));
  write(entries(7, 2, 1));
  const auto end = disk.log->segments()->back().end;
  disk.log.reset();
  std::size_t tried = 0;
  for (std::uint64_t at = 0; at < end - 4096; ++at) {
    if (at % 4096 > 330) continue; // the padding
    const auto copy = disk.files.image();
    copy->flip_bit(log_folder + "/" + first_segment, at * 8 + at % 8);
    const auto before = copy->open(log_folder + "/" + first_segment, open_mode::read_only).value();
    const auto bytes = read_bytes(*before, 0, before->size().value()).value();
    auto options = disk.options;
    options.damage = std::make_shared<storage::kv_damage>("test");
    raft_log log{*copy, log_folder, disk.random, options};
    const auto back = log.load(0);
    if (back) {
      EXPECT_EQ(back->entries.size(), 7u) << at << ": not needed";
      continue;
    }
    ++tried;
    ASSERT_EQ(back.error(), errc::corrupt) << at;
    EXPECT_EQ(options.damage->count(), 1u);
    EXPECT_EQ(log.write({}).error(), errc::corrupt);
    EXPECT_EQ(read_bytes(*before, 0, bytes.size()).value(), bytes) << at;
  }
  EXPECT_GT(tried, 500u);
}

TEST_F(raft_log_on_disk, a_last_batch_that_the_state_contains_is_not_cut_off_when_it_is_damaged) {
  write(entries(2, 1, 3));
  write(entries(5, 1, 2));
  disk.flip(first_segment, disk.log->segments()->back().end - 4096 + 40);
  const auto before = disk.read_file(first_segment);
  EXPECT_EQ(disk.load(6).error(), errc::corrupt);
  EXPECT_EQ(disk.load(5).error(), errc::corrupt);
  EXPECT_EQ(disk.read_file(first_segment), before);
  EXPECT_EQ(disk.open().load_what_is_there()->entries.size(), 4u);
  EXPECT_EQ(disk.load(4)->entries.size(), 4u) << "to the state it is an interrupted write";
}

TEST_F(raft_log_on_disk, the_last_batch_of_a_segment_with_a_later_segment_is_not_cut_off) {
  for (index_t i = 2; i <= 20; ++i) write(entries(i, 1, 1));
  const auto segments = disk.log->segments().value();
  ASSERT_EQ(segments.size(), 2u);
  disk.flip(first_segment, segments[0].end - 4096 + 40);
  EXPECT_EQ(disk.load().error(), errc::corrupt);
}

TEST_F(raft_log_on_disk, a_segment_or_vote_that_is_missing_is_corrupt) {
  for (index_t i = 2; i <= 50; ++i) write(entries(i, 1, 1));
  const auto copy = disk.files.image();
  ASSERT_TRUE(copy->remove(log_folder + "/" + second_segment));
  EXPECT_EQ(raft_log(*copy, log_folder, disk.random, disk.options).load(0).error(), errc::corrupt);
  ASSERT_TRUE(disk.files.remove(log_folder + "/vote"));
  EXPECT_EQ(disk.load().error(), errc::corrupt);
  for (const auto& name : disk.names()) {
    if (!name.ends_with(".seg")) continue;
    ASSERT_TRUE(disk.files.remove(log_folder + "/" + name));
  }
  EXPECT_EQ(disk.load().error(), errc::corrupt) << "its marker says that it was no new directory";
}

TEST_F(raft_log_on_disk, an_entry_that_rots_later_is_found_when_it_is_read_and_by_the_check) {
  for (index_t i = 2; i <= 40; ++i) write(entries(i, 1, 1, 100));
  log_check check{*disk.log};
  const auto pass = [&check](std::size_t records) {
    storage::kv_checked all;
    do {
      const auto step = check.step(records);
      all.rows += step.rows;
      if (step.damage) all.damage = step.damage;
      all.done = step.done;
    } while (!all.done);
    return all;
  };
  for (const std::size_t records : {1u, 7u, 1000u}) {
    const auto all = pass(records);
    EXPECT_EQ(all.rows, 40u);
    EXPECT_FALSE(all.damage);
  }
  disk.flip(first_segment, 4096 * 5 + 80);
  EXPECT_EQ(disk.log->read(1, 100).error(), errc::corrupt);
  EXPECT_EQ(disk.options.damage->count(), 1u);
  EXPECT_EQ(pass(3).damage->code, errc::corrupt);
  EXPECT_FALSE(disk.options.damage->first().empty());
  EXPECT_TRUE(disk.log->read(30, 5)) << "others are readable";
}

TEST_F(raft_log_on_disk, the_check_finds_damage_of_headers_and_of_the_vote_and_follows_what_is_removed) {
  for (index_t i = 2; i <= 40; ++i) write(entries(i, 1, 1));
  log_check check{*disk.log};
  EXPECT_FALSE(check.step(1).damage);
  disk.flip(second_segment, 100);
  disk.flip("vote", 20);
  std::vector<errc> found;
  for (int pass = 0; pass < 2; ++pass)
    for (bool done = false; !done;) {
      const auto step = check.step(1);
      if (step.damage) found.push_back(step.damage->code);
      done = step.done;
    }
  EXPECT_EQ(found.size(), 3u) << "the header twice, the vote once";
  log_write w;
  w.compaction = compaction{snapshot_at(40), 40};
  check.step(1);
  write(w);
  EXPECT_TRUE(check.step(1000).done);
}

// What clients store looks like a batch.
TEST(raft_log, bytes_of_entries_are_never_taken_for_a_batch) {
  log_disk disk;
  ASSERT_TRUE(disk.open().begin(raft_core::first_state(1)));
  batch_writer imitation;
  imitation.add(entry{1, entry_kind::command, share("x")}, 9);
  const auto page = imitation.finish(0, 3, 0).bytes; // of another salt
  log_write w;
  w.first = 2;
  std::string bytes(4096 - batch_header_bytes - record_header_bytes, 'x');
  w.entries.push_back({1, entry_kind::command, share(bytes + page + page)});
  ASSERT_TRUE(disk.write(w));
  const auto end = disk.log->segments()->back().end;
  disk.flip(first_segment, end - 3 * 4096 + 70); // as if it were torn
  ASSERT_TRUE(disk.load());
  EXPECT_EQ(disk.log->load(0)->entries.size(), 1u);
}

} // namespace cairn::cluster::raft::raft_log_test

// Rows with checksums on the memory engine, where a test can damage them; and directories of older builds.
#include "storage/kv/checked_kv.hpp"
#include "tests/base/temporary_directory.hpp"

#include <gtest/gtest.h>

namespace cairn::storage::checked_kv_test {
class checked_kv : public testing::Test {
protected:
  void SetUp() override {
    auto memory = make_memory_kv(3);
    below = memory.get();
    engine = make_checked_kv(std::move(memory), {.tables = 2, .damage = damage}).value();
    auto writer = engine->begin_write().value();
    for (const char* key : {"a", "b", "c", "d"}) writer->put(0, key, std::string{"value of "} + key);
    writer->put(1, "b", "another table");
    ASSERT_TRUE(writer->commit());
  }
  std::string stored(table_id table, std::string_view key) const {
    return std::string{below->begin_read().value()->get(table, key).value()};
  }
  void store(table_id table, std::string_view key, std::string_view value) const {
    auto writer = below->begin_write().value();
    writer->put(table, key, value);
    ASSERT_TRUE(writer->commit());
  }
  void flip(table_id table, std::string_view key, std::size_t byte) const {
    std::string bytes = stored(table, key);
    bytes[byte] = static_cast<char>(bytes[byte] ^ 1);
    store(table, key, bytes);
  }
  std::unique_ptr<kv_reader> read() const { return engine->begin_read().value(); }

  std::shared_ptr<kv_damage> damage = std::make_shared<kv_damage>("test");
  std::unique_ptr<kv_engine> engine;
  kv_engine* below = nullptr;
};

TEST_F(checked_kv, answers_a_row_whose_bits_were_flipped_anywhere_as_corrupt_and_the_others_as_they_were_written) {
  const std::string good = stored(0, "b");
  for (std::size_t byte = 0; byte < good.size(); ++byte) {
    store(0, "b", good);
    flip(0, "b", byte);
    const auto reader = read();
    EXPECT_EQ(reader->get(0, "a"), "value of a");
    EXPECT_EQ(reader->get(0, "b"), std::nullopt) << byte;
    ASSERT_FALSE(reader->status());
    EXPECT_EQ(reader->status().error(), errc::corrupt);
    EXPECT_NE(reader->status().error().text.find("table 0, key 62"), std::string::npos);
    EXPECT_EQ(reader->get(0, "a"), std::nullopt); // errors stick
    EXPECT_EQ(read()->get(0, "c"), "value of c");
  }
  EXPECT_EQ(damage->count(), 1u); // a place is counted once
  EXPECT_NE(damage->first().find("table 0, key 62"), std::string::npos);
}

TEST_F(checked_kv, answers_every_length_that_a_row_was_cut_to_as_corrupt) {
  const std::string good = stored(0, "b");
  for (std::size_t size = 0; size < good.size(); ++size) {
    store(0, "b", good.substr(0, size));
    const auto reader = read();
    EXPECT_EQ(reader->get(0, "b"), std::nullopt);
    EXPECT_FALSE(reader->status());
  }
}

TEST_F(checked_kv, reports_a_row_of_another_key_or_table_as_damaged) {
  store(0, "c", stored(0, "b"));
  auto reader = read();
  EXPECT_EQ(reader->get(0, "c"), std::nullopt);
  EXPECT_FALSE(reader->status());
  store(1, "b", stored(0, "b"));
  reader = read();
  EXPECT_EQ(reader->get(1, "b"), std::nullopt);
  EXPECT_FALSE(reader->status());
}

TEST_F(checked_kv, does_not_report_a_row_as_missing_when_its_key_is_damaged) {
  const std::string value = stored(0, "b");
  for (const char* rotten : {"bb", "c\x01", "\x01"}) {
    auto writer = below->begin_write().value();
    EXPECT_TRUE(writer->erase(0, "b"));
    writer->put(0, rotten, value);
    ASSERT_TRUE(writer->commit());
    writer.reset();
    const bool beside = rotten[0] == 'b';
    const auto reader = read();
    EXPECT_EQ(reader->get(0, "b"), std::nullopt);
    EXPECT_EQ(reader->status().has_value(), !beside) << rotten;
    const auto walk = read();
    const auto cursor = walk->cursor(0);
    for (auto row = cursor->seek(""); row; row = cursor->next())
      EXPECT_EQ(row->value, std::string{"value of "} + std::string{row->key});
    EXPECT_FALSE(walk->status()) << rotten;
    if (beside) {
      const auto seeker = read();
      EXPECT_EQ(seeker->cursor(0)->seek("b\x7f"), std::nullopt);
      EXPECT_FALSE(seeker->status());
      const auto eraser = engine->begin_write().value();
      EXPECT_FALSE(eraser->erase(0, "b"));
      EXPECT_FALSE(eraser->commit());
    }
    writer = below->begin_write().value();
    writer->erase(0, rotten);
    writer->put(0, "b", value);
    ASSERT_TRUE(writer->commit());
  }
}

TEST_F(checked_kv, passes_over_damaged_rows_in_a_walk_that_asks_for_it) {
  flip(0, "b", 3);
  flip(0, "c", 3);
  const auto reader = read();
  const auto cursor = reader->cursor(0);
  reader->skip_damaged_rows(true);
  EXPECT_FALSE(reader->has_skipped_rows());
  EXPECT_EQ(cursor->seek("")->key, "a");
  EXPECT_EQ(cursor->next()->key, "d");
  EXPECT_TRUE(reader->has_skipped_rows());
  EXPECT_EQ(cursor->next(), std::nullopt);
  for (const char* from : {"b", "bb", "c", "cc", "d"}) EXPECT_EQ(cursor->seek(from)->key, "d") << from;
  EXPECT_TRUE(reader->status());
  EXPECT_EQ(damage->count(), 2u) << "they are reported all the same";
  reader->skip_damaged_rows(false);
  EXPECT_EQ(cursor->seek("b"), std::nullopt);
  EXPECT_EQ(reader->status().error(), errc::corrupt);
  const auto other = read();
  other->skip_damaged_rows(true);
  EXPECT_EQ(other->get(0, "b"), std::nullopt) << "a look-up fails";
  EXPECT_EQ(other->status().error(), errc::corrupt);
}

TEST_F(checked_kv, ends_an_iteration_at_the_damaged_row) {
  flip(0, "c", 3);
  const auto reader = read();
  const auto cursor = reader->cursor(0);
  EXPECT_EQ(cursor->seek("")->value, "value of a");
  EXPECT_EQ(cursor->next()->value, "value of b");
  EXPECT_EQ(cursor->next(), std::nullopt);
  EXPECT_EQ(reader->status().error(), errc::corrupt);
}

TEST_F(checked_kv, commits_nothing_of_a_transaction_that_met_damage_and_goes_on_with_the_next) {
  flip(0, "c", 3);
  {
    const auto writer = engine->begin_write().value();
    writer->put(0, "a", "changed");
    EXPECT_EQ(writer->get(0, "c"), std::nullopt);
    EXPECT_EQ(writer->commit().error(), errc::corrupt);
  }
  EXPECT_EQ(read()->get(0, "a"), "value of a");
  const auto writer = engine->begin_write().value();
  writer->put(0, "c", "written again");
  ASSERT_TRUE(writer->commit());
  EXPECT_EQ(read()->get(0, "c"), "written again");
}

TEST_F(checked_kv, is_intact_after_it_was_replaced) {
  flip(0, "c", 3);
  EXPECT_EQ(read()->get(0, "c"), std::nullopt);
  ASSERT_TRUE(engine->replace([](kv_writer& w) -> result<void> {
    w.put(0, "c", "from elsewhere");
    return {};
  }));
  EXPECT_EQ(damage->first(), "");
  EXPECT_EQ(damage->count(), 1u);
  EXPECT_EQ(read()->get(0, "c"), "from elsewhere");
  EXPECT_EQ(stored(0, "c").size(), std::string_view{"from elsewhere"}.size() + 5);
}

class page_values : public testing::Test {
protected:
  static constexpr table_id table = 1, checked = 2;
  static constexpr std::size_t page = 4096 - 16; // bytes of a value behind the page's header

  std::unique_ptr<kv_engine> open(std::unique_ptr<kv_engine> from) {
    below = from.get();
    return make_checked_kv(std::move(from), {.tables = 2, .page_values = table, .damage = damage}).value();
  }
  static std::string value(std::size_t bytes) {
    std::string v(bytes, ' ');
    for (std::size_t i = 0; i < bytes; ++i) v[i] = static_cast<char>('a' + i % 23);
    return v;
  }
  void put(std::string_view key, std::string_view bytes) const {
    auto writer = engine->begin_write().value();
    writer->put(table, key, bytes);
    ASSERT_TRUE(writer->commit());
  }
  std::optional<std::string> stored(table_id t, std::string_view key) const {
    const auto reader = below->begin_read().value();
    const auto found = reader->get(t, key);
    return found ? std::optional<std::string>{*found} : std::nullopt;
  }
  void store(table_id t, std::string_view key, std::string_view bytes) const {
    auto writer = below->begin_write().value();
    writer->put(t, key, bytes);
    ASSERT_TRUE(writer->commit());
  }
  static std::string end_of(std::string_view key) { return std::string{"end"} + char(table) + std::string{key}; }
  std::unique_ptr<kv_reader> read() const { return engine->begin_read().value(); }
  void expect_damage() const {
    const auto reader = read();
    EXPECT_EQ(reader->get(table, "b"), std::nullopt);
    EXPECT_EQ(reader->status().error(), errc::corrupt);
    const auto walk = read();
    EXPECT_EQ(walk->cursor(table)->seek("b"), std::nullopt);
    EXPECT_EQ(walk->status().error(), errc::corrupt);
  }

  std::shared_ptr<kv_damage> damage = std::make_shared<kv_damage>("test");
  kv_engine* below = nullptr;
  std::unique_ptr<kv_engine> engine = open(make_memory_kv(3));
};

TEST_F(page_values, of_four_kib_fill_one_page_and_their_end_has_a_row_of_its_own) {
  put("b", value(4096));
  EXPECT_EQ(stored(table, "b")->size(), page);
  EXPECT_EQ(stored(checked, end_of("b"))->size(), 4096 + 5 - page + 5);
  auto writer = engine->begin_write().value();
  writer->put(0, "b", value(4096)); // another table
  ASSERT_TRUE(writer->commit());
  EXPECT_EQ(stored(0, "b")->size(), 4096u + 5);
}

TEST_F(page_values, of_all_lengths_are_read_as_they_were_written_in_no_more_pages_than_they_need) {
  const temporary_directory directory;
  auto lmdb = open_plain_lmdb({.directory = directory.path(), .tables = 2}, std::string{checked_kv_table});
  for (const bool on_disk : {false, true}) {
    if (on_disk) engine = open(std::move(*lmdb));
    for (std::size_t size = 0; size < 3 * page; size += size % page < 400 || size % page > page - 400 ? 1 : 97) {
      auto writer = engine->begin_write().value();
      writer->put(table, "b", value(size)); // over the one before
      writer->put(table, "d", writer->get(table, "b").value());
      EXPECT_EQ(writer->get(table, "b"), value(size));
      ASSERT_TRUE(writer->commit());
      writer.reset();
      const auto reader = read();
      ASSERT_EQ(reader->get(table, "b"), value(size)) << size;
      const auto cursor = reader->cursor(table);
      ASSERT_EQ(cursor->seek("a")->value, value(size));
      ASSERT_EQ(cursor->next()->value, value(size));
      ASSERT_EQ(cursor->before("d")->value, value(size));
      ASSERT_EQ(reader->entries(table), 2u);
      ASSERT_TRUE(reader->status());
      const bool split = stored(table, "b")->size() != size + 5;
      ASSERT_EQ(split, stored(checked, end_of("b")).has_value()) << size;
      ASSERT_TRUE(!split || stored(table, "b")->size() % 4096 == page) << size;
    }
    EXPECT_EQ(damage->count(), 0u);
  }
}

TEST_F(page_values, leave_no_end_behind) {
  put("b", value(4096));
  put("b", value(100));
  EXPECT_EQ(stored(checked, end_of("b")), std::nullopt);
  EXPECT_EQ(read()->get(table, "b"), value(100));
  put("b", value(8192));
  ASSERT_TRUE(stored(checked, end_of("b")));
  auto writer = engine->begin_write().value();
  EXPECT_TRUE(writer->erase(table, "b"));
  EXPECT_FALSE(writer->erase(table, "b"));
  ASSERT_TRUE(writer->commit());
  EXPECT_EQ(stored(checked, end_of("b")), std::nullopt);
  EXPECT_EQ(read()->get(table, "b"), std::nullopt);
}

TEST_F(page_values, are_corrupt_when_a_bit_of_either_row_has_flipped) {
  put("b", value(4096));
  for (const auto& [t, key] : {std::pair{table, std::string{"b"}}, std::pair{checked, end_of("b")}}) {
    const auto good = *stored(t, key);
    for (std::size_t byte = 0; byte < good.size(); byte += byte < 32 || byte + 32 > good.size() ? 1 : 61) {
      auto bad = good;
      bad[byte] = static_cast<char>(bad[byte] ^ 1);
      store(t, key, bad);
      expect_damage();
    }
    store(t, key, good);
    EXPECT_EQ(read()->get(table, "b"), value(4096));
  }
}

TEST_F(page_values, are_corrupt_without_their_end_or_with_that_of_another_value) {
  put("b", value(4096));
  const auto end = *stored(checked, end_of("b"));
  auto other = value(4096);
  other.back() = '!';
  put("b", other);
  store(checked, end_of("b"), end);
  expect_damage();
  auto writer = below->begin_write().value();
  ASSERT_TRUE(writer->erase(checked, end_of("b")));
  ASSERT_TRUE(writer->commit());
  writer.reset();
  expect_damage();
}

TEST_F(page_values, are_kept_by_a_replacement) {
  ASSERT_TRUE(engine->replace([](kv_writer& w) -> result<void> {
    for (const char* key : {"b", "c"}) w.put(table, key, value(4096));
    w.put(table, "d", value(10));
    return {};
  }));
  EXPECT_EQ(stored(table, "c")->size(), page);
  EXPECT_EQ(read()->get(table, "c"), value(4096));
  EXPECT_EQ(read()->get(table, "d"), value(10));
}

TEST_F(page_values, come_with_a_marker_that_older_builds_refuse) {
  auto marker = *stored(checked, "rows");
  EXPECT_EQ(marker.front(), 2);
  // The row of the version before, as a build before wrote it.
  auto memory = make_memory_kv(3);
  auto* const raw = memory.get();
  auto older = make_checked_kv(std::move(memory), {.tables = 2, .damage = damage}).value();
  auto writer = older->begin_write().value();
  writer->put(table, "b", value(4096));
  writer->put(checked, "rows", std::string{1} + marker.substr(1, marker.size() - 6));
  ASSERT_TRUE(writer->commit());
  writer.reset();
  auto copy = make_memory_kv(3);
  {
    const auto from = raw->begin_read().value();
    auto to = copy->begin_write().value();
    for (table_id t = 0; t < 3; ++t) {
      const auto cursor = from->cursor(t);
      for (auto row = cursor->seek(""); row; row = cursor->next()) to->put(t, row->key, row->value);
    }
    ASSERT_TRUE(to->commit());
  }
  engine = open(std::move(copy));
  EXPECT_EQ(read()->get(table, "b"), value(4096));
  EXPECT_EQ(stored(checked, "rows"), marker);
}

class old_rows : public testing::Test {
protected:
  // Rows without checksums: 3,000 in table 0, one in table 1.
  std::unique_ptr<kv_engine> old_engine() const {
    auto memory = make_memory_kv(3);
    auto writer = memory->begin_write().value();
    for (int i = 0; i < 3000; ++i) writer->put(0, key(i), value(i));
    writer->put(1, "single", "row");
    EXPECT_TRUE(writer->commit());
    return memory;
  }
  static std::string key(int i) { return "key" + std::to_string(100'000 + i); }
  static std::string value(int i) { return "value " + std::to_string(i); }
  static void expect_all(kv_engine& engine) {
    const auto reader = engine.begin_read().value();
    for (int i = 0; i < 3000; ++i) ASSERT_EQ(reader->get(0, key(i)), value(i)) << i;
    EXPECT_EQ(reader->get(1, "single"), "row");
    const auto cursor = reader->cursor(0);
    int rows = 0;
    for (auto row = cursor->seek(""); row; row = cursor->next()) EXPECT_EQ(row->value, value(rows++));
    EXPECT_EQ(rows, 3000);
    EXPECT_TRUE(reader->status());
  }
};

TEST_F(old_rows, are_read_at_once_and_get_their_checksums_with_later_commits) {
  auto memory = old_engine();
  kv_engine* const below = memory.get();
  const auto engine =
      make_checked_kv(std::move(memory), {.tables = 2, .damage = nullptr, .rows_at_open = 0, .rows_per_commit = 100})
          .value();
  expect_all(*engine);
  const auto with_checksum = [&] {
    int n = 0;
    const auto reader = below->begin_read().value();
    for (int i = 0; i < 3000; ++i) n += reader->get(0, key(i))->size() == value(i).size() + 5;
    return n;
  };
  EXPECT_EQ(with_checksum(), 0);
  auto before = engine->begin_read().value();
  int commits = 0;
  for (int last = -1, now = with_checksum(); now < 3000; last = now, now = with_checksum(), ++commits) {
    ASSERT_GT(now, last);
    auto writer = engine->begin_write().value();
    writer->put(0, key(commits * 37 % 3000), value(commits * 37 % 3000)); // on both sides of where it has got to
    ASSERT_TRUE(writer->commit());
    writer.reset();
    expect_all(*engine);
  }
  EXPECT_GE(commits, 30);
  EXPECT_EQ(before->get(0, key(2999)), value(2999)); // a snapshot of the old rows
}

TEST_F(old_rows, are_converted_when_the_engine_is_opened_as_far_as_its_bound_goes_and_again_from_there) {
  auto memory = old_engine();
  kv_engine* const below = memory.get();
  const auto engine = make_checked_kv(std::move(memory), {.tables = 2, .damage = nullptr}).value();
  expect_all(*engine);
  EXPECT_EQ(below->begin_read().value()->get(0, key(2999))->size(), value(2999).size() + 5);
  EXPECT_EQ(below->begin_read().value()->get(1, "single")->size(), 3u + 5);
}

TEST(old_lmdb_directory, opens_goes_on_and_stays_converted) {
  const temporary_directory directory;
  const lmdb_options options{.directory = directory.path(), .tables = 2};
  {
    const auto old = open_plain_lmdb(options).value();
    auto writer = old->begin_write().value();
    for (int i = 0; i < 2000; ++i) writer->put(0, "key" + std::to_string(i), std::string(100 + i, 'v'));
    ASSERT_TRUE(writer->commit());
  }
  for (int start = 0; start < 2; ++start) {
    const auto engine = open_lmdb(options).value();
    const auto reader = engine->begin_read().value();
    for (int i = 0; i < 2000; ++i) ASSERT_EQ(reader->get(0, "key" + std::to_string(i)), std::string(100 + i, 'v'));
    ASSERT_TRUE(reader->status());
  }
  const auto plain = open_plain_lmdb(options, std::string{checked_kv_table}).value();
  EXPECT_EQ(plain->begin_read().value()->get(0, "key7")->size(), 107u + 5);
}

} // namespace cairn::storage::checked_kv_test

// One suite for all engines.
#include "storage/kv/checked_kv.hpp"
#include "tests/base/temporary_directory.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <thread>

namespace cairn::storage::kv_test {
using rows = std::map<std::string, std::string>;

class kv : public testing::TestWithParam<const char*> {
protected:
  void SetUp() override {
    if (std::string_view{GetParam()} == "memory") {
      engine = make_memory_kv(3);
      return;
    }
    if (std::string_view{GetParam()} == "checked_memory") {
      engine = make_checked_kv(make_memory_kv(4), {.tables = 3, .damage = nullptr}).value();
      return;
    }
    const lmdb_options options{.directory = directory.path(), .tables = 3};
    auto opened = std::string_view{GetParam()} == "lmdb" ? open_lmdb(options) : open_plain_lmdb(options);
    ASSERT_TRUE(opened) << opened.error().text;
    engine = std::move(*opened);
  }

  std::unique_ptr<kv_reader> read() { return engine->begin_read().value(); }
  std::unique_ptr<kv_writer> write() { return engine->begin_write().value(); }

  temporary_directory directory;
  std::unique_ptr<kv_engine> engine;
};

rows contents(kv_reader& reader, table_id table = 0) {
  rows all;
  std::string before;
  const auto cursor = reader.cursor(table);
  for (auto row = cursor->seek(""); row; row = cursor->next()) {
    EXPECT_LT(before, row->key);
    before = row->key;
    all.emplace(row->key, row->value);
  }
  EXPECT_TRUE(reader.status());
  return all;
}

INSTANTIATE_TEST_SUITE_P(engines, kv, testing::Values("memory", "lmdb", "plain_lmdb", "checked_memory"),
                         [](const auto& engine) { return engine.param; });

TEST_P(kv, shows_what_was_committed_and_nothing_of_a_dropped_transaction) {
  auto writer = write();
  writer->put(0, "a", "1");
  EXPECT_EQ(writer->get(0, "a"), "1");
  EXPECT_EQ(read()->get(0, "a"), std::nullopt);
  EXPECT_TRUE(writer->commit());
  writer.reset();

  writer = write();
  writer->put(0, "b", "2");
  EXPECT_TRUE(writer->erase(0, "a"));
  EXPECT_FALSE(writer->erase(0, "a"));
  EXPECT_EQ(writer->get(0, "a"), std::nullopt);
  writer.reset();
  EXPECT_EQ(contents(*read()), (rows{{"a", "1"}}));
}

TEST_P(kv, keeps_a_snapshot_as_it_was_while_others_commit) {
  auto writer = write();
  for (int i = 0; i < 100; ++i) writer->put(0, "key" + std::to_string(i), "old");
  ASSERT_TRUE(writer->commit());
  const auto before = read();
  writer = write();
  for (int i = 0; i < 100; ++i) {
    if (i % 2 == 0)
      writer->erase(0, "key" + std::to_string(i));
    else
      writer->put(0, "key" + std::to_string(i), "new");
  }
  ASSERT_TRUE(writer->commit());
  EXPECT_EQ(before->entries(0), 100u);
  for (const auto& [key, value] : contents(*before)) EXPECT_EQ(value, "old") << key;
  const auto after = contents(*read());
  EXPECT_EQ(after.size(), 50u);
  for (const auto& [key, value] : after) EXPECT_EQ(value, "new") << key;
}

TEST_P(kv, sorts_by_unsigned_bytes_and_puts_a_prefix_before_what_it_begins) {
  const rows wanted{{std::string("\0", 1), "1"},
                    {"a", "2"},
                    {std::string("a\0", 2), "3"},
                    {"aa", "4"},
                    {"b", "5"},
                    {"\x7f", "6"},
                    {"\x80", "7"},
                    {"\xff", "8"},
                    {"\xff\xff", "9"}};
  auto writer = write();
  for (auto row = wanted.rbegin(); row != wanted.rend(); ++row) writer->put(0, row->first, row->second);
  ASSERT_TRUE(writer->commit());
  EXPECT_EQ(contents(*read()), wanted);
  const auto reader = read();
  const auto cursor = reader->cursor(0);
  EXPECT_EQ(cursor->seek("ab")->key, "b");
  EXPECT_EQ(cursor->next()->key, "\x7f");
  EXPECT_EQ(cursor->seek("\xff\xff\xff"), std::nullopt);
}

TEST_P(kv, keeps_tables_apart_and_counts_their_rows) {
  auto writer = write();
  writer->put(0, "a", "0");
  writer->put(1, "a", "1");
  writer->put(1, "b", "1");
  EXPECT_EQ(writer->entries(1), 2u);
  ASSERT_TRUE(writer->commit());
  const auto reader = read();
  EXPECT_EQ(reader->get(0, "a"), "0");
  EXPECT_EQ(reader->get(1, "a"), "1");
  EXPECT_EQ(reader->get(2, "a"), std::nullopt);
  EXPECT_EQ(reader->entries(0), 1u);
  EXPECT_EQ(reader->entries(2), 0u);
}

TEST_P(kv, continues_a_cursor_after_its_row_was_erased_or_others_were_added) {
  auto writer = write();
  for (const char* key : {"a", "b", "c", "d"}) writer->put(0, key, key);
  const auto cursor = writer->cursor(0);
  EXPECT_EQ(cursor->seek("a")->key, "a");
  writer->erase(0, "a");
  EXPECT_EQ(cursor->next()->key, "b");
  writer->put(0, "bb", "");
  writer->put(0, "aa", "");
  EXPECT_EQ(cursor->next()->key, "bb");
  writer->erase(0, "bb");
  writer->erase(0, "c");
  EXPECT_EQ(cursor->next()->key, "d");
  EXPECT_FALSE(cursor->next());
}

TEST_P(kv, erases_all_rows_through_one_cursor) {
  auto writer = write();
  for (int i = 0; i < 5000; ++i) writer->put(0, "key" + std::to_string(i), std::string(50, 'v'));
  const auto cursor = writer->cursor(0);
  for (auto row = cursor->seek(""); row; row = cursor->next()) EXPECT_TRUE(writer->erase(0, std::string{row->key}));
  EXPECT_EQ(writer->entries(0), 0u);
  EXPECT_TRUE(writer->commit());
}

TEST_P(kv, takes_a_view_of_its_own_row_as_the_value_of_another) {
  auto writer = write();
  writer->put(0, "a", std::string(3000, 'x'));
  writer->put(1, "b", *writer->get(0, "a"));
  writer->put(0, "a", *writer->get(1, "b"));
  EXPECT_EQ(writer->get(0, "a"), std::string(3000, 'x'));
  EXPECT_EQ(writer->get(1, "b"), std::string(3000, 'x'));
}

TEST_P(kv, stores_values_from_nothing_to_a_megabyte) {
  auto writer = write();
  for (const std::size_t size : {0, 1, 2000, 5000, 1 << 20})
    writer->put(0, std::to_string(size), std::string(size, 's'));
  ASSERT_TRUE(writer->commit());
  const auto reader = read();
  for (const std::size_t size : {0, 1, 2000, 5000, 1 << 20})
    EXPECT_EQ(reader->get(0, std::to_string(size)), std::string(size, 's'));
}

TEST_P(kv, keeps_the_first_error_and_refuses_to_commit) {
  for (const std::string& bad : {std::string{}, std::string(kv_key_bytes_max + 1, 'k')}) {
    auto writer = write();
    writer->put(0, "good", "1");
    writer->put(0, bad, "2");
    writer->put(0, "later", "3");
    EXPECT_EQ(writer->get(0, "good"), std::nullopt);
    EXPECT_EQ(writer->status().error(), errc::invalid_argument);
    EXPECT_EQ(writer->commit().error(), errc::invalid_argument);
    const auto reader = read();
    EXPECT_EQ(reader->get(0, bad), std::nullopt);
    EXPECT_EQ(reader->status().error(), errc::invalid_argument);
  }
  auto writer = write();
  writer->put(0, std::string(kv_key_bytes_max, 'k'), "longest");
  ASSERT_TRUE(writer->commit());
  EXPECT_EQ(contents(*read()), (rows{{std::string(kv_key_bytes_max, 'k'), "longest"}}));
}

TEST_P(kv, can_begin_the_next_write_as_soon_as_a_commit_has_returned) {
  const auto first = write();
  first->put(0, "a", "1");
  ASSERT_TRUE(first->commit());
  const auto second = write();
  second->put(0, "a", *second->get(0, "a"));
  EXPECT_TRUE(second->commit());
}

TEST_P(kv, makes_writers_wait_for_each_other_while_readers_see_whole_commits) {
  constexpr int rounds = 100;
  const auto count_up = [&] {
    for (int i = 0; i < rounds; ++i) {
      auto writer = write();
      const auto before = writer->get(0, "n");
      const std::string next = std::to_string(before ? std::stoi(std::string{*before}) + 1 : 1);
      writer->put(0, "n", next);
      writer->put(1, "copy", next);
      ASSERT_TRUE(writer->commit());
    }
  };
  const auto compare = [&] {
    for (int i = 0; i < rounds; ++i) {
      const auto reader = read();
      EXPECT_EQ(reader->get(0, "n"), reader->get(1, "copy"));
    }
  };
  std::thread writers[] = {std::thread{count_up}, std::thread{count_up}}, reader{compare};
  for (std::thread& t : writers) t.join();
  reader.join();
  EXPECT_EQ(read()->get(0, "n"), std::to_string(2 * rounds));
}

TEST_P(kv, agrees_with_a_sorted_map_over_random_transactions) {
  std::mt19937 random{20240117};
  const auto key = [&] {
    std::string k = std::to_string(random() % 300);
    return random() % 8 == 0 ? k + std::string(random() % 490, '\xfe') : k;
  };
  rows committed;
  for (int round = 0; round < 150; ++round) {
    auto writer = write();
    rows changed = committed;
    for (unsigned i = random() % 60; i > 0; --i) {
      const std::string k = key();
      if (random() % 3 == 0) {
        EXPECT_EQ(writer->erase(0, k), changed.erase(k) == 1);
      } else {
        const std::string value(random() % 700, static_cast<char>('a' + random() % 26));
        writer->put(0, k, value);
        changed[k] = value;
      }
      const std::string probe = key();
      const auto found = changed.lower_bound(probe);
      const auto cursor = writer->cursor(0);
      const auto seen = cursor->seek(probe);
      ASSERT_EQ(seen.has_value(), found != changed.end());
      if (seen) {
        ASSERT_EQ(seen->key, found->first);
        ASSERT_EQ(seen->value, found->second);
      }
    }
    ASSERT_EQ(contents(*writer), changed);
    ASSERT_EQ(writer->entries(0), changed.size());
    if (random() % 4 == 0) continue;
    const auto before = read();
    ASSERT_TRUE(writer->commit());
    ASSERT_EQ(contents(*before), committed);
    committed = std::move(changed);
    ASSERT_EQ(contents(*read()), committed);
  }
}

TEST_P(kv, shows_the_last_pair_before_a_key_also_of_what_the_transaction_has_written) {
  auto writer = write();
  for (const char* key : {"b", "d", "f"}) writer->put(0, key, std::string{"of "} + key);
  EXPECT_EQ(writer->cursor(0)->before("c")->key, "b");
  ASSERT_TRUE(writer->commit());
  writer = write();
  writer->put(0, "e", "new");
  writer->erase(0, "f");
  const auto at = writer->cursor(0);
  EXPECT_EQ(at->before("b"), std::nullopt);
  EXPECT_EQ(at->before("a"), std::nullopt);
  EXPECT_EQ(at->before("zz")->key, "e");
  EXPECT_EQ(at->before("e")->value, "of d");
  const auto reader = read();
  EXPECT_EQ(reader->cursor(0)->before("zz")->value, "of f");
  EXPECT_EQ(reader->cursor(0)->before("f")->key, "d");
  EXPECT_EQ(reader->cursor(1)->before("f"), std::nullopt);
  EXPECT_TRUE(reader->status());
}

TEST_P(kv, replaces_everything_by_what_is_written_into_empty_tables_and_open_snapshots_stay) {
  auto writer = write();
  for (int i = 0; i < 500; ++i) writer->put(0, "old" + std::to_string(i), std::string(300, 'o'));
  writer->put(1, "other", "1");
  ASSERT_TRUE(writer->commit());
  writer.reset();
  const auto before = read();
  ASSERT_TRUE(engine->replace([](kv_writer& w) -> result<void> {
    EXPECT_EQ(w.get(0, "old7"), std::nullopt);
    EXPECT_EQ(w.entries(0), 0u);
    w.put(0, "new", "2");
    return {};
  }));
  EXPECT_EQ(before->entries(0), 500u);
  EXPECT_EQ(before->get(0, "old7"), std::string(300, 'o'));
  EXPECT_EQ(contents(*read()), (rows{{"new", "2"}}));
  EXPECT_EQ(read()->entries(1), 0u);
  writer = write();
  writer->put(0, "newer", "3");
  ASSERT_TRUE(writer->commit());
  EXPECT_EQ(contents(*read()), (rows{{"new", "2"}, {"newer", "3"}}));
}

TEST_P(kv, keeps_everything_when_the_replacement_fails) {
  auto writer = write();
  writer->put(0, "kept", "1");
  ASSERT_TRUE(writer->commit());
  writer.reset();
  const auto failed = engine->replace([](kv_writer& w) -> result<void> {
    w.put(0, "new", "2");
    return error{errc::timeout, "as the test wants"};
  });
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error(), errc::timeout);
  EXPECT_EQ(contents(*read()), (rows{{"kept", "1"}}));
}

TEST_P(kv, agrees_with_a_map_after_thousands_of_writes_of_all_sizes) {
  std::mt19937 dice{11};
  rows wanted;
  for (int round = 0; round < 40; ++round) {
    auto writer = write();
    for (int i = 0; i < 60; ++i) {
      const std::string key(1 + dice() % 12, static_cast<char>('a' + dice() % 26));
      const std::string name = key + std::to_string(dice() % 400);
      if (dice() % 3 == 0) {
        EXPECT_EQ(writer->erase(0, name), wanted.erase(name) == 1);
      } else {
        const std::string value(dice() % 10 == 0 ? dice() % 20000 : dice() % 200, static_cast<char>(dice()));
        writer->put(0, name, value);
        wanted[name] = value;
      }
    }
    ASSERT_TRUE(writer->commit());
    writer.reset();
    const auto reader = read();
    ASSERT_EQ(contents(*reader), wanted);
    for (int i = 0; i < 50; ++i) {
      const std::string name(1 + dice() % 12, static_cast<char>('a' + dice() % 26));
      const auto at = wanted.lower_bound(name);
      const auto forward = reader->cursor(0), back = reader->cursor(0); // views end with them
      const auto found = forward->seek(name), front = back->before(name);
      EXPECT_EQ(found ? std::string{found->key} : "", at == wanted.end() ? "" : at->first);
      EXPECT_EQ(front ? std::string{front->key} : "", at == wanted.begin() ? "" : std::prev(at)->first);
      EXPECT_EQ(reader->get(0, name).has_value(), wanted.contains(name));
    }
    EXPECT_EQ(reader->entries(0), wanted.size());
    ASSERT_TRUE(reader->status());
  }
}

} // namespace cairn::storage::kv_test

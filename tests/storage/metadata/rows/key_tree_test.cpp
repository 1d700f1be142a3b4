#include "storage/metadata/rows/key_tree.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace cairn::storage::metadata::key_tree_test {
using model = std::map<std::string, std::string>;

class key_trees : public testing::Test {
protected:
  void put(kv_writer& kv, const std::string& key, const std::string& row) {
    ASSERT_TRUE(tree.put(kv, key, row, [this] { return ++last_id; }));
  }
  static std::string row(kv_reader& kv, const key_tree& from, const std::string& key) {
    const auto found = from.find(kv, key);
    return found && *found ? std::string{**found} : "none";
  }
  model walk(kv_reader& kv) {
    model seen;
    std::string before;
    key_tree_cursor at{kv, tree};
    for (bool more = at.seek(""); more; more = at.next()) {
      EXPECT_TRUE(seen.empty() || before < at.key());
      before = at.key();
      seen.emplace(at.key(), at.row());
    }
    EXPECT_TRUE(at.status());
    return seen;
  }
  // Lengths around the borders of the pieces, long runs of equal bytes so that keys share whole pieces.
  std::string random_key() {
    static constexpr std::size_t lengths[] = {1, 2, 3, 20, 398, 399, 400, 401, 402, 799, 800, 801, 1023, 1024};
    const char fill = "\x01"
                      "a\xff"[random() % 3];
    std::string key(lengths[random() % std::size(lengths)], fill);
    for (int changes = random() % 3; changes > 0; --changes)
      key[random() % key.size()] = static_cast<char>(1 + random() % 255);
    if (random() % 3 == 0)
      key.back() = "\x01"
                   "b\xff"[random() % 3];
    return key;
  }

  std::unique_ptr<kv_engine> engine = make_memory_kv(2);
  std::uint64_t last_id = 100;
  key_tree tree{1, 0, 7};
  std::mt19937 random{4711};
};

TEST_F(key_trees, hold_keys_at_the_borders_of_the_pieces_and_nothing_else) {
  auto kv = engine->begin_write().value();
  for (const std::size_t length : {1, 399, 400, 401, 799, 800, 801, 1024})
    put(*kv, std::string(length, 'k'), std::to_string(length));
  for (const std::size_t length : {1, 399, 400, 401, 799, 800, 801, 1024})
    EXPECT_EQ(row(*kv, tree, std::string(length, 'k')), std::to_string(length));
  for (const std::size_t length : {2, 398, 402, 798, 802, 1023, 1025, 2000})
    EXPECT_EQ(row(*kv, tree, std::string(length, 'k')), "none");
  EXPECT_EQ(row(*kv, key_tree{1, 0, 8}, "k"), "none");
  EXPECT_EQ(row(*kv, key_tree{1, 1, 7}, "k"), "none");
  EXPECT_EQ(row(*kv, key_tree{0, 0, 7}, "k"), "none");
}

TEST_F(key_trees, remove_empty_nodes_with_their_last_row) {
  auto kv = engine->begin_write().value();
  put(*kv, std::string(1000, 'k'), "1");
  put(*kv, std::string(900, 'k'), "2");
  put(*kv, std::string(700, 'k'), "3");
  EXPECT_FALSE(*tree.empty(*kv));
  EXPECT_TRUE(*tree.erase(*kv, std::string(1000, 'k')));
  EXPECT_FALSE(*tree.erase(*kv, std::string(1000, 'k')));
  EXPECT_FALSE(*tree.erase(*kv, std::string(400, 'k')));
  EXPECT_FALSE(*tree.erase(*kv, std::string(1000, 'x')));
  EXPECT_EQ(row(*kv, tree, std::string(900, 'k')), "2");
  EXPECT_TRUE(*tree.erase(*kv, std::string(900, 'k')));
  EXPECT_EQ(row(*kv, tree, std::string(700, 'k')), "3");
  EXPECT_TRUE(*tree.erase(*kv, std::string(700, 'k')));
  EXPECT_TRUE(*tree.empty(*kv));
  EXPECT_EQ(kv->entries(1), 0u);
}

TEST_F(key_trees, end_before_the_rows_of_their_neighbours) {
  auto kv = engine->begin_write().value();
  put(*kv, "b", "mine");
  const auto id = [this] { return ++last_id; };
  const key_tree before{1, 0, 6}, after{1, 0, 8}, other_group{1, 1, 7};
  for (const key_tree& other : {before, after, other_group}) ASSERT_TRUE(other.put(*kv, "b", "theirs", id));
  EXPECT_EQ(walk(*kv), (model{{"b", "mine"}}));
  EXPECT_TRUE(*tree.erase(*kv, "b"));
  EXPECT_TRUE(*tree.empty(*kv));
  EXPECT_EQ(walk(*kv), model{});
}

TEST_F(key_trees, agree_with_a_sorted_map_in_order_find_insert_and_erase) {
  model expected;
  for (int round = 0; round < 60; ++round) {
    auto kv = engine->begin_write().value();
    for (int i = 0; i < 40; ++i) {
      const std::string key = random_key();
      if (random() % 5 < 2) {
        const auto near = expected.lower_bound(key);
        const std::string victim = near != expected.end() ? near->first : key;
        ASSERT_EQ(*tree.erase(*kv, victim), expected.erase(victim) == 1);
      } else {
        const std::string value = std::to_string(random());
        put(*kv, key, value);
        expected[key] = value;
      }
      const std::string probe = random_key();
      ASSERT_EQ(row(*kv, tree, probe), expected.contains(probe) ? expected[probe] : "none");
    }
    ASSERT_EQ(walk(*kv), expected);
    ASSERT_TRUE(kv->commit());
  }
  auto kv = engine->begin_write().value();
  for (const auto& [key, value] : expected) ASSERT_TRUE(*tree.erase(*kv, key));
  EXPECT_EQ(kv->entries(1), 0u);
}

TEST_F(key_trees, seek_to_behind_and_past_a_prefix_as_a_sorted_map_does) {
  auto kv = engine->begin_write().value();
  model expected;
  for (int i = 0; i < 400; ++i) {
    const std::string key = random_key();
    put(*kv, key, key.substr(0, 5));
    expected[key] = key.substr(0, 5);
  }
  key_tree_cursor at{*kv, tree};
  const auto expect_at = [&](bool found, model::const_iterator wanted) {
    for (int steps = 0; steps < 3; ++steps) { // goes on from there
      ASSERT_EQ(found, wanted != expected.end());
      if (!found) break;
      ASSERT_EQ(at.key(), wanted->first);
      ASSERT_EQ(at.row(), wanted->second);
      found = at.next();
      ++wanted;
    }
  };
  for (int i = 0; i < 3000; ++i) {
    std::string key = random() % 2 == 0 ? random_key() : std::next(expected.begin(), random() % expected.size())->first;
    if (random() % 8 == 0) key += std::string(random() % 900, 'z');
    expect_at(at.seek(key), expected.lower_bound(key));
    expect_at(at.seek(key, true), expected.upper_bound(key));
    const std::string prefix = key.substr(0, random() % (key.size() + 1));
    auto behind = expected.lower_bound(prefix);
    while (behind != expected.end() && behind->first.starts_with(prefix)) ++behind;
    expect_at(at.seek_past(prefix), behind);
  }
  EXPECT_TRUE(at.status());
}

TEST_F(key_trees, report_entries_that_do_not_follow_the_grammar) {
  const std::string node = std::string(9, '\0') + '\x07';
  const std::string full = node + std::string(400, 'k');
  const auto loop = std::string(7, '\0') + '\x07';
  for (const auto& [key, value] :
       model{{full + '\x01', "short"}, {full + '\x02', ""}, {full, ""}, {full + "\x01x", ""}, {full + '\x01', loop}}) {
    auto kv = engine->begin_write().value();
    kv->put(1, key, value);
    key_tree_cursor at{*kv, tree};
    EXPECT_FALSE(at.seek(""));
    EXPECT_EQ(at.status().error(), errc::corrupt);
  }
  auto kv = engine->begin_write().value();
  kv->put(1, full + '\x01', "short");
  EXPECT_EQ(tree.find(*kv, std::string(401, 'k')).error(), errc::corrupt);
  EXPECT_EQ(tree.erase(*kv, std::string(401, 'k')).error(), errc::corrupt);
  EXPECT_EQ(tree.put(*kv, std::string(401, 'k'), "", [] { return 9; }).error(), errc::corrupt);
}

} // namespace cairn::storage::metadata::key_tree_test

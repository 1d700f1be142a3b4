#include "actors/metadata/row_cache.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace cairn::actors::row_cache_test {

cached_row row_of(std::uint64_t version, std::size_t inline_bytes = 0) {
  storage::metadata::object_row row;
  row.version = version;
  cached_row out;
  out.object.row = std::make_shared<const storage::metadata::object_row>(std::move(row));
  if (inline_bytes > 0) out.object.inline_bytes = std::make_shared<const std::string>(inline_bytes, 'x');
  return out;
}

void fill(row_cache& cache, row_name name, cached_row row) {
  cache.finish_miss(cache.begin_miss(name), std::move(row));
}

TEST(row_cache, serves_what_a_miss_filled) {
  row_cache cache{1 << 20};
  EXPECT_FALSE(cache.find({"b", "k"}));
  fill(cache, {"b", "k"}, row_of(3));
  ASSERT_TRUE(cache.find({"b", "k"}));
  EXPECT_EQ(cache.find({"b", "k"})->object.row->version, 3u);
  EXPECT_FALSE(cache.find({"bk", ""}));
  EXPECT_FALSE(cache.find({"", "bk"}));
}

TEST(row_cache, serves_nothing_of_a_name_while_a_command_changes_it) {
  row_cache cache{1 << 20};
  fill(cache, {"b", "k"}, row_of(3));
  cache.begin_change({"b", "k"});
  EXPECT_FALSE(cache.find({"b", "k"}));
  fill(cache, {"b", "k"}, row_of(3)); // may be from before or after the change
  EXPECT_FALSE(cache.find({"b", "k"}));
  cache.end_change({"b", "k"});
  fill(cache, {"b", "k"}, row_of(4));
  EXPECT_EQ(cache.find({"b", "k"})->object.row->version, 4u);
}

TEST(row_cache, does_not_keep_a_row_that_was_read_before_its_change_and_came_after) {
  row_cache cache{1 << 20};
  const auto miss = cache.begin_miss({"b", "k"});
  const auto other = cache.begin_miss({"b", "other"});
  cache.begin_change({"b", "k"});
  cache.end_change({"b", "k"});
  cache.finish_miss(miss, row_of(3));
  cache.finish_miss(other, row_of(2));
  EXPECT_FALSE(cache.find({"b", "k"}));
  EXPECT_TRUE(cache.find({"b", "other"}));
}

TEST(row_cache, has_no_access_key_while_identities_change) {
  row_cache cache{1 << 20};
  const auto key = [] {
    cached_row out;
    out.access_key = std::make_shared<const storage::metadata::access_key_row>();
    return out;
  };
  fill(cache, {"b", "k"}, row_of(3));
  fill(cache, {"", "CK1"}, key());
  const auto before = cache.begin_miss({"", "CK2"});
  cache.begin_change({});
  EXPECT_FALSE(cache.find({"", "CK1"}));
  EXPECT_TRUE(cache.find({"b", "k"}));
  EXPECT_TRUE(cache.is_changing({"", "CK1"}));
  EXPECT_FALSE(cache.is_changing({"b", "k"}));
  fill(cache, {"", "CK1"}, key()); // may have the policies from before the change
  cache.finish_miss(before, key());
  EXPECT_FALSE(cache.find({"", "CK1"}));
  EXPECT_FALSE(cache.find({"", "CK2"}));
  cache.end_change({});
  EXPECT_FALSE(cache.is_changing({"", "CK1"}));
  fill(cache, {"", "CK1"}, key());
  EXPECT_TRUE(cache.find({"", "CK1"}));
}

TEST(row_cache, has_no_ids_of_users_while_identities_change) {
  row_cache cache{1 << 20};
  const auto ids = [] {
    cached_row out;
    out.user_ids = std::make_shared<const std::vector<std::string>>(100, "AIDA1");
    return out;
  };
  fill(cache, user_ids_name, ids());
  ASSERT_TRUE(cache.find(user_ids_name));
  EXPECT_GT(cache.bytes(), 500u);
  cache.begin_change({});
  EXPECT_FALSE(cache.find(user_ids_name));
  fill(cache, user_ids_name, ids());
  EXPECT_FALSE(cache.find(user_ids_name));
  cache.end_change({});
  fill(cache, user_ids_name, ids());
  EXPECT_TRUE(cache.find(user_ids_name));
}

TEST(row_cache, waits_for_the_last_of_several_changes) {
  row_cache cache{1 << 20};
  cache.begin_change({"b", "k"});
  cache.begin_change({"b", "k"});
  cache.end_change({"b", "k"});
  fill(cache, {"b", "k"}, row_of(3));
  EXPECT_FALSE(cache.find({"b", "k"}));
  cache.end_change({"b", "k"});
  fill(cache, {"b", "k"}, row_of(4));
  EXPECT_TRUE(cache.find({"b", "k"}));
}

TEST(row_cache, drops_the_least_recently_used_rows_beyond_its_bytes) {
  row_cache cache{100'000};
  for (int i = 0; i < 50; ++i) fill(cache, {"b", std::to_string(i)}, row_of(1, 4000));
  EXPECT_LE(cache.bytes(), 100'000u);
  EXPECT_GT(cache.rows(), 10u);
  EXPECT_TRUE(cache.find({"b", "49"}));
  EXPECT_FALSE(cache.find({"b", "0"}));
  const auto oldest = std::to_string(50 - cache.rows());
  ASSERT_TRUE(cache.find({"b", oldest})); // used again
  fill(cache, {"b", "new"}, row_of(1, 4000));
  EXPECT_TRUE(cache.find({"b", oldest}));
}

TEST(row_cache, keeps_no_row_that_would_crowd_out_the_others) {
  row_cache cache{10'000};
  fill(cache, {"b", "huge"}, row_of(1, 9'000));
  EXPECT_EQ(cache.rows(), 0u);
  EXPECT_EQ(cache.bytes(), 0u);
}

// A store of versions beside the cache: whatever the order of misses and changes, a hit is the newest applied version.
TEST(row_cache, never_serves_a_version_that_an_applied_command_replaced) {
  std::mt19937_64 draw{7};
  row_cache cache{40'000};
  std::map<std::string, std::uint64_t> newest;
  struct miss {
    std::uint64_t ticket, seen;
    std::string key;
  };
  struct change {
    std::string key;
    bool applied; // visible to snapshots before the actor hears of it
  };
  std::vector<miss> misses;
  std::vector<change> changes;
  std::size_t hits = 0;
  for (int step = 0; step < 100'000; ++step) {
    const auto key = std::to_string(draw() % 5);
    const auto what = draw() % 5;
    if (what == 0 && misses.size() < 4) misses.push_back({cache.begin_miss({"b", key}), 0, key});
    if (what == 1) { // snapshots are read some time after their misses began
      for (auto& m : misses) m.seen = m.seen == 0 ? newest[m.key] + 1 : m.seen;
    }
    if (what == 2 && !misses.empty() && misses.back().seen > 0) {
      cache.finish_miss(misses.back().ticket, row_of(misses.back().seen - 1));
      misses.pop_back();
    }
    if (what == 3 && changes.size() < 2) {
      cache.begin_change({"b", key});
      changes.push_back({key, false});
    }
    if (what == 4 && !changes.empty()) {
      auto& c = changes.back();
      if (!std::exchange(c.applied, true)) ++newest[c.key];
      if (draw() % 2) {
        cache.end_change({"b", c.key});
        changes.pop_back();
      }
    }
    const auto* hit = cache.find({"b", key});
    hits += hit != nullptr;
    ASSERT_TRUE(!hit || hit->object.row->version == newest[key]) << "step " << step;
  }
  EXPECT_GT(hits, 5'000u);
}

TEST(row_cache, serves_and_keeps_nothing_while_the_whole_state_is_replaced) {
  row_cache cache{1 << 20};
  fill(cache, {"b", "k"}, row_of(3));
  const auto before = cache.begin_miss({"b", "early"});
  cache.begin_change_of_all();
  EXPECT_EQ(cache.rows(), 0u);
  EXPECT_EQ(cache.bytes(), 0u);
  const auto during = cache.begin_miss({"b", "k"});
  cache.finish_miss(before, row_of(1));
  cache.end_change_of_all();
  cache.finish_miss(during, row_of(3));
  EXPECT_FALSE(cache.find({"b", "k"}));
  EXPECT_FALSE(cache.find({"b", "early"}));
  fill(cache, {"b", "k"}, row_of(4));
  EXPECT_TRUE(cache.find({"b", "k"}));
}

TEST(row_cache, tells_which_rows_snapshots_may_not_show_yet) {
  row_cache cache{1 << 20};
  cache.begin_change({"b", "k"});
  cache.begin_change({"b", "k"});
  EXPECT_TRUE(cache.is_changing({"b", "k"}));
  EXPECT_FALSE(cache.is_changing({"b", "other"}));
  EXPECT_FALSE(cache.is_changing({"b", {}}));
  cache.end_change({"b", "k"});
  EXPECT_TRUE(cache.is_changing({"b", "k"})) << "the second change is not visible yet";
  cache.end_change({"b", "k"});
  EXPECT_FALSE(cache.is_changing({"b", "k"}));
  cache.begin_change_of_all();
  EXPECT_TRUE(cache.is_changing({"b", "other"}));
  cache.end_change_of_all();
  EXPECT_FALSE(cache.is_changing({"b", "other"}));
}

} // namespace cairn::actors::row_cache_test

#include "storage/metadata/read/snapshot.hpp"
#include "tests/storage/metadata/store_fixture.hpp"

#include <random>
#include <set>

namespace cairn::storage::metadata::listing_test {
class listings : public store_test {
protected:
  void put(const std::string& key) { run(small(key, std::string(key.size() % 7, 'b'))); }
  listing list(listing_query query) {
    query.bucket = "files";
    return read()->list(query).value();
  }
  static std::vector<std::string> keys(const listing& page) {
    std::vector<std::string> all;
    for (const listed_object& o : page.objects) all.push_back(o.key);
    return all;
  }
};

using names = std::vector<std::string>;

TEST_F(listings, show_keys_in_byte_order_with_size_etag_and_time) {
  put_object put = small("b", "12345");
  put.etag = {.digest = {7}, .parts = 2};
  put.now = 77;
  run(put);
  for (const char* key : {"a", "B", "\xc3\xa9", "a/b", "a-b"}) this->put(key);
  const listing page = list({});
  EXPECT_EQ(keys(page), (names{"B", "a", "a-b", "a/b", "b", "\xc3\xa9"}));
  EXPECT_EQ(page.objects[4].size, 5u);
  EXPECT_EQ(page.objects[4].etag, put.etag);
  EXPECT_EQ(page.objects[4].modified, 77);
  EXPECT_FALSE(page.truncated);
  EXPECT_EQ(page.last, "\xc3\xa9");
  EXPECT_EQ(read()->list({.bucket = "missing"}).error(), errc::no_such_bucket);
}

TEST_F(listings, of_nothing_are_whole_and_empty) {
  EXPECT_TRUE(list({}).objects.empty());
  EXPECT_FALSE(list({}).truncated);
  put("a");
  EXPECT_TRUE(list({.keys_max = 0}).objects.empty());
  EXPECT_FALSE(list({.keys_max = 0}).truncated);
  EXPECT_TRUE(list({.prefix = "b"}).objects.empty());
  EXPECT_TRUE(list({.start_after = "a"}).objects.empty());
}

TEST_F(listings, roll_keys_up_to_the_delimiter_behind_the_prefix) {
  for (const char* key : {"a/", "a/1", "a/b/1", "a/b/2", "a/c", "b/1", "c"}) put(key);
  listing page = list({.delimiter = "/"});
  EXPECT_EQ(page.common_prefixes, (names{"a/", "b/"}));
  EXPECT_EQ(keys(page), names{"c"});
  page = list({.prefix = "a/", .delimiter = "/"});
  EXPECT_EQ(page.common_prefixes, names{"a/b/"});
  EXPECT_EQ(keys(page), (names{"a/", "a/1", "a/c"}));
  page = list({.prefix = "a", .delimiter = "/"});
  EXPECT_EQ(page.common_prefixes, names{"a/"});
  page = list({.prefix = "a/b/", .delimiter = "/1"});
  EXPECT_EQ(keys(page), (names{"a/b/1", "a/b/2"}));
  page = list({.prefix = "a/b", .delimiter = "/1"});
  EXPECT_EQ(page.common_prefixes, names{"a/b/1"});
  EXPECT_EQ(keys(page), names{"a/b/2"});
}

TEST_F(listings, count_common_prefixes_and_keys_together_and_go_on_behind_the_last_one) {
  for (const char* key : {"a", "b/1", "b/2", "c", "d/1", "e"}) put(key);
  listing page = list({.delimiter = "/", .keys_max = 2});
  EXPECT_EQ(keys(page), names{"a"});
  EXPECT_EQ(page.common_prefixes, names{"b/"});
  EXPECT_TRUE(page.truncated);
  EXPECT_EQ(page.last, "b/");
  page = list({.delimiter = "/", .start_after = page.last, .keys_max = 2});
  EXPECT_EQ(keys(page), names{"c"});
  EXPECT_EQ(page.common_prefixes, names{"d/"});
  page = list({.delimiter = "/", .start_after = page.last, .keys_max = 2});
  EXPECT_EQ(keys(page), names{"e"});
  EXPECT_FALSE(page.truncated);
  EXPECT_EQ(page.last, "e");
}

TEST_F(listings, do_not_walk_the_keys_below_a_common_prefix) {
  std::vector<command> batch;
  batch.reserve(20001);
  for (int i = 0; i < 20000; ++i) batch.push_back(small("a/" + std::to_string(i), ""));
  batch.push_back(small("b", ""));
  ASSERT_TRUE(s->apply(batch));

  // Counts the engine's steps.
  class counting_reader final : public kv_reader {
  public:
    counting_reader(std::unique_ptr<kv_reader> inner, int& steps) : inner_(std::move(inner)), steps_(steps) {}
    std::optional<std::string_view> get(table_id t, std::string_view key) override { return inner_->get(t, key); }
    std::unique_ptr<kv_cursor> cursor(table_id t) override {
      struct counting_cursor final : kv_cursor {
        counting_cursor(std::unique_ptr<kv_cursor> c, int& n) : inner(std::move(c)), steps(n) {}
        std::optional<kv_pair> seek(std::string_view key) override { return ++steps, inner->seek(key); }
        std::optional<kv_pair> next() override { return ++steps, inner->next(); }
        std::unique_ptr<kv_cursor> inner;
        int& steps;
      };
      return std::make_unique<counting_cursor>(inner_->cursor(t), steps_);
    }
    std::uint64_t entries(table_id t) override { return inner_->entries(t); }
    result<void> status() const override { return inner_->status(); }

  private:
    std::unique_ptr<kv_reader> inner_;
    int& steps_;
  };
  int steps = 0;
  snapshot view{std::make_unique<counting_reader>(engine->begin_read().value(), steps), default_group};
  const auto page = view.list({.bucket = "files", .delimiter = "/"}).value();
  EXPECT_EQ(page.common_prefixes, names{"a/"});
  EXPECT_EQ(keys(page), names{"b"});
  EXPECT_LT(steps, 10);
}

TEST_F(listings, show_a_group_whose_keys_go_on_behind_start_after) {
  for (const char* key : {"a/1", "a/2", "b/1"}) put(key);
  const auto groups = [&](const std::string& start_after, bool passes_group) {
    return list({.delimiter = "/", .start_after = start_after, .passes_group = passes_group}).common_prefixes;
  };
  for (const auto* start : {"a", "a/", "a/1"}) EXPECT_EQ(groups(start, false), (names{"a/", "b/"})) << start;
  EXPECT_EQ(groups("a/2", false), names{"b/"});
  EXPECT_EQ(groups("a", true), (names{"a/", "b/"}));
  for (const auto* start : {"a/", "a/1"}) EXPECT_EQ(groups(start, true), names{"b/"}) << start;
}

// A naive model of S3's listing: it examines every key.
listing naive(const std::set<std::string>& keys, const listing_query& q) {
  listing page;
  std::vector<std::string> found;
  for (const std::string& key : keys) {
    if (!key.starts_with(q.prefix)) continue;
    const std::size_t at = q.delimiter.empty() ? std::string::npos : key.find(q.delimiter, q.prefix.size());
    const std::string shown = at == std::string::npos ? key : key.substr(0, at + q.delimiter.size());
    const std::string& compared = q.passes_group ? shown : key;
    if (compared <= q.start_after || (!found.empty() && found.back() == shown)) continue;
    if (found.size() == q.keys_max) {
      page.truncated = true;
      break;
    }
    found.push_back(shown);
    page.last = shown;
    if (at == std::string::npos)
      page.objects.push_back({.key = key});
    else
      page.common_prefixes.push_back(shown);
  }
  return page;
}

TEST_F(listings, agree_with_a_naive_model_for_random_keys_and_queries) {
  std::mt19937 random{99};
  const auto random_key = [&] {
    static const std::string runs[] = {
        "a", "b", "/", "//", "\xc3\xa9", "\x01", std::string(399, 'x'), std::string(200, 'y')};
    std::string key;
    do key += runs[random() % std::size(runs)];
    while (random() % 4 != 0 && key.size() < 600);
    return key.substr(0, key.back() == '\xc3' ? key.size() - 1 : key.size());
  };
  std::set<std::string> model;
  for (int round = 0; round < 40; ++round) {
    std::vector<command> batch;
    for (int i = 0; i < 20; ++i) {
      const std::string key = random_key();
      if (random() % 3 == 0 && !model.empty()) {
        const std::string victim = *std::next(model.begin(), random() % model.size());
        batch.push_back(removal(victim));
        model.erase(victim);
      } else {
        batch.push_back(small(key, ""));
        model.insert(key);
      }
    }
    ASSERT_TRUE(s->apply(batch));
    for (int i = 0; i < 100; ++i) {
      listing_query q{.keys_max = 1 + static_cast<std::uint32_t>(random() % 10)};
      const std::string prefix = random_key(), after = random_key();
      if (random() % 2 == 0) q.prefix = prefix.substr(0, random() % (prefix.size() + 1));
      if (random() % 3 != 0)
        q.delimiter = std::vector<std::string>{"/", "//", "a", "/a", std::string(399, 'x')}[random() % 5];
      if (random() % 2 == 0) q.start_after = random() % 2 == 0 ? after : q.prefix + after;
      q.passes_group = random() % 2 == 0;
      for (int pages = 0; pages < 4; ++pages) {
        const listing seen = list(q), wanted = naive(model, q);
        ASSERT_EQ(keys(seen), keys(wanted))
            << "prefix " << q.prefix << " delimiter " << q.delimiter << " after " << q.start_after;
        ASSERT_EQ(seen.common_prefixes, wanted.common_prefixes);
        ASSERT_EQ(seen.truncated, wanted.truncated);
        ASSERT_EQ(seen.last, wanted.last);
        q.start_after = seen.last;
        q.passes_group = true;
        if (!seen.truncated) break;
      }
    }
  }
}

} // namespace cairn::storage::metadata::listing_test

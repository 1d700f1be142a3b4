// The walk over the buckets, against metadata that fail for some of them. What the rules want of a bucket is tested in
// lifecycle_rules_test.cpp.
#include "actors/upkeep/lifecycle.hpp"

#include "actors/metadata/log/replicated_log.hpp"
#include "sim/world/world.hpp"
#include "tests/actors/metadata/unasked_metadata.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <map>

namespace cairn::actors::lifecycle_test {

namespace meta = storage::metadata;
using namespace std::chrono_literals;

class lifecycle_walk : public ::testing::Test, protected unasked_metadata {
protected:
  struct bucket {
    meta::bucket_row row;
    std::optional<errc> row_fault, versions_fault, uploads_fault, commit_fault;
    int objects = 1;
    std::vector<meta::listed_version> history; // instead of the objects
    bool uploads = false;
    bool damaged = false; // each page has passed over rows
  };

  bucket& add(const std::string& name) {
    auto& b = buckets[name];
    b.row.id = buckets.size();
    b.row.name = name;
    b.row.lifecycle = {{.id = "r", .expire_days = 1, .abort_days = 1}};
    return b;
  }

  void walk() { // once
    const auto metadata = spawn_metadata_of_the_test(w.system());
    services s;
    s.system = &w.system();
    s.metadata = metadata;
    s.metrics = &metrics;
    s.clock = &w.clock();
    const auto walker = spawn_lifecycle(w.system(), s, {.day = 1ms, .walk_every = 10s, .page_rows = 2});
    w.run_for(15s);
    caf::anon_send_exit(walker, caf::exit_reason::kill);
    caf::anon_send_exit(metadata, caf::exit_reason::kill);
    w.settle();
  }

  std::vector<std::string> removed_of(const std::string& name) const {
    std::vector<std::string> keys;
    for (const auto& c : commits)
      if (const auto* d = std::get_if<meta::delete_object>(&c); d != nullptr && d->bucket == name)
        keys.push_back(d->key);
    return keys;
  }
  std::size_t aborted_of(const std::string& name) const {
    std::size_t count = 0;
    for (const auto& c : commits)
      if (const auto* a = std::get_if<meta::abort_upload>(&c); a != nullptr && a->upload.bucket == name) ++count;
    return count;
  }

  sim::world w;
  std::map<std::string, bucket> buckets;
  std::function<void(const std::string&)> before_listing = [](const std::string&) {};
  std::string unlisted_from; // a bucket that can't be listed
  bool leads = false;        // a cluster; else a standalone node
  bool follows = false;      // a cluster that another node leads
  std::vector<meta::command> commits;
  node_metrics metrics;

private:
  caf::result<buckets_listing> list(const meta::buckets_query& q) override {
    const auto page_names = std::min<std::size_t>(3, q.buckets_max);
    EXPECT_EQ(q.skips_damage, !leads);
    meta::buckets_page page;
    for (auto b = buckets.upper_bound(q.after); b != buckets.end(); ++b) {
      if (page.buckets.size() == page_names) {
        page.truncated = true;
        break;
      }
      if (b->first == unlisted_from) return to_caf({errc::corrupt});
      page.last = b->first;
      page.buckets.push_back({.name = b->first});
    }
    return std::make_shared<const meta::buckets_page>(std::move(page));
  }

  caf::result<versions_listing> list(const meta::versions_query& q) override {
    before_listing(q.bucket);
    const auto found = buckets.find(q.bucket);
    if (found == buckets.end()) return to_caf({errc::no_such_bucket});
    if (found->second.versions_fault) return to_caf({*found->second.versions_fault});
    EXPECT_EQ(q.skips_damage, !leads);
    meta::versions_page page;
    page.skipped = found->second.damaged;
    if (!found->second.history.empty()) return history_page(found->second.history, q);
    for (int i = q.key_marker.empty() ? 0 : std::stoi(q.key_marker) + 1; i < found->second.objects; ++i) {
      if (page.versions.size() == q.versions_max) {
        page.truncated = true;
        break;
      }
      page.next_key_marker = std::to_string(i);
      page.versions.push_back({.key = page.next_key_marker, .place = {.version = 100u + unsigned(i)}, .latest = true});
    }
    return std::make_shared<const meta::versions_page>(std::move(page));
  }

  static versions_listing history_page(const std::vector<meta::listed_version>& all, const meta::versions_query& q) {
    meta::versions_page page;
    std::size_t at = q.key_marker.empty() ? 0 : std::stoul(q.key_marker);
    while (at < all.size() && page.versions.size() < q.versions_max) page.versions.push_back(all[at++]);
    page.truncated = at < all.size();
    page.next_key_marker = std::to_string(at);
    return std::make_shared<const meta::versions_page>(std::move(page));
  }

  caf::result<uploads_listing> list(const meta::uploads_query& q) override {
    const auto found = buckets.find(q.bucket);
    if (found == buckets.end()) return to_caf({errc::no_such_bucket});
    if (found->second.uploads_fault) return to_caf({*found->second.uploads_fault});
    EXPECT_EQ(q.skips_damage, !leads);
    meta::uploads_page page;
    if (found->second.uploads) page.uploads.push_back({.key = "u", .id = 5});
    return std::make_shared<const meta::uploads_page>(std::move(page));
  }

  caf::result<meta::bucket_row> bucket_of(const std::string& name) override {
    const auto found = buckets.find(name);
    if (found == buckets.end()) return to_caf({errc::no_such_bucket});
    if (found->second.row_fault) return to_caf({*found->second.row_fault});
    return found->second.row;
  }

  caf::result<committed> commit(const meta::command& c) override {
    const auto* removal = std::get_if<meta::delete_object>(&c);
    const auto found = removal != nullptr ? buckets.find(removal->bucket) : buckets.end();
    if (found != buckets.end() && found->second.commit_fault) return to_caf({*found->second.commit_fault});
    commits.push_back(c);
    return committed{};
  }

  caf::result<log_status_ptr> log_now() override {
    if (!leads && !follows) return to_caf({errc::unsupported, "alone"});
    auto status = std::make_shared<log_status>();
    status->leads = leads;
    return log_status_ptr{std::move(status)};
  }
};

TEST_F(lifecycle_walk, looks_at_every_bucket_page_by_page) {
  add("a").objects = 5;
  add("b").uploads = true;
  add("c").row.lifecycle.clear();
  walk();
  EXPECT_EQ(removed_of("a"), (std::vector<std::string>{"0", "1", "2", "3", "4"}));
  EXPECT_EQ(removed_of("b").size(), 1u);
  EXPECT_EQ(aborted_of("b"), 1u);
  EXPECT_TRUE(removed_of("c").empty());
  EXPECT_EQ(metrics.lifecycle_done.load(), commits.size());
  EXPECT_EQ(metrics.lifecycle_failures.load(), 0u);
}

TEST_F(lifecycle_walk, goes_on_behind_a_bucket_that_was_removed) {
  for (const auto* name : {"a", "m", "z"}) add(name);
  before_listing = [this](const std::string& name) {
    if (name == "z") buckets.erase("m"); // listed, not walked yet
  };
  walk();
  EXPECT_EQ(removed_of("z").size(), 1u);
  EXPECT_EQ(removed_of("a").size(), 1u);
  EXPECT_EQ(metrics.lifecycle_failures.load(), 0u) << "that is no failure";
}

TEST_F(lifecycle_walk, goes_on_behind_a_bucket_that_fails_at_any_step) {
  for (const auto* name : {"a", "m", "z"}) add(name).uploads = true;
  for (const auto code : {errc::corrupt, errc::io_error, errc::busy, errc::timeout}) {
    for (const auto fault :
         {&bucket::row_fault, &bucket::versions_fault, &bucket::uploads_fault, &bucket::commit_fault}) {
      commits.clear();
      buckets["m"].*fault = code;
      walk();
      EXPECT_EQ(removed_of("z").size(), 1u);
      EXPECT_EQ(removed_of("a").size(), 1u);
      EXPECT_EQ(aborted_of("a"), 1u);
      (buckets["m"].*fault).reset();
    }
  }
  EXPECT_EQ(metrics.lifecycle_failures.load(), 4u * 3u);
  EXPECT_EQ(metrics.lifecycle_refused.load(), 4u);
}

TEST_F(lifecycle_walk, walks_what_was_listed_before_the_listing_failed) {
  for (const auto* name : {"a", "b", "c", "d", "e"}) add(name);
  unlisted_from = "e";
  walk();
  for (const auto* name : {"a", "b", "c", "d"}) EXPECT_EQ(removed_of(name).size(), 1u) << "and d is on the failed page";
  EXPECT_TRUE(removed_of("e").empty());
  EXPECT_EQ(metrics.lifecycle_failures.load(), 1u);
}

TEST_F(lifecycle_walk, uploads_are_aborted_though_the_versions_can_not_be_read) {
  auto& b = add("a");
  b.uploads = true;
  b.versions_fault = errc::corrupt;
  walk();
  EXPECT_TRUE(removed_of("a").empty());
  EXPECT_EQ(aborted_of("a"), 1u);
}

TEST_F(lifecycle_walk, acts_on_what_is_listed_behind_damaged_rows_and_counts_the_pages) {
  auto& b = add("a");
  b.objects = 3;
  b.damaged = b.uploads = true;
  walk();
  EXPECT_EQ(removed_of("a").size(), 3u);
  EXPECT_EQ(aborted_of("a"), 1u);
  EXPECT_EQ(metrics.lifecycle_failures.load(), 2u);
}

// The other members, which have the row, would execute what its absence makes look due.
TEST_F(lifecycle_walk, asks_for_no_listing_without_damaged_rows_in_a_cluster) {
  leads = true;
  add("a").uploads = true;
  walk();
  EXPECT_EQ(removed_of("a").size(), 1u);
  EXPECT_EQ(aborted_of("a"), 1u);
}

TEST_F(lifecycle_walk, is_the_leaders_alone_in_a_cluster) {
  follows = true;
  add("a").uploads = true;
  walk();
  EXPECT_TRUE(commits.empty());
}

TEST_F(lifecycle_walk, leaves_a_bucket_alone_that_was_made_anew_or_has_other_rules) {
  for (const auto* name : {"a", "m", "n"}) add(name);
  before_listing = [this](const std::string& name) {
    if (name == "n") buckets["n"].row.id = 99;
    if (name == "m") buckets["m"].row.lifecycle.front().prefix = "kept";
  };
  walk();
  EXPECT_TRUE(removed_of("n").empty());
  EXPECT_TRUE(removed_of("m").empty());
  EXPECT_EQ(removed_of("a").size(), 1u);
}

// What was written anew since it was listed stays, and what another bucket of this name has.
TEST_F(lifecycle_walk, names_the_bucket_and_the_place_in_the_history_that_it_means) {
  auto& b = add("a");
  b.objects = 3;
  b.uploads = true;
  walk();
  ASSERT_EQ(commits.size(), 4u);
  for (const auto& c : commits) {
    if (const auto* d = std::get_if<meta::delete_object>(&c)) {
      EXPECT_EQ(d->expected, (meta::version_place{.version = 100u + unsigned(std::stoi(d->key))}));
      EXPECT_EQ(d->by.bucket, b.row.id);
    } else {
      EXPECT_EQ(std::get<meta::abort_upload>(c).upload.id, 5u);
      EXPECT_EQ(std::get<meta::abort_upload>(c).by.bucket, b.row.id);
    }
  }
}

// Also where a page ends between a marker and what it hides: the object would be back.
TEST_F(lifecycle_walk, removes_no_marker_that_hides_a_version) {
  auto& b = add("a");
  b.row.lifecycle = {{.id = "r", .expire_markers = true}};
  const auto version = [&](const char* key, bool marker) {
    const auto place = meta::version_place{.version = 200u - unsigned(b.history.size())};
    b.history.push_back({.key = key, .place = place, .delete_marker = marker});
  };
  version("a", false);
  version("b", true);
  version("b", false); // the second page
  version("c", true);
  version("d", true);
  version("d", false);
  walk();
  EXPECT_EQ(removed_of("a"), (std::vector<std::string>{"c"}));
}

TEST_F(lifecycle_walk, steps_over_any_number_of_buckets_that_want_nothing) {
  for (int i = 0; i < 20'000; ++i) add("m" + std::to_string(i)).row.lifecycle.front().enabled = false;
  add("a");
  walk();
  EXPECT_EQ(removed_of("a").size(), 1u);
}

} // namespace cairn::actors::lifecycle_test

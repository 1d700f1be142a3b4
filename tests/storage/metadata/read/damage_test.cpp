// Listings for the lifecycle walk over a state with damaged rows, and what the state machine then refuses.
#include "storage/kv/checked_kv.hpp"
#include "tests/storage/metadata/store_fixture.hpp"

namespace cairn::storage::metadata::damage_test {
class damaged_rows : public store_test {
protected:
  void SetUp() override {
    auto memory = make_memory_kv(static_cast<table_id>(table_count + 1));
    below = memory.get();
    engine = make_checked_kv(std::move(memory), {.tables = table_count, .damage = damage}).value();
    store_test::SetUp();
  }
  void flip(table t, const std::string& key) const {
    auto writer = below->begin_write().value();
    std::string bytes{writer->get(id_of(t), key).value()};
    bytes.front() = static_cast<char>(bytes.front() ^ 1);
    writer->put(id_of(t), key, bytes);
    ASSERT_TRUE(writer->commit());
  }
  void flip_object(const std::string& key) {
    flip(table::current, byte_writer{64}.u16(default_group).u64(read()->bucket("files")->id).raw(key).take());
  }
  void version_bucket() { run(set_bucket{.stamp = stamp(), .name = "files", .versioning = versioning::enabled}); }
  // The keys of all pages of this size, each with its number of versions listed.
  std::map<std::string, int> listed(std::uint32_t page_max) {
    std::map<std::string, int> found;
    versions_query query{.bucket = "files", .versions_max = page_max, .skips_damage = true};
    skipped = false;
    for (bool more = true; more;) {
      const auto page = read()->versions(query).value();
      for (const auto& version : page.versions) ++found[version.key];
      skipped = skipped || page.skipped;
      query.key_marker = page.next_key_marker;
      query.version_marker = page.next_version_marker;
      more = page.truncated;
    }
    return found;
  }

  std::shared_ptr<kv_damage> damage = std::make_shared<kv_damage>("test");
  kv_engine* below = nullptr;
  const key_maker keys{default_group};
  bool skipped = false;
};

TEST_F(damaged_rows, of_objects_are_passed_over_by_a_listing_that_asks_for_it) {
  for (const char* key : {"a", "b", "c", "d", "e", "f"}) run(small(key));
  EXPECT_EQ(listed(2).size(), 6u);
  EXPECT_FALSE(skipped);
  for (const char* key : {"b", "c", "f"}) flip_object(key);
  EXPECT_EQ(read()->versions({.bucket = "files"}).error(), errc::corrupt);
  for (const std::uint32_t page_max : {1u, 2u, 3u, 1000u}) {
    EXPECT_EQ(listed(page_max), (std::map<std::string, int>{{"a", 1}, {"d", 1}, {"e", 1}})) << page_max;
    EXPECT_TRUE(skipped);
  }
}

TEST_F(damaged_rows, of_versions_are_passed_over_too) {
  version_bucket();
  for (const char* key : {"a", "a", "a", "b", "b"}) run(small(key));
  const auto row = object("a");
  const auto versions = read()->versions({.bucket = "files"})->versions;
  flip(table::versions, keys.version(row.row_id, versions.at(1).place));
  EXPECT_EQ(listed(1000), (std::map<std::string, int>{{"a", 2}, {"b", 2}}));
  EXPECT_TRUE(skipped);
}

TEST_F(damaged_rows, of_uploads_and_buckets_are_passed_over_too) {
  std::vector<upload_id> uploads;
  for (const char* key : {"a", "b", "c"})
    uploads.push_back(run(begin_upload{.stamp = stamp(), .bucket = "files", .key = key, .now = 5}).version);
  flip(table::uploads, keys.upload(uploads[1]));
  EXPECT_EQ(read()->uploads({.bucket = "files"}).error(), errc::corrupt);
  const auto page = read()->uploads({.bucket = "files", .skips_damage = true}).value();
  ASSERT_EQ(page.uploads.size(), 2u);
  EXPECT_EQ(page.uploads[1].id, uploads[2]);
  EXPECT_TRUE(page.skipped);

  for (const char* name : {"more", "other"}) run(create_bucket{.name = name, .now = 1});
  flip(table::buckets, keys.bucket("more"));
  EXPECT_EQ(read()->buckets(buckets_query{}).error(), errc::corrupt);
  const auto buckets = read()->buckets(buckets_query{.skips_damage = true}).value();
  ASSERT_EQ(buckets.buckets.size(), 2u);
  EXPECT_EQ(buckets.buckets[1].name, "other");
  EXPECT_TRUE(buckets.skipped);
}

// The listing shows the marker as the only version, so a rule may want to remove it.
TEST_F(damaged_rows, are_not_uncovered_by_the_removal_of_their_marker) {
  version_bucket();
  run(small("k"));
  const auto row = object("k");
  run(removal("k"));
  flip(table::versions, keys.version(row.row_id, place_of(row)));
  const auto page = read()->versions({.bucket = "files", .skips_damage = true}).value();
  ASSERT_EQ(page.versions.size(), 1u);
  EXPECT_TRUE(page.versions[0].delete_marker);
  auto command = removal("k");
  command.version = page.versions[0].id;
  command.expected = page.versions[0].place;
  const auto before = dump(*below);
  const metadata::command batch[] = {command};
  EXPECT_EQ(s->apply(batch).error(), errc::corrupt);
  EXPECT_EQ(dump(*below), before);
}

// An older version looks like the newest one, and so due.
TEST_F(damaged_rows, of_live_versions_let_no_older_one_expire) {
  version_bucket();
  run(small("k"));
  run(small("k"));
  flip_object("k");
  const auto page = read()->versions({.bucket = "files", .skips_damage = true}).value();
  ASSERT_EQ(page.versions.size(), 1u);
  EXPECT_TRUE(page.versions[0].latest);
  auto command = removal("k");
  command.expected = page.versions[0].place;
  const metadata::command batch[] = {command};
  EXPECT_EQ(s->apply(batch).error(), errc::corrupt);
}

} // namespace cairn::storage::metadata::damage_test

// What buckets hold, as it is counted while commands are applied: equal to a full scan at each index.
#include "storage/metadata/rows/usage_rows.hpp"

#include "tests/storage/metadata/store_fixture.hpp"

#include <random>

namespace cairn::storage::metadata::usage_test {
constexpr std::uint32_t seeds = 8;

class usages : public store_test {
protected:
  void SetUp() override {
    store_test::SetUp();
    for (const auto* id : {"CK1", "CK2"}) run(create_key{.stamp = stamp(), .id = id, .secret = "secret", .now = 5});
  }
  // By the listings of versions, which do not know the counts.
  usage scan(view& rows, const std::string& bucket) {
    usage found;
    versions_query query{.bucket = bucket, .versions_max = 7};
    for (;;) {
      const auto page = rows.versions(query).value();
      for (const auto& v : page.versions) {
        if (v.delete_marker) {
          ++found.markers;
          continue;
        }
        ++found.versions;
        found.bytes += v.size;
        if (v.latest) ++found.objects;
      }
      if (!page.truncated) return found;
      query.key_marker = page.next_key_marker;
      query.version_marker = page.next_version_marker;
    }
  }
  // Compares the buckets that are counted. Returns how many are not.
  int check() {
    const auto rows = read();
    const auto total = rows->total_usage().value();
    usage sum;
    int uncounted = 0;
    for (const auto& bucket : rows->buckets().value()) {
      const auto counted = rows->usage_of(bucket.id).value();
      if (!counted) {
        ++uncounted;
        continue;
      }
      const auto scanned = scan(*rows, bucket.name);
      EXPECT_EQ(*counted, scanned) << bucket.name << ": " << counted->objects << '/' << scanned.objects << " objects, "
                                   << counted->versions << '/' << scanned.versions << " versions, " << counted->markers
                                   << '/' << scanned.markers << " markers, " << counted->bytes << '/' << scanned.bytes;
      sum.objects += counted->objects;
      sum.versions += counted->versions;
      sum.markers += counted->markers;
      sum.bytes += counted->bytes;
    }
    if (total.complete) {
      EXPECT_EQ(total.counted, sum);
      EXPECT_EQ(uncounted, 0);
      check_owners(*rows);
    }
    return uncounted;
  }
  // The buckets of each owner together, by a scan.
  void check_owners(view& rows) {
    std::map<std::string, std::pair<std::uint64_t, usage>> scanned, counted;
    const auto page = rows.buckets(buckets_query{.with_usage = true}).value();
    for (std::size_t i = 0; i < page.buckets.size(); ++i) {
      if (page.owners[i].empty()) continue;
      auto& [buckets, sum] = scanned[page.owners[i]];
      const auto held = scan(rows, page.buckets[i].name);
      ++buckets;
      sum.objects += held.objects;
      sum.versions += held.versions;
      sum.markers += held.markers;
      sum.bytes += held.bytes;
    }
    const auto owners = rows.identities({.kind = identity_kind::bucket_owner}).value().owners;
    for (const auto& owner : owners)
      if (owner.buckets > 0) counted[owner.name] = {owner.buckets, owner.counted.value_or(usage{})};
    EXPECT_EQ(counted, scanned);
  }
  bool complete() { return read()->total_usage()->complete; }
  usage_state state() {
    const auto reader = engine->begin_read().value();
    return decode_usage_state(reader->get(id_of(table::meta), keys.meta(meta_field::usage)).value()).value();
  }
  void change_state(const std::function<void(usage_state&)>& how) {
    auto changed = state();
    how(changed);
    const auto writer = engine->begin_write().value();
    writer->put(id_of(table::meta), keys.meta(meta_field::usage), encode(changed));
    ASSERT_TRUE(writer->commit());
  }
  // As a build that does not count leaves it.
  void forget_counts() {
    const auto writer = engine->begin_write().value();
    writer->erase(id_of(table::meta), keys.meta(meta_field::usage));
    for (const auto& bucket : read()->buckets().value()) {
      const auto key = keys.usage(bucket.id);
      const auto row = writer->get(id_of(table::meta), key);
      const auto owner = row ? decode_usage(*row)->owner : std::string{};
      writer->erase(id_of(table::meta), key);
      if (!owner.empty()) writer->put(id_of(table::meta), key, encode(usage_row{0, {}, owner}));
    }
    for (const auto* id : {"CK1", "CK2"})
      writer->erase(id_of(table::identities), keys.identity(identity_kind::bucket_owner, id));
    ASSERT_TRUE(writer->commit());
  }

  std::string random_owner() {
    const auto n = random() % 3;
    return n == 0 ? std::string{} : "CK" + std::to_string(n);
  }
  std::string random_bucket() { return random() % 3 == 0 ? "other" : "files"; }
  std::string random_key() {
    const auto n = random() % 7;
    if (n == 6) return std::string(399 + random() % 3, 'k') + std::string(1 + random() % 500, 'l');
    return std::string(1, static_cast<char>('a' + n));
  }
  std::optional<version_id> random_version(const std::string& bucket, const std::string& key) {
    const auto page = read()->versions({.bucket = bucket, .prefix = key, .versions_max = 50});
    if (!page || page->versions.empty()) return std::nullopt;
    const auto& chosen = page->versions[random() % page->versions.size()];
    return chosen.key == key ? std::optional{chosen.id} : std::nullopt;
  }
  put_object random_put() {
    auto c = random() % 2 == 0 ? small(random_key(), std::string(random() % 9, 'x'))
                               : big(random_key(), new_blob(), 1 + random() % 5000);
    c.bucket = random_bucket();
    if (random() % 8 == 0) c.condition.if_absent = true;
    return c;
  }
  command random_copy() {
    copy_object c{.stamp = stamp(), .bucket = random_bucket(), .key = random_key(), .now = 5};
    const auto from = random_bucket();
    const auto listed = read()->versions({.bucket = from, .versions_max = 50});
    if (listed && !listed->versions.empty()) {
      const auto& source = listed->versions[random() % listed->versions.size()];
      c.source = {from, source.key, source.place.version, source.place.ordinal};
    }
    return c;
  }
  command random_upload() {
    const auto bucket = random_bucket(), key = random_key();
    const auto begun = run(begin_upload{.stamp = stamp(), .bucket = bucket, .key = key, .now = 1, .nonce = 7});
    if (begun.refused) return removal(key);
    const upload_name name{bucket, key, begun.version, 7};
    const std::uint64_t length = 1 + random() % 100;
    put_part part{.stamp = stamp(), .upload = name, .number = 1, .now = 1, .size = length};
    part.content = written_blob{.blob = new_blob(), .length = length, .chunk_size = chunk_size};
    EXPECT_FALSE(run(part).refused);
    if (random() % 3 == 0) return abort_upload{.stamp = stamp(), .upload = name};
    complete_upload c{.stamp = stamp(), .upload = name, .now = 2};
    c.parts = {{.number = 1}};
    c.etag.parts = 1;
    return c;
  }
  command random_command() {
    switch (random() % 18) {
      case 16: return set_bucket_owner{.stamp = stamp(), .name = random_bucket(), .user = random_owner()};
      case 17: return set_user_quota{.stamp = stamp(), .user = "CK1", .bytes_max = random() % 2 * 20'000};
      case 0: {
        set_bucket c{.stamp = stamp(), .name = random_bucket()};
        c.versioning = random() % 3 == 0 ? versioning::suspended : versioning::enabled;
        return c;
      }
      case 1: return create_bucket{.name = "other", .now = 1, .owner = random_owner()};
      case 2: return delete_bucket{.name = "other"};
      case 3:
      case 4: return random_copy();
      case 5: return random_upload();
      case 6: {
        set_extras c{.stamp = stamp(), .bucket = random_bucket(), .key = random_key()};
        c.tags.emplace().emplace_back("a", "b");
        return c;
      }
      case 7:
      case 8:
      case 9:
      case 10: {
        auto c = removal(random_key());
        c.bucket = random_bucket();
        if (random() % 3 != 0) c.version = random_version(c.bucket, c.key);
        return c;
      }
      default: return random_put();
    }
  }
  std::uint64_t random() { return random_(); }

  const key_maker keys{default_group};
  std::mt19937_64 random_;
};

TEST_F(usages, are_equal_to_a_full_scan_at_each_index) {
  for (std::uint32_t seed = 0; seed < seeds && !HasFailure(); ++seed) {
    random_.seed(seed);
    for (int i = 0; i < 150 && !HasFailure(); ++i) {
      std::vector<command> batch;
      for (auto n = 1 + random() % 4; n > 0; --n) batch.push_back(random_command());
      ASSERT_TRUE(s->apply(batch));
      EXPECT_EQ(check(), 0) << "seed " << seed << ", batch " << i;
      EXPECT_TRUE(complete());
    }
  }
  EXPECT_EQ(state().era, 1u) << "nothing had to be counted again";
}

TEST_F(usages, of_a_state_that_was_never_counted_are_counted_in_steps_while_it_changes) {
  for (std::uint32_t seed = 0; seed < seeds && !HasFailure(); ++seed) {
    random_.seed(1000 + seed);
    for (int i = 0; i < 120; ++i) run(random_command());
    forget_counts();
    EXPECT_TRUE(read()->total_usage()->counts) << "so that counting is asked for";
    EXPECT_FALSE(complete());
    run(random_command());
    EXPECT_FALSE(complete());
    EXPECT_GT(check(), 0);
    int steps = 0;
    for (; !complete() && !HasFailure(); ++steps) {
      ASSERT_LT(steps, 10'000);
      const auto rows_max = std::uint32_t(1 + random() % 5);
      const bool more = run(count_usage{.rows_max = rows_max}).more == 1;
      EXPECT_EQ(more, !complete()) << "seed " << seed;
      check();
      if (random() % 2 == 0) run(random_command());
      check();
    }
    EXPECT_GT(steps, 2);
    EXPECT_EQ(check(), 0) << "seed " << seed;
    for (int i = 0; i < 20; ++i) run(random_command());
    EXPECT_EQ(check(), 0) << "seed " << seed;
  }
}

TEST_F(usages, count_a_key_with_many_versions_in_steps) {
  set_bucket versioned{.stamp = stamp(), .name = "files"};
  versioned.versioning = versioning::enabled;
  run(versioned);
  for (int i = 0; i < 20; ++i) run(small("k", "bytes"));
  forget_counts();
  run(small("l", "bytes"));
  int steps = 0;
  while (run(count_usage{.rows_max = 3}).more == 1) {
    ++steps;
    run(small("k", "more"));
    check();
  }
  EXPECT_GE(steps, 7);
  EXPECT_EQ(check(), 0);
}

TEST_F(usages, count_all_versions_of_a_key_behind_one_that_disappeared_while_it_was_counted) {
  set_bucket versioned{.stamp = stamp(), .name = "files"};
  versioned.versioning = versioning::enabled;
  run(versioned);
  run(small("l"));
  for (int i = 0; i < 3; ++i) { // each key has versions that are older and younger than any of the other one
    run(small("k"));
    run(small("l"));
  }
  forget_counts();
  run(small("m"));
  const auto era = state().era;
  const auto is_within_k = [this] {
    const auto scan = state().scan;
    return scan.phase == usage_phase::other_versions && scan.key == "k" && !scan.version.empty();
  };
  for (int steps = 0; !is_within_k(); ++steps) {
    ASSERT_LT(steps, 100);
    ASSERT_EQ(run(count_usage{.rows_max = 1}).more, 1u);
  }
  while (const auto id = random_version("files", "k")) {
    auto c = removal("k");
    c.version = id;
    ASSERT_EQ(refused(c), std::nullopt);
  }
  ASSERT_TRUE(is_within_k()) << "the scan has not moved on";
  while (run(count_usage{.rows_max = 1}).more == 1) continue;
  EXPECT_EQ(check(), 0);
  EXPECT_EQ(state().era, era) << "counted once";
}

TEST_F(usages, are_counted_again_after_a_build_that_does_not_count_changed_the_state) {
  run(small("a"));
  EXPECT_TRUE(complete());
  change_state([](usage_state& before) { --before.index; });
  EXPECT_FALSE(complete());
  EXPECT_EQ(check(), 1) << "not told";
  run(small("b"));
  EXPECT_EQ(state().era, 2u);
  EXPECT_EQ(check(), 1);
  EXPECT_EQ(run(count_usage{}).more, 0u);
  EXPECT_EQ(check(), 0);
}

TEST_F(usages, that_cannot_be_right_are_counted_again) {
  run(small("a", "bytes"));
  run(small("b", "bytes"));
  change_state([](usage_state& before) { before.total.bytes = 7; });
  run(removal("a"));
  run(removal("b")); // more than there is
  EXPECT_EQ(state().era, 2u);
  EXPECT_EQ(run(count_usage{}).more, 0u);
  EXPECT_EQ(check(), 0);
}

TEST_F(usages, of_a_cluster_are_counted_when_all_its_members_can) {
  run(small("a"));
  run(create_cluster{.id = {9}, .name = "cluster", .now = 1, .first = {.id = {1}, .address = "node:1"}});
  run(raise_feature_level{10});
  run(small("b"));
  EXPECT_FALSE(read()->total_usage()->counts);
  EXPECT_EQ(run(count_usage{}).more, 0u) << "there is nothing to do yet";
  run(raise_feature_level{feature_level_of_usage});
  EXPECT_TRUE(read()->total_usage()->counts) << "also of a cluster that is idle then";
  EXPECT_FALSE(complete());
  run(small("c"));
  EXPECT_EQ(run(count_usage{}).more, 0u);
  EXPECT_TRUE(complete());
  EXPECT_EQ(check(), 0);
}

TEST_F(usages, are_shown_with_the_list_of_buckets) {
  run(small("a", "bytes"));
  run(create_bucket{.name = "empty", .now = 1});
  const auto page = read()->buckets(buckets_query{.with_usage = true}).value();
  ASSERT_EQ(page.usages.size(), 2u);
  EXPECT_EQ(page.usages[0], usage{});
  EXPECT_EQ(page.usages[1], (usage{.objects = 1, .versions = 1, .bytes = 5}));
  EXPECT_TRUE(read()->buckets(buckets_query{}).value().usages.empty());
}

TEST(usage_rows, of_a_bucket_with_an_owner_and_of_owners_come_back_as_they_were_encoded) {
  const auto row = encode(usage_row{5, {1, 2, 3, 4}, "CK1"});
  EXPECT_EQ(row.front(), '\x02') << "older builds must not count such a bucket";
  EXPECT_EQ(decode_usage(row)->owner, "CK1");
  EXPECT_EQ(decode_usage(row)->counted, (usage{1, 2, 3, 4}));
  for (std::size_t n = 0; n < row.size(); ++n) EXPECT_FALSE(decode_usage(row.substr(0, n)));
  const auto owner = encode(bucket_owner_row{5, 2, {1, 2, 3, 1ull << 40}, {10, 0}});
  const auto again = decode_bucket_owner(owner).value();
  EXPECT_EQ(encode(again), owner);
  EXPECT_EQ(again.buckets, 2u);
  EXPECT_EQ(again.quota, (bucket_quota{10, 0}));
  for (std::size_t n = 0; n < owner.size(); ++n) EXPECT_FALSE(decode_bucket_owner(owner.substr(0, n)));
  EXPECT_EQ(decode_bucket_owner("\x02").error(), errc::unsupported);
}

TEST(usage_rows, come_back_as_they_were_encoded) {
  usage_state state{.era = 3, .index = 99, .total = {1, 2, 3, 1ull << 40}};
  state.scan = {usage_phase::other_versions, 7, "bucket", "key", std::string{"\0\1", 2}};
  const auto bytes = encode(state);
  EXPECT_EQ(encode(decode_usage_state(bytes).value()), bytes);
  for (std::size_t n = 0; n < bytes.size(); ++n) EXPECT_FALSE(decode_usage_state(bytes.substr(0, n)));
  EXPECT_EQ(decode_usage_state("\x02").error(), errc::unsupported);
  const auto row = encode(usage_row{5, {1, 2, 3, 4}});
  EXPECT_EQ(decode_usage(row)->counted, (usage{1, 2, 3, 4}));
  EXPECT_EQ(decode_usage(row)->era, 5u);
  EXPECT_FALSE(decode_usage(row + "x"));
}

} // namespace cairn::storage::metadata::usage_test

// Quotas of buckets where commands are applied: every path that makes a version, at the limit and one above it.
#include "storage/metadata/rows/bucket_quota.hpp"

#include "tests/storage/metadata/store_fixture.hpp"

#include <random>

namespace cairn::storage::metadata::quotas_test {
class quotas : public store_test {
protected:
  set_bucket_quota quota(std::optional<std::uint64_t> bytes, std::optional<std::uint64_t> versions = {}) {
    return {.stamp = stamp(), .name = "files", .bytes_max = bytes, .versions_max = versions};
  }
  void set_versioning(std::uint8_t to) {
    set_bucket c{.stamp = stamp(), .name = "files"};
    c.versioning = to;
    ASSERT_EQ(refused(c), std::nullopt);
  }
  std::optional<errc> put(const std::string& key, std::size_t size) {
    return refused(small(key, std::string(size, 'x')));
  }
  std::optional<errc> remove(const std::string& key) { return refused(removal(key)); }
  std::optional<errc> erase(const std::string& key, const version_id& id) {
    auto c = removal(key);
    c.version = id;
    return refused(c);
  }
  copy_object copy(const std::string& from, const std::string& to) {
    const auto source = object(from);
    return {.stamp = stamp(), .source = {"files", from, source.version, source.ordinal}, .bucket = "files", .key = to};
  }
  upload_name begin_parts(const std::string& key) {
    const auto begun = run(begin_upload{.stamp = stamp(), .bucket = "files", .key = key, .nonce = 7, .headers = {}});
    return {"files", key, begun.version, 7};
  }
  std::optional<errc> put_part_of(const upload_name& upload, std::uint32_t number, std::uint64_t length) {
    put_part part{.stamp = stamp(), .upload = upload, .number = number, .size = length};
    part.content = written_blob{.blob = new_blob(), .length = length, .chunk_size = chunk_size};
    return refused(part);
  }
  complete_upload completion(const upload_name& upload) {
    complete_upload c{.stamp = stamp(), .upload = upload, .now = 2};
    c.parts = {{.number = 1}};
    c.etag.parts = 1;
    return c;
  }
  usage held() { return read()->usage_of(read()->bucket("files")->id).value().value(); }
};

TEST(bucket_quota, is_exceeded_by_more_than_its_limits) {
  EXPECT_FALSE(exceeded({}, ~0ull, ~0ull));
  EXPECT_FALSE(exceeded({.bytes_max = 10}, 10, ~0ull));
  const auto bytes = exceeded({.bytes_max = 10}, 11, 0);
  ASSERT_TRUE(bytes);
  EXPECT_EQ(bytes->code, errc::quota_exceeded);
  EXPECT_NE(bytes->text.find("at most 10 bytes"), std::string::npos);
  EXPECT_FALSE(exceeded({.versions_max = 3}, ~0ull, 3));
  EXPECT_NE(exceeded({.versions_max = 3}, 0, 4)->text.find("at most 3 objects"), std::string::npos);
}

TEST_F(quotas, of_bytes_take_what_fits_exactly_and_not_a_byte_more) {
  EXPECT_EQ(refused(quota(10)), std::nullopt);
  EXPECT_EQ(put("a", 4), std::nullopt);
  EXPECT_EQ(put("b", 7), errc::quota_exceeded);
  EXPECT_FALSE(exists("b"));
  EXPECT_EQ(put("b", 6), std::nullopt);
  EXPECT_EQ(put("c", 0), std::nullopt) << "no bytes";
  EXPECT_EQ(put("d", 1), errc::quota_exceeded);
  EXPECT_EQ(held(), (usage{3, 3, 0, 10}));
  EXPECT_EQ(remove("a"), std::nullopt);
  EXPECT_EQ(put("d", 4), std::nullopt);
}

TEST_F(quotas, of_objects_take_as_many) {
  EXPECT_EQ(refused(quota({}, 2)), std::nullopt);
  EXPECT_EQ(put("a", 1000), std::nullopt);
  EXPECT_EQ(put("b", 1000), std::nullopt);
  EXPECT_EQ(put("c", 0), errc::quota_exceeded);
  EXPECT_EQ(put("a", 2000), std::nullopt) << "as many as before";
  EXPECT_EQ(remove("b"), std::nullopt);
  EXPECT_EQ(put("c", 0), std::nullopt);
}

TEST_F(quotas, bury_the_chunks_of_what_they_refuse) {
  EXPECT_EQ(refused(quota(2 * chunk_size)), std::nullopt);
  EXPECT_EQ(refused(big("a", new_blob(), chunk_size)), std::nullopt);
  const auto blob = new_blob();
  EXPECT_EQ(refused(big("b", blob, chunk_size + 1)), errc::quota_exceeded);
  ASSERT_EQ(buried().size(), 1u);
  EXPECT_EQ(buried().front().blob, blob);
}

TEST_F(quotas, give_a_retry_of_the_command_the_same_answer) {
  EXPECT_EQ(refused(quota(10)), std::nullopt);
  const auto first = small("a", "eleven byte"), second = small("b", "ten  bytes");
  const auto answer = run(first);
  ASSERT_TRUE(answer.refused);
  EXPECT_EQ(answer.refused->code, errc::quota_exceeded);
  EXPECT_EQ(run(second).refused, std::nullopt);
  const auto set = quota(0);
  EXPECT_EQ(refused(set), std::nullopt);
  EXPECT_EQ(refused(set), std::nullopt) << "repeated";
  EXPECT_EQ(refused(first), errc::invalid_argument) << "it was acknowledged";
  EXPECT_FALSE(exists("a"));
}

TEST_F(quotas, let_an_overwrite_have_the_place_of_the_object_that_it_replaces) {
  EXPECT_EQ(put("a", 8), std::nullopt);
  EXPECT_EQ(put("b", 2), std::nullopt);
  EXPECT_EQ(refused(quota(10, 2)), std::nullopt);
  EXPECT_EQ(put("a", 8), std::nullopt);
  EXPECT_EQ(put("a", 9), errc::quota_exceeded);
  EXPECT_EQ(object("a").size, 8u);
  EXPECT_EQ(put("a", 1), std::nullopt);
  EXPECT_EQ(put("b", 9), std::nullopt);
}

TEST_F(quotas, count_each_version_but_no_delete_markers) {
  set_versioning(versioning::enabled);
  EXPECT_EQ(refused(quota(10, 3)), std::nullopt);
  EXPECT_EQ(put("a", 5), std::nullopt);
  EXPECT_EQ(put("a", 5), std::nullopt);
  EXPECT_EQ(put("a", 1), errc::quota_exceeded);
  EXPECT_EQ(remove("a"), std::nullopt) << "a delete marker is always taken";
  EXPECT_EQ(remove("never"), std::nullopt);
  EXPECT_EQ(held(), (usage{0, 2, 2, 10}));
  EXPECT_EQ(put("a", 0), std::nullopt);
  EXPECT_EQ(put("a", 0), errc::quota_exceeded) << "the fourth version";
  const auto listed = read()->versions({.bucket = "files", .prefix = "a"}).value().versions;
  ASSERT_EQ(listed.size(), 4u);
  EXPECT_EQ(erase("a", listed.back().id), std::nullopt);
  EXPECT_EQ(put("a", 5), std::nullopt);
}

TEST_F(quotas, know_which_null_version_a_suspended_bucket_replaces) {
  EXPECT_EQ(put("a", 4), std::nullopt); // the null version
  set_versioning(versioning::enabled);
  EXPECT_EQ(put("a", 3), std::nullopt);
  set_versioning(versioning::suspended);
  EXPECT_EQ(refused(quota(10, 2)), std::nullopt);
  EXPECT_EQ(put("a", 8), errc::quota_exceeded);
  EXPECT_EQ(put("a", 7), std::nullopt) << "replaces the noncurrent null version";
  EXPECT_EQ(put("a", 7), std::nullopt) << "replaces the live one";
  EXPECT_EQ(held(), (usage{1, 2, 0, 10}));
  EXPECT_EQ(remove("a"), std::nullopt); // the null version is a delete marker now
  EXPECT_EQ(held(), (usage{0, 1, 1, 3}));
  EXPECT_EQ(put("a", 8), errc::quota_exceeded);
  EXPECT_EQ(put("a", 7), std::nullopt) << "replaces the delete marker, which took no place";
  EXPECT_EQ(put("b", 0), errc::quota_exceeded);
}

TEST_F(quotas, judge_copies) {
  EXPECT_EQ(put("a", 5), std::nullopt);
  EXPECT_EQ(refused(quota(10, 2)), std::nullopt);
  auto to_itself = copy("a", "a");
  to_itself.headers.emplace();
  EXPECT_EQ(refused(to_itself), std::nullopt);
  EXPECT_EQ(refused(copy("a", "b")), std::nullopt);
  EXPECT_EQ(refused(copy("a", "c")), errc::quota_exceeded);
  EXPECT_EQ(refused(copy("a", "b")), std::nullopt);
  set_versioning(versioning::enabled);
  auto as_version = copy("a", "a");
  as_version.headers.emplace();
  EXPECT_EQ(refused(as_version), errc::quota_exceeded);
  EXPECT_EQ(held(), (usage{2, 2, 0, 10}));
}

TEST_F(quotas, judge_a_copy_by_the_bucket_that_gets_it) {
  run(create_bucket{.name = "other", .now = 1});
  EXPECT_EQ(put("a", 5), std::nullopt);
  EXPECT_EQ(refused(quota(5)), std::nullopt);
  auto away = copy("a", "b");
  away.bucket = "other";
  EXPECT_EQ(refused(away), std::nullopt);
  const auto source = read()->object("other", "b").value();
  auto back = copy("a", "c");
  back.source = {"other", "b", source.version, source.ordinal};
  EXPECT_EQ(refused(back), errc::quota_exceeded);
}

TEST_F(quotas, count_the_parts_of_an_upload_when_it_is_completed) {
  EXPECT_EQ(refused(quota(10)), std::nullopt);
  EXPECT_EQ(put("a", 4), std::nullopt);
  const auto upload = begin_parts("big");
  EXPECT_EQ(put_part_of(upload, 1, 7), std::nullopt);
  EXPECT_EQ(put_part_of(upload, 2, 100), std::nullopt) << "is not chosen below";
  EXPECT_EQ(refused(completion(upload)), errc::quota_exceeded);
  EXPECT_TRUE(read()->upload(upload)) << "is still there";
  EXPECT_EQ(remove("a"), std::nullopt);
  EXPECT_EQ(refused(completion(upload)), std::nullopt);
  EXPECT_EQ(held(), (usage{1, 1, 0, 7}));
}

TEST_F(quotas, judge_the_commands_of_a_batch_one_after_the_other) {
  EXPECT_EQ(refused(quota(10)), std::nullopt);
  const command batch[] = {small("a", "123456"), small("b", "12345"), removal("a"), small("c", "1234567890"),
                           small("d", "1")};
  const auto results = s->apply(batch).value().results;
  EXPECT_EQ(results[0].refused, std::nullopt);
  ASSERT_TRUE(results[1].refused);
  EXPECT_EQ(results[1].refused->code, errc::quota_exceeded);
  EXPECT_EQ(results[3].refused, std::nullopt);
  ASSERT_TRUE(results[4].refused);
  EXPECT_EQ(held(), (usage{1, 1, 0, 10}));
}

TEST_F(quotas, may_be_lower_than_what_the_bucket_holds) {
  EXPECT_EQ(put("a", 20), std::nullopt);
  EXPECT_EQ(put("b", 20), std::nullopt);
  EXPECT_EQ(refused(quota(30, 1)), std::nullopt);
  EXPECT_EQ(put("c", 1), errc::quota_exceeded);
  EXPECT_EQ(put("a", 1), errc::quota_exceeded) << "two objects are still more than one";
  EXPECT_EQ(object("a").size, 20u);
  set_extras tags{.stamp = stamp(), .bucket = "files", .key = "a"};
  tags.tags.emplace().emplace_back("k", "v");
  EXPECT_EQ(refused(tags), std::nullopt) << "makes no version";
  EXPECT_EQ(remove("a"), std::nullopt);
  EXPECT_EQ(put("b", 30), std::nullopt);
}

TEST_F(quotas, are_changed_limit_by_limit_and_go_with_their_bucket) {
  EXPECT_EQ(refused(quota(10, 5)), std::nullopt);
  EXPECT_EQ(refused(quota({}, 0)), std::nullopt);
  EXPECT_EQ(read()->bucket("files")->quota, (bucket_quota{10, 0}));
  set_versioning(versioning::enabled);
  EXPECT_EQ(read()->bucket("files")->quota, (bucket_quota{10, 0})) << "other settings keep it";
  const auto page = read()->buckets(buckets_query{.with_usage = true}).value();
  EXPECT_EQ(page.quotas, (std::vector{bucket_quota{10, 0}}));
  auto missing = quota(1);
  missing.name = "missing";
  EXPECT_EQ(refused(missing), errc::no_such_bucket);
  EXPECT_EQ(refused(delete_bucket{.name = "files"}), std::nullopt);
  run(create_bucket{.name = "files", .now = 1});
  EXPECT_TRUE(read()->bucket("files")->quota.empty());
  EXPECT_EQ(put("a", 100), std::nullopt);
}

TEST_F(quotas, need_a_bucket_that_is_counted) {
  run(create_cluster{.id = {9}, .name = "cluster", .now = 1, .first = {.id = {1}, .address = "node:1"}});
  run(raise_feature_level{10});
  EXPECT_EQ(put("a", 5), std::nullopt);
  EXPECT_EQ(put("more", 0), std::nullopt);
  run(raise_feature_level{feature_level});
  EXPECT_EQ(refused(quota(10)), errc::busy);
  EXPECT_EQ(run(count_usage{.rows_max = 1}).more, 1u);
  EXPECT_EQ(refused(quota(10)), errc::busy) << "counted in part";
  EXPECT_TRUE(read()->bucket("files")->quota.empty());
  while (run(count_usage{}).more == 1) continue;
  EXPECT_EQ(refused(quota(10)), std::nullopt);
  EXPECT_EQ(put("b", 6), errc::quota_exceeded);
  EXPECT_EQ(put("b", 5), std::nullopt);
}

// After each acknowledged write the bucket holds no more than its quota, whatever was done before.
TEST_F(quotas, are_never_exceeded_by_an_acknowledged_write) {
  std::mt19937 random{7};
  const auto key = [&] { return std::string(1, static_cast<char>('a' + random() % 4)); };
  int taken = 0, above = 0;
  for (int i = 0; i < 3000 && !HasFailure(); ++i) {
    const auto kind = random() % 20;
    std::optional<std::optional<errc>> write;
    if (kind == 0) {
      set_versioning(random() % 3 == 0 ? versioning::enabled : versioning::suspended);
    } else if (kind < 3) {
      EXPECT_EQ(refused(quota(random() % 60, random() % 12)), std::nullopt);
    } else if (kind < 7) {
      remove(key());
    } else if (kind < 12) {
      const auto page = read()->versions({.bucket = "files", .versions_max = 100}).value();
      if (page.versions.empty()) continue;
      const auto& chosen = page.versions[random() % page.versions.size()];
      erase(chosen.key, chosen.id);
    } else if (kind < 14) {
      const auto from = key();
      if (exists(from)) write = refused(copy(from, key()));
    } else if (kind == 14) {
      const auto upload = begin_parts(key());
      EXPECT_EQ(put_part_of(upload, 1, 1 + random() % 20), std::nullopt);
      write = refused(completion(upload));
    } else {
      write = put(key(), random() % 20);
    }
    if (!write) continue;
    if (*write) {
      EXPECT_EQ(**write, errc::quota_exceeded);
      ++above;
      continue;
    }
    ++taken;
    const auto now = held();
    EXPECT_FALSE(exceeded(read()->bucket("files")->quota, now.bytes, now.versions)) << "command " << i;
  }
  EXPECT_GT(taken, 100);
  EXPECT_GT(above, 100);
}

} // namespace cairn::storage::metadata::quotas_test

// Renames where they are applied: both names change at once, what is replaced is buried, and rights on both are needed.
#include "tests/storage/metadata/store_fixture.hpp"

namespace cairn::storage::metadata::renames_test {

class renames : public store_test {
protected:
  rename_object rename(const std::string& from, const std::string& to) {
    const auto source = object(from);
    return {.stamp = stamp(), .source = {"files", from, source.version, source.ordinal}, .key = to};
  }
  bool has(const std::string& key) { return bool(read()->object("files", key)); }
  usage held() { return read()->usage_of(read()->bucket("files")->id).value().value(); }
};

TEST_F(renames, keep_all_but_the_name) {
  auto c = small("old", "bytes");
  c.now = 7;
  c.headers.user = {{"colour", "blue"}};
  c.extras.tags.emplace_back("k", "v");
  c.extras.public_read = true;
  run(c);
  const auto before = object("old");
  const auto used = held();
  ASSERT_EQ(refused(rename("old", "new")), std::nullopt);
  EXPECT_FALSE(has("old"));
  const auto after = object("new");
  EXPECT_GT(after.version, before.version);
  EXPECT_EQ(after.modified, 7);
  EXPECT_EQ(after.etag, before.etag);
  EXPECT_EQ(after.headers.user, before.headers.user);
  EXPECT_EQ(after.extras.tags, before.extras.tags);
  EXPECT_TRUE(after.extras.public_read);
  EXPECT_EQ(read()->inline_bytes(after).value(), "bytes");
  EXPECT_EQ(held().bytes, used.bytes);
  EXPECT_EQ(held().versions, used.versions);
}

TEST_F(renames, share_the_blob_of_a_large_object_and_bury_what_they_replace) {
  run(big("old", new_blob()));
  run(big("new", new_blob()));
  const auto before = object("old");
  ASSERT_EQ(refused(rename("old", "new")), std::nullopt);
  EXPECT_EQ(object("new").manifest, before.manifest);
  EXPECT_EQ(held().versions, 1u);
  EXPECT_EQ(held().bytes, before.size);
  run(removal("new"));
  EXPECT_EQ(held().versions, 0u);
  EXPECT_EQ(held().bytes, 0u);
}

TEST_F(renames, are_refused_when_the_object_or_its_new_name_is_not_as_expected) {
  run(small("a", "1"));
  run(small("b", "2"));
  auto absent = rename("a", "b");
  absent.condition.if_absent = true;
  EXPECT_EQ(refused(absent), errc::precondition_failed);
  auto other = rename("a", "b");
  other.condition.if_match = "no";
  EXPECT_EQ(refused(other), errc::precondition_failed);
  auto late = rename("a", "c");
  run(small("a", "3"));
  late.stamp = stamp();
  EXPECT_EQ(refused(late), errc::stale_source);
  run(removal("a"));
  auto gone = late;
  gone.stamp = stamp();
  EXPECT_EQ(refused(gone), errc::no_such_key);
  auto nameless = rename("b", "");
  EXPECT_EQ(refused(nameless), errc::invalid_argument);
  EXPECT_FALSE(has("c"));
  EXPECT_EQ(read()->inline_bytes(object("b")).value(), "2");
  auto match = rename("b", "d");
  match.condition.if_match = "*";
  EXPECT_EQ(refused(match), errc::precondition_failed) << "there is no d";
  EXPECT_EQ(refused(rename("b", "b")), std::nullopt) << "its own name";
  EXPECT_TRUE(has("b"));
}

TEST_F(renames, are_not_for_buckets_with_versions) {
  run(small("a", "1"));
  for (const auto state : {versioning::enabled, versioning::suspended}) {
    set_bucket c{.stamp = stamp(), .name = "files"};
    c.versioning = state;
    run(c);
    EXPECT_EQ(refused(rename("a", "b")), errc::invalid_bucket_state);
  }
  EXPECT_TRUE(has("a"));
}

TEST_F(renames, with_a_token_are_done_once) {
  run(small("a", "1"));
  auto c = rename("a", "b");
  c.token = upload_origin{99, 5};
  ASSERT_EQ(refused(c), std::nullopt);
  c.stamp = stamp();
  EXPECT_EQ(refused(c), std::nullopt) << "the answer to the first was lost";
  run(small("a", "2"));
  auto again = rename("a", "b");
  again.token = c.token;
  EXPECT_EQ(refused(again), std::nullopt);
  EXPECT_EQ(read()->inline_bytes(object("b")).value(), "1") << "and not the new a";
  EXPECT_TRUE(has("a"));
  auto another = rename("a", "b");
  another.token = upload_origin{99, 6};
  EXPECT_EQ(refused(another), std::nullopt);
  EXPECT_FALSE(has("a"));
  EXPECT_EQ(read()->inline_bytes(object("b")).value(), "2");
  c.stamp = stamp();
  EXPECT_EQ(refused(c), errc::no_such_key) << "what the first one renamed was replaced";
}

} // namespace cairn::storage::metadata::renames_test

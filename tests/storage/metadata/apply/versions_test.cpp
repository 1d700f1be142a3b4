// Versions of objects in the state machine.
#include "tests/storage/metadata/store_fixture.hpp"

namespace cairn::storage::metadata::versions_test {
class versions : public store_test {
protected:
  void versioned(std::uint8_t how = versioning::enabled) {
    ASSERT_EQ(refused(set_bucket{.stamp = stamp(), .name = "files", .versioning = how}), std::nullopt);
  }
  version_id put(const std::string& key, const std::string& bytes) {
    return version_outcome_of(run(small(key, bytes))).id.value();
  }
  version_outcome remove(const std::string& key) { return version_outcome_of(run(removal(key))); }
  version_outcome erase(const std::string& key, const version_id& id) {
    auto c = removal(key);
    c.version = id;
    const auto answer = run(c);
    EXPECT_FALSE(answer.refused);
    return version_outcome_of(answer);
  }
  std::string bytes_of(const std::string& key, const version_id& id) {
    const auto row = read()->object("files", key, id);
    return row ? read()->inline_bytes(*row).value() : std::string{to_string(row.error().code)};
  }
  std::string bytes_of(const std::string& key) {
    const auto row = read()->object("files", key);
    return row ? read()->inline_bytes(*row).value() : std::string{to_string(row.error().code)};
  }
  versions_page listed(versions_query query = {}) {
    query.bucket = "files";
    return read()->versions(query).value();
  }
  // "k:id*!" : * the latest, ! a delete marker
  std::vector<std::string> shown(const versions_page& page) {
    std::vector<std::string> out;
    for (const auto& v : page.versions)
      out.push_back(v.key + (v.id.place ? "" : ":null") + (v.latest ? "*" : "") + (v.delete_marker ? "!" : ""));
    return out;
  }
};

using texts = std::vector<std::string>;

TEST_F(versions, are_not_made_in_buckets_that_never_were_versioned) {
  EXPECT_FALSE(version_outcome_of(run(small("k", "1"))).id);
  EXPECT_FALSE(version_outcome_of(run(small("k", "2"))).id);
  EXPECT_EQ(shown(listed()), (texts{"k:null*"}));
  EXPECT_EQ(bytes_of("k", {}), "2");
  EXPECT_FALSE(remove("k").id);
  EXPECT_TRUE(listed().versions.empty());
  EXPECT_EQ(rows(table::versions) + rows(table::names) + rows(table::inline_data), 0u);
}

TEST_F(versions, stay_when_the_object_is_overwritten_or_deleted) {
  run(small("k", "old"));
  versioned();
  const auto first = put("k", "1"), second = put("k", "2");
  EXPECT_EQ(bytes_of("k"), "2");
  EXPECT_EQ(bytes_of("k", first), "1");
  EXPECT_EQ(bytes_of("k", {}), "old");
  const auto gone = remove("k");
  EXPECT_TRUE(gone.delete_marker && gone.id && gone.id->place);
  EXPECT_EQ(bytes_of("k"), "no_such_key");
  EXPECT_EQ(bytes_of("k", second), "2");
  EXPECT_EQ(shown(listed()), (texts{"k*!", "k", "k", "k:null"}));
  EXPECT_TRUE(read()->list({.bucket = "files"})->objects.empty());
  EXPECT_EQ(refused(delete_bucket{"files"}), errc::bucket_not_empty);
  EXPECT_EQ(read()->object("files", "k", {version_place{1, 7}}).error(), errc::no_such_version);
  EXPECT_EQ(read()->object("files", "other", {}).error(), errc::no_such_key);
}

TEST_F(versions, are_deleted_one_by_one_and_the_newest_remaining_one_becomes_live) {
  versioned();
  const auto first = put("k", "1"), second = put("k", "2");
  const auto marker = remove("k");
  EXPECT_TRUE(erase("k", *marker.id).delete_marker); // undeletes
  EXPECT_EQ(bytes_of("k"), "2");
  EXPECT_FALSE(erase("k", second).delete_marker);
  EXPECT_EQ(bytes_of("k"), "1");
  EXPECT_EQ(shown(listed()), (texts{"k*"}));
  EXPECT_EQ(rows(table::names), 0u);
  EXPECT_FALSE(erase("k", second).id); // was not there
  erase("k", first);
  EXPECT_TRUE(listed().versions.empty());
  EXPECT_EQ(rows(table::versions) + rows(table::names) + rows(table::inline_data), 0u);
  EXPECT_EQ(refused(delete_bucket{"files"}), std::nullopt);
}

TEST_F(versions, behind_a_delete_marker_stay_hidden_when_an_older_one_is_deleted) {
  versioned();
  const auto first = put("k", "1");
  put("k", "2");
  remove("k");
  erase("k", first);
  EXPECT_EQ(bytes_of("k"), "no_such_key");
  EXPECT_EQ(shown(listed()), (texts{"k*!", "k"}));
}

TEST_F(versions, there_is_one_null_version_while_versioning_is_suspended) {
  run(small("k", "old"));
  versioned();
  const auto kept = put("k", "kept");
  versioned(versioning::suspended);
  EXPECT_EQ(put("k", "1"), version_id{});
  EXPECT_EQ(put("k", "2"), version_id{});
  EXPECT_EQ(shown(listed()), (texts{"k:null*", "k"}));
  EXPECT_EQ(bytes_of("k", {}), "2");
  EXPECT_EQ(bytes_of("k", kept), "kept");
  const auto marker = remove("k");
  EXPECT_EQ(marker.id, version_id{});
  EXPECT_EQ(shown(listed()), (texts{"k:null*!", "k"}));
  remove("k");
  EXPECT_EQ(shown(listed()), (texts{"k:null*!", "k"}));
  versioned();
  put("k", "3");
  EXPECT_EQ(shown(listed()), (texts{"k*", "k:null!", "k"}));
  versioned(versioning::suspended);
  put("k", "4");
  EXPECT_EQ(shown(listed()), (texts{"k:null*", "k", "k"}));
  EXPECT_EQ(rows(table::inline_data), 3u);
}

TEST_F(versions, keep_their_blobs_until_they_are_deleted) {
  versioned();
  const auto blob = new_blob();
  const auto id = version_outcome_of(run(big("k", blob))).id.value();
  put("k", "small");
  EXPECT_TRUE(buried().empty());
  erase("k", id);
  ASSERT_EQ(buried().size(), 1u);
  EXPECT_EQ(buried()[0].blob, blob);
}

TEST_F(versions, are_copied_and_tagged_by_name) {
  versioned();
  const auto first = put("k", "1");
  put("k", "2");
  const auto row = read()->object("files", "k", first).value();
  copy_object c{.stamp = stamp(), .source = {"files", "k", row.version, row.ordinal}, .bucket = "files", .key = "copy"};
  EXPECT_EQ(refused(c), std::nullopt);
  EXPECT_EQ(bytes_of("copy"), "1");
  set_extras tags{.stamp = stamp(), .bucket = "files", .key = "k", .tags = {{{"a", "b"}}}, .version = first};
  EXPECT_EQ(refused(tags), std::nullopt);
  EXPECT_EQ(read()->object("files", "k", first)->extras.tags.size(), 1u);
  EXPECT_TRUE(object("k").extras.tags.empty());
  tags.version = remove("k").id;
  tags.stamp = stamp();
  EXPECT_EQ(refused(tags), errc::delete_marker);
}

TEST_F(versions, are_deleted_only_if_the_clients_condition_holds) {
  versioned();
  const auto conditional = [&](const removal_condition& only_if, std::optional<version_id> id = std::nullopt) {
    auto c = removal("k");
    c.only_if = only_if;
    c.version = id;
    return refused(c);
  };
  const removal_condition any{.etag = "*"}, other{.etag = "badetag"};
  // Nothing there: nothing done, no marker either.
  EXPECT_EQ(conditional(any), std::nullopt);
  EXPECT_EQ(conditional(other), std::nullopt);
  EXPECT_TRUE(listed().versions.empty());
  const auto id = put("k", "12345");
  EXPECT_EQ(conditional(other), errc::precondition_failed);
  EXPECT_EQ(conditional({.size = 4}), errc::precondition_failed);
  EXPECT_EQ(conditional({.size = 5, .modified_seconds = 3}), errc::precondition_failed);
  EXPECT_EQ(conditional({.etag = to_string(object("k").etag), .size = 5, .modified_seconds = 2}), std::nullopt);
  // The newest version is a marker now.
  EXPECT_EQ(conditional({.size = 5}), errc::precondition_failed);
  EXPECT_EQ(conditional(other), errc::precondition_failed);
  EXPECT_EQ(conditional(any), std::nullopt);
  EXPECT_EQ(shown(listed()), (texts{"k*!", "k!", "k"}));
  EXPECT_EQ(conditional({.size = 4}, id), errc::precondition_failed);
  EXPECT_EQ(conditional({.size = 5}, id), std::nullopt);
  EXPECT_EQ(conditional({.size = 4}, id), std::nullopt) << "it does not exist";
}

TEST_F(versions, are_deleted_only_at_the_expected_place_of_the_history) {
  const auto expecting = [&](const version_place& place, std::optional<version_id> id = std::nullopt) {
    auto c = removal("k");
    c.expected = place;
    c.version = id;
    return refused(c);
  };
  run(small("k", "1"));
  const auto before = place_of(object("k"));
  run(small("k", "2"));
  EXPECT_EQ(expecting(before), errc::stale_source) << "it was rewritten";
  EXPECT_EQ(expecting(before, version_id{}), errc::stale_source) << "and is the null version, as the first one was";
  ASSERT_EQ(bytes_of("k"), "2");
  EXPECT_EQ(expecting(place_of(object("k"))), std::nullopt);
  EXPECT_EQ(expecting(before), errc::stale_source) << "it does not exist";
  EXPECT_EQ(expecting(before, version_id{}), errc::stale_source);
}

TEST_F(versions, are_written_unless_the_object_has_the_etag_that_none_may_have) {
  auto c = small("k", "1");
  c.etag = {.digest = {1}};
  c.condition.if_other = to_string(c.etag);
  EXPECT_EQ(refused(c), std::nullopt) << "it does not exist";
  c.stamp = stamp();
  EXPECT_EQ(refused(c), errc::precondition_failed);
  c.stamp = stamp();
  c.condition.if_other = "another";
  EXPECT_EQ(refused(c), std::nullopt);
}

TEST_F(versions, are_listed_in_pages_that_miss_and_repeat_nothing) {
  run(small("a/1", "x"));
  versioned();
  for (int i = 0; i < 3; ++i)
    for (const auto* key : {"a/1", "b", "c"}) put(key, std::to_string(i));
  remove("b");
  run(small("d", "x"));
  const auto all = shown(listed());
  EXPECT_EQ(all, (texts{"a/1*", "a/1", "a/1", "a/1:null", "b*!", "b", "b", "b", "c*", "c", "c", "d*"}));
  for (std::uint32_t size = 1; size < 13; ++size) {
    texts seen;
    versions_query query{.versions_max = size};
    for (int pages = 0; pages < 20; ++pages) {
      const auto page = listed(query);
      const auto some = shown(page);
      EXPECT_LE(some.size(), size);
      seen.insert(seen.end(), some.begin(), some.end());
      if (!page.truncated) break;
      query.key_marker = page.next_key_marker;
      query.version_marker = page.next_version_marker;
    }
    EXPECT_EQ(seen, all) << size;
  }
  const auto folded = listed({.delimiter = "/"});
  EXPECT_EQ(folded.common_prefixes, (texts{"a/"}));
  EXPECT_EQ(folded.versions.size(), 8u);
  EXPECT_EQ(shown(listed({.prefix = "c"})), (texts{"c*", "c", "c"}));
  EXPECT_EQ(shown(listed({.key_marker = "c"})), (texts{"d*"}));
}

TEST(version_id, parses_back_from_its_text) {
  for (const auto& id : {version_id{}, version_id{version_place{1, 2}}, version_id{version_place{~0ull, ~0u}}})
    EXPECT_EQ(parse_version_id(to_string(id)), id);
  for (const auto* text : {"", "Null", "12", "00000000000000010000000g", "000000000000000100000002 "})
    EXPECT_FALSE(parse_version_id(text)) << text;
}

} // namespace cairn::storage::metadata::versions_test

// Quotas of users where commands are applied: who owns a bucket, what counts for whom, and every path that makes a
// version, at the limit and one above it.
#include "storage/metadata/commands/identity.hpp"
#include "storage/metadata/rows/usage_rows.hpp"

#include "tests/storage/metadata/store_fixture.hpp"

#include <random>

namespace cairn::storage::metadata::user_quotas_test {
using policy::action;

class user_quotas : public store_test {
protected:
  // A user `ann` with a key, an access key `CK1` of nobody, and two buckets of each.
  void SetUp() override {
    store_test::SetUp();
    make_user("ann", "IDann", "AKIA1");
    run(create_key{.stamp = stamp(), .id = "CK1", .secret = "secret", .now = 5, .creates_buckets = true});
    for (const auto* name : {"ann-1", "ann-2"}) EXPECT_EQ(refused(bucket_by("AKIA1", name)), std::nullopt);
    for (const auto* name : {"key-1", "key-2"}) EXPECT_EQ(refused(bucket_by("CK1", name)), std::nullopt);
  }
  void make_user(const std::string& name, const std::string& id, const std::string& key) {
    change_identity user{.stamp = stamp(), .what = action::iam_create_user, .now = 5, .name = name, .id = id};
    ASSERT_EQ(refused(user), std::nullopt);
    change_identity made{.stamp = stamp(), .what = action::iam_create_access_key, .now = 5, .name = name, .other = key};
    made.text = "secret";
    ASSERT_EQ(refused(made), std::nullopt);
    change_identity may{.stamp = stamp(), .what = action::iam_put_user_policy, .now = 5, .name = name, .other = "all"};
    may.text = R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]})";
    ASSERT_EQ(refused(may), std::nullopt);
  }
  // As gateways send it.
  create_bucket bucket_by(const std::string& key, const std::string& name) {
    create_bucket c{.name = name, .now = 1};
    asked_access asked{.actions = {action::create_bucket}};
    asked.with.kind = policy::sender::key;
    asked.with.time = 1;
    const bool is_users = read()->access_key(key)->of_user != nullptr;
    c.by = {is_users ? allowed_by::identity : allowed_by::key,     key, 0, 0, 0,
            std::make_shared<const asked_access>(std::move(asked))};
    if (!is_users) c.owner = key;
    return c;
  }
  set_user_quota quota(const std::string& user, std::optional<std::uint64_t> bytes,
                       std::optional<std::uint64_t> versions = {}) {
    return {.stamp = stamp(), .user = user, .bytes_max = bytes, .versions_max = versions};
  }
  std::optional<errc> give(const std::string& bucket, const std::string& user) {
    return refused(set_bucket_owner{.stamp = stamp(), .name = bucket, .user = user});
  }
  std::optional<errc> put(const std::string& bucket, const std::string& key, std::size_t size) {
    auto c = small(key, std::string(size, 'x'));
    c.bucket = bucket;
    return refused(c);
  }
  std::optional<errc> remove(const std::string& bucket, const std::string& key) {
    auto c = removal(key);
    c.bucket = bucket;
    return refused(c);
  }
  copy_object copy(const std::string& from, const std::string& key, const std::string& to, const std::string& as) {
    const auto source = read()->object(from, key).value();
    return {.stamp = stamp(), .source = {from, key, source.version, source.ordinal}, .bucket = to, .key = as};
  }
  bucket_owner owner(const std::string& name) {
    identity_query query{.kind = identity_kind::bucket_owner, .name = name};
    return read()->identities(query).value().owners.at(0);
  }
  std::vector<bucket_owner> owners(const std::string& after = {}, std::uint32_t max = 100) {
    identity_query query{.kind = identity_kind::bucket_owner, .name = {}, .after = after, .max = max};
    return read()->identities(query).value().owners;
  }
  std::map<std::string, std::string> owners_of_buckets() {
    std::map<std::string, std::string> all;
    const auto page = read()->buckets(buckets_query{.with_usage = true}).value();
    for (std::size_t i = 0; i < page.buckets.size(); ++i) all[page.buckets[i].name] = page.owners.at(i);
    return all;
  }
  errc missing(const std::string& name) {
    return read()->identities({.kind = identity_kind::bucket_owner, .name = name}).error().code;
  }
};

TEST_F(user_quotas, are_about_the_buckets_that_a_user_or_a_key_of_nobody_made) {
  using all = std::map<std::string, std::string>;
  const all wanted{{"ann-1", "ann"}, {"ann-2", "ann"}, {"files", ""}, {"key-1", "CK1"}, {"key-2", "CK1"}};
  EXPECT_EQ(owners_of_buckets(), wanted);
  EXPECT_EQ(owner("ann").buckets, 2u);
  EXPECT_EQ(owner("ann").id, "IDann");
  EXPECT_EQ(owner("Ann").name, "ann") << "names are unique without regard to case";
  EXPECT_EQ(owner("CK1").buckets, 2u);
  EXPECT_EQ(missing("AKIA1"), errc::no_such_identity) << "the key of a user";
  EXPECT_EQ(missing("nobody"), errc::no_such_identity);
  EXPECT_EQ(missing("a b"), errc::no_such_identity);
}

TEST_F(user_quotas, take_what_fits_exactly_into_all_buckets_together_and_not_a_byte_more) {
  for (const std::string who : {"ann", "CK1"}) {
    const std::string first = who == "ann" ? "ann-1" : "key-1", second = who == "ann" ? "ann-2" : "key-2";
    EXPECT_EQ(refused(quota(who, 10)), std::nullopt);
    EXPECT_EQ(put(first, "a", 4), std::nullopt);
    EXPECT_EQ(put(second, "a", 7), errc::quota_exceeded);
    EXPECT_EQ(put(second, "a", 6), std::nullopt);
    EXPECT_EQ(put(second, "b", 0), std::nullopt) << "no bytes";
    EXPECT_EQ(put(first, "b", 1), errc::quota_exceeded);
    EXPECT_EQ(put(first, "a", 5), errc::quota_exceeded);
    EXPECT_EQ(put(second, "a", 5), std::nullopt) << "has the place of what it replaces";
    EXPECT_EQ(put(first, "a", 5), std::nullopt);
    EXPECT_EQ(owner(who).counted, (usage{3, 3, 0, 10}));
    EXPECT_EQ(remove(second, "a"), std::nullopt);
    EXPECT_EQ(put(first, "b", 5), std::nullopt);
  }
  EXPECT_EQ(put("files", "a", 1000), std::nullopt) << "nobody's";
}

TEST_F(user_quotas, count_each_version_but_no_delete_markers) {
  set_bucket versioned{.stamp = stamp(), .name = "ann-1"};
  versioned.versioning = versioning::enabled;
  EXPECT_EQ(refused(versioned), std::nullopt);
  EXPECT_EQ(refused(quota("ann", {}, 3)), std::nullopt);
  EXPECT_EQ(put("ann-1", "a", 5), std::nullopt);
  EXPECT_EQ(put("ann-1", "a", 5), std::nullopt);
  EXPECT_EQ(remove("ann-1", "a"), std::nullopt);
  EXPECT_EQ(put("ann-2", "a", 5), std::nullopt);
  EXPECT_EQ(put("ann-1", "a", 0), errc::quota_exceeded);
  EXPECT_EQ(put("ann-2", "b", 0), errc::quota_exceeded);
  EXPECT_EQ(owner("ann").counted, (usage{1, 3, 1, 15}));
}

TEST_F(user_quotas, refuse_with_the_limit_and_without_a_name) {
  EXPECT_EQ(refused(quota("ann", 10, 2)), std::nullopt);
  auto c = small("a", "eleven byte");
  c.bucket = "ann-1";
  const auto why = run(c).refused;
  ASSERT_TRUE(why);
  EXPECT_EQ(why->text,
            "User quota exceeded: all buckets of this bucket's owner together may hold at most 10 bytes, all "
            "versions together.");
  set_bucket_quota own{.stamp = stamp(), .name = "ann-1", .bytes_max = 5, .versions_max = {}};
  EXPECT_EQ(refused(own), std::nullopt);
  EXPECT_EQ(put("ann-1", "a", 6), errc::quota_exceeded) << "the bucket's is there as well";
  EXPECT_EQ(put("ann-2", "a", 6), std::nullopt);
  EXPECT_EQ(put("ann-1", "a", 5), errc::quota_exceeded) << "the user's";
}

TEST_F(user_quotas, judge_copies_by_the_owner_of_the_bucket_that_gets_them) {
  EXPECT_EQ(put("ann-1", "a", 6), std::nullopt);
  EXPECT_EQ(put("key-1", "a", 6), std::nullopt);
  EXPECT_EQ(refused(quota("ann", 10)), std::nullopt);
  EXPECT_EQ(refused(copy("ann-1", "a", "ann-2", "b")), errc::quota_exceeded);
  EXPECT_EQ(refused(copy("key-1", "a", "ann-2", "b")), errc::quota_exceeded);
  EXPECT_EQ(refused(copy("ann-1", "a", "key-1", "b")), std::nullopt);
  auto to_itself = copy("ann-1", "a", "ann-1", "a");
  to_itself.headers.emplace();
  EXPECT_EQ(refused(to_itself), std::nullopt);
  EXPECT_EQ(owner("CK1").counted, (usage{2, 2, 0, 12}));
}

TEST_F(user_quotas, count_the_parts_of_an_upload_when_it_is_completed) {
  EXPECT_EQ(refused(quota("ann", 10)), std::nullopt);
  EXPECT_EQ(put("ann-2", "a", 4), std::nullopt);
  const auto begun = run(begin_upload{.stamp = stamp(), .bucket = "ann-1", .key = "big", .nonce = 7, .headers = {}});
  const upload_name upload{"ann-1", "big", begun.version, 7};
  put_part part{.stamp = stamp(), .upload = upload, .number = 1, .size = 7};
  part.content = written_blob{.blob = new_blob(), .length = 7, .chunk_size = chunk_size};
  EXPECT_EQ(refused(part), std::nullopt);
  const auto complete = [&] {
    complete_upload c{.stamp = stamp(), .upload = upload, .now = 2};
    c.parts = {{.number = 1}};
    c.etag.parts = 1;
    return refused(c);
  };
  EXPECT_EQ(complete(), errc::quota_exceeded);
  EXPECT_EQ(remove("ann-2", "a"), std::nullopt);
  EXPECT_EQ(complete(), std::nullopt);
  EXPECT_EQ(owner("ann").counted, (usage{1, 1, 0, 7}));
}

TEST_F(user_quotas, judge_the_commands_of_a_batch_one_after_the_other) {
  EXPECT_EQ(refused(quota("ann", 10)), std::nullopt);
  auto first = small("a", "123456"), second = small("a", "12345"), third = small("b", "1234");
  first.bucket = third.bucket = "ann-1";
  second.bucket = "ann-2";
  const command batch[] = {first, second, third};
  const auto results = s->apply(batch).value().results;
  EXPECT_EQ(results[0].refused, std::nullopt);
  ASSERT_TRUE(results[1].refused);
  EXPECT_EQ(results[1].refused->code, errc::quota_exceeded);
  EXPECT_EQ(results[2].refused, std::nullopt);
}

TEST_F(user_quotas, follow_buckets_that_get_another_owner_or_are_deleted) {
  EXPECT_EQ(put("ann-1", "a", 3), std::nullopt);
  EXPECT_EQ(put("files", "a", 5), std::nullopt);
  EXPECT_EQ(give("files", "ann"), std::nullopt);
  EXPECT_EQ(give("files", "ann"), std::nullopt) << "again";
  EXPECT_EQ(owner("ann").counted, (usage{2, 2, 0, 8}));
  EXPECT_EQ(owner("ann").buckets, 3u);
  EXPECT_EQ(give("ann-1", "CK1"), std::nullopt);
  EXPECT_EQ(owner("ann").counted, (usage{1, 1, 0, 5}));
  EXPECT_EQ(owner("CK1").counted, (usage{1, 1, 0, 3}));
  EXPECT_EQ(refused(quota("CK1", 3)), std::nullopt);
  EXPECT_EQ(put("ann-1", "b", 1), errc::quota_exceeded);
  EXPECT_EQ(give("ann-1", ""), std::nullopt);
  EXPECT_EQ(put("ann-1", "b", 1), std::nullopt);
  EXPECT_EQ(owner("CK1").counted, usage{});
  EXPECT_EQ(refused(delete_bucket{.name = "ann-2"}), std::nullopt);
  EXPECT_EQ(owner("ann").buckets, 1u);
  EXPECT_EQ(give("none-such", "ann"), errc::no_such_bucket);
  EXPECT_EQ(give("files", "none-such"), errc::no_such_identity);
  EXPECT_EQ(give("files", "AKIA1"), errc::no_such_identity);
  EXPECT_EQ(owners_of_buckets().at("files"), "ann");
}

TEST_F(user_quotas, may_be_lower_than_what_is_there_also_by_a_bucket_that_comes) {
  EXPECT_EQ(put("ann-1", "a", 20), std::nullopt);
  EXPECT_EQ(put("files", "a", 20), std::nullopt);
  EXPECT_EQ(refused(quota("ann", 10)), std::nullopt);
  EXPECT_EQ(give("files", "ann"), std::nullopt);
  EXPECT_EQ(put("ann-1", "a", 1), errc::quota_exceeded);
  EXPECT_EQ(remove("ann-1", "a"), std::nullopt);
  EXPECT_EQ(put("files", "a", 10), std::nullopt);
}

TEST_F(user_quotas, are_changed_limit_by_limit_and_go_with_the_user) {
  EXPECT_EQ(refused(quota("ann", 10, 5)), std::nullopt);
  EXPECT_EQ(refused(quota("ann", {}, 0)), std::nullopt);
  EXPECT_EQ(owner("ann").quota, (bucket_quota{10, 0}));
  EXPECT_EQ(refused(quota("none-such", 10)), errc::no_such_identity);
  EXPECT_EQ(refused(quota("AKIA1", 10)), errc::no_such_identity);
  change_identity renamed{.stamp = stamp(), .what = action::iam_update_user, .name = "ann", .other = "anna"};
  EXPECT_EQ(refused(renamed), std::nullopt);
  EXPECT_EQ(owner("anna").quota, (bucket_quota{10, 0}));
  EXPECT_EQ(owners_of_buckets().at("ann-1"), "anna");
  for (auto [what, other] : {std::pair{action::iam_delete_access_key, "AKIA1"},
                             std::pair{action::iam_delete_user_policy, "all"}, std::pair{action::iam_delete_user, ""}})
    EXPECT_EQ(refused(change_identity{.stamp = stamp(), .what = what, .name = "anna", .other = other}), std::nullopt);
  EXPECT_EQ(missing("anna"), errc::no_such_identity);
  EXPECT_EQ(put("ann-1", "a", 100), std::nullopt);
  EXPECT_EQ(owners_of_buckets().at("ann-1"), "IDann") << "the buckets stay";
  make_user("ann", "IDann2", "AKIA2");
  EXPECT_EQ(owner("ann").buckets, 0u) << "another user of the name";
  EXPECT_TRUE(owner("ann").quota.empty());
  EXPECT_EQ(refused(quota("CK1", 1)), std::nullopt);
  EXPECT_EQ(refused(delete_key{.stamp = stamp(), .id = "CK1"}), std::nullopt);
  EXPECT_EQ(put("key-1", "a", 100), std::nullopt);
  const auto listed = owners();
  ASSERT_EQ(listed.size(), 2u);
  EXPECT_EQ(listed[0].id, "CK1");
  EXPECT_EQ(listed[0].name, "");
  EXPECT_EQ(listed[0].counted, (usage{1, 1, 0, 100}));
  EXPECT_TRUE(listed[0].quota.empty());
  EXPECT_EQ(listed[1].name, "");
  for (const auto* name : {"key-1", "key-2"}) EXPECT_EQ(give(name, "ann"), std::nullopt);
  EXPECT_EQ(owners().size(), 2u) << "the key owns nothing any more";
}

TEST_F(user_quotas, are_listed_by_id_in_pages) {
  make_user("bob", "IDbob", "AKIA2");
  EXPECT_EQ(refused(quota("bob", 7)), std::nullopt) << "owns nothing";
  const auto all = owners();
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[0].name, "CK1");
  EXPECT_EQ(all[1].name, "ann");
  EXPECT_EQ(all[2].name, "bob");
  EXPECT_EQ(all[2].quota, (bucket_quota{7, 0}));
  EXPECT_EQ(owners("", 2).size(), 2u);
  const auto rest = owners("IDann", 2);
  ASSERT_EQ(rest.size(), 1u);
  EXPECT_EQ(rest[0].name, "bob");
  EXPECT_EQ(refused(quota("bob", 0)), std::nullopt);
  EXPECT_EQ(owners().size(), 2u);
}

TEST_F(user_quotas, show_how_many_are_nearly_used_up) {
  const auto near = [this] { return read()->total_usage()->owners_near_quota; };
  EXPECT_EQ(put("ann-1", "a", 89), std::nullopt);
  EXPECT_EQ(refused(quota("ann", 100)), std::nullopt);
  EXPECT_EQ(near(), 0u);
  EXPECT_EQ(put("ann-1", "b", 1), std::nullopt);
  EXPECT_EQ(near(), 1u);
  EXPECT_EQ(refused(quota("CK1", {}, 1)), std::nullopt);
  EXPECT_EQ(put("key-1", "a", 0), std::nullopt);
  EXPECT_EQ(near(), 2u);
  EXPECT_EQ(remove("ann-1", "a"), std::nullopt);
  EXPECT_EQ(near(), 1u);
}

TEST_F(user_quotas, count_a_bucket_for_the_user_of_a_session_and_for_nobody_if_it_is_a_roles) {
  const auto made_by = [this](const std::string& name, bool of_role, const std::string& who, const std::string& id) {
    auto c = bucket_by("AKIA1", name);
    c.by.key = "ASIA1";
    c.by.session = std::make_shared<const sts_session>(sts_session{of_role, who, id, "session", 1, 1'000'000, {}});
    return refused(c);
  };
  change_identity role{.stamp = stamp(), .what = action::iam_create_role, .name = "maker", .id = "IDrole"};
  role.text = R"({"Statement":{"Effect":"Allow","Action":"sts:AssumeRole","Principal":"*"}})";
  role.version = 3600;
  EXPECT_EQ(refused(role), std::nullopt);
  change_identity may{.stamp = stamp(), .what = action::iam_put_role_policy, .name = "maker", .other = "all"};
  may.text = R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]})";
  EXPECT_EQ(refused(may), std::nullopt);
  EXPECT_EQ(made_by("by-session", false, "ann", "IDann"), std::nullopt);
  EXPECT_EQ(made_by("by-role", true, "maker", "IDrole"), std::nullopt);
  EXPECT_EQ(owners_of_buckets().at("by-session"), "ann");
  EXPECT_EQ(owners_of_buckets().at("by-role"), "");
}

TEST_F(user_quotas, of_a_cluster_begin_when_all_its_members_know_them) {
  run(create_cluster{.id = {9}, .name = "cluster", .now = 1, .first = {.id = {1}, .address = "node:1"}});
  run(raise_feature_level{feature_level_of_user_quotas - 1});
  EXPECT_EQ(refused(bucket_by("AKIA1", "older")), std::nullopt);
  EXPECT_EQ(put("older", "a", 5), std::nullopt);
  while (run(count_usage{}).more == 1) continue;
  EXPECT_EQ(owners_of_buckets().at("older"), "") << "as builds that do not know owners write it";
  EXPECT_EQ(owner("ann").buckets, 2u) << "of the time before";
  run(raise_feature_level{feature_level_of_user_quotas});
  EXPECT_EQ(refused(bucket_by("AKIA1", "newer")), std::nullopt);
  EXPECT_EQ(owners_of_buckets().at("newer"), "ann");
  EXPECT_EQ(give("older", "ann"), std::nullopt);
  EXPECT_EQ(owner("ann").counted, (usage{1, 1, 0, 5}));
  EXPECT_EQ(refused(quota("ann", 5)), std::nullopt);
  EXPECT_EQ(put("newer", "a", 1), errc::quota_exceeded);
}

TEST_F(user_quotas, need_buckets_that_are_counted) {
  EXPECT_EQ(put("ann-1", "a", 5), std::nullopt);
  const key_maker keys{default_group};
  {
    const auto writer = engine->begin_write().value();
    auto state = decode_usage_state(writer->get(id_of(table::meta), keys.meta(meta_field::usage)).value()).value();
    --state.index; // as a build that does not count leaves it
    writer->put(id_of(table::meta), keys.meta(meta_field::usage), encode(state));
    ASSERT_TRUE(writer->commit());
  }
  EXPECT_EQ(refused(quota("ann", 5)), errc::busy);
  EXPECT_EQ(owner("ann").counted, std::nullopt);
  EXPECT_EQ(put("ann-1", "b", 5), std::nullopt);
  EXPECT_EQ(give("ann-2", "CK1"), std::nullopt) << "before it is counted";
  EXPECT_EQ(run(count_usage{.rows_max = 2}).more, 1u);
  EXPECT_EQ(give("ann-1", "CK1"), std::nullopt) << "perhaps while it is counted";
  while (run(count_usage{.rows_max = 1}).more == 1) continue;
  EXPECT_EQ(owner("ann").buckets, 0u);
  EXPECT_EQ(owner("CK1").buckets, 4u);
  EXPECT_EQ(owner("CK1").counted, (usage{2, 2, 0, 10}));
  EXPECT_EQ(refused(quota("CK1", 10)), std::nullopt);
  EXPECT_EQ(put("key-1", "b", 1), errc::quota_exceeded);
}

// After each acknowledged write the buckets hold no more than the quota, whatever was done before.
TEST_F(user_quotas, are_never_exceeded_by_an_acknowledged_write) {
  std::mt19937 random{7};
  const auto key = [&] { return std::string(1, static_cast<char>('a' + random() % 4)); };
  const auto bucket = [&] { return random() % 2 == 0 ? "ann-1" : "ann-2"; };
  int taken = 0, above = 0;
  for (int i = 0; i < 2000 && !HasFailure(); ++i) {
    const auto kind = random() % 20;
    std::optional<errc> write;
    const auto to = bucket();
    if (kind < 3) {
      EXPECT_EQ(refused(quota("ann", random() % 60, random() % 8)), std::nullopt);
      continue;
    }
    if (kind < 9) {
      remove(to, key());
      continue;
    }
    if (kind < 12) {
      const auto from = key();
      if (!read()->object("ann-1", from)) continue;
      write = refused(copy("ann-1", from, to, key()));
    } else {
      write = put(to, key(), random() % 20);
    }
    if (write) {
      EXPECT_EQ(*write, errc::quota_exceeded);
      ++above;
      continue;
    }
    ++taken;
    const auto now = owner("ann");
    EXPECT_FALSE(exceeded(now.quota, now.counted->bytes, now.counted->versions)) << "command " << i;
  }
  EXPECT_GT(taken, 100);
  EXPECT_GT(above, 100);
}

} // namespace cairn::storage::metadata::user_quotas_test

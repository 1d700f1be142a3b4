// Users, groups, managed policies and keys of users where commands are applied: IAM's rules about names, references and
// limits, and what the policies of a user allow at each log index.
#include "storage/metadata/commands/identity.hpp"

#include "tests/storage/metadata/store_fixture.hpp"

namespace cairn::storage::metadata::identities_test {
using policy::action;

std::string statement_of(std::string_view effect, std::string_view actions, std::string_view resource,
                         std::string_view more = "") {
  return R"({"Version":"2012-10-17","Statement":[{"Effect":")" + std::string{effect} + R"(","Action":)" +
         std::string{actions} + R"(,"Resource":")" + std::string{resource} + "\"" + std::string{more} + "}]}";
}
const std::string puts = statement_of("Allow", R"("s3:PutObject")", "arn:aws:s3:::files/*");
const std::string no_puts = statement_of("Deny", R"("s3:PutObject")", "*");

class identities : public store_test {
protected:
  void SetUp() override {
    store_test::SetUp();
    EXPECT_EQ(done(create(action::iam_create_user, "ann")), std::nullopt);
    EXPECT_EQ(done(key_of("ann", "AKIA1")), std::nullopt);
  }
  change_identity about(action what, const std::string& name, const std::string& other = {}) {
    return {.stamp = stamp(), .what = what, .now = 5, .name = name, .other = other};
  }
  change_identity create(action what, const std::string& name, const std::string& text = {}) {
    auto c = about(what, name);
    c.id = "ID" + name;
    c.text = text;
    return c;
  }
  change_identity key_of(const std::string& user, const std::string& id) {
    auto c = about(action::iam_create_access_key, user, id);
    c.text = "secret";
    return c;
  }
  change_identity inline_policy(action what, const std::string& name, const std::string& policy, std::string text) {
    auto c = about(what, name, policy);
    c.text = std::move(text);
    return c;
  }
  std::optional<errc> done(const change_identity& c) { return refused(c); }
  // A managed policy that is attached to a user.
  void attach(const std::string& policy, const std::string& text) {
    EXPECT_EQ(done(create(action::iam_create_policy, policy, text)), std::nullopt);
    EXPECT_EQ(done(about(action::iam_attach_user_policy, "ann", policy)), std::nullopt);
  }
  static authority by_key(std::vector<action> actions, allowed_by how = allowed_by::identity) {
    asked_access asked{.actions = std::move(actions)};
    asked.with.kind = policy::sender::key;
    asked.with.time = 1;
    return {how, "AKIA1", 0, 0, 0, std::make_shared<const asked_access>(std::move(asked))};
  }
  std::optional<errc> put(const std::string& key = "new") {
    auto c = small(key);
    c.by = by_key({action::put_object});
    return refused(c);
  }
  void put_bucket_policy(std::string_view effect) {
    set_bucket_access c{.stamp = stamp(), .name = "files"};
    c.policy =
        R"({"Version":"2012-10-17","Statement":[{"Effect":")" + std::string{effect} +
        R"(","Principal":{"AWS":"arn:aws:iam:::user/ann"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::files/*"}]})";
    EXPECT_FALSE(refused(c));
  }
  identity_page page(identity_kind kind, const std::string& name) {
    identity_query query;
    query.kind = kind;
    query.name = name;
    return read()->identities(query).value();
  }
  user_row user(const std::string& name = "ann") { return page(identity_kind::user, name).users.at(0); }
  policy_row managed(const std::string& name) { return page(identity_kind::policy, name).policies.at(0); }
};

TEST_F(identities, have_names_that_are_unique_without_regard_to_case) {
  EXPECT_EQ(done(create(action::iam_create_user, "ANN")), errc::identity_exists);
  EXPECT_EQ(done(create(action::iam_create_group, "ann")), std::nullopt); // a kind has names of its own
  EXPECT_EQ(done(create(action::iam_create_user, "")), errc::invalid_argument);
  EXPECT_EQ(done(create(action::iam_create_user, std::string(65, 'a'))), errc::invalid_argument);
  EXPECT_EQ(done(create(action::iam_create_user, "a b")), errc::invalid_argument);
  auto c = create(action::iam_create_user, "bob");
  c.path = "/team";
  EXPECT_EQ(done(c), errc::invalid_argument);
  c.path.clear();
  c.stamp = stamp();
  EXPECT_EQ(done(c), errc::invalid_argument);
  EXPECT_EQ(done(about(action::iam_delete_user, "bob")), errc::no_such_identity);
  EXPECT_EQ(user("Ann").who.name, "ann");
}

TEST_F(identities, and_access_keys_of_nobody_do_not_share_a_name) {
  run(create_key{.stamp = stamp(), .id = "CK1", .secret = "s", .now = 1});
  EXPECT_EQ(done(create(action::iam_create_user, "CK1")), errc::identity_exists);
  EXPECT_EQ(refused(create_key{.stamp = stamp(), .id = "ann", .secret = "s"}), errc::invalid_argument);
  EXPECT_EQ(refused(create_key{.stamp = stamp(), .id = "Ann", .secret = "s"}), std::nullopt); // another principal
  auto c = about(action::iam_update_user, "ann", "CK1");
  EXPECT_EQ(done(c), errc::identity_exists);
}

TEST_F(identities, stay_while_something_refers_to_them) {
  EXPECT_EQ(done(about(action::iam_delete_user, "ann")), errc::identity_in_use); // its key
  EXPECT_EQ(done(about(action::iam_delete_access_key, "ann", "AKIA1")), std::nullopt);
  EXPECT_EQ(read()->access_key("AKIA1").error(), errc::no_such_access_key);
  EXPECT_EQ(done(create(action::iam_create_group, "writers")), std::nullopt);
  EXPECT_EQ(done(about(action::iam_add_user_to_group, "writers", "ann")), std::nullopt);
  EXPECT_EQ(done(about(action::iam_add_user_to_group, "WRITERS", "ANN")), std::nullopt); // as before
  EXPECT_EQ(page(identity_kind::group, "writers").groups.at(0).members, 1u);
  EXPECT_EQ(done(about(action::iam_delete_user, "ann")), errc::identity_in_use);
  EXPECT_EQ(done(about(action::iam_delete_group, "writers")), errc::identity_in_use);
  EXPECT_EQ(done(about(action::iam_remove_user_from_group, "writers", "ann")), std::nullopt);
  EXPECT_EQ(done(about(action::iam_remove_user_from_group, "writers", "ann")), errc::no_such_identity);
  attach("puts", puts);
  EXPECT_EQ(done(about(action::iam_delete_user, "ann")), errc::identity_in_use);
  EXPECT_EQ(done(about(action::iam_delete_policy, "puts")), errc::identity_in_use);
  EXPECT_EQ(done(about(action::iam_detach_user_policy, "ann", "puts")), std::nullopt);
  EXPECT_EQ(done(about(action::iam_detach_user_policy, "ann", "puts")), errc::no_such_identity);
  EXPECT_EQ(done(inline_policy(action::iam_put_user_policy, "ann", "own", puts)), std::nullopt);
  EXPECT_EQ(done(about(action::iam_delete_user, "ann")), errc::identity_in_use);
  EXPECT_EQ(done(about(action::iam_delete_user_policy, "ann", "own")), std::nullopt);
  const auto before = dump(*engine);
  EXPECT_EQ(done(about(action::iam_delete_user, "ann")), std::nullopt);
  EXPECT_EQ(done(about(action::iam_delete_group, "writers")), std::nullopt);
  EXPECT_EQ(done(about(action::iam_delete_policy, "puts")), std::nullopt);
  for (const auto& [key, row] : dump(*engine)) EXPECT_NE(key.first, id_of(table::identities));
  EXPECT_GT(before.size(), 0u);
}

TEST_F(identities, are_renamed_with_their_keys) {
  attach("puts", puts);
  auto c = about(action::iam_update_user, "ann", "Anna");
  c.path = "/team/";
  c.on = true;
  EXPECT_EQ(done(c), std::nullopt);
  identity_query gone;
  gone.name = "ann";
  EXPECT_EQ(read()->identities(gone).error(), errc::no_such_identity);
  EXPECT_EQ(resource_of(user("anna")), "user/team/Anna");
  EXPECT_EQ(read()->access_key("AKIA1")->user, "Anna");
  EXPECT_EQ(put(), std::nullopt);
}

TEST_F(identities, keep_at_most_five_versions_of_a_policy) {
  EXPECT_EQ(done(create(action::iam_create_policy, "puts", puts)), std::nullopt);
  auto next = create(action::iam_create_policy_version, "puts", no_puts);
  for (std::uint64_t number = 2; number <= 5; ++number) {
    next.stamp = stamp();
    EXPECT_EQ(run(next).more, number);
  }
  next.stamp = stamp();
  EXPECT_EQ(done(next), errc::too_large);
  EXPECT_EQ(done(about(action::iam_delete_policy, "puts")), errc::identity_in_use);
  auto version = about(action::iam_delete_policy_version, "puts");
  version.version = 1;
  EXPECT_EQ(done(version), errc::identity_in_use); // the default one
  auto chosen = about(action::iam_set_default_policy_version, "puts");
  chosen.version = 5;
  EXPECT_EQ(done(chosen), std::nullopt);
  version.stamp = stamp();
  EXPECT_EQ(done(version), std::nullopt);
  version.stamp = stamp();
  EXPECT_EQ(done(version), errc::no_such_identity);
  EXPECT_EQ(managed("puts").default_version, 5u);
  next.stamp = stamp();
  next.on = true;
  EXPECT_EQ(run(next).more, 6u); // numbers are not used again
  EXPECT_EQ(managed("puts").default_version, 6u);
}

TEST_F(identities, have_the_limits_of_IAM) {
  EXPECT_EQ(done(key_of("ann", "AKIA2")), std::nullopt);
  EXPECT_EQ(done(key_of("ann", "AKIA3")), errc::too_large);
  EXPECT_EQ(user().keys, (std::vector<std::string>{"AKIA1", "AKIA2"}));
  const auto long_policy = [](std::size_t bytes) {
    return statement_of("Allow", R"("s3:*")", std::string(bytes, 'x'));
  };
  const auto of_s3 = [&](std::size_t bytes) {
    return statement_of("Allow", R"("s3:*")", "arn:aws:s3:::" + std::string(bytes, 'x'));
  };
  EXPECT_EQ(done(inline_policy(action::iam_put_user_policy, "ann", "a", long_policy(9))), errc::invalid_argument);
  EXPECT_EQ(done(inline_policy(action::iam_put_user_policy, "ann", "a", of_s3(1500))), std::nullopt);
  EXPECT_EQ(done(inline_policy(action::iam_put_user_policy, "ann", "b", of_s3(1500))), errc::too_large);
  EXPECT_EQ(done(inline_policy(action::iam_put_user_policy, "ann", "a", of_s3(10))), std::nullopt); // replaced
  EXPECT_EQ(user().policies.own.size(), 1u);
  for (int i = 0; i < 10; ++i) attach("p" + std::to_string(i), puts);
  EXPECT_EQ(done(create(action::iam_create_policy, "more", puts)), std::nullopt);
  EXPECT_EQ(done(about(action::iam_attach_user_policy, "ann", "more")), errc::too_large);
  EXPECT_EQ(managed("more").attachments, 0u);
  for (int i = 0; i < 11; ++i) {
    const auto name = "g" + std::to_string(i);
    EXPECT_EQ(done(create(action::iam_create_group, name)), std::nullopt);
    EXPECT_EQ(done(about(action::iam_add_user_to_group, name, "ann")),
              i < 10 ? std::nullopt : std::optional{errc::too_large});
  }
}

TEST_F(identities, are_asked_where_a_held_command_is_applied) {
  EXPECT_EQ(put(), errc::access_denied);
  attach("puts", puts);
  EXPECT_EQ(put(), std::nullopt);
  EXPECT_EQ(done(about(action::iam_detach_user_policy, "ann", "puts")), std::nullopt);
  EXPECT_EQ(put(), errc::access_denied);
  EXPECT_EQ(done(create(action::iam_create_group, "writers")), std::nullopt);
  EXPECT_EQ(done(about(action::iam_attach_group_policy, "writers", "puts")), std::nullopt);
  EXPECT_EQ(done(about(action::iam_add_user_to_group, "writers", "ann")), std::nullopt);
  EXPECT_EQ(put(), std::nullopt);
  auto version = create(action::iam_create_policy_version, "puts", no_puts);
  EXPECT_EQ(done(version), std::nullopt); // not the default one
  EXPECT_EQ(put(), std::nullopt);
  auto chosen = about(action::iam_set_default_policy_version, "puts");
  chosen.version = 2;
  EXPECT_EQ(done(chosen), std::nullopt);
  EXPECT_EQ(put(), errc::access_denied);
  chosen.version = 1;
  chosen.stamp = stamp();
  EXPECT_EQ(done(chosen), std::nullopt);
  auto key = about(action::iam_update_access_key, "ann", "AKIA1");
  EXPECT_EQ(done(key), std::nullopt);
  EXPECT_EQ(put(), errc::no_such_access_key); // inactive
  key.stamp = stamp();
  key.on = true;
  EXPECT_EQ(done(key), std::nullopt);
  EXPECT_EQ(put(), std::nullopt);
  EXPECT_EQ(done(about(action::iam_remove_user_from_group, "writers", "ann")), std::nullopt);
  EXPECT_EQ(put(), errc::access_denied);
}

TEST_F(identities, change_and_command_in_one_batch_are_applied_in_their_order) {
  attach("puts", puts);
  auto first = small("first");
  const auto detached = about(action::iam_detach_user_policy, "ann", "puts");
  auto second = small("second");
  first.by = second.by = by_key({action::put_object});
  const command batch[] = {first, detached, second};
  const auto results = s->apply(batch).value().results;
  EXPECT_FALSE(results[0].refused);
  EXPECT_FALSE(results[1].refused);
  ASSERT_TRUE(results[2].refused);
  EXPECT_EQ(*results[2].refused, errc::access_denied);
}

// Of the identity's policies, of the bucket's, and of both.
TEST_F(identities, and_bucket_policies_allow_each_and_an_explicit_deny_of_one_wins) {
  const auto set = [this](const std::string& own, std::string_view of_bucket) {
    done(about(action::iam_delete_user_policy, "ann", "own"));
    if (!own.empty()) {
      EXPECT_EQ(done(inline_policy(action::iam_put_user_policy, "ann", "own", own)), std::nullopt);
    }
    set_bucket_access none{.stamp = stamp(), .name = "files"};
    none.policy.emplace();
    run(none);
    if (!of_bucket.empty()) put_bucket_policy(of_bucket);
  };
  struct {
    std::string own;
    std::string_view of_bucket;
    bool allowed;
  } const cases[] = {{"", "", false},     {puts, "", true},      {no_puts, "", false},
                     {"", "Allow", true}, {puts, "Allow", true}, {no_puts, "Allow", false},
                     {"", "Deny", false}, {puts, "Deny", false}, {no_puts, "Deny", false}};
  for (const auto& one : cases) {
    set(one.own, one.of_bucket);
    EXPECT_EQ(put(), one.allowed ? std::nullopt : std::optional{errc::access_denied}) << one.own << one.of_bucket;
  }
}

TEST_F(identities, have_variables_and_tags_in_their_policies) {
  const std::string own_folder = statement_of("Allow", R"("s3:PutObject")", "arn:aws:s3:::files/${aws:username}/*");
  EXPECT_EQ(done(inline_policy(action::iam_put_user_policy, "ann", "own", own_folder)), std::nullopt);
  EXPECT_EQ(put("ann/a"), std::nullopt);
  EXPECT_EQ(put("bob/a"), errc::access_denied);
  const std::string of_team =
      statement_of("Allow", R"("s3:PutObject")", "arn:aws:s3:::files/${aws:PrincipalTag/team}/*");
  EXPECT_EQ(done(inline_policy(action::iam_put_user_policy, "ann", "own", of_team)), std::nullopt);
  EXPECT_EQ(put("blue/a"), errc::access_denied);
  auto tag = about(action::iam_tag_user, "ann");
  tag.tags = {{"team", "blue"}};
  EXPECT_EQ(done(tag), std::nullopt);
  EXPECT_EQ(put("blue/a"), std::nullopt);
  tag.what = action::iam_untag_user;
  tag.stamp = stamp();
  EXPECT_EQ(done(tag), std::nullopt);
  EXPECT_EQ(put("blue/a"), errc::access_denied);
}

TEST_F(identities, decide_about_tags_of_the_object_with_its_row) {
  auto tagged = small("there");
  tagged.extras.tags = {{"state", "draft"}};
  run(tagged);
  const std::string drafts = statement_of("Allow", R"("s3:DeleteObject")", "arn:aws:s3:::files/*",
                                          R"(,"Condition":{"StringEquals":{"s3:ExistingObjectTag/state":"draft"}})");
  EXPECT_EQ(done(inline_policy(action::iam_put_user_policy, "ann", "own", drafts)), std::nullopt);
  run(small("other"));
  const auto remove = [this](const std::string& key) {
    delete_object c{.stamp = stamp(), .bucket = "files", .key = key};
    c.by = by_key({action::delete_object});
    return refused(c);
  };
  EXPECT_EQ(remove("other"), errc::access_denied);
  EXPECT_EQ(remove("there"), std::nullopt);
}

TEST_F(identities, create_buckets_as_their_policies_say_and_get_no_grants) {
  const auto make = [this](const std::string& name) {
    create_bucket c{.name = name, .now = 1, .owner = "AKIA1", .stamp = stamp()};
    c.by = by_key({action::create_bucket});
    return refused(c);
  };
  EXPECT_EQ(make("mine"), errc::access_denied);
  const auto may = statement_of("Allow", R"("s3:CreateBucket")", "arn:aws:s3:::mine*");
  EXPECT_EQ(done(inline_policy(action::iam_put_user_policy, "ann", "own", may)), std::nullopt);
  EXPECT_EQ(make("mine"), std::nullopt);
  EXPECT_EQ(make("yours"), errc::access_denied);
  EXPECT_TRUE(read()->access_key("AKIA1")->grants.empty());
  change_key grant{.stamp = stamp(), .id = "AKIA1", .bucket = "files", .allowed = rights::all};
  EXPECT_EQ(refused(grant), errc::invalid_argument);
}

TEST_F(identities, change_identities_only_as_their_policies_say) {
  const auto may = [this](action what, const std::string& name, const std::string& other = {}) {
    auto c = what == action::iam_create_user ? create(what, name) : about(what, name, other);
    if (what == action::iam_create_access_key) c.text = "secret";
    c.by = by_key({});
    return done(c);
  };
  EXPECT_EQ(may(action::iam_create_user, "eve"), errc::access_denied);
  EXPECT_EQ(may(action::iam_delete_user, "nobody"), errc::access_denied); // and learns nothing
  const auto own_keys = statement_of("Allow", R"("iam:*AccessKey*")", "arn:aws:iam::*:user/${aws:username}");
  EXPECT_EQ(done(inline_policy(action::iam_put_user_policy, "ann", "own", own_keys)), std::nullopt);
  EXPECT_EQ(done(create(action::iam_create_user, "bob")), std::nullopt);
  EXPECT_EQ(may(action::iam_create_access_key, "ann", "AKIA2"), std::nullopt);
  EXPECT_EQ(may(action::iam_create_access_key, "bob", "AKIA3"), errc::access_denied);
  EXPECT_EQ(may(action::iam_delete_access_key, "ann", "AKIA2"), std::nullopt);
  const auto team = statement_of("Allow", R"("iam:CreateUser")", "arn:aws:iam:::user/team/*");
  EXPECT_EQ(done(inline_policy(action::iam_put_user_policy, "ann", "own", team)), std::nullopt);
  EXPECT_EQ(may(action::iam_create_user, "eve"), errc::access_denied);
  auto c = create(action::iam_create_user, "eve");
  c.path = "/team/";
  c.by = by_key({});
  EXPECT_EQ(done(c), std::nullopt);
  // A key of nobody has rights on buckets only.
  run(create_key{.stamp = stamp(), .id = "CK1", .secret = "s", .now = 1});
  c = create(action::iam_create_user, "mallory");
  c.by = by_key({}, allowed_by::key);
  c.by.key = "CK1";
  EXPECT_EQ(done(c), errc::access_denied);
  c.stamp = stamp();
  c.by.key = "deleted";
  EXPECT_EQ(done(c), errc::no_such_access_key);
}

TEST_F(identities, lose_a_key_that_an_operator_deletes) {
  EXPECT_EQ(refused(delete_key{.stamp = stamp(), .id = "AKIA1"}), std::nullopt);
  EXPECT_TRUE(user().keys.empty());
  EXPECT_EQ(put(), errc::no_such_access_key);
}

TEST_F(identities, are_listed_by_name_in_pages) {
  for (const std::string name : {"carl", "Bob", "dora"})
    EXPECT_EQ(done(create(action::iam_create_user, name)), std::nullopt);
  EXPECT_EQ(done(create(action::iam_create_group, "g")), std::nullopt);
  EXPECT_EQ(done(about(action::iam_add_user_to_group, "g", "dora")), std::nullopt);
  identity_query query;
  query.max = 2;
  const auto first = read()->identities(query).value();
  ASSERT_EQ(first.users.size(), 2u);
  EXPECT_TRUE(first.truncated);
  EXPECT_EQ(first.users[1].who.name, "Bob");
  query.after = "bob";
  const auto second = read()->identities(query).value();
  ASSERT_EQ(second.users.size(), 2u);
  EXPECT_FALSE(second.truncated);
  EXPECT_EQ(second.users[0].who.name, "carl");
  query.after.clear();
  query.group = "g";
  EXPECT_EQ(read()->identities(query)->users.size(), 1u);
  query.group.clear();
  query.access_key = "AKIA1";
  EXPECT_EQ(read()->identities(query)->users.at(0).who.name, "ann");
}

// A page of a thousand whole rows could take tens of megabytes.
TEST_F(identities, are_listed_without_tags_and_policies) {
  auto tags = about(action::iam_tag_user, "ann");
  tags.tags = {{"team", "blue"}};
  EXPECT_EQ(done(tags), std::nullopt);
  EXPECT_EQ(done(inline_policy(action::iam_put_user_policy, "ann", "own", puts)), std::nullopt);
  attach("managed", puts);
  EXPECT_EQ(done(create(action::iam_create_group, "g")), std::nullopt);
  EXPECT_EQ(done(inline_policy(action::iam_put_group_policy, "g", "own", puts)), std::nullopt);
  EXPECT_EQ(user().who.tags.size() + user().policies.own.size() + managed("managed").versions.size(), 3u);

  const auto all = [this](identity_kind kind) { return page(kind, {}); };
  const auto listed = all(identity_kind::user).users.at(0);
  EXPECT_TRUE(listed.who.tags.empty());
  EXPECT_TRUE(listed.policies.own.empty());
  EXPECT_TRUE(listed.policies.has("managed"));
  EXPECT_TRUE(all(identity_kind::group).groups.at(0).policies.own.empty());
  const auto policy_listed = all(identity_kind::policy).policies.at(0);
  EXPECT_TRUE(policy_listed.versions.empty());
  EXPECT_EQ(policy_listed.default_version, 1u);
}

TEST(identity_rows, come_back_as_they_were_written) {
  user_row user{.who = {"ann", "AIDA1", "/team/", {{"k", "v"}}}, .created = 5};
  user.policies = {{"a", "b"}, {{"own", "{}"}}};
  user.groups = {"g"};
  user.keys = {"AKIA1"};
  EXPECT_EQ(decode_user(encode(user)).value(), user);
  group_row group{.name = "g", .id = "AGPA1", .created = 6, .policies = {{"a"}, {}}, .members = 300};
  EXPECT_EQ(decode_group(encode(group)).value(), group);
  policy_row policy{.name = "p", .id = "ANPA1", .description = "d", .created = 1, .updated = 2};
  policy.default_version = 2;
  policy.last_version = 7;
  policy.attachments = 3;
  policy.versions = {{2, 1, "{}"}, {7, 2, "{\"a\":1}"}};
  EXPECT_EQ(decode_managed_policy(encode(policy)).value(), policy);
  access_key_row key{.id = "AKIA1", .secret = "s", .user = "ann", .active = false};
  EXPECT_EQ(decode_access_key(encode(key)).value(), key);
  for (std::string bytes : {encode(user), encode(group), encode(policy)}) {
    for (std::size_t n = 0; n < bytes.size(); ++n) {
      const auto cut = bytes.substr(0, n);
      EXPECT_FALSE(decode_user(cut) && decode_group(cut) && decode_managed_policy(cut)) << n;
    }
    bytes[0] = 2;
    EXPECT_EQ(decode_user(bytes).error(), errc::unsupported);
  }
  policy.default_version = 3; // there is none
  EXPECT_EQ(decode_managed_policy(encode(policy)).error(), errc::corrupt);
}

TEST(identity_rows, keep_documents_without_white_space) {
  EXPECT_EQ(without_space("{ \"a b\" :\t[1,\n \"c \\\" d\\\\\" ] }"), R"({"a b":[1,"c \" d\\"]})");
}

} // namespace cairn::storage::metadata::identities_test

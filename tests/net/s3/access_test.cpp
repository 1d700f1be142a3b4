#include "net/s3/access.hpp"

#include "tests/net/s3/access_scene.hpp"

#include <gtest/gtest.h>

namespace cairn::net::access_test {

using access_scene::policy_of, access_scene::scene;
namespace metadata = storage::metadata;
using metadata::allowed_by;
using storage::policy::action;

std::string with(const s3_operation& operation, std::uint8_t rights) {
  scene s{operation, rights};
  if (operation.copies) {
    s.head.insert("x-amz-copy-source", "/other/from");
    s.source = scene::other_bucket(true);
  }
  return s.code();
}
std::string with(std::string_view operation, std::uint8_t rights) {
  return with(operation_named(operation), rights);
}

TEST(access, needs_the_right_of_its_kind) {
  using namespace metadata::rights;
  EXPECT_EQ(with("get_object", read), "");
  EXPECT_EQ(with("list_objects", write | owner), "AccessDenied");
  EXPECT_EQ(with("put_object", write), "");
  EXPECT_EQ(with("put_object", read | owner), "AccessDenied");
  EXPECT_EQ(with("delete_bucket", owner), "");
  EXPECT_EQ(with("delete_bucket", read | write), "AccessDenied");
  EXPECT_EQ(with("write_setting", read | write), "AccessDenied");
  EXPECT_EQ(with("list_buckets", 0), "");
}

TEST(access, of_a_user_is_what_its_policies_say) {
  const auto asked_by = [](std::string_view operation, const std::string& statement) {
    const std::string text = R"({"Version":"2012-10-17","Statement":[{)" + statement + "}]}";
    auto ann = std::make_shared<metadata::identity>();
    ann->user = {"ann", "AIDA1", "/", {}};
    ann->policies.push_back({"own", metadata::identity_policy{text}});
    scene s{operation};
    s.key.user = "ann";
    s.key.of_user = std::move(ann);
    return s;
  };
  const std::string reads = R"("Effect":"Allow","Action":["s3:GetObject","s3:ListAllMyBuckets"],"Resource":"*")";
  auto get = asked_by("get_object", reads);
  EXPECT_EQ(get.code(), "");
  EXPECT_EQ(get.asked.by.by, metadata::allowed_by::identity);
  EXPECT_FALSE(get.asked.waits_for_object);
  EXPECT_EQ(asked_by("put_object", reads).code(), "AccessDenied");
  EXPECT_EQ(asked_by("list_buckets", reads).code(), "");
  EXPECT_EQ(asked_by("list_buckets", R"("Effect":"Allow","Action":"s3:GetObject","Resource":"*")").code(),
            "AccessDenied");
  EXPECT_EQ(asked_by("create_bucket", R"("Effect":"Allow","Action":"s3:CreateBucket","Resource":"*")").code(), "");
  EXPECT_EQ(asked_by("create_bucket", reads).code(), "AccessDenied");
  auto by_tag = asked_by("get_object", reads + R"(,"Condition":{"StringEquals":{"s3:ExistingObjectTag/a":"b"}})");
  EXPECT_EQ(by_tag.code(), "");
  EXPECT_TRUE(by_tag.asked.waits_for_object);
  metadata::object_row row;
  EXPECT_TRUE(refused_object(by_tag.asked, &by_tag.bucket, &row));
  row.extras.tags = {{"a", "b"}};
  EXPECT_FALSE(refused_object(by_tag.asked, &by_tag.bucket, &row));
  // Which entries it may delete is decided one by one.
  EXPECT_EQ(
      asked_by("delete_objects", R"("Effect":"Deny","Action":"s3:DeleteObject","Resource":"arn:aws:s3:::files/a")")
          .code(),
      "");
}

TEST(access, every_operation_but_a_few_needs_something) {
  for (const auto& operation : s3_operations) {
    // Those of IAM's API are decided action by action (storage/metadata/commands/identity.hpp).
    const bool open = operation.name == "list_buckets" || operation.name == "options" || operation.query_api;
    // The object may be public, or its list grant it to the sender.
    const bool later = operation.public_by == publicity::objects || operation.name == "object_attributes";
    EXPECT_EQ(with(operation, 0), open || later ? "" : "AccessDenied") << operation.name;
  }
  EXPECT_EQ(with(no_operation, 0), "");
}

TEST(access, every_route_asks_for_an_action_that_needs_the_right_of_its_operation) {
  using namespace metadata::rights;
  for (const auto& operation : s3_operations) {
    if (operation.preflight || operation.query_api) continue;
    for (const auto& route : operation.routes) {
      EXPECT_NE(route.act, action::none) << operation.name << ' ' << route.query;
      const auto needed = metadata::rights_for(route.act);
      const auto expected = operation.needs == need::read    ? read
                            : operation.needs == need::write ? write
                            : operation.needs == need::owner ? owner
                                                             : std::uint8_t{0};
      EXPECT_EQ(needed, expected) << operation.name << ' ' << route.query;
      const bool of_object =
          route.of == resource::object || route.act == action::put_object || operation.judges_entries;
      EXPECT_EQ(storage::policy::is_of_object(route.act), of_object) << operation.name << ' ' << route.query;
      if (route.of_version != action::none) {
        EXPECT_EQ(metadata::rights_for(route.of_version) & expected, expected) << operation.name;
      }
    }
  }
}

TEST(access, lists_are_refused_where_the_bucket_owner_owns_all_objects) {
  const auto code = [](std::string_view operation, std::string_view list, std::uint8_t ownership) {
    scene s{operation, metadata::rights::all};
    if (operation == "write_setting")
      s.asked.route = std::find_if(s.asked.operation->routes.begin(), s.asked.operation->routes.end(),
                                   [](const auto& route) { return route.query == "acl"; });
    if (!list.empty()) s.head.insert("x-amz-acl", list);
    s.bucket.ownership = ownership;
    const auto refused = refused_list(s.asked, s.head, s.bucket);
    return refused ? std::string{refused->code} : "";
  };
  using namespace metadata::ownership;
  for (const auto* const operation : {"put_object", "copy_object", "begin_upload", "post_object", "write_setting"}) {
    for (const auto* const list : {"private", "public-read"}) {
      EXPECT_EQ(code(operation, list, enforced), "AccessControlListNotSupported") << operation;
      EXPECT_EQ(code(operation, list, preferred), "") << operation;
      EXPECT_EQ(code(operation, list, not_given), "") << operation;
    }
    EXPECT_EQ(code(operation, "bucket-owner-full-control", enforced), "") << operation;
    EXPECT_EQ(code(operation, "", enforced), "") << operation;
  }
  for (const auto* const operation : {"put_part", "complete_upload", "get_object"}) // there it is without effect
    EXPECT_EQ(code(operation, "private", enforced), "") << operation;
}

TEST(access, making_buckets_is_a_right_of_its_own) {
  scene s{"create_bucket", metadata::rights::all};
  EXPECT_EQ(s.code(), "AccessDenied");
  s.key.creates_buckets = true;
  EXPECT_EQ(s.code(), "");
  EXPECT_EQ(s.asked.by.bucket, 0u); // no bucket's, whether there is one of the name or not
  s.is_signed = false;
  EXPECT_EQ(s.code(), "AccessDenied");
}

TEST(access, a_copy_needs_to_read_its_source) {
  scene s{"copy_object", metadata::rights::write};
  s.head.insert("x-amz-copy-source", "/other/from");
  EXPECT_EQ(s.code(), "NoSuchBucket");
  s.source = scene::other_bucket();
  EXPECT_EQ(s.code(), ""); // the object may be public
  metadata::object_row row;
  EXPECT_TRUE(refused_source_object(s.asked, s.asked.by, s.source.get(), "from", row, true));
  s.key.grants.push_back({8, metadata::rights::read});
  EXPECT_EQ(s.code(), "");
  EXPECT_FALSE(refused_source_object(s.asked, s.asked.by, s.source.get(), "from", row, true));
  EXPECT_EQ(s.asked.by.source, 8u);
}

TEST(access, tags_of_a_copy_need_rights_on_both_ends) {
  scene s{"copy_object", metadata::rights::write};
  s.head.insert("x-amz-copy-source", "/other/from");
  s.head.insert("x-amz-tagging", "class=public"); // without effect
  auto source = *scene::other_bucket();
  source.policy = metadata::bucket_policy{R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*",)"
                                          R"("Action":"s3:GetObject","Resource":"arn:aws:s3:::other/*"}]})"};
  s.source = std::make_shared<const metadata::bucket_row>(source);
  metadata::object_row row;
  row.extras.tags = {{"class", "secret"}};
  EXPECT_EQ(s.code(), "");
  EXPECT_EQ(s.asked.by.asked->actions, std::vector{action::put_object});
  const auto copied = with_copied_tags(s.asked.by, row.extras.tags);
  EXPECT_EQ(copied.asked->actions, (std::vector{action::put_object, action::put_object_tagging}));
  EXPECT_EQ(with_copied_tags(s.asked.by, {}).asked->actions, std::vector{action::put_object});
  EXPECT_TRUE(refused_source_object(s.asked, copied, s.source.get(), "from", row, true)) << "s3:GetObjectTagging";
  EXPECT_FALSE(refused_source_object(s.asked, copied, s.source.get(), "from", row, false)) << "no tag is read";

  const auto denies = [&](std::string_view statement) {
    s.bucket.policy = policy_of(statement);
    s.code();
    const auto by = with_copied_tags(s.asked.by, row.extras.tags);
    bool undecided = false;
    return metadata::lapsed(by, &s.key, &s.bucket, {.key = "k"}, undecided).has_value();
  };
  EXPECT_TRUE(denies(R"("Effect":"Deny","Principal":"*","Action":"s3:PutObjectTagging")"));
  EXPECT_TRUE(denies(R"("Effect":"Deny","Principal":"*","Action":"s3:PutObject","Condition":{"StringEquals":)"
                     R"({"s3:RequestObjectTag/class":"secret"}})"));
  EXPECT_FALSE(denies(R"("Effect":"Deny","Principal":"*","Action":"s3:PutObject","Condition":{"StringEquals":)"
                      R"({"s3:RequestObjectTag/class":"public"}})"));
  s.bucket.policy = {};
  s.head.insert("x-amz-tagging-directive", "REPLACE");
  EXPECT_EQ(s.code(), "");
  EXPECT_EQ(s.asked.by.asked->actions, (std::vector{action::put_object, action::put_object_tagging}));
}

TEST(access, a_copy_tells_of_its_source_to_who_may_list_it) {
  scene s{"copy_object", metadata::rights::write};
  s.head.insert("x-amz-copy-source", "/other/from");
  s.source = scene::other_bucket();
  s.code();
  for (const auto code : {errc::no_such_key, errc::no_such_version, errc::delete_marker}) {
    const auto missing = seen_by(s.asked, error{code, "text"});
    const auto private_one = refused_source_object(s.asked, s.asked.by, s.source.get(), "from", {}, true);
    ASSERT_TRUE(private_one);
    EXPECT_EQ(s3_error_of(missing).code, private_one->code);
    EXPECT_EQ(s3_error_of(missing).message, private_one->message) << "in no way different";
  }
  s.key.grants.push_back({8, metadata::rights::read});
  s.code();
  EXPECT_EQ(seen_by(s.asked, error{errc::no_such_key}), errc::no_such_key);
}

TEST(access, a_bucket_that_is_not_there_is_no_bucket_to_write_to) {
  scene s{"put_object", metadata::rights::all};
  s.missing = true;
  EXPECT_EQ(s.code(), "NoSuchBucket");
}

TEST(access, what_let_a_request_in_goes_with_its_commands) {
  using namespace metadata::rights;
  scene s{"put_object", write};
  s.bucket.public_read = s.bucket.public_write = true;
  EXPECT_EQ(s.code(), "");
  EXPECT_EQ(s.asked.by.by, allowed_by::key);
  EXPECT_EQ(s.asked.by.key, "CK1");
  EXPECT_EQ(s.asked.by.rights, write);
  EXPECT_EQ(s.asked.by.bucket, 7u);
  EXPECT_EQ(s.asked.authority(owner).rights, write | owner);
  EXPECT_TRUE(s.asked.may(action::put_object_tagging));
  EXPECT_FALSE(s.asked.may(action::put_object_acl));

  s.key.grants.clear();
  EXPECT_EQ(s.code(), "");
  EXPECT_EQ(s.asked.by.by, allowed_by::anybody);
  EXPECT_EQ(s.asked.authority(owner).rights, 0);
  EXPECT_FALSE(s.asked.may(action::put_object_tagging));

  s.bucket.public_write = false;
  s.bucket.policy =
      policy_of(R"("Effect":"Allow","Principal":{"AWS":"arn:aws:iam:::user/CK1"},"Action":"s3:PutObject")");
  EXPECT_EQ(s.code(), "");
  EXPECT_EQ(s.asked.by.by, allowed_by::policy);
}

TEST(access, a_policy_lets_in_and_keeps_out) {
  using namespace metadata::rights;
  scene s{"get_object", read};
  s.bucket.policy = policy_of(R"("Effect":"Deny","Principal":"*","Action":"s3:GetObject")");
  EXPECT_EQ(s.code(), "AccessDenied");
  scene anonymous{"list_objects"};
  anonymous.is_signed = false;
  EXPECT_EQ(anonymous.code(), "AccessDenied");
  anonymous.bucket.policy = policy_of(R"("Effect":"Allow","Principal":"*","Action":"s3:ListBucket")");
  EXPECT_EQ(anonymous.code(), "");
  EXPECT_EQ(anonymous.asked.by.by, allowed_by::anybody);
  anonymous.bucket.public_block = metadata::public_block::given | metadata::public_block::restrict_buckets;
  EXPECT_EQ(anonymous.code(), "AccessDenied");
  anonymous.bucket.policy = {};
  anonymous.bucket.public_read = true;
  EXPECT_EQ(anonymous.code(), "");
  anonymous.bucket.public_block |= metadata::public_block::ignore_acls;
  EXPECT_EQ(anonymous.code(), "AccessDenied");
}

TEST(access, the_owner_can_always_remove_the_policy) {
  const auto& removal = operation_named("write_setting");
  const auto route_of = [&removal](action act) {
    return std::find_if(removal.routes.begin(), removal.routes.end(), [act](const auto& r) { return r.act == act; });
  };
  scene s{removal, metadata::rights::owner};
  s.asked.route = route_of(action::put_bucket_cors);
  s.bucket.policy = policy_of(R"("Effect":"Deny","Principal":"*","Action":"s3:*")");
  EXPECT_EQ(s.code(), "AccessDenied");
  s.asked.route = route_of(action::delete_bucket_policy);
  EXPECT_EQ(s.code(), "");
  s.key.grants.front().rights = metadata::rights::read | metadata::rights::write;
  EXPECT_EQ(s.code(), "AccessDenied");
}

TEST(access, conditions_about_tags_are_decided_with_the_object) {
  scene s{"get_object"};
  s.bucket.policy = policy_of(R"("Effect":"Allow","Principal":"*","Action":"s3:GetObject",
      "Condition":{"StringEquals":{"s3:ExistingObjectTag/team":"blue"}})");
  EXPECT_EQ(s.code(), "");
  metadata::object_row row;
  row.extras.tags = {{"team", "red"}};
  EXPECT_TRUE(refused_object(s.asked, s.asked.bucket.get(), &row));
  row.extras.tags = {{"team", "blue"}};
  EXPECT_FALSE(refused_object(s.asked, s.asked.bucket.get(), &row));
  EXPECT_TRUE(refused_object(s.asked, s.asked.bucket.get(), nullptr));
}

TEST(access, what_is_not_there_is_told_to_who_may_list_the_bucket) {
  const auto seen = [](std::uint8_t rights, bool listed, errc code) {
    scene s{"get_object", rights};
    s.bucket.public_read = s.bucket.public_objects = listed;
    s.code();
    return seen_by(s.asked, error{code, "text"});
  };
  for (const auto code : {errc::no_such_key, errc::no_such_version, errc::delete_marker}) {
    EXPECT_EQ(seen(0, false, code), errc::access_denied);
    EXPECT_TRUE(seen(0, false, code).text.empty()); // as an object that is there and not public is refused
    EXPECT_EQ(seen(metadata::rights::write | metadata::rights::owner, false, code), errc::access_denied);
    EXPECT_EQ(seen(metadata::rights::read, false, code), code);
    EXPECT_EQ(seen(0, true, code), code);
  }
  EXPECT_EQ(seen(0, false, errc::no_such_bucket), errc::no_such_bucket);
  EXPECT_EQ(seen(0, false, errc::io_error), errc::io_error);
}

TEST(access, what_is_not_there_is_told_as_far_as_a_policy_lets_list) {
  scene s{"get_object", metadata::rights::read};
  s.bucket.policy = policy_of(R"("Effect":"Deny","Principal":"*","Action":"s3:ListBucket",
      "Condition":{"StringNotLike":{"s3:prefix":"public/*"}})");
  s.code();
  EXPECT_EQ(seen_by(s.asked, error{errc::no_such_key}), errc::access_denied);
  s.asked.target.key = "public/k";
  s.code();
  EXPECT_EQ(seen_by(s.asked, error{errc::no_such_key}), errc::no_such_key);
}

TEST(access, anybody_may_read_what_is_public) {
  const auto of = [](std::string_view name) { return operation_named(name).public_by; };
  EXPECT_EQ(of("get_object"), publicity::objects);
  EXPECT_EQ(of("list_objects"), publicity::listing);
  EXPECT_EQ(of("put_object"), publicity::writing);
  EXPECT_EQ(of("list_versions"), publicity::listing);
  EXPECT_EQ(of("list_uploads"), publicity::listing);
  EXPECT_EQ(of("list_parts"), publicity::writing);
  EXPECT_EQ(of("read_setting"), publicity::none);
}

TEST(access, of_anybody_is_what_the_bucket_says_or_later_the_object) {
  const auto may = [](std::string_view operation, bool read, bool write, bool objects = false) {
    scene s{operation};
    s.is_signed = false;
    s.bucket.public_read = read;
    s.bucket.public_write = write;
    s.bucket.public_objects = objects;
    s.source = scene::other_bucket(true);
    if (!s.code().empty()) return "no";
    const metadata::object_row row;
    return refused_object(s.asked, s.asked.bucket.get(), &row) ? "if the object is public" : "yes";
  };
  EXPECT_STREQ(may("get_object", false, false), "if the object is public");
  EXPECT_STREQ(may("get_object", true, false), "if the object is public");
  EXPECT_STREQ(may("head_object", true, true), "if the object is public");
  EXPECT_STREQ(may("get_object", true, false, true), "yes");
  for (const auto* listing : {"list_objects", "list_versions", "list_uploads"}) {
    EXPECT_STREQ(may(listing, false, false), "no");
    EXPECT_STREQ(may(listing, true, false), "yes");
  }
  EXPECT_STREQ(may("put_object", true, false), "no");
  EXPECT_STREQ(may("put_object", true, true), "yes");
  for (const auto* never : {"copy_object", "copy_part", "write_setting", "delete_bucket", "write_tags"})
    EXPECT_STREQ(may(never, true, true), "no");
}

TEST(access, an_upload_with_a_lock_is_also_one_of_setting_it) {
  scene s{"put_object", metadata::rights::write};
  s.head.insert("x-amz-object-lock-mode", "GOVERNANCE");
  s.head.insert("x-amz-object-lock-retain-until-date", "2026-12-02T00:00:00Z");
  s.head.insert("x-amz-object-lock-legal-hold", "ON");
  EXPECT_EQ(s.code(), "");
  const auto& asked = *s.asked.by.asked;
  EXPECT_EQ(asked.actions,
            (std::vector{action::put_object, action::put_object_retention, action::put_object_legal_hold}));
  const auto limited = [&s](std::string_view condition) {
    s.bucket.policy = policy_of(R"("Effect":"Deny","Principal":"*","Action":"s3:PutObjectRetention","Condition":{)" +
                                std::string{condition} + "}");
    EXPECT_NE(s.bucket.policy.compiled(), nullptr);
    return s.code();
  };
  // The request comes on 2026-11-30.
  EXPECT_EQ(limited(R"("NumericGreaterThan":{"s3:object-lock-remaining-retention-days":"2"})"), "");
  EXPECT_EQ(limited(R"("NumericGreaterThan":{"s3:object-lock-remaining-retention-days":"1"})"), "AccessDenied");
  EXPECT_EQ(limited(R"("StringEquals":{"s3:object-lock-mode":"COMPLIANCE"})"), "");
  EXPECT_EQ(limited(R"("StringEquals":{"s3:object-lock-mode":"GOVERNANCE"})"), "AccessDenied");
  EXPECT_EQ(limited(R"("StringEquals":{"s3:object-lock-legal-hold":"ON"})"), "AccessDenied");
  EXPECT_EQ(limited(R"("DateLessThan":{"s3:object-lock-retain-until-date":"2027-01-01T00:00:00Z"})"), "AccessDenied");
  EXPECT_EQ(limited(R"("DateLessThan":{"s3:object-lock-retain-until-date":"2026-01-01T00:00:00Z"})"), "");
}

TEST(access, a_lock_in_a_body_is_judged_once_it_is_read) {
  scene s{"write_lock", metadata::rights::write};
  s.asked.route = s.asked.operation->routes.begin() + 1;
  s.bucket.policy = policy_of(R"("Effect":"Deny","Principal":"*","Action":"s3:PutObjectRetention",
    "Condition":{"StringEquals":{"s3:object-lock-mode":"COMPLIANCE"}})");
  EXPECT_EQ(s.code(), "");
  const auto made = [&s](metadata::retention_mode mode) {
    const auto by = with_object_lock(s.asked.by, {.retained = {mode, 1'800'000'000'000}});
    return judge(by, action::put_object_retention, &s.key, s.bucket, {.key = "k"}).made;
  };
  EXPECT_EQ(made(metadata::retention_mode::governance), metadata::ruling::allowed);
  EXPECT_EQ(made(metadata::retention_mode::compliance), metadata::ruling::denied);
}

TEST(access, a_policy_is_asked_about_all_that_a_request_does) {
  scene s{"put_object", metadata::rights::all};
  s.head.insert("x-amz-acl", "public-read");
  s.head.insert("x-amz-tagging", "a=b");
  s.head.insert("User-Agent", "tool");
  EXPECT_EQ(s.code(), "");
  const auto& asked = *s.asked.by.asked;
  EXPECT_EQ(asked.actions, (std::vector{action::put_object, action::put_object_acl, action::put_object_tagging}));
  const auto value = [&asked](storage::policy::context_key key) {
    const auto found = std::ranges::find(asked.with.values, key, &storage::policy::context_value::key);
    return found == asked.with.values.end() ? std::string{"none"} : found->values.front();
  };
  using storage::policy::context_key;
  EXPECT_EQ(value(context_key::source_ip), "10.1.2.3");
  EXPECT_EQ(value(context_key::secure_transport), "false");
  EXPECT_EQ(value(context_key::user_agent), "tool");
  EXPECT_EQ(value(context_key::x_amz_acl), "public-read");
  EXPECT_EQ(value(context_key::request_object_tag), "b");
  EXPECT_EQ(value(context_key::auth_type), "REST-HEADER");
  EXPECT_EQ(value(context_key::referer), "none");
  for (const auto& [sent, seen] : {std::pair{"*", "*"}, {"\"00\"", "none"}, {"W/\"*\"", "none"}, {"", "none"}}) {
    s.head.set("If-None-Match", sent);
    s.code();
    const auto& again = s.asked.by.asked->with.values;
    const auto found = std::ranges::find(again, context_key::if_none_match, &storage::policy::context_value::key);
    EXPECT_EQ(found == again.end() ? "none" : found->values.front(), seen) << "only what prevents an overwrite";
  }
  s.asked.target.query = {{"versionId", "null"}};
  s.asked.operation = &operation_named("get_object");
  s.asked.route = s.asked.operation->routes.begin();
  s.code();
  EXPECT_EQ(s.asked.by.asked->actions, (std::vector{action::get_object_version}));
}

} // namespace cairn::net::access_test

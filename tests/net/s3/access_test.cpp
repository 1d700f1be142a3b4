#include "net/s3/access.hpp"

#include "tests/net/s3/operation_named.hpp"

#include <gtest/gtest.h>

namespace cairn::net {

namespace {

namespace metadata = storage::metadata;

struct scene {
  metadata::access_key_row key;
  request asked;
  actors::found_access found;

  scene(const s3_operation& operation, std::uint8_t rights) {
    asked.operation = &operation;
    asked.target.bucket = "files";
    if (rights != 0) key.grants.push_back({7, rights});
    found.bucket = bucket(7);
  }
  static std::shared_ptr<const metadata::bucket_row> bucket(storage::bucket_id id) {
    metadata::bucket_row row;
    row.id = id;
    return std::make_shared<const metadata::bucket_row>(std::move(row));
  }
  std::string code(std::string_view source = "") {
    found.key = std::make_shared<const metadata::access_key_row>(key);
    const auto refused = key_refused(asked, found, source);
    return refused ? std::string{refused->code} : "";
  }
};

std::string with(const s3_operation& operation, std::uint8_t rights) {
  return scene{operation, rights}.code();
}

} // namespace

TEST(access, needs_the_right_of_its_kind) {
  using namespace metadata::rights;
  EXPECT_EQ(with(operation_named("get_object"), read), "");
  EXPECT_EQ(with(operation_named("get_object"), write | owner), "AccessDenied");
  EXPECT_EQ(with(operation_named("put_object"), write), "");
  EXPECT_EQ(with(operation_named("put_object"), read | owner), "AccessDenied");
  EXPECT_EQ(with(operation_named("delete_bucket"), owner), "");
  EXPECT_EQ(with(operation_named("delete_bucket"), read | write), "AccessDenied");
  EXPECT_EQ(with(operation_named("write_setting"), read | write), "AccessDenied");
  EXPECT_EQ(with(operation_named("list_buckets"), 0), "");
}

TEST(access, every_operation_but_a_few_needs_something) {
  for (const auto& operation : s3_operations) {
    const bool open = operation.name == "list_buckets" || operation.name == "options";
    EXPECT_EQ(with(operation, 0), open ? "" : "AccessDenied") << operation.name;
  }
  EXPECT_EQ(with(no_operation, 0), "");
}

TEST(access, making_buckets_is_a_right_of_its_own) {
  scene s{operation_named("create_bucket"), metadata::rights::all};
  EXPECT_EQ(s.code(), "AccessDenied");
  s.key.creates_buckets = true;
  EXPECT_EQ(s.code(), "");
}

TEST(access, a_copy_needs_to_read_its_source) {
  scene s{operation_named("copy_object"), metadata::rights::write};
  s.found.bucket_2 = scene::bucket(8);
  EXPECT_EQ(s.code("other"), "AccessDenied");
  s.key.grants.push_back({8, metadata::rights::write});
  EXPECT_EQ(s.code("other"), "AccessDenied");
  s.key.grants.back().rights = metadata::rights::read;
  EXPECT_EQ(s.code("other"), "");
  s.found.bucket_2 = nullptr;
  EXPECT_EQ(s.code("other"), "NoSuchBucket");
}

TEST(access, a_bucket_that_is_not_there_is_no_bucket_to_write_to) {
  scene s{operation_named("put_object"), metadata::rights::all};
  s.found.bucket = nullptr;
  EXPECT_EQ(s.code(), "NoSuchBucket");
}

TEST(access, what_let_a_request_in_goes_with_its_commands) {
  using namespace metadata::rights;
  scene s{operation_named("put_object"), write};
  s.key.id = "CK1";
  EXPECT_EQ(s.code(), "");
  grant_access(s.asked, s.found, metadata::allowed_by::key);
  EXPECT_EQ(s.asked.by, (metadata::authority{metadata::allowed_by::key, "CK1", write, 7, 0}));
  EXPECT_EQ(s.asked.authority(owner).rights, write | owner);
  EXPECT_TRUE(s.asked.may(write));
  EXPECT_FALSE(s.asked.may(write | owner));

  grant_access(s.asked, s.found, metadata::allowed_by::anybody); // the key's own rights did not suffice
  EXPECT_EQ(s.asked.by, (metadata::authority{metadata::allowed_by::anybody, "CK1", 0, 7, 0}));
  EXPECT_EQ(s.asked.authority(owner).rights, 0);
  EXPECT_FALSE(s.asked.may(write));

  s.found.bucket_2 = scene::bucket(8);
  s.asked.operation = &operation_named("copy_object");
  grant_access(s.asked, s.found, metadata::allowed_by::key);
  EXPECT_EQ(s.asked.by.source, 8u);

  s.asked.operation = &operation_named("create_bucket"); // no bucket's, whether there is one of the name or not
  grant_access(s.asked, s.found, metadata::allowed_by::key);
  EXPECT_EQ(s.asked.by.bucket, 0u);

  grant_by_configuration(s.asked);
  EXPECT_TRUE(s.asked.may(metadata::rights::all));
  EXPECT_EQ(s.asked.by, (metadata::authority{.by = metadata::allowed_by::configuration}));
}

TEST(access, what_is_not_there_is_told_to_who_may_list_the_bucket) {
  const auto seen = [](std::uint8_t rights, bool listed, errc code) {
    scene s{operation_named("get_object"), rights};
    auto row = *s.found.bucket;
    row.public_read = listed;
    s.found.bucket = std::make_shared<const metadata::bucket_row>(row);
    s.found.key = std::make_shared<const metadata::access_key_row>(s.key);
    grant_access(s.asked, s.found, metadata::allowed_by::anybody);
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
    scene s{operation_named(operation), 0};
    auto row = *s.found.bucket;
    row.public_read = read;
    row.public_write = write;
    row.public_objects = objects;
    s.found.bucket = std::make_shared<const metadata::bucket_row>(row);
    const bool in = public_access_allows(s.asked, s.found);
    return s.asked.public_only ? "if the object is public" : in ? "yes" : "no";
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

} // namespace cairn::net

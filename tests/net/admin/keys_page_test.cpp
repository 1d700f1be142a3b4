#include "net/admin/keys_page.hpp"

#include <gtest/gtest.h>

namespace cairn::net::keys_page_test {

namespace metadata = storage::metadata;

result<key_command> parsed(const std::string& query) {
  return parse_key_command(parse_target("/keys/command?" + query).value());
}

bool refused(const std::string& query) {
  const auto c = parsed(query);
  return !c && c.error() == errc::invalid_argument && !c.error().text.empty();
}

TEST(keys_page, reads_commands) {
  const auto made = parsed("kind=create&label=for+backups&create_buckets=yes&format=json").value();
  EXPECT_EQ(made.kind, key_request::create);
  EXPECT_EQ(made.label, "for backups");
  EXPECT_TRUE(made.creates_buckets);
  EXPECT_TRUE(made.json);
  const auto allowed = parsed("kind=allow&key=CK1&bucket=files&rights=read,owner").value();
  EXPECT_EQ(allowed.kind, key_request::allow);
  EXPECT_EQ(allowed.rights, metadata::rights::read | metadata::rights::owner);
  EXPECT_FALSE(allowed.json);
  EXPECT_EQ(parsed("kind=deny&key=CK1&create_buckets=yes").value().kind, key_request::deny);
  EXPECT_TRUE(parsed("kind=public-read&bucket=files&value=on").value().on);
  EXPECT_FALSE(parsed("kind=public-read&bucket=files&value=off").value().on);
}

TEST(keys_page, refuses_missing_and_superfluous_parameters) {
  EXPECT_TRUE(refused(""));
  EXPECT_TRUE(refused("kind=make"));
  EXPECT_TRUE(refused("kind=delete"));
  EXPECT_TRUE(refused("kind=allow&key=CK1"));
  EXPECT_TRUE(refused("kind=allow&bucket=files&rights=read"));
  EXPECT_TRUE(refused("kind=allow&key=CK1&bucket=files"));
  EXPECT_TRUE(refused("kind=allow&key=CK1&rights=read"));
  EXPECT_TRUE(refused("kind=allow&key=CK1&bucket=files&rights=all"));
  EXPECT_TRUE(refused("kind=public-read&bucket=files"));
  EXPECT_TRUE(refused("kind=public-read&bucket=files&value=maybe"));
}

TEST(keys_page, a_command_with_a_known_subject_takes_the_rest_from_the_parameters) {
  const auto completed = [](key_command begun, const std::string& query) {
    return complete_key_command(std::move(begun), parse_target("/v1/keys?" + query).value());
  };
  const auto allowed = completed({.kind = key_request::allow, .key = "CK1"}, "bucket=files&rights=read");
  ASSERT_TRUE(allowed);
  EXPECT_EQ(allowed->key, "CK1");
  EXPECT_EQ(allowed->bucket, "files");
  EXPECT_EQ(allowed->rights, metadata::rights::read);
  const auto shown = completed({.kind = key_request::public_read, .bucket = "files", .json = true}, "value=on");
  ASSERT_TRUE(shown);
  EXPECT_EQ(shown->bucket, "files");
  EXPECT_TRUE(shown->on && shown->json);
  EXPECT_FALSE(completed({.kind = key_request::remove}, "key=CK1")) << "the subject is no parameter";
  EXPECT_FALSE(completed({.kind = key_request::public_read, .bucket = "files"}, ""));
  EXPECT_EQ(key_request_of("public-read"), key_request::public_read);
  EXPECT_FALSE(key_request_of("make"));
}

TEST(keys_page, lists_keys_without_their_secrets) {
  metadata::access_key_row key;
  key.id = "CK1";
  key.secret = "hidden";
  key.label = "a \"label\"";
  key.created = 5;
  key.grants = {{7, metadata::rights::read}, {8, metadata::rights::all}};
  const bucket_names names{{7, "files"}};
  EXPECT_EQ(keys_answer({key}, names, true),
            "[{\"access_key\":\"CK1\",\"label\":\"a \\\"label\\\"\",\"created_ms\":5,\"creates_buckets\":false,"
            "\"user\":null,\"active\":true,\"grants\":[{\"bucket\":\"files\",\"read\":true,\"write\":false,\"owner\":"
            "false}]}]\n");
  EXPECT_EQ(keys_answer({key}, names, false), "CK1  a \"label\"\n    files: read\n");
  EXPECT_EQ(keys_answer({}, names, true), "[]\n");
}

} // namespace cairn::net::keys_page_test

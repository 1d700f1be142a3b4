#include "storage/metadata/commands/commands.hpp"

#include <gtest/gtest.h>

namespace cairn::storage::metadata::grant_commands_test {

TEST(grant_commands, are_of_level_15) {
  const policy::acl_grants grants{{policy::grantee::user, "AIDA1", policy::permission::read}};
  const commit_stamp stamp{.session = 1, .sequence = 2};
  put_object put{.stamp = stamp, .bucket = "b", .key = "k"};
  put.extras.grants = grants;
  begin_upload begin{.stamp = stamp, .bucket = "b", .key = "k", .headers = {}};
  begin.extras.grants = policy::acl_grants{};
  copy_object copy{.stamp = stamp, .bucket = "b", .key = "k"};
  copy.extras.emplace().grants = grants;
  set_extras extras{.stamp = stamp, .bucket = "b", .key = "k"};
  extras.grants = grants;
  extras.version = version_id{version_place{1, 2}};
  set_bucket bucket{.stamp = stamp, .name = "b"};
  bucket.grants = grants;
  bucket.by = {.by = allowed_by::configuration};
  create_bucket made{.name = "b", .now = 3};
  made.settings.grants = grants;
  for (const command& c :
       {command{put}, command{begin}, command{copy}, command{extras}, command{bucket}, command{made}}) {
    EXPECT_EQ(level_of(c), feature_level_of_acl_grants) << c.index();
    const auto bytes = encode(c);
    EXPECT_EQ(encode(decode_command(bytes).value()), bytes) << c.index();
    for (std::size_t length = 0; length < bytes.size(); ++length)
      EXPECT_EQ(decode_command(std::string_view{bytes}.substr(0, length)).error(), errc::corrupt) << c.index();
    EXPECT_EQ(decode_command(bytes + '\0').error(), errc::corrupt) << c.index();
  }
  EXPECT_EQ(std::get<set_bucket>(decode_command(encode(bucket)).value()).grants, grants);
  EXPECT_EQ(std::get<create_bucket>(decode_command(encode(made)).value()).settings.grants, grants);
  EXPECT_EQ(std::get<begin_upload>(decode_command(encode(begin)).value()).extras.grants, policy::acl_grants{});
}

TEST(grant_commands, about_owners_of_objects_are_of_level_16) {
  const commit_stamp stamp{.session = 1, .sequence = 2};
  std::vector<command> all;
  for (const auto& grants : {policy::bucket_owner_full_control(), policy::public_read_write()}) {
    put_object put{.stamp = stamp, .bucket = "b", .key = "k"};
    put.extras.grants = grants;
    all.emplace_back(put);
    set_extras extras{.stamp = stamp, .bucket = "b", .key = "k"};
    extras.grants = grants;
    all.emplace_back(extras);
  }
  for (const auto ownership : {ownership::preferred, ownership::writer}) {
    set_bucket bucket{.stamp = stamp, .name = "b"};
    bucket.ownership = ownership;
    all.emplace_back(bucket);
    create_bucket made{.name = "b", .now = 3};
    made.settings.ownership = ownership;
    all.emplace_back(made);
  }
  for (const command& c : all) {
    EXPECT_EQ(level_of(c), feature_level_of_object_owners) << c.index();
    EXPECT_EQ(encode(decode_command(encode(c)).value()), encode(c)) << c.index();
  }
  set_bucket old{.stamp = stamp, .name = "b"};
  old.ownership = ownership::writer_of_account;
  EXPECT_EQ(level_of(old), feature_level_of_ownership);
}

} // namespace cairn::storage::metadata::grant_commands_test

#include "storage/metadata/commands/commands.hpp"

#include <gtest/gtest.h>

namespace cairn::storage::metadata::quota_commands_test {

TEST(quota_commands, are_of_level_13_and_come_back_as_they_were_encoded) {
  const auto expect_same = [](std::optional<std::uint64_t> bytes, std::optional<std::uint64_t> versions) {
    const set_bucket_quota sent{
        .stamp = {.session = 1, .sequence = 300}, .name = "b", .bytes_max = bytes, .versions_max = versions};
    EXPECT_EQ(level_of(sent), 13);
    const auto encoded = encode(command{sent});
    const auto read = decode_command(encoded);
    ASSERT_TRUE(read);
    const auto& again = std::get<set_bucket_quota>(*read);
    EXPECT_EQ(again.stamp.sequence, 300u);
    EXPECT_EQ(again.name, "b");
    EXPECT_EQ(again.bytes_max, bytes);
    EXPECT_EQ(again.versions_max, versions);
    for (std::size_t length = 0; length < encoded.size(); ++length)
      EXPECT_EQ(decode_command(std::string_view{encoded}.substr(0, length)).error(), errc::corrupt) << length;
  };
  expect_same({}, {});
  expect_same(0, {});
  expect_same(10ull << 40, {});
  expect_same({}, 1);
  expect_same(~0ull, 0);
}

TEST(quota_commands, about_users_are_of_level_16) {
  const set_user_quota sent{
      .stamp = {.session = 1, .sequence = 300}, .user = "ann", .bytes_max = 7, .versions_max = {}};
  EXPECT_EQ(level_of(sent), 16);
  const auto quota = std::get<set_user_quota>(decode_command(encode(command{sent})).value());
  EXPECT_EQ(quota.user, "ann");
  EXPECT_EQ(quota.bytes_max, 7u);
  EXPECT_EQ(quota.versions_max, std::nullopt);
  const set_bucket_owner given{.stamp = {.session = 1, .sequence = 300}, .name = "b", .user = "ann"};
  EXPECT_EQ(level_of(given), 16);
  const auto owner = std::get<set_bucket_owner>(decode_command(encode(command{given})).value());
  EXPECT_EQ(owner.name, "b");
  EXPECT_EQ(owner.user, "ann");
}

} // namespace cairn::storage::metadata::quota_commands_test

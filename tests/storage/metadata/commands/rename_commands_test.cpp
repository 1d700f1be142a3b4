#include "storage/metadata/commands/commands.hpp"

#include <gtest/gtest.h>

namespace cairn::storage::metadata::rename_commands_test {

TEST(rename_commands, are_of_level_17_and_come_back_as_they_were_encoded) {
  rename_object sent{
      .stamp = {.session = 1, .sequence = 300}, .source = {"b", "from", 70'000, 2}, .key = "to", .token = {{~0ull, 5}}};
  sent.condition.if_match = "etag";
  for (const bool with_token : {true, false}) {
    if (!with_token) sent.token.reset();
    EXPECT_EQ(level_of(sent), 17);
    const auto encoded = encode(command{sent});
    const auto read = std::get<rename_object>(decode_command(encoded).value());
    EXPECT_EQ(read.stamp.sequence, 300u);
    EXPECT_EQ(read.source.bucket, "b");
    EXPECT_EQ(read.source.key, "from");
    EXPECT_EQ(read.source.version, 70'000u);
    EXPECT_EQ(read.source.ordinal, 2u);
    EXPECT_EQ(read.key, "to");
    EXPECT_EQ(read.condition.if_match, "etag");
    EXPECT_EQ(read.token, sent.token);
    for (std::size_t length = 0; length < encoded.size(); ++length)
      EXPECT_EQ(decode_command(std::string_view{encoded}.substr(0, length)).error(), errc::corrupt) << length;
  }
}

} // namespace cairn::storage::metadata::rename_commands_test

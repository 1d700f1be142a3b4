#include "storage/metadata/commands.hpp"

#include <gtest/gtest.h>

namespace cairn::storage::metadata {
namespace {

std::vector<command> one_of_each() {
  const commit_stamp stamp{.session = 1, .sequence = 2, .acknowledged_below = 2};
  put_object with_blob{.stamp = stamp, .bucket = "bucket", .key = "key", .now = 7, .size = 8};
  with_blob.etag.digest = {9};
  with_blob.headers = {.content_type = "a/b", .standard = {{"n", "v"}}, .user = {{"u", "w"}}};
  with_blob.content = written_blob{.blob = {1, 77}, .length = 8, .chunk_size = 65536};
  with_blob.condition = {.if_absent = true, .if_match = "etag"};
  return {begin_session{.node = {1, 2, 3}, .incarnation = 4},
          end_session{.session = 5},
          create_bucket{.name = "bucket", .now = 6},
          delete_bucket{.name = "bucket"},
          with_blob,
          put_object{.stamp = stamp, .bucket = "b", .key = "k", .size = 4, .content = "text"},
          delete_object{.stamp = stamp, .bucket = "b", .key = "k", .now = 10, .condition = {.if_match = "*"}},
          abandon_blob{.session = 1, .blob = {1, 2}, .chunks = 3},
          reap{.blobs = {{.buried_at = 1, .blob = {2, 3}, .chunks = 4}, {.buried_at = 5, .blob = {6, 7}, .chunks = 8}}},
          reap{},
          free_manifests{.parts_max = 100, .released_up_to = 9}};
}

TEST(commands, come_back_as_they_were_encoded) {
  std::vector<bool> kinds(std::variant_size_v<command>);
  for (const command& c : one_of_each()) {
    const std::string bytes = encode(c);
    const auto decoded = decode_command(bytes);
    ASSERT_TRUE(decoded) << c.index();
    EXPECT_EQ(decoded->index(), c.index());
    EXPECT_EQ(encode(*decoded), bytes);
    kinds[c.index()] = true;
  }
  EXPECT_EQ(kinds, std::vector<bool>(kinds.size(), true));

  const auto put = std::get<put_object>(decode_command(encode(one_of_each()[4])).value());
  EXPECT_EQ(put.key, "key");
  EXPECT_EQ(put.stamp.sequence, 2u);
  EXPECT_EQ(put.headers.user.at(0).second, "w");
  EXPECT_EQ(std::get<written_blob>(put.content).blob, (blob_id{1, 77}));
  EXPECT_TRUE(put.condition.if_absent);
  EXPECT_EQ(put.condition.if_match, "etag");
}

TEST(commands, are_refused_when_a_byte_is_missing_or_left_over) {
  for (const command& c : one_of_each()) {
    const std::string bytes = encode(c);
    for (std::size_t length = 0; length < bytes.size(); ++length)
      EXPECT_EQ(decode_command(std::string_view{bytes}.substr(0, length)).error(), errc::corrupt)
          << c.index() << ' ' << length;
    EXPECT_EQ(decode_command(bytes + '\0').error(), errc::corrupt);
  }
}

TEST(commands, of_a_newer_feature_level_are_unsupported_not_skipped) {
  std::string bytes = encode(one_of_each()[0]);
  bytes[0] = static_cast<char>(feature_level + 1);
  EXPECT_EQ(decode_command(bytes).error(), errc::unsupported);
  bytes[0] = 0;
  EXPECT_EQ(decode_command(bytes).error(), errc::corrupt);
  bytes[0] = feature_level;
  bytes[1] = static_cast<char>(std::variant_size_v<command>);
  EXPECT_EQ(decode_command(bytes).error(), errc::corrupt);
}

TEST(commands, travel_in_batches) {
  const auto batch = one_of_each();
  const std::string bytes = encode(batch);
  const auto decoded = decode_batch(bytes);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->size(), batch.size());
  EXPECT_EQ(encode(*decoded), bytes);
  EXPECT_EQ(decode_batch(bytes.substr(0, bytes.size() - 1)).error(), errc::corrupt);
  EXPECT_EQ(decode_batch(bytes + 'x').error(), errc::corrupt);
  EXPECT_TRUE(decode_batch(encode(std::span<const command>{}))->empty());
  const std::string newer = std::string("\x01\x02", 2) + static_cast<char>(feature_level + 1) + '\0';
  EXPECT_EQ(decode_batch(newer).error(), errc::unsupported);
}

TEST(command_results, come_back_with_their_refusal) {
  const command_result done{.version = 5, .more = 6};
  EXPECT_EQ(decode_result(encode(done))->version, 5u);
  EXPECT_EQ(decode_result(encode(done))->more, 6u);
  EXPECT_FALSE(decode_result(encode(done))->refused);
  const command_result refused{.refused = error{errc::precondition_failed, "the object exists"}};
  const auto decoded = decode_result(encode(refused));
  ASSERT_TRUE(decoded && decoded->refused);
  EXPECT_EQ(*decoded->refused, errc::precondition_failed);
  EXPECT_EQ(decoded->refused->text, "the object exists");
  std::string bytes = encode(refused);
  bytes[2] = '\xee';
  EXPECT_EQ(decode_result(bytes).error(), errc::corrupt);
  bytes[0] = 2;
  EXPECT_EQ(decode_result(bytes).error(), errc::unsupported);
}

TEST(commands, have_the_bytes_that_earlier_builds_wrote) {
  const std::string put = encode(one_of_each()[5]);
  EXPECT_EQ(put, std::string("\x01\x04\x01\x02\x02\x01"
                             "b\x01k",
                             9) +
                     std::string(8, '\0') + '\x04' + std::string(16, '\0') + std::string("\0\0\0\0\0\x04text\0", 11));
  EXPECT_EQ(encode(one_of_each()[3]), "\x01\x03\x06"
                                      "bucket");
}

} // namespace
} // namespace cairn::storage::metadata

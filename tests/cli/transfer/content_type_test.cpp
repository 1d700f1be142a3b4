#include "cli/transfer/content_type.hpp"

#include <gtest/gtest.h>

using cairn::cli::content_type_of;

namespace cairn::cli::content_type_test {

TEST(content_type, is_known_by_the_extension_in_any_case) {
  EXPECT_EQ(content_type_of("photo.jpg"), "image/jpeg");
  EXPECT_EQ(content_type_of("a.b/PHOTO.JPEG"), "image/jpeg");
  EXPECT_EQ(content_type_of("index.html"), "text/html");
  EXPECT_EQ(content_type_of("backup.tar.gz"), "application/gzip");
  EXPECT_EQ(content_type_of("data.7z"), "application/x-7z-compressed");
  EXPECT_EQ(content_type_of("pack.zst"), "application/zstd");
}

TEST(content_type, is_left_to_the_server_when_nothing_is_known) {
  for (const auto* name : {"", "README", ".jpg", "folder.jpg/README", "a.", "a.unknown", "jpg"})
    EXPECT_EQ(content_type_of(name), "") << name;
}

} // namespace cairn::cli::content_type_test

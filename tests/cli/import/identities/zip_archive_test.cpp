#include "cli/import/identities/zip_archive.hpp"

#include "tests/cli/import/identities/made_archive.hpp"

#include <gtest/gtest.h>

namespace cairn::cli::zip_archive_test {

constexpr std::size_t enough = 1 << 20;

TEST(zip_archive, has_files_by_name) {
  const std::string large(200'000, 'x');
  const auto archive = zip_archive::open(made_archive({{"a/one.json", "{}"}, {"a/large", large}, {"empty", ""}}));
  ASSERT_TRUE(archive);
  EXPECT_EQ(*archive->read("a/one.json", enough), "{}");
  EXPECT_EQ(*archive->read("a/large", enough), large);
  EXPECT_EQ(*archive->read("empty", enough), "");
  EXPECT_FALSE(archive->read("one.json", enough).value());
}

TEST(zip_archive, refuses_a_file_that_is_larger_than_allowed) {
  const auto archive = zip_archive::open(made_archive({{"bomb", std::string(200'000, '\0')}}));
  ASSERT_TRUE(archive);
  EXPECT_TRUE(archive->read("bomb", 200'000));
  EXPECT_EQ(archive->read("bomb", 199'999).error().code, errc::corrupt);
}

TEST(zip_archive, is_refused_when_it_is_none) {
  for (const auto* bytes : {"", "<html/>", "PK\x05\x06"})
    EXPECT_EQ(zip_archive::open(bytes).error().code, errc::corrupt) << bytes;
}

// Every byte counts, but those that say nothing about the content: times, attributes, versions.
TEST(zip_archive, never_gives_other_bytes_when_it_is_damaged) {
  std::string content;
  for (int i = 0; i < 200; ++i) content += std::to_string(i * i);
  const auto whole = made_archive({{"name", content}});
  for (std::size_t at = 0; at < whole.size(); ++at) {
    auto damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x10);
    const auto archive = zip_archive::open(damaged);
    if (!archive) continue;
    const auto read = archive->read("name", enough);
    EXPECT_TRUE(!read || !*read || **read == content) << at;
  }
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_FALSE(zip_archive::open(whole.substr(0, size))) << size;
}

} // namespace cairn::cli::zip_archive_test

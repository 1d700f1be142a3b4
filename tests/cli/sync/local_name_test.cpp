#include "cli/sync/local_name.hpp"

#include "cli/transfer/file_download.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <unistd.h>

namespace cairn::cli::local_name_test {

TEST(local_name, ordinary_names_are_safe) {
  for (const auto* name : {"a", "a/b", "..a", "a..", "...", "a b/ü\n", "-x", ".hidden/.git", ".cairn-part-x"})
    EXPECT_FALSE(unsafe_name(name)) << name;
  EXPECT_FALSE(unsafe_name(std::string(255, 'a')));
}

TEST(local_name, what_leads_elsewhere_or_is_no_path_is_refused) {
  for (const auto* name : {"", ".", "..", "../a", "a/..", "a/../b", "/a", "/", "a//b", "a/", "./a", "a/./b"})
    EXPECT_TRUE(unsafe_name(name)) << name;
  EXPECT_TRUE(unsafe_name(std::string_view("a\0b", 3)));
  EXPECT_TRUE(unsafe_name("a/" + std::string(256, 'b')));
}

TEST(local_name, the_names_of_unfinished_downloads_belong_to_no_object) {
  const auto partial = partial_path("dir/a");
  EXPECT_TRUE(partial.starts_with("dir/.cairn-part-"));
  EXPECT_NE(partial, partial_path("dir/b"));
  EXPECT_TRUE(unsafe_name(partial));
  EXPECT_TRUE(unsafe_name(partial + ".etag"));
}

TEST(local_name, a_file_is_no_folder) {
  folder_conflicts conflicts;
  for (const auto* name : {"a", "a-b", "a-b.c"}) EXPECT_FALSE(conflicts.add(name)) << name;
  EXPECT_EQ(conflicts.add("a/b"), "a");
  EXPECT_EQ(conflicts.add("a/b/c"), "a");
  for (const auto* name : {"ab", "b/c", "b/c-d"}) EXPECT_FALSE(conflicts.add(name)) << name;
  EXPECT_EQ(conflicts.add("b/c/d"), "b/c");
  EXPECT_FALSE(conflicts.add("b/cd"));
}

TEST(local_name, folders_are_made_but_not_through_a_link_that_leads_out) {
  const auto base = std::filesystem::path(testing::TempDir()) / ("local-name-" + std::to_string(::getpid()));
  const auto root = base / "root", outside = base / "outside";
  std::filesystem::create_directories(root / "inside");
  std::filesystem::create_directories(outside);
  std::filesystem::create_directory_symlink(outside, root / "out");
  std::filesystem::create_directory_symlink("inside", root / "in");
  EXPECT_TRUE(enter_folders(root, "a/b/file", true));
  EXPECT_TRUE(std::filesystem::is_directory(root / "a/b"));
  EXPECT_TRUE(enter_folders(root, "in/c/file", true));
  EXPECT_TRUE(std::filesystem::is_directory(root / "inside/c"));
  EXPECT_FALSE(enter_folders(root, "out/c/file", true));
  EXPECT_FALSE(enter_folders(root, "out/file", false));
  EXPECT_TRUE(std::filesystem::is_empty(outside));
  std::filesystem::remove_all(base);
}

} // namespace cairn::cli::local_name_test

#include "cli/sync/local_tree.hpp"

#include "cli/transfer/file_download.hpp"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

namespace cairn::cli::local_tree_test {

namespace fs = std::filesystem;

class local_tree_test : public testing::Test {
protected:
  void SetUp() override {
    root_ = fs::path(testing::TempDir()) / ("local-tree-" + std::to_string(::getpid()));
    fs::create_directories(root_);
  }
  void TearDown() override { fs::remove_all(root_); }
  void make(const std::string& name) {
    fs::create_directories((root_ / name).parent_path());
    std::ofstream(root_ / name) << name;
  }
  // "!" before what failed, "~" before what was skipped
  std::vector<std::string> names(bool follow = true) {
    auto tree = local_tree::open(root_, follow);
    std::vector<std::string> found;
    for (;;) {
      const auto item = tree.value()->next();
      if (!item.value()) return found;
      const auto state = (*item)->state;
      found.push_back((state == item_state::failed ? "!" : state == item_state::skipped ? "~" : "") + (*item)->name);
    }
  }
  fs::path root_;
};

using list = std::vector<std::string>;

TEST_F(local_tree_test, files_come_in_the_order_of_their_names_bytes) {
  for (const auto* name : {"ab", "a/x", "a-b", "a/b/c", "a/b-c", "a.b/c", "\xC3\xBC", "Z", "a0"}) make(name);
  const auto found = names();
  EXPECT_EQ(found, (list{"Z", "a-b", "a.b/c", "a/b-c", "a/b/c", "a/x", "a0", "ab", "\xC3\xBC"}));
  EXPECT_TRUE(std::is_sorted(found.begin(), found.end()));
}

TEST_F(local_tree_test, empty_folders_and_unfinished_downloads_are_no_items) {
  fs::create_directories(root_ / "empty/deep");
  make("a");
  make(partial_path("b"));
  make(partial_path("b") + ".etag");
  EXPECT_EQ(names(), list{"a"});
}

TEST_F(local_tree_test, links_are_followed_or_skipped_and_loops_end) {
  make("a/file");
  fs::create_symlink("a/file", root_ / "link");
  fs::create_directory_symlink("a", root_ / "b");
  fs::create_directory_symlink("..", root_ / "a/up");
  fs::create_symlink("nowhere", root_ / "broken");
  EXPECT_EQ(names(true), (list{"a/file", "!a/up/", "b/file", "!b/up/", "!broken", "link"}));
  EXPECT_EQ(names(false), (list{"a/file", "~a/up/", "~b/", "~broken", "~link"}));
}

TEST_F(local_tree_test, what_is_no_file_is_skipped) {
  ASSERT_EQ(::mkfifo((root_ / "fifo").c_str(), 0600), 0);
  make("x");
  EXPECT_EQ(names(), (list{"~fifo", "x"}));
}

TEST_F(local_tree_test, a_root_that_is_no_folder_is_an_error) {
  make("a");
  EXPECT_FALSE(local_tree::open(root_ / "missing", true));
  EXPECT_FALSE(local_tree::open(root_ / "a", true));
}

TEST_F(local_tree_test, sizes_and_times_are_those_of_the_files) {
  make("abc");
  const timespec times[] = {{5, 0}, {7, 9}};
  ASSERT_EQ(::utimensat(AT_FDCWD, (root_ / "abc").c_str(), times, 0), 0);
  const auto item = local_tree::open(root_, true).value()->next();
  EXPECT_EQ((*item)->size_bytes, 3U);
  EXPECT_EQ((*item)->changed_at, 7'000'000'009);
}

} // namespace cairn::cli::local_tree_test

#include "actors/runtime/known_disks.hpp"

#include "base/files/memory_file_system.hpp"
#include "base/files/small_file.hpp"
#include "storage/chunks/disk_identity.hpp"

#include "tests/base/seeded_random.hpp"

#include <gtest/gtest.h>

namespace cairn::actors::known_disks_test {
using paths = std::vector<std::string>;

class known_disks : public testing::Test {
protected:
  void SetUp() override {
    for (const auto& path : {"/data", "/a", "/b"}) ASSERT_TRUE(files.make_directories(path));
  }
  void make(const std::string& disk) { ASSERT_TRUE(storage::make_disk_identity(files, disk, random)); }
  paths missing(const std::optional<paths>& known, bool has_chunks = true) {
    return missing_disks(files, known, {"/a", "/b"}, [has_chunks] { return result<bool>{has_chunks}; }).value();
  }

  memory_file_system files;
  seeded_random random{1};
};

TEST_F(known_disks, are_kept_in_a_file_with_a_line_for_each) {
  EXPECT_EQ(load_known_disks(files, "/data").value(), std::nullopt);
  ASSERT_TRUE(keep_known_disks(files, "/data", {"/a", "/b c"}));
  EXPECT_EQ(read_small_file(files, "/data/disks").value(), "/a\n/b c\n");
  EXPECT_EQ(load_known_disks(files, "/data").value(), (paths{"/a", "/b c"}));
  const auto flushes = files.flushes();
  ASSERT_TRUE(keep_known_disks(files, "/data", {"/a", "/b c"}));
  EXPECT_EQ(files.flushes(), flushes);
  for (const auto* const edited : {"/a", "/a\n", "\n/a\n\n"}) {
    ASSERT_TRUE(replace_small_file(files, "/data/disks", edited));
    EXPECT_EQ(load_known_disks(files, "/data").value(), paths{"/a"});
  }
  ASSERT_TRUE(replace_small_file(files, "/data/disks", ""));
  EXPECT_EQ(load_known_disks(files, "/data").value(), paths{});
}

TEST_F(known_disks, that_are_known_and_have_no_identity_are_missing) {
  EXPECT_EQ(missing(paths{"/a", "/b"}), (paths{"/a", "/b"}));
  EXPECT_EQ(missing(paths{"/b", "/elsewhere"}), paths{"/b"});
  make("/a");
  EXPECT_EQ(missing(paths{"/a", "/b"}), paths{"/b"});
  EXPECT_EQ(missing(paths{"/a"}), paths{}) << "a further disk";
  ASSERT_TRUE(replace_small_file(files, "/b/disk", "damaged"));
  EXPECT_EQ(missing(paths{"/a", "/b"}), paths{}) << "it is there, and is refused when it is opened";
}

TEST_F(known_disks, that_nothing_is_known_of_are_missing_when_objects_have_chunks_and_all_disks_are_new) {
  EXPECT_EQ(missing(std::nullopt), (paths{"/a", "/b"}));
  EXPECT_EQ(missing(std::nullopt, false), paths{});
  EXPECT_EQ(missing(paths{}), paths{}) << "the operator has lost them";
  make("/b");
  EXPECT_EQ(missing(std::nullopt), paths{});
  const auto unreadable = [] { return result<bool>{error{errc::corrupt, "row"}}; };
  EXPECT_EQ(missing_disks(files, std::nullopt, {"/a"}, unreadable).error().code, errc::corrupt);
}

} // namespace cairn::actors::known_disks_test

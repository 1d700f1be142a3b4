#include "base/files/node_identity.hpp"

#include "base/files/memory_file_system.hpp"
#include "base/files/small_file.hpp"

#include "tests/base/seeded_random.hpp"

#include <gtest/gtest.h>

namespace cairn::node_identity_test {

const std::string data_dir = "/data";

class node_identity_test : public testing::Test {
protected:
  void SetUp() override { ASSERT_TRUE(disk.make_directories(data_dir)); }
  result<node_identity> start() { return begin_node_start(disk, data_dir, random); }
  void write(const std::string& name, std::string_view content) {
    ASSERT_TRUE(replace_small_file(disk, data_dir + "/" + name, content));
  }
  std::string content(const std::string& name) { return read_small_file(disk, data_dir + "/" + name).value(); }

  memory_file_system disk;
  seeded_random random{1};
};

TEST_F(node_identity_test, keeps_the_id_and_counts_every_start) {
  const auto first = start().value();
  EXPECT_EQ(first.incarnation, 1u);
  EXPECT_EQ(content("node"), small_line("cairn-node 1 ", to_string(first.id)));
  EXPECT_EQ(content("incarnation"), "cairn-incarnation 1 00000000000000000001 crc32c:4ba37e8a\n");
  for (std::uint64_t n = 2; n < 13; ++n) EXPECT_EQ(start().value(), (node_identity{first.id, n}));
  EXPECT_EQ(content("incarnation"), small_line("cairn-incarnation 1 ", "00000000000000000012"));
}

TEST_F(node_identity_test, counts_a_start_on_a_full_disk) {
  const auto first = start().value();
  disk.set_fault([](disk_operation, const std::string& path) -> std::optional<error> {
    if (path.ends_with(".new")) return error{errc::no_space, "the disk is full"};
    return std::nullopt;
  });
  EXPECT_EQ(start().value(), (node_identity{first.id, 2}));
  disk.crash(random);
  EXPECT_EQ(start().value(), (node_identity{first.id, 3}));
}

TEST_F(node_identity_test, does_not_start_without_its_counter_until_it_has_the_one_that_the_error_names) {
  const auto first = start().value();
  ASSERT_TRUE(disk.remove(data_dir + "/incarnation"));
  for (int attempt = 0; attempt < 2; ++attempt) {
    const auto refused = start();
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error(), errc::precondition_failed);
    EXPECT_NE(refused.error().text.find(data_dir + "/incarnation is missing"), std::string::npos);
    EXPECT_NE(refused.error().text.find("\"cairn-incarnation 1 1000000\""), std::string::npos);
  }
  write("incarnation", "cairn-incarnation 1 1000000\n");
  EXPECT_EQ(start().value(), (node_identity{first.id, 1000001}));
}

TEST_F(node_identity_test, starts_after_a_first_start_that_made_its_counter_only) {
  disk.set_fault([](disk_operation what, const std::string& path) -> std::optional<error> {
    if (what == disk_operation::write && path.starts_with(data_dir + "/node"))
      return error{errc::io_error, "as the test wants"};
    return std::nullopt;
  });
  ASSERT_FALSE(start());
  disk.set_fault({});
  ASSERT_TRUE(read_small_file(disk, data_dir + "/incarnation"));
  EXPECT_EQ(start().value().incarnation, 2u);
}

TEST_F(node_identity_test, refuses_files_with_unexpected_content) {
  const auto first = start().value();
  for (const char* bad :
       {"", "cairn-node 1 \n", "cairn-node 2 00000000-0000-4000-8000-000000000000\n", "cairn-node 1 x\n"}) {
    write("node", bad);
    EXPECT_EQ(start().error(), errc::corrupt) << bad;
  }
  write("node", "cairn-node 1 " + to_string(first.id) + "\n");
  for (const char* bad : {"", "cairn-incarnation 1 \n", "cairn-incarnation 1 0\n", "cairn-incarnation 1 -1\n",
                          "cairn-incarnation 1 1x\n", "cairn-incarnation 1 7", "cairn-incarnation 2 7\n",
                          "cairn-incarnation 1 18446744073709551615\n", "cairn-incarnation 1 18446744073709551616\n"}) {
    write("incarnation", bad);
    EXPECT_EQ(start().error(), errc::corrupt) << bad;
  }
  write("incarnation", "cairn-incarnation 1 7\n");
  EXPECT_EQ(start().value(), (node_identity{first.id, 8})) << "as older builds wrote it";
}

TEST_F(node_identity_test, finds_every_changed_bit) {
  const auto first = start().value();
  for (const std::string name : {"node", "incarnation"}) {
    const auto good = content(name);
    for (std::size_t bit = 0; bit < 8 * good.size(); ++bit) {
      auto bad = good;
      bad[bit / 8] = char(bad[bit / 8] ^ (1 << bit % 8));
      write(name, bad);
      EXPECT_EQ(start().error(), errc::corrupt) << name << " bit " << bit;
    }
    write(name, good);
  }
  EXPECT_EQ(start().value(), (node_identity{first.id, 2}));
}

TEST_F(node_identity_test, never_returns_an_incarnation_twice_whatever_fails_or_crashes) {
  // The n-th operation of a start fails, for every n until one succeeds; then the power fails.
  std::optional<uuid> id;
  std::uint64_t last = 0;
  for (int round = 0; round < 5; ++round) {
    for (int allowed = 0;; ++allowed) {
      ASSERT_LT(allowed, 100);
      int left = allowed;
      disk.set_fault([&](disk_operation, const std::string&) -> std::optional<error> {
        if (left-- > 0) return std::nullopt;
        return error{errc::io_error, "as the test wants"};
      });
      const auto started = start();
      disk.set_fault({});
      disk.crash(random);
      if (!started) {
        EXPECT_EQ(started.error(), errc::io_error);
        continue;
      }
      EXPECT_GT(started->incarnation, last);
      last = started->incarnation;
      EXPECT_EQ(started->id, id.value_or(started->id));
      id = started->id;
      break;
    }
  }
}

} // namespace cairn::node_identity_test

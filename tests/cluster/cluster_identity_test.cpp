#include "cluster/cluster_identity.hpp"

#include "base/files/memory_file_system.hpp"
#include "base/files/small_file.hpp"

#include "tests/base/seeded_random.hpp"

#include <gtest/gtest.h>

namespace cairn::cluster::cluster_identity_test {

const std::string data_dir = "/data";

class cluster_identity_test : public testing::Test {
protected:
  void SetUp() override { ASSERT_TRUE(disk.make_directories(data_dir)); }
  auto load() { return load_cluster_identity(disk, data_dir); }
  auto save(const cluster_identity& identity) { return save_cluster_identity(disk, data_dir, identity); }
  void write(std::string_view content) { ASSERT_TRUE(replace_small_file(disk, data_dir + "/cluster", content)); }

  cluster_identity sample{.id = {1, 2, 3},
                          .name = "north side",
                          .self = 65535,
                          .members = {{7, {9}, "[::1]:7000"}, {65535, {8}, "node-8.example:65535"}, {0, {4}, "a:1"}}};
  memory_file_system disk;
  seeded_random random{1};
};

TEST_F(cluster_identity_test, loads_what_was_saved_and_nothing_before) {
  EXPECT_EQ(load().value(), std::nullopt);
  ASSERT_TRUE(save(sample));
  EXPECT_EQ(load().value(), sample);
  EXPECT_EQ(read_small_file(disk, data_dir + "/cluster").value(),
            "cairn-cluster 1\n"
            "id 01020300-0000-0000-0000-000000000000\n"
            "name north side\n"
            "self 65535\n"
            "member 7 09000000-0000-0000-0000-000000000000 [::1]:7000\n"
            "member 65535 08000000-0000-0000-0000-000000000000 "
            "node-8.example:65535\n"
            "member 0 04000000-0000-0000-0000-000000000000 a:1\n"
            "end crc32c:2df30550\n");
  const cluster_identity bare{.id = {1}};
  ASSERT_TRUE(save(bare));
  EXPECT_EQ(load().value(), bare);
}

TEST_F(cluster_identity_test, keeps_as_many_members_as_fit) {
  sample.members.clear();
  for (std::size_t n = 0; n < known_members_max + 50; ++n)
    sample.members.push_back({node_number(65000 - n), {std::uint8_t(n)}, std::string(262, 'x')});
  sample.name = std::string(64, 'n');
  ASSERT_TRUE(save(sample));
  sample.members.resize(known_members_max);
  EXPECT_EQ(load().value(), sample);
}

TEST_F(cluster_identity_test, refuses_to_save_what_could_not_be_read_back) {
  const auto refused = [&](const cluster_identity& identity) { return save(identity).error().code; };
  for (const std::string& name : {std::string{"a\nb"}, std::string(65, 'a'), std::string{"a\0b", 3}}) {
    auto bad = sample;
    bad.name = name;
    EXPECT_EQ(refused(bad), errc::invalid_argument);
  }
  for (const std::string& address :
       {std::string{}, std::string{"a b:1"}, std::string{"a:1\n"}, std::string(263, 'a')}) {
    auto bad = sample;
    bad.members[1].address = address;
    EXPECT_EQ(refused(bad), errc::invalid_argument);
  }
  auto twice = sample;
  twice.members[1].number = 7;
  EXPECT_EQ(refused(twice), errc::invalid_argument);
  EXPECT_EQ(load().value(), std::nullopt);
}

TEST_F(cluster_identity_test, refuses_a_file_that_was_cut_or_does_not_follow_the_grammar) {
  ASSERT_TRUE(save(sample));
  const std::string whole = read_small_file(disk, data_dir + "/cluster").value();
  for (std::size_t bit = 0; bit < 8 * whole.size(); ++bit) {
    auto bad = whole;
    bad[bit / 8] = char(bad[bit / 8] ^ (1 << bit % 8));
    write(bad);
    EXPECT_FALSE(load()) << bit;
  }
  const auto good = whole.substr(0, whole.rfind(" crc32c:")) + "\n"; // of older builds, and of operators
  write(good);
  EXPECT_EQ(load().value(), sample);
  for (std::size_t length = 0; length < good.size(); ++length) {
    write(good.substr(0, length));
    EXPECT_EQ(load().error(), errc::corrupt) << length;
  }
  write(good + "\n");
  EXPECT_EQ(load().error(), errc::corrupt);
  write("cairn-cluster 2\nsomething else\n");
  EXPECT_EQ(load().error(), errc::unsupported);
  const auto replaced = [&](std::string_view what, std::string_view by) {
    std::string bad = good;
    return bad.replace(bad.find(what), what.size(), by);
  };
  for (const auto& bad : {replaced("self 65535", "self 65536"), replaced("self 65535", "self -1"),
                          replaced("member 7", "member 0"), replaced("member 7", "member"), replaced("end", "ends"),
                          replaced("id 0102", "id 010"), replaced(" a:1", " "), replaced("name", "\tname")}) {
    write(bad);
    EXPECT_EQ(load().error(), errc::corrupt) << bad;
  }
}

TEST_F(cluster_identity_test, is_the_old_or_the_new_after_any_failure_and_crash) {
  auto next = sample;
  next.name = "renamed";
  ASSERT_TRUE(save(sample));
  for (int allowed = 0;; ++allowed) {
    ASSERT_LT(allowed, 100);
    int left = allowed;
    disk.set_fault([&](disk_operation, const std::string&) -> std::optional<error> {
      if (left-- > 0) return std::nullopt;
      return error{errc::io_error, "as the test wants"};
    });
    const auto saved = save(next);
    disk.set_fault({});
    disk.crash(random);
    const auto found = load().value();
    ASSERT_TRUE(found == sample || found == next);
    if (!saved) continue;
    EXPECT_EQ(found, next);
    break;
  }
}

} // namespace cairn::cluster::cluster_identity_test

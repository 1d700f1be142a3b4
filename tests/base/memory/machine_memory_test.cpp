#include "base/memory/machine_memory.hpp"

#include <gtest/gtest.h>

#include <map>

namespace cairn::machine_memory_test {

using files = std::map<std::string, std::string>;

std::optional<std::uint64_t> limit(std::string_view membership, const files& there) {
  return control_group_limit(membership, [&](const std::string& path) -> std::optional<std::string> {
    const auto at = there.find(path);
    if (at == there.end()) return std::nullopt;
    return at->second;
  });
}

TEST(control_group_limit, is_none_without_groups_or_files) {
  EXPECT_EQ(limit("", {}), std::nullopt);
  EXPECT_EQ(limit("0::/\n", {}), std::nullopt);
  EXPECT_EQ(limit("0::/a\n", {{"/sys/fs/cgroup/a/memory.max", "max\n"}}), std::nullopt);
  EXPECT_EQ(limit("nonsense\n0\n::\n", {}), std::nullopt);
}

TEST(control_group_limit, is_the_smallest_of_the_group_and_those_that_contain_it) {
  const files there{{"/sys/fs/cgroup/a/b/memory.max", "4000000\n"},
                    {"/sys/fs/cgroup/a/memory.max", "3000000\n"},
                    {"/sys/fs/cgroup/memory.max", "max\n"}};
  EXPECT_EQ(limit("0::/a/b\n", there), 3000000u);
  EXPECT_EQ(limit("0::/a/b", there), 3000000u);
}

TEST(control_group_limit, of_a_container_is_that_of_its_root) {
  EXPECT_EQ(limit("0::/\n", {{"/sys/fs/cgroup/memory.max", "1048576\n"}}), 1048576u);
}

TEST(control_group_limit, of_version_1_is_that_of_the_memory_controller) {
  const files there{{"/sys/fs/cgroup/memory/a/memory.limit_in_bytes", "5000\n"},
                    {"/sys/fs/cgroup/memory/cpu/memory.limit_in_bytes", "1\n"}};
  EXPECT_EQ(limit("4:cpu:/cpu\n3:memory:/a\n0::/a\n", there), 5000u);
}

TEST(usable_memory, is_at_least_some_megabytes) {
  EXPECT_GT(usable_memory_bytes(), 16u << 20);
}

} // namespace cairn::machine_memory_test

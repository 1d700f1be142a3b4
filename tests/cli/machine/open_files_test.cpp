#include "cli/machine/open_files.hpp"

#include <gtest/gtest.h>

namespace cairn::cli::open_files_test {

TEST(open_files, leaves_the_connections_alone_when_there_are_descriptors_enough) {
  config::settings s;
  EXPECT_EQ(connections_that_fit(s, 1'048'576), s.limits.connections);
}

TEST(open_files, keeps_descriptors_for_disks_peers_and_operators) {
  config::settings s;
  const auto alone = connections_that_fit(s, 1024);
  EXPECT_EQ(alone + descriptors_kept(s), 1024u);
  EXPECT_GT(alone, 300u);
  s.cluster.listen = {"127.0.0.1", 9100};
  EXPECT_LT(connections_that_fit(s, 1024), alone);
  s.storage.disks = {{"/a"}, {"/b"}};
  EXPECT_EQ(connections_that_fit(s, 1024), 16u) << "never none";
}

TEST(open_files, raises_the_soft_limit_to_the_hard_one) {
  const auto first = raise_descriptor_limit();
  EXPECT_GE(first, 256u);
  EXPECT_EQ(raise_descriptor_limit(), first);
}

} // namespace cairn::cli::open_files_test

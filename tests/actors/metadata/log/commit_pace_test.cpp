#include "actors/metadata/log/commit_pace.hpp"

#include <gtest/gtest.h>

namespace cairn::actors::commit_pace_test {

TEST(commit_pace, commits_at_once_when_a_reader_waits_and_never_an_empty_transaction) {
  commit_pace pace;
  EXPECT_FALSE(pace.due(true, 1000));
  EXPECT_FALSE(pace.deadline());
  pace.applied(1, 100, 1000);
  EXPECT_TRUE(pace.open());
  EXPECT_FALSE(pace.due(false, 1000));
  EXPECT_TRUE(pace.due(true, 1000));
  pace.ended();
  EXPECT_FALSE(pace.open());
  EXPECT_FALSE(pace.due(true, 2000));
}

TEST(commit_pace, commits_when_the_oldest_entry_has_waited) {
  commit_pace pace{{.delay_ms = 40}};
  pace.applied(1, 100, 1000);
  pace.applied(1, 100, 1039);
  EXPECT_EQ(pace.deadline(), 1040u);
  EXPECT_FALSE(pace.due(false, 1039));
  EXPECT_TRUE(pace.due(false, 1040));
  pace.ended();
  pace.applied(1, 100, 1050);
  EXPECT_EQ(pace.deadline(), 1090u);
}

TEST(commit_pace, bounds_what_is_open) {
  commit_pace commands{{.commands = 10}};
  commands.applied(9, 0, 0);
  EXPECT_FALSE(commands.due(false, 0));
  commands.applied(1, 0, 0);
  EXPECT_TRUE(commands.due(false, 0));
  commit_pace bytes{{.bytes = 1000}};
  bytes.applied(1, 999, 0);
  EXPECT_FALSE(bytes.due(false, 0));
  bytes.applied(0, 1, 0);
  EXPECT_TRUE(bytes.due(false, 0));
  bytes.ended();
  bytes.applied(1, 999, 0);
  EXPECT_FALSE(bytes.due(false, 0));
}

} // namespace cairn::actors::commit_pace_test

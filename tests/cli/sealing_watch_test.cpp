#include "cli/sealing_watch.hpp"

#include <gtest/gtest.h>

namespace cairn::cli::sealing_watch_test {

TEST(sealing_watch, tells_which_keys_are_missing_for_how_many_secrets) {
  EXPECT_EQ(sealing_problem_of({}), "");
  EXPECT_EQ(sealing_problem_of({{"630dcd29", 1}}), "the secrets of 1 access key are sealed with the key 630dcd29: this "
                                                   "node does not have it (auth.sealing_key_file)");
  EXPECT_NE(
      sealing_problem_of({{"630dcd29", 2}, {"aa", 3}}).find("2 access keys are sealed with the key 630dcd29, of 3"),
      std::string::npos);
}

} // namespace cairn::cli::sealing_watch_test

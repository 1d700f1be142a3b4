#include "base/error.hpp"

#include <gtest/gtest.h>

namespace cairn::error_test {

TEST(error, says_its_code_and_what_happened) {
  EXPECT_EQ(to_string(error{errc::no_space, "disk a"}), "no_space: disk a");
  EXPECT_EQ(to_string(error{errc::busy}), "busy");
}

} // namespace cairn::error_test

#include "actors/errors.hpp"

#include <caf/all.hpp>

#include <gtest/gtest.h>

namespace cairn::actors {

TEST(errors, keep_their_code_and_text_on_the_way_through_a_message) {
  for (int code = int(errc::invalid_argument); code <= int(errc::connection_lost); ++code) {
    for (const char* text : {"", "read of segment 12"}) {
      const error sent{errc(code), text};
      const auto received = from_caf(to_caf(sent));
      EXPECT_EQ(received.code, sent.code);
      EXPECT_EQ(received.text, sent.text);
    }
  }
}

TEST(errors, of_the_actor_library_become_ours) {
  EXPECT_EQ(from_caf(caf::sec::request_timeout), errc::timeout);
  EXPECT_EQ(from_caf(caf::sec::request_receiver_down), errc::stopping);
  EXPECT_EQ(from_caf(caf::exit_reason::user_shutdown), errc::stopping);
  const auto other = from_caf(caf::sec::unexpected_message);
  EXPECT_EQ(other, errc::io_error);
  EXPECT_FALSE(other.text.empty());
}

} // namespace cairn::actors

#include "actors/command_facts.hpp"

#include <gtest/gtest.h>

namespace cairn::actors {

namespace meta = storage::metadata;

TEST(command_facts, chunks_belong_to_the_session_that_wrote_them) {
  EXPECT_EQ(session_of_chunks(meta::put_object{.content = meta::written_blob{.blob = {7, 1}}}), 7u);
  EXPECT_EQ(session_of_chunks(meta::put_part{.content = meta::written_blob{.blob = {8, 1}}}), 8u);
  EXPECT_EQ(session_of_chunks(meta::put_object{.content = std::string{"inline"}}), std::nullopt);
  EXPECT_EQ(session_of_chunks(meta::create_bucket{}), std::nullopt);
}

} // namespace cairn::actors

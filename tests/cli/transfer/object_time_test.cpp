#include "cli/transfer/object_time.hpp"

#include <gtest/gtest.h>

namespace cairn::cli::object_time_test {

TEST(object_time, what_is_written_is_read_again_to_the_nanosecond) {
  for (const time_ns at :
       {0LL, 1LL, 1'700'000'000'123'456'789LL, 1'700'000'000'000'000'000LL, -1LL, -1'500'000'000LL}) {
    const auto read = parse_mtime(mtime_text(at));
    ASSERT_TRUE(read) << mtime_text(at);
    EXPECT_EQ(read->at, at) << mtime_text(at);
    EXPECT_TRUE(read->same_as(at));
    EXPECT_FALSE(read->same_as(at + 1));
  }
  EXPECT_EQ(mtime_text(1'700'000'000'123'456'789), "1700000000.123456789");
}

TEST(object_time, the_forms_of_other_tools_are_read) {
  EXPECT_EQ(parse_mtime("1700000000.5")->at, 1'700'000'000'500'000'000) << "rclone drops zeros at the end";
  const auto whole = parse_mtime("1700000000");
  ASSERT_TRUE(whole) << "s3fs";
  EXPECT_TRUE(whole->same_as(1'700'000'000'999'999'999));
  EXPECT_FALSE(whole->same_as(1'700'000'001'000'000'000));
}

TEST(object_time, what_is_no_time_is_refused) {
  for (const auto* text : {"", "-", ".", "1.", ".5", "x", "1.x", "--1", "1700000000 ", "99999999999", "1e9", "1.-5"})
    EXPECT_FALSE(parse_mtime(text)) << text;
}

TEST(object_time, listed_times_are_read) {
  EXPECT_EQ(parse_listed_time("2023-11-14T22:13:20.250Z"), 1'700'000'000'250'000'000);
  EXPECT_EQ(parse_listed_time("2023-11-14T22:13:20Z"), 1'700'000'000'000'000'000);
  for (const auto* text : {"", "2023-11-14", "2023-13-14T22:13:20Z", "2023-11-31T22:13:20Z", "2023-11-14T24:13:20Z",
                           "2023-11-14T22:13:20.Z", "2023-11-14T22:13:20+00:00", "-023-11-14T22:13:20Z"})
    EXPECT_FALSE(parse_listed_time(text)) << text;
}

TEST(object_time, an_answer_without_a_kept_time_says_when_it_was_stored) {
  http_response response;
  EXPECT_FALSE(time_of(response));
  response.headers = {{"Last-Modified", "Tue, 14 Nov 2023 22:13:20 GMT"}};
  EXPECT_EQ(time_of(response)->at, 1'700'000'000'000'000'000);
  EXPECT_TRUE(time_of(response)->whole_seconds);
  response.headers.emplace_back("X-Amz-Meta-Mtime", "5.000000007");
  EXPECT_EQ(time_of(response)->at, 5'000'000'007);
}

} // namespace cairn::cli::object_time_test

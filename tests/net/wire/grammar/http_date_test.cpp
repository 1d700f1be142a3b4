#include "net/wire/grammar/http_date.hpp"

#include <gtest/gtest.h>

namespace cairn::net::http_date_test {

std::string http_date(std::int64_t seconds) {
  std::string out;
  append_http_date(out, seconds);
  return out;
}
TEST(http_date, writes_the_example_of_the_rfc) {
  EXPECT_EQ(http_date(784111777), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(http_date(0), "Thu, 01 Jan 1970 00:00:00 GMT");
  EXPECT_EQ(http_date(951782399), "Mon, 28 Feb 2000 23:59:59 GMT");
  EXPECT_EQ(http_date(951782400), "Tue, 29 Feb 2000 00:00:00 GMT");
  EXPECT_EQ(http_date(-1), "Wed, 31 Dec 1969 23:59:59 GMT");
}

TEST(http_date, reads_all_three_forms_of_the_rfc) {
  EXPECT_EQ(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT"), 784111777);
  EXPECT_EQ(parse_http_date("Sunday, 06-Nov-94 08:49:37 GMT"), 784111777);
  EXPECT_EQ(parse_http_date("Sun Nov  6 08:49:37 1994"), 784111777);
  EXPECT_EQ(parse_http_date("Tuesday, 06-Nov-29 08:49:37 GMT"), 1888649377);
}

TEST(http_date, reads_the_zones_of_mail) {
  for (const auto* zone : {"GMT", "-0000", "+0000"})
    EXPECT_EQ(parse_http_date(std::string{"Sun, 06 Nov 1994 08:49:37 "} + zone), 784111777) << zone;
  EXPECT_EQ(parse_http_date("Sun, 06 Nov 1994 09:49:37 +0100"), 784111777);
  EXPECT_EQ(parse_http_date("Sun, 06 Nov 1994 03:19:37 -0530"), 784111777);
  for (const auto* bad : {"0000", "+000", "+00000", "+2400", "+0060", "+-100", "-0000 GMT", "+00:00", "EST"})
    EXPECT_FALSE(parse_http_date(std::string{"Sun, 06 Nov 1994 08:49:37 "} + bad)) << bad;
}

TEST(http_date, refuses_what_is_no_date) {
  for (const auto* bad : {"", "yesterday", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 UTC", "0",
                          "Sun, 31 Feb 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:00:00 GMT",
                          "Sun, -6 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 GMT "}) {
    EXPECT_FALSE(parse_http_date(bad)) << bad;
  }
}

TEST(http_date, reads_back_what_it_writes) {
  for (std::int64_t s = -5'000'000'000; s < 8'000'000'000; s += 86'399 * 31)
    EXPECT_EQ(parse_http_date(http_date(s)), s);
}

TEST(http_date, cuts_milliseconds_towards_the_past) {
  EXPECT_EQ(whole_seconds(1999), 1);
  EXPECT_EQ(whole_seconds(-1), -1);
}

TEST(http_date, writes_iso_times_with_milliseconds) {
  std::string out;
  append_iso_time(out, 784111777042);
  EXPECT_EQ(out, "1994-11-06T08:49:37.042Z");
}

TEST(http_date, reads_iso_times_of_any_precision) {
  EXPECT_EQ(parse_iso_time("1994-11-06T08:49:37.000Z"), 784111777000);
  EXPECT_EQ(parse_iso_time("1994-11-06T08:49:37Z"), 784111777000);
  EXPECT_EQ(parse_iso_time("1994-11-06T08:49:37.5Z"), 784111777500);
  EXPECT_EQ(parse_iso_time("1994-11-06T08:49:37.1239999Z"), 784111777123);
  for (const auto* bad :
       {"", "1994-11-06", "1994-11-06T08:49:37", "1994-11-06T08:49:37.Z", "1994-11-06T08:49:37+00:00",
        "1994-11-31T08:49:37Z", "1994-11-06T24:00:00Z", "1994-11-06T08:49:37Z ", "94-11-06T08:49:37Z"})
    EXPECT_FALSE(parse_iso_time(bad)) << bad;
}

} // namespace cairn::net::http_date_test

#include "net/wire/grammar/ranges.hpp"

#include <gtest/gtest.h>

#include <string>

namespace cairn::net::ranges_test {

using ranges = std::vector<selected_range>;

ranges of(std::string_view header, std::uint64_t size = 10000) {
  const auto selection = select_ranges(header, size);
  EXPECT_EQ(selection.kind, range_kind::partial) << header;
  return selection.ranges;
}
range_kind kind_of(std::string_view header, std::uint64_t size = 10000) {
  return select_ranges(header, size).kind;
}
TEST(ranges, selects_the_examples_of_the_rfc) {
  EXPECT_EQ(of("bytes=0-499"), (ranges{{0, 500}}));
  EXPECT_EQ(of("bytes=500-999"), (ranges{{500, 500}}));
  EXPECT_EQ(of("bytes=-500"), (ranges{{9500, 500}}));
  EXPECT_EQ(of("bytes=9500-"), (ranges{{9500, 500}}));
  EXPECT_EQ(of("bytes=0-0,-1"), (ranges{{0, 1}, {9999, 1}}));
  EXPECT_EQ(of("bytes= 0-999, 4500-5499, -1000"), (ranges{{0, 1000}, {4500, 1000}, {9000, 1000}}));
  EXPECT_EQ(of("bytes=500-600,601-999"), (ranges{{500, 101}, {601, 399}}));
  EXPECT_EQ(of("bytes=500-700,601-999"), (ranges{{500, 201}, {601, 399}}));
}

TEST(ranges, clips_to_the_object_and_drops_what_lies_outside) {
  EXPECT_EQ(of("bytes=9999-20000"), (ranges{{9999, 1}}));
  EXPECT_EQ(of("bytes=-20000"), (ranges{{0, 10000}}));
  EXPECT_EQ(of("bytes=0-18446744073709551615"), (ranges{{0, 10000}}));
  EXPECT_EQ(of("bytes=0-99999999999999999999999999"), (ranges{{0, 10000}}));
  EXPECT_EQ(of("bytes=20000-, 5-5"), (ranges{{5, 1}}));
  EXPECT_EQ(of("BYTES=1-1,,\t, 2-2 ,"), (ranges{{1, 1}, {2, 1}}));
}

TEST(ranges, says_when_nothing_can_be_satisfied) {
  for (const auto* outside :
       {"bytes=10000-", "bytes=10000-10001", "bytes=-0", "bytes=99999999999999999999999-", "bytes=10000-,-0"}) {
    EXPECT_EQ(kind_of(outside), range_kind::unsatisfiable) << outside;
  }
  EXPECT_EQ(kind_of("bytes=0-", 0), range_kind::unsatisfiable);
  EXPECT_EQ(kind_of("bytes=-5", 0), range_kind::unsatisfiable);
}

TEST(ranges, ignores_what_does_not_follow_the_grammar) {
  for (const auto* bad :
       {"", "bytes", "bytes=", "bytes=,", "lines=0-1", "bytes=5-4", "bytes=a-b", "bytes=1", "bytes=--1", "bytes=1-2-3",
        "bytes=0-1;2-3", "bytes=+1-2", "bytes=0x1-2", "bytes=-", "bytes=1 -2", "bytes 0-1"}) {
    EXPECT_EQ(kind_of(bad), range_kind::whole) << bad;
  }
}

TEST(ranges, ignores_requests_that_would_send_more_than_the_object) {
  EXPECT_EQ(kind_of("bytes=0-,0-"), range_kind::whole);
  EXPECT_EQ(kind_of("bytes=0-9999,0-0"), range_kind::whole);
  std::string many = "bytes=0-0";
  for (std::size_t i = 1; i < ranges_max; ++i) many += "," + std::to_string(i) + "-" + std::to_string(i);
  EXPECT_EQ(of(many).size(), ranges_max);
  EXPECT_EQ(kind_of(many + ",500-500"), range_kind::whole);
}

TEST(ranges, reaches_the_end_of_the_largest_object) {
  const auto most = ~std::uint64_t{0};
  EXPECT_EQ(of("bytes=18446744073709551614-", most), (ranges{{most - 1, 1}}));
  EXPECT_EQ(of("bytes=0-18446744073709551614", most), (ranges{{0, most}}));
}

} // namespace cairn::net::ranges_test

#include "net/s3/operations/conditions.hpp"

#include <gtest/gtest.h>

namespace cairn::net::conditions_test {

constexpr const char* earlier = "Sun, 06 Nov 1994 08:49:36 GMT";
constexpr const char* same = "Sun, 06 Nov 1994 08:49:37 GMT";
constexpr const char* later = "Sun, 06 Nov 1994 08:49:38 GMT";
const validators current{"abc", 784111777};

struct headers_of : condition_headers {
  headers_of& match(const char* v) { return if_match = v, *this; }
  headers_of& none_match(const char* v) { return if_none_match = v, *this; }
  headers_of& modified_since(const char* v) { return if_modified_since = v, *this; }
  headers_of& unmodified_since(const char* v) { return if_unmodified_since = v, *this; }
  headers_of& range(const char* v) { return if_range = v, *this; }
};

verdict of(const condition_headers& h) {
  return evaluate(h, current);
}

TEST(conditions, compare_if_match_strongly) {
  EXPECT_EQ(of(headers_of{}.match("\"abc\"")), verdict::proceed);
  EXPECT_EQ(of(headers_of{}.match("*")), verdict::proceed);
  EXPECT_EQ(of(headers_of{}.match("\"x\", \"abc\"")), verdict::proceed);
  EXPECT_EQ(of(headers_of{}.match("abc")), verdict::proceed) << "people leave the quotes out";
  EXPECT_EQ(of(headers_of{}.match("W/\"abc\"")), verdict::precondition_failed);
  EXPECT_EQ(of(headers_of{}.match("\"ab\", \"abcd\"")), verdict::precondition_failed);
  EXPECT_EQ(of(headers_of{}.match("\"a, b\", c")), verdict::precondition_failed) << "a comma within quotes";
  EXPECT_EQ(of(headers_of{}.match("")), verdict::precondition_failed);
}

TEST(conditions, compare_if_none_match_weakly) {
  EXPECT_EQ(of(headers_of{}.none_match("W/\"abc\"")), verdict::not_modified);
  EXPECT_EQ(of(headers_of{}.none_match(" * ")), verdict::not_modified);
  EXPECT_EQ(of(headers_of{}.none_match("\"x\",W/\"y\"")), verdict::proceed);
}

TEST(conditions, compare_dates_by_the_second) {
  EXPECT_EQ(of(headers_of{}.modified_since(earlier)), verdict::proceed);
  EXPECT_EQ(of(headers_of{}.modified_since(same)), verdict::not_modified);
  EXPECT_EQ(of(headers_of{}.modified_since(later)), verdict::not_modified);
  EXPECT_EQ(of(headers_of{}.unmodified_since(earlier)), verdict::precondition_failed);
  EXPECT_EQ(of(headers_of{}.unmodified_since(same)), verdict::proceed);
  EXPECT_EQ(of(headers_of{}.unmodified_since("someday").modified_since("someday")), verdict::proceed);
}

TEST(conditions, follow_the_precedence_of_the_rfc) {
  EXPECT_EQ(of(headers_of{}.match("\"abc\"").unmodified_since(earlier)), verdict::proceed) << "If-Match hides the date";
  EXPECT_EQ(of(headers_of{}.none_match("\"x\"").modified_since(later)), verdict::proceed) << "so does If-None-Match";
  EXPECT_EQ(of(headers_of{}.match("\"x\"").none_match("\"abc\"")), verdict::precondition_failed) << "412 before 304";
  EXPECT_EQ(of(headers_of{}.unmodified_since(earlier).none_match("\"abc\"")), verdict::precondition_failed);
  EXPECT_EQ(of(headers_of{}.match("\"abc\"").none_match("\"abc\"")), verdict::not_modified);
  EXPECT_EQ(of(headers_of{}.unmodified_since(same).modified_since(same)), verdict::not_modified);
}

TEST(conditions, let_if_range_pass_only_for_exactly_this_state) {
  EXPECT_TRUE(range_applies(headers_of{}, current));
  EXPECT_TRUE(range_applies(headers_of{}.range("\"abc\""), current));
  EXPECT_TRUE(range_applies(headers_of{}.range(same), current));
  EXPECT_FALSE(range_applies(headers_of{}.range("W/\"abc\""), current));
  EXPECT_FALSE(range_applies(headers_of{}.range("\"x\""), current));
  EXPECT_FALSE(range_applies(headers_of{}.range(later), current)) << "not even a later one";
  EXPECT_FALSE(range_applies(headers_of{}.range(""), current));
}

TEST(conditions, of_writes_become_what_the_metadata_checks) {
  EXPECT_TRUE(write_condition_of(headers_of{}.none_match("*")).value().if_absent);
  EXPECT_EQ(write_condition_of(headers_of{}.match("\"abc\"")).value().if_match, "abc");
  EXPECT_EQ(write_condition_of(headers_of{}.match("*")).value().if_match, "*");
  EXPECT_EQ(write_condition_of(headers_of{}.modified_since(later)).value().if_match, std::nullopt);
  const auto weak = write_condition_of(headers_of{}.match("W/\"abc\"")).value();
  EXPECT_NE(weak.if_match, "abc") << "a weak tag matches nothing";
  EXPECT_NE(write_condition_of(headers_of{}.match("\"*\"")).value().if_match, "*") << "a quoted star is a tag";
}

TEST(conditions, of_writes_may_name_the_one_that_must_not_be_there) {
  const auto other = write_condition_of(headers_of{}.none_match("\"abc\"")).value();
  EXPECT_EQ(other.if_other, "abc");
  EXPECT_FALSE(other.if_absent);
  EXPECT_EQ(write_condition_of(headers_of{}.none_match("W/\"abc\"")).value().if_other, "abc");
}

TEST(conditions, of_deletes_are_about_tag_time_and_size) {
  EXPECT_FALSE(removal_condition_of({}).value());
  const auto all = removal_condition_of({"\"abc\"", same, "12"}).value().value();
  EXPECT_EQ(all.etag, "abc");
  EXPECT_EQ(all.size, 12u);
  EXPECT_EQ(all.modified_seconds, current.modified);
  EXPECT_EQ(removal_condition_of({"*", {}, {}}).value()->etag, "*");
  EXPECT_NE(removal_condition_of({"", {}, {}}).value()->etag, "") << "matches nothing, deletes nothing";
  EXPECT_EQ(removal_condition_of({{}, "yesterday", {}}).error(), errc::invalid_argument);
  for (const auto* bad : {"", "x", "-1", "1 "})
    EXPECT_EQ(removal_condition_of({{}, {}, bad}).error(), errc::invalid_argument) << bad;
  EXPECT_EQ(removal_condition_of({"\"a\", \"b\"", {}, {}}).error(), errc::unsupported);
}

TEST(conditions, of_writes_that_cannot_be_checked_are_refused) {
  EXPECT_EQ(write_condition_of(headers_of{}.none_match("\"abc\", \"b\"")).error(), errc::unsupported);
  EXPECT_EQ(write_condition_of(headers_of{}.match("\"a\", \"b\"")).error(), errc::unsupported);
  EXPECT_EQ(write_condition_of(headers_of{}.unmodified_since(later)).error(), errc::unsupported);
}

} // namespace cairn::net::conditions_test

#include "cli/monitor/trace_command.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace cairn::cli::trace_command_test {

std::string answer(const std::string& key) {
  return R"({"requests":[{"time_ms":784111777123,"request":"0123456789abcdef","address":"10.0.0.7","access_key":"CK1",)"
         R"("operation":"get_object","bucket":"files","key":")" +
         key +
         R"(","status":200,"total_us":3400000,"server_us":2412000,"authentication_us":1500,"metadata_us":2300000,)"
         R"("rest_us":110500,"body_us":0,"transfer_us":988000},)"
         R"({"time_ms":784111776000,"request":"r2","address":"::1","access_key":"","operation":"list_buckets",)"
         R"("bucket":"","key":"","status":0,"total_us":5000000,"server_us":5000000,"authentication_us":0,)"
         R"("metadata_us":5000000,"rest_us":0,"body_us":0,"transfer_us":0}]})";
}

TEST(trace_command, shows_each_request_as_a_tree_the_newest_last) {
  const auto text = trace_text(answer("a/b"));
  ASSERT_TRUE(text) << to_string(text.error());
  EXPECT_EQ(*text, "1994-11-06T08:49:36.000Z  list_buckets  no answer  5.00 s  from ::1  request r2\n"
                   "├─ node                 5.00 s\n"
                   "│  ├─ authentication    0.0 ms\n"
                   "│  ├─ metadata          5.00 s\n"
                   "│  └─ rest              0.0 ms\n"
                   "└─ with client          0.0 ms\n"
                   "   ├─ body              0.0 ms\n"
                   "   └─ answer            0.0 ms\n"
                   "\n"
                   "1994-11-06T08:49:37.123Z  get_object files/a/b  200  3.40 s  from 10.0.0.7 as CK1  "
                   "request 0123456789abcdef\n"
                   "├─ node                 2.41 s\n"
                   "│  ├─ authentication    1.5 ms\n"
                   "│  ├─ metadata          2.30 s\n"
                   "│  └─ rest              110.5 ms\n"
                   "└─ with client          988.0 ms\n"
                   "   ├─ body              0.0 ms\n"
                   "   └─ answer            988.0 ms\n");
}

TEST(trace_command, shows_the_spans_as_a_tree_in_the_order_of_their_begin) {
  const auto text = trace_text(
      R"({"requests":[{"time_ms":0,"operation":"get_object","status":200,"total_us":100000,"trace":"4bf9",)"
      R"("spans_left_out":12,"spans":[)"
      R"({"number":1,"parent":0,"name":"look_up","start_us":0,"duration_us":50000,"outcome":null,"chunk":null},)"
      R"({"number":2,"parent":1,"name":"barrier","start_us":1000,"duration_us":20000,"outcome":null,"chunk":null},)"
      R"({"number":3,"parent":0,"name":"read_chunk","start_us":75000,"duration_us":25000,"outcome":null,"chunk":1,)"
      R"("node":3,"cached":false,"hedge":true},)"
      R"({"number":4,"parent":0,"name":"read_chunk","start_us":50000,"duration_us":50000,"outcome":"cancelled",)"
      R"("chunk":1,"node":2,"cached":false,"hedge":false},)"
      R"({"number":5,"parent":0,"name":"read_chunk","start_us":100000,"duration_us":0,"outcome":null,"chunk":2,)"
      R"("node":null,"cached":true,"hedge":false}]}]})");
  ASSERT_TRUE(text) << to_string(text.error());
  const auto at = text->find("spans of trace 4bf9\n");
  ASSERT_NE(at, text->npos) << *text;
  EXPECT_EQ(text->substr(at),
            "spans of trace 4bf9\n"
            "├─ look up                                 +0.0 ms   50.0 ms   ████████████············\n"
            "│  └─ barrier                              +1.0 ms   20.0 ms   █████···················\n"
            "├─ read chunk 1, node 2: cancelled         +50.0 ms  50.0 ms   ············████████████\n"
            "├─ read chunk 1, node 3, hedge             +75.0 ms  25.0 ms   ··················██████\n"
            "└─ read chunk 2, cached                    +100.0 ms 0.0 ms    ·······················█\n"
            "   and 12 more\n");
}

TEST(trace_command, shows_each_span_once_whatever_the_answer_says) {
  std::string spans;
  for (int i = 0; i < 1000; ++i)
    for (int twice = 0; twice < 2; ++twice)
      spans += R"({"number":)" + std::to_string(i) + R"(,"parent":)" + std::to_string(i / 2) + R"(,"name":"look_up"},)";
  spans += R"({"number":-1,"parent":-1,"name":"look_up"})";
  const auto text = trace_text(R"({"requests":[{"total_us":0,"spans":[)" + spans + "]}]}");
  ASSERT_TRUE(text);
  EXPECT_LE(std::count(text->begin(), text->end(), '\n'), 64 + 10);
}

TEST(trace_command, is_not_driven_by_the_name_of_an_object) {
  const auto text = trace_text(answer("x\\n\\u001b[2J\\u202e"));
  ASSERT_TRUE(text);
  EXPECT_EQ(text->find('\x1b'), text->npos);
  EXPECT_EQ(std::count(text->begin(), text->end(), '\n'), 17);
}

TEST(trace_command, says_when_there_was_none_and_takes_nothing_else) {
  EXPECT_NE(trace_text(R"({"requests":[]})")->find("No request"), std::string::npos);
  for (const auto* wrong : {"", "[]", "{}", R"({"requests":1})", "no json"}) EXPECT_FALSE(trace_text(wrong)) << wrong;
}

} // namespace cairn::cli::trace_command_test

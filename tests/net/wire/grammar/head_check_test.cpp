#include "net/wire/grammar/head_check.hpp"

#include <gtest/gtest.h>

#include <string>

namespace cairn::net::head_check_test {

head_info check(const std::string& fields, const std::string& line = "PUT /b/k HTTP/1.1") {
  static std::string head; // the answer points into it
  head = line + "\r\n" + fields + "\r\n";
  return check_head(head);
}
unsigned status_of(const std::string& fields, const std::string& line = "PUT /b/k HTTP/1.1") {
  const auto info = check(fields, line);
  return info.refused ? info.refused->status : 0;
}
TEST(head_scan, finds_the_end_whatever_the_pieces_it_comes_in) {
  const std::string head = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
  const std::string bytes = head + "next\n";
  for (std::size_t cut = 0; cut < head.size(); ++cut) {
    const auto first = scan_head(std::string_view{bytes}.substr(0, cut), 0);
    ASSERT_EQ(first.state, scan_state::incomplete) << cut;
    const auto second = scan_head(bytes, first.length);
    ASSERT_EQ(second.state, scan_state::complete) << cut;
    EXPECT_EQ(second.length, head.size());
  }
}

TEST(head_scan, refuses_a_bare_line_feed_at_once) {
  EXPECT_EQ(scan_head("GET / HTTP/1.1\nHost: x\n\n", 0).state, scan_state::malformed);
  EXPECT_EQ(scan_head("GET / HTTP/1.1\r\nHost: x\n", 0).state, scan_state::malformed);
  EXPECT_EQ(scan_head("\n", 0).state, scan_state::malformed);
  EXPECT_EQ(scan_head("GET / HTTP/1.1\r\nHost: x\r\n\n", 0).state, scan_state::malformed);
}

TEST(head_check, finds_how_the_body_is_delimited) {
  const auto sized = check("Host: h\r\nContent-Length: 42\r\nExpect: 100-Continue\r\n");
  EXPECT_FALSE(sized.refused);
  EXPECT_EQ(sized.content_length, 42u);
  EXPECT_TRUE(sized.expect_continue);
  EXPECT_EQ(sized.host, "h");
  const auto chunked = check("host:h\r\ntransfer-encoding: \tChunked \r\n");
  EXPECT_FALSE(chunked.refused);
  EXPECT_TRUE(chunked.chunked);
  EXPECT_FALSE(chunked.content_length);
}

TEST(head_check, refuses_what_could_be_read_in_two_ways) {
  const std::string host = "Host: h\r\n";
  const std::vector<std::string> bad{
      "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
      "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n",
      "Content-Length: 4\r\nContent-Length: 5\r\n",
      "Content-Length: 4\r\nContent-Length: 4\r\n",
      "Content-Length: 4, 4\r\n",
      "Content-Length: +4\r\n",
      "Content-Length: -1\r\n",
      "Content-Length: 0x10\r\n",
      "Content-Length: 4 4\r\n",
      "Content-Length:\r\n",
      "Content-Length: 99999999999999999999\r\n",
      "Content-Length : 4\r\n",
      "Content-Length\t: 4\r\n",
      " Content-Length: 4\r\n",
      "X: a\r\n folded\r\n",
      "X: a\r\n\tfolded\r\n",
      "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
      "Transfer-Encoding : chunked\r\n",
      "X: a\rContent-Length: 4\r\n",
      std::string{"X: a\0b\r\n", 8},
      std::string{"X: a\x01"} + "b\r\n",
      "X: a\x7f\r\n",
      "no colon\r\n",
      ": empty name\r\n",
      "(bad): name\r\n",
      "X\xc3\xa4: name\r\n",
      "Host: other\r\n",
  };
  for (const auto& fields : bad) EXPECT_EQ(status_of(host + fields), 400u) << fields;
}

TEST(head_check, refuses_codings_that_are_not_implemented) {
  for (const auto* coding : {"gzip", "gzip, chunked", "chunked, chunked", "identity", "xchunked", "chunked;q=1", ""}) {
    EXPECT_EQ(status_of(std::string{"Host: h\r\nTransfer-Encoding: "} + coding + "\r\n"), 501u) << coding;
  }
  EXPECT_EQ(status_of("Transfer-Encoding: chunked\r\n", "PUT / HTTP/1.0"), 400u);
}

TEST(head_check, wants_a_host_in_http_1_1_only) {
  EXPECT_EQ(status_of(""), 400u);
  EXPECT_EQ(status_of("", "GET / HTTP/1.0"), 0u);
  EXPECT_EQ(status_of("Host:\r\n"), 0u) << "whether an empty one is welcome is decided later";
}

TEST(head_check, takes_names_and_addresses_for_a_host) {
  for (const auto* good : {"h", "files.example:9000", "FILES_1.example.", "127.0.0.1:80", "[::1]",
                           "[fe80::1%25eth0]:9000", "h:", "xn--bcher-kva.example", "a%20b"})
    EXPECT_EQ(status_of(std::string{"Host: "} + good + "\r\n"), 0u) << good;
  for (const auto* bad :
       {"a b",  "a b/c@d", "user@h", "h/",     "h?x",   "h#x",  "http://h", "h:80:80", "h:x",       "h:123456",
        "[::1", "::1",     "[]",     "[::1]x", "h,i j", "h\\i", "<h>",      "h\"",     "b\xc3\xbc", "h\ti"})
    EXPECT_EQ(status_of(std::string{"Host: "} + bad + "\r\n"), 400u) << bad;
}

TEST(head_check, reads_request_lines_strictly) {
  const std::string host = "Host: h\r\n";
  for (const auto* bad : {"GET", "GET /", "GET  / HTTP/1.1", "GET / HTTP/1.1 ", " GET / HTTP/1.1", "GET /a b HTTP/1.1",
                          "G@T / HTTP/1.1", "GET / http/1.1", "GET /\x7f HTTP/1.1", "GET /\t HTTP/1.1", ""}) {
    EXPECT_EQ(status_of(host, bad), 400u) << bad;
  }
  EXPECT_EQ(status_of(host, "GET / HTTP/2.0"), 505u);
  EXPECT_EQ(status_of(host, "GET / HTTP/1.2"), 505u);
  EXPECT_EQ(status_of(host, "PRI * HTTP/2.0"), 505u);
}

TEST(head_check, knows_one_expectation) {
  EXPECT_FALSE(check("Host: h\r\nExpect: 200-ok\r\n").refused) << "others mean nothing";
  EXPECT_FALSE(check("Host: h\r\nExpect: 200-ok\r\n").expect_continue);
  EXPECT_FALSE(check("Expect: 100-continue\r\n", "PUT / HTTP/1.0").expect_continue) << "HTTP/1.0 knows none";
}

TEST(head_check, counts_the_fields) {
  std::string fields = "Host: h\r\n";
  for (std::size_t i = 1; i < header_fields_max; ++i) fields += "X: y\r\n";
  EXPECT_EQ(status_of(fields), 0u);
  EXPECT_EQ(status_of(fields + "X: y\r\n"), 431u);
}

} // namespace cairn::net::head_check_test

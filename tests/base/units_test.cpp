#include "base/units.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace cairn::config::units_test {

using namespace std::chrono_literals;

TEST(byte_size, reads_binary_and_decimal_units_and_plain_numbers) {
  const std::vector<std::pair<std::string_view, std::uint64_t>> cases{
      {"0", 0},
      {"4096", 4096},
      {"4096B", 4096},
      {"64KiB", 65536},
      {"1 MiB", 1 << 20},
      {"10GiB", 10ull << 30},
      {"5TiB", 5ull << 40},
      {"500MB", 500'000'000},
      {"1kB", 1000},
      {"18446744073709551615", std::numeric_limits<std::uint64_t>::max()}};
  for (const auto& [text, bytes] : cases) {
    const auto size = parse_byte_size(text);
    ASSERT_TRUE(size) << text;
    EXPECT_EQ(size->bytes, bytes) << text;
  }
}

TEST(byte_size, refuses_what_is_not_exactly_a_size) {
  for (const auto* text : {"", " ", "MiB", "-1", "+1", "1.5MiB", "1mib", "1M", "1MB5", " 1MiB", "1MiB ", "1 ", "0x10",
                           "18446744073709551616", "18014398509481984KiB", "16385PiB"})
    EXPECT_FALSE(parse_byte_size(text)) << text;
  EXPECT_EQ(parse_byte_size("1M").error().code, errc::invalid_argument);
}

TEST(byte_size, format_is_canonical_and_reads_back) {
  EXPECT_EQ(format(byte_size{0}), "0B");
  EXPECT_EQ(format(byte_size{4096}), "4KiB");
  EXPECT_EQ(format(byte_size{3ull << 29}), "1536MiB");
  EXPECT_EQ(format(byte_size{500'000'000}), "500MB");
  EXPECT_EQ(format(byte_size{1000}), "1KB");
  EXPECT_EQ(format(byte_size{1001}), "1001B");
  for (std::uint64_t bytes = 1; bytes < (1ull << 60); bytes = bytes * 3 + 1)
    EXPECT_EQ(parse_byte_size(format(byte_size{bytes}))->bytes, bytes);
}

TEST(duration, reads_every_unit_and_a_bare_zero) {
  EXPECT_EQ(*parse_duration("250us"), 250us);
  EXPECT_EQ(*parse_duration("50ms"), 50ms);
  EXPECT_EQ(*parse_duration("30 s"), 30s);
  EXPECT_EQ(*parse_duration("10min"), 10min);
  EXPECT_EQ(*parse_duration("24h"), 24h);
  EXPECT_EQ(*parse_duration("0"), 0us);
  EXPECT_EQ(*parse_duration("0s"), 0us);
}

TEST(duration, refuses_bare_numbers_unknown_units_and_overflow) {
  for (const auto* text : {"", "5", "5m", "5sec", "-1s", "1.5s", "s", "1s2", "9223372036854775808us", "2562047789h"})
    EXPECT_FALSE(parse_duration(text)) << text;
  EXPECT_TRUE(parse_duration("9223372036854775807us"));
}

TEST(duration, format_is_canonical_and_reads_back) {
  EXPECT_EQ(format(duration{0}), "0s");
  EXPECT_EQ(format(duration{60s}), "1min");
  EXPECT_EQ(format(duration{90s}), "90s");
  EXPECT_EQ(format(duration{1500us}), "1500us");
  for (std::int64_t us = 1; us < (1ll << 60); us = us * 5 + 3)
    EXPECT_EQ(*parse_duration(format(duration{us})), duration{us});
}

TEST(endpoint, reads_both_families_and_localhost_and_formats_canonically) {
  for (const auto& [text, canonical] :
       std::vector<std::pair<std::string_view, std::string_view>>{{"127.0.0.1:9000", "127.0.0.1:9000"},
                                                                  {"localhost:80", "127.0.0.1:80"},
                                                                  {"0.0.0.0:0", "0.0.0.0:0"},
                                                                  {"[::1]:9000", "[::1]:9000"},
                                                                  {"[0:0:0:0:0:0:0:1]:65535", "[::1]:65535"},
                                                                  {"[2001:DB8::0]:1", "[2001:db8::]:1"}}) {
    const auto e = parse_endpoint(text);
    ASSERT_TRUE(e) << text;
    EXPECT_EQ(format(*e), canonical);
    EXPECT_EQ(*parse_endpoint(format(*e)), *e);
  }
}

TEST(endpoint, refuses_names_missing_ports_and_loose_forms) {
  using namespace std::string_view_literals;
  for (const auto text : {""sv,
                          ":"sv,
                          ":9000"sv,
                          "127.0.0.1"sv,
                          "127.0.0.1:"sv,
                          "127.0.0.1:65536"sv,
                          "127.0.0.1:-1"sv,
                          "127.0.0.1: 80"sv,
                          "127.0.0.1:80 "sv,
                          "127.1:80"sv,
                          "1.2.3.256:80"sv,
                          "example.org:80"sv,
                          "::1:80"sv,
                          "[127.0.0.1]:80"sv,
                          "[::1]"sv,
                          "[::1]9000"sv,
                          "[fe80::1%eth0]:80"sv,
                          "[]:80"sv,
                          "[localhost]:80"sv,
                          "127.0.0.1\0:80"sv})
    EXPECT_FALSE(parse_endpoint(text)) << text;
}

TEST(endpoint, knows_which_addresses_only_this_machine_reaches) {
  for (const auto* text : {"127.0.0.1:1", "127.9.9.9:1", "localhost:1", "[::1]:1", "[::ffff:127.0.0.1]:1"})
    EXPECT_TRUE(parse_endpoint(text)->is_loopback()) << text;
  for (const auto* text : {"0.0.0.0:1", "10.0.0.1:1", "128.0.0.1:1", "[::]:1", "[::2]:1", "[::ffff:10.0.0.1]:1"})
    EXPECT_FALSE(parse_endpoint(text)->is_loopback()) << text;
}

TEST(host_port, reads_names_and_addresses_with_a_port) {
  EXPECT_EQ(parse_host_port("node-2.example.org:9100").value(), (host_port{"node-2.example.org", 9100}));
  EXPECT_EQ(parse_host_port("10.0.0.7:1").value(), (host_port{"10.0.0.7", 1}));
  EXPECT_EQ(parse_host_port("[fd00::7]:65535").value(), (host_port{"fd00::7", 65535}));
  for (const auto* bad : {"", "node-2", "node-2:", ":9100", "node-2:0", "node-2:65536", "fd00::7:9100", "[fd00::7]",
                          "[fd00::7]:0", "node 2:9100", "node-2:9100x", "http://node-2:9100", "[node-2]:9100"})
    EXPECT_FALSE(parse_host_port(bad)) << bad;
}

} // namespace cairn::config::units_test

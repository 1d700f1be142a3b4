#include "cli/client/progress.hpp"

#include <gtest/gtest.h>

namespace cairn::cli::progress_test {

using namespace std::chrono_literals;

std::size_t columns(const std::string& text) {
  std::size_t count = 0;
  for (const unsigned char c : text) count += (c & 0xC0) != 0x80;
  return count;
}

TEST(human_bytes, switches_units_before_four_digits_would_be_needed) {
  EXPECT_EQ(human_bytes(0), "0 B");
  EXPECT_EQ(human_bytes(1023), "1023 B");
  EXPECT_EQ(human_bytes(1024), "1.0 KiB");
  EXPECT_EQ(human_bytes((1 << 20) - 1), "1.0 MiB");
  EXPECT_EQ(human_bytes(3ull << 30), "3.0 GiB");
  EXPECT_EQ(human_bytes(~0ull), "16.0 EiB");
}

TEST(human_time, shows_hours_only_when_there_are_some) {
  EXPECT_EQ(human_time(7s), "0:07");
  EXPECT_EQ(human_time(754s), "12:34");
  EXPECT_EQ(human_time(3723s), "1:02:03");
}

TEST(progress_text, knows_no_rate_before_time_has_passed) {
  progress_text text("a", 100);
  text.advance(0ms, 50);
  EXPECT_EQ(text.rate(), 0.0);
  EXPECT_EQ(text.line(80).find("ETA"), std::string::npos);
}

TEST(progress_text, rate_is_that_of_the_last_seconds_not_of_the_whole_transfer) {
  progress_text text("a", 1'000'000);
  std::uint64_t done = 0;
  for (int i = 1; i <= 100; ++i) text.advance(i * 100ms, done += 1000);
  EXPECT_NEAR(text.rate(), 10'000, 1);
  for (int i = 101; i <= 170; ++i) text.advance(i * 100ms, done += 100);
  EXPECT_NEAR(text.rate(), 1'000, 1);
}

TEST(progress_text, bytes_of_an_earlier_run_are_progress_but_no_rate) {
  progress_text text("a", 4000, 2000);
  text.advance(1000ms, 3000);
  EXPECT_NEAR(text.rate(), 1000, 0.1);
  const auto line = text.line(80);
  EXPECT_NE(line.find(" 75%"), std::string::npos) << line;
  EXPECT_NE(line.find("ETA 0:01"), std::string::npos) << line;
  EXPECT_EQ(text.summary(1000ms), "a: 1000 B more in 0:01, 1000 B/s");
}

TEST(progress_text, line_never_exceeds_the_width_for_any_name_size_or_rate) {
  const std::string names[] = {"a", std::string(200, 'n'), "Fäüßé–" + std::string(60, 'x') + "日本語.bin"};
  for (const auto& name : names)
    for (const std::uint64_t total : {0ull, 1ull, 999ull, 123'456'789ull, 1ull << 50}) {
      progress_text known(name, total), unknown(name, std::nullopt);
      known.advance(1000ms, total / 3);
      unknown.advance(1000ms, total / 3);
      for (unsigned width = 60; width < 240; width += 7) {
        EXPECT_LE(columns(known.line(width)), width) << known.line(width);
        EXPECT_LE(columns(unknown.line(width)), width) << unknown.line(width);
      }
    }
}

TEST(progress_text, bar_fills_from_empty_to_full) {
  progress_text text("a", 1000);
  EXPECT_EQ(text.line(80).find('='), std::string::npos);
  text.advance(1000ms, 1000);
  const auto line = text.line(80);
  EXPECT_NE(line.find("100%"), std::string::npos) << line;
  EXPECT_EQ(line.find("= "), std::string::npos) << line;
}

TEST(progress_text, long_names_keep_their_ends_because_they_differ_there) {
  const progress_text text(std::string(100, 'x').append("/the-end"), 1000);
  EXPECT_NE(text.line(100).find("/the-end"), std::string::npos) << text.line(100);
}

TEST(progress_text, more_bytes_than_announced_stay_at_a_hundred_percent) {
  progress_text text("a", 10);
  text.advance(1000ms, 20);
  EXPECT_NE(text.line(80).find("100%"), std::string::npos);
}

} // namespace cairn::cli::progress_test

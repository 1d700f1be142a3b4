#include "base/codec.hpp"

#include <gtest/gtest.h>

#include <array>

namespace cairn::codec_test {
TEST(codec, reads_back_every_kind_of_field) {
  byte_writer w;
  w.u8(0xfe).u16(0xfedc).u32(0xfedcba98).u64(0xfedcba9876543210).boolean(true).varint(300).string("text").raw("rest");
  byte_reader r{w.view()};
  EXPECT_EQ(r.u8(), 0xfe);
  EXPECT_EQ(r.u16(), 0xfedc);
  EXPECT_EQ(r.u32(), 0xfedcba98);
  EXPECT_EQ(r.u64(), 0xfedcba9876543210);
  EXPECT_TRUE(r.boolean());
  EXPECT_EQ(r.varint(), 300u);
  EXPECT_EQ(r.string(), "text");
  EXPECT_FALSE(r.finished());
  EXPECT_EQ(r.raw(4), "rest");
  EXPECT_TRUE(r.finished());
}

TEST(codec, reads_back_varints_of_every_length) {
  for (unsigned bits = 0; bits < 64; ++bits) {
    for (const std::uint64_t v :
         {std::uint64_t{1} << bits, (std::uint64_t{1} << bits) - 1, ~std::uint64_t{0} >> bits}) {
      const std::string bytes = byte_writer{}.varint(v).take();
      byte_reader r{bytes};
      EXPECT_EQ(r.varint(), v);
      EXPECT_TRUE(r.finished());
    }
  }
}

TEST(codec, refuses_varints_that_are_cut_overlong_or_above_64_bits) {
  for (const std::string& bad :
       {std::string{}, std::string{"\x80"}, std::string("\x80\x00", 2), std::string("\xff\x80\x00", 3),
        std::string(9, '\xff') + "\x02", std::string(10, '\xff') + "\x01"}) {
    byte_reader r{bad};
    EXPECT_EQ(r.varint(), 0u);
    EXPECT_FALSE(r.ok());
  }
}

TEST(codec, refuses_values_above_their_bound_and_booleans_that_are_neither) {
  byte_reader above{"\x05"};
  EXPECT_EQ(above.varint(4), 0u);
  EXPECT_FALSE(above.ok());
  byte_reader two{"\x02"};
  two.boolean();
  EXPECT_FALSE(two.ok());
}

TEST(codec, never_reads_past_its_view_and_stays_failed) {
  byte_reader r{"\x7f short"};
  EXPECT_EQ(r.string(), "");
  EXPECT_FALSE(r.ok());
  EXPECT_EQ(r.u8(), 0);
  EXPECT_EQ(r.raw(1), "");
  EXPECT_FALSE(r.finished());
}

TEST(codec, bounds_a_list_by_the_remaining_bytes) {
  byte_reader good{"\x02xxyy"};
  EXPECT_EQ(good.count(2), 2u);
  byte_reader bad{"\x04xxyy"};
  EXPECT_EQ(bad.count(2), 0u);
  EXPECT_FALSE(bad.ok());
}

TEST(hexadecimal, bytes_have_two_digits_and_numbers_at_least_those_asked_for) {
  EXPECT_EQ(hex_of(std::string_view{"\x00\x7f\xff", 3}), "007fff");
  EXPECT_EQ(hex_of(std::string_view{}), "");
  EXPECT_EQ(upper_hex_of(0xaf), "AF");
  EXPECT_EQ(hex_of(0, 1), "0");
  EXPECT_EQ(hex_of(0, 4), "0000");
  EXPECT_EQ(hex_of(0x1f, 4), "001f");
  EXPECT_EQ(hex_of(0x12345, 4), "12345");
  EXPECT_EQ(hex_of(~std::uint64_t{0}, 16), "ffffffffffffffff");
}

TEST(hexadecimal, reads_back_every_length_in_any_case) {
  for (unsigned bits = 1; bits <= 64; ++bits) {
    const auto value = ~std::uint64_t{0} >> (64 - bits);
    for (const std::size_t digits_min : {1, 16}) EXPECT_EQ(read_hex(hex_of(value, digits_min)), value);
  }
  EXPECT_EQ(read_hex("DeadBeef"), 0xdeadbeefu);
  std::array<std::uint8_t, 2> bytes{};
  EXPECT_TRUE(read_hex("aBfF", bytes));
  EXPECT_EQ(hex_of(bytes), "abff");
  EXPECT_TRUE(is_hex("abff"));
  EXPECT_FALSE(is_hex("aBff"));
}

TEST(hexadecimal, refuses_what_is_no_digit_and_wrong_lengths) {
  for (const std::string_view text : {"", "g", "-1", "+1", " 1", "1 ", "0x1", "11111111111111111"})
    EXPECT_FALSE(read_hex(text)) << text;
  std::array<std::uint8_t, 2> bytes{};
  for (const std::string_view text : {"", "abc", "abcde", "abcdef", "ab g", "-bcd"})
    EXPECT_FALSE(read_hex(text, bytes)) << text;
}

} // namespace cairn::codec_test

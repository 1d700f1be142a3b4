#include "net/s3/body/checksums.hpp"

#include "base/codec.hpp"

#include <gtest/gtest.h>

namespace cairn::net::checksums_test {

bytes_view bytes_of(std::string_view text) {
  return std::as_bytes(std::span{text});
}

std::string of(checksum_kind kind, std::string_view text) {
  running_checksum sum{kind};
  sum.update(bytes_of(text));
  return hex_of(sum.finish());
}

// The check values of the catalogue of parametrised CRC algorithms; FIPS 180's examples.
TEST(checksums, have_the_published_values) {
  EXPECT_EQ(of(checksum_kind::crc32, "123456789"), "cbf43926");
  EXPECT_EQ(of(checksum_kind::crc32c, "123456789"), "e3069283");
  EXPECT_EQ(of(checksum_kind::crc64nvme, "123456789"), "ae8b14860a799888");
  EXPECT_EQ(of(checksum_kind::sha1, "abc"), "a9993e364706816aba3e25717850c26c9cd0d89d");
  EXPECT_EQ(of(checksum_kind::sha256, "abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(checksums, of_nothing_are_those_of_nothing) {
  EXPECT_EQ(of(checksum_kind::crc32, ""), "00000000");
  EXPECT_EQ(of(checksum_kind::crc64nvme, ""), "0000000000000000");
  EXPECT_EQ(of(checksum_kind::sha1, ""), "da39a3ee5e6b4b0d3255bfef95601890afd80709");
}

TEST(checksums, do_not_depend_on_how_the_bytes_are_cut) {
  std::string text;
  for (int i = 0; i < 1000; ++i) text.push_back(static_cast<char>(i * 37));
  for (const auto kind : checksum_kinds) {
    const auto whole = of(kind, text);
    EXPECT_EQ(whole.size(), 2 * checksum_bytes(kind)) << to_string(kind);
    for (const std::size_t step : {1u, 3u, 8u, 13u, 999u}) {
      running_checksum sum{kind};
      for (std::size_t at = 0; at < text.size(); at += step) {
        sum.update(bytes_of(std::string_view{text}.substr(at, step)));
      }
      EXPECT_EQ(hex_of(sum.finish()), whole) << to_string(kind) << " by " << step;
    }
  }
}

TEST(checksums, of_two_stretches_are_joined_without_their_bytes) {
  std::string text(200'003, 'x');
  for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>(i * i >> 3);
  const auto of = [](checksum_kind kind, std::string_view bytes) {
    running_checksum sum{kind};
    sum.update(std::as_bytes(std::span{bytes}));
    return sum.finish();
  };
  for (const auto kind : checksum_kinds) {
    for (const std::size_t cut : {std::size_t{0}, std::size_t{1}, std::size_t{65'536}, text.size()}) {
      const auto first = std::string_view{text}.substr(0, cut), second = std::string_view{text}.substr(cut);
      const auto joined = joined_checksum(kind, of(kind, first), of(kind, second), second.size());
      const bool is_crc = kind != checksum_kind::sha1 && kind != checksum_kind::sha256;
      ASSERT_EQ(joined.has_value(), is_crc);
      if (!joined) continue;
      EXPECT_EQ(*joined, of(kind, text)) << to_string(kind) << ' ' << cut;
    }
  }
}

} // namespace cairn::net::checksums_test

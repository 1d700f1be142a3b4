#include "base/sockets/tls_records.hpp"

#include <gtest/gtest.h>

#include <numeric>
#include <string>
#include <vector>

namespace cairn::sockets::tls_records_test {
std::string record(std::size_t length) {
  return std::string{"\x16\x03\x01", 3} + char(length >> 8) + char(length & 0xFF) + std::string(length, '\xFF');
}

std::vector<std::size_t> completed_by(const std::string& stream, std::size_t step) {
  tls_records records;
  std::vector<std::size_t> out;
  for (std::size_t at = 0; at < stream.size(); at += step) {
    const auto part = std::string_view{stream}.substr(at, step);
    out.push_back(records.take(std::as_bytes(std::span{part})));
  }
  return out;
}

TEST(tls_records, are_counted_at_their_last_byte) {
  const auto bytewise = completed_by(record(300) + record(1), 1);
  ASSERT_EQ(bytewise.size(), 311u);
  for (std::size_t i = 0; i < bytewise.size(); ++i) EXPECT_EQ(bytewise[i], i == 304 || i == 310 ? 1u : 0u) << i;
}

TEST(tls_records, of_one_read_are_all_counted) {
  EXPECT_EQ(completed_by(record(300) + record(0) + record(0x4000) + record(7).substr(0, 11), 1 << 20),
            std::vector<std::size_t>{3});
}

TEST(tls_records, are_as_many_however_the_stream_is_split) {
  const auto stream = record(517) + record(0) + record(256) + record(1);
  for (const std::size_t step : {1, 2, 3, 5, 7, 64, 261, 522, 4096}) {
    const auto found = completed_by(stream, step);
    EXPECT_EQ(std::accumulate(found.begin(), found.end(), std::size_t{0}), 4u) << step;
  }
}

} // namespace cairn::sockets::tls_records_test

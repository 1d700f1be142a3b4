#include "net/s3/body/aws_chunked.hpp"

#include <gtest/gtest.h>

namespace cairn::net::aws_chunked_test {

struct decoded {
  std::string payload, refusal; // the code, or empty
  std::vector<aws_chunk> chunks;
  std::vector<std::pair<std::string, std::string>> trailers;
  std::string trailer_signature;
};

// Gives the bytes in pieces of this size, as a socket would.
decoded decode(std::string_view bytes, std::uint64_t length, std::size_t piece, bool wants_signatures = false) {
  aws_chunked_decoder decoder{length, wants_signatures};
  decoded out;
  std::string waiting;
  const auto refuse = [&out](const s3_error& problem) {
    out.refusal = problem.code;
    return out;
  };
  while (!bytes.empty()) {
    waiting += bytes.substr(0, piece);
    bytes.remove_prefix(std::min(piece, bytes.size()));
    for (std::size_t used = 1; used > 0 && !waiting.empty();) {
      if (decoder.payload_left() > 0) {
        used = std::min<std::uint64_t>(decoder.payload_left(), waiting.size());
        out.payload += waiting.substr(0, used);
        decoder.payload_taken(used);
      } else {
        auto step = decoder.take(waiting);
        if (const auto* refused = std::get_if<s3_error>(&step)) return refuse(*refused);
        auto& framing = std::get<aws_chunked_decoder::framing>(step);
        used = framing.used;
        if (framing.begun) out.chunks.push_back(*framing.begun);
      }
      waiting.erase(0, used);
    }
  }
  if (const auto refused = decoder.finish()) return refuse(*refused);
  out.trailers = decoder.trailers();
  out.trailer_signature = decoder.trailer_signature();
  return out;
}

const std::string signature(64, 'a');

TEST(aws_chunked, is_decoded_wherever_it_is_cut) {
  const std::string body = "5\r\nhello\r\n2;chunk-signature=" + signature +
                           "\r\n\r\n\r\n0\r\nX-Amz-Checksum-CRC32: AAAA\r\n"
                           "x-amz-trailer-signature:" +
                           signature + "\r\n\r\n";
  for (std::size_t piece = 1; piece <= body.size(); ++piece) {
    const auto out = decode(body, 7, piece);
    ASSERT_EQ(out.refusal, "") << piece;
    EXPECT_EQ(out.payload, "hello\r\n");
    ASSERT_EQ(out.chunks.size(), 3u);
    EXPECT_EQ(out.chunks[1].signature, signature);
    ASSERT_EQ(out.trailers.size(), 1u);
    EXPECT_EQ(out.trailers[0], (std::pair<std::string, std::string>{"x-amz-checksum-crc32", "AAAA"}));
    EXPECT_EQ(out.trailer_signature, signature);
  }
}

TEST(aws_chunked, may_be_empty_and_end_with_or_without_an_empty_line) {
  EXPECT_EQ(decode("0\r\n\r\n", 0, 3).refusal, "");
  EXPECT_EQ(decode("0\r\n", 0, 3).refusal, "");
  EXPECT_EQ(decode("0\r\nx-amz-checksum-crc32c:sOO8/Q==\n\r\n\r\n", 0, 3).trailers.size(), 1u);
}

TEST(aws_chunked, refuses_other_bytes) {
  for (const std::string bad :
       {"x\r\n", "-5\r\nhello\r\n", "+5\r\nhello\r\n", "0x5\r\nhello\r\n", "\r\n", ";\r\n", "5\nhello\n0\n\n",
        "5\r\nhelloX\r\n0\r\n\r\n", "5;ext=1\r\nhello\r\n0\r\n\r\n", "5;chunk-signature=aa\r\nhello\r\n",
        "6\r\nhello!\r\n0\r\n\r\n", "ffffffffffffffff\r\n", "00000000000000000005\r\nhello\r\n0\r\n\r\n"}) {
    for (const std::size_t piece : {std::size_t{1}, bad.size()})
      EXPECT_EQ(decode(bad, 5, piece).refusal, "InvalidRequest") << bad;
  }
  EXPECT_EQ(decode("5\r\nhello\r\n", 5, 4).refusal, "IncompleteBody");
  EXPECT_EQ(decode("5\r\nhel", 5, 4).refusal, "IncompleteBody");
  EXPECT_EQ(decode("4\r\nhell\r\n0\r\n\r\n", 5, 4).refusal, "IncompleteBody");
  EXPECT_EQ(decode("0\r\nno colon\r\n\r\n", 0, 4).refusal, "MalformedTrailerError");
}

TEST(aws_chunked, bounds_heads_trailers_and_signed_chunks) {
  EXPECT_EQ(decode("5;chunk-signature=" + std::string(10'000, 'a'), 5, 64).refusal, "InvalidRequest");
  EXPECT_EQ(decode("0\r\n" + std::string(10'000, 'a'), 0, 64).refusal, "InvalidRequest");
  const auto chunk = "1;chunk-signature=" + signature + "\r\nx\r\n";
  EXPECT_EQ(decode(chunk + chunk, 2, 1000, true).refusal, "InvalidChunkSizeError");
  EXPECT_EQ(decode(chunk + "0;chunk-signature=" + signature + "\r\n\r\n", 1, 1000, true).refusal, "");
  EXPECT_EQ(decode(chunk + "0\r\n\r\n", 1, 1000, true).refusal, "InvalidRequest") << "the last chunk is not signed";
}

TEST(aws_chunked, is_taken_out_of_content_encoding) {
  EXPECT_EQ(without_aws_chunked("aws-chunked"), "");
  EXPECT_EQ(without_aws_chunked("gzip,aws-chunked"), "gzip");
  EXPECT_EQ(without_aws_chunked("AWS-Chunked, gzip, br"), "gzip, br");
  EXPECT_TRUE(names_aws_chunked("gzip, aws-chunked"));
  EXPECT_FALSE(names_aws_chunked("gzip,br"));
}

} // namespace cairn::net::aws_chunked_test

// The aws-chunked coding of a body ("Signature Calculations for the Authorization Header: Transferring Payload in
// Multiple Chunks", S3 API reference), which lies within HTTP's own framing:
//
//   hex-size[;chunk-signature=64 hex digits] CRLF  payload  CRLF      any number of times
//   0[;chunk-signature=…] CRLF  [name:value (CRLF | LF)]…  CRLF       then the body ends
//
// An incremental decoder: pure, bounded, fuzzed. It never holds payload: it answers how many of the next bytes are
// payload, so that the caller reads them directly to their place. Errors: 400, with S3's codes; after an error the
// decoder must not be used.
#pragma once

#include "net/s3/xml/s3_errors.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace cairn::net {

struct aws_chunk {
  std::uint64_t size = 0; // 0: the last one
  std::string signature;  // empty: none was sent
};

class aws_chunked_decoder {
public:
  static constexpr std::size_t line_bytes_max = 256;
  static constexpr std::size_t trailer_bytes_max = 4096;
  static constexpr std::uint64_t signed_chunk_bytes_min = 8 << 10; // except the last; bounds pending signatures

  // `length`: of the payload, as x-amz-decoded-content-length announces it.
  aws_chunked_decoder(std::uint64_t length, bool wants_signatures) : left_(length), signed_(wants_signatures) {}

  // The number of next bytes that are payload. 0: framing comes next.
  std::uint64_t payload_left() const { return payload_left_; }
  void payload_taken(std::uint64_t bytes) { payload_left_ -= bytes; }

  struct framing {
    std::size_t used = 0;           // of the given bytes; an incomplete line is not used: pass it again with more bytes
    std::optional<aws_chunk> begun; // its payload comes next
  };
  // Parses framing at the front of `bytes`, at most up to the next payload. Only while payload_left() is 0.
  std::variant<framing, s3_error> take(std::string_view bytes);

  // Call at the end of the body: nullopt if it is complete, else the error.
  std::optional<s3_error> finish();

  // After finish(): names in lower case, in the order sent, without the signature.
  const std::vector<std::pair<std::string, std::string>>& trailers() const { return trailers_; }
  const std::string& trailer_signature() const { return trailer_signature_; }
  std::string canonical_trailers() const; // "name:value\n"…

private:
  enum class state : std::uint8_t { size_line, payload, payload_end, trailer };

  std::optional<s3_error> read_size_line(std::string_view line, aws_chunk& chunk) const;
  std::optional<s3_error> begin(const aws_chunk& chunk);
  std::optional<s3_error> read_trailer(std::string_view line);

  std::uint64_t left_, payload_left_ = 0;
  bool signed_, small_seen_ = false;
  state state_ = state::size_line;
  std::string trailer_text_, trailer_signature_;
  std::vector<std::pair<std::string, std::string>> trailers_;
};

// Whether Content-Encoding contains "aws-chunked", which describes the transfer and not the object.
bool names_aws_chunked(std::string_view content_encoding);
std::string without_aws_chunked(std::string_view content_encoding);

} // namespace cairn::net

// Reads the body of one upload from the socket into the buffers of the ingest: decodes HTTP's chunked coding and the
// aws-chunked coding within, and finds the end of a form's file. Payload is read from the socket directly into the
// buffers; only bodies in HTTP's chunked coding, forms, and the first bytes behind an aws-chunk's head are copied. On
// the session's strand.
#pragma once

#include "base/third_party/asio.hpp"
#include "base/third_party/beast_message.hpp"
#include "net/s3/payload.hpp"

#include <array>
#include <cstddef>
#include <span>

namespace cairn::net {

class http_session;

class body_reader {
public:
  body_reader(http_session& session, payload_plan plan);

  // Moves payload that was read already to `room`; answers the number of bytes. An error refuses the request.
  std::variant<std::size_t, s3_error> take(std::span<std::byte> room);
  bool whole() const;      // all bytes of the body were taken
  bool needs_room() const; // payload comes next, or may come
  // Enough bytes were read and not taken to justify a buffer: 4 KiB, or the rest of the body.
  bool worth_a_buffer() const;
  // After whole(): the error of a body that is complete but invalid.
  std::optional<s3_error> finish();

  // The targets of one read of the socket, after take() took all it could. After the read call arrived().
  std::array<boost::asio::mutable_buffer, 2> targets(std::span<std::byte> room);
  std::size_t arrived(std::size_t bytes);

private:
  std::size_t take_plain(std::span<std::byte> room);
  std::variant<std::size_t, s3_error> take_file(std::span<std::byte> room);
  std::variant<std::size_t, s3_error> take_chunked(std::span<std::byte> room);
  std::variant<std::size_t, s3_error> decode(boost::beast::flat_buffer& from, std::span<std::byte> room);
  std::optional<s3_error> refill();

  http_session& session_;
  payload_plan plan_;
  std::optional<aws_chunked_decoder> decoder_;
  boost::beast::flat_buffer inner_; // aws-chunked within HTTP's chunked coding: decoded bytes of the outer coding
  std::size_t direct_ = 0;          // of the read in progress: bytes that go to `room` first
};

} // namespace cairn::net

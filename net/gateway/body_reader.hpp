// The body of one upload on its way from the socket to the buffers of the ingest: takes off HTTP's chunked coding and
// the aws-chunked coding within. Where the next bytes are payload they are read from the socket straight into place;
// only HTTP's chunked coding and the first bytes behind an aws-chunk's head are copied. On the session's strand.
#pragma once

#include "net/s3/payload.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/core/flat_buffer.hpp>

#include <array>
#include <cstddef>
#include <span>

namespace cairn::net {

class http_session;

class body_reader {
public:
  body_reader(http_session& session, payload_plan plan);

  // Moves payload that was read already to `room`: how much. An error refuses the request.
  std::variant<std::size_t, s3_error> take(std::span<std::byte> room);
  bool whole() const;      // every byte of the body was taken
  bool needs_room() const; // payload comes next, or may come
  // Enough was read, and not taken, to be worth a buffer: 4 KiB, or all that is left of the body.
  bool worth_a_buffer() const;
  // After whole(): what is wrong with the body all the same.
  std::optional<s3_error> finish();

  // For one read of the socket, after take() took all it could; then how much of it went to `room`.
  std::array<boost::asio::mutable_buffer, 2> targets(std::span<std::byte> room);
  std::size_t arrived(std::size_t bytes);

private:
  std::size_t take_plain(std::span<std::byte> room);
  std::variant<std::size_t, s3_error> take_chunked(std::span<std::byte> room);
  std::variant<std::size_t, s3_error> decode(boost::beast::flat_buffer& from, std::span<std::byte> room);
  std::optional<s3_error> refill();

  http_session& session_;
  payload_plan plan_;
  std::optional<aws_chunked_decoder> decoder_;
  boost::beast::flat_buffer inner_; // aws-chunked within HTTP's chunked coding: what the outer one held
  std::size_t direct_ = 0;          // of the read under way: bytes that go to `room` first
};

} // namespace cairn::net

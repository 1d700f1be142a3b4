#include "net/gateway/body_reader.hpp"

#include "net/wire/buffer_text.hpp"
#include "net/wire/http_session.hpp"

#include <algorithm>
#include <cstring>

namespace cairn::net {

namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;

constexpr std::size_t first_read_bytes = 4 << 10; // size of a read without a buffer
constexpr std::size_t chunked_read_bytes = 64 << 10;
constexpr std::size_t framing_read_bytes = 8 << 10; // holds a few heads of aws-chunks; payload behind them is copied

} // namespace

body_reader::body_reader(http_session& session, payload_plan plan) : session_(session), plan_(std::move(plan)) {
  if (plan_.decoded_length) decoder_.emplace(*plan_.decoded_length, plan_.chunks != nullptr);
}

bool body_reader::whole() const {
  if (!session_.chunked()) return session_.body_left() == 0;
  return session_.parser().is_done() && inner_.size() == 0;
}

bool body_reader::needs_room() const {
  if (plan_.file) return !plan_.file->ended();
  return !decoder_ || decoder_->payload_left() > 0;
}

bool body_reader::worth_a_buffer() const {
  const auto there = session_.buffer().size();
  if (session_.chunked()) return there > 0 || inner_.size() > 0; // the remaining length is unknown
  return there >= std::min<std::uint64_t>(first_read_bytes, session_.body_left());
}

std::optional<s3_error> body_reader::finish() {
  if (plan_.file) return plan_.file->finish();
  if (!decoder_) return std::nullopt;
  if (auto refused = decoder_->finish()) return refused;
  for (const auto& [name, value] : decoder_->trailers()) {
    if (!plan_.checksum || !plan_.checksum->waits_for(name))
      return s3_error{400, "MalformedTrailerError", "The trailer " + name + " was not announced, or came twice."};
    if (!plan_.checksum->announce(value))
      return s3_error{400, "InvalidRequest", "The value of " + name + " is invalid."};
  }
  if (plan_.chunks) plan_.chunks->announce_trailer(decoder_->trailer_signature(), decoder_->canonical_trailers());
  return std::nullopt;
}

std::variant<std::size_t, s3_error> body_reader::take(std::span<std::byte> room) {
  if (plan_.file) return take_file(room);
  if (session_.chunked()) return take_chunked(room);
  if (decoder_) return decode(session_.buffer(), room);
  return take_plain(room);
}

std::size_t body_reader::take_plain(std::span<std::byte> room) {
  auto& buffer = session_.buffer();
  const auto n = std::min({std::uint64_t{buffer.size()}, std::uint64_t{room.size()}, session_.body_left()});
  if (n > 0) std::memcpy(room.data(), buffer.cdata().data(), n);
  buffer.consume(n);
  session_.body_taken(n);
  return n;
}

// A form comes with Content-Length.
std::variant<std::size_t, s3_error> body_reader::take_file(std::span<std::byte> room) {
  auto& buffer = session_.buffer();
  std::size_t taken = 0;
  while (true) {
    const auto there = std::min<std::uint64_t>(buffer.size(), session_.body_left());
    auto found = plan_.file->take(as_text(buffer).substr(0, there), room.size() - taken);
    if (auto* refused = std::get_if<s3_error>(&found)) return std::move(*refused);
    const auto& piece = std::get<form_file::piece>(found);
    if (piece.content > 0) std::memcpy(room.data() + taken, buffer.cdata().data(), piece.content);
    buffer.consume(piece.used);
    session_.body_taken(piece.used);
    taken += piece.content;
    if (piece.used > 0) continue;
    const bool has_room = taken < room.size() || plan_.file->ended();
    if (has_room && there > 0 && there == session_.body_left()) return malformed_form("it ends within the file");
    return taken;
  }
}

// Decodes HTTP's chunked coding of the bytes that the session has read.
std::variant<std::size_t, s3_error> body_reader::take_chunked(std::span<std::byte> room) {
  std::size_t taken = 0;
  while (true) {
    if (decoder_) {
      auto decoded = decode(inner_, room.subspan(taken));
      if (auto* refused = std::get_if<s3_error>(&decoded)) return std::move(*refused);
      taken += std::get<std::size_t>(decoded);
      const auto before = session_.buffer().size();
      if (needs_room() && taken == room.size()) return taken;
      if (auto refused = refill()) return std::move(*refused);
      if (session_.buffer().size() == before) return taken;
      continue;
    }
    auto& body = session_.parser().get().body();
    body.data = room.data() + taken;
    body.size = room.size() - taken;
    if (body.size == 0) return taken;
    const auto before = session_.buffer().size();
    if (auto refused = refill()) return std::move(*refused);
    taken = room.size() - body.size;
    if (session_.buffer().size() == before) return taken;
  }
}

// One step of the outer coding: decodes into the parser's body buffer, or else into inner_.
std::optional<s3_error> body_reader::refill() {
  auto& parser = session_.parser();
  auto& buffer = session_.buffer();
  if (parser.is_done() || buffer.size() == 0) return std::nullopt;
  auto& body = parser.get().body();
  std::size_t space = 0;
  if (decoder_) {
    const auto target = inner_.prepare(chunked_read_bytes);
    body.data = target.data();
    body.size = space = target.size();
  }
  body.more = true;
  error_code failed;
  const auto used = parser.put(buffer.cdata(), failed);
  if (decoder_) inner_.commit(space - body.size);
  buffer.consume(used);
  if (failed == http::error::need_more || failed == http::error::need_buffer) failed = {};
  if (failed) return s3_error{400, "InvalidRequest", "The chunked body is malformed: " + failed.message() + "."};
  const auto limit = session_.shared().header_bytes_max + chunked_read_bytes;
  if (used == 0 && buffer.size() > limit) {
    return s3_error{400, "InvalidRequest", "A chunk header or trailer is too long."};
  }
  return std::nullopt;
}

// Decodes the aws-chunked coding.
std::variant<std::size_t, s3_error> body_reader::decode(boost::beast::flat_buffer& from, std::span<std::byte> room) {
  const bool counted = !session_.chunked(); // by Content-Length; the bytes behind belong to the next request
  std::size_t taken = 0;
  while (true) {
    const auto there = counted ? std::min<std::uint64_t>(from.size(), session_.body_left()) : from.size();
    if (there == 0) return taken;
    std::size_t used = 0;
    if (const auto payload = decoder_->payload_left(); payload > 0) {
      used = std::min({there, payload, std::uint64_t{room.size() - taken}});
      if (used > 0) std::memcpy(room.data() + taken, from.cdata().data(), used);
      decoder_->payload_taken(used);
      taken += used;
    } else {
      auto framing = decoder_->take(as_text(from).substr(0, there));
      if (auto* refused = std::get_if<s3_error>(&framing)) return std::move(*refused);
      auto& step = std::get<aws_chunked_decoder::framing>(framing);
      used = step.used;
      if (step.begun && plan_.chunks) plan_.chunks->announce(std::move(*step.begun));
    }
    if (used == 0) {
      const bool all_there = counted ? from.size() >= session_.body_left() : session_.parser().is_done();
      if (!all_there || decoder_->payload_left() > 0) return taken;
      return s3_error{400, "IncompleteBody", "The body ended within the head of an aws-chunk."};
    }
    from.consume(used);
    if (counted) session_.body_taken(used);
  }
}

std::array<asio::mutable_buffer, 2> body_reader::targets(std::span<std::byte> room) {
  direct_ = 0;
  auto& buffer = session_.buffer();
  if (session_.chunked())
    return {asio::mutable_buffer{}, buffer.prepare(room.empty() ? first_read_bytes : chunked_read_bytes)};
  if (plan_.file) return {asio::mutable_buffer{}, buffer.prepare(room.empty() ? first_read_bytes : chunked_read_bytes)};
  if (room.empty() && !decoder_) return {asio::mutable_buffer{}, buffer.prepare(first_read_bytes)};
  const auto left = session_.body_left();
  const auto next = decoder_ ? std::min(decoder_->payload_left(), left) : left;
  direct_ = std::min<std::uint64_t>(room.size(), next);
  const asio::mutable_buffer direct{room.data(), direct_};
  if (!decoder_ || direct_ == left) return {direct, asio::mutable_buffer{}};
  return {direct, buffer.prepare(framing_read_bytes)}; // may also read the next request behind the body
}

std::size_t body_reader::arrived(std::size_t bytes) {
  const auto direct = std::min(bytes, direct_);
  session_.buffer().commit(bytes - direct);
  if (direct > 0) session_.body_taken(direct);
  if (decoder_ && direct > 0) decoder_->payload_taken(direct);
  return direct;
}

} // namespace cairn::net

// The frames of the node link: the grammar of every byte that two nodes exchange (inside TLS, unless the operator has
// set `cluster.insecure`).
//
//   connection = frame*
//   frame      = header meta payload
//   header     = magic:u32 "CRNL"  version:u8  kind:u8  lane:u8  code:u8  request:u64
//                meta_length:u32  payload_length:u32  payload_total:u32  payload_offset:u32
//                time_left_ms:u32  reply_max:u32                            40 bytes, integers big-endian
//
//   kind         sender    meta                payload             other fields
//   hello     1  dialer    hello (hello.hpp)
//   welcome   2  acceptor  hello
//   refuse    3  acceptor  reason, text                            code
//   heartbeat 4  both
//   request   5  dialer    request             its first piece     request, payload_total, time_left_ms, reply_max
//   reply     6  acceptor  answer, or reason   its first piece     request, payload_total, code (0: no error)
//   fragment  7  both                          the next piece      request, payload_total, payload_offset
//   cancel    8  dialer                                            request
//
// A dialer's first frame is hello; the acceptor answers welcome or refuse. After that a control connection carries
// messages without a payload, and a bulk connection messages with one. A payload larger than a piece continues in
// fragments, in order; fragments of different messages may alternate. Every request is answered by exactly one reply, a
// cancelled request too. Fields that a kind does not use are 0, so a header has exactly one encoding. Errors: corrupt
// (violates this grammar), unsupported (another version); after either the stream cannot be parsed any further.
#pragma once

#include "base/error.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace cairn::actors::link {

enum class lane : std::uint8_t { control = 0, bulk = 1 };

enum class frame_kind : std::uint8_t {
  hello = 1,
  welcome = 2,
  refuse = 3,
  heartbeat = 4,
  request = 5,
  reply = 6,
  fragment = 7,
  cancel = 8,
};

constexpr std::size_t header_bytes = 40;
constexpr std::uint8_t frame_version = 1;
constexpr std::uint32_t greeting_meta_max = 4 << 10;              // before the peer is known
constexpr std::uint32_t control_meta_max = (1 << 20) + (4 << 10); // a message of the consensus core and its envelope
constexpr std::uint32_t bulk_meta_max = 64 << 10;
constexpr std::uint32_t piece_max = 1 << 20; // payload of one frame
constexpr std::uint32_t payload_max = 16 << 20;
static_assert(greeting_meta_max <= bulk_meta_max && bulk_meta_max <= control_meta_max && piece_max <= payload_max);

constexpr std::uint32_t meta_max(lane l) {
  return l == lane::control ? control_meta_max : bulk_meta_max;
}

struct frame_header {
  frame_kind kind{};
  link::lane lane{};
  std::uint8_t code = 0; // an errc, 0: none
  std::uint64_t request = 0;
  std::uint32_t meta_length = 0, payload_length = 0; // of this frame
  std::uint32_t payload_total = 0, payload_offset = 0;
  std::uint32_t time_left_ms = 0; // of the request's deadline; 0: it has passed
  std::uint32_t reply_max = 0;    // the largest payload that the requester has a buffer for
  friend bool operator==(const frame_header&, const frame_header&) = default;
};

using header_block = std::array<std::byte, header_bytes>;

header_block encode(const frame_header& header);
result<frame_header> decode_header(std::span<const std::byte, header_bytes> bytes);

std::string_view to_string(frame_kind kind) noexcept;

} // namespace cairn::actors::link

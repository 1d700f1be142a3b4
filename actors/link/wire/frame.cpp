#include "actors/link/wire/frame.hpp"

#include "base/codec.hpp"

#include <algorithm>

namespace cairn::actors::link {

namespace {

constexpr std::uint32_t magic = 0x43524e4c; // "CRNL"

// The fields that a kind of frame may have.
struct shape {
  bool code, request, meta, first_piece, next_piece, from_requester;
};

constexpr shape shape_of(frame_kind kind) {
  switch (kind) {
    case frame_kind::hello:
    case frame_kind::welcome: return {false, false, true, false, false, false};
    case frame_kind::refuse: return {true, false, true, false, false, false};
    case frame_kind::heartbeat: return {};
    case frame_kind::request: return {false, true, true, true, false, true};
    case frame_kind::reply: return {true, true, true, true, false, false};
    case frame_kind::fragment: return {false, true, false, false, true, false};
    case frame_kind::cancel: return {false, true, false, false, false, false};
  }
  return {};
}

const char* payload_fault(const frame_header& h, const shape& may) {
  if (!may.first_piece && !may.next_piece)
    return h.payload_length == 0 && h.payload_total == 0 && h.payload_offset == 0 ? nullptr : "a payload";
  if (h.lane == lane::control && h.payload_total > 0) return "a payload on the control lane";
  if (h.payload_length > piece_max || h.payload_total > payload_max) return "a payload beyond its limit";
  if (h.payload_offset > h.payload_total || h.payload_length > h.payload_total - h.payload_offset)
    return "a piece beyond its payload";
  if (may.first_piece && h.payload_offset != 0) return "a first piece with an offset";
  if (may.next_piece && h.payload_offset == 0) return "a further piece without an offset";
  if (h.payload_total > 0 && h.payload_length == 0) return "an empty piece";
  return nullptr;
}

const char* fault(const frame_header& h) {
  const auto may = shape_of(h.kind);
  if (h.lane != lane::control && h.lane != lane::bulk) return "an unknown lane";
  if (h.code > static_cast<std::uint8_t>(errc_last)) return "an unknown error code";
  if (!may.code && h.code != 0) return "an error code";
  if (may.request != (h.request != 0)) return may.request ? "no request number" : "a request number";
  if (h.meta_length > (may.meta ? meta_max(h.lane) : 0)) return "a meta beyond its limit";
  if (!may.from_requester && (h.time_left_ms != 0 || h.reply_max != 0)) return "a deadline or reply_max";
  if (h.reply_max > (h.lane == lane::bulk ? payload_max : 0)) return "reply_max beyond its limit";
  if (h.code != 0 && h.payload_total != 0) return "both an error and a payload";
  return payload_fault(h, may);
}

} // namespace

header_block encode(const frame_header& h) {
  CAIRN_ASSERT(fault(h) == nullptr);
  byte_writer out{header_bytes};
  out.u32(magic)
      .u8(frame_version)
      .u8(static_cast<std::uint8_t>(h.kind))
      .u8(static_cast<std::uint8_t>(h.lane))
      .u8(h.code);
  out.u64(h.request).u32(h.meta_length).u32(h.payload_length).u32(h.payload_total).u32(h.payload_offset);
  out.u32(h.time_left_ms).u32(h.reply_max);
  header_block block;
  CAIRN_ASSERT(out.view().size() == block.size());
  std::transform(out.view().begin(), out.view().end(), block.begin(), [](char c) { return static_cast<std::byte>(c); });
  return block;
}

result<frame_header> decode_header(std::span<const std::byte, header_bytes> bytes) {
  byte_reader in{std::span<const std::byte>{bytes}};
  if (in.u32() != magic) return error{errc::corrupt, "not a frame of the node link"};
  if (const auto version = in.u8(); version != frame_version)
    return error{errc::unsupported, "frames of version " + std::to_string(version) + "; this node speaks " +
                                        std::to_string(frame_version)};
  frame_header h;
  const auto kind = in.u8();
  h.kind = static_cast<frame_kind>(kind);
  h.lane = static_cast<link::lane>(in.u8());
  h.code = in.u8();
  h.request = in.u64();
  h.meta_length = in.u32();
  h.payload_length = in.u32();
  h.payload_total = in.u32();
  h.payload_offset = in.u32();
  h.time_left_ms = in.u32();
  h.reply_max = in.u32();
  CAIRN_ASSERT(in.finished());
  if (kind < static_cast<std::uint8_t>(frame_kind::hello) || kind > static_cast<std::uint8_t>(frame_kind::cancel))
    return error{errc::corrupt, "a frame of unknown kind " + std::to_string(kind)};
  if (const char* what = fault(h))
    return error{errc::corrupt, std::string{"a "} + std::string{to_string(h.kind)} + " frame with " + what};
  return h;
}

std::string_view to_string(frame_kind kind) noexcept {
  switch (kind) {
    case frame_kind::hello: return "hello";
    case frame_kind::welcome: return "welcome";
    case frame_kind::refuse: return "refuse";
    case frame_kind::heartbeat: return "heartbeat";
    case frame_kind::request: return "request";
    case frame_kind::reply: return "reply";
    case frame_kind::fragment: return "fragment";
    case frame_kind::cancel: return "cancel";
  }
  return "unknown";
}

} // namespace cairn::actors::link

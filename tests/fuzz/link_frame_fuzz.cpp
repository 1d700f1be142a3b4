// The node link's input: frames that arrive in pieces of any size, and hellos. The first byte says how the rest is cut
// and which connection it arrives on. What is accepted is the one encoding of its value, no more is kept than the
// frame's bound, and cutting the stream elsewhere changes nothing.
#include "actors/link/wire/frame_parser.hpp"
#include "actors/link/wire/hello.hpp"

#include <algorithm>
#include <cstdint>

namespace {

using namespace cairn::actors::link;

struct outcome {
  std::uint64_t frames = 0, bytes = 0, digest = 0;
  bool failed = false;
  friend bool operator==(const outcome&, const outcome&) = default;
};

void check_header(const frame_header& h) {
  CAIRN_ASSERT(decode_header(encode(h)).value() == h);
  CAIRN_ASSERT(h.meta_length <= meta_max(h.lane) && h.payload_length <= piece_max && h.payload_total <= payload_max);
}

void note(outcome& o, const frame_parser& parser, std::span<const std::byte> payload) {
  check_header(parser.header());
  CAIRN_ASSERT(parser.meta().size() == parser.header().meta_length);
  ++o.frames;
  o.bytes += parser.meta().size() + payload.size();
  for (const char c : parser.meta()) o.digest = o.digest * 31 + static_cast<std::uint8_t>(c);
  for (const auto b : payload) o.digest = o.digest * 31 + static_cast<std::uint8_t>(b);
  if (parser.header().kind != frame_kind::hello) return;
  if (const auto h = decode_hello(parser.meta()); h && h->newest <= protocol_newest)
    CAIRN_ASSERT(encode(*h) == parser.meta());
}

// True: go on feeding.
bool drain(frame_parser& parser, outcome& o, std::vector<std::byte>& payload, bool skip) {
  for (;;) {
    const auto step = parser.step();
    if (!step) {
      o.failed = true;
      const auto again = parser.step();
      CAIRN_ASSERT(!again);
      return false;
    }
    switch (*step) {
      case frame_parser::step_result::more: return true;
      case frame_parser::step_result::payload:
        payload.assign(skip ? 0 : parser.header().payload_length, std::byte{});
        if (skip)
          parser.skip();
        else
          parser.place(payload);
        break;
      case frame_parser::step_result::frame:
        note(o, parser, payload);
        payload.clear();
        break;
    }
  }
}

outcome run(std::span<const std::uint8_t> bytes, std::size_t piece, int connection, bool skip) {
  frame_parser parser;
  if (connection == 1) parser.known(lane::control);
  if (connection == 2) parser.known(lane::bulk);
  outcome o;
  std::vector<std::byte> payload;
  while (!bytes.empty()) {
    const auto space = parser.space();
    CAIRN_ASSERT(!space.empty());
    const auto n = std::min({space.size(), bytes.size(), piece});
    std::copy_n(reinterpret_cast<const std::byte*>(bytes.data()), n, space.begin());
    parser.filled(n);
    bytes = bytes.subspan(n);
    if (!drain(parser, o, payload, skip)) break;
  }
  return o;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const int connection = data[0] % 3;
  const bool skip = (data[0] & 0x80) != 0;
  const std::size_t piece = 1 + (data[0] >> 2 & 0x1f);
  const std::span bytes{data + 1, size - 1};
  CAIRN_ASSERT(run(bytes, piece, connection, skip) == run(bytes, size, connection, skip));
  if (const auto h = decode_hello({reinterpret_cast<const char*>(bytes.data()), bytes.size()}))
    CAIRN_ASSERT(h->oldest <= h->newest);
  return 0;
}

// Parses frames from a stream that arrives in pieces of any size. A plain class, owned by one connection.
//
// Headers, meta and the payload bytes that arrive together with them pass through an input buffer of fixed size; the
// rest of a payload is received directly at the place that the owner gives. Memory is allocated for the input buffer
// and, as its bytes arrive, for the meta; a length that a header claims allocates nothing. After an error every further
// step returns the same error.
//
//   loop: receive into space() → filled(n) → step() until it returns `more`
#pragma once

#include "actors/link/wire/frame.hpp"

#include <optional>
#include <string>
#include <vector>

namespace cairn::actors::link {

class frame_parser {
public:
  enum class step_result : std::uint8_t {
    more,    // receive more
    payload, // header() and meta() are complete; call place() or skip() before the next step
    frame,   // a whole frame; header() and meta() stay until the next step
  };

  frame_parser(); // before the hello: small frames of the control lane

  // After the hello, from the next frame on: the agreed lane, its limits, and a larger buffer.
  void known(lane l);

  std::span<std::byte> space(); // never empty
  void filled(std::size_t bytes);

  result<step_result> step();
  const frame_header& header() const { return header_; }
  std::string take_meta() { return std::move(meta_); }
  const std::string& meta() const { return meta_; }

  void place(std::span<std::byte> where); // payload_length bytes, valid until the frame is complete
  void skip();                            // receive the payload and discard it

private:
  enum class state : std::uint8_t { header, meta, unplaced, payload, failed };

  std::size_t buffered() const { return end_ - begin_; }
  result<void> read_header();
  bool read_meta();    // true: complete
  bool read_payload(); // true: complete

  std::vector<std::byte> input_;
  std::size_t begin_ = 0, end_ = 0;
  std::size_t readahead_; // how many bytes of a payload may pass through the input buffer
  lane lane_ = lane::control;
  std::uint32_t meta_max_ = greeting_meta_max;

  state state_ = state::header;
  frame_header header_;
  std::string meta_;
  std::span<std::byte> place_; // the rest of the place
  std::size_t missing_ = 0;    // bytes of the payload that have not arrived
  bool skipping_ = false;
  std::optional<error> failed_;
};

} // namespace cairn::actors::link

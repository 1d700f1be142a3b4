// Frames out of a stream that arrives in pieces of any size. Plain class, owned by one connection.
//
// Small things (headers, meta, payload that came along with them) pass through an input buffer of fixed size; the rest
// of a payload is received straight at the place that the owner gives. Allocates the input buffer and, as bytes really
// arrive, the meta: what a header merely claims costs nothing. After an error every further step answers the same
// error.
//
//   loop: receive into space() → filled(n) → step() until it answers `more`
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
    payload, // header() and meta() are there; answer with place() or skip() before the next step
    frame,   // a whole frame; header() and meta() stay until the next step
  };

  frame_parser(); // a stranger's: hello-sized frames of the control lane

  // From the next frame on: the lane that was agreed on, its limits and a larger buffer.
  void known(lane l);

  std::span<std::byte> space(); // never empty
  void filled(std::size_t bytes);

  result<step_result> step();
  const frame_header& header() const { return header_; }
  std::string take_meta() { return std::move(meta_); }
  const std::string& meta() const { return meta_; }

  void place(std::span<std::byte> where); // payload_length bytes that stay until the frame is whole
  void skip();                            // receive the payload and forget it

private:
  enum class state : std::uint8_t { header, meta, unplaced, payload, failed };

  std::size_t buffered() const { return end_ - begin_; }
  result<void> read_header();
  bool read_meta();    // true: complete
  bool read_payload(); // true: complete

  std::vector<std::byte> input_;
  std::size_t begin_ = 0, end_ = 0;
  std::size_t readahead_; // how much of a payload may come by the input buffer
  lane lane_ = lane::control;
  std::uint32_t meta_max_ = greeting_meta_max;

  state state_ = state::header;
  frame_header header_;
  std::string meta_;
  std::span<std::byte> place_; // what is left of it
  std::size_t missing_ = 0;    // bytes of the payload
  bool skipping_ = false;
  std::optional<error> failed_;
};

} // namespace cairn::actors::link

// What one connection still has to send: messages in order, cut into frames; payloads of several messages take turns, a
// piece each. Bounded in bytes. Plain class, not thread-safe: its connection locks.
#pragma once

#include "actors/link/wire/frame.hpp"
#include "base/memory/buffer_pool.hpp"

#include <deque>
#include <string>
#include <vector>

namespace cairn::actors::link {

struct message {
  frame_header header; // lengths and offset are filled in by the queue
  std::string meta;
  storage::slice payload; // no owner: none
};

// One frame on its way. Keeps the bytes that it refers to.
struct sent_frame {
  header_block header;
  std::string meta;
  storage::slice piece; // no owner: none
};

class send_queue {
public:
  static constexpr std::size_t batch_bytes = 256 << 10; // a batch ends with the frame that reaches this
  static constexpr std::size_t batch_frames = 20;       // three buffers each fit one system call (64)

  explicit send_queue(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  // False: it does not fit, and nothing was taken. An empty queue takes any message.
  bool push(message&& m);
  void push_anyway(message&& m); // of the connection itself: greetings, heartbeats

  // The next frames to write together, fewest when they are large. Their bytes count until `written`.
  std::vector<sent_frame> next_batch();
  void written(const std::vector<sent_frame>& batch);

  void clear(); // what is not on its way
  bool empty() const { return waiting_.empty(); }
  std::size_t bytes() const { return bytes_; }

private:
  static std::size_t size_of(const message& m);

  std::deque<message> waiting_;
  std::size_t bytes_ = 0, bytes_max_;
};

} // namespace cairn::actors::link

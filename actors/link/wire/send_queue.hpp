// The unsent messages of one connection, in order, cut into frames; payloads of several messages are interleaved, one
// piece each. Bounded in bytes. A plain class, not thread-safe: its connection locks.
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
  slice payload; // no owner: none
};

// One frame that is being written. Keeps the bytes that it refers to alive.
struct sent_frame {
  header_block header;
  std::string meta;
  slice piece; // no owner: none
};

class send_queue {
public:
  static constexpr std::size_t batch_bytes = 256 << 10; // a batch ends with the frame that reaches this
  static constexpr std::size_t batch_frames = 20;       // three buffers each fit one system call (64)

  explicit send_queue(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  // False: the message does not fit, and was not queued. An empty queue takes any message.
  bool push(message&& m);
  void push_unbounded(message&& m); // for the connection's own frames: hello, refusal, heartbeat

  // The next frames to write together, fewer when they are large. Their bytes count as queued until `written`.
  std::vector<sent_frame> next_batch();
  void written(const std::vector<sent_frame>& batch);

  void clear(); // drops what is not being written
  bool empty() const { return waiting_.empty(); }
  std::size_t bytes() const { return bytes_; }

private:
  static std::size_t size_of(const message& m);

  std::deque<message> waiting_;
  std::size_t bytes_ = 0, bytes_max_;
};

} // namespace cairn::actors::link

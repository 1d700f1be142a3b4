// How many slices of one download may be outstanding, and in which order they are released. A slice is outstanding from
// the reservation of its buffer until the socket has taken its bytes, so a download holds at most `size` buffers,
// however long the file and however slow the client.
//
// The size moves between its bounds. It grows by one for each slice after which the socket starved, but only while
// reads take longer than a local copy: on hot data a larger window only evicts chunks from the CPU's cache (2 is faster
// than 4). It shrinks by one when the socket did not starve for a few whole windows. A plain class, used by the
// sequencer.
#pragma once

#include "base/memory/buffer_pool.hpp"

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>

namespace cairn::actors {

class download_window {
public:
  // 1 ≤ min ≤ max.
  download_window(std::uint32_t min, std::uint32_t max);

  bool may_begin() const noexcept { return on_their_way() < size_; }
  std::uint32_t size() const noexcept { return size_; }
  std::uint32_t on_their_way() const noexcept { return std::uint32_t(begun_ - credited_); }
  bool all_credited() const noexcept { return begun_ == credited_; }

  std::uint64_t next() const noexcept { return begun_; } // the index that begin() will return
  std::uint64_t begin();                                 // the slice's index, from 0; only when may_begin
  void arrived(std::uint64_t index, slice bytes, std::chrono::microseconds latency);
  // The next slice in order, if it has arrived. Call until it returns nullopt.
  std::optional<slice> release();
  std::uint64_t released() const noexcept { return released_; }

  // The socket has taken `count` further slices; `starving`: it then had nothing left to send. Returns false if more
  // slices are credited than were released.
  bool credit(std::uint32_t count, bool starving);

private:
  void adapt(std::uint32_t count, bool starving);

  const std::uint32_t min_, max_;
  std::uint32_t size_;
  std::uint64_t begun_ = 0, released_ = 0, credited_ = 0;
  std::uint32_t satisfied_ = 0;              // slices credited in a row without starving
  std::chrono::microseconds latency_{0};     // smoothed
  std::deque<std::optional<slice>> arrived_; // from released_ on
};

} // namespace cairn::actors

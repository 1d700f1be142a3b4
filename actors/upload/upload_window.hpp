// How many buffers of one upload may be out, the size of the next one, and how many bytes have arrived. A buffer is out
// from its grant until its bytes are durable and digested. At most two of them are empty and at the client's
// connection, so that a slow sender holds little memory and a fast one never waits for a grant. A plain class, used by
// the ingest actor. Bytes.
#pragma once

#include "base/error.hpp"

#include <cstdint>
#include <deque>
#include <optional>

namespace cairn::actors {

class upload_window {
public:
  struct limits {
    std::uint32_t chunk_size = 1 << 20, inline_max = 4096, buffers = 4;
    std::uint64_t size_max = 5ull << 40;
  };
  upload_window(std::optional<std::uint64_t> announced, limits l);

  // The size of the buffer to grant now; nullopt when none may be granted. An empty body gets a first grant too.
  std::optional<std::uint32_t> next_grant() const;
  bool alone() const noexcept { return out_ == 0; } // nothing is out: the next grant is the stream's minimum
  void granted(std::uint32_t bytes);

  // The oldest grant came back with so many bytes. too_large; invalid_argument when this violates the port's contract.
  result<void> received(std::uint32_t bytes);
  void released(); // a received buffer is durable and digested
  // The body has ended. connection_lost when it is shorter than announced.
  result<void> ended() const;

  std::uint64_t bytes() const noexcept { return bytes_; }
  // Whether the bytes received so far are the whole body and small enough to be stored in the object's row.
  bool is_inline() const noexcept;

private:
  static constexpr std::size_t empty_max = 2;
  const std::optional<std::uint64_t> announced_;
  const limits limits_;
  std::deque<std::uint32_t> empty_; // sizes of grants that have not come back
  std::uint32_t out_ = 0;
  std::uint64_t granted_ = 0, bytes_ = 0;
  bool any_ = false, last_came_ = false;
};

} // namespace cairn::actors

// The payload bytes, both directions together, that one link may have outstanding. The requester counts from sending a
// request until its reply, the server from the request's arrival until the reply is queued, so the server's count never
// exceeds that of a correct requester. Thread-safe.
#pragma once

#include <atomic>
#include <cstdint>

namespace cairn::actors::link {

class peer_credit {
public:
  explicit peer_credit(std::uint64_t bytes_max) : bytes_max_(bytes_max) {}

  bool take(std::uint64_t bytes) {
    auto now = outstanding_.load(std::memory_order_relaxed);
    do {
      if (bytes > bytes_max_ || now > bytes_max_ - bytes) return false;
    } while (!outstanding_.compare_exchange_weak(now, now + bytes, std::memory_order_relaxed));
    return true;
  }
  void give_back(std::uint64_t bytes) { outstanding_.fetch_sub(bytes, std::memory_order_relaxed); }

  std::uint64_t bytes_max() const { return bytes_max_; }
  std::uint64_t outstanding() const { return outstanding_.load(std::memory_order_relaxed); }

private:
  const std::uint64_t bytes_max_;
  std::atomic<std::uint64_t> outstanding_{0};
};

} // namespace cairn::actors::link

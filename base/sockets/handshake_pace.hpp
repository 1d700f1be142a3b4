// How fast an address may ask for steps of TLS handshakes that never come to an end. A step with a signature costs the
// server about a millisecond, and a client that replays a hello almost nothing. So each step is charged to the address,
// and refunded once its handshake is complete. An address that owes `steps_max` gets `steps_per_second`. Clients that
// complete their handshakes do not wait for long, however many share an address.
//
// A bucket for each address that owes something, as the time at which its debt is paid (the generic cell rate
// algorithm). Thread-safe; no clock of its own.
#pragma once

#include "base/seams.hpp"

#include <chrono>
#include <mutex>
#include <string>
#include <unordered_map>

namespace cairn::sockets {

class handshake_pace {
public:
  static constexpr unsigned steps_max = 64, steps_per_second = 32;

  bool charge(const std::string& address, steady_time now); // false: it owes too much, ask again later
  void refund(const std::string& address, unsigned steps);
  std::size_t size() const; // of addresses that owe something, and some that did

private:
  mutable std::mutex mutex_;
  std::unordered_map<std::string, steady_time> paid_at_;
  std::size_t swept_at_ = 1024;
};

} // namespace cairn::sockets

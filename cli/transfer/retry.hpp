// Repeats an attempt that failed for a transient reason: no connection, no answer in time, an overloaded server. Waits
// 0.5, 1, 2, 4 and 8 s in between, which is longer than a node's restart. `attempt` must be repeatable from its
// beginning.
#pragma once

#include "base/error.hpp"

#include <chrono>
#include <thread>

namespace cairn::cli {

inline bool may_pass(errc code) {
  return code == errc::connection_lost || code == errc::timeout || code == errc::slow_down;
}

template <class Attempt>
auto with_retries(Attempt attempt) {
  for (std::chrono::milliseconds wait{500};; wait *= 2) {
    auto outcome = attempt();
    if (outcome || !may_pass(outcome.error().code) || wait > std::chrono::seconds(8)) return outcome;
    std::this_thread::sleep_for(wait);
  }
}

} // namespace cairn::cli

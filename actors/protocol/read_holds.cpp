#include "actors/protocol/read_holds.hpp"

namespace cairn::actors {

read_hold read_holds::acquire(log_index index) {
  const auto now = clock_.now();
  {
    std::lock_guard lock{mutex_};
    auto& h = held_[index];
    ++h.count;
    h.latest = now;
  }
  return {static_cast<void*>(this), [registry = shared_from_this(), index](void*) { registry->release(index); }};
}

void read_holds::release(log_index index) {
  std::lock_guard lock{mutex_};
  const auto at = held_.find(index);
  CAIRN_ASSERT(at != held_.end());
  if (--at->second.count == 0) held_.erase(at);
}

log_index read_holds::oldest() const {
  const auto now = clock_.now();
  std::lock_guard lock{mutex_};
  for (const auto& [index, h] : held_) {
    if (now - h.latest < hold_max) return index;
  }
  return none;
}

std::size_t read_holds::size() const {
  std::lock_guard lock{mutex_};
  std::size_t n = 0;
  for (const auto& [index, h] : held_) n += h.count;
  return n;
}

} // namespace cairn::actors

#include "base/sockets/handshake_pace.hpp"

#include <algorithm>

namespace cairn::sockets {

namespace {

constexpr std::chrono::nanoseconds cost = std::chrono::nanoseconds{std::chrono::seconds{1}} /
                                          handshake_pace::steps_per_second,
                                   credit = cost * handshake_pace::steps_max;

} // namespace

bool handshake_pace::charge(const std::string& address, steady_time now) {
  const std::lock_guard lock{mutex_};
  if (paid_at_.size() >= swept_at_) {
    std::erase_if(paid_at_, [now](const auto& a) { return a.second <= now; });
    swept_at_ = std::max<std::size_t>(1024, 2 * paid_at_.size());
  }
  auto& paid_at = paid_at_.try_emplace(address, now).first->second;
  const auto then = std::max(paid_at, now) + cost;
  if (then > now + credit) return false;
  paid_at = then;
  return true;
}

void handshake_pace::refund(const std::string& address, unsigned steps) {
  const std::lock_guard lock{mutex_};
  if (const auto at = paid_at_.find(address); at != paid_at_.end()) at->second -= steps * cost;
}

std::size_t handshake_pace::size() const {
  const std::lock_guard lock{mutex_};
  return paid_at_.size();
}

} // namespace cairn::sockets

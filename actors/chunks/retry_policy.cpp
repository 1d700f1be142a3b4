#include "actors/chunks/retry_policy.hpp"

#include <algorithm>
#include <utility>

namespace cairn::actors {

int weight_of(errc code) noexcept {
  if (code == errc{}) return 0; // no failure yet
  switch (code) {
    case errc::corrupt: return 4;
    case errc::busy:
    case errc::timeout: return 2;
    case errc::not_found: return 1;
    default: return 3;
  }
}

namespace {

bool may_succeed_later(errc code) {
  return code == errc::busy || code == errc::timeout || code == errc::io_error || code == errc::connection_lost ||
         code == errc::cancelled;
}

} // namespace

// A replica that cannot be read now may hold a good copy, so damage of another replica is not the final answer.
int retry_policy::weight(errc code) const noexcept {
  if (kind_ == kind::replicas && code == errc::corrupt) return 2 * weight_of(errc::not_found) + 1;
  return 2 * weight_of(code);
}

const error& retry_policy::reason() const noexcept {
  return weight(current_error_.code) >= weight(earlier_error_.code) ? current_error_ : earlier_error_;
}

std::optional<std::chrono::milliseconds> retry_policy::failed(error why) {
  const auto code = why.code;
  // A permanent failure replaces what the place answered before; of transient failures the greatest weight is kept.
  if (!may_succeed_later(code) || weight(code) >= weight(current_error_.code)) current_error_ = std::move(why);
  if (code == errc::stopping && kind_ == kind::disks) return std::nullopt;
  return kind_ == kind::disks ? next_disk(code) : next_replica(code);
}

std::optional<std::chrono::milliseconds> retry_policy::next_disk(errc code) {
  if (may_succeed_later(code) && ++attempts_ < attempts_max) return first_pause * (1 << (attempts_ - 1));
  if (place_ + 1 >= places_) return std::nullopt;
  earlier_error_ = reason();
  current_error_ = {};
  ++place_;
  attempts_ = 0;
  return std::chrono::milliseconds{0};
}

std::optional<std::size_t> retry_policy::alternative() const noexcept {
  if (kind_ == kind::disks) return std::nullopt;
  for (auto next = place_ + 1; next < places_; ++next)
    if (!given_up(next)) return next;
  return std::nullopt;
}

std::optional<std::chrono::milliseconds> retry_policy::next_replica(errc code) {
  if (!may_succeed_later(code) && place_ < 64) given_up_ |= std::uint64_t{1} << place_;
  busy_ = busy_ || code == errc::busy;
  earlier_error_ = reason();
  current_error_ = {};
  if (const auto next = alternative()) {
    place_ = *next;
    return std::chrono::milliseconds{0};
  }
  all_busy_ = std::exchange(busy_, false);
  if (!all_busy_ && ++attempts_ >= attempts_max) return std::nullopt;
  const auto pause = std::min(longest_pause, first_pause * (1 << std::min(rounds_++, 16u)));
  for (place_ = 0; place_ < places_; ++place_)
    if (!given_up(place_)) return pause;
  return std::nullopt;
}

} // namespace cairn::actors

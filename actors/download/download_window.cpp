#include "actors/download/download_window.hpp"

#include "base/error.hpp"

#include <algorithm>

namespace cairn::actors {

namespace {

// A verified 1 MiB copy from the page cache takes a third of this.
constexpr std::chrono::microseconds local_copy{1000};
// The window shrinks by one after so many windows of slices in a row with which the socket did not starve.
constexpr std::uint32_t patience_windows = 4;

} // namespace

download_window::download_window(std::uint32_t min, std::uint32_t max) : min_(min), max_(max), size_(min) {
  CAIRN_ASSERT(min >= 1 && min <= max);
}

std::uint64_t download_window::begin() {
  CAIRN_ASSERT(may_begin());
  arrived_.emplace_back();
  return begun_++;
}

void download_window::arrived(std::uint64_t index, slice bytes, std::chrono::microseconds latency) {
  CAIRN_ASSERT(index >= released_ && index < begun_);
  auto& place = arrived_[index - released_];
  CAIRN_ASSERT(!place);
  place = std::move(bytes);
  latency_ = latency_.count() == 0 ? latency : (latency_ * 7 + latency) / 8;
}

std::optional<slice> download_window::release() {
  if (arrived_.empty() || !arrived_.front()) return std::nullopt;
  auto out = std::move(arrived_.front());
  arrived_.pop_front();
  ++released_;
  return out;
}

bool download_window::credit(std::uint32_t count, bool starving) {
  if (count > released_ - credited_) return false;
  credited_ += count;
  adapt(count, starving);
  return true;
}

void download_window::adapt(std::uint32_t count, bool starving) {
  if (starving) {
    satisfied_ = 0;
    if (latency_ >= local_copy) size_ = std::min(max_, size_ + std::max<std::uint32_t>(count, 1));
    return;
  }
  satisfied_ += count;
  if (satisfied_ < patience_windows * size_) return;
  satisfied_ = 0;
  size_ = std::max(min_, size_ - 1);
}

} // namespace cairn::actors

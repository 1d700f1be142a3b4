#include "actors/upload/upload_window.hpp"

#include <algorithm>

namespace cairn::actors {

upload_window::upload_window(std::optional<std::uint64_t> announced, limits l) : announced_(announced), limits_(l) {
  CAIRN_ASSERT(l.chunk_size > 0 && l.buffers > 0 && l.inline_max <= l.chunk_size);
}

std::optional<std::uint32_t> upload_window::next_grant() const {
  if (last_came_ || out_ >= limits_.buffers || empty_.size() >= empty_max) return std::nullopt;
  if (!announced_) return limits_.chunk_size;
  const auto left = *announced_ - granted_;
  if (left == 0 && any_) return std::nullopt;
  return std::uint32_t(std::clamp<std::uint64_t>(left, 1, limits_.chunk_size));
}

void upload_window::granted(std::uint32_t bytes) {
  any_ = true;
  ++out_;
  empty_.push_back(bytes);
  granted_ += announced_ ? std::min<std::uint64_t>(bytes, *announced_ - granted_) : bytes;
}

result<void> upload_window::received(std::uint32_t bytes) {
  if (empty_.empty() || bytes > empty_.front()) return error{errc::invalid_argument, "more bytes than were granted"};
  if (last_came_ && bytes > 0) return error{errc::invalid_argument, "bytes after a buffer that was not full"};
  last_came_ = last_came_ || bytes < empty_.front();
  empty_.pop_front();
  bytes_ += bytes;
  if (bytes_ > limits_.size_max) {
    return error{errc::too_large, "more than " + std::to_string(limits_.size_max) + " bytes"};
  }
  if (announced_ && bytes_ > *announced_) return error{errc::invalid_argument, "more bytes than announced"};
  return {};
}

void upload_window::released() {
  CAIRN_ASSERT(out_ > empty_.size());
  --out_;
}

result<void> upload_window::ended() const {
  if (!announced_ || *announced_ == bytes_) return {};
  return error{errc::connection_lost,
               std::to_string(bytes_) + " of " + std::to_string(*announced_) + " announced bytes came"};
}

bool upload_window::is_inline() const noexcept {
  if (bytes_ > limits_.inline_max) return false;
  return announced_ ? *announced_ == bytes_ : last_came_;
}

} // namespace cairn::actors

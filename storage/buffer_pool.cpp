#include "storage/buffer_pool.hpp"

#include "config/error.hpp"

#include <bit>
#include <cstdlib>
#include <utility>

namespace cairn::storage {

namespace {

constexpr std::size_t smallest_class_bytes = 4096;
constexpr std::size_t page_bytes = 4096;

std::size_t class_of(std::size_t size_bytes) {
  CAIRN_ASSERT(size_bytes > 0);
  const std::size_t rounded = std::bit_ceil(std::max(size_bytes, smallest_class_bytes));
  return std::size_t(std::countr_zero(rounded) - std::countr_zero(smallest_class_bytes));
}

constexpr std::size_t class_bytes(std::size_t class_index) {
  return smallest_class_bytes << class_index;
}

} // namespace

void intrusive_ptr_release(buffer* b) noexcept {
  if (b->references_.fetch_sub(1, std::memory_order_acq_rel) == 1) b->pool_->give_back(b);
}

buffer_pool::buffer_pool(std::size_t limit_bytes) : limit_(limit_bytes) {}

buffer_pool::~buffer_pool() {
  CAIRN_ASSERT(in_use_ == 0);
  release_cached(cached_);
}

buffer* buffer_pool::take(std::size_t class_index) {
  const std::size_t size = class_bytes(class_index);
  if (in_use_ + size > limit_) return nullptr;
  auto& list = free_[class_index];
  buffer* b = nullptr;
  if (!list.empty()) {
    b = list.back();
    list.pop_back();
    cached_ -= size;
  } else {
    if (in_use_ + cached_ + size > limit_) release_cached(in_use_ + cached_ + size - limit_);
    auto* bytes = static_cast<std::byte*>(std::aligned_alloc(page_bytes, size));
    if (!bytes) return nullptr; // the operating system has less than the limit promises: same answer as a spent budget
    b = new buffer;
    b->pool_ = this;
    b->data_ = bytes;
    b->capacity_ = size;
  }
  in_use_ += size;
  return b;
}

void buffer_pool::release_cached(std::size_t wanted_bytes) {
  std::size_t released = 0;
  for (std::size_t c = classes; c-- > 0 && released < wanted_bytes;) {
    while (!free_[c].empty() && released < wanted_bytes) {
      buffer* b = free_[c].back();
      free_[c].pop_back();
      released += b->capacity_;
      cached_ -= b->capacity_;
      std::free(b->data_);
      delete b;
    }
  }
}

buffer_ptr buffer_pool::try_acquire(std::size_t size_bytes, reservation kind) {
  const std::size_t class_index = class_of(size_bytes);
  CAIRN_ASSERT(class_index < classes);
  std::lock_guard lock{mutex_};
  if (!waiters_.empty()) return nullptr;
  if (kind == reservation::growth && in_use_ + class_bytes(class_index) > limit_ / 2) return nullptr;
  return buffer_ptr{take(class_index)};
}

std::uint64_t buffer_pool::wait(std::size_t size_bytes, std::function<void(buffer_ptr)> ready) {
  buffer_ptr now;
  {
    std::lock_guard lock{mutex_};
    if (waiters_.empty()) now = buffer_ptr{take(class_of(size_bytes))};
    if (!now) {
      waiters_.push_back({next_ticket_, size_bytes, std::move(ready)});
      return next_ticket_++;
    }
  }
  ready(std::move(now));
  return 0;
}

bool buffer_pool::cancel_wait(std::uint64_t ticket) {
  std::lock_guard lock{mutex_};
  return std::erase_if(waiters_, [ticket](const waiter& w) { return w.ticket == ticket; }) > 0;
}

void buffer_pool::give_back(buffer* b) noexcept {
  std::vector<std::pair<std::function<void(buffer_ptr)>, buffer_ptr>> served;
  {
    std::lock_guard lock{mutex_};
    in_use_ -= b->capacity_;
    cached_ += b->capacity_;
    free_[class_of(b->capacity_)].push_back(b);
    if (in_use_ + cached_ > limit_) release_cached(in_use_ + cached_ - limit_); // the limit was lowered
    while (!waiters_.empty()) {
      buffer* next = take(class_of(waiters_.front().size_bytes));
      if (!next) break;
      served.emplace_back(std::move(waiters_.front().ready), buffer_ptr{next});
      waiters_.pop_front();
    }
  }
  for (auto& [ready, granted] : served) ready(std::move(granted));
}

void buffer_pool::set_limit(std::size_t limit_bytes) {
  std::lock_guard lock{mutex_};
  limit_ = limit_bytes;
  if (in_use_ + cached_ > limit_) release_cached(in_use_ + cached_ - limit_);
}

std::size_t buffer_pool::limit_bytes() const {
  std::lock_guard lock{mutex_};
  return limit_;
}

std::size_t buffer_pool::in_use_bytes() const {
  std::lock_guard lock{mutex_};
  return in_use_;
}

std::size_t buffer_pool::waiting() const {
  std::lock_guard lock{mutex_};
  return waiters_.size();
}

bool buffer_pool::under_pressure() const {
  std::lock_guard lock{mutex_};
  return !waiters_.empty() || in_use_ + 64 * 1024 > limit_ / 2;
}

} // namespace cairn::storage

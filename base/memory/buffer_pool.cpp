#include "base/memory/buffer_pool.hpp"

#include "base/error.hpp"

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <utility>

namespace cairn {

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

bool buffer_pool::entitled(const account_ptr& payer, std::size_t bytes) const {
  return !payer || memory_shares::allows(payer->held_bytes(), bytes, limit_ - std::min(in_use_, limit_));
}

buffer* buffer_pool::take(std::size_t class_index, const account_ptr& payer) {
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
    if (!bytes) return nullptr; // the operating system has less memory than the limit: treated as a spent budget
    b = new buffer;
    b->pool_ = this;
    b->data_ = bytes;
    b->capacity_ = size;
  }
  in_use_ += size;
  if (payer) payer->held_.store(payer->held_bytes() + size, std::memory_order_relaxed);
  b->payer_ = payer;
  return b;
}

void buffer_pool::put_back(std::size_t bytes, const account_ptr& payer) {
  in_use_ -= bytes;
  if (payer) payer->held_.store(payer->held_bytes() - bytes, std::memory_order_relaxed);
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

buffer_pool::queue* buffer_pool::queue_of(const account_ptr& payer) {
  const auto at = std::find_if(queues_.begin(), queues_.end(), [&](const queue& q) { return q.payer == payer; });
  return at == queues_.end() ? nullptr : &*at;
}

buffer_ptr buffer_pool::try_acquire(std::size_t size_bytes, reservation kind, const account_ptr& payer) {
  const std::size_t class_index = class_of(size_bytes);
  CAIRN_ASSERT(class_index < classes);
  const std::size_t size = class_bytes(class_index);
  std::lock_guard lock{mutex_};
  if (short_ || (waiting_ > 0 && queue_of(payer) != nullptr)) return nullptr;
  if (kind == reservation::growth && in_use_ + size > limit_ / 2) {
    const auto free = limit_ - std::min(in_use_, limit_);
    if (!payer || !memory_shares::allows_growth(payer->held_bytes(), size, free)) return nullptr;
  }
  if (!entitled(payer, size)) return nullptr;
  return buffer_ptr{take(class_index, payer)};
}

std::optional<memory_charge> buffer_pool::try_charge(std::size_t bytes, const account_ptr& payer) {
  if (!grow_charge(bytes, payer)) return std::nullopt;
  return memory_charge{this, payer, bytes};
}

bool buffer_pool::grow_charge(std::size_t more, const account_ptr& payer) {
  std::lock_guard lock{mutex_};
  if (short_ || in_use_ + more > limit_ || !entitled(payer, more)) return false;
  if (in_use_ + cached_ + more > limit_) release_cached(in_use_ + cached_ + more - limit_);
  in_use_ += more;
  if (payer) payer->held_.store(payer->held_bytes() + more, std::memory_order_relaxed);
  return true;
}

void buffer_pool::give_back_charge(std::size_t bytes, const account_ptr& payer) {
  served_list served;
  {
    std::lock_guard lock{mutex_};
    put_back(bytes, payer);
    serve(served);
  }
  call_ready(served);
}

memory_charge::~memory_charge() {
  if (bytes_ > 0) pool_->give_back_charge(bytes_, payer_);
}

bool memory_charge::resize(std::size_t bytes) {
  if (bytes > bytes_ && !pool_->grow_charge(bytes - bytes_, payer_)) return false;
  if (bytes < bytes_) pool_->give_back_charge(bytes_ - bytes, payer_);
  bytes_ = bytes;
  return true;
}

std::uint64_t buffer_pool::wait(std::size_t size_bytes, std::function<void(buffer_ptr)> ready,
                                const account_ptr& payer) {
  const auto class_index = class_of(size_bytes);
  buffer_ptr now;
  {
    std::lock_guard lock{mutex_};
    auto* mine = waiting_ > 0 ? queue_of(payer) : nullptr;
    const bool fair = entitled(payer, class_bytes(class_index));
    if (!short_ && mine == nullptr && fair) now = buffer_ptr{take(class_index, payer)};
    if (!now) {
      if (mine == nullptr) mine = &queues_.emplace_back(queue{payer, {}});
      mine->waiters.push_back({next_ticket_, size_bytes, std::move(ready)});
      ++waiting_;
      short_ = short_ || fair;
      return next_ticket_++;
    }
  }
  ready(std::move(now));
  return 0;
}

bool buffer_pool::cancel_wait(std::uint64_t ticket) {
  served_list served;
  bool found = false;
  {
    std::lock_guard lock{mutex_};
    for (auto q = queues_.begin(); q != queues_.end() && !found; ++q) {
      found = std::erase_if(q->waiters, [ticket](const waiter& w) { return w.ticket == ticket; }) > 0;
      if (found && q->waiters.empty()) q = queues_.erase(q);
      if (found) break;
    }
    if (!found) return false;
    --waiting_;
    serve(served); // a smaller request may fit now
  }
  call_ready(served);
  return true;
}

// Accounts beyond their shares are skipped; when the budget is spent, nobody overtakes the account that is next.
void buffer_pool::serve(served_list& served) {
  short_ = false;
  std::size_t passed = 0;
  while (!queues_.empty() && passed < std::min(queues_.size(), passed_max)) {
    auto next = std::move(queues_.front());
    queues_.pop_front();
    auto& first = next.waiters.front();
    const auto class_index = class_of(first.size_bytes);
    if (!entitled(next.payer, class_bytes(class_index))) {
      queues_.push_back(std::move(next));
      ++passed;
      continue;
    }
    auto* b = take(class_index, next.payer);
    if (b == nullptr) {
      short_ = true;
      queues_.push_front(std::move(next));
      return;
    }
    passed = 0;
    served.emplace_back(std::move(first.ready), buffer_ptr{b});
    next.waiters.pop_front();
    --waiting_;
    if (!next.waiters.empty()) queues_.push_back(std::move(next));
  }
}

void buffer_pool::call_ready(served_list& served) {
  for (auto& [ready, granted] : served) ready(std::move(granted));
}

void buffer_pool::give_back(buffer* b) noexcept {
  served_list served;
  {
    std::lock_guard lock{mutex_};
    put_back(b->capacity_, b->payer_);
    b->payer_.reset();
    cached_ += b->capacity_;
    free_[class_of(b->capacity_)].push_back(b);
    if (in_use_ + cached_ > limit_) release_cached(in_use_ + cached_ - limit_); // the limit was lowered
    if (waiting_ > 0) serve(served);
  }
  call_ready(served);
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
  return waiting_;
}

} // namespace cairn

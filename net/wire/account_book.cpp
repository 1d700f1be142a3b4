#include "net/wire/account_book.hpp"

#include <algorithm>

namespace cairn::net {

account_ptr account_book::of(const std::string& party) {
  const std::lock_guard lock{mutex_};
  if (accounts_.size() >= swept_at_) {
    std::erase_if(accounts_, [](const auto& entry) { return entry.second.expired(); });
    swept_at_ = std::max<std::size_t>(64, 2 * accounts_.size());
  }
  auto& entry = accounts_[party];
  auto account = entry.lock();
  if (!account) entry = account = std::make_shared<memory_account>(party);
  return account;
}

std::size_t account_book::size() const {
  const std::lock_guard lock{mutex_};
  return accounts_.size();
}

} // namespace cairn::net

// The accounts of clients with requests in progress: one for each access key, and one for each address of clients
// without a key. An account lives while it is referenced. Thread-safe; a connection looks an account up once for each
// key that it uses.
#pragma once

#include "base/memory/memory_account.hpp"

#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

namespace cairn::net {

constexpr std::string_view key_party_prefix = "key:";

class account_book {
public:
  account_ptr of(const std::string& party);
  std::size_t size() const; // of accounts in use, and of some that are no longer used

private:
  mutable std::mutex mutex_;
  std::unordered_map<std::string, std::weak_ptr<memory_account>> accounts_;
  std::size_t swept_at_ = 64;
};

} // namespace cairn::net

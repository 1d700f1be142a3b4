// The accounts of those whose requests are under way: one for each access key, one for each address of clients without
// a key. An account lives as long as somebody uses it. Thread-safe; a connection asks once for each key that it brings.
#pragma once

#include "base/memory/memory_account.hpp"

#include <boost/asio/ip/address.hpp>

#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

namespace cairn::net {

// "ip:192.0.2.1"; of IPv6 the first 64 bits, which is what one customer of a provider gets.
std::string party_of(const boost::asio::ip::address& address);
constexpr std::string_view key_party_prefix = "key:";

class account_book {
public:
  storage::account_ptr of(const std::string& party);
  std::size_t size() const; // of accounts in use, and some that were

private:
  mutable std::mutex mutex_;
  std::unordered_map<std::string, std::weak_ptr<storage::memory_account>> accounts_;
  std::size_t swept_at_ = 64;
};

} // namespace cairn::net

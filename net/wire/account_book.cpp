#include "net/wire/account_book.hpp"

#include <boost/asio/ip/address_v4.hpp>
#include <boost/asio/ip/address_v6.hpp>

#include <algorithm>

namespace cairn::net {

std::string party_of(const boost::asio::ip::address& address) {
  namespace ip = boost::asio::ip;
  if (address.is_v4()) return "ip:" + address.to_string();
  const auto v6 = address.to_v6();
  if (v6.is_v4_mapped()) return "ip:" + ip::make_address_v4(ip::v4_mapped, v6).to_string();
  auto bytes = v6.to_bytes();
  if (!v6.is_loopback()) std::fill(bytes.begin() + 8, bytes.end(), std::uint8_t{0});
  return "ip:" + ip::address_v6{bytes}.to_string();
}

storage::account_ptr account_book::of(const std::string& party) {
  const std::lock_guard lock{mutex_};
  if (accounts_.size() >= swept_at_) {
    std::erase_if(accounts_, [](const auto& entry) { return entry.second.expired(); });
    swept_at_ = std::max<std::size_t>(64, 2 * accounts_.size());
  }
  auto& entry = accounts_[party];
  auto account = entry.lock();
  if (!account) entry = account = std::make_shared<storage::memory_account>(party);
  return account;
}

std::size_t account_book::size() const {
  const std::lock_guard lock{mutex_};
  return accounts_.size();
}

} // namespace cairn::net

#include "net/wire/grammar/host_check.hpp"

#include "net/wire/grammar/ascii.hpp"

#include <boost/asio/ip/address.hpp>

#include <algorithm>

namespace cairn::net {

bool host_allowed(std::string_view host, const config::endpoint& listen, const std::vector<std::string>& names) {
  std::string_view name = host, port;
  if (!host.empty() && host.front() == '[') {
    const auto close = host.find(']');
    if (close == host.npos) return false;
    name = host.substr(1, close - 1);
    port = host.substr(close + 1);
    if (name.find(':') == name.npos) return false;
  } else if (const auto colon = host.find(':'); colon != host.npos) {
    name = host.substr(0, colon);
    port = host.substr(colon);
  }
  const bool port_fine =
      port.empty() || (port.front() == ':' && port.size() <= 6 &&
                       std::all_of(port.begin() + 1, port.end(), [](char c) { return c >= '0' && c <= '9'; }));
  if (!port_fine || name.empty()) return false;
  if (!name.empty() && name.back() == '.') name.remove_suffix(1);
  if (iequals(name, "localhost") || iequals(name, listen.host)) return true;
  boost::system::error_code not_an_address;
  boost::asio::ip::make_address(name, not_an_address);
  if (!not_an_address) return true;
  return std::any_of(names.begin(), names.end(), [&](const std::string& known) { return iequals(name, known); });
}

} // namespace cairn::net

#include "net/wire/grammar/host_check.hpp"

#include "base/third_party/asio.hpp"
#include "net/wire/grammar/ascii.hpp"

#include <algorithm>

namespace cairn::net {

namespace {

// The name in "name:port" or "[::1]:port", without the dot that may end it. Nothing: it is neither.
std::optional<std::string_view> name_in(std::string_view host) {
  std::string_view name = host, port;
  if (!host.empty() && host.front() == '[') {
    const auto close = host.find(']');
    if (close == host.npos) return std::nullopt;
    name = host.substr(1, close - 1);
    port = host.substr(close + 1);
    if (name.find(':') == name.npos) return std::nullopt;
  } else if (const auto colon = host.find(':'); colon != host.npos) {
    name = host.substr(0, colon);
    port = host.substr(colon);
  }
  const bool port_fine =
      port.empty() || (port.front() == ':' && port.size() <= 6 &&
                       std::all_of(port.begin() + 1, port.end(), [](char c) { return c >= '0' && c <= '9'; }));
  if (!port_fine || name.empty()) return std::nullopt;
  if (name.back() == '.') name.remove_suffix(1);
  return name;
}

} // namespace

bool host_allowed(std::string_view host, const config::endpoint& listen, const std::vector<std::string>& names) {
  const auto name = name_in(host);
  if (!name) return false;
  if (iequals(*name, "localhost") || iequals(*name, listen.host)) return true;
  boost::system::error_code not_an_address;
  boost::asio::ip::make_address(*name, not_an_address);
  if (!not_an_address) return true;
  return std::any_of(names.begin(), names.end(), [&](const std::string& known) { return iequals(*name, known); });
}

std::optional<std::string> subdomain_of(std::string_view host, const std::vector<std::string>& domains) {
  const auto name = name_in(host);
  if (!name) return std::nullopt;
  std::optional<std::string_view> found;
  for (const auto& domain : domains) {
    if (name->size() < domain.size() || !iequals(name->substr(name->size() - domain.size()), domain)) continue;
    const auto before = name->substr(0, name->size() - domain.size());
    if (!before.empty() && before.back() != '.') continue;
    if (!found || before.size() < found->size()) found = before;
  }
  if (!found) return std::nullopt;
  return ascii_lower(found->substr(0, found->size() - (found->empty() ? 0 : 1)));
}

} // namespace cairn::net

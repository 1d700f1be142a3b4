#include "cli/client/server_address.hpp"

#include <algorithm>

namespace cairn::cli {

std::string server_address::host_header() const {
  const auto name = host.find(':') == std::string::npos ? host : "[" + host + "]";
  return port == (tls ? "443" : "80") ? name : name + ":" + port;
}

result<server_address> parse_server_address(std::string_view url) {
  const auto refuse = [&](const char* why) {
    return error{errc::invalid_argument, "endpoint \"" + std::string(url) + "\": " + why};
  };
  auto rest = url;
  server_address address;
  address.tls = rest.starts_with("https://");
  if (address.tls)
    rest.remove_prefix(8);
  else if (rest.starts_with("http://"))
    rest.remove_prefix(7);
  if (rest.ends_with('/')) rest.remove_suffix(1);
  if (rest.empty() || rest.find_first_of("/?#@ ") != std::string_view::npos)
    return refuse("expected http://HOST:PORT or https://HOST:PORT");
  if (rest.front() == '[') {
    const auto close = rest.find(']');
    if (close == std::string_view::npos) return refuse("the IPv6 address lacks its ]");
    address.host = rest.substr(1, close - 1);
    rest.remove_prefix(close + 1);
  } else {
    address.host = rest.substr(0, rest.find(':'));
    rest.remove_prefix(address.host.size());
  }
  address.port = address.tls ? "443" : "80";
  if (!rest.empty()) {
    const auto digits = rest.substr(1);
    if (rest.front() != ':' || digits.empty() || digits.size() > 5 ||
        digits.find_first_not_of("0123456789") != std::string_view::npos || std::stoul(std::string(digits)) > 65535)
      return refuse("the port is not a number from 0 to 65535");
    address.port = digits;
  }
  if (address.host.empty()) return refuse("the host is missing");
  return address;
}

result<server_url> parse_server_url(std::string_view url) {
  const auto scheme = url.find("://");
  const auto path = std::min(url.find('/', scheme == url.npos ? 0 : scheme + 3), url.size());
  auto server = parse_server_address(url.substr(0, path));
  if (!server) return server.error();
  return server_url{std::move(*server), std::string{url.substr(path)}};
}

} // namespace cairn::cli

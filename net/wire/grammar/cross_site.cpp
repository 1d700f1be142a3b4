#include "net/wire/grammar/cross_site.hpp"

#include "net/wire/grammar/ascii.hpp"

namespace cairn::net {

bool from_another_origin(std::string_view fetch_site, std::string_view origin, std::string_view host) {
  if (!fetch_site.empty() && !iequals(fetch_site, "same-origin") && !iequals(fetch_site, "none")) return true;
  if (origin.empty()) return false;
  const auto scheme = origin.find("://");
  return scheme == origin.npos || !iequals(origin.substr(scheme + 3), host);
}

} // namespace cairn::net

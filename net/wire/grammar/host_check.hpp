// The Host names that anonymous requests may use. A web page can make its own name resolve to this node (DNS
// rebinding); then the browser sends that name as Host, which is not allowed here, and the request is refused.
#pragma once

#include "config/config.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace cairn::net {

// `host` is "name", "name:port", "1.2.3.4:port" or "[::1]:port". IP literals, localhost, the address listened on and
// `names` (without port, any case) are allowed.
bool host_allowed(std::string_view host, const config::endpoint& listen, const std::vector<std::string>& names);

} // namespace cairn::net

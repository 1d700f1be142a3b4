// Names in the Host header: those that anonymous requests may use, and those that name a bucket. A web page can make
// its own name resolve to this node (DNS rebinding); then the browser sends that name as Host, which is not allowed
// here, and the request is refused.
#pragma once

#include "config/config.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cairn::net {

// `host` is "name", "name:port", "1.2.3.4:port" or "[::1]:port". IP literals, localhost, the address listened on and
// `names` (without port, any case) are allowed.
bool host_allowed(std::string_view host, const config::endpoint& listen, const std::vector<std::string>& names);

// What stands before one of `domains` in the name of `host`, in lower case: "files" in "Files.s3.example.com:9000".
// nullopt: neither a domain nor below one. Of domains within each other the longest counts; empty: it is the domain.
std::optional<std::string> subdomain_of(std::string_view host, const std::vector<std::string>& domains);

} // namespace cairn::net

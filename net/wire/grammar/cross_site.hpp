// Requests that a browser sends for a page of another origin (Fetch standard; RFC 6454). A page may send some of them
// without a preflight, and a browser on the node's own machine reaches a node that trusts loopback. Such a request may
// therefore change nothing, unless it is signed or the bucket's CORS rules allow it (net/s3/xml/cors.hpp). Pure.
#pragma once

#include <string_view>

namespace cairn::net {

// `fetch_site`: Sec-Fetch-Site; `host`: of the request, as a browser names it. Absent headers are empty: clients other
// than browsers send neither. Another port or scheme of the same site is another origin, and so is `null`. The scheme
// of Origin is not compared, because a proxy may terminate TLS for the node.
bool from_another_origin(std::string_view fetch_site, std::string_view origin, std::string_view host);

} // namespace cairn::net

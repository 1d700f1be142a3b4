// Requests that a browser sends for a page of another origin (Fetch standard; RFC 6454). A page may send some of them
// without asking first, and a browser on the node's own machine reaches a node that trusts loopback, so such a request
// that is not signed may change nothing unless the bucket's CORS rules allow the page to (net/s3/xml/cors.hpp). Pure.
#pragma once

#include <string_view>

namespace cairn::net {

// `fetch_site`: Sec-Fetch-Site; `host`: of the request, as a browser names it. Absent headers are empty: other clients
// send neither. A page that another port or scheme of the same site serves is another origin, `null` is one, too. The
// scheme of Origin is not compared: a proxy may speak TLS for the node.
bool from_another_origin(std::string_view fetch_site, std::string_view origin, std::string_view host);

} // namespace cairn::net

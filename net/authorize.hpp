// Who sends a request, and whether they may: decided from its head, before a chunk is read or a byte of a body is
// stored. Unsigned requests are anonymous (auth.anonymous); one that is signed with the root key may do everything.
#pragma once

#include "net/request.hpp"

#include <boost/beast/http/message.hpp>

#include <optional>
#include <string_view>

namespace cairn::net {

struct http_shared;

// `host`: the Host header. Needs the request's target and operation, fills in its signer and overrides. Nothing: go on.
std::optional<s3_error> authorize(const boost::beast::http::header<true, boost::beast::http::fields>& head,
                                  std::string_view host, http_shared& shared, request& request);

} // namespace cairn::net

// What the access log and the log of slow requests say about a request of S3.
#pragma once

#include "base/third_party/beast_message.hpp"
#include "net/logs/access_entry.hpp"
#include "net/logs/slow_requests.hpp"
#include "net/s3/request.hpp"
#include "net/wire/request_handler.hpp"

namespace cairn::net {

// The entry has views of the arguments, and of `address`. `head`: null if it was not understood.
access_entry access_entry_of(const request& request, const boost::beast::http::request_header<>* head,
                             std::string_view address, const request_end& end, wall_ms now);

slow_request slow_request_of(const request& request, std::string_view address, const request_end& end, wall_ms now);

} // namespace cairn::net

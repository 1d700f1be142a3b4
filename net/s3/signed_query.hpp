// Headers in a query. The user of a presigned URL sends no further headers, so SDKs move headers of the signed request
// into its query (x-amz-meta-colour=blue), and S3 reads them there. They are added to the head before anything else
// reads it, so that all readers treat them alike and no check can be bypassed; the signature is checked against the
// head as it was sent. Pure.
//
// Which headers: all x-amz-…, except the parameters of the signature, and the HTTP headers about an object or a
// condition. For checksums in the query see docs/s3.md.
#pragma once

#include "base/third_party/beast_message.hpp"
#include "net/s3/request.hpp"

#include <optional>

namespace cairn::net {

// Adds them to `head`, and their names to request.query_headers. Needs the request's target. Refuses a header that has
// another value in the head, or two values in the query; invalid names and values; and x-amz-… in the query of a
// request that is not presigned, which would be ignored otherwise.
std::optional<s3_error> take_query_headers(boost::beast::http::header<true, boost::beast::http::fields>& head,
                                           request& request);

} // namespace cairn::net

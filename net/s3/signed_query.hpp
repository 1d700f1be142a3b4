// Headers in a query. A presigned URL is all that its user has, so SDKs move headers of the request that they sign into
// its query (x-amz-meta-colour=blue), and S3 reads them there. Here they are added to the head before anything else
// reads it, so that no reader knows the difference and none can be bypassed; the signature is checked against the head
// as it was sent. Pure.
//
// Which headers: all x-amz-…, but for the parameters of the signature; and those of HTTP that say something about an
// object or a condition. What a checksum in the query means: docs/s3.md.
#pragma once

#include "net/s3/request.hpp"

#include <boost/beast/http/message.hpp>

#include <optional>

namespace cairn::net {

// Adds them to `head`, and their names to request.query_headers. Needs the request's target. Refused: a header that has
// another value in the head, or two in the query; names and values that no header can have; x-amz-… in the query of a
// request that is not presigned, which would be dropped.
std::optional<s3_error> take_query_headers(boost::beast::http::header<true, boost::beast::http::fields>& head,
                                           request& request);

} // namespace cairn::net

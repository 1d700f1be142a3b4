// What a request needs to be allowed to do, and whether its access key or the bucket's publicity gives it. Pure
// decisions over rows of the metadata: authorize.hpp asks for these.
#pragma once

#include "actors/protocol/values/access.hpp"
#include "net/s3/operation.hpp"
#include "net/s3/request.hpp"

#include <optional>
#include <string_view>

namespace cairn::net {

// Whether a request that has no rights of its own is let in because the bucket is public. An object may be so by
// itself: then request.public_only is set, and its row decides.
bool anonymous_allowed(request& request, const actors::found_access& found);

// Why the key may not do it: AccessDenied; NoSuchBucket where there is none, so that nothing can be done to one that
// comes into being between this answer and the operation. `source_bucket`: of a copy, else empty.
std::optional<s3_error> key_refused(const request& request, const actors::found_access& found,
                                    std::string_view source_bucket);

// The request is let in: fills in its authority and what its sender may besides.
void grant_by_configuration(request& request);
void grant_access(request& request, const actors::found_access& found, storage::metadata::allowed_by by);

// A failure as the sender of the request may see it: what is not there is told to who may list the bucket, as in S3;
// others learn nothing.
error seen_by(const request& request, const error& reason);

// x-amz-expected-bucket-owner, and that of a copy's source: AccessDenied unless they name the owner that there is.
std::optional<s3_error> refused_owner(const boost::beast::http::fields& fields);

// S3's s3:DeleteObjectVersion: what it removes never comes back.
constexpr std::uint8_t version_removal_rights = storage::metadata::rights::write | storage::metadata::rights::owner;
s3_error version_removal_denied();

s3_error access_denied(std::string_view why);

} // namespace cairn::net

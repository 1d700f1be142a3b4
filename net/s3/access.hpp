// Whether the access key's rights or the bucket's public access allow a request. Pure decisions over rows of the
// metadata, which net/gateway/authorize.hpp requests.
#pragma once

#include "actors/protocol/values/access.hpp"
#include "net/s3/operation.hpp"
#include "net/s3/request.hpp"

#include <optional>
#include <string_view>

namespace cairn::net {

// Whether the bucket's public access allows the request. If only single objects of the bucket may be public, sets
// request.public_only, and the object's row decides.
bool public_access_allows(request& request, const actors::found_access& found);

// Why the key does not allow the request: AccessDenied; NoSuchBucket if the bucket does not exist, so that the
// operation cannot affect a bucket that is created after this check. `source_bucket`: of a copy, else empty.
std::optional<s3_error> key_refused(const request& request, const actors::found_access& found,
                                    std::string_view source_bucket);

// Authorizes the request: sets its authority and the sender's further rights.
void grant_by_configuration(request& request);
void grant_access(request& request, const actors::found_access& found, storage::metadata::allowed_by by);

// A failure as the sender may see it: only senders who may list the bucket learn that an object does not exist, as in
// S3.
error seen_by(const request& request, const error& reason);

// Checks x-amz-expected-bucket-owner, also for a copy's source: AccessDenied unless it is the one owner that exists.
std::optional<s3_error> refused_owner(const boost::beast::http::fields& fields);

// As S3's s3:DeleteObjectVersion: the removal is permanent.
constexpr std::uint8_t version_removal_rights = storage::metadata::rights::write | storage::metadata::rights::owner;
s3_error version_removal_denied();

s3_error access_denied(std::string_view why);

} // namespace cairn::net

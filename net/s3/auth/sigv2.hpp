// AWS Signature Version 2, in presigned URLs and in the policies of POST forms only ("Signing and authenticating REST
// requests", S3 developer guide). It is taken where auth.sigv2 allows it. Pure.
//
//   string to sign   METHOD \n Content-MD5 \n Content-Type \n Expires \n (x-amz-name:value \n)… resource
//   resource         [/bucket, when the host names it] path as sent [?sub-resource[=value]&…, sorted]
//                    (of a bucket: with or without a slash at the end)
//
// Whatever changes the meaning of a request must be signed. Version 2 signs the sub-resources and response-… of the
// query, and Content-Type, Content-MD5 and x-amz-… of the head; every sub-resource of S3 is known here, so that none
// can be added to a URL.
#pragma once

#include "net/s3/auth/sigv4.hpp"

namespace cairn::net {

// AWSAccessKeyId, Expires and Signature in a query.
bool is_presigned_2(std::span<const query_parameter> query);
std::variant<signature_claim, s3_error> read_presigned_2(const signed_request& request);
signature_claim policy_signature_2(std::string_view access_key, std::string_view signature); // of a form

// `request`: with the headers that came in its query. `bucket`: that the host names; else empty.
std::optional<s3_error> check_presigned_2(const signature_claim& claim, const signed_request& request,
                                          std::string_view bucket, std::string_view secret,
                                          bool (*is_sub_resource)(std::string_view name));
std::optional<s3_error> check_policy_signature_2(const signature_claim& claim, std::string_view policy,
                                                 std::string_view secret);

// Where the configuration does not allow it.
s3_error sigv2_refused();

} // namespace cairn::net

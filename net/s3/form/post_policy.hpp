// The policy of a POST form ("POST Policy", S3 API reference): a JSON document in base64, in which its signer states
// which forms others may send:
//
//   {"expiration": "2030-12-01T12:00:00.000Z",
//    "conditions": [{"bucket": "files"}, ["starts-with", "$key", "user/eric/"], ["content-length-range", 1, 10485760]]}
//
// Every field of the form needs a condition, except those that S3 exempts. Pure, bounded, fuzzed. Errors: 400
// InvalidPolicyDocument, 403 AccessDenied.
#pragma once

#include "base/seams.hpp"
#include "net/s3/form/form_parser.hpp"

#include <limits>

namespace cairn::net {

struct policy_condition {
  bool exact = true; // "eq", else "starts-with"
  std::string field; // in lower case, without its '$'
  std::string value;
};

struct post_policy {
  wall_ms expires = 0;
  std::vector<policy_condition> conditions;
  std::uint64_t size_min = 0, size_max = std::numeric_limits<std::uint64_t>::max(); // of the file, in bytes
};

std::variant<post_policy, s3_error> read_policy(std::string_view base64);

// Whether the policy allows the form at `now`. `fields`: names in lower case, each once. Conditions on "bucket" apply
// to the bucket of the request; a field of that name is ignored.
std::optional<s3_error> check_policy(const post_policy& policy, const std::vector<form_field>& fields,
                                     std::string_view bucket, wall_ms now);

} // namespace cairn::net

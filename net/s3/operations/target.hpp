// What a request target names in S3: the bucket is its first segment; the rest, decoded, is the key. A key is bytes,
// never a path: `..`, `//` and `%2F` mean nothing here, so nothing can escape a bucket. Pure.
#pragma once

#include "net/wire/grammar/uri.hpp"

namespace cairn::net {

struct s3_target : request_target {
  std::string bucket, key; // decoded; both empty: the root
};

// invalid_argument: what parse_target says, and a bad percent escape in the path.
result<s3_target> parse_s3_target(std::string_view target);

} // namespace cairn::net

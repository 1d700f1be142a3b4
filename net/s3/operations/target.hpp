// Parses a request target as S3 does: the first segment is the bucket; the rest, decoded, is the key. A key is bytes,
// not a path: `..`, `//` and `%2F` have no meaning, so no key can refer to another bucket. Pure.
#pragma once

#include "net/wire/grammar/uri.hpp"

namespace cairn::net {

struct s3_target : request_target {
  std::string bucket, key; // decoded; both empty: the root
};

// invalid_argument: errors of parse_target, and a bad percent escape in the path.
result<s3_target> parse_s3_target(std::string_view target);

} // namespace cairn::net

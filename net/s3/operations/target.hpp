// Parses a request target as S3 does: the first segment of the path is the bucket; the rest, decoded, is the key. Where
// the host names the bucket (virtual-hosted style), the whole path is the key. A key is bytes, not a path: `..`, `//`
// and `%2F` have no meaning, so no key can refer to another bucket. Pure.
#pragma once

#include "net/wire/grammar/uri.hpp"

#include <vector>

namespace cairn::net {

struct s3_target : request_target {
  std::string bucket, key;        // decoded; both empty: the root
  bool host_names_bucket = false; // and the path does not
};

// invalid_argument: errors of parse_target, and a bad percent escape in the path. `host`: the Host header; a name below
// one of `domains` is that of a bucket. An absolute target must name the same host: it decides what the request is
// about, and the header is what a signature covers.
result<s3_target> parse_s3_target(std::string_view target, std::string_view host = {},
                                  const std::vector<std::string>& domains = {});

} // namespace cairn::net

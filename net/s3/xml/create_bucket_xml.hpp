// The body of CreateBucket: the bucket's region and its tags. Pure.
#pragma once

#include "net/s3/xml/tags.hpp"

#include <string_view>
#include <variant>

namespace cairn::net {

constexpr std::size_t create_bucket_body_bytes_max = 64 << 10;

// Empty, or a CreateBucketConfiguration → the tags. IllegalLocationConstraintException: another region than this one;
// NotImplemented: a directory bucket; MalformedXML; errors of invalid tags.
std::variant<tag_list, s3_error> read_create_bucket(std::string_view body, std::string_view region);

} // namespace cairn::net

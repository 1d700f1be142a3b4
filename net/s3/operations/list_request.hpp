// The query of GET /bucket → a listing query and the values that the answer repeats. Pure.
#pragma once

#include "net/s3/operations/target.hpp"
#include "net/s3/xml/s3_errors.hpp"
#include "net/s3/xml/s3_xml.hpp"

#include <optional>
#include <variant>

namespace cairn::net {

// InvalidArgument: a prefix, delimiter or marker of any listing has bytes that no XML document can contain.
std::optional<s3_error> refused_texts(const request_target& target);

// ListObjectsV2 with list-type=2, else version 1 (marker). `keys_max` caps max-keys.
std::variant<list_request, s3_error> read_list_request(const s3_target& target, std::uint32_t keys_max);

} // namespace cairn::net

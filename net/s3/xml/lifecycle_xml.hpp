// S3's lifecycle documents. Pure.
#pragma once

#include "net/s3/xml/s3_errors.hpp"
#include "storage/metadata/rows/rows.hpp"

#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace cairn::net {

using lifecycle_rule_list = std::vector<storage::metadata::lifecycle_rule>;

constexpr std::size_t lifecycle_body_bytes_max = 256 << 10, lifecycle_rules_max = 1000;

// MalformedXML, InvalidArgument, InvalidRequest; NotImplemented: transitions.
std::variant<lifecycle_rule_list, s3_error> read_lifecycle_document(std::string_view body);
std::string lifecycle_document(const lifecycle_rule_list& rules);

} // namespace cairn::net

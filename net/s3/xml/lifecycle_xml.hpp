// S3's lifecycle documents. Pure.
#pragma once

#include "net/s3/xml/s3_errors.hpp"
#include "storage/metadata/rows/rows.hpp"

#include <optional>
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

// From which size on rules move objects to another storage class. There are no transitions, so one of S3's two values
// is as good as the other; only S3's default is accepted, because GET answers what PUT was given, and no value is kept.
constexpr std::string_view transition_size_header = "x-amz-transition-default-minimum-object-size";
// NotImplemented: S3's other value; InvalidArgument: no value of S3's.
std::optional<s3_error> refused_transition_size(std::string_view value);
std::string transition_size_line(); // with its CRLF

} // namespace cairn::net

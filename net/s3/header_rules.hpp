// Which headers each operation accepts. Headers are not ignored silently: x-amz-… headers without a rule, and headers
// that would change the operation but are not implemented, are refused by name. Headers that S3 itself ignores with an
// operation are ignored here too. docs/s3.md lists all headers; a test compares.
//
// A header of which one value counts is refused when it comes twice: a policy would judge one value, and the operation
// carry out another. Pure.
#pragma once

#include "base/third_party/beast_message.hpp"
#include "net/s3/operation.hpp"
#include "net/s3/xml/s3_errors.hpp"

#include <optional>
#include <string_view>

namespace cairn::net {

// `route`: of the request; null: its headers are not known, or it has none.
std::optional<s3_error> refused_header(std::string_view name, const s3_operation& operation,
                                       const operation_route* route = nullptr);
std::optional<s3_error> refused_headers(const boost::beast::http::fields& fields, const s3_operation& operation,
                                        const operation_route* route = nullptr);

// InvalidArgument: a header of which one value counts comes more than once.
std::optional<s3_error> refused_repetition(const boost::beast::http::fields& fields);

} // namespace cairn::net

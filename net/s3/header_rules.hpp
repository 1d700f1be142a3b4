// Which headers mean something to which operation. What a client says must not be dropped without a word: headers of
// Amazon's that no rule knows, or that would change what the operation does and are not carried out, are refused by
// name. Those that S3 itself reads with other operations only are ignored as it does. docs/s3.md lists all of them;
// a test compares. Pure.
#pragma once

#include "net/s3/operation.hpp"
#include "net/s3/xml/s3_errors.hpp"

#include <boost/beast/http/fields.hpp>

#include <optional>
#include <string_view>

namespace cairn::net {

std::optional<s3_error> refused_header(std::string_view name, const s3_operation& operation);
std::optional<s3_error> refused_headers(const boost::beast::http::fields& fields, const s3_operation& operation);

} // namespace cairn::net

// Access control lists in the body of PutBucketAcl or PutObjectAcl, as far as they equal a canned list. Pure.
#pragma once

#include "net/s3/xml/settings.hpp"

#include <string_view>
#include <variant>

namespace cairn::net {

constexpr std::size_t acl_body_bytes_max = 64 << 10;

// Accepts FULL_CONTROL for the owner, and READ, or READ and WRITE, for all users. NotImplemented: all other lists;
// MalformedXML; AccessDenied: another owner; InvalidArgument: a grant to an unknown account.
std::variant<public_access, s3_error> read_acl_document(std::string_view body);

} // namespace cairn::net

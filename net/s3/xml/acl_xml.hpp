// An access control list in the body of PutBucketAcl or PutObjectAcl: those that say what a canned list says. Pure.
#pragma once

#include "net/s3/xml/settings.hpp"

#include <string_view>
#include <variant>

namespace cairn::net {

constexpr std::size_t acl_body_bytes_max = 64 << 10;

// FULL_CONTROL of the owner, who has it in any case, and READ, or READ and WRITE, of everybody. NotImplemented: all
// other lists; MalformedXML; AccessDenied: another owner; InvalidArgument: a grant to an account that is not there.
std::variant<public_access, s3_error> read_acl_document(std::string_view body);

} // namespace cairn::net

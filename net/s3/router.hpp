// Method and target → operation. Pure. What S3 knows and this node does not yet do is refused by name, never half done.
#pragma once

#include "net/s3/operation.hpp"
#include "net/s3/operations/target.hpp"
#include "net/s3/xml/s3_errors.hpp"

#include <optional>
#include <string_view>

namespace cairn::net {

struct routed {
  http_operation operation = http_operation::unknown;
  std::optional<s3_error> refused; // 400, 405 with Allow, 501
};

// The query that makes the request one about a part of what the target names ("acl"); empty: none does.
std::string_view sub_resource_of(const s3_target& target);

routed route(std::string_view method, const s3_target& target);

// "Allow: …\r\n" of what the target names: the node, a bucket or an object.
std::string_view allow_header(const s3_target& target);

// What a PUT becomes that names a source to copy from.
http_operation copying(http_operation operation);

bool changes_data(http_operation operation);

} // namespace cairn::net

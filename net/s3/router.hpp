// Method and target → operation of the table. Pure. Operations of S3 that are not implemented are refused by name.
#pragma once

#include "net/s3/operation.hpp"
#include "net/s3/operations/target.hpp"
#include "net/s3/xml/s3_errors.hpp"

#include <optional>
#include <span>
#include <string_view>

namespace cairn::net {

struct routed {
  const s3_operation* operation = &no_operation;
  const operation_route* route = nullptr; // of the operation; null: none
  std::optional<s3_error> refused;        // 400, 405 with Allow, 501
};

bool is_sub_resource(std::string_view query); // of S3, implemented or not
// The sub-resource in the query ("acl"); empty: none.
std::string_view sub_resource_of(const s3_target& target);

// `copies`: x-amz-copy-source names a source.
routed route(std::span<const s3_operation> table, std::string_view method, const s3_target& target,
             bool copies = false);

// "Allow: …\r\n" for the target: the node, a bucket or an object.
std::string_view allow_header(const s3_target& target);

} // namespace cairn::net

// What an access key may do with the objects of a bucket, by the judgement that its S3 requests get: the console leaves
// out what would be refused. What depends on the object's tags counts as allowed, and what only an access control list
// of the object could allow as denied. Each request is judged by itself. Pure.
#pragma once

#include "net/s3/access_context.hpp"
#include "net/s3/operation.hpp"
#include "storage/metadata/rows/key_rows.hpp"
#include "storage/metadata/rows/rows.hpp"

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cairn::net {

struct object_rights_query {
  std::shared_ptr<const storage::metadata::access_key_row> key; // null: the root key
  std::string access_key;
  const storage::metadata::bucket_row& bucket;
  std::string_view object; // or a prefix
  sender_facts sender;
  std::string_view user_agent;
  std::span<const s3_operation> operations; // the table
};

// "list", "list_versions", "read", "write", "delete", "delete_versions", "read_tags", "write_tags", in this order.
std::vector<std::pair<std::string_view, bool>> object_rights(const object_rights_query& asked);

} // namespace cairn::net

// The request to the metadata that precedes authorization, and its answer.
#pragma once

#include "base/trace/spans.hpp"
#include "storage/metadata/read/view.hpp"

#include <memory>
#include <string>
#include <vector>

namespace cairn::actors {

// The access key of a request, and the buckets that it names.
struct access_query {
  std::string key;                     // access key; empty: anonymous
  std::string bucket, bucket_2;        // empty: none
  std::string token{};                 // of temporary credentials, decoded; empty: the key is one with a row
  std::vector<std::string> grantees{}; // ids that an access control list names
  trace_scope trace{};
};
using user_id_list = std::shared_ptr<const std::vector<std::string>>; // of all users, in ascending order
// The rows of an access_query; null: does not exist, or not asked for.
struct found_access {
  std::shared_ptr<const storage::metadata::access_key_row> key;
  std::shared_ptr<const storage::metadata::bucket_row> bucket, bucket_2;
  std::string unknown_grantee{}; // the first of the grantees that nobody has; empty: all are known
  log_index seen = 0;            // in a cluster: the rows are of this log index or a later one
  user_id_list user_ids{};       // with grantees
};

} // namespace cairn::actors

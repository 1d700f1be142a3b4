// What a server lists of a bucket's versions, page by page (ListObjectVersions, or ListObjectsV2 where a bucket has no
// versions), and the versions of one key, gathered from pages. Pure; the answers are not trusted.
#pragma once

#include "cli/client/s3_answers.hpp"
#include "cli/transfer/object_time.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace cairn::cli {

struct stored_version {
  std::string id;   // "null": from a time without versions; empty: the server keeps none
  std::string etag; // without quotes; empty for a delete marker
  std::uint64_t size_bytes = 0;
  time_ns stored_at = 0; // by that server's clock
  bool delete_marker = false;
  std::string origin_etag = {}; // import_plan.hpp
};

struct key_history {
  std::string key;
  std::vector<stored_version> versions; // oldest first
};

struct version_page {
  struct entry {
    std::string key;
    stored_version version;
  };
  std::vector<entry> entries; // keys as listed; of a key the newest first
  bool truncated = false;
  std::string next_key, next_version; // or, of ListObjectsV2, the token in next_key
};

// A ListVersionsResult. Servers write its elements in the order of keys and versions, or first all versions and then
// all delete markers: these are put where their times belong. Errors: corrupt.
result<version_page> parse_version_page(std::string_view xml);
// The objects of a ListBucketResult as versions without ids.
result<version_page> page_of_objects(std::string_view xml);

} // namespace cairn::cli

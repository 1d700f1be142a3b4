// Requests to the metadata about objects and uploads, and their answers, which hold rows by shared pointers.
#pragma once

#include "base/trace/spans.hpp"
#include "storage/metadata/read/view.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace cairn::actors {

// Keeps blobs that were live at log index `at` from being deleted until it is destroyed:
// actors/protocol/read_holds.hpp. May be destroyed on any thread.
using read_hold = std::shared_ptr<void>;

struct bucket_name {
  std::string name;
  trace_scope trace{};
};
struct object_name {
  std::string bucket, key;
  bool with_body = true;                                  // false (HEAD): no parts, no inline bytes, no hold
  std::optional<storage::metadata::version_id> version{}; // nullopt: the live one
  storage::metadata::judgement judged{};
  trace_scope trace{};
};
struct found_object {
  std::shared_ptr<const storage::metadata::object_row> row;
  std::shared_ptr<const std::string> inline_bytes;                            // content == inline_bytes
  std::shared_ptr<const std::vector<storage::metadata::manifest_part>> parts; // at most the first 16
  read_hold hold;
  std::shared_ptr<const storage::metadata::bucket_row> bucket{}; // at the time of the look-up
};
using part_list = std::shared_ptr<const std::vector<storage::metadata::manifest_part>>;
using buckets_listing = std::shared_ptr<const storage::metadata::buckets_page>;
using listing_page = std::shared_ptr<const storage::metadata::listing>;

// A multipart upload, and those of its parts whose numbers are greater than `after`, at most `max`.
struct upload_query {
  storage::metadata::upload_name upload;
  std::uint32_t after = 0, max = 0;
  trace_scope trace{};
};
struct found_upload {
  std::shared_ptr<const storage::metadata::upload_row> row;
  std::shared_ptr<const std::vector<storage::metadata::uploaded_part>> parts;
};
using versions_listing = std::shared_ptr<const storage::metadata::versions_page>;
using uploads_listing = std::shared_ptr<const storage::metadata::uploads_page>;
// An object and a page of its parts, when it was uploaded in parts.
struct object_parts_query {
  std::string bucket, key;
  std::uint32_t after = 0, max = 0;
  std::optional<storage::metadata::version_id> version{};
  storage::metadata::judgement judged{};
  trace_scope trace{};
};
struct found_parts {
  std::shared_ptr<const storage::metadata::object_row> row;
  std::shared_ptr<const std::vector<storage::metadata::object_part>> parts;
};

} // namespace cairn::actors

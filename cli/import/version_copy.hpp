// Copies one version of an object from the source into the target, through one 1 MiB buffer, and proves its bytes:
//
//   in one request   the source's ETag, where it is the MD5 of the bytes, and its checksum of the whole object go along
//   as
//                    Content-MD5 and x-amz-checksum-…: the target stores nothing else
//   in parts         each part's ETag is compared with the MD5 of what was sent; before the upload is completed, the
//                    MD5 of those with the ETag of the source, or else their joined CRC with the source's
//
// What has neither is copied all the same, and is answered as not proven: what the target stored is what came, but
// whether that is what the source has, only the connection says. An upload in parts that an earlier run left is
// continued where the source answers to part numbers, for then the ETag proves the parts that are there.
//
// Errors: no_such_version when the source has it no more, stale_source when it kept changing, digest_mismatch, others
// as failure_of.
#pragma once

#include "cli/import/import_plan.hpp"
#include "cli/import/part_layout.hpp"
#include "cli/import/source_server.hpp"
#include "cli/transfer/worker_pool.hpp"

#include <atomic>
#include <chrono>
#include <functional>
#include <string>

namespace cairn::cli {

// What a copy tells meanwhile; called by several threads.
struct copy_events {
  std::function<void(std::int64_t bytes)> moved;     // negative: they have to be moved again
  std::function<void(const std::string& what)> lost; // something that an object has and its copy has not
};

struct version_order {
  object_path from, to;
  stored_version version;
  bool with_lock = false; // the target's bucket has object lock
};

struct copied_version {
  bool proven = true;
};

class version_copier {
public:
  struct extras {
    bool tags = true, access_lists = false; // a request more for each object, either
  };
  version_copier(source_server& source, worker_pool& pool, extras with, copy_events events)
      : source_(source),
        pool_(pool),
        tags_(with.tags ? tag_mode::asked : tag_mode::none),
        access_lists_(with.access_lists),
        events_(std::move(events)) {}

  // One attempt, by a task of the pool; but parts are repeated by themselves.
  result<copied_version> copy(http_client& target, const version_order& order);

  // Whether the headers (content type, metadata …) of the source's newest version and those of the copy are the same.
  result<bool> same_headers(http_client& target, const version_order& order);

private:
  struct upload_in_parts;
  source_server::query version_query(const stored_version& version) const;
  result<copied_version> copy_whole(http_client& target, const version_order& order, bool may_be_in_parts);
  result<copied_version> copy_parts(http_client& target, const version_order& order, bool resume);
  result<void> begin_upload(http_client& target, upload_in_parts& upload, const header_list& headers, bool resume);
  result<void> run_parts(http_client& target, upload_in_parts& upload);
  result<void> copy_part(http_client& target, upload_in_parts& upload, std::uint64_t index);
  result<std::string> stored_part_etag(http_client& target, upload_in_parts& upload, std::uint64_t index);
  result<std::string> tagging_header(http_client& source, const version_order& order);
  // x-amz-tagging, x-amz-acl and object lock of the copy.
  result<header_list> extra_headers(http_client& source, const version_order& order);
  static result<void> add_lock(header_list& headers, const http_response& about, const version_order& order);
  static header_list headers_for(const http_response& about, const header_list& extra, bool etag_differs);
  result<void> check_unchanged(const version_order& order, const std::string& etag,
                               std::chrono::steady_clock::time_point since);
  void report_lost(const http_response& about, const version_order& order);

  source_server& source_;
  worker_pool& pool_;
  enum class tag_mode : std::uint8_t { none, asked, unknown }; // unknown: the source said that it has no tags
  std::atomic<tag_mode> tags_;
  bool access_lists_;
  copy_events events_;
};

} // namespace cairn::cli

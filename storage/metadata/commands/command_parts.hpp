// What several commands are made of, and its encodings (grammar: commands.cpp).
#pragma once

#include "storage/metadata/commands/authority.hpp"
#include "storage/metadata/rows/cluster_rows.hpp"
#include "storage/metadata/rows/rows.hpp"
#include "storage/metadata/rows/version_rows.hpp"

#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace cairn::storage::metadata {

// What must hold of the present object for a conditional write.
struct write_condition {
  bool if_absent = false;              // If-None-Match: *
  std::optional<std::string> if_match; // ETag text without quotes; "*": exists
  std::optional<std::string> if_other; // If-None-Match with an ETag: there is none, or one with another
};

// What must hold of what a DELETE is about: the named version, or the newest one, delete markers included. Where there
// is nothing, nothing is done, and that is no failure.
struct removal_condition {
  std::optional<std::string> etag; // as in write_condition::if_match
  std::optional<std::uint64_t> size;
  std::optional<std::int64_t> modified_seconds; // whole ones
};

// Identifies a commit, so that a retry applies once and answers what the first try answered. Outcomes of sequences
// below `acknowledged_below` are forgotten.
struct commit_stamp {
  session_id session = 0;
  std::uint64_t sequence = 0, acknowledged_below = 0;
};

struct written_blob {
  blob_id blob;
  std::uint64_t length = 0;
  std::uint32_t chunk_size = 0;
  // Owners that have not confirmed chunks yet, sorted, without overlaps, at most missing_chunks_max: the commit writes
  // a repair row for each. Those of removed nodes are passed over.
  std::vector<missing_chunks> unconfirmed;
};

using written_content = std::variant<std::string, written_blob>; // the bytes themselves, or a blob

// Exactly this version of an object: a command that was prepared by looking at it is refused when it is another one.
struct object_version {
  std::string bucket, key;
  log_index version = 0;
  std::uint32_t ordinal = 0;
};

void write_stamp(byte_writer& w, const commit_stamp& s);
commit_stamp read_stamp(byte_reader& r);
void write_condition_of(byte_writer& w, const write_condition& c);
write_condition read_condition(byte_reader& r);
void write_removal_condition(byte_writer& w, const removal_condition& c);
removal_condition read_removal_condition(byte_reader& r);
void write_content(byte_writer& w, const written_content& content);
written_content read_content(byte_reader& r);
void write_version(byte_writer& w, const object_version& v);
object_version read_version(byte_reader& r);
void write_time(byte_writer& w, wall_ms t);
wall_ms read_time(byte_reader& r);

} // namespace cairn::storage::metadata

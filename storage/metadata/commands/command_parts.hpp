// Structs that several commands share, and their encodings (grammar: commands.cpp).
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

// The condition on the present object for a conditional write.
struct write_condition {
  bool if_absent = false;              // If-None-Match: *
  std::optional<std::string> if_match; // ETag text without quotes; "*": exists
  std::optional<std::string> if_other; // If-None-Match with an ETag: no object, or one with another ETag
};

// The condition on the object of a DELETE: the named version, or the newest version, which may be a delete marker. If
// there is no such version, the command succeeds without effect.
struct removal_condition {
  std::optional<std::string> etag; // as in write_condition::if_match
  std::optional<std::uint64_t> size;
  std::optional<std::int64_t> modified_seconds; // since 1970, without the milliseconds
};

// Identifies a command of a session, so that it is applied once and a retry returns the result of the first try.
// Results of sequences below `acknowledged_below` are removed.
struct commit_stamp {
  session_id session = 0;
  std::uint64_t sequence = 0, acknowledged_below = 0;
};

struct written_blob {
  blob_id blob;
  std::uint64_t length = 0;
  std::uint32_t chunk_size = 0;
  // Chunks that owners have not yet confirmed; sorted, without overlaps, at most missing_chunks_max: the commit adds a
  // repair for each. Those of removed nodes are skipped.
  std::vector<missing_chunks> unconfirmed;
};

using written_content = std::variant<std::string, written_blob>; // the bytes themselves, or a blob

// A certain version of an object: a command that was prepared for it is refused if the object has another version now.
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

} // namespace cairn::storage::metadata

// How much the buckets hold, and the buckets of each owner together. The rows are counted where commands are applied
// (apply/usage.hpp), and are equal to a full scan of the other rows at each log index, once a state that was made
// before them has been counted. The owner of a bucket is the user or the access key of nobody for whose quota it
// counts: who created it, until an operator says another one. It has no rights by that.
//
//   usage_row    1 era:v usage
//                2 (the same as 1) owner:s                if the bucket has one (from feature level 16 on)
//   bucket_owner_row    1 era:v buckets:v usage bytes_max:v versions_max:v
//   usage_state  1 era:v index:u64 usage scan
//   usage        objects:v versions:v markers:v bytes:v
//   scan         phase:u8 bucket:v name:s key:s version:s
#pragma once

#include "base/error.hpp"
#include "base/ids.hpp"
#include "storage/metadata/rows/bucket_quota.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace cairn::storage::metadata {

struct usage {
  std::uint64_t objects = 0;  // keys with a live version
  std::uint64_t versions = 0; // live and noncurrent, without delete markers
  std::uint64_t markers = 0;  // delete markers
  std::uint64_t bytes = 0;    // of all versions
  friend bool operator==(const usage&, const usage&) = default;
};

// Of one bucket. The counts of an earlier era than the state's are void; era 0: there are none.
struct usage_row {
  std::uint64_t era = 0;
  usage counted;
  std::string owner{}; // the id of a user, or an access key; empty: nobody's
};

// Of a user or an access key of nobody that owns buckets or has a quota. The counts are those of the state's era alone.
struct bucket_owner_row {
  std::uint64_t era = 0;
  std::uint64_t buckets = 0;
  usage counted;        // of these buckets together
  bucket_quota quota{}; // what they may hold together
};

// Rows before the scan's position are counted, the ones behind it are not yet.
enum class usage_phase : std::uint8_t { between_buckets, live_versions, other_versions, done };
struct usage_scan {
  usage_phase phase = usage_phase::between_buckets;
  bucket_id bucket = 0; // of the phases of a bucket
  std::string name;     // the bucket, or the last one; buckets with names behind it are not counted
  std::string key;      // in its current phase; empty: at the beginning
  std::string version;  // of the other versions of `key`, the end of their rows' keys; empty: all of them
};

struct usage_state {
  std::uint64_t era = 0;
  log_index index = 0; // of the last batch that was counted
  usage total;         // of all counted buckets
  usage_scan scan;
};

std::string encode(const usage_row& row);
std::string encode(const bucket_owner_row& row);
std::string encode(const usage_state& row);
// Errors: corrupt, unsupported.
result<usage_row> decode_usage(std::string_view bytes);
result<bucket_owner_row> decode_bucket_owner(std::string_view bytes);
result<usage_state> decode_usage_state(std::string_view bytes);

} // namespace cairn::storage::metadata

// The quota of a bucket: how much it may hold, all versions together, as usage_rows.hpp counts it. Judged where a
// command is applied that makes a version of an object, so that writes that race for the last bytes cannot both pass.
// What is there already can be read and deleted, however much it is.
#pragma once

#include "base/codec.hpp"
#include "base/error.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace cairn::storage::metadata {

struct bucket_quota {
  std::uint64_t bytes_max = 0;    // of all versions; 0: no limit
  std::uint64_t versions_max = 0; // live and noncurrent, without delete markers; 0: no limit
  bool empty() const { return *this == bucket_quota{}; }
  friend bool operator==(const bucket_quota&, const bucket_quota&) = default;
};

// quota_exceeded: a bucket that holds this is above its quota. The text names the limit, not what the bucket holds,
// which the sender of a write need not know.
inline std::optional<error> exceeded(const bucket_quota& quota, std::uint64_t bytes, std::uint64_t versions) {
  if (quota.bytes_max != 0 && bytes > quota.bytes_max)
    return error{errc::quota_exceeded, "Bucket quota exceeded: the bucket may hold at most " +
                                           std::to_string(quota.bytes_max) + " bytes, all versions together."};
  if (quota.versions_max != 0 && versions > quota.versions_max)
    return error{errc::quota_exceeded, "Bucket quota exceeded: the bucket may hold at most " +
                                           std::to_string(quota.versions_max) + " objects, counting each version."};
  return std::nullopt;
}

inline void write_quota(byte_writer& w, const bucket_quota& q) {
  w.varint(q.bytes_max).varint(q.versions_max);
}

inline bucket_quota read_quota(byte_reader& r) {
  bucket_quota q;
  q.bytes_max = r.varint();
  q.versions_max = r.varint();
  return q;
}

} // namespace cairn::storage::metadata

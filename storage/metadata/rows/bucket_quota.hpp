// The quota of a bucket: how much it may hold, all versions together, as usage_rows.hpp counts it; or that of a user:
// how much all buckets that it owns may hold together. Judged where a command is applied that makes a version of an
// object, so that writes that race for the last bytes cannot both pass. What is there already can be read and deleted,
// however much it is.
#pragma once

#include "base/codec.hpp"
#include "base/error.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace cairn::storage::metadata {

struct bucket_quota {
  std::uint64_t bytes_max = 0;    // of all versions; 0: no limit
  std::uint64_t versions_max = 0; // live and noncurrent, without delete markers; 0: no limit
  bool empty() const { return *this == bucket_quota{}; }
  friend bool operator==(const bucket_quota&, const bucket_quota&) = default;
};

constexpr std::string_view bucket_quota_text = "Bucket quota exceeded: the bucket",
                           user_quota_text = "User quota exceeded: all buckets of this bucket's owner together";

// quota_exceeded: a bucket, or the buckets of an owner, that hold this are above the quota. The text names the limit,
// not what they hold, which the sender of a write need not know.
inline std::optional<error> exceeded(const bucket_quota& quota, std::uint64_t bytes, std::uint64_t versions,
                                     std::string_view whose = bucket_quota_text) {
  const auto at_most = [whose](std::uint64_t limit) {
    return std::string{whose} + " may hold at most " + std::to_string(limit);
  };
  if (quota.bytes_max != 0 && bytes > quota.bytes_max)
    return error{errc::quota_exceeded, at_most(quota.bytes_max) + " bytes, all versions together."};
  if (quota.versions_max != 0 && versions > quota.versions_max)
    return error{errc::quota_exceeded, at_most(quota.versions_max) + " objects, counting each version."};
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

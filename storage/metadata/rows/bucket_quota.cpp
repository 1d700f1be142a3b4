#include "storage/metadata/rows/bucket_quota.hpp"

#include <string>

namespace cairn::storage::metadata {

std::optional<error> exceeded(const bucket_quota& quota, std::uint64_t bytes, std::uint64_t versions) {
  if (quota.bytes_max != 0 && bytes > quota.bytes_max)
    return error{errc::quota_exceeded, "Bucket quota exceeded: the bucket may hold at most " +
                                           std::to_string(quota.bytes_max) + " bytes, all versions together."};
  if (quota.versions_max != 0 && versions > quota.versions_max)
    return error{errc::quota_exceeded, "Bucket quota exceeded: the bucket may hold at most " +
                                           std::to_string(quota.versions_max) + " objects, counting each version."};
  return std::nullopt;
}

void write_quota(byte_writer& w, const bucket_quota& q) {
  w.varint(q.bytes_max).varint(q.versions_max);
}

bucket_quota read_quota(byte_reader& r) {
  bucket_quota q;
  q.bytes_max = r.varint();
  q.versions_max = r.varint();
  return q;
}

} // namespace cairn::storage::metadata

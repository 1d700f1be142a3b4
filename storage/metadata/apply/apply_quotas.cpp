#include "storage/metadata/apply/apply.hpp"

#include <algorithm>

namespace cairn::storage::metadata {

// While the bucket is counted again, because its counts could not be right, nothing is known to compare with.
std::optional<error> command_applier::above_quota(const bucket_row& bucket, const std::string& key, std::uint64_t size,
                                                  const std::optional<object_row>& present) {
  if (bucket.quota.empty()) return std::nullopt;
  const auto held = b_.usage_rows().of(bucket.id);
  if (!held) return std::nullopt;
  auto bytes = held->bytes, versions = held->versions;
  const auto gone = versions_.replaced(bucket, key, present);
  if (gone && gone->content != content_kind::delete_marker) {
    bytes -= std::min(bytes, gone->size);
    versions -= std::min<std::uint64_t>(versions, 1);
  }
  return exceeded(bucket.quota, bytes + size, versions + 1);
}

std::optional<error> command_applier::change(const set_bucket_quota& c) {
  const bucket_row* const bucket = b_.bucket(c.name);
  if (bucket == nullptr) return error{errc::no_such_bucket};
  bucket_row row = *bucket;
  if (c.bytes_max) row.quota.bytes_max = *c.bytes_max;
  if (c.versions_max) row.quota.versions_max = *c.versions_max;
  if (!row.quota.empty() && !b_.usage_rows().of(row.id))
    return error{errc::busy, "What the bucket holds is not counted yet: try again later."};
  b_.put_bucket(row);
  return std::nullopt;
}

command_result command_applier::run(const set_bucket_quota& c) {
  bool may_bury = false;
  if (auto answer = answered(c.stamp, may_bury)) return *answer;
  if (auto refused = change(c)) return remember(c.stamp, {.refused = std::move(refused)});
  return remember(c.stamp, {.version = b_.index()});
}

} // namespace cairn::storage::metadata

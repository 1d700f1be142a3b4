#include "storage/metadata/apply.hpp"
#include "storage/metadata/store.hpp"

namespace cairn::storage::metadata {

namespace {

constexpr std::string_view checksum_prefix = "x-amz-checksum-";

} // namespace

result<object_row> command_applier::find_version(const object_version& wanted) {
  const bucket_row* const bucket = b_.bucket(wanted.bucket);
  if (bucket == nullptr) return error{errc::no_such_bucket};
  auto row = valid_key(wanted.key) ? find(*bucket, wanted.key) : std::nullopt;
  if (!row) return error{errc::no_such_key};
  if (row->version != wanted.version || row->ordinal != wanted.ordinal) return error{errc::stale_source};
  return std::move(*row);
}

std::optional<error> command_applier::copy(const copy_object& c) {
  if (!valid_key(c.key)) return error{errc::invalid_argument, "not a valid key"};
  const bucket_row* const bucket = b_.bucket(c.bucket);
  if (bucket == nullptr) return error{errc::no_such_bucket};
  const auto present = find(*bucket, c.key);
  if (auto refused = unmet(c.condition, present)) return refused;
  const auto source = find_version(c.source);
  if (!source) return source.error();

  object_row row = *source;
  row.row_id = present ? present->row_id : b_.new_id();
  row.version = b_.index();
  row.ordinal = ordinal_;
  row.modified = c.now;
  if (c.headers) {
    row.headers = *c.headers;
    for (const auto& header : source->headers.standard)
      if (header.first.starts_with(checksum_prefix)) row.headers.standard.push_back(header);
  }
  if (c.extras) row.extras = *c.extras;
  // The source may be the target: first the new reference, then the old one goes.
  if (source->content == content_kind::manifest) blobs_.share_manifest(source->manifest);
  if (source->content == content_kind::inline_bytes) {
    const std::string bytes{b_.kv.get(id_of(table::inline_data), b_.keys.inline_data(*source)).value_or("")};
    b_.put(table::inline_data, b_.keys.inline_data(row), bytes);
  }
  if (present) drop_content(*present);
  write_row(*bucket, c.key, row);
  return std::nullopt;
}

command_result command_applier::run(const copy_object& c) {
  bool may_bury = false;
  if (auto answer = answered(c.stamp, may_bury)) return *answer;
  if (auto refused = copy(c)) return remember(c.stamp, {.refused = std::move(refused)});
  return remember(c.stamp, {.version = b_.index()});
}

command_result command_applier::run(const set_extras& c) {
  bool may_bury = false;
  if (auto answer = answered(c.stamp, may_bury)) return *answer;
  const bucket_row* const bucket = b_.bucket(c.bucket);
  if (bucket == nullptr) return remember(c.stamp, {.refused = error{errc::no_such_bucket}});
  auto row = valid_key(c.key) ? find(*bucket, c.key) : std::nullopt;
  if (!row) return remember(c.stamp, {.refused = error{errc::no_such_key}});
  if (c.tags) row->extras.tags = *c.tags;
  if (c.public_read) row->extras.public_read = *c.public_read;
  write_row(*bucket, c.key, *row);
  return remember(c.stamp, {.version = row->version});
}

command_result command_applier::run(const set_bucket& c) {
  bool may_bury = false;
  if (auto answer = answered(c.stamp, may_bury)) return *answer;
  const bucket_row* const bucket = b_.bucket(c.name);
  if (bucket == nullptr) return remember(c.stamp, {.refused = error{errc::no_such_bucket}});
  bucket_row row = *bucket;
  if (c.public_read) row.public_read = *c.public_read;
  if (c.cors) row.cors = *c.cors;
  b_.put_bucket(row);
  return remember(c.stamp, {.version = b_.index()});
}

} // namespace cairn::storage::metadata

#include "storage/metadata/commands/authority.hpp"

namespace cairn::storage::metadata {

namespace {

bool is_other(bucket_id judged, const bucket_row* bucket) {
  return bucket == nullptr || (judged != 0 && bucket->id != judged);
}

// The access key that signed the request was deleted.
bool signer_deleted(const authority& a, const access_key_row* key) {
  return key == nullptr && (!a.key.empty() || a.by == allowed_by::key);
}

} // namespace

std::optional<error> lapsed(const authority& a, const access_key_row* key, const bucket_row* bucket) {
  if (signer_deleted(a, key)) return error{errc::no_such_access_key};
  if (is_other(a.bucket, bucket)) return error{errc::no_such_bucket};
  if (a.by == allowed_by::key && (key->rights_on(bucket->id) & a.rights) != a.rights)
    return error{errc::access_denied, "This access key may not do this with the bucket any more."};
  if (a.by == allowed_by::anybody && !bucket->public_write)
    return error{errc::access_denied, "The bucket is not public any more."};
  return std::nullopt;
}

std::optional<error> source_lapsed(const authority& a, const access_key_row* key, const bucket_row* source) {
  if (signer_deleted(a, key)) return error{errc::no_such_access_key};
  if (is_other(a.source, source)) return error{errc::no_such_bucket};
  const bool judged = a.by == allowed_by::key || a.by == allowed_by::anybody;
  const bool may_read = key != nullptr && (key->rights_on(source->id) & rights::read) != 0;
  if (judged && !may_read && !source->public_objects)
    return error{errc::access_denied, "This access key may not read the source's bucket any more."};
  return std::nullopt;
}

std::optional<error> creation_lapsed(const authority& a, const access_key_row* key) {
  if (signer_deleted(a, key)) return error{errc::no_such_access_key};
  if (a.by == allowed_by::anybody || (a.by == allowed_by::key && !key->creates_buckets))
    return error{errc::access_denied, "This access key may not create buckets any more."};
  return std::nullopt;
}

void write_authority(byte_writer& w, const authority& a) {
  w.u8(static_cast<std::uint8_t>(a.by)).string(a.key).u8(a.rights).varint(a.bucket).varint(a.source);
}

authority read_authority(byte_reader& r) {
  authority a;
  const std::uint8_t by = r.u8();
  if (by > static_cast<std::uint8_t>(allowed_by::anybody)) r.fail();
  a.by = static_cast<allowed_by>(by);
  a.key = r.string();
  a.rights = r.u8();
  if (a.rights > rights::all) r.fail();
  a.bucket = r.varint();
  a.source = r.varint();
  return a;
}

} // namespace cairn::storage::metadata

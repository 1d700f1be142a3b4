// Encoding of access keys (notation: rows.cpp).
//
//   access_key_row  1 id:s secret:s label:s created:u64 creates_buckets:u8 count:v (bucket:v rights:u8)*
//                   2 (the same as 1) user:s active:u8                if the key belongs to a user
//                   3 (the same as 1) user:s active:u8 flags:u8       flags: 1 the secret is sealed; not 0
#include "storage/metadata/rows/key_rows.hpp"

#include "storage/metadata/rows/row_version.hpp"

#include <algorithm>

namespace cairn::storage::metadata {

namespace {

constexpr std::size_t grant_bytes_min = 2;
constexpr std::uint8_t key_version_with_user = 2, key_version_with_flags = 3;
constexpr std::uint8_t flag_sealed = 1;

bool before(const bucket_grant& g, bucket_id bucket) {
  return g.bucket < bucket;
}

} // namespace

std::uint8_t access_key_row::rights_on(bucket_id bucket) const {
  const auto at = std::lower_bound(grants.begin(), grants.end(), bucket, before);
  return at != grants.end() && at->bucket == bucket ? at->rights : std::uint8_t{0};
}

bool valid_access_key(std::string_view id) {
  const auto allowed = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
           c == '-';
  };
  return !id.empty() && id.size() <= access_key_bytes_max && std::all_of(id.begin(), id.end(), allowed);
}

bool valid_secret(std::string_view secret, bool sealed) {
  if (!sealed) return !secret.empty() && secret.size() <= secret_bytes_max;
  return secret.size() > secrets::sealing_overhead_bytes && secret.size() <= sealed_secret_bytes_max &&
         !secrets::key_id_of(secret).empty();
}

std::string encode(const access_key_row& row) {
  byte_writer w{128};
  const std::uint8_t version = row.sealed          ? key_version_with_flags
                               : !row.user.empty() ? key_version_with_user
                                                   : row_version;
  w.u8(version);
  w.string(row.id).string(row.secret).string(row.label);
  w.u64(static_cast<std::uint64_t>(row.created)).boolean(row.creates_buckets).varint(row.grants.size());
  for (const bucket_grant& g : row.grants) w.varint(g.bucket).u8(g.rights);
  if (version >= key_version_with_user) w.string(row.user).boolean(row.active);
  if (version >= key_version_with_flags) w.u8(flag_sealed);
  return w.take();
}

result<access_key_row> decode_access_key(std::string_view bytes) {
  byte_reader r{bytes};
  const auto version = bytes.empty() ? std::uint8_t{0} : static_cast<std::uint8_t>(bytes.front());
  if (auto bad = check_version(r, "access key", {key_version_with_user, key_version_with_flags})) return *bad;
  access_key_row row;
  row.id = r.string();
  row.secret = r.string();
  row.label = r.string();
  row.created = static_cast<wall_ms>(r.u64());
  row.creates_buckets = r.boolean();
  row.grants.resize(r.count(grant_bytes_min));
  bucket_id last = 0;
  for (bucket_grant& g : row.grants) {
    g.bucket = r.varint();
    g.rights = r.u8();
    if (g.bucket <= last || g.rights == 0 || g.rights > rights::all) r.fail();
    last = g.bucket;
  }
  if (version >= key_version_with_user) {
    row.user = r.string();
    row.active = r.boolean();
  }
  if (version == key_version_with_user && row.user.empty()) r.fail();
  if (version >= key_version_with_flags) {
    row.sealed = r.u8() == flag_sealed;
    if (!row.sealed) r.fail();
  }
  if (!r.finished()) return bad_row("access key");
  return row;
}

} // namespace cairn::storage::metadata

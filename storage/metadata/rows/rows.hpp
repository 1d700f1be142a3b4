// The rows of the metadata's tables, as plain values. Encodings (version byte, grammar) are in rows.cpp, keys in
// tables.hpp. An object row has a few hundred bytes, whatever the object's size.
#pragma once

#include "base/codec.hpp"
#include "base/error.hpp"
#include "base/ids.hpp"
#include "base/seams.hpp"
#include "storage/metadata/rows/bucket_policy.hpp"
#include "storage/metadata/rows/bucket_quota.hpp"
#include "storage/metadata/rows/object_lock.hpp"
#include "storage/policy/access_list.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cairn::storage::metadata {

using md5_digest = std::array<std::uint8_t, 16>;

// MD5 of the body, or of the parts' digests when `parts` > 0 ("…-N").
struct etag {
  md5_digest digest{};
  std::uint32_t parts = 0;
  friend bool operator==(const etag&, const etag&) = default;
};
std::string to_string(const etag& e); // hex, "-N" for multipart, without quotes

// Headers that are stored with the object and returned verbatim. Names are lower case.
struct object_headers {
  std::string content_type;                                  // empty: binary/octet-stream is returned
  std::vector<std::pair<std::string, std::string>> standard; // content-disposition, cache-control, content-encoding, …
  std::vector<std::pair<std::string, std::string>> user;     // without the x-amz-meta- prefix; ≤ 2 KiB together
};

// Settings of an object in addition to its headers.
struct object_extras {
  std::vector<std::pair<std::string, std::string>> tags; // in the client's order; at most 10
  bool public_read = false;                              // anonymous requests may read it
  object_lock lock{};                                    // only in a bucket with object lock
  // The access control list, if `public_read`, which is false then, cannot say it.
  std::optional<policy::acl_grants> grants{};
  // Who owns the object: the id of a user or of an access key of nobody. Empty: the account. Set where a command is
  // applied; empty in commands.
  std::string owner{};
  bool has_list() const { return public_read || grants.has_value(); } // other than private
  bool list_is_public() const { return public_read || (grants && is_public(*grants)); }
  bool gives_rights() const { return public_read || (grants && names_others(*grants)); }
  bool empty() const { return tags.empty() && !has_list() && lock.empty(); } // no settings
};

using upload_id = std::uint64_t; // of a multipart upload; from the same counter as manifests: never reused

// The request that made a version: an upload, or a rename (of which both numbers are of its token). Id 0: none did, the
// version is a copy.
struct upload_origin {
  upload_id id = 0;
  std::uint64_t nonce = 0;
  friend bool operator==(const upload_origin&, const upload_origin&) = default;
};

enum class content_kind : std::uint8_t { none, inline_bytes, manifest, delete_marker };

struct object_row {
  std::uint64_t row_id = 0;  // of (bucket, key): used in the keys of `versions` and `inline_data`
  log_index version = 0;     // log index of the commit; with `ordinal` the version id
  std::uint32_t ordinal = 0; // position of the command in its log entry
  bool null_version = true;  // written while versioning was not enabled
  std::uint64_t size = 0;    // bytes
  metadata::etag etag;
  wall_ms modified = 0;
  object_headers headers;
  content_kind content = content_kind::none;
  manifest_id manifest = 0; // content == manifest
  object_extras extras;
  // Of a version whose ETag is that of an upload, or that was renamed with a token. nullopt: before
  // feature_level_of_upload_origins it was not kept.
  std::optional<upload_origin> origin{};
};

// Part `number` of a manifest covers the object's bytes [object_offset, object_offset + length), which are the blob's
// bytes from blob_offset on. The blob's chunks are chunk_size long, the last one shorter.
struct manifest_part {
  std::uint32_t number = 1;
  blob_id blob;
  std::uint64_t object_offset = 0, blob_offset = 0, length = 0;
  std::uint32_t chunk_size = 0;
  md5_digest checksum{};
  std::string part_checksum; // base64, with the algorithm of the object's checksum; only in the first row of a part
};

// The first row of a manifest. Freed when no object references it: at once with one part, else in steps.
struct manifest_row {
  std::uint32_t references = 0; // object rows (versions) that name it
  std::uint32_t parts = 0;
};

// The row exists from the commit or the abandoning of a blob until the blob is reaped.
struct blob_row {
  std::uint64_t length = 0;
  std::uint32_t chunk_size = 0;
  std::uint32_t references = 0; // manifest parts that name it
  log_index buried_at = 0;      // 0: live; else references is 0, and this is part of its key in `buried`
};

// A blob without references, with the log index that buried it. It is reaped when no running read is older than that.
struct buried_blob {
  log_index buried_at = 0;
  blob_id blob;
  std::uint32_t chunks = 0;
};

constexpr std::uint32_t max_age_seconds_max = 0x7fffffff;

// A CORS rule: which requests browsers may send for pages of other origins. Patterns have at most one `*`.
struct cors_rule {
  std::string id;
  std::vector<std::string> origins, methods, headers, exposed;
  std::optional<std::uint32_t> max_age_seconds; // at most max_age_seconds_max
  friend bool operator==(const cors_rule&, const cors_rule&) = default;
};

// A lifecycle rule of a bucket. Times are whole days; 0: not given.
struct lifecycle_rule {
  std::string id;
  // The filter: all conditions must hold. Uploads have neither tags nor size.
  std::string prefix;
  std::vector<std::pair<std::string, std::string>> tags;
  std::optional<std::uint64_t> size_above, size_below;
  bool without_filter = false; // the prefix was given in the deprecated form, outside of a Filter element
  bool enabled = true;
  std::uint32_t expire_days = 0;     // the live version expires so long after it was written …
  wall_ms expire_at = 0;             // … or from this day on; 0: not given
  bool expire_markers = false;       // removes delete markers without versions behind them
  std::uint32_t noncurrent_days = 0; // a noncurrent version is removed so long after it was displaced …
  std::uint32_t noncurrent_kept = 0; // … except the newest ones, this many
  std::uint32_t abort_days = 0;      // uploads that are not completed are aborted so long after they began
  friend bool operator==(const lifecycle_rule&, const lifecycle_rule&) = default;
};

// Object ownership of a bucket (S3's BucketOwnerEnforced, BucketOwnerPreferred, ObjectWriter). With `enforced` access
// control lists that grant something to others are refused, and those that objects have from before are without effect.
// With `preferred` and `writer`, others than the account own what they write (writer_of in
// storage/metadata/commands/authority.hpp).
namespace ownership {
constexpr std::uint8_t not_given = 0, enforced = 1, preferred = 4, writer = 5, last = writer;
// As these two were put before feature level 16: the account owns all objects.
constexpr std::uint8_t preferred_of_account = 2, writer_of_account = 3;
constexpr bool writers_own(std::uint8_t ownership) {
  return ownership >= preferred;
}
// The one of these two that S3 calls the same; others are themselves.
constexpr std::uint8_t of_account(std::uint8_t ownership) {
  return writers_own(ownership) ? static_cast<std::uint8_t>(ownership - preferred + preferred_of_account) : ownership;
}
} // namespace ownership

struct bucket_row {
  bucket_id id = 0;
  std::string name;
  wall_ms created = 0;
  std::uint8_t versioning = 0; // 0 never, 1 enabled, 2 suspended
  bool public_read = false;    // anonymous requests may list it
  bool public_write = false;   // and write its objects; requires public_read
  bool public_objects = false; // and read all its objects, whatever their own settings; requires public_read
  std::vector<cors_rule> cors; // the first that matches applies
  std::vector<lifecycle_rule> lifecycle;
  std::vector<std::pair<std::string, std::string>> tags; // in the client's order; at most 50
  std::uint8_t ownership = 0;                            // a value of namespace ownership; 0: not given
  bucket_policy policy{};
  std::uint8_t public_block = 0; // bits of namespace public_block; 0: none was put
  bucket_lock lock{};            // enabled only while versioning is
  bucket_quota quota{};
  // The access control list, if `public_read` and `public_write`, which are false then, cannot say it.
  std::optional<policy::acl_grants> grants{};
  bool has_list() const { return public_read || grants.has_value(); } // other than private
  bool list_is_public() const { return public_read || (grants && is_public(*grants)); }
};

// The fields of a bucket row that listings need, without the settings, which may be large.
struct listed_bucket {
  bucket_id id = 0;
  std::string name;
  wall_ms created = 0;
};

// The fields of an object row that listings need: the first ones of its encoding, and the owner.
struct listed_fields {
  std::uint64_t size = 0;
  metadata::etag etag;
  wall_ms modified = 0;
  std::string owner{}; // as in object_extras
};

std::string encode(const object_row& row);
std::string encode(const manifest_part& part);
std::string encode(const manifest_row& row);
std::string encode(const blob_row& row);
std::string encode(const bucket_row& row);

// Encodings of fields that rows and commands share.
void write_etag(byte_writer& w, const etag& e);
etag read_etag(byte_reader& r);
void write_time(byte_writer& w, wall_ms t);
wall_ms read_time(byte_reader& r);
void write_texts(byte_writer& w, const std::vector<std::string>& texts);
std::vector<std::string> read_texts(byte_reader& r);
void write_pairs(byte_writer& w, const std::vector<std::pair<std::string, std::string>>& pairs);
std::vector<std::pair<std::string, std::string>> read_pairs(byte_reader& r);
void write_extras(byte_writer& w, const object_extras& e);
object_extras read_extras(byte_reader& r);
void write_cors(byte_writer& w, const std::vector<cors_rule>& rules);
std::vector<cors_rule> read_cors(byte_reader& r);
void write_lifecycle(byte_writer& w, const std::vector<lifecycle_rule>& rules);
std::vector<lifecycle_rule> read_lifecycle(byte_reader& r);
void write_headers(byte_writer& w, const object_headers& h);
object_headers read_headers(byte_reader& r);
void write_blob_id(byte_writer& w, const blob_id& id);
blob_id read_blob_id(byte_reader& r);

// Errors: corrupt (the bytes do not follow the grammar), unsupported (a newer version byte). Never reads past the view.
result<object_row> decode_object(std::string_view bytes);
// Decodes only the first fields, unless the object has an owner.
result<listed_fields> decode_listed(std::string_view object_row_bytes);
result<manifest_row> decode_manifest(std::string_view bytes);
result<manifest_part> decode_manifest_part(std::string_view bytes);
result<blob_row> decode_blob(std::string_view bytes);
result<bucket_row> decode_bucket(std::string_view bytes);
result<listed_bucket> decode_listed_bucket(std::string_view bytes); // decodes only the first fields
result<bucket_quota> decode_quota(std::string_view bucket_row_bytes);

} // namespace cairn::storage::metadata

// Encodings of the rows. Each begins with a version byte, the lowest version that can represent the row; a decoder
// refuses newer versions. v: varint, uN: big-endian, s: string (v length, bytes). base/codec.hpp has the primitives;
// every value has exactly one encoding.
//
//   object_row     1 size:v etag modified:u64 content:u8 row_id:v version:v ordinal:v null_version:u8
//                  manifest:v headers                    manifest is 0 unless content is manifest(2)
//                  2 (the same) extras                   if there are any
//                  3 (the same)                          if the extras have a lock
//                  4 (the same) upload:v [nonce:u64]     if the origin was kept; nonce: unless upload is 0
//                  5 (the same as 3) kept:u8 [upload:v [nonce:u64]]   if the extras have grants; kept: the origin was
//                  6 (the same as 5)                     if the extras have an owner
//   extras         list(tags) flags:u8 [lock] [grants] [owner:s]
//                  flags: 1 public_read, 2 lock, 4 grants, not with public_read, 8 owner
//                  grants: storage/policy/access_list.cpp
//   lock           retention hold:u8
//   retention      mode:u8 [until:u64]                   until: unless the mode is none(0)
//   etag           digest:16 parts:v
//   headers        content_type:s list(standard) list(user)      list: count:v (name:s value:s)*
//   manifest_row   1 references:v parts:v
//   manifest_part  1 number:v blob object_offset:v blob_offset:v length:v chunk_size:v checksum:16
//                  2 (the same) part_checksum:s          if there is one
//   blob           session:u64 number:u64
//   blob_row       1 length:v chunk_size:v references:v buried_at:v
//   bucket_row     1 id:v name:s created:u64 versioning:u8
//                  2 (the same) public_read:u8 cors      if one of them is not the default
//                  3 (the same as 2) public_write:u8 lifecycle      if one of them is not the default
//                  4 (the same as 3) public_objects:u8 list(tags)   if there are tags, or public_objects differs from
//                  public_read; in versions below 4 public_objects is equal to public_read
//                  5 (the same as 4) ownership:u8                   if it is not 0
//                  6 (the same as 5) policy:s public_block:u8       if one of them is not the default
//                  7 (the same as 6) mode:u8 [unit:u8 length:v]     if the bucket has object lock; unit and length:
//                  unless the mode is none(0)
//                  8 (the same as 6) locked:u8 [mode:u8 [unit:u8 length:v]] quota      if it has a quota
//                  9 (the same as 6) locked:u8 [mode:u8 [unit:u8 length:v]] limited:u8 [quota] grants
//                  if there are grants, which there are not with public_read; limited: it has a quota
//                  10 (the same as 6) locked:u8 [mode:u8 [unit:u8 length:v]] limited:u8 [quota] listed:u8 [grants]
//                  if writers own their objects (ownership); listed: it has grants
//   quota          bytes_max:v versions_max:v            0: no limit; not both of them
//   lifecycle      count:v (id:s prefix:s list(tags) form:u8 [above:v] [below:v] enabled:u8 expire_days:v
//                  expire_at:u64 expire_markers:u8 noncurrent_days:v noncurrent_kept:v abort_days:v)*
//                  form: 1 above, 2 below, 4 without_filter
//   cors           count:v (id:s texts(origins) texts(methods) texts(headers) texts(exposed) max_age_seconds:v)*
//                  max_age_seconds: 0 not given, 2^32 - 1 a given 0, which old builds take for the number
//   texts          count:v (text:s)*
#include "storage/metadata/rows/rows.hpp"

#include "storage/metadata/rows/row_version.hpp"

#include <optional>

namespace cairn::storage::metadata {

namespace {

constexpr std::uint32_t max_age_none = 0xffffffff;
constexpr std::uint8_t object_version_with_extras = 2, object_version_with_lock = 3, object_version_with_origin = 4,
                       object_version_with_grants = 5, object_version_with_owner = 6,
                       object_version_newest = object_version_with_owner;
constexpr std::uint8_t bucket_version_with_settings = 2;
constexpr std::uint8_t bucket_version_with_lifecycle = 3, bucket_version_with_tags = 4,
                       bucket_version_with_ownership = 5, bucket_version_with_policy = 6, bucket_version_with_lock = 7,
                       bucket_version_with_quota = 8, bucket_version_with_grants = 9, bucket_version_with_owners = 10,
                       bucket_version_newest = bucket_version_with_owners;
constexpr std::uint8_t extras_public_read = 1, extras_lock = 2, extras_grants = 4, extras_owner = 8;
constexpr std::uint8_t part_version_with_checksum = 2;
constexpr std::size_t cors_rule_bytes_min = 6, lifecycle_rule_bytes_min = 18;

// The lowest version that can represent the row.
std::uint8_t version_of(const bucket_row& row) {
  if (ownership::writers_own(row.ownership)) return bucket_version_with_owners;
  if (row.grants) return bucket_version_with_grants;
  if (!row.quota.empty()) return bucket_version_with_quota;
  if (row.lock.enabled) return bucket_version_with_lock;
  if (!row.policy.empty() || row.public_block != 0) return bucket_version_with_policy;
  if (row.ownership != ownership::not_given) return bucket_version_with_ownership;
  if (!row.tags.empty() || row.public_objects != row.public_read) return bucket_version_with_tags;
  if (row.public_write || !row.lifecycle.empty()) return bucket_version_with_lifecycle;
  return row.public_read || !row.cors.empty() ? bucket_version_with_settings : row_version;
}

std::uint8_t version_of(const object_row& row) {
  if (!row.extras.owner.empty()) return object_version_with_owner;
  if (row.extras.grants) return object_version_with_grants;
  if (row.origin) return object_version_with_origin;
  if (!row.extras.lock.empty()) return object_version_with_lock;
  return row.extras.empty() ? row_version : object_version_with_extras;
}

// The version of an object's row, or why it is none.
result<std::uint8_t> read_object_version(byte_reader& r) {
  const std::uint8_t version = r.u8();
  if (r.ok() && version > object_version_newest)
    return error{errc::unsupported, "object row of version " + std::to_string(version)};
  if (version < row_version) return bad_row("object");
  return version;
}

void write_origin(byte_writer& w, const upload_origin& o) {
  w.varint(o.id);
  if (o.id != 0) w.u64(o.nonce);
}

upload_origin read_origin(byte_reader& r) {
  upload_origin o{.id = r.varint()};
  if (o.id != 0) o.nonce = r.u64();
  return o;
}

} // namespace

std::string to_string(const etag& e) {
  auto out = hex_of(e.digest);
  if (e.parts > 0) out.append("-").append(std::to_string(e.parts));
  return out;
}

void write_etag(byte_writer& w, const etag& e) {
  w.raw(e.digest).varint(e.parts);
}

etag read_etag(byte_reader& r) {
  etag e;
  r.raw(e.digest);
  e.parts = r.varint32();
  return e;
}

void write_time(byte_writer& w, wall_ms t) {
  w.u64(static_cast<std::uint64_t>(t));
}

wall_ms read_time(byte_reader& r) {
  return static_cast<wall_ms>(r.u64());
}

void write_texts(byte_writer& w, const std::vector<std::string>& texts) {
  w.varint(texts.size());
  for (const std::string& text : texts) w.string(text);
}

std::vector<std::string> read_texts(byte_reader& r) {
  std::vector<std::string> texts(r.count(1));
  for (std::string& text : texts) text = r.string();
  return texts;
}

void write_pairs(byte_writer& w, const std::vector<std::pair<std::string, std::string>>& pairs) {
  w.varint(pairs.size());
  for (const auto& [name, value] : pairs) w.string(name).string(value);
}

std::vector<std::pair<std::string, std::string>> read_pairs(byte_reader& r) {
  std::vector<std::pair<std::string, std::string>> pairs;
  const std::size_t count = r.count(2);
  for (std::size_t i = 0; i < count && r.ok(); ++i) {
    std::string name{r.string()};
    pairs.emplace_back(std::move(name), r.string());
  }
  return pairs;
}

void write_extras(byte_writer& w, const object_extras& e) {
  write_pairs(w, e.tags);
  const bool locked = !e.lock.empty();
  w.u8(static_cast<std::uint8_t>((e.public_read ? extras_public_read : 0) | (locked ? extras_lock : 0) |
                                 (e.grants ? extras_grants : 0) | (e.owner.empty() ? 0 : extras_owner)));
  if (locked) write_lock(w, e.lock);
  if (e.grants) policy::write_grants(w, *e.grants);
  if (!e.owner.empty()) w.string(e.owner);
}

object_extras read_extras(byte_reader& r) {
  object_extras e;
  e.tags = read_pairs(r);
  const std::uint8_t flags = r.u8();
  if (flags > (extras_public_read | extras_lock | extras_grants | extras_owner)) r.fail();
  e.public_read = (flags & extras_public_read) != 0;
  if ((flags & extras_lock) != 0) {
    e.lock = read_lock(r);
    if (e.lock.empty()) r.fail();
  }
  if ((flags & extras_grants) != 0) {
    e.grants = policy::read_grants(r);
    if (e.public_read) r.fail();
  }
  if ((flags & extras_owner) == 0) return e;
  e.owner = r.string();
  if (e.owner.empty() || e.owner.size() > policy::grantee_id_bytes_max) r.fail();
  return e;
}

void write_cors(byte_writer& w, const std::vector<cors_rule>& rules) {
  w.varint(rules.size());
  for (const cors_rule& rule : rules) {
    w.string(rule.id);
    for (const auto* texts : {&rule.origins, &rule.methods, &rule.headers, &rule.exposed}) write_texts(w, *texts);
    w.varint(rule.max_age_seconds == 0 ? max_age_none : rule.max_age_seconds.value_or(0));
  }
}

std::vector<cors_rule> read_cors(byte_reader& r) {
  std::vector<cors_rule> rules(r.count(cors_rule_bytes_min));
  for (cors_rule& rule : rules) {
    rule.id = r.string();
    for (auto* texts : {&rule.origins, &rule.methods, &rule.headers, &rule.exposed}) *texts = read_texts(r);
    const std::uint32_t age = r.varint32();
    if (age != 0) rule.max_age_seconds = age == max_age_none ? 0 : age;
  }
  return rules;
}

void write_lifecycle(byte_writer& w, const std::vector<lifecycle_rule>& rules) {
  w.varint(rules.size());
  for (const lifecycle_rule& rule : rules) {
    w.string(rule.id).string(rule.prefix);
    write_pairs(w, rule.tags);
    w.u8(static_cast<std::uint8_t>((rule.size_above ? 1 : 0) | (rule.size_below ? 2 : 0) |
                                   (rule.without_filter ? 4 : 0)));
    if (rule.size_above) w.varint(*rule.size_above);
    if (rule.size_below) w.varint(*rule.size_below);
    w.boolean(rule.enabled).varint(rule.expire_days);
    w.u64(static_cast<std::uint64_t>(rule.expire_at)).boolean(rule.expire_markers);
    w.varint(rule.noncurrent_days).varint(rule.noncurrent_kept).varint(rule.abort_days);
  }
}

std::vector<lifecycle_rule> read_lifecycle(byte_reader& r) {
  std::vector<lifecycle_rule> rules(r.count(lifecycle_rule_bytes_min));
  for (lifecycle_rule& rule : rules) {
    rule.id = r.string();
    rule.prefix = r.string();
    rule.tags = read_pairs(r);
    const std::uint8_t form = r.u8();
    if (form > 7) r.fail();
    if ((form & 1) != 0) rule.size_above = r.varint();
    if ((form & 2) != 0) rule.size_below = r.varint();
    rule.without_filter = (form & 4) != 0;
    rule.enabled = r.boolean();
    rule.expire_days = r.varint32();
    rule.expire_at = read_time(r);
    rule.expire_markers = r.boolean();
    rule.noncurrent_days = r.varint32();
    rule.noncurrent_kept = r.varint32();
    rule.abort_days = r.varint32();
  }
  return rules;
}

void write_headers(byte_writer& w, const object_headers& h) {
  w.string(h.content_type);
  write_pairs(w, h.standard);
  write_pairs(w, h.user);
}

object_headers read_headers(byte_reader& r) {
  object_headers h;
  h.content_type = r.string();
  h.standard = read_pairs(r);
  h.user = read_pairs(r);
  return h;
}

void write_blob_id(byte_writer& w, const blob_id& id) {
  w.u64(id.session).u64(id.number);
}

blob_id read_blob_id(byte_reader& r) {
  blob_id id;
  id.session = r.u64();
  id.number = r.u64();
  return id;
}

std::string encode(const object_row& row) {
  byte_writer w{256};
  const std::uint8_t version = version_of(row);
  w.u8(version).varint(row.size);
  write_etag(w, row.etag);
  w.u64(static_cast<std::uint64_t>(row.modified)).u8(static_cast<std::uint8_t>(row.content));
  w.varint(row.row_id).varint(row.version).varint(row.ordinal).boolean(row.null_version);
  w.varint(row.content == content_kind::manifest ? row.manifest : 0);
  write_headers(w, row.headers);
  if (version >= object_version_with_extras) write_extras(w, row.extras);
  if (version >= object_version_with_grants) w.boolean(row.origin.has_value());
  if (row.origin) write_origin(w, *row.origin);
  return w.take();
}

result<object_row> decode_object(std::string_view bytes) {
  byte_reader r{bytes};
  const auto version = read_object_version(r);
  if (!version) return version.error();
  object_row row;
  row.size = r.varint();
  row.etag = read_etag(r);
  row.modified = read_time(r);
  const std::uint8_t content = r.u8();
  if (content > static_cast<std::uint8_t>(content_kind::delete_marker)) r.fail();
  row.content = static_cast<content_kind>(content);
  row.row_id = r.varint();
  row.version = r.varint();
  row.ordinal = r.varint32();
  row.null_version = r.boolean();
  row.manifest = r.varint(row.content == content_kind::manifest ? ~std::uint64_t{0} : 0);
  row.headers = read_headers(r);
  if (*version >= object_version_with_extras) row.extras = read_extras(r);
  if (*version >= object_version_with_grants ? r.boolean() : *version == object_version_with_origin)
    row.origin = read_origin(r);
  if (*version != version_of(row)) r.fail();
  if (!r.finished()) return bad_row("object");
  return row;
}

result<listed_fields> decode_listed(std::string_view bytes) {
  byte_reader r{bytes};
  const auto version = read_object_version(r);
  if (!version) return version.error();
  if (*version >= object_version_with_owner) {
    const auto row = decode_object(bytes);
    if (!row) return row.error();
    return listed_fields{row->size, row->etag, row->modified, row->extras.owner};
  }
  listed_fields fields;
  fields.size = r.varint();
  fields.etag = read_etag(r);
  fields.modified = read_time(r);
  if (!r.ok()) return bad_row("object");
  return fields;
}

std::string encode(const manifest_row& row) {
  return byte_writer{16}.u8(row_version).varint(row.references).varint(row.parts).take();
}

result<manifest_row> decode_manifest(std::string_view bytes) {
  byte_reader r{bytes};
  if (auto bad = check_version(r, "manifest")) return *bad;
  manifest_row row;
  row.references = r.varint32();
  row.parts = r.varint32();
  if (!r.finished()) return bad_row("manifest");
  return row;
}

std::string encode(const manifest_part& part) {
  byte_writer w{80};
  w.u8(part.part_checksum.empty() ? row_version : part_version_with_checksum).varint(part.number);
  write_blob_id(w, part.blob);
  w.varint(part.object_offset).varint(part.blob_offset).varint(part.length).varint(part.chunk_size);
  w.raw(part.checksum);
  if (!part.part_checksum.empty()) w.string(part.part_checksum);
  return w.take();
}

result<manifest_part> decode_manifest_part(std::string_view bytes) {
  byte_reader r{bytes};
  if (auto bad = check_version(r, "part", {part_version_with_checksum})) return *bad;
  manifest_part part;
  part.number = r.varint32();
  part.blob = read_blob_id(r);
  part.object_offset = r.varint();
  part.blob_offset = r.varint();
  part.length = r.varint();
  part.chunk_size = r.varint32();
  r.raw(part.checksum);
  if (bytes.starts_with(static_cast<char>(part_version_with_checksum))) {
    part.part_checksum = r.string();
    if (part.part_checksum.empty()) r.fail();
  }
  if (part.length > ~part.object_offset || part.length > ~part.blob_offset || part.chunk_size == 0) r.fail();
  if (!r.finished()) return bad_row("part");
  return part;
}

std::string encode(const blob_row& row) {
  byte_writer w{32};
  return w.u8(row_version)
      .varint(row.length)
      .varint(row.chunk_size)
      .varint(row.references)
      .varint(row.buried_at)
      .take();
}

result<blob_row> decode_blob(std::string_view bytes) {
  byte_reader r{bytes};
  if (auto bad = check_version(r, "blob")) return *bad;
  blob_row row;
  row.length = r.varint();
  row.chunk_size = r.varint32();
  row.references = r.varint32();
  row.buried_at = r.varint();
  if ((row.references == 0) != (row.buried_at != 0)) r.fail();
  if (!r.finished()) return bad_row("blob");
  return row;
}

std::string encode(const bucket_row& row) {
  byte_writer w{96};
  const std::uint8_t version = version_of(row);
  w.u8(version).varint(row.id).string(row.name);
  w.u64(static_cast<std::uint64_t>(row.created)).u8(row.versioning);
  if (version >= bucket_version_with_settings) {
    w.boolean(row.public_read);
    write_cors(w, row.cors);
  }
  if (version >= bucket_version_with_lifecycle) {
    w.boolean(row.public_write);
    write_lifecycle(w, row.lifecycle);
  }
  if (version >= bucket_version_with_tags) {
    w.boolean(row.public_objects);
    write_pairs(w, row.tags);
  }
  if (version >= bucket_version_with_ownership) w.u8(row.ownership);
  if (version >= bucket_version_with_policy) w.string(row.policy.text()).u8(row.public_block);
  if (version >= bucket_version_with_quota) w.boolean(row.lock.enabled);
  if (row.lock.enabled) write_bucket_lock(w, row.lock);
  if (version >= bucket_version_with_grants) w.boolean(!row.quota.empty());
  if (!row.quota.empty()) write_quota(w, row.quota);
  if (version >= bucket_version_with_owners) w.boolean(row.grants.has_value());
  if (row.grants) policy::write_grants(w, *row.grants);
  return w.take();
}

result<listed_bucket> decode_listed_bucket(std::string_view bytes) {
  byte_reader r{bytes};
  const std::uint8_t version = r.u8();
  if (r.ok() && version > bucket_version_newest)
    return error{errc::unsupported, "bucket row of version " + std::to_string(version)};
  listed_bucket row;
  row.id = r.varint();
  row.name = r.string();
  row.created = read_time(r);
  if (!r.ok()) return bad_row("bucket");
  return row;
}

result<bucket_row> decode_bucket(std::string_view bytes) {
  byte_reader r{bytes};
  const std::uint8_t version = r.u8();
  if (r.ok() && version > bucket_version_newest)
    return error{errc::unsupported, "bucket row of version " + std::to_string(version)};
  bucket_row row;
  row.id = r.varint();
  row.name = r.string();
  row.created = read_time(r);
  row.versioning = r.u8();
  if (row.versioning > 2) r.fail();
  if (version >= bucket_version_with_settings) {
    row.public_objects = row.public_read = r.boolean();
    row.cors = read_cors(r);
  }
  if (version >= bucket_version_with_lifecycle) {
    row.public_write = r.boolean();
    row.lifecycle = read_lifecycle(r);
  }
  if (version >= bucket_version_with_tags) {
    row.public_objects = r.boolean();
    row.tags = read_pairs(r);
  }
  if (version >= bucket_version_with_ownership) row.ownership = r.u8();
  if (version >= bucket_version_with_policy) {
    row.policy = bucket_policy{std::string{r.string()}};
    row.public_block = r.u8();
  }
  const bool says_lock = version >= bucket_version_with_quota, says_quota = version >= bucket_version_with_grants;
  if (says_lock ? r.boolean() : version >= bucket_version_with_lock) row.lock = read_bucket_lock(r);
  const bool has_quota = says_quota ? r.boolean() : says_lock;
  if (has_quota) row.quota = read_quota(r);
  if (has_quota == row.quota.empty()) r.fail();
  if (version >= bucket_version_with_owners ? r.boolean() : says_quota) row.grants = policy::read_grants(r);
  if (row.grants && (row.public_read || row.public_write)) r.fail();
  if (row.ownership > ownership::last || row.public_block > public_block::all) r.fail();
  if ((row.public_objects && !row.public_read) || version != version_of(row)) r.fail();
  if (!r.finished()) return bad_row("bucket");
  return row;
}

result<bucket_quota> decode_quota(std::string_view bucket_row_bytes) {
  if (byte_reader{bucket_row_bytes}.u8() < bucket_version_with_quota) return bucket_quota{};
  const auto row = decode_bucket(bucket_row_bytes);
  if (!row) return row.error();
  return row->quota;
}

} // namespace cairn::storage::metadata

// Encodings of the commands of feature level 3: their fields, which follow level and kind (commands.cpp; notation:
// rows.cpp).
//
//   19 begin_upload     stamp bucket:s key:s now:u64 nonce:u64 headers extras checksum:s type:u8
//   20 put_part         stamp upload number:v now:u64 size:v digest:16 checksum_name:s checksum:s content [source]
//   21 copy_part        stamp upload number:v now:u64 source offset:v length:v digest:16 [checksum_name:s checksum:s]
//   22 complete_upload  stamp upload now:u64 count:v (number:v digest:16)* etag list(checksums) condition [1:u8]
//                       1: with part_checksums
//   23 abort_upload     stamp upload
//   24 copy_object      stamp source bucket:s key:s now:u64 fields:u8 [headers] [extras] condition
//                       fields: 1 headers, 2 extras
//   25 set_extras       stamp bucket:s key:s fields:u8 [list(tags)] [public_read:u8] [version_id] [grants]
//                       fields: 1 tags, 2 public_read, 4 version_id, 8 grants
//   26 set_bucket       stamp name:s fields:u8 [public_read:u8] [cors] [versioning:u8] [lifecycle] [public_write:u8]
//                       [public_objects:u8] [list(tags)] [ownership:u8] [grants]
//                       fields: 1 public_read, 2 cors, 4 versioning, 8 lifecycle, 16 public_write, 32 public_objects,
//                       64 tags, 128 ownership
//   34 set_bucket_access stamp name:s fields:u8 [policy:s] [public_block:u8]
//                       fields: 1 policy, 2 public_block
//   39 set_bucket_quota stamp name:s fields:u8 [bytes_max:v] [versions_max:v]
//                       fields: 1 bytes_max, 2 versions_max
//   43 set_user_quota   stamp user:s fields:u8 [bytes_max:v] [versions_max:v]      fields: as of 39
//   44 set_bucket_owner stamp name:s user:s
//   45 rename_object    stamp source key:s condition fields:u8 [token:v nonce:u64]      fields: 1 token
//   upload              bucket:s key:s id:v nonce:u64
//   source              bucket:s key:s version:v ordinal:v
#include "storage/metadata/commands/object_commands.hpp"

namespace cairn::storage::metadata {

namespace {

constexpr std::uint8_t first_field = 1, second_field = 2, third_field = 4, fourth_field = 8, fifth_field = 16,
                       sixth_field = 32, seventh_field = 64, eighth_field = 128;
constexpr std::size_t chosen_bytes_min = 17;

// The first argument is bit 0.
std::uint8_t fields_of(std::initializer_list<bool> given) {
  std::uint8_t fields = 0, bit = first_field;
  for (const bool is_there : given) {
    if (is_there) fields |= bit;
    bit = static_cast<std::uint8_t>(bit << 1);
  }
  return fields;
}
std::uint8_t read_fields(byte_reader& r, std::uint8_t last) {
  const std::uint8_t fields = r.u8();
  if (fields >= last << 1) r.fail();
  return fields;
}

void write_name(byte_writer& w, const upload_name& n) {
  w.string(n.bucket).string(n.key).varint(n.id).u64(n.nonce);
}
upload_name read_name(byte_reader& r) {
  upload_name n;
  n.bucket = r.string();
  n.key = r.string();
  n.id = r.varint();
  n.nonce = r.u64();
  return n;
}

} // namespace

void write(byte_writer& w, const begin_upload& c) {
  write_stamp(w, c.stamp);
  w.string(c.bucket).string(c.key);
  write_time(w, c.now);
  w.u64(c.nonce);
  write_headers(w, c.headers);
  write_extras(w, c.extras);
  w.string(c.checksum).u8(static_cast<std::uint8_t>(c.type));
}
void read(byte_reader& r, begin_upload& c) {
  c.stamp = read_stamp(r);
  c.bucket = r.string();
  c.key = r.string();
  c.now = read_time(r);
  c.nonce = r.u64();
  c.headers = read_headers(r);
  c.extras = read_extras(r);
  c.checksum = r.string();
  const std::uint8_t type = r.u8();
  if (type > static_cast<std::uint8_t>(checksum_type::full_object)) r.fail();
  c.type = static_cast<checksum_type>(type);
}

void write(byte_writer& w, const put_part& c) {
  write_stamp(w, c.stamp);
  write_name(w, c.upload);
  w.varint(c.number);
  write_time(w, c.now);
  w.varint(c.size).raw(c.digest).string(c.checksum_name).string(c.checksum);
  write_content(w, c.content);
  if (c.source) write_version(w, *c.source);
}
void read(byte_reader& r, put_part& c) {
  c.stamp = read_stamp(r);
  c.upload = read_name(r);
  c.number = r.varint32();
  c.now = read_time(r);
  c.size = r.varint();
  r.raw(c.digest);
  c.checksum_name = r.string();
  c.checksum = r.string();
  c.content = read_content(r);
  if (r.ok() && !r.finished()) c.source = read_version(r);
}

void write(byte_writer& w, const copy_part& c) {
  write_stamp(w, c.stamp);
  write_name(w, c.upload);
  w.varint(c.number);
  write_time(w, c.now);
  write_version(w, c.source);
  w.varint(c.offset).varint(c.length).raw(c.digest);
  if (!c.checksum.empty()) w.string(c.checksum_name).string(c.checksum);
}
void read(byte_reader& r, copy_part& c) {
  c.stamp = read_stamp(r);
  c.upload = read_name(r);
  c.number = r.varint32();
  c.now = read_time(r);
  c.source = read_version(r);
  c.offset = r.varint();
  c.length = r.varint();
  r.raw(c.digest);
  if (!r.ok() || r.finished()) return;
  c.checksum_name = r.string();
  c.checksum = r.string();
  if (c.checksum.empty()) r.fail();
}

void write(byte_writer& w, const complete_upload& c) {
  write_stamp(w, c.stamp);
  write_name(w, c.upload);
  write_time(w, c.now);
  w.varint(c.parts.size());
  for (const chosen_part& part : c.parts) w.varint(part.number).raw(part.digest);
  write_etag(w, c.etag);
  write_pairs(w, c.checksums);
  write_condition_of(w, c.condition);
  if (c.part_checksums) w.boolean(true);
}
void read(byte_reader& r, complete_upload& c) {
  c.stamp = read_stamp(r);
  c.upload = read_name(r);
  c.now = read_time(r);
  c.parts.resize(r.count(chosen_bytes_min));
  for (chosen_part& part : c.parts) {
    part.number = r.varint32();
    r.raw(part.digest);
  }
  c.etag = read_etag(r);
  c.checksums = read_pairs(r);
  c.condition = read_condition(r);
  if (!r.ok() || r.finished()) return;
  c.part_checksums = r.boolean();
  if (!c.part_checksums) r.fail();
}

void write(byte_writer& w, const abort_upload& c) {
  write_stamp(w, c.stamp);
  write_name(w, c.upload);
}
void read(byte_reader& r, abort_upload& c) {
  c.stamp = read_stamp(r);
  c.upload = read_name(r);
}

void write(byte_writer& w, const copy_object& c) {
  write_stamp(w, c.stamp);
  write_version(w, c.source);
  w.string(c.bucket).string(c.key);
  write_time(w, c.now);
  w.u8(fields_of({c.headers.has_value(), c.extras.has_value()}));
  if (c.headers) write_headers(w, *c.headers);
  if (c.extras) write_extras(w, *c.extras);
  write_condition_of(w, c.condition);
}
void read(byte_reader& r, copy_object& c) {
  c.stamp = read_stamp(r);
  c.source = read_version(r);
  c.bucket = r.string();
  c.key = r.string();
  c.now = read_time(r);
  const std::uint8_t fields = read_fields(r, second_field);
  if ((fields & first_field) != 0) c.headers = read_headers(r);
  if ((fields & second_field) != 0) c.extras = read_extras(r);
  c.condition = read_condition(r);
}

void write(byte_writer& w, const rename_object& c) {
  write_stamp(w, c.stamp);
  write_version(w, c.source);
  w.string(c.key);
  write_condition_of(w, c.condition);
  w.u8(fields_of({c.token.has_value()}));
  if (c.token) w.varint(c.token->id).u64(c.token->nonce);
}
void read(byte_reader& r, rename_object& c) {
  c.stamp = read_stamp(r);
  c.source = read_version(r);
  c.key = r.string();
  c.condition = read_condition(r);
  if ((read_fields(r, first_field) & first_field) == 0) return;
  c.token.emplace();
  c.token->id = r.varint();
  c.token->nonce = r.u64();
}

void write(byte_writer& w, const set_extras& c) {
  write_stamp(w, c.stamp);
  w.string(c.bucket).string(c.key);
  w.u8(fields_of({c.tags.has_value(), c.public_read.has_value(), c.version.has_value(), c.grants.has_value()}));
  if (c.tags) write_pairs(w, *c.tags);
  if (c.public_read) w.boolean(*c.public_read);
  if (c.version) write_version_id(w, *c.version);
  if (c.grants) policy::write_grants(w, *c.grants);
}
void read(byte_reader& r, set_extras& c) {
  c.stamp = read_stamp(r);
  c.bucket = r.string();
  c.key = r.string();
  const std::uint8_t fields = read_fields(r, fourth_field);
  if ((fields & first_field) != 0) c.tags = read_pairs(r);
  if ((fields & second_field) != 0) c.public_read = r.boolean();
  if ((fields & third_field) != 0) c.version = read_version_id(r);
  if ((fields & fourth_field) != 0) c.grants = policy::read_grants(r);
}

void write(byte_writer& w, const set_bucket& c) {
  write_stamp(w, c.stamp);
  w.string(c.name);
  w.u8(fields_of({c.public_read.has_value(), c.cors.has_value(), c.versioning.has_value(), c.lifecycle.has_value(),
                  c.public_write.has_value(), c.public_objects.has_value(), c.tags.has_value(),
                  c.ownership.has_value()}));
  if (c.public_read) w.boolean(*c.public_read);
  if (c.cors) write_cors(w, *c.cors);
  if (c.versioning) w.u8(*c.versioning);
  if (c.lifecycle) write_lifecycle(w, *c.lifecycle);
  if (c.public_write) w.boolean(*c.public_write);
  if (c.public_objects) w.boolean(*c.public_objects);
  if (c.tags) write_pairs(w, *c.tags);
  if (c.ownership) w.u8(*c.ownership);
  if (c.grants) policy::write_grants(w, *c.grants);
}
void read(byte_reader& r, set_bucket& c) {
  c.stamp = read_stamp(r);
  c.name = r.string();
  const std::uint8_t fields = read_fields(r, eighth_field);
  if ((fields & first_field) != 0) c.public_read = r.boolean();
  if ((fields & second_field) != 0) c.cors = read_cors(r);
  if ((fields & third_field) != 0) c.versioning = r.u8();
  if ((fields & fourth_field) != 0) c.lifecycle = read_lifecycle(r);
  if ((fields & fifth_field) != 0) c.public_write = r.boolean();
  if ((fields & sixth_field) != 0) c.public_objects = r.boolean();
  if ((fields & seventh_field) != 0) c.tags = read_pairs(r);
  if ((fields & eighth_field) != 0) c.ownership = r.u8();
  if (r.ok() && !r.finished()) c.grants = policy::read_grants(r);
}

void write(byte_writer& w, const set_bucket_access& c) {
  write_stamp(w, c.stamp);
  w.string(c.name).u8(fields_of({c.policy.has_value(), c.public_block.has_value()}));
  if (c.policy) w.string(*c.policy);
  if (c.public_block) w.u8(*c.public_block);
}
void read(byte_reader& r, set_bucket_access& c) {
  c.stamp = read_stamp(r);
  c.name = r.string();
  const std::uint8_t fields = read_fields(r, second_field);
  if ((fields & first_field) != 0) c.policy = r.string();
  if ((fields & second_field) != 0) c.public_block = r.u8();
}

namespace {

// Of a bucket's or a user's quota.
template <class Command>
void write_limits(byte_writer& w, const Command& c) {
  w.u8(fields_of({c.bytes_max.has_value(), c.versions_max.has_value()}));
  if (c.bytes_max) w.varint(*c.bytes_max);
  if (c.versions_max) w.varint(*c.versions_max);
}
template <class Command>
void read_limits(byte_reader& r, Command& c) {
  const std::uint8_t fields = read_fields(r, second_field);
  if ((fields & first_field) != 0) c.bytes_max = r.varint();
  if ((fields & second_field) != 0) c.versions_max = r.varint();
}

} // namespace

void write(byte_writer& w, const set_bucket_quota& c) {
  write_stamp(w, c.stamp);
  w.string(c.name);
  write_limits(w, c);
}
void read(byte_reader& r, set_bucket_quota& c) {
  c.stamp = read_stamp(r);
  c.name = r.string();
  read_limits(r, c);
}

void write(byte_writer& w, const set_user_quota& c) {
  write_stamp(w, c.stamp);
  w.string(c.user);
  write_limits(w, c);
}
void read(byte_reader& r, set_user_quota& c) {
  c.stamp = read_stamp(r);
  c.user = r.string();
  read_limits(r, c);
}

void write(byte_writer& w, const set_bucket_owner& c) {
  write_stamp(w, c.stamp);
  w.string(c.name).string(c.user);
}
void read(byte_reader& r, set_bucket_owner& c) {
  c.stamp = read_stamp(r);
  c.name = r.string();
  c.user = r.string();
}

} // namespace cairn::storage::metadata

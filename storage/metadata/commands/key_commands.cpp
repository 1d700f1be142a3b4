// Encodings of the commands about access keys: their fields, which follow level and kind (commands.cpp; notation:
// rows.cpp).
//
//   28 create_key  stamp id:s secret:s label:s now:u64 creates_buckets:u8 [sealed:u8]
//                  sealed: 1
//   29 delete_key  stamp id:s
//   30 change_key  stamp id:s bucket:s allowed:u8 denied:u8 creates_buckets:u8
//                  creates_buckets: 0 not changed, 1 no, 2 yes
//   41 seal_keys   stamp count:v (id:s secret:s)*
#include "storage/metadata/commands/key_commands.hpp"

namespace cairn::storage::metadata {

void write(byte_writer& w, const create_key& c) {
  write_stamp(w, c.stamp);
  w.string(c.id).string(c.secret).string(c.label);
  write_time(w, c.now);
  w.boolean(c.creates_buckets);
  if (c.sealed) w.boolean(c.sealed);
}
void read(byte_reader& r, create_key& c) {
  c.stamp = read_stamp(r);
  c.id = r.string();
  c.secret = r.string();
  c.label = r.string();
  c.now = read_time(r);
  c.creates_buckets = r.boolean();
  if (r.rest().empty()) return;
  c.sealed = r.boolean();
  if (!c.sealed) r.fail();
}

void write(byte_writer& w, const delete_key& c) {
  write_stamp(w, c.stamp);
  w.string(c.id);
}
void read(byte_reader& r, delete_key& c) {
  c.stamp = read_stamp(r);
  c.id = r.string();
}

void write(byte_writer& w, const change_key& c) {
  write_stamp(w, c.stamp);
  w.string(c.id).string(c.bucket).u8(c.allowed).u8(c.denied);
  w.u8(c.creates_buckets ? (*c.creates_buckets ? 2 : 1) : 0);
}
void read(byte_reader& r, change_key& c) {
  c.stamp = read_stamp(r);
  c.id = r.string();
  c.bucket = r.string();
  c.allowed = r.u8();
  c.denied = r.u8();
  const std::uint8_t creates = r.u8();
  if (c.allowed > rights::all || c.denied > rights::all || creates > 2) r.fail();
  if (creates != 0) c.creates_buckets = creates == 2;
}

void write(byte_writer& w, const seal_keys& c) {
  write_stamp(w, c.stamp);
  w.varint(c.keys.size());
  for (const auto& key : c.keys) w.string(key.id).string(key.secret);
}
void read(byte_reader& r, seal_keys& c) {
  constexpr std::size_t key_bytes_min = 2;
  c.stamp = read_stamp(r);
  const auto count = r.count(key_bytes_min);
  if (count > sealed_keys_max) return r.fail();
  c.keys.resize(count);
  for (auto& key : c.keys) {
    key.id = r.string();
    key.secret = r.string();
  }
}

} // namespace cairn::storage::metadata

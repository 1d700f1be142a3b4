// Encodings of the commands of object lock: their fields, which follow level and kind (commands.cpp; notation:
// rows.cpp).
//
//   35 set_object_lock    stamp bucket:s key:s now:u64 fields:u8 [version_id] [retention] [hold:u8]
//                         fields: 1 version_id, 2 retention, 4 hold, 8 bypasses_governance
//   36 set_bucket_lock    stamp name:s mode:u8 [unit:u8 length:v]
//   37 advance_lock_time  time:u64
#include "storage/metadata/commands/lock_commands.hpp"

namespace cairn::storage::metadata {

namespace {

constexpr std::uint8_t set_version = 1, set_retention = 2, set_hold = 4, set_bypass = 8;

} // namespace

void write(byte_writer& w, const set_object_lock& c) {
  write_stamp(w, c.stamp);
  w.string(c.bucket).string(c.key);
  write_time(w, c.now);
  w.u8(static_cast<std::uint8_t>((c.version ? set_version : 0) | (c.retained ? set_retention : 0) |
                                 (c.hold ? set_hold : 0) | (c.bypasses_governance ? set_bypass : 0)));
  if (c.version) write_version_id(w, *c.version);
  if (c.retained) write_retention(w, *c.retained);
  if (c.hold) w.u8(static_cast<std::uint8_t>(*c.hold));
}
void read(byte_reader& r, set_object_lock& c) {
  c.stamp = read_stamp(r);
  c.bucket = r.string();
  c.key = r.string();
  c.now = read_time(r);
  const std::uint8_t fields = r.u8();
  if (fields >= 2 * set_bypass) r.fail();
  if ((fields & set_version) != 0) c.version = read_version_id(r);
  if ((fields & set_retention) != 0) c.retained = read_retention(r);
  if ((fields & set_hold) != 0) {
    const std::uint8_t hold = r.u8();
    if (hold != static_cast<std::uint8_t>(legal_hold::on) && hold != static_cast<std::uint8_t>(legal_hold::off))
      r.fail();
    c.hold = static_cast<legal_hold>(hold);
  }
  c.bypasses_governance = (fields & set_bypass) != 0;
}

void write(byte_writer& w, const set_bucket_lock& c) {
  write_stamp(w, c.stamp);
  w.string(c.name);
  write_bucket_lock(w, c.lock);
}
void read(byte_reader& r, set_bucket_lock& c) {
  c.stamp = read_stamp(r);
  c.name = r.string();
  c.lock = read_bucket_lock(r);
}

void write(byte_writer& w, const advance_lock_time& c) {
  write_time(w, c.time);
}
void read(byte_reader& r, advance_lock_time& c) {
  c.time = read_time(r);
}

} // namespace cairn::storage::metadata

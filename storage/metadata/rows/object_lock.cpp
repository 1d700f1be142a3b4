#include "storage/metadata/rows/object_lock.hpp"

namespace cairn::storage::metadata {

namespace {

constexpr wall_ms day_ms = 24 * 3600 * 1000, days_of_year = 365;

retention_mode read_mode(byte_reader& r) {
  const std::uint8_t mode = r.u8();
  if (mode > static_cast<std::uint8_t>(retention_mode::compliance)) r.fail();
  return static_cast<retention_mode>(mode);
}

} // namespace

std::string_view mode_text(retention_mode mode) {
  switch (mode) {
    case retention_mode::none: return {};
    case retention_mode::governance: return "GOVERNANCE";
    case retention_mode::compliance: return "COMPLIANCE";
  }
  return {};
}

std::string_view hold_text(legal_hold hold) {
  switch (hold) {
    case legal_hold::never_set: return {};
    case legal_hold::on: return "ON";
    case legal_hold::off: return "OFF";
  }
  return {};
}

retention default_retention(const bucket_lock& lock, wall_ms now) {
  if (lock.mode == retention_mode::none) return {};
  const wall_ms days = lock.unit == period_unit::years ? lock.length * days_of_year : wall_ms{lock.length};
  return {lock.mode, now + days * day_ms};
}

bool is_protected(const object_lock& lock, wall_ms now, bool bypasses_governance) {
  if (lock.hold == legal_hold::on) return true;
  if (lock.retained.mode == retention_mode::none || lock.retained.until <= now) return false;
  return lock.retained.mode == retention_mode::compliance || !bypasses_governance;
}

bool may_replace(const retention& present, const retention& wanted, wall_ms now, bool bypasses_governance) {
  if (present.mode == retention_mode::none || present.until <= now) return true;
  if (wanted.mode == present.mode && wanted.until >= present.until) return true;
  return present.mode == retention_mode::governance && bypasses_governance;
}

void write_retention(byte_writer& w, const retention& r) {
  w.u8(static_cast<std::uint8_t>(r.mode));
  if (r.mode != retention_mode::none) w.u64(static_cast<std::uint64_t>(r.until));
}

retention read_retention(byte_reader& r) {
  retention out;
  out.mode = read_mode(r);
  if (out.mode != retention_mode::none) out.until = static_cast<wall_ms>(r.u64());
  return out;
}

void write_lock(byte_writer& w, const object_lock& l) {
  write_retention(w, l.retained);
  w.u8(static_cast<std::uint8_t>(l.hold));
}

object_lock read_lock(byte_reader& r) {
  object_lock l;
  l.retained = read_retention(r);
  const std::uint8_t hold = r.u8();
  if (hold > static_cast<std::uint8_t>(legal_hold::off)) r.fail();
  l.hold = static_cast<legal_hold>(hold);
  return l;
}

void write_bucket_lock(byte_writer& w, const bucket_lock& l) {
  w.u8(static_cast<std::uint8_t>(l.mode));
  if (l.mode != retention_mode::none) w.u8(static_cast<std::uint8_t>(l.unit)).varint(l.length);
}

bucket_lock read_bucket_lock(byte_reader& r) {
  bucket_lock l{.enabled = true, .mode = read_mode(r)};
  if (l.mode == retention_mode::none) return l;
  const std::uint8_t unit = r.u8();
  if (unit > static_cast<std::uint8_t>(period_unit::years)) r.fail();
  l.unit = static_cast<period_unit>(unit);
  l.length = r.varint32();
  const auto most = l.unit == period_unit::years ? retention_years_max : retention_days_max;
  if (l.length == 0 || l.length > most) r.fail();
  return l;
}

} // namespace cairn::storage::metadata

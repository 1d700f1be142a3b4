// S3 Object Lock: what protects a version, and the configuration of a bucket. A version is protected by a retention
// until a time, by a legal hold without an end, or by both; a bucket with object lock gives new versions a default
// retention. The decisions are plain functions of the row and the lock time of the state (meta_field::lock_time).
// Source: AWS, Amazon S3 User Guide, "Locking objects with Object Lock". Grammar: rows.cpp.
#pragma once

#include "base/codec.hpp"
#include "base/seams.hpp"

#include <cstdint>
#include <string_view>

namespace cairn::storage::metadata {

enum class retention_mode : std::uint8_t { none, governance, compliance };

struct retention {
  retention_mode mode = retention_mode::none;
  wall_ms until = 0; // 0 if there is none
  friend bool operator==(const retention&, const retention&) = default;
};

enum class legal_hold : std::uint8_t { never_set, on, off };

// S3's names, which policies compare, too.
std::string_view mode_text(retention_mode mode); // "GOVERNANCE"; empty: none
std::string_view hold_text(legal_hold hold);     // "ON"; empty: never set

// Of a version.
struct object_lock {
  retention retained{};
  legal_hold hold = legal_hold::never_set;
  bool empty() const { return *this == object_lock{}; }
  friend bool operator==(const object_lock&, const object_lock&) = default;
};

enum class period_unit : std::uint8_t { days, years };
constexpr std::uint32_t retention_days_max = 36'500, retention_years_max = 100; // as in S3; a year has 365 days

// Of a bucket. A mode other than none: new versions are retained for `length` days or years.
struct bucket_lock {
  bool enabled = false; // for ever, once it is
  retention_mode mode = retention_mode::none;
  period_unit unit = period_unit::days;
  std::uint32_t length = 0; // 1 to the maximum of the unit; 0 if there is no default retention
  friend bool operator==(const bucket_lock&, const bucket_lock&) = default;
};

// The default retention of a version that is written now; none if the bucket has none.
retention default_retention(const bucket_lock& lock, wall_ms now);

// Whether the version must not be removed. A retention in governance mode does not count for who may bypass it.
bool is_protected(const object_lock& lock, wall_ms now, bool bypasses_governance = false);

// Whether a retention may be replaced or removed (mode none): one that has ended always, a longer one of the same mode
// always replaces a shorter one, and a governance retention may be changed in any way by who may bypass it.
bool may_replace(const retention& present, const retention& wanted, wall_ms now, bool bypasses_governance);

void write_retention(byte_writer& w, const retention& r);
retention read_retention(byte_reader& r);
void write_lock(byte_writer& w, const object_lock& l);
object_lock read_lock(byte_reader& r);
void write_bucket_lock(byte_writer& w, const bucket_lock& l); // of a bucket with object lock
bucket_lock read_bucket_lock(byte_reader& r);

} // namespace cairn::storage::metadata

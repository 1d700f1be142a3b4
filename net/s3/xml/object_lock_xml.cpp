#include "net/s3/xml/object_lock_xml.hpp"

#include "net/s3/xml/s3_xml.hpp"
#include "net/s3/xml/xml_reader.hpp"
#include "net/wire/grammar/http_date.hpp"

#include <charconv>

namespace cairn::net {

namespace {

namespace metadata = storage::metadata;
using metadata::legal_hold;
using metadata::period_unit;
using metadata::retention_mode;

constexpr xml_bounds lock_bounds{lock_body_bytes_max, 100, 10, 5};

std::optional<retention_mode> mode_of(std::string_view text) {
  for (const auto mode : {retention_mode::governance, retention_mode::compliance})
    if (text == mode_text(mode)) return mode;
  return std::nullopt;
}

std::optional<legal_hold> hold_of(std::string_view text) {
  for (const auto hold : {legal_hold::on, legal_hold::off})
    if (text == hold_text(hold)) return hold;
  return std::nullopt;
}

s3_error not_in_future() {
  return invalid_argument("The retain until date must be in the future!");
}

// Negative numbers are numbers, but no periods.
std::variant<std::uint32_t, s3_error> read_length(const xml_element& from, std::uint32_t most) {
  const auto text = from.token();
  std::int64_t number = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (problem != std::errc{} || end != text.data() + text.size()) return malformed_xml(from.name + " is not a number.");
  if (number >= 1 && number <= std::int64_t{most}) return static_cast<std::uint32_t>(number);
  return s3_error{400, "InvalidRetentionPeriod",
                  "Default retention period must be a positive integer value, at most " + std::to_string(most) + " " +
                      from.name + "."};
}

std::variant<metadata::bucket_lock, s3_error> read_default(const xml_element& rule) {
  const auto* retention = rule.child("DefaultRetention");
  if (!has_only(rule, {"DefaultRetention"}) || retention == nullptr)
    return malformed_xml("A Rule has one DefaultRetention.");
  const auto *days = retention->child("Days"), *years = retention->child("Years");
  const auto* named = retention->child("Mode");
  const auto mode = named ? mode_of(named->token()) : std::nullopt;
  if (!has_only(*retention, {"Mode", "Days", "Years"}) || !mode || (days == nullptr) == (years == nullptr))
    return malformed_xml("A DefaultRetention has a Mode, GOVERNANCE or COMPLIANCE, and either Days or Years.");
  const auto length =
      days ? read_length(*days, metadata::retention_days_max) : read_length(*years, metadata::retention_years_max);
  if (const auto* refused = std::get_if<s3_error>(&length)) return *refused;
  return metadata::bucket_lock{.enabled = true,
                               .mode = *mode,
                               .unit = days ? period_unit::days : period_unit::years,
                               .length = std::get<std::uint32_t>(length)};
}

} // namespace

std::string date_text(const metadata::retention& r) {
  std::string text;
  if (r.mode != retention_mode::none) append_iso_time(text, r.until);
  return text;
}

std::variant<metadata::object_lock, s3_error> read_lock_headers(const lock_headers& headers, wall_ms now) {
  metadata::object_lock lock;
  if (headers.mode.has_value() != headers.until.has_value())
    return invalid_argument("x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied");
  if (headers.mode) {
    const auto mode = mode_of(*headers.mode);
    if (!mode) return invalid_argument("Unknown wormMode directive.");
    const auto until = parse_iso_time(*headers.until);
    if (!until) return invalid_argument("The retain until date must be provided in ISO 8601 format");
    if (*until <= now) return not_in_future();
    lock.retained = {*mode, *until};
  }
  if (headers.hold) {
    const auto hold = hold_of(*headers.hold);
    if (!hold) return invalid_argument("Legal Hold must be either of 'ON' or 'OFF'");
    lock.hold = *hold;
  }
  return lock;
}

std::variant<metadata::bucket_lock, s3_error> read_lock_configuration(std::string_view body) {
  const auto root = read_xml(body, lock_bounds);
  if (!root || root->name != "ObjectLockConfiguration" || !has_only(*root, {"ObjectLockEnabled", "Rule"}))
    return malformed_xml("The body is not an ObjectLockConfiguration.");
  const auto* enabled = root->child("ObjectLockEnabled");
  if (enabled == nullptr || enabled->token() != "Enabled") return malformed_xml("ObjectLockEnabled is Enabled.");
  const auto* rule = root->child("Rule");
  if (rule == nullptr) return metadata::bucket_lock{.enabled = true};
  return read_default(*rule);
}

std::string lock_configuration_document(const metadata::bucket_lock& lock) {
  xml_writer xml;
  xml.open("ObjectLockConfiguration", s3_name_space);
  xml.text("ObjectLockEnabled", "Enabled");
  if (lock.mode != retention_mode::none) {
    xml.open("Rule");
    xml.open("DefaultRetention");
    xml.text("Mode", mode_text(lock.mode));
    xml.number(lock.unit == period_unit::days ? "Days" : "Years", lock.length);
    xml.close("DefaultRetention");
    xml.close("Rule");
  }
  xml.close("ObjectLockConfiguration");
  return xml.take();
}

std::variant<metadata::retention, s3_error> read_retention_document(std::string_view body, wall_ms now) {
  const auto root = read_xml(body, lock_bounds);
  if (!root || root->name != "Retention" || !has_only(*root, {"Mode", "RetainUntilDate"}))
    return malformed_xml("The body is not a Retention.");
  if (root->children.empty()) return metadata::retention{};
  const auto *named = root->child("Mode"), *date = root->child("RetainUntilDate");
  const auto mode = named ? mode_of(named->token()) : std::nullopt;
  const auto until = date ? parse_iso_time(date->token()) : std::nullopt;
  if (!mode || !until)
    return malformed_xml("A Retention has a Mode, GOVERNANCE or COMPLIANCE, and a RetainUntilDate in ISO 8601.");
  if (*until <= now) return not_in_future();
  return metadata::retention{*mode, *until};
}

std::string retention_document(const metadata::retention& r) {
  xml_writer xml;
  xml.open("Retention", s3_name_space);
  xml.text("Mode", mode_text(r.mode));
  xml.text("RetainUntilDate", date_text(r));
  xml.close("Retention");
  return xml.take();
}

std::variant<legal_hold, s3_error> read_legal_hold_document(std::string_view body) {
  const auto root = read_xml(body, lock_bounds);
  const bool known = root && root->name == "LegalHold" && has_only(*root, {"Status"});
  const auto* status = known ? root->child("Status") : nullptr;
  const auto hold = status ? hold_of(status->token()) : std::nullopt;
  if (!hold) return malformed_xml("The body is not a LegalHold with the Status ON or OFF.");
  return *hold;
}

std::string legal_hold_document(legal_hold hold) {
  xml_writer xml;
  xml.open("LegalHold", s3_name_space);
  xml.text("Status", hold_text(hold));
  xml.close("LegalHold");
  return xml.take();
}

} // namespace cairn::net

#include "cli/import/documents/version_lock.hpp"

#include "net/wire/grammar/http_date.hpp"

#include <algorithm>

namespace cairn::cli {

namespace {

constexpr std::string_view compliance = "COMPLIANCE";

std::string until_text(const version_lock& lock) {
  std::string text;
  net::append_iso_time(text, lock.until);
  return text;
}

} // namespace

result<version_lock> lock_of(const http_response& about, wall_ms now) {
  version_lock lock;
  lock.hold = about.header("x-amz-object-lock-legal-hold") == "ON";
  const auto mode = about.header("x-amz-object-lock-mode");
  if (mode.empty()) return lock;
  const auto until = net::parse_iso_time(about.header("x-amz-object-lock-retain-until-date"));
  if (!until) return error{errc::corrupt, "a retention without the date of its end"};
  if (*until <= now) return lock;
  lock.mode = mode;
  lock.until = *until;
  return lock;
}

version_lock stronger_lock(const version_lock& a, const version_lock& b) {
  return {a.mode == compliance || b.mode.empty() ? a.mode : b.mode, std::max(a.until, b.until), a.hold || b.hold};
}

header_list lock_headers(const version_lock& lock) {
  header_list headers;
  if (!lock.mode.empty()) {
    headers.emplace_back("x-amz-object-lock-mode", lock.mode);
    headers.emplace_back("x-amz-object-lock-retain-until-date", until_text(lock));
  }
  if (lock.hold) headers.emplace_back("x-amz-object-lock-legal-hold", "ON");
  return headers;
}

std::string retention_xml(const version_lock& lock) {
  if (lock.mode.empty()) return "<Retention/>";
  return "<Retention><Mode>" + lock.mode + "</Mode><RetainUntilDate>" + until_text(lock) +
         "</RetainUntilDate></Retention>";
}

std::string legal_hold_xml(const version_lock& lock) {
  return std::string("<LegalHold><Status>") + (lock.hold ? "ON" : "OFF") + "</Status></LegalHold>";
}

} // namespace cairn::cli

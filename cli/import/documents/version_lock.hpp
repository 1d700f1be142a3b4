// Object lock of one version, as GET and HEAD answer it: the retention and the legal hold that protect it. Times are
// milliseconds since 1970. Pure.
#pragma once

#include "base/seams.hpp"
#include "cli/client/http_client.hpp"

#include <string>
#include <string_view>

namespace cairn::cli {

struct version_lock {
  std::string mode;  // "GOVERNANCE", "COMPLIANCE"; empty: no retention
  wall_ms until = 0; // of the retention
  bool hold = false;

  bool any() const { return !mode.empty() || hold; }
  friend bool operator==(const version_lock&, const version_lock&) = default;
};

// A retention that has ended protects nothing: it is none. corrupt: the date cannot be read.
result<version_lock> lock_of(const http_response& about, wall_ms now);

// What protects a version as long and as strictly as both.
version_lock stronger_lock(const version_lock& a, const version_lock& b);

// For PutObject and CreateMultipartUpload.
header_list lock_headers(const version_lock& lock);

// Of PutObjectRetention (an empty one removes it) and PutObjectLegalHold.
std::string retention_xml(const version_lock& lock);
std::string legal_hold_xml(const version_lock& lock);

} // namespace cairn::cli

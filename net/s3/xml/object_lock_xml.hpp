// S3's documents and headers of object lock ↔ the values of storage/metadata/rows/object_lock.hpp. Pure.
#pragma once

#include "net/s3/xml/s3_errors.hpp"
#include "storage/metadata/rows/object_lock.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace cairn::net {

constexpr std::size_t lock_body_bytes_max = 4096;

std::string date_text(const storage::metadata::retention& r); // ISO 8601; empty: none

constexpr std::string_view lock_mode_header = "x-amz-object-lock-mode",
                           lock_until_header = "x-amz-object-lock-retain-until-date",
                           lock_hold_header = "x-amz-object-lock-legal-hold";
// These headers of an upload; nullopt: it does not have the header.
struct lock_headers {
  std::optional<std::string_view> mode, until, hold;
  bool any() const { return mode || until || hold; }
};
// `now`: a retention ends later. InvalidArgument.
std::variant<storage::metadata::object_lock, s3_error> read_lock_headers(const lock_headers& headers, wall_ms now);

// ObjectLockConfiguration. MalformedXML, InvalidRetentionPeriod.
std::variant<storage::metadata::bucket_lock, s3_error> read_lock_configuration(std::string_view body);
std::string lock_configuration_document(const storage::metadata::bucket_lock& lock);

// Retention; an empty one removes it. MalformedXML, InvalidArgument.
std::variant<storage::metadata::retention, s3_error> read_retention_document(std::string_view body, wall_ms now);
std::string retention_document(const storage::metadata::retention& r);

// LegalHold. MalformedXML.
std::variant<storage::metadata::legal_hold, s3_error> read_legal_hold_document(std::string_view body);
std::string legal_hold_document(storage::metadata::legal_hold hold);

} // namespace cairn::net

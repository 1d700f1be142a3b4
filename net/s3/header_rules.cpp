#include "net/s3/header_rules.hpp"

#include "net/s3/request.hpp"
#include "net/s3/xml/acl_xml.hpp"
#include "net/wire/grammar/ascii.hpp"
#include "net/wire/grammar/fields.hpp"

#include <algorithm>
#include <array>

namespace cairn::net {

namespace {

// The operations that accept a header: they implement it, or it has no effect. Headers of single operations are in the
// operations' rows (s3_operation::headers).
enum class with : std::uint8_t { all, none, copies, bodies, new_objects };

// The first matching rule counts. "x-amz-meta-" matches all names with this prefix.
struct header_rule {
  std::string_view name;
  with operations = with::all;
  std::string_view feature{}; // named in the refusal; empty: the header's name
};

constexpr std::array header_rule_rows{
    // Authentication and the body's transfer.
    header_rule{"x-amz-date"},
    header_rule{"x-amz-content-sha256"},
    header_rule{"x-amz-security-token"}, // refused where signatures are read
    header_rule{"x-amz-user-agent"},
    header_rule{"x-amz-cf-id"}, // CloudFront adds it
    header_rule{"x-amz-expected-bucket-owner"},
    header_rule{"x-amz-source-expected-bucket-owner"},
    header_rule{"x-amz-request-payer"}, // requests are not charged for
    header_rule{"x-amz-mfa"},           // no operation requires it
    header_rule{"x-amz-decoded-content-length"},
    header_rule{"x-amz-trailer"},
    header_rule{"x-amz-sdk-checksum-algorithm"},

    // Attributes of a new object.
    header_rule{"x-amz-acl", with::new_objects},
    header_rule{"x-amz-grant-read", with::new_objects},
    header_rule{"x-amz-grant-write", with::new_objects},
    header_rule{"x-amz-grant-read-acp", with::new_objects},
    header_rule{"x-amz-grant-write-acp", with::new_objects},
    header_rule{"x-amz-grant-full-control", with::new_objects},
    header_rule{"x-amz-meta-", with::new_objects},
    header_rule{"x-amz-storage-class", with::new_objects},
    header_rule{"x-amz-tagging", with::new_objects},
    // What a copy takes from its source. S3 ignores them where nothing is copied, and clients send them there.
    header_rule{"x-amz-metadata-directive"},
    header_rule{"x-amz-tagging-directive"},
    header_rule{"x-amz-copy-source-server-side-encryption-", with::none, "Server-side encryption"},
    header_rule{"x-amz-copy-source", with::copies},
    header_rule{"x-amz-copy-source-if-", with::copies},

    // Checksums.
    header_rule{"x-amz-checksum-mode"},
    header_rule{"x-amz-checksum-crc32", with::bodies},
    header_rule{"x-amz-checksum-crc32c", with::bodies},
    header_rule{"x-amz-checksum-crc64nvme", with::bodies},
    header_rule{"x-amz-checksum-sha1", with::bodies},
    header_rule{"x-amz-checksum-sha256", with::bodies},

    header_rule{"x-amz-server-side-encryption", with::none, "Server-side encryption"},
    header_rule{"x-amz-server-side-encryption-", with::none, "Server-side encryption"},
    header_rule{"x-amz-object-lock-", with::none, "Object locks"},
    header_rule{"x-amz-website-redirect-location", with::none, "Website redirects"},
    header_rule{"x-amz-write-offset-bytes", with::none, "Appending (x-amz-write-offset-bytes)"},
};

bool holds(with operations, const s3_operation& operation) {
  switch (operations) {
    case with::all: return true;
    case with::none: return false;
    case with::copies: return operation.copies && !operation.renames;
    case with::bodies: return operation.takes_body;
    case with::new_objects: return operation.sets_attributes;
  }
  return false;
}

bool fits(std::string_view rule, std::string_view name) {
  return rule.ends_with('-') ? istarts_with(name, rule) : iequals(name, rule);
}

s3_error refused(std::string_view name, std::string_view feature) {
  return not_implemented(feature.empty() ? "The header " + ascii_lower(name) + " with this request"
                                         : std::string{feature});
}

// Conditions of HTTP on a write that does not implement them. RFC 9110 §13.1.3: If-Modified-Since is for reads alone.
bool is_unmet_condition(std::string_view name, const s3_operation& operation) {
  if (!operation.changes_data || operation.takes_conditions) return false;
  return iequals(name, "if-match") || iequals(name, "if-none-match") || iequals(name, "if-unmodified-since");
}

// Beside x-amz-…: the headers of which one value is kept, compared or asked of a policy. Lists are joined where they
// are read, also those of Amazon's (RFC 9110 §5.3); Host and what frames the body are the connection's, and a Range
// that comes twice is ignored.
constexpr std::array<std::string_view, 12> single{
    "authorization", "content-disposition", "content-md5",         "content-range", "content-type", "date",
    "expires",       "if-modified-since",   "if-unmodified-since", "if-range",      "referer",      "user-agent"};
constexpr std::array<std::string_view, 3> amazon_lists{"x-amz-meta-", "x-amz-object-attributes",
                                                       "x-amz-optional-object-attributes"};

bool has_one_value(std::string_view name) {
  const auto named = [name](std::string_view known) { return fits(known, name); };
  return istarts_with(name, "x-amz-") ? std::none_of(amazon_lists.begin(), amazon_lists.end(), named)
                                      : std::any_of(single.begin(), single.end(), named);
}

// A value other than these would be taken for "false".
std::optional<s3_error> refused_value(std::string_view name, std::string_view value) {
  if (!iequals(name, bypass_header) || iequals(value, "true") || iequals(value, "false")) return std::nullopt;
  return invalid_argument(std::string{bypass_header} + " is true or false.");
}

} // namespace

std::optional<s3_error> refused_header(std::string_view name, const s3_operation& operation,
                                       const operation_route* route) {
  if (is_unmet_condition(name, operation)) return refused(name, {});
  if (!istarts_with(name, "x-amz-")) return std::nullopt;
  const auto named = [name](std::string_view own) { return iequals(own, name); };
  if (std::any_of(operation.headers.begin(), operation.headers.end(), named)) return std::nullopt;
  if (route != nullptr && named(route->header)) return std::nullopt;
  if (route != nullptr && route->header == "x-amz-acl" && is_grant_header(name)) return std::nullopt;
  for (const auto& rule : header_rule_rows) {
    if (!fits(rule.name, name)) continue;
    if (holds(rule.operations, operation)) return std::nullopt;
    return refused(name, rule.feature);
  }
  return refused(name, {});
}

std::optional<s3_error> refused_headers(const boost::beast::http::fields& fields, const s3_operation& operation,
                                        const operation_route* route) {
  if (operation.preflight) return std::nullopt;
  for (const auto& field : fields) {
    const auto name = view_of(field.name_string());
    if (auto problem = refused_header(name, operation, route)) return problem;
    if (auto problem = refused_value(name, view_of(field.value()))) return problem;
  }
  return std::nullopt;
}

std::optional<s3_error> refused_repetition(const boost::beast::http::fields& fields) {
  // Fields of equal names are next to each other.
  std::string_view before;
  for (const auto& field : fields) {
    const auto name = view_of(field.name_string());
    if (iequals(name, before) && has_one_value(name))
      return invalid_argument("The header " + ascii_lower(name) + " comes more than once.");
    before = name;
  }
  return std::nullopt;
}

} // namespace cairn::net

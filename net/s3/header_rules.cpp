#include "net/s3/header_rules.hpp"

#include "net/s3/router.hpp"
#include "net/wire/grammar/ascii.hpp"

#include <array>
#include <initializer_list>

namespace cairn::net {

namespace {

using operation_set = std::uint64_t;

static_assert(static_cast<unsigned>(http_operation::count_) < 64);

constexpr operation_set set_of(std::initializer_list<http_operation> operations) {
  operation_set set = 0;
  for (const auto o : operations) set |= operation_set{1} << static_cast<unsigned>(o);
  return set;
}

constexpr bool holds(operation_set set, http_operation operation) {
  return (set >> static_cast<unsigned>(operation) & 1) != 0;
}

constexpr operation_set nowhere = 0, everywhere = ~operation_set{0};
constexpr operation_set copies = set_of({http_operation::copy_object, http_operation::copy_part});
constexpr operation_set with_body =
    set_of({http_operation::put_object, http_operation::put_part, http_operation::complete_upload,
            http_operation::delete_objects, http_operation::write_setting, http_operation::write_tags,
            http_operation::create_bucket});
constexpr operation_set conditional_writes =
    set_of({http_operation::put_object, http_operation::copy_object, http_operation::begin_upload,
            http_operation::complete_upload, http_operation::delete_object});
constexpr operation_set removals = set_of({http_operation::delete_object, http_operation::delete_objects});

enum class else_is : std::uint8_t { refused, ignored };

// The first that fits counts. "x-amz-meta-" stands for all names that begin so.
struct header_rule {
  std::string_view name;
  operation_set read_by;                // where it is carried out, or says nothing that could be
  else_is elsewhere = else_is::refused; // ignored: as S3 does
  std::string_view feature{};           // in the refusal; empty: the header's name
};

constexpr std::array rules{
    // Who asks, and how the body travels.
    header_rule{"x-amz-date", everywhere},
    header_rule{"x-amz-content-sha256", everywhere},
    header_rule{"x-amz-security-token", everywhere}, // refused where signatures are read
    header_rule{"x-amz-user-agent", everywhere},
    header_rule{"x-amz-cf-id", everywhere}, // CloudFront adds it
    header_rule{"x-amz-expected-bucket-owner", everywhere},
    header_rule{"x-amz-source-expected-bucket-owner", everywhere},
    header_rule{"x-amz-request-payer", everywhere}, // nobody is charged
    header_rule{"x-amz-mfa", everywhere},           // nothing asks for it
    header_rule{"x-amz-decoded-content-length", everywhere},
    header_rule{"x-amz-trailer", everywhere},
    header_rule{"x-amz-sdk-checksum-algorithm", everywhere},

    // What an object or a bucket is made with. With the parts of an upload S3 does not read it.
    header_rule{"x-amz-acl", everywhere},
    header_rule{"x-amz-meta-", everywhere},
    header_rule{"x-amz-storage-class", everywhere},
    header_rule{"x-amz-tagging", everywhere},
    header_rule{"x-amz-metadata-directive", set_of({http_operation::copy_object}), else_is::ignored},
    header_rule{"x-amz-tagging-directive", set_of({http_operation::copy_object}), else_is::ignored},
    header_rule{"x-amz-object-ownership", set_of({http_operation::create_bucket})},
    header_rule{"x-amz-bucket-object-lock-enabled", set_of({http_operation::create_bucket})},
    header_rule{"x-amz-transition-default-minimum-object-size", set_of({http_operation::write_setting})},
    header_rule{"x-amz-copy-source-range", set_of({http_operation::copy_part})},
    header_rule{"x-amz-copy-source-server-side-encryption-", nowhere, else_is::refused, "Server-side encryption"},
    header_rule{"x-amz-copy-source", copies},
    header_rule{"x-amz-copy-source-if-", copies},

    // Checksums.
    header_rule{"x-amz-checksum-mode", everywhere},
    header_rule{"x-amz-checksum-algorithm",
                set_of({http_operation::begin_upload, http_operation::complete_upload, http_operation::copy_object,
                        http_operation::put_object, http_operation::put_part})},
    header_rule{"x-amz-checksum-type", set_of({http_operation::begin_upload, http_operation::complete_upload})},
    header_rule{"x-amz-checksum-crc32", with_body},
    header_rule{"x-amz-checksum-crc32c", with_body},
    header_rule{"x-amz-checksum-crc64nvme", with_body},
    header_rule{"x-amz-checksum-sha1", with_body},
    header_rule{"x-amz-checksum-sha256", with_body},
    header_rule{"x-amz-mp-object-size", set_of({http_operation::complete_upload})},

    // What is asked about an object, and under which condition.
    header_rule{"x-amz-object-attributes", set_of({http_operation::object_attributes})},
    header_rule{"x-amz-max-parts", set_of({http_operation::object_attributes})},
    header_rule{"x-amz-part-number-marker", set_of({http_operation::object_attributes})},
    header_rule{"x-amz-optional-object-attributes", // RestoreStatus, of objects that were restored: none ever was
                set_of({http_operation::list_objects, http_operation::list_versions})},
    header_rule{"x-amz-if-match-last-modified-time", set_of({http_operation::delete_object})},
    header_rule{"x-amz-if-match-size", set_of({http_operation::delete_object})},
    header_rule{"x-amz-bypass-governance-retention", removals}, // nothing is retained

    header_rule{"x-amz-grant-", nowhere, else_is::refused, "Granting (x-amz-grant-…)"},
    header_rule{"x-amz-server-side-encryption", nowhere, else_is::refused, "Server-side encryption"},
    header_rule{"x-amz-server-side-encryption-", nowhere, else_is::refused, "Server-side encryption"},
    header_rule{"x-amz-object-lock-", nowhere, else_is::refused, "Object locks"},
    header_rule{"x-amz-website-redirect-location", nowhere, else_is::refused, "Website redirects"},
    header_rule{"x-amz-write-offset-bytes", nowhere, else_is::refused, "Appending (x-amz-write-offset-bytes)"},
};

bool fits(std::string_view rule, std::string_view name) {
  return rule.ends_with('-') ? istarts_with(name, rule) : iequals(name, rule);
}

s3_error refused(std::string_view name, std::string_view feature) {
  return not_implemented(feature.empty() ? "The header " + ascii_lower(name) + " with this request"
                                         : std::string{feature});
}

// Conditions of HTTP on a write that cannot carry them out. RFC 9110 §13.1.3: If-Modified-Since is for reads alone.
bool is_unmet_condition(std::string_view name, http_operation operation) {
  if (!changes_data(operation) || holds(conditional_writes, operation)) return false;
  return iequals(name, "if-match") || iequals(name, "if-none-match") || iequals(name, "if-unmodified-since");
}

} // namespace

std::optional<s3_error> refused_header(std::string_view name, http_operation operation) {
  if (is_unmet_condition(name, operation)) return refused(name, {});
  if (!istarts_with(name, "x-amz-")) return std::nullopt;
  for (const auto& rule : rules) {
    if (!fits(rule.name, name)) continue;
    if (holds(rule.read_by, operation) || rule.elsewhere == else_is::ignored) return std::nullopt;
    return refused(name, rule.feature);
  }
  return refused(name, {});
}

std::optional<s3_error> refused_headers(const boost::beast::http::fields& fields, http_operation operation) {
  if (operation == http_operation::options || operation == http_operation::unknown) return std::nullopt;
  for (const auto& field : fields) {
    const auto name = field.name_string();
    if (auto problem = refused_header({name.data(), name.size()}, operation)) return problem;
  }
  return std::nullopt;
}

} // namespace cairn::net

// Requests from pages of other origins (Fetch standard, "CORS protocol"; S3's PutBucketCors): the rules of a bucket,
// as XML and as answers to browsers. Pure.
#pragma once

#include "net/s3/xml/s3_errors.hpp"
#include "storage/metadata/rows/rows.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace cairn::net {

using cors_rules = std::vector<storage::metadata::cors_rule>;

constexpr std::size_t cors_body_bytes_max = 64 << 10, cors_rules_max = 100;
constexpr std::size_t preflight_headers_max = 100; // distinct names in Access-Control-Request-Headers

// The document of PutBucketCors. MalformedXML, InvalidRequest.
std::variant<cors_rules, s3_error> read_cors_document(std::string_view body);
std::string cors_document(const cors_rules& rules);

// "Access-Control-…: …\r\n" of an answer to this origin; empty: no rule matches, and the browser hides the answer from
// the page.
std::string cors_lines(const cors_rules& rules, std::string_view origin, std::string_view method);

bool cors_allows(const cors_rules& rules, std::string_view origin, std::string_view method);

// OPTIONS with Access-Control-Request-Method: the header lines of the answer. AccessForbidden: no rule matches;
// BadRequest: too many headers are requested.
struct preflight_request {
  std::string_view origin, method, headers; // headers: names, separated by commas
};
std::variant<std::string, s3_error> preflight_answer(const cors_rules& rules, const preflight_request& asked);

} // namespace cairn::net

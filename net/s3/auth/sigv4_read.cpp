// Parses the signature of a request; a part of net/s3/auth/sigv4.hpp.
#include "base/codec.hpp"
#include "net/s3/auth/sigv2.hpp"
#include "net/s3/auth/sigv4.hpp"
#include "net/wire/grammar/ascii.hpp"
#include "net/wire/grammar/http_date.hpp"

#include <algorithm>
#include <array>
#include <chrono>

namespace cairn::net {

namespace {

constexpr std::string_view v4_algorithm = "AWS4-HMAC-SHA256";
constexpr std::size_t access_key_bytes_max = 256;

s3_error malformed_header(std::string_view what) {
  return {400, "AuthorizationHeaderMalformed", "The authorization header is malformed; " + std::string{what} + "."};
}

s3_error malformed_query(std::string_view what) {
  return {400, "AuthorizationQueryParametersError", std::string{what} + "."};
}

s3_error malformed(const signature_claim& claim, std::string_view what) {
  return claim.presigned ? malformed_query(what) : malformed_header(what);
}

std::optional<std::uint64_t> digits(std::string_view text, std::size_t most) {
  if (text.empty() || text.size() > most) return std::nullopt;
  std::uint64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + static_cast<std::uint64_t>(c - '0');
  }
  return value;
}

// "20130524T000000Z"
std::optional<wall_ms> parse_timestamp(std::string_view text) {
  if (text.size() != 16 || text[8] != 'T' || text[15] != 'Z') return std::nullopt;
  const auto day = digits(text.substr(0, 8), 8), time = digits(text.substr(9, 6), 6);
  if (!day || !time) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year{static_cast<int>(*day / 10000)},
                                         std::chrono::month{static_cast<unsigned>(*day / 100 % 100)},
                                         std::chrono::day{static_cast<unsigned>(*day % 100)}};
  const auto hour = *time / 10000, minute = *time / 100 % 100, second = *time % 100;
  if (!date.ok() || hour > 23 || minute > 59 || second > 60) return std::nullopt;
  const auto days = std::chrono::sys_days{date}.time_since_epoch().count();
  return (static_cast<wall_ms>(days) * 86400 + static_cast<wall_ms>(hour * 3600 + minute * 60 + second)) * 1000;
}

// A Date header's time in the form that is signed; it may have that form already.
std::optional<std::string> timestamp_of_date(std::string_view http_date) {
  if (parse_timestamp(http_date)) return std::string{http_date};
  const auto seconds = parse_http_date(http_date);
  if (!seconds) return std::nullopt;
  std::string iso; // "1994-11-06T08:49:37.000Z"
  append_iso_time(iso, *seconds * 1000);
  std::string out;
  for (const char c : std::string_view{iso}.substr(0, 19)) {
    if (c != '-' && c != ':') out += c;
  }
  return out + "Z";
}

// "AKID/20130524/us-east-1/s3/aws4_request", read from its end: an access key may hold slashes. The claim's service is
// the one that it must name.
bool read_credential(std::string_view text, signature_claim& claim) {
  std::array<std::string_view, 4> parts;
  for (auto part = parts.rbegin(); part != parts.rend(); ++part) {
    const auto slash = text.rfind('/');
    if (slash == text.npos) return false;
    *part = text.substr(slash + 1);
    text = text.substr(0, slash);
  }
  claim.access_key = text;
  claim.date = parts[0];
  claim.region = parts[1];
  return !text.empty() && text.size() <= access_key_bytes_max && digits(parts[0], 8) && parts[0].size() == 8 &&
         !parts[1].empty() && parts[2] == claim.service && parts[3] == "aws4_request";
}

bool is_signed(std::string_view signed_headers, std::string_view name) {
  while (!signed_headers.empty()) {
    const auto end = signed_headers.find(';');
    if (iequals(signed_headers.substr(0, end), name)) return true;
    signed_headers = end == signed_headers.npos ? std::string_view{} : signed_headers.substr(end + 1);
  }
  return false;
}

// Each signed name is searched among all headers. The bound keeps the cost of an unauthenticated request low.
constexpr std::size_t signed_headers_max = 256;
bool has_sane_names(std::string_view signed_headers) {
  std::vector<std::string_view> names;
  while (!signed_headers.empty()) {
    const auto end = signed_headers.find(';');
    names.push_back(signed_headers.substr(0, end));
    if (names.size() > signed_headers_max) return false;
    signed_headers = end == signed_headers.npos ? std::string_view{} : signed_headers.substr(end + 1);
  }
  std::sort(names.begin(), names.end());
  return std::adjacent_find(names.begin(), names.end()) == names.end();
}

// All headers that change a request's meaning must be signed. The payload's hash is part of every signature.
std::optional<s3_error> check_signed_headers(const signature_claim& claim, const signed_request& request) {
  if (!has_sane_names(claim.signed_headers))
    return malformed(claim, "SignedHeaders names too many headers, or one twice");
  if (!is_signed(claim.signed_headers, "host")) return malformed(claim, "SignedHeaders must contain host");
  for (const auto& header : request.headers) {
    if (!istarts_with(header.name, "x-amz-") || is_signed(claim.signed_headers, header.name)) continue;
    if (iequals(header.name, "x-amz-content-sha256") && (!claim.presigned || header.value == claim.payload)) continue;
    if (iequals(header.name, "x-amz-date") && !claim.presigned) continue;
    return s3_error{403,
                    "AccessDenied",
                    "There were headers present in the request which were not signed",
                    {},
                    {{"HeadersNotSigned", std::string{header.name}}}};
  }
  return std::nullopt;
}

std::optional<s3_error> read_payload(std::string text, signature_claim& claim) {
  auto kind = read_payload_kind(text, claim.payload_hash);
  if (auto* refused = std::get_if<s3_error>(&kind)) return std::move(*refused);
  claim.kind = std::get<payload_kind>(kind);
  claim.payload = std::move(text);
  return std::nullopt;
}

std::optional<s3_error> read_authorization(std::string_view text, signature_claim& claim) {
  if (!text.starts_with(v4_algorithm) || text.size() == v4_algorithm.size()) {
    if (text.starts_with("AWS4-ECDSA-")) return not_implemented("Signature Version 4A (AWS4-ECDSA-P256-SHA256)");
    if (text.starts_with("AWS ") || text.starts_with("AWS4-"))
      return s3_error{400, "InvalidRequest",
                      "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256."};
    return s3_error{400, "InvalidArgument", "Unsupported Authorization Type"};
  }
  bool has_credential = false;
  text.remove_prefix(v4_algorithm.size());
  while (!text.empty()) {
    const auto end = text.find(',');
    auto item = text.substr(0, end);
    text = end == text.npos ? std::string_view{} : text.substr(end + 1);
    while (!item.empty() && item.front() == ' ') item.remove_prefix(1);
    while (!item.empty() && item.back() == ' ') item.remove_suffix(1);
    const auto equals = item.find('=');
    const auto name = item.substr(0, equals);
    const auto value = equals == item.npos ? std::string_view{} : item.substr(equals + 1);
    if (name == "Credential") {
      if (!read_credential(value, claim))
        return malformed_header("the Credential is mal-formed; expecting \"<YOUR-AKID>/YYYYMMDD/REGION/" +
                                claim.service + "/aws4_request\"");
      has_credential = true;
    } else if (name == "SignedHeaders") {
      claim.signed_headers = value;
    } else if (name == "Signature") {
      claim.signature = value;
    }
  }
  if (!has_credential) return malformed_header("missing Credential");
  if (claim.signed_headers.empty()) return malformed_header("missing SignedHeaders");
  if (claim.signature.empty()) return malformed_header("missing Signature");
  return std::nullopt;
}

std::optional<s3_error> read_header_time(const signed_request& request, signature_claim& claim) {
  claim.timestamp = request.header("x-amz-date");
  if (claim.timestamp.empty()) claim.timestamp = timestamp_of_date(request.header("date")).value_or("");
  const auto time = parse_timestamp(claim.timestamp);
  if (!time) return s3_error{403, "AccessDenied", "AWS authentication requires a valid Date or x-amz-date header"};
  claim.signed_at = *time;
  return std::nullopt;
}

std::optional<s3_error> read_expiry(std::string_view text, signature_claim& claim) {
  if (text.starts_with('-')) return malformed_query("X-Amz-Expires must be non-negative");
  const auto seconds = digits(text, 18);
  if (!seconds) return malformed_query("X-Amz-Expires should be a number");
  if (*seconds > presigned_seconds_max)
    return malformed_query("X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must "
                           "be less than 604800 seconds");
  claim.expires_seconds = *seconds;
  return std::nullopt;
}

std::optional<s3_error> read_presigned(const signed_request& request, signature_claim& claim) {
  claim.presigned = true;
  const auto value = [&request](std::string_view name) {
    const auto* found = request.parameter(name);
    return found ? *found : std::string{};
  };
  for (const auto* name : {"X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Signature", "X-Amz-Date",
                           "X-Amz-SignedHeaders", "X-Amz-Expires"}) {
    if (value(name).empty())
      return malformed_query("Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, "
                             "X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters");
  }
  if (value("X-Amz-Algorithm") != v4_algorithm)
    return malformed_query("X-Amz-Algorithm only supports \"AWS4-HMAC-SHA256\"");
  if (!read_credential(value("X-Amz-Credential"), claim))
    return malformed_query("Error parsing the X-Amz-Credential parameter; the Credential is mal-formed; expecting "
                           "\"<YOUR-AKID>/YYYYMMDD/REGION/s3/aws4_request\"");
  claim.signature = value("X-Amz-Signature");
  claim.signed_headers = value("X-Amz-SignedHeaders");
  claim.timestamp = value("X-Amz-Date");
  const auto time = parse_timestamp(claim.timestamp);
  if (!time) return malformed_query("X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"");
  claim.signed_at = *time;
  if (auto refused = read_expiry(value("X-Amz-Expires"), claim)) return refused;
  std::string payload; // some signers move the header to the query under its own name
  for (const auto& parameter : request.query)
    if (payload.empty() && iequals(parameter.name, "X-Amz-Content-Sha256")) payload = parameter.value;
  if (payload.empty() && is_signed(claim.signed_headers, "x-amz-content-sha256"))
    payload = request.header("x-amz-content-sha256");
  return read_payload(payload.empty() ? "UNSIGNED-PAYLOAD" : std::move(payload), claim);
}

std::optional<s3_error> read_signed_headers(const signed_request& request, signature_claim& claim) {
  if (auto refused = read_authorization(request.header("authorization"), claim)) return refused;
  if (auto refused = read_header_time(request, claim)) return refused;
  auto payload = request.header("x-amz-content-sha256");
  if (payload.empty())
    return s3_error{400, "InvalidRequest", "Missing required header for this request: x-amz-content-sha256"};
  return read_payload(std::move(payload), claim);
}

} // namespace

const std::string* signed_request::parameter(std::string_view name) const {
  const auto found = std::find_if(query.begin(), query.end(), [name](const auto& p) { return p.name == name; });
  return found == query.end() ? nullptr : &found->value;
}

std::string signed_request::header(std::string_view name) const {
  std::string out;
  for (const auto& header : headers) {
    if (!iequals(header.name, name)) continue;
    if (!out.empty()) out += ',';
    out += header.value;
  }
  return out;
}

bool carries_credentials(const signed_request& request) {
  for (const auto& header : request.headers) {
    if (iequals(header.name, "authorization")) return true;
  }
  for (const auto& parameter : request.query) {
    if (parameter.name == "X-Amz-Algorithm" || parameter.name == "X-Amz-Credential" ||
        parameter.name == "X-Amz-Signature")
      return true;
  }
  return is_presigned_2(request.query);
}

std::variant<payload_kind, s3_error> read_payload_kind(std::string_view text, sha256_digest& hash) {
  constexpr std::array<std::pair<std::string_view, payload_kind>, 4> kinds{
      {{"UNSIGNED-PAYLOAD", payload_kind::unsigned_whole},
       {"STREAMING-AWS4-HMAC-SHA256-PAYLOAD", payload_kind::signed_chunks},
       {"STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER", payload_kind::signed_chunks_trailer},
       {"STREAMING-UNSIGNED-PAYLOAD-TRAILER", payload_kind::unsigned_chunks_trailer}}};
  for (const auto& [name, kind] : kinds) {
    if (text == name) return kind;
  }
  if (text.starts_with("STREAMING-AWS4-ECDSA-"))
    return not_implemented("Signature Version 4A (" + std::string{text} + ")");
  if (!read_hex(text, hash))
    return s3_error{400,
                    "InvalidArgument",
                    "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, "
                    "STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or a valid sha256 "
                    "value.",
                    {},
                    {{"ArgumentName", "x-amz-content-sha256"}, {"ArgumentValue", std::string{text}}}};
  return payload_kind::hashed;
}

std::variant<signature_claim, s3_error> read_policy_signature(const policy_signature& sent) {
  signature_claim claim;
  claim.of_form = true;
  if (sent.algorithm != v4_algorithm)
    return s3_error{400, "InvalidRequest",
                    "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256."};
  if (!read_credential(sent.credential, claim))
    return malformed_query("Error parsing the X-Amz-Credential parameter; the Credential is mal-formed; expecting "
                           "\"<YOUR-AKID>/YYYYMMDD/REGION/s3/aws4_request\"");
  const auto time = parse_timestamp(sent.date);
  if (!time || !sent.date.starts_with(claim.date))
    return malformed_query("X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\", and of the day "
                           "that the Credential names");
  claim.signed_at = *time;
  claim.timestamp = sent.date;
  claim.signature = sent.signature;
  claim.token = sent.token;
  return claim;
}

s3_error invalid_token() {
  return {400, "InvalidToken", "The provided token is malformed or otherwise invalid."};
}

s3_error expired_token() {
  return {400, "ExpiredToken", "The provided token has expired."};
}

std::variant<signature_claim, s3_error> read_service_signature(const signed_request& request, std::string_view service,
                                                               std::string_view body) {
  signature_claim claim;
  claim.service = service;
  claim.token = request.header("x-amz-security-token");
  if (auto refused = read_authorization(request.header("authorization"), claim)) return std::move(*refused);
  if (auto refused = read_header_time(request, claim)) return std::move(*refused);
  if (!claim.timestamp.starts_with(claim.date))
    return malformed(claim, "the date in the Credential is not the date of the request");
  claim.payload_hash = sha256_of(std::as_bytes(std::span{body}));
  claim.kind = payload_kind::hashed;
  claim.payload = hex_of(claim.payload_hash);
  const auto named = request.header("x-amz-content-sha256");
  if (!named.empty() && named != claim.payload) return s3_error_of(error{errc::payload_mismatch});
  if (auto unsigned_header = check_signed_headers(claim, request)) return std::move(*unsigned_header);
  return claim;
}

std::variant<signature_claim, s3_error> read_signature(const signed_request& request) {
  const bool in_header = !request.header("authorization").empty();
  const bool in_query = request.parameter("X-Amz-Algorithm") || request.parameter("X-Amz-Credential") ||
                        request.parameter("X-Amz-Signature");
  const bool version_2 = is_presigned_2(request.query);
  if (int{in_header} + int{in_query} + int{version_2} > 1)
    return s3_error{400, "InvalidArgument",
                    "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string "
                    "parameter or the Authorization header should be specified"};
  // In the place of the signature, which covers it there. Clients with permanent keys send an empty one.
  auto in_head = request.header("x-amz-security-token");
  const auto* const parameter = request.parameter("X-Amz-Security-Token");
  auto in_url = parameter != nullptr ? *parameter : std::string{};
  if (!(in_query ? in_head : in_url).empty()) return invalid_token();
  if (version_2) return in_head.empty() ? read_presigned_2(request) : invalid_token();
  signature_claim claim;
  claim.token = std::move(in_query ? in_url : in_head);
  auto refused = in_query ? read_presigned(request, claim) : read_signed_headers(request, claim);
  if (refused) return std::move(*refused);
  if (!claim.timestamp.starts_with(claim.date))
    return malformed(claim, "the date in the Credential is not the date of the request");
  if (auto unsigned_header = check_signed_headers(claim, request)) return std::move(*unsigned_header);
  return claim;
}

} // namespace cairn::net

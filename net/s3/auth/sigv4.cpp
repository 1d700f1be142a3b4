#include "net/s3/auth/sigv4.hpp"

#include "base/codec.hpp"
#include "net/wire/grammar/ascii.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>

namespace cairn::net {

namespace {

constexpr std::string_view empty_sha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

bytes_view bytes_of(std::string_view text) {
  return std::as_bytes(std::span{text});
}

sha256_digest hmac(std::span<const std::uint8_t> key, std::string_view message) {
  return hmac_sha256(std::as_bytes(key), bytes_of(message));
}

// S3 reads a run of spaces within a value as one space.
void append_value(std::string& out, std::string_view value) {
  bool space = false;
  for (const char c : value) {
    const bool blank = c == ' ' || c == '\t';
    if (!blank || !space) out.push_back(blank ? ' ' : c);
    space = blank;
  }
}

void append_header(std::string& out, std::string_view name, std::span<const header_view> headers) {
  out += name;
  bool first = true;
  for (const auto& header : headers) {
    if (!iequals(header.name, name)) continue;
    out += first ? ':' : ',';
    append_value(out, header.value);
    first = false;
  }
  if (first) out += ':';
  out += '\n';
}

std::string canonical_query(const signed_request& request, bool presigned) {
  std::vector<std::pair<std::string, std::string>> encoded;
  for (const auto& parameter : request.query) {
    if (presigned && parameter.name == "X-Amz-Signature") continue;
    auto& [name, value] = encoded.emplace_back();
    append_percent_encoded(name, parameter.name, false);
    append_percent_encoded(value, parameter.value, false);
  }
  std::sort(encoded.begin(), encoded.end());
  std::string out;
  for (const auto& [name, value] : encoded) {
    if (!out.empty()) out += '&';
    out.append(name).append("=").append(value);
  }
  return out;
}

std::string canonical_request(const signature_claim& claim, const signed_request& request, std::string_view path) {
  std::string out{request.method};
  out.append("\n").append(path).append("\n").append(canonical_query(request, claim.presigned)).append("\n");
  for (std::string_view names = claim.signed_headers; !names.empty();) {
    const auto end = names.find(';');
    append_header(out, names.substr(0, end), request.headers);
    names = end == names.npos ? std::string_view{} : names.substr(end + 1);
  }
  out.append("\n").append(claim.signed_headers).append("\n").append(claim.payload);
  return out;
}

std::string string_to_sign(const signature_claim& claim, std::string_view canonical) {
  return "AWS4-HMAC-SHA256\n" + claim.timestamp + "\n" + claim.scope() + "\n" + hex_of(sha256_of(bytes_of(canonical)));
}

bool same_signature(std::string_view given, const sha256_digest& right) {
  return equal_in_constant_time(bytes_of(given), bytes_of(hex_of(right)));
}

// Clients sign the path as they send it; some proxies forward another spelling of the same path.
std::optional<std::string> usual_path(std::string_view path) {
  const auto decoded = percent_decode(path, false);
  if (!decoded) return std::nullopt;
  std::string out;
  append_percent_encoded(out, *decoded);
  if (out == path) return std::nullopt;
  return out;
}

// "20130524T000000Z"
std::string timestamp_of(wall_ms now) {
  const std::chrono::sys_time<std::chrono::milliseconds> at{std::chrono::milliseconds{now}};
  const auto day = std::chrono::floor<std::chrono::days>(at);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss time{std::chrono::floor<std::chrono::seconds>(at - day)};
  char text[40];
  std::snprintf(text, sizeof text, "%04d%02u%02uT%02d%02d%02dZ", int{date.year()}, unsigned{date.month()},
                unsigned{date.day()}, static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
                static_cast<int>(time.seconds().count()));
  return text;
}

// What a client begins a signature with.
signature_claim claim_of(const client_credentials& with, wall_ms now, std::string_view payload) {
  signature_claim claim;
  claim.timestamp = timestamp_of(now);
  claim.date = claim.timestamp.substr(0, 8);
  claim.region = with.region;
  claim.service = with.service;
  claim.payload = payload;
  return claim;
}

std::string signature_of(const signature_claim& claim, const signed_request& request, std::string_view secret) {
  const auto text = string_to_sign(claim, canonical_request(claim, request, request.path));
  return hex_of(hmac(derive_signing_key(secret, claim.date, claim.region, claim.service), text));
}

} // namespace

std::vector<std::pair<std::string, std::string>>
sign_request(const client_credentials& with, const signed_request& request, wall_ms now, std::string_view payload) {
  auto claim = claim_of(with, now, payload);
  std::vector<std::pair<std::string, std::string>> added{{"x-amz-content-sha256", claim.payload},
                                                         {"x-amz-date", claim.timestamp}};
  if (!with.token.empty()) added.emplace_back("x-amz-security-token", with.token);
  std::vector<header_view> headers{request.headers.begin(), request.headers.end()};
  for (const auto& [name, value] : added) headers.push_back({name, value});
  std::vector<std::string> names;
  names.reserve(headers.size());
  for (const auto& header : headers) names.push_back(ascii_lower(header.name));
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  for (const auto& name : names) claim.signed_headers += (claim.signed_headers.empty() ? "" : ";") + name;
  signed_request whole = request;
  whole.headers = headers;
  added.emplace_back("Authorization", "AWS4-HMAC-SHA256 Credential=" + with.access_key + "/" + claim.scope() +
                                          ", SignedHeaders=" + claim.signed_headers +
                                          ", Signature=" + signature_of(claim, whole, with.secret_key));
  return added;
}

std::string presigned_query(const client_credentials& with, const signed_request& request, std::uint64_t seconds,
                            wall_ms now) {
  auto claim = claim_of(with, now, "UNSIGNED-PAYLOAD");
  claim.signed_headers = "host";
  claim.presigned = true;
  std::vector<query_parameter> query{request.query.begin(), request.query.end()};
  query.push_back({"X-Amz-Algorithm", "AWS4-HMAC-SHA256"});
  query.push_back({"X-Amz-Credential", with.access_key + "/" + claim.scope()});
  query.push_back({"X-Amz-Date", claim.timestamp});
  query.push_back({"X-Amz-Expires", std::to_string(seconds)});
  query.push_back({"X-Amz-SignedHeaders", claim.signed_headers});
  if (!with.token.empty()) query.push_back({"X-Amz-Security-Token", with.token});
  signed_request whole = request;
  whole.query = query;
  return canonical_query(whole, true) + "&X-Amz-Signature=" + signature_of(claim, whole, with.secret_key);
}

std::string signature_claim::scope() const {
  return date + "/" + region + "/" + service + "/aws4_request";
}

std::optional<s3_error> check_claim(const signature_claim& claim, std::string_view region, wall_ms now) {
  if (claim.version_2) {
    if (claim.of_form || now <= claim.signed_at) return std::nullopt;
    return s3_error{403, "AccessDenied", "Request has expired"};
  }
  if (claim.region != region) {
    const auto text = "the region '" + claim.region + "' is wrong; expecting '" + std::string{region} + "'";
    const auto region_line =
        "x-amz-bucket-region: " + std::string{region} + "\r\n"; // an answer to HEAD has no document
    if (claim.presigned || claim.of_form) {
      return s3_error{400,
                      "AuthorizationQueryParametersError",
                      "Error parsing the X-Amz-Credential parameter; " + text,
                      region_line,
                      {{"Region", std::string{region}}}};
    }
    return s3_error{400,
                    "AuthorizationHeaderMalformed",
                    "The authorization header is malformed; " + text,
                    region_line,
                    {{"Region", std::string{region}}}};
  }
  if (claim.of_form) return std::nullopt;
  if (claim.presigned) {
    if (claim.signed_at > now + clock_skew_max_ms) return s3_error{403, "AccessDenied", "Request is not yet valid"};
    const auto until = claim.signed_at + static_cast<wall_ms>(claim.expires_seconds) * 1000;
    if (now > until) return s3_error{403, "AccessDenied", "Request has expired"};
  } else if (claim.signed_at > now + clock_skew_max_ms || claim.signed_at < now - clock_skew_max_ms) {
    return s3_error{
        403,
        "RequestTimeTooSkewed",
        "The difference between the request time and the current time is too large.",
        {},
        {{"RequestTime", claim.timestamp}, {"MaxAllowedSkewMilliseconds", std::to_string(clock_skew_max_ms)}}};
  }
  return std::nullopt;
}

std::optional<s3_error> check_policy_signature(const signature_claim& claim, std::string_view policy,
                                               const sha256_digest& signing_key) {
  if (same_signature(claim.signature, hmac(signing_key, policy))) return std::nullopt;
  return signature_mismatch(claim, std::string{policy});
}

std::optional<s3_error> check_signature(const signature_claim& claim, const signed_request& request,
                                        const sha256_digest& signing_key) {
  const auto canonical = canonical_request(claim, request, request.path);
  const auto text = string_to_sign(claim, canonical);
  if (same_signature(claim.signature, hmac(signing_key, text))) return std::nullopt;
  if (const auto path = usual_path(request.path)) {
    const auto other = string_to_sign(claim, canonical_request(claim, request, *path));
    if (same_signature(claim.signature, hmac(signing_key, other))) return std::nullopt;
  }
  auto refused = signature_mismatch(claim, text);
  refused.details.emplace_back("CanonicalRequest", canonical);
  return refused;
}

s3_error signature_mismatch(const signature_claim& claim, std::string text) {
  return {403,
          "SignatureDoesNotMatch",
          "The request signature we calculated does not match the signature you provided. Check your key and "
          "signing method.",
          {},
          {{"AWSAccessKeyId", claim.access_key},
           {"StringToSign", std::move(text)},
           {"SignatureProvided", claim.signature}}};
}

sha256_digest derive_signing_key(std::string_view secret, std::string_view date, std::string_view region,
                                 std::string_view service) {
  const auto first = "AWS4" + std::string{secret};
  const auto of_date = hmac_sha256(bytes_of(first), bytes_of(date));
  return hmac(hmac(hmac(of_date, region), service), "aws4_request");
}

sha256_digest signing_keys::get(const std::string& secret, const std::string& date, const std::string& region,
                                const std::string& service) {
  const auto name = std::pair{date + "/" + region + "/" + service, secret};
  {
    const std::lock_guard lock{mutex_};
    if (const auto found = kept_.find(name); found != kept_.end()) return found->second;
  }
  const auto derived = derive_signing_key(secret, date, region, service);
  const std::lock_guard lock{mutex_};
  if (kept_.size() >= kept_max) kept_.erase(kept_.begin()); // the oldest day
  kept_.emplace(name, derived);
  return derived;
}

bool chunk_signatures::next(std::string_view algorithm, std::string_view signature, const std::string& digests) {
  std::string text{algorithm};
  text.append("\n").append(timestamp_).append("\n").append(scope_).append("\n").append(previous_);
  text.append("\n").append(digests);
  if (!same_signature(signature, hmac(key_, text))) return false;
  previous_ = signature;
  return true;
}

bool chunk_signatures::chunk(std::string_view signature, const sha256_digest& payload) {
  std::string digests{empty_sha256};
  digests.append("\n").append(hex_of(payload));
  return next("AWS4-HMAC-SHA256-PAYLOAD", signature, digests);
}

bool chunk_signatures::trailer(std::string_view signature, std::string_view canonical) {
  return next("AWS4-HMAC-SHA256-TRAILER", signature, hex_of(sha256_of(bytes_of(canonical))));
}

} // namespace cairn::net

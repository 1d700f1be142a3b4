#include "net/s3/signed_query.hpp"

#include "net/s3/auth/sigv2.hpp"
#include "net/s3/body/body_checksums.hpp"
#include "net/s3/xml/s3_errors.hpp"
#include "net/wire/grammar/ascii.hpp"
#include "net/wire/grammar/base64.hpp"
#include "net/wire/grammar/field_text.hpp"
#include "net/wire/grammar/fields.hpp"

#include <algorithm>
#include <array>

namespace cairn::net {

namespace {

namespace http = boost::beast::http;
using refusal = std::optional<s3_error>;

constexpr std::string_view amazon = "x-amz-", algorithm_name = "x-amz-sdk-checksum-algorithm";

// Parameters of the signature, in their only valid spelling. They are not headers.
constexpr std::array<std::string_view, 8> signature_names{
    "X-Amz-Algorithm",     "X-Amz-Credential", "X-Amz-Date",           "X-Amz-Expires",
    "X-Amz-SignedHeaders", "X-Amz-Signature",  "X-Amz-Security-Token", "X-Amz-Content-Sha256"};

constexpr std::array<std::string_view, 13> plain_names{
    "cache-control",  "content-disposition", "content-encoding", "content-language",
    "content-length", "content-md5",         "content-type",     "expires",
    "if-match",       "if-modified-since",   "if-none-match",    "if-unmodified-since",
    "range"};

bool presigned(const request_target& target) {
  return target.find("X-Amz-Signature") || target.find("X-Amz-Credential") || target.find("X-Amz-Algorithm");
}

// Whether the checksum is that of an empty body, which SDKs compute when they presign an upload, because they have no
// body yet.
bool of_empty_body(std::string_view name, std::string_view value) {
  for (const auto kind : checksum_kinds) {
    if (name != std::string{checksum_header_prefix}.append(to_string(kind))) continue;
    return value == base64_encode(running_checksum{kind}.finish());
  }
  return false;
}

bool brings_checksum(const http::fields& head) {
  if (head.find("x-amz-trailer") != head.end()) return true;
  return std::any_of(std::begin(checksum_kinds), std::end(checksum_kinds), [&head](auto kind) {
    return head.find(beast_view(std::string{checksum_header_prefix}.append(to_string(kind)))) != head.end();
  });
}

refusal take(http::fields& head, const std::string& name, std::string_view value, request& request) {
  if (!is_token(name)) return invalid_argument("The query parameter " + name + " is no name of a header.");
  if (!is_header_value(value)) return invalid_argument("A control character in " + name + ".");
  const auto present = head.find(name);
  if (present == head.end()) {
    // An absent Content-Length means a length of 0, unless the body is chunked.
    if (name != "content-length") {
      head.insert(name, beast_view(value));
      request.query_headers.push_back(name);
      return std::nullopt;
    }
    if (value == "0" && head.find(http::field::transfer_encoding) == head.end()) return std::nullopt;
  } else if (head.count(name) == 1 && present->value() == beast_view(value)) {
    return std::nullopt;
  }
  return invalid_argument("The header " + name + " has another value than the signed query has.");
}

} // namespace

std::optional<s3_error> take_query_headers(http::header<true, http::fields>& head, request& request) {
  if (request.target.query.empty() || head.method() == http::verb::options) return std::nullopt;
  const bool version_2 = is_presigned_2(request.target.query);
  const bool is_presigned = presigned(request.target) || version_2;
  std::string_view algorithm;
  std::vector<std::string> seen;
  for (const auto& parameter : request.target.query) {
    const auto name = ascii_lower(parameter.name);
    const bool is_amazon = name.starts_with(amazon);
    const bool is_plain = version_2 ? name == "content-type" || name == "content-md5" // what it signs
                                    : std::find(plain_names.begin(), plain_names.end(), name) != plain_names.end();
    if (!is_amazon && !is_plain) continue;
    if (!is_presigned) {
      if (!is_amazon) continue;
      return invalid_argument("The header " + name + " is read in the query of presigned URLs only.");
    }
    const auto same = [&](std::string_view p) { return iequals(p, name); };
    const auto known = std::find_if(signature_names.begin(), signature_names.end(), same);
    const bool is_protocol = known != signature_names.end();
    if (is_protocol && parameter.name != *known && name != "x-amz-content-sha256")
      return s3_error{400, "AuthorizationQueryParametersError", parameter.name + " is spelt " + std::string{*known}};
    if (std::find(seen.begin(), seen.end(), name) != seen.end())
      return invalid_argument("The query parameter " + parameter.name + " comes more than once.");
    seen.push_back(name);
    if (is_protocol) continue;
    const auto value = trimmed(parameter.value);
    if (name == algorithm_name)
      algorithm = value;
    else if (of_empty_body(name, value))
      continue;
    else if (auto refused = take(head, name, value, request))
      return refused;
  }
  // The algorithm of the checksum that the SDK computes, if any.
  if (algorithm.empty() || !brings_checksum(head)) return std::nullopt;
  return take(head, std::string{algorithm_name}, algorithm, request);
}

} // namespace cairn::net

#include "net/s3/auth/sigv2.hpp"

#include "net/wire/grammar/ascii.hpp"
#include "net/wire/grammar/base64.hpp"

#include <algorithm>
#include <map>

namespace cairn::net {

namespace {

const std::string* find(std::span<const query_parameter> query, std::string_view name) {
  const auto found = std::find_if(query.begin(), query.end(), [name](const auto& p) { return p.name == name; });
  return found == query.end() ? nullptr : &found->value;
}

s3_error missing() {
  return {403, "AccessDenied",
          "Query-string authentication requires the Signature, Expires and AWSAccessKeyId parameters"};
}

std::string amazon_headers(const signed_request& request) {
  std::map<std::string, std::string> sorted;
  for (const auto& header : request.headers) {
    if (!istarts_with(header.name, "x-amz-")) continue;
    auto& value = sorted[ascii_lower(header.name)];
    value.append(value.empty() ? "" : ",").append(header.value);
  }
  std::string out;
  for (const auto& [name, value] : sorted) out.append(name).append(":").append(value).append("\n");
  return out;
}

std::string path_of(const signed_request& request, std::string_view bucket) {
  return bucket.empty() ? std::string{request.path} : "/" + std::string{bucket} + std::string{request.path};
}

// Clients sign a bucket as /bucket or as /bucket/, whichever of them they send.
std::string other_path(std::string path) {
  if (path.ends_with('/'))
    path.pop_back();
  else
    path.push_back('/');
  return path;
}

bool names_a_bucket(std::string_view path) {
  return path.size() > 1 && path.find('/', 1) >= path.size() - 1;
}

std::string signed_query_of(const signed_request& request, bool (*is_sub_resource)(std::string_view name)) {
  std::string out;
  std::vector<std::string> kept;
  for (const auto& [name, value] : request.query) {
    const bool is_signed =
        is_sub_resource(name) || name == "partNumber" || name == "versionId" || name.starts_with("response-");
    if (is_signed) kept.push_back(value.empty() ? name : name + "=" + value);
  }
  std::sort(kept.begin(), kept.end());
  for (std::size_t i = 0; i < kept.size(); ++i) out.append(i == 0 ? "?" : "&").append(kept[i]);
  return out;
}

std::optional<s3_error> check(const signature_claim& claim, std::string_view text, std::string_view secret) {
  const auto right = hmac_sha1(std::as_bytes(std::span{secret}), std::as_bytes(std::span{text}));
  const auto wanted = base64_encode(std::string{right.begin(), right.end()});
  if (equal_in_constant_time(std::as_bytes(std::span{claim.signature}), std::as_bytes(std::span{wanted})))
    return std::nullopt;
  return signature_mismatch(claim, std::string{text});
}

} // namespace

bool is_presigned_2(std::span<const query_parameter> query) {
  return find(query, "AWSAccessKeyId") && find(query, "Signature");
}

std::variant<signature_claim, s3_error> read_presigned_2(const signed_request& request) {
  const auto *key = find(request.query, "AWSAccessKeyId"), *signature = find(request.query, "Signature"),
             *expires = find(request.query, "Expires");
  constexpr std::size_t digits_max = 12;
  if (!key || key->empty() || !signature || !expires || expires->empty() || expires->size() > digits_max)
    return missing();
  signature_claim claim;
  claim.version_2 = true;
  claim.presigned = true;
  claim.access_key = *key;
  claim.signature = *signature;
  claim.timestamp = *expires;
  for (const char c : *expires) {
    if (c < '0' || c > '9')
      return s3_error{403, "AccessDenied", "Invalid date (should be seconds since epoch): " + *expires};
    claim.signed_at = claim.signed_at * 10 + (c - '0');
  }
  claim.signed_at *= 1000;
  return claim;
}

signature_claim policy_signature_2(std::string_view access_key, std::string_view signature) {
  signature_claim claim;
  claim.version_2 = claim.of_form = true;
  claim.access_key = access_key;
  claim.signature = signature;
  return claim;
}

std::optional<s3_error> check_presigned_2(const signature_claim& claim, const signed_request& request,
                                          std::string_view bucket, std::string_view secret,
                                          bool (*is_sub_resource)(std::string_view name)) {
  std::string text{request.method};
  for (const auto& line : {request.header("content-md5"), request.header("content-type"), claim.timestamp})
    text.append("\n").append(line);
  text.append("\n").append(amazon_headers(request));
  const auto path = path_of(request, bucket), query = signed_query_of(request, is_sub_resource);
  auto refused = check(claim, text + path + query, secret);
  if (refused && names_a_bucket(path) && !check(claim, text + other_path(path) + query, secret)) return std::nullopt;
  return refused;
}

std::optional<s3_error> check_policy_signature_2(const signature_claim& claim, std::string_view policy,
                                                 std::string_view secret) {
  return check(claim, policy, secret);
}

s3_error sigv2_refused() {
  return {
      400, "InvalidRequest",
      "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256. This node takes "
      "Signature Version 2 in presigned URLs and POST forms only with auth.sigv2 = \"presigned\"."};
}

} // namespace cairn::net

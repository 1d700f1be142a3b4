#include "net/s3/payload.hpp"

#include "net/wire/grammar/fields.hpp"

#include <charconv>

namespace cairn::net {

namespace {

namespace http = boost::beast::http;

bool is_aws_chunked(const http::fields& fields) {
  const auto [first, last] = fields.equal_range(http::field::content_encoding);
  for (auto field = first; field != last; ++field) {
    if (names_aws_chunked(view_of(field->value()))) return true;
  }
  return false;
}

std::variant<std::uint64_t, s3_error> decoded_length(const http::fields& fields) {
  const auto text = field_of(fields, "x-amz-decoded-content-length");
  std::uint64_t length = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), length);
  if (problem == std::errc{} && end == text.data() + text.size()) return length;
  return s3_error{411, "MissingContentLength", "An aws-chunked body needs x-amz-decoded-content-length."};
}

// The payload kind of the request, signed or not.
std::variant<payload_kind, s3_error> payload_kind_of(const http::fields& fields, const request& request,
                                                     sha256_digest& hash) {
  if (request.signer) {
    hash = request.signer->claim.payload_hash;
    return request.signer->claim.kind;
  }
  const auto text = field_of(fields, "x-amz-content-sha256");
  if (text.empty()) return payload_kind::unsigned_whole;
  auto kind = read_payload_kind(text, hash);
  const auto* read = std::get_if<payload_kind>(&kind);
  if (read && (*read == payload_kind::signed_chunks || *read == payload_kind::signed_chunks_trailer)) {
    return s3_error{403, "AccessDenied", "A body with signed chunks needs a signed request."};
  }
  return kind;
}

} // namespace

std::variant<payload_plan, s3_error> plan_payload(const http::fields& fields, const request& request) {
  payload_plan plan;
  sha256_digest hash{};
  auto read = payload_kind_of(fields, request, hash);
  if (auto* refused = std::get_if<s3_error>(&read)) return std::move(*refused);
  const auto kind = std::get<payload_kind>(read);
  const bool whole = kind == payload_kind::unsigned_whole || kind == payload_kind::hashed;
  // x-amz-content-sha256 takes precedence: some clients name the coding in Content-Encoding without using it.
  const bool said = !field_of(fields, "x-amz-content-sha256").empty() || request.signer;
  const bool coded = !whole || (!said && is_aws_chunked(fields));
  if (kind == payload_kind::hashed) {
    plan.check = std::make_shared<hashed_payload>(hash);
  }
  if (!coded) return plan;
  auto length = decoded_length(fields);
  if (auto* refused = std::get_if<s3_error>(&length)) return std::move(*refused);
  plan.decoded_length = std::get<std::uint64_t>(length);
  if (kind == payload_kind::signed_chunks || kind == payload_kind::signed_chunks_trailer) {
    plan.chunks = std::make_shared<signed_chunks>(request.signer->claim, request.signer->signing_key,
                                                  kind == payload_kind::signed_chunks_trailer);
    plan.check = plan.chunks;
  }
  return plan;
}

} // namespace cairn::net

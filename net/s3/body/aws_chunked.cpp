#include "net/s3/body/aws_chunked.hpp"

#include "base/codec.hpp"
#include "base/error.hpp"
#include "net/wire/grammar/ascii.hpp"

#include <algorithm>

namespace cairn::net {

namespace {

constexpr std::string_view signature_name = "chunk-signature=";
constexpr std::size_t signature_bytes = 64;
constexpr std::size_t size_digits_max = 15;

s3_error malformed(std::string_view what) {
  return {400, "InvalidRequest", "The aws-chunked body is malformed: " + std::string{what} + "."};
}

std::string_view without_spaces(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

bool is_name(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
  });
}

} // namespace

std::optional<s3_error> aws_chunked_decoder::read_size_line(std::string_view line, aws_chunk& chunk) const {
  const auto semicolon = line.find(';');
  const auto size = line.substr(0, semicolon);
  const auto bytes = read_hex(size);
  if (!bytes || size.size() > size_digits_max) return malformed("a chunk's size is not a hexadecimal number");
  chunk.size = *bytes;
  if (semicolon != line.npos) {
    const auto extension = line.substr(semicolon + 1);
    if (!extension.starts_with(signature_name)) return malformed("a chunk has an unknown extension");
    chunk.signature = extension.substr(signature_name.size());
    if (chunk.signature.size() != signature_bytes || !is_hex(chunk.signature))
      return malformed("a chunk's signature is not 64 hexadecimal digits");
  }
  if (signed_ && chunk.signature.empty()) return malformed("a chunk has no signature");
  return std::nullopt;
}

std::optional<s3_error> aws_chunked_decoder::begin(const aws_chunk& chunk) {
  if (chunk.size == 0) {
    if (left_ > 0)
      return s3_error{400, "IncompleteBody", "The body is shorter than x-amz-decoded-content-length announces."};
    state_ = state::trailer;
    return std::nullopt;
  }
  if (chunk.size > left_) return malformed("it is longer than x-amz-decoded-content-length announces");
  if (signed_ && small_seen_)
    return s3_error{403, "InvalidChunkSizeError", "Only the last chunk may be smaller than 8192 bytes."};
  small_seen_ = chunk.size < signed_chunk_bytes_min;
  left_ -= chunk.size;
  payload_left_ = chunk.size;
  state_ = state::payload;
  return std::nullopt;
}

std::variant<aws_chunked_decoder::framing, s3_error> aws_chunked_decoder::take(std::string_view bytes) {
  CAIRN_ASSERT(payload_left_ == 0);
  framing out;
  if (state_ == state::payload) state_ = state::payload_end;
  while (out.used < bytes.size()) {
    const auto rest = bytes.substr(out.used);
    if (state_ == state::trailer) {
      if (trailer_text_.size() + rest.size() > trailer_bytes_max) return malformed("the trailer is too long");
      trailer_text_ += rest;
      out.used = bytes.size();
      break;
    }
    const auto newline = rest.substr(0, line_bytes_max).find('\n');
    if (newline == rest.npos) {
      if (rest.size() >= line_bytes_max) return malformed("a chunk's head is too long");
      break;
    }
    if (newline == 0 || rest[newline - 1] != '\r') return malformed("a line does not end in CRLF");
    out.used += newline + 1;
    const auto line = rest.substr(0, newline - 1);
    if (state_ == state::payload_end) {
      if (!line.empty()) return malformed("a chunk is longer than its size");
      state_ = state::size_line;
      continue;
    }
    aws_chunk chunk;
    if (auto refused = read_size_line(line, chunk)) return std::move(*refused);
    if (auto refused = begin(chunk)) return std::move(*refused);
    out.begun = std::move(chunk);
    break;
  }
  return out;
}

std::optional<s3_error> aws_chunked_decoder::read_trailer(std::string_view line) {
  const auto colon = line.find(':');
  const auto name = line.substr(0, colon);
  if (colon == line.npos || !is_name(name)) return s3_error{400, "MalformedTrailerError", "A trailer is malformed."};
  auto lower = ascii_lower(name);
  const auto value = without_spaces(line.substr(colon + 1));
  if (lower == "x-amz-trailer-signature")
    trailer_signature_ = value;
  else
    trailers_.emplace_back(std::move(lower), value);
  return std::nullopt;
}

std::optional<s3_error> aws_chunked_decoder::finish() {
  if (state_ != state::trailer || payload_left_ > 0)
    return s3_error{400, "IncompleteBody", "The body ended before its last chunk."};
  for (std::string_view rest = trailer_text_; !rest.empty();) {
    const auto end = rest.find('\n');
    auto line = rest.substr(0, end);
    rest = end == rest.npos ? std::string_view{} : rest.substr(end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty()) continue;
    if (auto refused = read_trailer(line)) return refused;
  }
  return std::nullopt;
}

std::string aws_chunked_decoder::canonical_trailers() const {
  std::string out;
  for (const auto& [name, value] : trailers_) out.append(name).append(":").append(value).append("\n");
  return out;
}

bool names_aws_chunked(std::string_view content_encoding) {
  while (!content_encoding.empty()) {
    const auto comma = content_encoding.find(',');
    if (iequals(without_spaces(content_encoding.substr(0, comma)), "aws-chunked")) return true;
    content_encoding = comma == content_encoding.npos ? std::string_view{} : content_encoding.substr(comma + 1);
  }
  return false;
}

std::string without_aws_chunked(std::string_view content_encoding) {
  std::string out;
  while (!content_encoding.empty()) {
    const auto comma = content_encoding.find(',');
    const auto coding = without_spaces(content_encoding.substr(0, comma));
    content_encoding = comma == content_encoding.npos ? std::string_view{} : content_encoding.substr(comma + 1);
    if (iequals(coding, "aws-chunked")) continue;
    if (!out.empty()) out += ", ";
    out += coding;
  }
  return out;
}

} // namespace cairn::net

// Bodies in the aws-chunked coding, cut anywhere: the same payload or the same refusal as in one piece, never more
// payload than was announced.
#include "base/error.hpp"
#include "net/s3/body/aws_chunked.hpp"

#include <algorithm>
#include <string>
#include <string_view>

namespace {

struct outcome {
  std::string payload, refusal, trailers;
  friend bool operator==(const outcome&, const outcome&) = default;
};

outcome decode(std::string_view bytes, std::uint64_t length, bool wants_signatures, std::size_t piece) {
  cairn::net::aws_chunked_decoder decoder{length, wants_signatures};
  outcome out;
  std::string waiting;
  while (!bytes.empty()) {
    const auto n = std::min(piece, bytes.size());
    waiting += bytes.substr(0, n);
    bytes.remove_prefix(n);
    for (std::size_t used = 1; used > 0 && !waiting.empty(); waiting.erase(0, used)) {
      if (decoder.payload_left() > 0) {
        used = std::min<std::uint64_t>(decoder.payload_left(), waiting.size());
        out.payload += waiting.substr(0, used);
        decoder.payload_taken(used);
        continue;
      }
      const auto step = decoder.take(waiting);
      if (const auto* refused = std::get_if<cairn::net::s3_error>(&step)) {
        out.refusal = refused->code;
        return out;
      }
      used = std::get<cairn::net::aws_chunked_decoder::framing>(step).used;
    }
    CAIRN_ASSERT(waiting.size() < cairn::net::aws_chunked_decoder::line_bytes_max);
  }
  if (const auto refused = decoder.finish()) out.refusal = refused->code;
  out.trailers = decoder.canonical_trailers() + decoder.trailer_signature();
  return out;
}

} // namespace

// The first two bytes: the announced length and how the bytes are cut.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view bytes{reinterpret_cast<const char*>(data) + 2, size - 2};
  const std::uint64_t length = data[0];
  const bool wants_signatures = data[1] >= 128;
  const auto whole = decode(bytes, length, wants_signatures, bytes.size() + 1);
  CAIRN_ASSERT(whole.payload.size() <= length);
  CAIRN_ASSERT(!whole.refusal.empty() || whole.payload.size() == length);
  CAIRN_ASSERT(decode(bytes, length, wants_signatures, data[1] % 128 + 1u) == whole);
  (void)cairn::net::without_aws_chunked(bytes);
  return 0;
}

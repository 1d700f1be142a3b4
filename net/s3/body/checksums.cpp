#include "net/s3/body/checksums.hpp"

#include "base/checksum.hpp"

namespace cairn::net {

namespace {

template <class Digest>
std::string as_string(const Digest& digest) {
  return {digest.begin(), digest.end()};
}

// A CRC of `bits` bits is a polynomial over GF(2) modulo its generator, the highest power in the lowest bit. Appending
// n zero bytes to a message multiplies its CRC by x^(8n). Because CRCs are linear, this joins two CRCs (as in Mark
// Adler's crc32_combine of zlib).
struct crc_field {
  std::uint64_t generator; // without its highest power
  unsigned bits;

  std::uint64_t one() const { return std::uint64_t{1} << (bits - 1); }
  std::uint64_t times_x(std::uint64_t a) const { return (a & 1) != 0 ? (a >> 1) ^ generator : a >> 1; }
  std::uint64_t multiply(std::uint64_t a, std::uint64_t b) const {
    std::uint64_t product = 0;
    for (std::uint64_t power = one(); power != 0; power >>= 1, b = times_x(b))
      if ((a & power) != 0) product ^= b;
    return product;
  }
  // x^(8n)
  std::uint64_t shift_of(std::uint64_t n) const {
    std::uint64_t result = one(), square = one();
    for (int i = 0; i < 8; ++i) square = times_x(square);
    for (; n != 0; n >>= 1, square = multiply(square, square))
      if ((n & 1) != 0) result = multiply(result, square);
    return result;
  }
};

std::optional<crc_field> crc_field_of(checksum_kind kind) {
  switch (kind) {
    case checksum_kind::crc32: return crc_field{0xEDB88320, 32};
    case checksum_kind::crc32c: return crc_field{0x82F63B78, 32};
    case checksum_kind::crc64nvme: return crc_field{0x9A6C9329AC4BC9B5, 64};
    case checksum_kind::sha1:
    case checksum_kind::sha256: break;
  }
  return std::nullopt;
}

std::uint64_t number_of(std::string_view bytes) {
  std::uint64_t n = 0;
  for (const char c : bytes) n = n << 8 | static_cast<unsigned char>(c);
  return n;
}

std::string bytes_of(std::uint64_t n, std::size_t count) {
  std::string bytes(count, '\0');
  for (std::size_t i = count; i-- > 0; n >>= 8) bytes[i] = static_cast<char>(n & 0xff);
  return bytes;
}

} // namespace

std::string_view to_string(checksum_kind kind) noexcept {
  switch (kind) {
    case checksum_kind::crc32: return "crc32";
    case checksum_kind::crc32c: return "crc32c";
    case checksum_kind::crc64nvme: return "crc64nvme";
    case checksum_kind::sha1: return "sha1";
    case checksum_kind::sha256: return "sha256";
  }
  return "unknown";
}

std::size_t checksum_bytes(checksum_kind kind) noexcept {
  switch (kind) {
    case checksum_kind::crc32:
    case checksum_kind::crc32c: return 4;
    case checksum_kind::crc64nvme: return 8;
    case checksum_kind::sha1: return std::tuple_size_v<sha1_digest>;
    case checksum_kind::sha256: return std::tuple_size_v<sha256_digest>;
  }
  return 0;
}

running_checksum::running_checksum(checksum_kind kind) : kind_(kind) {
  if (kind == checksum_kind::sha1) hash_.emplace<sha1>();
  if (kind == checksum_kind::sha256) hash_.emplace<sha256>();
}

void running_checksum::update(bytes_view data) {
  switch (kind_) {
    case checksum_kind::crc32: crc_ = crc32(data, static_cast<std::uint32_t>(crc_)); break;
    case checksum_kind::crc32c: crc_ = crc32c(data, static_cast<std::uint32_t>(crc_)); break;
    case checksum_kind::crc64nvme: crc_ = crc64nvme(data, crc_); break;
    case checksum_kind::sha1: std::get<sha1>(hash_).update(data); break;
    case checksum_kind::sha256: std::get<sha256>(hash_).update(data); break;
  }
}

std::string running_checksum::finish() {
  if (auto* hash = std::get_if<sha1>(&hash_)) return as_string(hash->finish());
  if (auto* hash = std::get_if<sha256>(&hash_)) return as_string(hash->finish());
  return bytes_of(crc_, checksum_bytes(kind_));
}

std::optional<std::string> joined_checksum(checksum_kind kind, std::string_view first, std::string_view second,
                                           std::uint64_t length) {
  const auto field = crc_field_of(kind);
  if (!field || first.size() != checksum_bytes(kind) || second.size() != first.size()) return std::nullopt;
  return bytes_of(field->multiply(number_of(first), field->shift_of(length)) ^ number_of(second), first.size());
}

} // namespace cairn::net

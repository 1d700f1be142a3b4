#include "storage/checksums.hpp"

#include "storage/checksum.hpp"

namespace cairn::storage {

namespace {

template <class Digest>
std::string as_string(const Digest& digest) {
  return {digest.begin(), digest.end()};
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
  std::string bytes(checksum_bytes(kind_), '\0');
  for (std::size_t i = bytes.size(); i-- > 0; crc_ >>= 8) bytes[i] = static_cast<char>(crc_ & 0xff);
  return bytes;
}

} // namespace cairn::storage

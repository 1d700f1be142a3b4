// The checksums that S3 clients may announce with a body ("Checking object integrity", S3 user guide). One thread at a
// time; movable.
#pragma once

#include "base/digest.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace cairn::net {

enum class checksum_kind : std::uint8_t { crc32, crc32c, crc64nvme, sha1, sha256 };
constexpr checksum_kind checksum_kinds[] = {checksum_kind::crc32, checksum_kind::crc32c, checksum_kind::crc64nvme,
                                            checksum_kind::sha1, checksum_kind::sha256};
// What S3 computes for a body with which no checksum came.
constexpr checksum_kind default_checksum = checksum_kind::crc64nvme;

std::string_view to_string(checksum_kind kind) noexcept; // "crc32": S3's names, in lower case
std::size_t checksum_bytes(checksum_kind kind) noexcept;

class running_checksum {
public:
  explicit running_checksum(checksum_kind kind);
  checksum_kind kind() const noexcept { return kind_; }
  void update(bytes_view data);
  std::string finish(); // the bytes, most significant first, as S3 has them in base64; only once

private:
  checksum_kind kind_;
  std::uint64_t crc_ = 0;
  std::variant<std::monostate, sha1, sha256> hash_;
};

// The checksum of two concatenated byte sequences from their checksums; `length` is the length of the second one.
// nullopt for kinds that are not CRCs. O(log length).
std::optional<std::string> joined_checksum(checksum_kind kind, std::string_view first, std::string_view second,
                                           std::uint64_t length);

} // namespace cairn::net

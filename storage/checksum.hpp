// CRC32C (Castagnoli, RFC 3720 appendix B.4) of bytes on disk and wire, by ISA-L. Thread-safe, no allocation.
#pragma once

#include "storage/file_system.hpp"

#include <cstdint>

namespace cairn::storage {

// `before` is the checksum of the bytes in front of `data`, so that crc32c(b, crc32c(a)) == crc32c(a + b).
std::uint32_t crc32c(bytes_view data, std::uint32_t before = 0) noexcept;

} // namespace cairn::storage

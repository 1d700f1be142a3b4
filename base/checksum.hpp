// CRC32C (Castagnoli, RFC 3720 appendix B.4) for bytes on disk and wire, and the other CRCs that S3 clients send.
// Computed by ISA-L, except CRC-64/NVME, which Debian's version of ISA-L lacks: without carry-less multiplication
// (PCLMULQDQ) it is several times slower than the others. Thread-safe, no allocation.
#pragma once

#include "base/file_system.hpp"

#include <cstdint>

namespace cairn {

// `before` is the checksum of the bytes that precede `data`: crc32c(b, crc32c(a)) == crc32c(a + b).
std::uint32_t crc32c(bytes_view data, std::uint32_t before = 0) noexcept;
std::uint32_t crc32(bytes_view data, std::uint32_t before = 0) noexcept;     // ISO-HDLC, as in gzip (RFC 1952 §8)
std::uint64_t crc64nvme(bytes_view data, std::uint64_t before = 0) noexcept; // NVM Express NVM command set, §5.2.1.3.4

} // namespace cairn

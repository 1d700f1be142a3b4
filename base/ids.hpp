// Ids of stored things. A blob is an immutable sequence of chunks. Its id is never reused: it consists of the writer
// session (unique, assigned by the metadata) and a number that the session draws from its counter and randomness. A
// chunk's id is (blob, index). All ids encode big-endian, so that they sort.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace cairn {

using group_id = std::uint16_t;    // metadata group; one group (0) for now, in every key and command
using log_index = std::uint64_t;   // position of an entry in the metadata log, from 1
using session_id = std::uint64_t;  // assigned by the metadata, ascending, never reused; one log entry may begin several
using manifest_id = std::uint64_t; // from the same counter: never reused
using bucket_id = std::uint64_t;   // from the same counter: never reused
using partition_id = std::uint16_t;
using node_number = std::uint16_t;  // assigned by the metadata, from 0, never reused
using layout_epoch = std::uint64_t; // incremented by every change of nodes or owners; 0: there is no cluster

constexpr std::uint32_t partition_count = 16384;
constexpr std::uint64_t block_size_bytes = 64 * 1024; // unit of checksums and the smallest read

using uuid = std::array<std::uint8_t, 16>;
std::string to_string(const uuid& id);                 // 8-4-4-4-12 hex
std::optional<uuid> parse_uuid(std::string_view text); // exactly what to_string writes

struct blob_id {
  session_id session = 0;
  std::uint64_t number = 0;
  friend auto operator<=>(const blob_id&, const blob_id&) = default;
};

struct chunk_id {
  blob_id blob;
  std::uint32_t index = 0;
  friend auto operator<=>(const chunk_id&, const chunk_id&) = default;
};

std::string to_string(const blob_id& id);  // "session-number" in hex
std::string to_string(const chunk_id& id); // "session-number/index"

// XXH3-64 of the chunk id's 20 big-endian bytes, modulo partition_count. Part of the on-disk format (index keys).
partition_id partition_of(const chunk_id& id) noexcept;

} // namespace cairn

template <>
struct std::hash<cairn::blob_id> {
  std::size_t operator()(const cairn::blob_id& b) const noexcept {
    return (b.session * 0x9E3779B97F4A7C15ull) ^ (b.number * 0xC2B2AE3D27D4EB4Full);
  }
};
template <>
struct std::hash<cairn::chunk_id> {
  std::size_t operator()(const cairn::chunk_id& c) const noexcept {
    return std::hash<cairn::blob_id>{}(c.blob) ^ ((c.index + 1) * 0x165667B19E3779F9ull);
  }
};

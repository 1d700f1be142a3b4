// Valid names of buckets and objects.
#pragma once

#include <cstddef>
#include <string_view>

namespace cairn::storage::metadata {

constexpr std::size_t key_bytes_max = 1024; // of an object's key, UTF-8

// Bucket names: 3–63 of a–z 0–9 . - and not an IP address; keys: 1–1,024 bytes of valid UTF-8 without NUL.
bool valid_bucket_name(std::string_view name);
bool valid_key(std::string_view key);
// Length in bytes of the well-formed UTF-8 character at the beginning of `text`, 0 if there is none. Unicode 15, table
// 3-7.
std::size_t utf8_character(std::string_view text);
bool valid_utf8(std::string_view text); // NUL is valid

} // namespace cairn::storage::metadata

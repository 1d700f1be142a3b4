// Valid names of buckets and objects.
#pragma once

#include <cstddef>
#include <string_view>

namespace cairn::storage::metadata {

constexpr std::size_t key_bytes_max = 1024; // of an object's key, UTF-8

// Bucket names: 3–63 of a–z 0–9 . - and not an IP address; keys: 1–1,024 bytes of valid UTF-8 without NUL.
bool valid_bucket_name(std::string_view name);
bool valid_key(std::string_view key);
bool valid_utf8(std::string_view text); // as first_character (base/visible_text.hpp); NUL is valid

} // namespace cairn::storage::metadata

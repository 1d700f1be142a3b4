// How the commands name things: BUCKET/KEY on the command line, percent-encoded targets in requests. Plain text
// functions.
#pragma once

#include "base/error.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cairn::cli {

struct object_path {
  std::string bucket;
  std::string key; // may be empty where a command takes a bucket or a prefix
};

// "files/2024/a.bin" → bucket "files", key "2024/a.bin". A leading "/" or "s3://" is accepted. invalid_argument when
// the bucket is empty, or the key is empty and `key_needed`.
result<object_path> parse_object_path(std::string_view text, bool key_needed);

// RFC 3986: everything but unreserved characters is encoded, "/" kept for paths.
std::string percent_encode(std::string_view text, bool keep_slashes);
// "%41" → "A", "+" → " " (what encoding-type=url answers). Malformed escapes stay as they are.
std::string percent_decode(std::string_view text);

// "list-type=2&prefix=a%2F", of a target's query or of a form.
std::string query_text(const std::vector<std::pair<std::string, std::string>>& parameters);

// "/bucket/key" for a request.
std::string target_of(const object_path& path);
// "/bucket?list-type=2&prefix=a%2F"
std::string target_of(std::string_view bucket, const std::vector<std::pair<std::string, std::string>>& query);

// Control characters of a key as \xNN, so that printing a hostile key cannot drive the terminal.
std::string printable(std::string_view text);

} // namespace cairn::cli

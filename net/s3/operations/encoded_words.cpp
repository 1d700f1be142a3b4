#include "net/s3/operations/encoded_words.hpp"

#include "net/wire/grammar/base64.hpp"
#include "net/wire/grammar/field_text.hpp"
#include "storage/metadata/rows/names.hpp"

#include <algorithm>

namespace cairn::net {

namespace {

// Base64 of this many bytes in the longer of the two frames ("=?ISO-8859-1?B?" and "?=") has 73 characters.
constexpr std::size_t word_bytes_max = 42;

bool continues_character(char c) {
  return (static_cast<unsigned char>(c) & 0xc0) == 0x80;
}

} // namespace

std::string as_encoded_words(std::string_view value) {
  const auto is_allowed = [](char c) { return (c >= 0x20 && c < 0x7f) || c == '\t'; };
  if (std::all_of(value.begin(), value.end(), is_allowed)) return std::string{value};
  const bool utf8 = storage::metadata::valid_utf8(value);
  std::string out;
  while (!value.empty()) {
    auto bytes = std::min(word_bytes_max, value.size());
    while (utf8 && bytes < value.size() && continues_character(value[bytes])) --bytes;
    out += out.empty() ? "" : " "; // decoders drop the space between two encoded words
    out += utf8 ? "=?UTF-8?B?" : "=?ISO-8859-1?B?";
    out += base64_encode(value.substr(0, bytes)) + "?=";
    value.remove_prefix(bytes);
  }
  return out;
}

std::string as_field_value(std::string_view value) {
  if (!storage::metadata::valid_utf8(value)) return std::string{value};
  if (auto latin1 = as_latin1(value)) return std::move(*latin1);
  constexpr std::string_view marks = "\"=;,";
  std::string out;
  while (!value.empty()) {
    const auto length = std::min(value.find_first_of(marks), value.size());
    const auto part = value.substr(0, length), text = trimmed(part);
    if (!text.empty()) {
      const auto before = std::size_t(text.data() - part.data());
      out += part.substr(0, before);
      out += as_encoded_words(text);
      out += part.substr(before + text.size());
    } else {
      out += part;
    }
    if (length < value.size()) out += value[length];
    value.remove_prefix(std::min(length + 1, value.size()));
  }
  return out;
}

} // namespace cairn::net

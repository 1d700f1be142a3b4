#include "cli/client/object_path.hpp"

#include "base/visible_text.hpp"

#include <cctype>
#include <charconv>

namespace cairn::cli {

namespace {

constexpr char hex_digits[] = "0123456789ABCDEF";

bool is_unreserved(unsigned char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

} // namespace

result<object_path> parse_object_path(std::string_view text, bool key_needed) {
  const auto whole = text;
  if (text.starts_with("s3://"))
    text.remove_prefix(5);
  else if (text.starts_with('/'))
    text.remove_prefix(1);
  const auto slash = text.find('/');
  object_path path{std::string(text.substr(0, slash)), {}};
  if (slash != std::string_view::npos) path.key = text.substr(slash + 1);
  if (path.bucket.empty() || (key_needed && path.key.empty()))
    return error{errc::invalid_argument,
                 "\"" + printable(whole) + "\": expected " +
                     (key_needed ? "BUCKET/KEY, such as files/holiday.mp4" : "BUCKET, such as files")};
  return path;
}

std::string percent_encode(std::string_view text, bool keep_slashes) {
  std::string out;
  out.reserve(text.size() + 16);
  for (const unsigned char c : text) {
    if (is_unreserved(c) || (c == '/' && keep_slashes)) {
      out += static_cast<char>(c);
    } else {
      out += '%';
      out += hex_digits[c >> 4];
      out += hex_digits[c & 15];
    }
  }
  return out;
}

std::string percent_decode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned value = 0;
    if (text[i] == '%' && i + 2 < text.size()) {
      const auto [end, code] = std::from_chars(text.data() + i + 1, text.data() + i + 3, value, 16);
      if (code == std::errc{} && end == text.data() + i + 3) {
        out += static_cast<char>(value);
        i += 2;
        continue;
      }
    }
    out += text[i] == '+' ? ' ' : text[i];
  }
  return out;
}

std::string target_of(const object_path& path) {
  return "/" + percent_encode(path.bucket, false) + (path.key.empty() ? "" : "/" + percent_encode(path.key, true));
}

std::string target_of(std::string_view bucket, const std::vector<std::pair<std::string, std::string>>& query) {
  std::string target = "/" + percent_encode(bucket, false);
  char separator = '?';
  for (const auto& [name, value] : query) {
    target += separator + percent_encode(name, false) + "=" + percent_encode(value, false);
    separator = '&';
  }
  return target;
}

std::string printable(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const auto c = first_character(text);
    for (const unsigned char byte : text.substr(0, c.bytes)) {
      if (drives_terminal(c)) {
        out += "\\x";
        out += hex_digits[byte >> 4];
        out += hex_digits[byte & 15];
      } else {
        out += static_cast<char>(byte);
      }
    }
    text.remove_prefix(c.bytes);
  }
  return out;
}

} // namespace cairn::cli

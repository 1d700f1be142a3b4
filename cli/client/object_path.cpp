#include "cli/client/object_path.hpp"

#include "base/codec.hpp"
#include "base/visible_text.hpp"
#include "net/wire/grammar/uri.hpp"

namespace cairn::cli {

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
  net::append_percent_encoded(out, text, keep_slashes);
  return out;
}

std::string percent_decode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      if (const auto value = read_hex(text.substr(i + 1, 2))) {
        out += static_cast<char>(*value);
        i += 2;
        continue;
      }
    }
    out += text[i] == '+' ? ' ' : text[i];
  }
  return out;
}

std::string query_text(const std::vector<std::pair<std::string, std::string>>& parameters) {
  std::string out;
  for (const auto& [name, value] : parameters)
    out += (out.empty() ? "" : "&") + percent_encode(name, false) + "=" + percent_encode(value, false);
  return out;
}

std::string target_of(const object_path& path) {
  return "/" + percent_encode(path.bucket, false) + (path.key.empty() ? "" : "/" + percent_encode(path.key, true));
}

std::string target_of(std::string_view bucket, const std::vector<std::pair<std::string, std::string>>& query) {
  return "/" + percent_encode(bucket, false) + (query.empty() ? "" : "?" + query_text(query));
}

std::string printable(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const auto c = first_character(text);
    for (const unsigned char byte : text.substr(0, c.bytes)) {
      if (drives_terminal(c)) {
        out.append("\\x").append(upper_hex_of(byte));
      } else {
        out += static_cast<char>(byte);
      }
    }
    text.remove_prefix(c.bytes);
  }
  return out;
}

} // namespace cairn::cli

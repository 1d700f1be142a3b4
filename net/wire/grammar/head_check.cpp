#include "net/wire/grammar/head_check.hpp"

#include "net/wire/grammar/ascii.hpp"
#include "net/wire/grammar/field_text.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace cairn::net {

namespace {

constexpr std::array<bool, 256> token_table = [] {
  std::array<bool, 256> table{};
  for (int c = '0'; c <= '9'; ++c) table[static_cast<std::size_t>(c)] = true;
  for (int c = 'a'; c <= 'z'; ++c) table[static_cast<std::size_t>(c)] = true;
  for (int c = 'A'; c <= 'Z'; ++c) table[static_cast<std::size_t>(c)] = true;
  for (const char c : {'!', '#', '$', '%', '&', '\'', '*', '+', '-', '.', '^', '_', '`', '|', '~'}) {
    table[static_cast<unsigned char>(c)] = true;
  }
  return table;
}();

bool is_token(std::string_view text) {
  if (text.empty()) return false;
  for (const char c : text) {
    if (!token_table[static_cast<unsigned char>(c)]) return false;
  }
  return true;
}

// Visible characters, space, tab and bytes above ASCII. Other control characters are not allowed in a value.
bool is_field_value(std::string_view text) {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte < 0x20 && byte != '\t') || byte == 0x7f) return false;
  }
  return true;
}

bool is_target(std::string_view text) {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= 0x20 || byte == 0x7f) return false;
  }
  return !text.empty();
}

struct findings {
  head_info info;
  unsigned version_minor = 0;
  bool has_length = false, has_coding = false;

  bool refuse(unsigned status, std::string_view reason) {
    info.refused = head_refusal{status, reason};
    return false;
  }
};

bool check_request_line(std::string_view line, findings& found) {
  const auto first = line.find(' '), last = line.rfind(' ');
  if (first == line.npos || first == last) return found.refuse(400, "malformed request line");
  const auto version = line.substr(last + 1);
  if (!is_token(line.substr(0, first)) || !is_target(line.substr(first + 1, last - first - 1))) {
    return found.refuse(400, "malformed request line");
  }
  if (version == "HTTP/1.1") {
    found.version_minor = 1;
  } else if (version != "HTTP/1.0") {
    const bool is_http = version.substr(0, 5) == "HTTP/" && version.size() == 8;
    return is_http ? found.refuse(505, "only HTTP/1.0 and HTTP/1.1 are supported")
                   : found.refuse(400, "malformed request line");
  }
  return true;
}

bool check_content_length(std::string_view value, findings& found) {
  if (found.has_length) return found.refuse(400, "repeated Content-Length");
  found.has_length = true;
  if (value.empty() || value.size() > 18) return found.refuse(400, "malformed Content-Length");
  std::uint64_t length = 0;
  for (const char c : value) {
    if (c < '0' || c > '9') return found.refuse(400, "malformed Content-Length");
    length = length * 10 + static_cast<std::uint64_t>(c - '0');
  }
  found.info.content_length = length;
  return true;
}

bool check_field(std::string_view line, findings& found) {
  if (line.front() == ' ' || line.front() == '\t') return found.refuse(400, "folded header lines are not accepted");
  const auto colon = line.find(':');
  if (colon == line.npos || !is_token(line.substr(0, colon))) return found.refuse(400, "malformed header name");
  const auto name = line.substr(0, colon);
  const auto value = trimmed(line.substr(colon + 1));
  if (!is_field_value(value)) return found.refuse(400, "control character in a header");
  if (iequals(name, "content-length")) return check_content_length(value, found);
  if (iequals(name, "transfer-encoding")) {
    if (found.has_coding) return found.refuse(400, "repeated Transfer-Encoding");
    found.has_coding = true;
    if (found.version_minor == 0) return found.refuse(400, "Transfer-Encoding in HTTP/1.0");
    if (!iequals(value, "chunked")) return found.refuse(501, "only the chunked transfer coding is implemented");
    found.info.chunked = true;
  } else if (iequals(name, "host")) {
    if (found.info.has_host) return found.refuse(400, "repeated Host");
    if (!is_host(value)) return found.refuse(400, "malformed Host");
    found.info.has_host = true;
    found.info.host = value;
  } else if (iequals(name, "expect")) {
    // Other expectations are ignored: no client waits for an answer to them.
    if (!iequals(value, "100-continue")) return true;
    found.info.expect_continue = found.version_minor > 0;
  }
  return true;
}

} // namespace

bool is_host(std::string_view text) {
  const auto only = [](std::string_view part, std::string_view others) {
    return std::all_of(part.begin(), part.end(), [others](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
             others.find(c) != others.npos;
    });
  };
  std::string_view name = text;
  if (text.starts_with('[')) {
    const auto close = text.find(']');
    if (close == text.npos || close == 1 || !only(text.substr(1, close - 1), ":.-_~%")) return false;
    name = {};
    text.remove_prefix(close + 1);
  } else {
    name = text.substr(0, text.find(':'));
    text.remove_prefix(name.size());
  }
  if (!text.empty() && (text.front() != ':' || text.size() > 6)) return false;
  const auto port = text.substr(text.empty() ? 0 : 1);
  return only(name, "-._~%!$&'()*+,;=") &&
         std::all_of(port.begin(), port.end(), [](char c) { return c >= '0' && c <= '9'; });
}

head_scan scan_head(std::string_view bytes, std::size_t from) {
  std::size_t at = from;
  while (at < bytes.size()) {
    const void* found = std::memchr(bytes.data() + at, '\n', bytes.size() - at);
    if (found == nullptr) break;
    const auto newline = static_cast<std::size_t>(static_cast<const char*>(found) - bytes.data());
    if (newline == 0 || bytes[newline - 1] != '\r') return {scan_state::malformed, 0};
    if (newline >= 3 && bytes[newline - 2] == '\n') return {scan_state::complete, newline + 1};
    at = newline + 1;
  }
  return {scan_state::incomplete, bytes.size()};
}

head_info check_head(std::string_view head) {
  findings found;
  std::size_t fields = 0;
  bool request_line = true;
  while (true) {
    const auto end = head.find("\r\n");
    if (end == head.npos) {
      found.refuse(400, "the head has no end");
      break;
    }
    const auto line = head.substr(0, end);
    head.remove_prefix(end + 2);
    if (request_line) {
      if (!check_request_line(line, found)) break;
      request_line = false;
      continue;
    }
    if (line.empty()) break;
    if (++fields > header_fields_max) {
      found.refuse(431, "too many header fields");
      break;
    }
    if (!check_field(line, found)) break;
  }
  if (found.info.refused) return found.info;
  if (request_line)
    found.refuse(400, "the head has no request line");
  else if (found.has_length && found.has_coding)
    found.refuse(400, "Content-Length beside Transfer-Encoding");
  else if (!found.info.has_host && found.version_minor > 0)
    found.refuse(400, "HTTP/1.1 needs a Host header");
  return found.info;
}

} // namespace cairn::net

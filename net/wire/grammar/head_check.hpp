// Strict validation of a request's head before it is interpreted (RFC 9112 §2–6). Heads that two servers could
// interpret differently are refused: bare LF, folded lines, space before a colon, both Content-Length and
// Transfer-Encoding, repeated Content-Length or Host. Pure functions over bytes; fuzzed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace cairn::net {

constexpr std::size_t header_fields_max = 100;

struct head_refusal {
  unsigned status = 0;       // 400, 414, 417, 431, 501, 505
  std::string_view reason{}; // static text
};

enum class scan_state : std::uint8_t { incomplete, complete, malformed };
struct head_scan {
  scan_state state = scan_state::incomplete;
  std::size_t length = 0; // complete: bytes of the head with its empty line; incomplete: where to continue scanning
};

// Searches the end of the head, from `from` on (the length of an earlier, incomplete scan). A line that ends in a bare
// LF is malformed at once, so that the client gets an answer and not a timeout.
head_scan scan_head(std::string_view bytes, std::size_t from);

// The body's framing and the result of the checks.
struct head_info {
  std::optional<head_refusal> refused;
  std::optional<std::uint64_t> content_length;
  bool chunked = false;
  bool expect_continue = false;
  std::string_view host; // of the Host header; a view of the given bytes
  bool has_host = false;
};

// Whether the text is a valid Host value: empty, or a name or address with an optional port (RFC 9110, section 7.2; RFC
// 3986, 3.2.2).
bool is_host(std::string_view text);

// `head` is one complete head: request line, fields, empty line.
head_info check_head(std::string_view head);

} // namespace cairn::net

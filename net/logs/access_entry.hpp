// A line of the access log: in the combined format of nginx and Apache, or as JSON with the names of nginx's variables.
// docs/operations.md has the meaning of the members. Neither can be forged by what a client sends, and neither has what
// would let its reader act for the sender.
#pragma once

#include "base/seams.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace cairn::net {

struct access_entry {
  wall_ms time = 0;           // of the request's end
  std::string_view address{}; // of the client's socket
  std::string_view user{};    // the access key that the request names, also if it is refused; or "ROLE/SESSION"
  std::string_view method{}, target{}; // as they were sent
  std::string_view protocol{};         // "HTTP/1.1"
  std::string_view refused_line{};     // instead of the three, of a head that was not understood: its first line
  unsigned status = 0;                 // of the answer; 0: the connection ended before one
  bool whole = false;                  // the whole answer was sent
  std::uint64_t received = 0, sent = 0, sent_of_body = 0; // bytes
  std::chrono::nanoseconds took{0};
  std::optional<std::chrono::nanoseconds> first_byte{};
  std::string_view referer{}, user_agent{};
  std::string_view request{}; // x-amz-request-id
  std::string_view operation{}, bucket{}, key{};
};

// With their line feed.
std::string combined_line(const access_entry& entry);
std::string access_json_line(const access_entry& entry);

// The URL, request line or object key with `***` for the values of query parameters that are signatures, tokens or
// keys, also where the URL of a request was percent-encoded as if it were a key.
std::string without_secrets(std::string_view url);

} // namespace cairn::net

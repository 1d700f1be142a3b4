// Where a server is, and which certificates are trusted there.
//
// Errors: invalid_argument (the text is no address).
#pragma once

#include "base/error.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace cairn::cli {

struct server_address {
  std::string host; // name or numeric address, without brackets
  std::string port;
  bool tls = false;
  std::string ca = {}; // PEM file whose certificates are trusted; empty: the system's
  // Of certificates that are trusted, too, if the server sends them: their SHA-1, in hexadecimal.
  std::vector<std::string> thumbprints = {};
  std::string host_header() const;
};

// "http://127.0.0.1:9000", "https://…", also without the scheme or the port (80, 443). Paths are refused.
result<server_address> parse_server_address(std::string_view url);

// "https://idp.example.org/keys?v=1": with a path, from which on it is the target; empty: it has none.
struct server_url {
  server_address server;
  std::string target;
};
result<server_url> parse_server_url(std::string_view url);

} // namespace cairn::cli

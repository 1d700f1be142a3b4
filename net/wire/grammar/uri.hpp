// Request targets (RFC 9112 §3.2): path and query, percent-encoding. Pure. Paths are bytes: `..` and `//` mean nothing.
#pragma once

#include "base/error.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cairn::net {

struct query_parameter {
  std::string name, value; // decoded
};

struct request_target {
  std::string path; // as it was sent, percent-encoded; begins with '/'
  std::vector<query_parameter> query;
  std::string authority; // of the absolute form "http://authority/path": replaces the Host header
  bool asterisk = false; // "OPTIONS *"

  const std::string* find(std::string_view name) const; // null: not given; the first one wins
};

// invalid_argument: neither origin, absolute nor asterisk form, a bad percent escape in the query, or a fragment.
result<request_target> parse_target(std::string_view target);

// nullopt for "%", "%4", "%zz". `plus_is_space`: form encoding, as in queries.
std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space);

// S3's encoding-type=url: all but unreserved characters and '/' as %XX. In signed queries '/' is encoded too.
void append_percent_encoded(std::string& out, std::string_view text, bool keep_slash = true);

} // namespace cairn::net

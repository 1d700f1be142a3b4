// A small synchronous HTTP/1.1 client for the commands: one connection, kept alive between requests. Bodies stream
// through one 1 MiB buffer in both directions, never whole in memory. Every wait is bounded. Belongs to one thread.
//
// Errors: invalid_argument (the endpoint's text), connection_lost (no connection, or it broke before the answer was
// whole), timeout, and whatever a source or sink answers. A status other than 2xx is not an error here: `failure_of`
// makes it one. With https the server's certificate must be valid for the host's name. The only file of cli/ that
// includes Boost.Beast and Asio's TLS is http_client.cpp.
#pragma once

#include "base/file_system.hpp"
#include "cli/client/server_address.hpp"
#include "net/s3/auth/sigv4.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cairn::cli {

using header_list = std::vector<std::pair<std::string, std::string>>;

struct http_request {
  std::string method, target; // target: percent-encoded, with the query
  header_list headers;
  std::optional<std::string> payload{}; // the body, where the signature has to cover it
};

struct http_response {
  unsigned status = 0;
  header_list headers;
  std::optional<std::uint64_t> content_length;
  std::string body; // gathered when there is no sink or the status is not 2xx; at most 16 MiB

  bool ok() const { return status >= 200 && status < 300; }
  // Case-insensitive; empty when absent.
  std::string_view header(std::string_view name) const;
};

// A request's body.
class body_source {
public:
  virtual ~body_source() = default;
  virtual std::optional<std::uint64_t> length() const = 0; // nullopt: chunked coding
  virtual result<std::size_t> read(bytes_span into) = 0;   // 0: the end
};

// Takes the body of a 2xx answer.
class body_sink {
public:
  virtual ~body_sink() = default;
  virtual result<void> head(const http_response& response) = 0; // before the first byte; called for empty bodies too
  virtual result<void> write(bytes_view bytes) = 0;
};

struct http_timeouts {
  std::chrono::milliseconds look_up{15'000}; // of the host's name
  std::chrono::milliseconds connect{10'000};
  std::chrono::milliseconds progress{60'000}; // without a byte in either direction
  std::chrono::milliseconds answer{120'000};  // from the end of the request to the first byte of the answer
  std::chrono::milliseconds body{0};          // of the answer, as a whole; 0: no limit
};

class http_client {
public:
  explicit http_client(server_address server, http_timeouts timeouts = {});
  ~http_client();
  http_client(const http_client&) = delete;
  http_client& operator=(const http_client&) = delete;

  // Requests from now on are signed (net/s3/auth/sigv4.hpp), but for their bodies, unless a request has its payload.
  void sign_with(net::client_credentials credentials) { credentials_ = std::move(credentials); }

  // Sends the request and takes the whole answer. An upload stops early when the server answers before its end. A
  // request without a body is repeated once when the kept connection turns out to be closed.
  result<http_response> exchange(const http_request& request, body_source* source = nullptr, body_sink* sink = nullptr);

  // Sends a request without a body and answers with the head. The body of a 2xx answer is left for `read_body`; any
  // other is gathered, as by `exchange`. The next request drops what was not read.
  result<http_response> open(const http_request& request);
  // The next bytes of that body, at most 1 MiB; 0: the end.
  result<std::size_t> read_body(bytes_span into);

private:
  template <class Exchange>
  result<http_response> on_connection(const http_request& wanted, bool repeatable, Exchange exchange);

  class connection;
  server_address server_;
  http_timeouts timeouts_;
  std::optional<net::client_credentials> credentials_;
  std::unique_ptr<connection> connection_;
};

} // namespace cairn::cli

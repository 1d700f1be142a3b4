// What serves the requests of HTTP connections: the server is given one request_service, each connection a
// request_handler of it. Sockets, framing, deadlines and fairness are the connection's (http_session.hpp); what a
// request means and what is answered is the handler's.
#pragma once

#include "config/config.hpp"
#include "net/wire/grammar/head_check.hpp"

#include <chrono>
#include <cstdint>
#include <memory>

namespace cairn::net {

class http_session;

// Why a connection, or its request, ends early.
enum class end_reason : std::uint8_t { deadline, rate, place, memory };

// Owned by its connection; called on its strand.
class request_handler {
public:
  virtual ~request_handler() = default;
  // A head was read. Answers through the session, now or later.
  virtual void handle() = 0;
  // What came is no request to serve: malformed, too long, too late, or (503) on one connection too many. Answers at
  // once; there may be no fields, and the connection closes.
  virtual void refuse(const head_refusal& why) = 0;
  // The request that was handled or refused is over. `status`: of the answer; 0: none was begun.
  virtual void ended(unsigned status, std::chrono::nanoseconds took) = 0;
};

// Thread-safe. Lives as long as the server and its connections.
class request_service {
public:
  virtual ~request_service() = default;
  // `session` owns the handler, and outlives it.
  virtual std::unique_ptr<request_handler> connected(http_session& session) = 0;
  virtual void apply(const config::settings& settings) = 0; // SIGHUP
};

// A request whose answer takes more than one step. Owned by whoever serves it; the session only watches it.
class exchange {
public:
  virtual ~exchange() = default;
  virtual void sent(std::uint64_t number) = 0; // the socket took the part of this number
  virtual void stalled(end_reason why) = 0;    // the client is too slow with its body, or holds what others need
  virtual void lost() = 0;                     // the connection is gone; the last call
};

} // namespace cairn::net

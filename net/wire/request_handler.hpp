// The interface between an HTTP server and the code that handles its requests. The server gets one request_service,
// which makes a request_handler for each connection. Sockets, framing, deadlines and fairness belong to the connection
// (http_session.hpp); the handler interprets requests and answers them.
#pragma once

#include "base/seams.hpp"
#include "config/config.hpp"
#include "net/wire/grammar/head_check.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>

namespace cairn::net {

class http_session;

// The refusal of a connection beyond limits.connections.
inline constexpr head_refusal too_many_connections{503, "The node has reached its limit of connections."};

// Why a connection, or its request, ends early.
enum class end_reason : std::uint8_t { deadline, rate, place, memory };

// What the connection knows about a request that has ended.
struct request_end {
  unsigned status = 0;              // of the answer; 0: no answer was sent
  bool whole = false;               // the whole answer was passed to the socket
  std::chrono::nanoseconds took{0}; // from the end of the head
  std::uint64_t received = 0;       // bytes of the head and of the body
  std::uint64_t sent = 0;           // bytes of the answer, with its head
  steady_time began{};              // the end of the head
  // After http_session::measure().
  std::uint64_t sent_of_body = 0;
  std::chrono::nanoseconds body{0};                   // from the first read of the request's body to its end
  std::optional<std::chrono::nanoseconds> first_byte; // from the end of the head to the first byte of the answer
};

// Owned by its connection; called on its strand.
class request_handler {
public:
  virtual ~request_handler() = default;
  // A head was read. Answers through the session, now or later.
  virtual void handle() = 0;
  // The head is malformed, too long or too late, or (503) the connection exceeds limits.connections. Answers at once;
  // the session may have no fields, and the connection closes.
  virtual void refuse(const head_refusal& why) = 0;
  // A handled or refused request has ended.
  virtual void ended(const request_end& end) = 0;
};

// Thread-safe. The server and its connections share it.
class request_service {
public:
  virtual ~request_service() = default;
  // `session` owns the handler and outlives it.
  virtual std::unique_ptr<request_handler> connected(http_session& session) = 0;
  virtual void apply(const config::settings& settings) = 0; // SIGHUP
};

// A request that is answered in several steps. The code that handles it owns it; the session holds a weak reference.
class exchange {
public:
  virtual ~exchange() = default;
  virtual void sent(std::uint64_t number) = 0; // the part with this number was written to the socket
  virtual void stalled(end_reason why) = 0;    // the body arrives too slowly, or its resources are needed
  virtual void lost() = 0;                     // the connection has closed; the last call
};

} // namespace cairn::net

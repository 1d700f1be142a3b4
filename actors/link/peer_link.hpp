// The link to one peer, as a requester uses it: one control connection and some bulk connections, which are dialled and
// lost together, and dialled again with back-off. A link that is down refuses requests at once, so that callers use
// another replica. A node has one link to a peer: a second one replaces the first on the peer.
//
// - call: a small request and a small answer over the control connection, so a call never waits behind bulk bytes.
// - call_bulk: a small request; the payload of the answer is received directly into the caller's buffer. After an error
//   a piece may still arrive in the buffer: return the buffer to its pool (the pool gets it once the link has released
//   it), and do not reuse it.
// - send_bulk: a request with a payload, a small answer. The slice is not copied and must not change before the
//   callback.
//
// The callback is called exactly once, never inside the call itself, on a thread of the contexts, without locks: it may
// use the link again, and must not block. It gets the peer's answer, the error that the peer answered with, or:
// connection_lost (the link is down, or was lost before the reply), timeout (the deadline), busy (too much in flight or
// unsent), too_large, cancelled, stopping. After connection_lost and timeout the request may have been executed or not.
// Methods may be called from any thread.
#pragma once

#include "actors/link/request_table.hpp"
#include "actors/link/wire/connection.hpp"
#include "actors/link/wire/dial.hpp"
#include "actors/link/wire/tls.hpp"

namespace cairn::actors::link {

struct peer_link_settings {
  std::string host;
  std::uint16_t port = 0;
  std::optional<uuid> node;           // nullopt: any node (to ask a member to join)
  std::uint32_t bulk_connections = 2; // at least 1
  bool insecure = false;              // plaintext also beyond loopback
  connection_settings connection;
  std::size_t requests_max = 1024;
  std::chrono::milliseconds tick{50}; // how late a deadline may be noticed
  bool once = false;                  // ends after the first failure and does not dial again
};

struct link_services {
  std::vector<boost::asio::io_context*> contexts; // outlive the link
  std::shared_ptr<const tls_identity> tls;        // null: plaintext
  std::function<hello()> own;                     // this node; lane, link and credit are filled in
  std::function<result<void>(const peer&)> admit; // a further check of the peer, after hello_rules; may be empty
  const cairn::clock& clock = system_clock();
  random_source& random = system_random();
};

struct link_status {
  bool up = false;
  peer other;        // valid once the link was up
  std::string fault; // why it is down, or went down last
  errc fault_code = errc::connection_lost;
  std::size_t in_flight = 0, waiting_for_credit = 0;
  std::uint64_t outstanding_bytes = 0;
  std::uint64_t times_lost = 0;
};

class peer_link {
public:
  // `changed` is called when the link came up (no error) or went down, in the same way as a callback. With `once` it is
  // also called when the link could not be established. May be empty.
  using observer = std::function<void(const peer& other, const std::optional<error>& down)>;

  peer_link(const peer_link_settings& settings, link_services services, observer changed = {});
  ~peer_link(); // stop()
  peer_link(const peer_link&) = delete;
  peer_link& operator=(const peer_link&) = delete;

  void start();
  // Closes everything. Requests in flight are answered with stopping, or with connection_lost when `why` is another
  // error.
  void stop(const error& why = {errc::stopping, "this node stops"});
  void reconnect_now(); // ends a redial pause: call it when the peer is known to be up

  request_number call(std::string request, steady_time deadline, reply_callback reply);
  request_number call_bulk(std::string request, slice into, steady_time deadline, reply_callback reply);
  request_number send_bulk(std::string request, slice payload, steady_time deadline, reply_callback reply);
  void cancel(request_number n); // 0 and answered requests are ignored

  bool up() const;
  link_status status() const;

private:
  class state;
  std::shared_ptr<state> state_;
};

} // namespace cairn::actors::link

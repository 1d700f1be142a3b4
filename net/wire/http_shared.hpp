// What all connections of an HTTP server share: who serves their requests, limits that SIGHUP can change, and the list
// of living connections, by which deadlines are swept and the server drains. Thread-safe.
#pragma once

#include "base/memory/buffer_pool.hpp"
#include "base/metrics.hpp"
#include "base/seams.hpp"
#include "config/config.hpp"
#include "net/wire/account_book.hpp"
#include "net/wire/fair_turns.hpp"
#include "net/wire/request_handler.hpp"
#include "net/wire/session_stream.hpp"
#include "net/wire/transfer_pace.hpp"

#include <boost/intrusive/list.hpp>

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

namespace cairn::net {

class http_session;

// A session's place in the registry.
class session_link : public boost::intrusive::list_base_hook<> {};

// Deadlines are looked at by one sweep over all connections, so that a request costs no timer operation.
class session_registry {
public:
  void add(http_session& session);
  void remove(http_session& session); // from its destructor
  std::size_t size() const;
  // With the registry locked: it must be quick, and keep each session that it takes hold of until the call has
  // returned.
  void visit(const std::function<void(http_session&)>& visitor) const;
  std::vector<std::shared_ptr<http_session>> all() const;
  // Called once, from any thread, when no connection is left; at once if none is there.
  void when_empty(std::function<void()> handler);

private:
  mutable std::mutex mutex_;
  mutable boost::intrusive::list<session_link> sessions_; // each an http_session
  std::function<void()> when_empty_;
};

struct http_shared {
  http_shared(const config::settings& settings, std::shared_ptr<request_service> requests,
              std::shared_ptr<storage::buffer_pool> memory, storage::node_metrics& counters,
              const storage::clock& time);
  void apply(const config::settings& settings); // the limits and times

  const std::shared_ptr<request_service> service;
  const std::shared_ptr<storage::buffer_pool> buffers;
  storage::node_metrics& metrics;
  const storage::clock& clock;

  std::atomic<std::uint32_t> connections_max{0};
  std::atomic<std::size_t> header_bytes_max{0};
  std::atomic<config::duration> header_timeout{}, idle_timeout{};
  std::atomic<std::uint64_t> transfer_rate_min{0};
  std::atomic<config::duration> transfer_rate_window{};

  std::atomic<bool> stopping{false};        // answers say "Connection: close"
  std::atomic<std::uint32_t> handshakes{0}; // of TLS, under way

  account_book accounts; // whose memory and connections count together
  // Steps of TLS handshakes. An address has half of the threads at most: behind one of its steps others' handlers wait
  // for that one, not for all that it began.
  const std::shared_ptr<fair_turns> handshake_turns;

  session_registry sessions;

  // What new connections speak; null: HTTP in the clear.
  std::shared_ptr<const tls_context> tls() const;
  void set_tls(std::shared_ptr<const tls_context> fresh);

private:
  mutable std::mutex tls_mutex_;
  std::shared_ptr<const tls_context> tls_;
};

} // namespace cairn::net

// State that all connections of an HTTP server share: the request service, limits that SIGHUP can change, and the
// registry of open connections, which the sweep of deadlines and the drain use. Thread-safe.
#pragma once

#include "base/memory/buffer_pool.hpp"
#include "base/metrics.hpp"
#include "base/seams.hpp"
#include "base/sockets/handshake_pace.hpp"
#include "config/config.hpp"
#include "net/limits/rate_limiter.hpp"
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

// One sweep over all connections checks their deadlines, so that a request costs no timer operation.
class session_registry {
public:
  void add(http_session& session);
  void remove(http_session& session); // from its destructor
  std::size_t size() const;
  // Calls `visitor` with the registry locked. It must be fast, and if it takes shared ownership of a session, keep it
  // until visit() has returned.
  void visit(const std::function<void(http_session&)>& visitor) const;
  std::vector<std::shared_ptr<http_session>> all() const;
  // Called once, from any thread, when no connection is left; at once if none is there.
  void when_empty(std::function<void()> handler);

private:
  mutable std::mutex mutex_;
  mutable boost::intrusive::list<session_link> sessions_; // each an http_session
  std::function<void()> when_empty_;
};

// Whether requests of more than one party came within the last seconds. Lock-free; on a cache line of its own, which is
// written twice a second while parties take turns, and never while one is alone.
class alignas(64) party_watch {
public:
  static constexpr std::chrono::milliseconds lasts{1000}, renewed_before{500};

  void note(const void* party, steady_time now) noexcept {
    if (last_.load(std::memory_order_relaxed) == party || several(now + renewed_before)) return;
    if (last_.exchange(party, std::memory_order_relaxed) != nullptr)
      until_.store(now + lasts, std::memory_order_relaxed);
  }
  bool several(steady_time now) const noexcept { return now < until_.load(std::memory_order_relaxed); }

private:
  std::atomic<const void*> last_{nullptr};
  std::atomic<steady_time> until_{};
};

struct http_shared {
  http_shared(const config::settings& settings, std::shared_ptr<request_service> requests,
              std::shared_ptr<buffer_pool> memory, node_metrics& counters, const cairn::clock& time);
  void apply(const config::settings& settings); // the limits and timeouts

  const std::shared_ptr<request_service> service;
  const std::shared_ptr<buffer_pool> buffers;
  node_metrics& metrics;
  const cairn::clock& clock;

  std::atomic<std::uint32_t> connections_max{0};
  std::atomic<std::size_t> header_bytes_max{0};
  std::atomic<config::duration> header_timeout{}, idle_timeout{};
  std::atomic<std::uint64_t> transfer_rate_min{0};
  std::atomic<config::duration> transfer_rate_window{};

  // `leaving`: answers say "Connection: close", and further connections are welcome. `closing`: idle ones are closed.
  enum class stop_phase : std::uint8_t { none, leaving, closing };
  std::atomic<stop_phase> stopping{stop_phase::none};
  std::atomic<std::uint32_t> handshakes{0}; // TLS handshakes in progress

  rate_limiter rates;
  account_book accounts; // for the sums of memory and connections of a party
  party_watch parties;
  // Turns for steps of TLS handshakes. The steps of one address use at most half of the threads, so that handlers of
  // other clients wait for a running step at most, not for all handshakes that the address has begun.
  const std::shared_ptr<fair_turns> handshake_turns;
  // Turns for pieces of answers while several parties send requests, one a thread: a handler waits for the pieces that
  // are being sent, not for one of each connection that a party has.
  const std::shared_ptr<fair_turns> piece_turns;
  sockets::handshake_pace handshake_pace; // of addresses whose handshakes are not completed

  session_registry sessions;

  // For new connections; null: plaintext HTTP.
  std::shared_ptr<const tls_context> tls() const;
  void set_tls(std::shared_ptr<const tls_context> fresh);

private:
  mutable std::mutex tls_mutex_;
  std::shared_ptr<const tls_context> tls_;
};

} // namespace cairn::net

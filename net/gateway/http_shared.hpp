// What all HTTP connections of a node share: the node's services, limits that SIGHUP can change, and the list of living
// connections, by which deadlines are swept and the server drains. Thread-safe.
#pragma once

#include "actors/protocol/node.hpp"
#include "base/metrics.hpp"
#include "base/seams.hpp"
#include "config/config.hpp"
#include "net/s3/auth/sigv4.hpp"
#include "net/s3/operation.hpp"
#include "net/wire/account_book.hpp"
#include "net/wire/fair_turns.hpp"
#include "net/wire/session_stream.hpp"
#include "net/wire/transfer_pace.hpp"

#include <boost/intrusive/list.hpp>

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
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
  http_shared(const config::settings& settings, actors::services node, std::span<const s3_operation> table,
              storage::node_metrics& counters, const storage::clock& time, storage::random_source& randomness);
  void apply(const config::settings& settings); // the limits and times

  const actors::services services;
  const std::span<const s3_operation> operations;
  storage::http_operation_metrics& counters_of(const s3_operation& operation) const;
  storage::node_metrics& metrics;
  const storage::clock& clock;
  storage::random_source& random;

  const config::anonymous_access anonymous;
  const config::endpoint listen;
  const std::vector<std::string> server_names;
  const std::string root_access_key, root_secret_key, region;
  net::signing_keys signing_keys;

  std::atomic<std::uint32_t> connections_max{0}, list_keys_max{0};
  std::atomic<std::size_t> header_bytes_max{0};
  std::atomic<std::uint64_t> object_size_max{0};
  std::atomic<config::duration> header_timeout{}, idle_timeout{};
  std::atomic<std::uint64_t> transfer_rate_min{0};
  std::atomic<config::duration> transfer_rate_window{};

  std::atomic<bool> stopping{false};        // answers say "Connection: close"
  std::atomic<std::uint32_t> handshakes{0}; // of TLS, under way

  account_book accounts; // whose memory and connections count together
  // Four listings keep the metadata's two reading threads busy; four multi-deletes, with 64 commits each, fill one
  // group commit.
  const std::shared_ptr<fair_turns> listing_turns = std::make_shared<fair_turns>(16, 4),
                                    commit_turns = std::make_shared<fair_turns>(16, 4);

  session_registry sessions;

  // What new connections speak; null: HTTP in the clear.
  std::shared_ptr<const tls_context> tls() const;
  void set_tls(std::shared_ptr<const tls_context> fresh);

private:
  mutable std::mutex tls_mutex_;
  std::shared_ptr<const tls_context> tls_;
};

} // namespace cairn::net

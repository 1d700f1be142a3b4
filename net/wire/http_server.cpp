#include "net/wire/http_server.hpp"

#include "base/log.hpp"
#include "base/sockets/listener.hpp"
#include "base/third_party/asio.hpp"
#include "net/wire/eviction.hpp"
#include "net/wire/http_session.hpp"

#include <algorithm>
#include <optional>

namespace cairn::net {

namespace asio = boost::asio;
using boost::system::error_code;
using timer = asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>,
                                         sockets::control_strand>;

namespace {
constexpr int accepts_at_once = 16;
constexpr auto accept_pause = std::chrono::milliseconds{50}; // after a failed accept
constexpr std::uint32_t refusals_max = 128;  // connections beyond the limit, answered 503 or waiting for an eviction
constexpr std::uint32_t over_limit_max = 96; // of them, those that are served if their party has few connections
// Concurrent TLS handshakes, about 100 KiB each; above, the oldest is evicted.
constexpr std::uint32_t handshakes_max = 512;
constexpr auto sweep_pause = std::chrono::milliseconds{500}; // between two sweeps of all connections
constexpr auto full_wait = std::chrono::seconds{1};
constexpr auto full_pause = std::chrono::milliseconds{20};
constexpr auto pressed_pause = std::chrono::milliseconds{50}; // while memory is short
} // namespace

// Everything below runs on `control`, a strand of the first shard, except load_tls.
struct http_server::state : std::enable_shared_from_this<state> {
  state(std::vector<asio::io_context*> contexts, const config::settings& settings,
        std::shared_ptr<request_service> service, std::shared_ptr<buffer_pool> memory, node_metrics& metrics,
        const cairn::clock& clock)
      : shards(std::move(contexts)),
        control(asio::make_strand(*shards.front())),
        listening(control),
        pause(control),
        sweep(control),
        patience(control),
        listen_at(settings.http.listen),
        shared(std::make_shared<http_shared>(settings, std::move(service), std::move(memory), metrics, clock)),
        failures("accept failed", clock),
        tls_files(settings.http.tls) {}

  result<void> load_tls() {
    if (tls_files.cert.empty()) return {};
    auto fresh = tls_context::load(tls_files.cert, tls_files.key);
    if (!fresh) return fresh.error();
    shared->set_tls(std::move(*fresh));
    return {};
  }

  // Accepts several connections at a time: in the system's queue all clients wait behind a party that opens many
  // connections, here each party waits for its own turns.
  void accept() {
    listening.async_accept(next_strand(), other_end,
                           [self = shared_from_this()](error_code failed, session_socket socket) {
                             if (self->stopped) return;
                             for (int taken = 0; !failed && taken < accepts_at_once; ++taken) {
                               if (!self->take_socket(std::move(socket))) return;
                               socket = session_socket{self->next_strand()};
                               self->listening.accept(socket, self->other_end, failed);
                             }
                             if (!failed && !self->take_socket(std::move(socket))) return;
                             if (failed && failed != asio::error::would_block) return self->pause_accepting(failed);
                             self->accept();
                           });
  }

  session_strand next_strand() { return asio::make_strand(*shards[next_shard++ % shards.size()]); }

  void pause_accepting(const error_code& failed) {
    failures.note(failed);
    pause.expires_after(accept_pause);
    pause.async_wait([self = shared_from_this()](error_code) {
      if (!self->stopped) self->accept();
    });
  }

  // At the limit another connection is evicted. If none can be, because all are active, the new one takes a place
  // beyond the limit: its request shows whether its key has few connections. If those places are taken too, it waits
  // for a moment, and further connections wait in the system's queue. False: it waits, and accepting continues after
  // it.
  bool take_socket(session_socket socket) {
    const auto limit = shared->connections_max.load(std::memory_order_relaxed);
    if (shared->handshakes.load(std::memory_order_relaxed) >= handshakes_max && handshake_room-- == 0)
      handshake_room = clear_places(handshakes_max / 8, true);
    const bool within = shared->sessions.size() < limit || make_room(limit);
    if (within || shared->sessions.size() < std::uint64_t{limit} + over_limit_max) {
      full_since.reset();
      begin(std::move(socket))->start(!within);
      return true;
    }
    const auto now = shared->clock.now();
    if (!full_since) full_since = now;
    if (now - *full_since < full_wait) {
      try_again(std::move(socket));
      return false;
    }
    shared->metrics.connections_refused.fetch_add(1, std::memory_order_relaxed);
    if (shared->sessions.size() < std::uint64_t{limit} + refusals_max) begin(std::move(socket))->refuse();
    return true; // a socket that was not moved is closed by its destructor
  }

  std::shared_ptr<http_session> begin(session_socket socket) {
    auto stream = std::make_unique<session_stream>(std::move(socket), shared->tls());
    return begin({std::move(stream), {}, {}}, other_end.address());
  }

  std::shared_ptr<http_session> begin(adopted_connection connection, const asio::ip::address& client) {
    return std::make_shared<http_session>(std::move(connection), shared,
                                          shared->accounts.of(sockets::party_of(client)));
  }

  // Under the limits of connections that were accepted here. Its place in the other port's limit is free by now.
  void adopt(adopted_connection connection) {
    error_code failed;
    const auto client = connection.stream->socket().remote_endpoint(failed);
    if (failed || stopped) return;
    const auto limit = shared->connections_max.load(std::memory_order_relaxed);
    const bool within = shared->sessions.size() < limit || make_room(limit);
    if (!within && shared->sessions.size() >= std::uint64_t{limit} + refusals_max) return;
    const auto session = begin(std::move(connection), client.address());
    if (within || shared->sessions.size() < std::uint64_t{limit} + over_limit_max) return session->start(!within);
    shared->metrics.connections_refused.fetch_add(1, std::memory_order_relaxed);
    session->refuse();
  }

  void try_again(session_socket socket) {
    pause.expires_after(full_pause);
    pause.async_wait([self = shared_from_this(), socket = std::move(socket)](error_code) mutable {
      if (!self->stopped && self->take_socket(std::move(socket))) self->accept();
    });
  }

  // Whether one connection beyond the limit may be accepted because another one is being evicted. One sweep evicts
  // several, so that a flood of new connections does not cost a sweep each.
  bool make_room(std::uint32_t limit) {
    if (shared->sessions.size() >= std::uint64_t{limit} + refusals_max) return false; // evictions are pending
    if (room == 0 && shared->clock.now() >= eviction_after)
      room = clear_places(std::max<std::size_t>(1, limit / 32), false);
    if (room == 0 && shared->clock.now() >= eviction_after) eviction_after = shared->clock.now() + full_pause;
    return room > 0 && room-- > 0;
  }

  struct seen {
    std::shared_ptr<http_session> session;
    session_activity activity;
  };

  std::size_t clear_places(std::size_t wanted, bool silent_only) {
    std::vector<seen> all;
    const auto now = shared->clock.now();
    shared->sessions.visit([&](http_session& session) {
      if (auto alive = session.weak_from_this().lock()) all.push_back({std::move(alive), session.activity(now)});
    });
    std::vector<connection_place> places;
    places.reserve(all.size());
    for (const auto& s : all) {
      const auto& party = s.activity.party;
      places.push_back(
          {s.activity.kind, s.activity.since, party ? party->connections.load(std::memory_order_relaxed) : 0});
      if (silent_only && s.activity.kind != standing::silent) places.back().kind = standing::active;
    }
    const auto chosen = places_to_clear(places, wanted);
    for (const auto i : chosen) all[i].session->evict(end_reason::place, all[i].activity);
    return chosen.size();
  }

  memory_pressure pressure() const {
    const auto& pool = *shared->buffers;
    return {pool.in_use_bytes(), pool.limit_bytes(), pool.waiting() > 0};
  }

  // Often enough that the shortest timeout is exceeded by at most a quarter; more often while memory is short.
  void schedule_sweep() {
    const auto shortest =
        std::min({shared->header_timeout.load(), shared->idle_timeout.load(), shared->transfer_rate_window.load()});
    const auto sweep_interval = std::clamp<config::duration>(shortest / 4, std::chrono::milliseconds{10}, sweep_pause);
    sweep.expires_after(std::min<config::duration>(sweep_interval, pressed_pause));
    sweep.async_wait([self = shared_from_this(), sweep_interval](error_code) {
      if (self->finished) return;
      const auto now = self->shared->clock.now();
      const auto pressed = self->pressure();
      const bool short_of = pressed.has_waiters || pressed.in_use_bytes > pressed.limit_bytes / 2;
      if (short_of || now >= self->swept_at + sweep_interval) {
        self->swept_at = now;
        self->look(now, pressed, short_of);
      }
      self->schedule_sweep();
    });
  }

  void look(steady_time now, const memory_pressure& pressed, bool short_of) {
    std::vector<std::pair<seen, end_reason>> due;
    std::vector<seen> holding;
    shared->sessions.visit([&](http_session& session) {
      const bool slow = session.too_slow(now), late = session.overdue(now);
      const bool holds = short_of && session.held_bytes() > 0;
      if (!slow && !late && !holds) return;
      auto alive = session.weak_from_this().lock(); // null: its destructor waits for the registry
      if (!alive) return;
      seen found{std::move(alive), session.activity(now)};
      if (slow || late)
        due.emplace_back(std::move(found), late ? end_reason::deadline : end_reason::rate);
      else
        holding.push_back(std::move(found));
    });
    for (const auto& [found, why] : due) found.session->evict(why, found.activity);
    if (!holding.empty()) reclaim(holding, pressed);
  }

  static void reclaim(const std::vector<seen>& holding, const memory_pressure& pressed) {
    std::vector<memory_holder> holders;
    holders.reserve(holding.size());
    for (const auto& [session, s] : holding)
      holders.push_back({s.held_bytes, s.since, s.bytes_per_second, s.party ? s.party->held_bytes() : 0});
    for (const auto i : holders_to_end(holders, pressed))
      holding[i].session->evict(end_reason::memory, holding[i].activity);
  }

  void stop_accepting() {
    if (std::exchange(stopped, true)) return;
    error_code ignored; // closed either way
    listening.close(ignored);
    pause.cancel();
  }

  void drain(std::chrono::nanoseconds time, std::function<void()> drained) {
    shared->stopping = http_shared::stop_phase::closing;
    for (const auto& session : shared->sessions.all()) session->stop(false);
    patience.expires_after(std::chrono::duration_cast<std::chrono::steady_clock::duration>(time));
    patience.async_wait([self = shared_from_this()](error_code cancelled) {
      if (cancelled) return;
      for (const auto& session : self->shared->sessions.all()) session->stop(true);
    });
    shared->sessions.when_empty([weak = weak_from_this(), drained = std::move(drained)] {
      if (const auto self = weak.lock()) self->end();
      drained();
    });
  }

  void end() {
    asio::post(control, [self = shared_from_this()] {
      self->finished = true;
      self->sweep.cancel();
      self->patience.cancel();
    });
  }

  std::vector<asio::io_context*> shards;
  sockets::control_strand control;
  sockets::acceptor listening;
  timer pause, sweep, patience;
  const config::endpoint listen_at;
  std::shared_ptr<http_shared> shared;
  sockets::accept_failures failures;
  config::http_tls_settings tls_files; // used by listen and apply, which are never concurrent
  asio::ip::tcp::endpoint other_end;   // of the connection being accepted
  std::size_t next_shard = 0;
  std::size_t room = 0, handshake_room = 0; // connections that were evicted and not replaced yet
  steady_time eviction_after{};
  std::optional<steady_time> full_since; // since when no connection could be accepted
  steady_time swept_at{};
  bool stopped = false, finished = false;
};

http_server::http_server(std::vector<asio::io_context*> shards, const config::settings& settings,
                         std::shared_ptr<request_service> service, std::shared_ptr<buffer_pool> memory,
                         node_metrics& metrics, const cairn::clock& clock)
    : state_(std::make_shared<state>(std::move(shards), settings, std::move(service), std::move(memory), metrics,
                                     clock)) {}

http_server::~http_server() {
  stop_accepting();
  state_->end();
}

result<void> http_server::listen() {
  if (auto ready = state_->load_tls(); !ready) return ready;
  if (auto listens = sockets::listen_on(state_->listening, state_->listen_at); !listens) return listens;
  error_code failed;
  state_->listening.non_blocking(true, failed);
  return failed ? result<void>{error{errc::io_error, "listen: " + failed.message()}} : result<void>{};
}

adopt_connection http_server::adopting() {
  return [state = state_](adopted_connection connection) {
    // Shared, because a handler of Asio must be able to be copied.
    auto held = std::make_shared<adopted_connection>(std::move(connection));
    asio::post(state->control, [state, held] { state->adopt(std::move(*held)); });
  };
}

config::endpoint http_server::local_endpoint() const {
  return sockets::endpoint_of(state_->listening);
}

void http_server::start() {
  asio::post(state_->control, [state = state_] {
    state->accept();
    state->schedule_sweep();
  });
}

void http_server::stop_accepting() {
  asio::post(state_->control, [state = state_] { state->stop_accepting(); });
}

void http_server::announce_stop() {
  state_->shared->stopping = http_shared::stop_phase::leaving;
}

void http_server::drain(std::chrono::nanoseconds patience, std::function<void()> drained) {
  asio::post(state_->control, [state = state_, patience, drained = std::move(drained)]() mutable {
    state->drain(patience, std::move(drained));
  });
}

wall_ms http_server::certificate_end() const {
  const auto tls = state_->shared->tls();
  return tls ? tls->ends() : 0;
}

result<void> http_server::apply(const config::settings& settings) {
  state_->shared->apply(settings);
  state_->shared->service->apply(settings);
  // Whether the port uses TLS is decided at the start and cannot be changed by a reload.
  const bool encrypted = state_->shared->tls() != nullptr;
  if (encrypted != !settings.http.tls.cert.empty())
    return error{errc::invalid_argument, "turning http.tls on or off needs a restart"};
  state_->tls_files = settings.http.tls;
  return state_->load_tls();
}

} // namespace cairn::net

#include "net/http_server.hpp"

#include "actors/listener.hpp"
#include "net/http_session.hpp"
#include "storage/log.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <algorithm>

namespace cairn::net {

namespace asio = boost::asio;
using boost::system::error_code;
using timer = asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>,
                                         actors::control_strand>;

namespace {
constexpr auto accept_pause = std::chrono::milliseconds{50}; // after a failed accept: no descriptors, say
constexpr std::uint32_t refusals_max = 128;                  // connections beyond the limit that get to hear why
} // namespace

// Everything below runs on `control`, a strand of the first shard, but for load_tls.
struct http_server::state : std::enable_shared_from_this<state> {
  state(std::vector<asio::io_context*> contexts, const config::settings& settings, actors::services services,
        storage::node_metrics& metrics, const storage::clock& clock, storage::random_source& random)
      : shards(std::move(contexts)),
        control(asio::make_strand(*shards.front())),
        listening(control),
        pause(control),
        sweep(control),
        patience(control),
        shared(std::make_shared<http_shared>(settings, std::move(services), metrics, clock, random)),
        tls_files(settings.http.tls) {}

  result<void> load_tls() {
    if (tls_files.cert.empty()) return {};
    auto fresh = tls_context::load(tls_files.cert, tls_files.key);
    if (!fresh) return fresh.error();
    shared->set_tls(std::move(*fresh));
    return {};
  }

  void accept() {
    auto& shard = *shards[next_shard++ % shards.size()];
    listening.async_accept(asio::make_strand(shard),
                           [self = shared_from_this()](error_code failed, session_socket socket) {
                             if (self->stopped) return;
                             if (failed) return self->pause_accepting(failed);
                             self->welcome(std::move(socket));
                             self->accept();
                           });
  }

  void pause_accepting(const error_code& failed) {
    log::warn("accept failed", {{"error", failed.message()}});
    pause.expires_after(accept_pause);
    pause.async_wait([self = shared_from_this()](error_code) {
      if (!self->stopped) self->accept();
    });
  }

  void welcome(session_socket socket) {
    const auto present = shared->sessions.size();
    const auto limit = shared->connections_max.load(std::memory_order_relaxed);
    if (present >= limit) shared->metrics.connections_refused.fetch_add(1, std::memory_order_relaxed);
    if (present >= std::uint64_t{limit} + refusals_max) return; // the socket closes itself
    const auto session = std::make_shared<http_session>(std::move(socket), shared);
    if (present < limit)
      session->start();
    else
      session->refuse();
  }

  // Often enough for the shortest of the timeouts to be kept within a quarter.
  void schedule_sweep() {
    const auto shortest = std::min(shared->header_timeout.load(), shared->idle_timeout.load());
    sweep.expires_after(
        std::clamp<config::duration>(shortest / 4, std::chrono::milliseconds{10}, std::chrono::milliseconds{500}));
    sweep.async_wait([self = shared_from_this()](error_code) {
      if (self->finished) return;
      for (const auto& session : self->shared->sessions.overdue(self->shared->clock.now())) session->deadline_passed();
      self->schedule_sweep();
    });
  }

  void stop_accepting() {
    if (std::exchange(stopped, true)) return;
    error_code ignored; // closed either way
    listening.close(ignored);
    pause.cancel();
  }

  void drain(std::chrono::nanoseconds time, std::function<void()> drained) {
    shared->stopping = true;
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
  actors::control_strand control;
  actors::acceptor listening;
  timer pause, sweep, patience;
  std::shared_ptr<http_shared> shared;
  config::http_tls_settings tls_files; // of listen and apply, which do not meet
  std::size_t next_shard = 0;
  bool stopped = false, finished = false;
};

http_server::http_server(std::vector<asio::io_context*> shards, const config::settings& settings,
                         actors::services services, storage::node_metrics& metrics, const storage::clock& clock,
                         storage::random_source& random)
    : state_(std::make_shared<state>(std::move(shards), settings, std::move(services), metrics, clock, random)) {}

http_server::~http_server() {
  stop_accepting();
  state_->end();
}

result<void> http_server::listen() {
  if (auto ready = state_->load_tls(); !ready) return ready;
  return actors::listen_on(state_->listening, state_->shared->listen);
}

config::endpoint http_server::local_endpoint() const {
  return actors::endpoint_of(state_->listening);
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

void http_server::drain(std::chrono::nanoseconds patience, std::function<void()> drained) {
  asio::post(state_->control, [state = state_, patience, drained = std::move(drained)]() mutable {
    state->drain(patience, std::move(drained));
  });
}

storage::wall_ms http_server::certificate_end() const {
  const auto tls = state_->shared->tls();
  return tls ? tls->ends() : 0;
}

result<void> http_server::apply(const config::settings& settings) {
  state_->shared->apply(settings);
  // Whether there is TLS at all is decided at the start: a port does not change what it speaks.
  const bool encrypted = state_->shared->tls() != nullptr;
  if (encrypted != !settings.http.tls.cert.empty())
    return error{errc::invalid_argument, "turning http.tls on or off needs a restart"};
  state_->tls_files = settings.http.tls;
  return state_->load_tls();
}

} // namespace cairn::net

#include "actors/link/link_server.hpp"

#include "base/log.hpp"
#include "base/sockets/handshake_pace.hpp"
#include "base/sockets/listener.hpp"
#include "base/third_party/asio.hpp"

#include <algorithm>

namespace cairn::actors::link {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {
constexpr auto accept_pause = std::chrono::milliseconds{50}; // if accept fails, e.g. no descriptors
constexpr auto refusal_log_pause = std::chrono::seconds{10};
} // namespace

// Everything runs on `control`, a strand of the first shard.
struct link_server::state : std::enable_shared_from_this<state> {
  state(std::vector<asio::io_context*> contexts, const link_server_settings& s,
        std::shared_ptr<const tls_identity> identity, std::shared_ptr<const session_services> session)
      : shards(std::move(contexts)),
        settings(s),
        tls(std::move(identity)),
        services(std::move(session)),
        control(asio::make_strand(*shards.front())),
        listening(control),
        pause(control),
        failures("accept of a link failed", services->clock),
        refusals(services->clock, refusal_log_pause) {}

  result<void> listen() {
    const auto& where = settings.listen;
    if (!tls && !settings.insecure && !where.is_loopback())
      return error{errc::invalid_argument, "listen on " + config::format(where) +
                                               ": links without TLS stay on loopback addresses unless "
                                               "cluster.insecure is true"};
    return sockets::listen_on(listening, where);
  }

  void accept() {
    auto& shard = *shards[next_shard++ % shards.size()];
    listening.async_accept(asio::make_strand(shard),
                           [self = shared_from_this()](error_code failed, link_socket socket) {
                             if (self->stopped) return;
                             if (failed) return self->pause_accepting(failed);
                             self->take_socket(std::move(socket));
                             self->accept();
                           });
  }

  void pause_accepting(const error_code& failed) {
    failures.note(failed);
    pause.expires_after(accept_pause);
    pause.async_wait([self = shared_from_this()](error_code) {
      if (!self->stopped) self->accept();
    });
  }

  void take_socket(link_socket socket) {
    auto steps = steps_of(socket);
    auto stream = tls ? tls->stream(std::move(socket), std::move(steps)) : plain_stream(std::move(socket));
    const auto session = std::make_shared<link_session>(services);
    const auto c = std::make_shared<connection>(std::move(stream), role::acceptor, settings.connection, session);
    const auto ticket = services->registry->arrived(c);
    if (!ticket) return note_refusal(c->address());
    session->attach(c, *ticket);
    c->start();
  }

  // Only a complete handshake proves membership, so until then the steps are charged to the peer's address.
  sockets::handshake_steps steps_of(const link_socket& socket) {
    error_code gone;
    const auto address = sockets::party_of(socket.remote_endpoint(gone).address());
    sockets::handshake_steps steps;
    steps.charge = [services = services, pace = pace, address] { return pace->charge(address, services->clock.now()); };
    steps.completed = [pace = pace, address](unsigned taken) { pace->refund(address, taken); };
    return steps;
  }

  void note_refusal(const std::string& address) {
    if (const auto left_out = refusals.due())
      log::warn("a link was refused: too many connections",
                {{"address", address}, {"left_out_since_the_last", *left_out}});
  }

  void stop() {
    if (std::exchange(stopped, true)) return;
    error_code ignored; // closed either way
    listening.close(ignored);
    pause.cancel();
    for (const auto& c : services->registry->all()) c->close({errc::stopping, "this node stops"});
  }

  const std::vector<asio::io_context*> shards;
  const link_server_settings settings;
  const std::shared_ptr<const tls_identity> tls;
  const std::shared_ptr<const session_services> services;
  const std::shared_ptr<sockets::handshake_pace> pace = std::make_shared<sockets::handshake_pace>();
  link_strand control;
  sockets::acceptor listening;
  asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>, link_strand>
      pause;
  sockets::accept_failures failures;
  log_pace refusals;
  std::size_t next_shard = 0;
  bool stopped = false;
};

link_server::link_server(std::vector<asio::io_context*> shards, const link_server_settings& settings,
                         std::shared_ptr<const tls_identity> tls, std::function<hello()> own,
                         std::function<result<void>(const peer&)> admit, std::shared_ptr<link_service> service,
                         const cairn::clock& clock) {
  auto own_with_credit = [own = std::move(own), credit = settings.limits.credit_bytes] {
    auto h = own();
    h.credit_bytes = credit;
    return h;
  };
  auto services = std::make_shared<session_services>(
      session_services{std::move(service), std::make_shared<link_registry>(settings.limits), clock,
                       std::move(own_with_credit), std::move(admit), settings.requests_max});
  auto queue_settings = settings; // the queue has room for all answers that the credit allows, with their headers
  queue_settings.connection.unsent_bytes_max =
      std::max<std::size_t>(settings.connection.unsent_bytes_max, settings.limits.credit_bytes * 2);
  state_ = std::make_shared<state>(std::move(shards), queue_settings, std::move(tls), std::move(services));
}

link_server::~link_server() {
  stop();
}

result<void> link_server::listen() {
  return state_->listen();
}

config::endpoint link_server::local_endpoint() const {
  return sockets::endpoint_of(state_->listening);
}

void link_server::start() {
  asio::post(state_->control, [state = state_] { state->accept(); });
}

void link_server::stop() {
  asio::post(state_->control, [state = state_] { state->stop(); });
}

void link_server::disconnect(const uuid& node, std::optional<std::uint64_t> before_incarnation) {
  const char* const why =
      before_incarnation ? "the node has restarted since" : "the node is no longer a member of the cluster";
  for (const auto& c : state_->services->registry->of_node(node, before_incarnation))
    c->close({errc::connection_lost, why});
}

std::size_t link_server::connections() const {
  return state_->services->registry->size();
}

} // namespace cairn::actors::link

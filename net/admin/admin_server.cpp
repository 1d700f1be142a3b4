#include "net/admin/admin_server.hpp"

#include "base/log.hpp"
#include "base/sockets/listener.hpp"
#include "base/third_party/asio.hpp"
#include "base/third_party/beast.hpp"
#include "net/admin/objects/object_request.hpp"

#include <array>
#include <atomic>
#include <list>
#include <mutex>
#include <sstream>
#include <utility>

namespace cairn::net {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using beast::error_code;

namespace {

constexpr std::uint32_t head_bytes_max = 16 << 10; // a copy names two keys of 1,024 bytes, percent-encoded
constexpr std::uint32_t connections_max = 64;      // enough for probes and scrapers
constexpr auto accept_pause = std::chrono::milliseconds{50};
constexpr auto refusal_pause = std::chrono::milliseconds{500}; // before the answer to a wrong token
constexpr auto refusal_log_pause = std::chrono::minutes{1};
constexpr std::size_t read_bytes = 4096;

// A connection that waits for its client: for the head, or for the client to read the answer.
class waiting_client {
public:
  virtual ~waiting_client() = default;
  virtual void evict() = 0;
};

using deadline_timer =
    asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>,
                               sockets::control_strand>;

} // namespace

struct admin_server::state : std::enable_shared_from_this<state> {
  state(asio::io_context& io, const config::admin_settings& s, admin_options given, const cairn::clock& clock,
        random_source& random)
      : control(asio::make_strand(io)),
        listening(control),
        pause(control),
        settings(s),
        api(s, std::move(given), clock, random),
        failures("accept on the admin port failed", clock),
        refusals(clock, refusal_log_pause) {}

  result<void> load_tls(const config::admin_tls_settings& files) {
    if (files.cert.empty()) return {};
    auto fresh = tls_context::load(files.cert, files.key);
    if (!fresh) return fresh.error();
    const std::lock_guard lock{tls_mutex};
    tls_now = std::move(*fresh);
    return {};
  }
  std::shared_ptr<const tls_context> tls() const {
    const std::lock_guard lock{tls_mutex};
    return tls_now;
  }

  // Logged at most once a minute, so that guessing does not fill the log.
  void note_refusal(const std::string& from) {
    if (const auto left_out = refusals.due())
      log::info("a request without the admin token was refused",
                {{"address", from}, {"left_out_since_the_last", *left_out}});
  }

  void accept();
  // At the limit a new connection evicts the one that has waited longest for its client.
  void make_room() {
    while (connections >= connections_max && !waiting.empty()) {
      const auto oldest = waiting.front().lock();
      waiting.pop_front();
      if (oldest) oldest->evict();
    }
  }

  sockets::control_strand control;
  sockets::acceptor listening;
  deadline_timer pause;
  const config::admin_settings settings;
  admin_api api;
  std::atomic<std::uint32_t> connections{0};
  std::list<std::weak_ptr<waiting_client>> waiting; // oldest first; on `control`
  sockets::spare_descriptor spare;                  // for refusing connections without free descriptors
  bool stopped = false;
  sockets::accept_failures failures; // on `control`
  log_pace refusals;                 // on `control`
  mutable std::mutex tls_mutex;
  std::shared_ptr<const tls_context> tls_now; // null: plaintext
};

namespace {

// One connection: reads one request, answers it and closes, or hands the connection over to the S3 port's server. On
// `control`.
template <class State>
class admin_session : public waiting_client, public std::enable_shared_from_this<admin_session<State>> {
public:
  admin_session(session_socket connection, std::shared_ptr<State> server)
      : stream_(std::make_unique<session_stream>(std::move(connection), server->tls())),
        deadline_(stream_->socket().get_executor()),
        pause_(stream_->socket().get_executor()),
        server_(std::move(server)) {
    ++server_->connections;
  }
  ~admin_session() override { leave(); }
  admin_session(const admin_session&) = delete;
  admin_session& operator=(const admin_session&) = delete;

  void start() {
    server_->waiting.push_back(this->weak_from_this());
    parser_.header_limit(head_bytes_max);
    parser_.body_limit(boost::none); // no body is read here
    expire_after(server_->api.options().times.client);
    if (!stream_->encrypted()) return read();
    stream_->async_handshake({}, [self = this->shared_from_this()](const error_code& failed, std::size_t) {
      failed ? self->end() : self->read();
    });
  }

  // Pending operations end with an error.
  void evict() override {
    end();
    leave();
  }

private:
  // Frees the connection's place although pending operations have not ended yet.
  void leave() {
    if (std::exchange(counted_, false)) --server_->connections;
  }

  void no_longer_waits() {
    server_->waiting.remove_if([this](const auto& other) {
      const auto alive = other.lock();
      return !alive || alive.get() == this;
    });
  }

  // Ends the connection after `time`, in any state. Pending operations keep it alive.
  void expire_after(std::chrono::milliseconds time) {
    deadline_.expires_after(time);
    deadline_.async_wait([weak = this->weak_from_this()](const error_code& cancelled) {
      const auto self = cancelled ? nullptr : weak.lock();
      if (self) self->end();
    });
  }

  void end() {
    error_code ignored; // the socket is closed anyway
    deadline_.cancel();
    pause_.cancel();
    if (!stream_) return;
    stream_->socket().shutdown(asio::ip::tcp::socket::shutdown_both, ignored);
    stream_->socket().close(ignored);
  }

  void read() {
    stream_->async_read_some(asio::buffer(bytes_),
                             [self = this->shared_from_this()](const error_code& failed, std::size_t n) {
                               failed ? self->end() : self->take(n);
                             });
  }

  void take(std::size_t n) {
    head_.append(bytes_.data(), n);
    error_code failed;
    const auto used = parser_.put(asio::buffer(std::as_const(head_)), failed);
    if (failed == http::error::need_more) failed = {};
    if (failed) return refuse(failed);
    head_.erase(0, used);
    if (!parser_.is_header_done()) return head_.size() < head_bytes_max ? read() : refuse(http::error::header_limit);
    answer();
  }

  void refuse(const error_code& failed) { send(text_response(http::status::bad_request, failed.message() + "\n")); }

  void answer() {
    no_longer_waits();
    expire_after(server_->api.options().times.work);
    server_->api.answer(parser_.get(), stream_->encrypted(), address(), answer_later());
  }

  std::string address() {
    error_code ignored;
    return stream_->socket().remote_endpoint(ignored).address().to_string();
  }

  void send_after_pause(admin_response r) {
    server_->note_refusal(address());
    server_->waiting.push_back(this->weak_from_this()); // now the connection may be evicted
    pause_.expires_after(refusal_pause);
    pause_.async_wait([self = this->shared_from_this(), r = std::move(r)](const error_code& cancelled) mutable {
      if (!cancelled) self->send(std::move(r));
    });
  }

  // Keeps the session and its request alive until it is called.
  admin_done answer_later() {
    return [self = this->shared_from_this()](admin_answer a) {
      asio::post(self->stream_->socket().get_executor(), [self, a = std::move(a)]() mutable {
        if (a.adopt) return self->adopt_by_s3(std::move(a));
        a.wrong_credentials ? self->send_after_pause(std::move(a.response)) : self->send(std::move(a.response));
      });
    };
  }

  void adopt_by_s3(admin_answer a) {
    deadline_.cancel();
    no_longer_waits();
    leave();
    a.adopt({std::move(stream_), std::move(a.s3_head) + head_, std::string{object_answer_lines}});
  }

  void send(admin_response r) {
    if (parser_.is_header_done() && parser_.get().method() == http::verb::head)
      r.body().clear(); // Content-Length stays that of GET
    std::ostringstream text;
    text << r;
    answer_ = text.str();
    no_longer_waits();
    server_->waiting.push_back(this->weak_from_this());
    expire_after(server_->api.options().times.client);
    const std::array<asio::const_buffer, 2> buffers{asio::buffer(std::as_const(answer_)), asio::const_buffer{}};
    stream_->async_write(buffers, asio::transfer_all(),
                         [self = this->shared_from_this()](const error_code& failed, std::size_t) {
                           if (failed || !self->stream_->encrypted()) return self->end();
                           self->stream_->async_shutdown([self](const error_code&, std::size_t) { self->end(); });
                         });
  }

  std::unique_ptr<session_stream> stream_; // null: handed over
  deadline_timer deadline_, pause_;
  std::shared_ptr<State> server_;
  std::array<char, read_bytes> bytes_{};
  std::string head_, answer_; // head_: received, not parsed yet; answer_: being sent
  http::request_parser<http::empty_body> parser_;
  bool counted_ = true;
};

} // namespace

void admin_server::state::accept() {
  listening.async_accept(control, [self = shared_from_this()](error_code failed, session_socket socket) {
    if (self->stopped) return;
    if (failed == asio::error::no_descriptors && self->spare.give_up()) return self->accept();
    if (failed) {
      self->failures.note(failed);
      self->pause.expires_after(accept_pause);
      self->pause.async_wait([self](error_code) {
        if (!self->stopped) self->accept();
      });
      return;
    }
    self->spare.keep();
    self->make_room();
    if (self->connections < connections_max) std::make_shared<admin_session<state>>(std::move(socket), self)->start();
    self->accept();
  });
}

admin_server::admin_server(asio::io_context& context, const config::admin_settings& settings, admin_options options,
                           const cairn::clock& clock, random_source& random)
    : state_(std::make_shared<state>(context, settings, std::move(options), clock, random)) {}

admin_server::~admin_server() {
  stop();
}

result<void> admin_server::listen() {
  if (auto loaded = state_->load_tls(state_->settings.tls); !loaded) return loaded;
  return sockets::listen_on(state_->listening, state_->settings.listen);
}

result<void> admin_server::apply(const config::admin_settings& settings) {
  if (settings.tls.cert.empty() != state_->settings.tls.cert.empty())
    return error{errc::invalid_argument, "turning admin.tls on or off needs a restart"};
  return state_->load_tls(settings.tls);
}

wall_ms admin_server::certificate_end() const {
  const auto now = state_->tls();
  return now ? now->ends() : 0;
}

config::endpoint admin_server::local_endpoint() const {
  return sockets::endpoint_of(state_->listening);
}

void admin_server::start() {
  asio::post(state_->control, [state = state_] { state->accept(); });
}

void admin_server::stop() {
  asio::post(state_->control, [state = state_] {
    state->stopped = true;
    error_code ignored; // closed either way
    state->listening.close(ignored);
    state->pause.cancel();
  });
}

void admin_server::open_node(admin_targets targets) {
  state_->api.open_node(std::move(targets));
}

void admin_server::close_node() {
  state_->api.close_node();
}

void admin_server::set_stopping() {
  state_->api.set_stopping();
}

} // namespace cairn::net

#include "net/admin/admin_server.hpp"

#include "base/log.hpp"
#include "base/sockets/listener.hpp"
#include "net/admin/cluster_page.hpp"
#include "net/wire/grammar/host_check.hpp"
#include "net/wire/session_stream.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

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

constexpr std::uint32_t head_bytes_max = 8 << 10;
constexpr std::uint32_t connections_max = 64; // enough for probes and scrapers
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

using request = http::request<http::empty_body>;
using response = http::response<http::string_body>;
using deadline_timer =
    asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>,
                               sockets::control_strand>;

response text_response(http::status status, std::string body, const char* type = "text/plain; charset=utf-8") {
  response r{status, 11};
  r.set(http::field::server, "Cairn");
  r.set(http::field::content_type, type);
  r.body() = std::move(body);
  r.keep_alive(false);
  r.prepare_payload();
  return r;
}

response refusal(const error& why) {
  const auto status = [&why] {
    switch (why.code) {
      case errc::invalid_argument: return http::status::bad_request;
      case errc::no_such_bucket:
      case errc::no_such_access_key:
      case errc::not_found: return http::status::not_found;
      case errc::too_large:
      case errc::precondition_failed: return http::status::conflict;
      case errc::timeout: return http::status::gateway_timeout;
      case errc::no_leader:
      case errc::busy:
      case errc::stopping:
      case errc::connection_lost: return http::status::service_unavailable;
      default: return http::status::internal_server_error;
    }
  };
  return text_response(status(), (why.text.empty() ? std::string(to_string(why.code)) : why.text) + "\n");
}

error not_open() {
  return {errc::no_leader, "the node starts"};
}

constexpr const char* no_cluster = "this is a standalone node: cluster.listen is not set\n";

} // namespace

struct admin_server::state : std::enable_shared_from_this<state> {
  state(asio::io_context& io, const config::admin_settings& s, admin_options given, const storage::clock& clock)
      : control(asio::make_strand(io)),
        listening(control),
        pause(control),
        settings(s),
        options(std::move(given)),
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

  static std::string_view text_of(beast::string_view v) { return {v.data(), v.size()}; }
  static std::optional<std::string_view> token_of(const request& asked) {
    const auto found = asked.find("Cairn-Token");
    if (found == asked.end()) return std::nullopt;
    return text_of(found->value());
  }
  // A web page can make its own host name resolve to this port (DNS rebinding), but it does not know the token.
  bool may_read(const request& asked) const {
    return asked.target().starts_with("/health/") ||
           host_allowed(text_of(asked[http::field::host]), settings.listen, settings.server_names) ||
           may_command(token_of(asked), options.token);
  }
  // Logged at most once a minute, so that guessing does not fill the log.
  void note_refusal(const std::string& from) {
    if (const auto left_out = refusals.due())
      log::info("a request without the admin token was refused",
                {{"address", from}, {"left_out_since_the_last", *left_out}});
  }

  response answer(const request& asked) const {
    const auto target = asked.target().substr(0, asked.target().find('?'));
    if (asked.method() != http::verb::get && asked.method() != http::verb::head) {
      auto r = text_response(http::status::method_not_allowed, "only GET and HEAD\n");
      r.set(http::field::allow, "GET, HEAD");
      return r;
    }
    if (target == "/health/live") return text_response(http::status::ok, "live\n");
    if (target == "/health/ready") return ready();
    if (target == "/metrics") {
      return text_response(http::status::ok, options.metrics(), "text/plain; version=0.0.4; charset=utf-8");
    }
    return text_response(http::status::not_found, "there is /health/live, /health/ready, /metrics and /cluster\n");
  }

  // Calls `done` with the answer to a refusal, `take` with any other result; either on any thread.
  template <class Answer, class... Message>
  void ask_admin_service(std::function<void(response)> done, std::function<void(const Answer&)> take,
                         Message... message) const {
    if (!options.clustered) return done(text_response(http::status::not_found, no_cluster));
    const auto node = targets.load();
    if (!node) return done(refusal(not_open()));
    actors::ask_actor<Answer>(
        *node->keys.services.system, node->admin_service,
        [done = std::move(done), take = std::move(take)](const result<Answer>& answered) {
          answered ? take(*answered) : done(refusal(answered.error()));
        },
        std::move(message)...);
  }

  // Calls `done` with the answer, on any thread. `asked` must live until then.
  void cluster(const request& asked, std::function<void(response)> done) const {
    const auto target = parse_target({asked.target().data(), asked.target().size()});
    const auto* format = target ? target->find("format") : nullptr;
    ask_admin_service<actors::cluster_status_ptr>(
        done,
        [format = format ? *format : std::string{}, done](const actors::cluster_status_ptr& status) {
          if (format == "text") return done(text_response(http::status::ok, cluster_text(*status)));
          if (format == "join") return done(text_response(http::status::ok, join_text(*status)));
          done(text_response(http::status::ok, cluster_json(*status), "application/json"));
        },
        actors::status_atom_v);
  }

  static bool is_command(const request& asked) {
    return asked.method() == http::verb::post &&
           (asked.target().starts_with("/cluster/command") || asked.target().starts_with("/keys/command"));
  }

  // The token was checked. Calls `done` with the answer, on any thread.
  void command(const request& asked, std::function<void(response)> done) const {
    const auto target = parse_target(text_of(asked.target()));
    if (!target) return done(refusal(target.error()));
    // Logs only a part of the target, because secrets must not be logged.
    const auto* kind = target->find("kind");
    log::info("an operator's command",
              {{"path", std::string{asked.target().starts_with("/keys/") ? "keys" : "cluster"}},
               {"kind", kind ? *kind : std::string{}}});
    if (asked.target().starts_with("/keys/")) return change_keys(*target, std::move(done));
    change_cluster(*target, std::move(done));
  }

  void change_cluster(const request_target& target, std::function<void(response)> done) const {
    auto parsed = parse_admin_command(target);
    if (!parsed) return done(refusal(parsed.error()));
    ask_admin_service<std::string>(
        done, [done](const std::string& text) { done(text_response(http::status::ok, text + "\n")); },
        actors::admin_command_atom_v, std::move(*parsed));
  }

  void change_keys(const request_target& target, std::function<void(response)> done) const {
    auto parsed = parse_key_command(target);
    if (!parsed) return done(refusal(parsed.error()));
    const auto node = targets.load();
    if (!node) return done(refusal(not_open()));
    const char* type = parsed->json ? "application/json" : "text/plain; charset=utf-8";
    run_key_command(node->keys, std::move(*parsed), [type, done = std::move(done)](result<std::string> outcome) {
      done(outcome ? text_response(http::status::ok, std::move(*outcome), type) : refusal(outcome.error()));
    });
  }

  response ready() const {
    if (stopping) return text_response(http::status::service_unavailable, "stopping\n");
    const auto status = options.status();
    return status.ready ? text_response(http::status::ok, "ready\n")
                        : text_response(http::status::service_unavailable, "not ready: " + status.reason + "\n");
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
  const admin_options options;
  std::atomic<std::shared_ptr<const admin_targets>> targets; // null: the node is not open
  std::atomic<bool> stopping{false};
  std::atomic<std::uint32_t> connections{0};
  std::list<std::weak_ptr<waiting_client>> waiting; // oldest first; on `control`
  sockets::spare_descriptor spare;                  // for refusing connections without free descriptors
  bool stopped = false;
  sockets::accept_failures failures; // on `control`
  storage::log_pace refusals;        // on `control`
  mutable std::mutex tls_mutex;
  std::shared_ptr<const tls_context> tls_now; // null: plaintext
};

namespace {

// One connection: reads one request, answers it, closes. On `control`.
template <class State>
class admin_session : public waiting_client, public std::enable_shared_from_this<admin_session<State>> {
public:
  admin_session(session_socket connection, std::shared_ptr<State> server)
      : stream_(std::move(connection), server->tls()),
        deadline_(stream_.socket().get_executor()),
        pause_(stream_.socket().get_executor()),
        server_(std::move(server)) {
    ++server_->connections;
  }
  ~admin_session() override { leave(); }
  admin_session(const admin_session&) = delete;
  admin_session& operator=(const admin_session&) = delete;

  void start() {
    server_->waiting.push_back(this->weak_from_this());
    parser_.header_limit(head_bytes_max);
    expire_after(server_->options.times.client);
    if (!stream_.encrypted()) return read();
    stream_.async_handshake({}, [self = this->shared_from_this()](const error_code& failed, std::size_t) {
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
    stream_.socket().shutdown(asio::ip::tcp::socket::shutdown_both, ignored);
    stream_.socket().close(ignored);
  }

  void read() {
    stream_.async_read_some(asio::buffer(bytes_),
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
    expire_after(server_->options.times.work);
    const auto& asked = parser_.get();
    if (server_->is_command(asked)) return command();
    if (!server_->may_read(asked))
      return send(text_response(http::status::forbidden,
                                "Host is none of this port's names (admin.server_names), and the token is missing\n"));
    const auto path = asked.target().substr(0, asked.target().find('?'));
    if (path == "/cluster" && (asked.method() == http::verb::get || asked.method() == http::verb::head))
      return server_->cluster(asked, answer_later());
    send(server_->answer(asked));
  }

  void command() {
    const auto may = may_command(server_->token_of(parser_.get()), server_->options.token);
    if (may) return server_->command(parser_.get(), answer_later());
    error_code ignored;
    const auto from = stream_.socket().remote_endpoint(ignored).address().to_string();
    server_->note_refusal(from);
    server_->waiting.push_back(this->weak_from_this()); // now the connection may be evicted
    pause_.expires_after(refusal_pause);
    pause_.async_wait([self = this->shared_from_this(), text = may.error().text + "\n"](const error_code& cancelled) {
      if (!cancelled) self->send(text_response(http::status::forbidden, text));
    });
  }

  // Keeps the session and its request alive until it is called.
  std::function<void(response)> answer_later() {
    return [self = this->shared_from_this()](response r) {
      asio::post(self->stream_.socket().get_executor(),
                 [self, r = std::move(r)]() mutable { self->send(std::move(r)); });
    };
  }

  void send(response r) {
    if (parser_.is_header_done() && parser_.get().method() == http::verb::head)
      r.body().clear(); // Content-Length stays that of GET
    std::ostringstream text;
    text << r;
    answer_ = text.str();
    no_longer_waits();
    server_->waiting.push_back(this->weak_from_this());
    expire_after(server_->options.times.client);
    const std::array<asio::const_buffer, 2> buffers{asio::buffer(std::as_const(answer_)), asio::const_buffer{}};
    stream_.async_write(buffers, asio::transfer_all(),
                        [self = this->shared_from_this()](const error_code& failed, std::size_t) {
                          if (failed || !self->stream_.encrypted()) return self->end();
                          self->stream_.async_shutdown([self](const error_code&, std::size_t) { self->end(); });
                        });
  }

  session_stream stream_;
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
                           const storage::clock& clock)
    : state_(std::make_shared<state>(context, settings, std::move(options), clock)) {}

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

storage::wall_ms admin_server::certificate_end() const {
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
  state_->targets = std::make_shared<const admin_targets>(std::move(targets));
}

void admin_server::close_node() {
  state_->targets.store(nullptr);
}

void admin_server::set_stopping() {
  state_->stopping = true;
}

} // namespace cairn::net

#include "net/admin_server.hpp"

#include "actors/listener.hpp"
#include "net/cluster_page.hpp"
#include "storage/log.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

#include <atomic>
#include <list>
#include <utility>

namespace cairn::net {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using beast::error_code;

namespace {

constexpr std::uint32_t head_bytes_max = 8 << 10;
constexpr std::uint32_t connections_max = 64; // probes and scrapers are few
constexpr auto request_time = std::chrono::seconds{10};
constexpr auto accept_pause = std::chrono::milliseconds{50};

// A connection whose client is waited for: for its head, or to read its answer.
class waiting_client {
public:
  virtual ~waiting_client() = default;
  virtual void give_way() = 0;
};

using request = http::request<http::empty_body>;
using response = http::response<http::string_body>;
using stream = beast::basic_stream<asio::ip::tcp, actors::control_strand>;

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

constexpr const char* no_cluster = "the node is a store of its own: cluster.listen is not set\n";

} // namespace

struct admin_server::state : std::enable_shared_from_this<state> {
  state(asio::io_context& io, config::endpoint where, admin_callbacks functions)
      : control(asio::make_strand(io)),
        listening(control),
        pause(control),
        listen(std::move(where)),
        callbacks(std::move(functions)) {}

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
      return text_response(http::status::ok, callbacks.metrics(), "text/plain; version=0.0.4; charset=utf-8");
    }
    return text_response(http::status::not_found, "there is /health/live, /health/ready, /metrics and /cluster\n");
  }

  // Both answer with `done`, by any thread. `asked` lives until then.
  void cluster(const request& asked, std::function<void(response)> done) const {
    if (!callbacks.cluster) return done(text_response(http::status::not_found, no_cluster));
    const auto target = parse_target({asked.target().data(), asked.target().size()});
    const auto* format = target ? target->find("format") : nullptr;
    callbacks.cluster([format = format ? *format : std::string{},
                       done = std::move(done)](const result<actors::cluster_status>& status) {
      if (!status) return done(refusal(status.error()));
      if (format == "text") return done(text_response(http::status::ok, cluster_text(*status)));
      if (format == "join") return done(text_response(http::status::ok, join_text(*status)));
      done(text_response(http::status::ok, cluster_json(*status), "application/json"));
    });
  }

  static bool is_command(const request& asked) {
    return asked.method() == http::verb::post &&
           (asked.target().starts_with("/cluster/command") || asked.target().starts_with("/keys/command"));
  }

  // Answers with `done`, by any thread.
  void command(const request& asked, bool from_this_machine, std::function<void(response)> done) const {
    const auto text_of = [](beast::string_view v) { return std::string_view{v.data(), v.size()}; };
    command_request r{std::nullopt, text_of(asked[http::field::host]), from_this_machine};
    if (const auto token = asked.find("Cairn-Token"); token != asked.end()) r.token = text_of(token->value());
    if (const auto may = may_command(r, callbacks.token); !may)
      return done(text_response(http::status::forbidden, may.error().text + "\n"));
    auto target = parse_target(text_of(asked.target()));
    if (!target) return done(refusal(target.error()));
    log::info("an operator's wish", {{"target", std::string{text_of(asked.target())}}});
    if (asked.target().starts_with("/keys/")) return change_keys(*target, std::move(done));
    change_cluster(std::move(*target), std::move(done));
  }

  void change_cluster(request_target target, std::function<void(response)> done) const {
    if (!callbacks.cluster || !callbacks.command) return done(text_response(http::status::not_found, no_cluster));
    callbacks.cluster([command = callbacks.command, target = std::move(target),
                       done = std::move(done)](const result<actors::cluster_status>& status) {
      if (!status) return done(refusal(status.error()));
      auto wish = parse_membership_command(target, *status);
      if (!wish) return done(refusal(wish.error()));
      command(std::move(*wish), [done](result<std::string> outcome) {
        done(outcome ? text_response(http::status::ok, *outcome + "\n") : refusal(outcome.error()));
      });
    });
  }

  void change_keys(const request_target& target, std::function<void(response)> done) const {
    auto wish = parse_key_command(target);
    if (!wish) return done(refusal(wish.error()));
    if (!callbacks.keys) return done(refusal({errc::busy, "the node is starting"}));
    const char* type = wish->json ? "application/json" : "text/plain; charset=utf-8";
    callbacks.keys(std::move(*wish), [type, done = std::move(done)](result<std::string> outcome) {
      done(outcome ? text_response(http::status::ok, std::move(*outcome), type) : refusal(outcome.error()));
    });
  }

  response ready() const {
    if (stopping) return text_response(http::status::service_unavailable, "stopping\n");
    const auto status = callbacks.status();
    return status.ready ? text_response(http::status::ok, "ready\n")
                        : text_response(http::status::service_unavailable, "not ready: " + status.reason + "\n");
  }

  void accept();
  // When there is no room for a new connection, the one that has waited longest for its client gives way.
  void make_room() {
    while (connections >= connections_max && !waiting.empty()) {
      const auto oldest = waiting.front().lock();
      waiting.pop_front();
      if (oldest) oldest->give_way();
    }
  }

  actors::control_strand control;
  actors::acceptor listening;
  asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>,
                             actors::control_strand>
      pause;
  config::endpoint listen;
  admin_callbacks callbacks;
  std::atomic<bool> stopping{false};
  std::atomic<std::uint32_t> connections{0};
  std::list<std::weak_ptr<waiting_client>> waiting; // oldest first; on `control`
  actors::spare_descriptor spare;                   // for a connection when the process has no other left
  bool stopped = false;
};

namespace {

// One connection: a request, an answer, the end.
template <class State>
class admin_session : public waiting_client, public std::enable_shared_from_this<admin_session<State>> {
public:
  admin_session(stream connection, std::shared_ptr<State> server)
      : stream_(std::move(connection)), server_(std::move(server)) {
    ++server_->connections;
  }
  ~admin_session() override { leave(); }
  admin_session(const admin_session&) = delete;
  admin_session& operator=(const admin_session&) = delete;

  void read() {
    server_->waiting.push_back(this->weak_from_this());
    parser_.header_limit(head_bytes_max);
    stream_.expires_after(request_time);
    http::async_read_header(stream_, buffer_, parser_,
                            [self = this->shared_from_this()](error_code failed, std::size_t) {
                              if (!failed)
                                self->write();
                              else if (failed != http::error::end_of_stream)
                                self->refuse(failed);
                            });
  }

  // What is pending ends with an error.
  void give_way() override {
    stream_.close();
    leave();
  }

private:
  // Its place is free, though what is pending has not been called back.
  void leave() {
    if (std::exchange(counted_, false)) --server_->connections;
  }

  void no_longer_waits() {
    server_->waiting.remove_if([this](const auto& other) {
      const auto alive = other.lock();
      return !alive || alive.get() == this;
    });
  }

  void refuse(const error_code& failed) {
    response_ = text_response(http::status::bad_request, failed.message() + "\n");
    send();
  }

  void write() {
    no_longer_waits();
    const auto& asked = parser_.get();
    if (server_->is_command(asked)) return command();
    const auto path = asked.target().substr(0, asked.target().find('?'));
    if (path == "/cluster" && (asked.method() == http::verb::get || asked.method() == http::verb::head))
      return server_->cluster(asked, answer_later());
    response_ = server_->answer(asked);
    if (parser_.get().method() == http::verb::head) response_.body().clear(); // Content-Length stays that of GET
    send();
  }

  void command() {
    error_code failed;
    const auto other = stream_.socket().remote_endpoint(failed).address();
    const bool mapped = !failed && other.is_v6() && other.to_v6().is_v4_mapped();
    const bool here = !failed && (mapped ? asio::ip::make_address_v4(asio::ip::v4_mapped, other.to_v6()).is_loopback()
                                         : other.is_loopback());
    server_->command(parser_.get(), here, answer_later());
  }

  // Keeps the session, and with it the request, until it is called.
  std::function<void(response)> answer_later() {
    return [self = this->shared_from_this()](response r) {
      asio::post(self->stream_.get_executor(), [self, r = std::move(r)]() mutable {
        self->response_ = std::move(r);
        if (self->parser_.get().method() == http::verb::head) self->response_.body().clear();
        self->send();
      });
    };
  }

  void send() {
    no_longer_waits();
    server_->waiting.push_back(this->weak_from_this());
    stream_.expires_after(request_time);
    http::async_write(stream_, response_, [self = this->shared_from_this()](error_code, std::size_t) {
      error_code ignored; // the connection ends here in any case
      self->stream_.socket().shutdown(asio::ip::tcp::socket::shutdown_both, ignored);
    });
  }

  stream stream_;
  std::shared_ptr<State> server_;
  beast::flat_buffer buffer_;
  http::request_parser<http::empty_body> parser_;
  response response_;
  bool counted_ = true;
};

} // namespace

void admin_server::state::accept() {
  listening.async_accept(control, [self = shared_from_this()](error_code failed, stream::socket_type socket) {
    if (self->stopped) return;
    if (failed == asio::error::no_descriptors && self->spare.give_up()) return self->accept();
    if (failed) {
      log::warn("accept on the admin port failed", {{"error", failed.message()}});
      self->pause.expires_after(accept_pause);
      self->pause.async_wait([self](error_code) {
        if (!self->stopped) self->accept();
      });
      return;
    }
    self->spare.keep();
    self->make_room();
    if (self->connections < connections_max) {
      std::make_shared<admin_session<state>>(stream{std::move(socket)}, self)->read();
    }
    self->accept();
  });
}

admin_server::admin_server(asio::io_context& context, config::endpoint listen, admin_callbacks callbacks)
    : state_(std::make_shared<state>(context, std::move(listen), std::move(callbacks))) {}

admin_server::~admin_server() {
  stop();
}

result<void> admin_server::listen() {
  return actors::listen_on(state_->listening, state_->listen);
}

config::endpoint admin_server::local_endpoint() const {
  return actors::endpoint_of(state_->listening);
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

void admin_server::set_stopping() {
  state_->stopping = true;
}

} // namespace cairn::net

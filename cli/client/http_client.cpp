#include "cli/client/http_client.hpp"

#include "base/codec.hpp"
#include "base/third_party/asio.hpp"
#include "base/third_party/asio_tls.hpp"
#include "base/third_party/beast.hpp"
#include "cli/client/look_up.hpp"
#include "net/wire/grammar/ascii.hpp"

#include <poll.h>

#include <algorithm>
#include <array>
#include <cstdio>

namespace cairn::cli {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
namespace ssl = asio::ssl;
using boost::system::error_code;

namespace {

constexpr std::size_t buffer_bytes = 1 << 20, received_bytes_max = 64 << 10;
constexpr std::size_t gathered_body_bytes_max = 16 << 20;
constexpr std::uint64_t expect_continue_bytes_min = 1 << 20;
constexpr int continue_wait_ms = 1000; // RFC 9110 10.1.1: a client need not wait for ever

error transport_error(error_code code, const std::string& doing) {
  if (code == beast::error::timeout) return {errc::timeout, doing + ": no progress in time"};
  if (code == http::error::end_of_stream || code == http::error::partial_message || code == asio::error::eof)
    return {errc::connection_lost, doing + ": the server closed the connection"};
  if (code.category() == http::make_error_code(http::error::bad_version).category())
    return {errc::connection_lost, doing + ": not an HTTP answer (" + code.message() + ")"};
  return {errc::connection_lost, doing + ": " + code.message()};
}

// Certificates that the server sends and whose SHA-1 is one of `wanted` are trusted like those of the store, which is
// this connection's alone. The names, times and signatures of the chain are checked as ever.
int verify_with_thumbprints(X509_STORE_CTX* chain, void* wanted) {
  const auto& thumbprints = *static_cast<const std::vector<std::string>*>(wanted);
  auto* const sent = X509_STORE_CTX_get0_untrusted(chain);
  for (int i = 0; i < sk_X509_num(sent); ++i) {
    auto* const one = sk_X509_value(sent, i);
    std::array<std::uint8_t, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    if (X509_digest(one, EVP_sha1(), digest.data(), &size) != 1) continue;
    const auto text = hex_of(std::span<const std::uint8_t>{digest.data(), size});
    if (std::find(thumbprints.begin(), thumbprints.end(), text) == thumbprints.end()) continue;
    X509_STORE_add_cert(X509_STORE_CTX_get0_store(chain), one);
    X509_VERIFY_PARAM_set_flags(X509_STORE_CTX_get0_param(chain), X509_V_FLAG_PARTIAL_CHAIN);
  }
  return X509_verify_cert(chain);
}

void sign(http_request& request, const server_address& server, const net::client_credentials& with) {
  const auto target = net::parse_target(request.target);
  if (!target) return; // the server refuses it
  auto headers = request.headers;
  headers.emplace_back("Host", server.host_header());
  std::vector<net::header_view> views;
  for (const auto& [name, value] : headers) views.push_back({name, value});
  const std::string_view path{request.target};
  const net::signed_request sent{request.method, path.substr(0, path.find('?')), target->query, views};
  const auto payload =
      request.payload ? hex_of(sha256_of(std::as_bytes(std::span{*request.payload}))) : "UNSIGNED-PAYLOAD";
  for (auto& added : net::sign_request(with, sent, system_clock().wall(), payload))
    request.headers.push_back(std::move(added));
}

// How an operation ended. One type, and no serializers: each handler and each body would compile Beast's streams anew.
struct outcome {
  error_code code = asio::error::would_block;
  std::size_t bytes = 0;
};
struct handler {
  outcome* out;
  void operator()(error_code code, std::size_t bytes = 0) const { *out = {code, bytes}; }
  void operator()(error_code code, const asio::ip::tcp::endpoint&) const { *out = {code, 0}; }
};

using pieces = std::array<asio::const_buffer, 3>;

void advance(pieces& left, std::size_t bytes) {
  for (auto& piece : left) {
    const auto part = std::min(bytes, piece.size());
    piece += part;
    bytes -= part;
  }
}

std::string head_of(const http::request<http::empty_body>& message) {
  std::string text{message.method_string()};
  text.append(" ").append(message.target()).append(" HTTP/1.1\r\n");
  for (const auto& field : message) text.append(field.name_string()).append(": ").append(field.value()).append("\r\n");
  return text + "\r\n";
}

} // namespace

std::string_view http_response::header(std::string_view name) const {
  for (const auto& [key, value] : headers)
    if (net::iequals(key, name)) return value;
  return {};
}

// One TCP connection. Beast bounds asynchronous operations only, so each step starts one and runs the context until it
// ended.
class http_client::connection {
public:
  explicit connection(const http_timeouts& timeouts) : timeouts_(timeouts), stream_(context_), chunk_(buffer_bytes) {}

  result<void> open(const server_address& server) {
    const auto doing = "connecting to " + server.host_header();
    const auto found = look_up(server.host, server.port, timeouts_.look_up);
    if (!found) return error{found.error().code, doing + ": " + found.error().text};
    auto code = run(in(timeouts_.connect), [&](handler done) { stream_.async_connect(*found, done); }).code;
    if (code) return transport_error(code, doing);
    stream_.socket().set_option(asio::ip::tcp::no_delay(true), code);
    return server.tls ? encrypt(server, doing) : result<void>{};
  }

  result<void> encrypt(const server_address& server, const std::string& doing) {
    error_code code;
    const auto broken = [&](const std::string& what) {
      return error{errc::connection_lost, doing + ": " + what + ": " + code.message()};
    };
    tls_context_.emplace(ssl::context::tls_client);
    if (SSL_CTX_set_min_proto_version(tls_context_->native_handle(), TLS1_2_VERSION) != 1)
      return error{errc::connection_lost, doing + ": this OpenSSL has no TLS 1.2"};
    if (server.ca.empty())
      tls_context_->set_default_verify_paths(code);
    else
      tls_context_->load_verify_file(server.ca, code);
    if (code) return broken("the trusted certificates" + (server.ca.empty() ? "" : " in " + server.ca));
    if (!server.thumbprints.empty())
      SSL_CTX_set_cert_verify_callback(tls_context_->native_handle(), verify_with_thumbprints,
                                       const_cast<std::vector<std::string>*>(&server.thumbprints));
    tls_.emplace(stream_, *tls_context_);
    tls_->set_verify_mode(ssl::verify_peer, code);
    tls_->set_verify_callback(ssl::host_name_verification(server.host), code);
    error_code not_numeric;
    asio::ip::make_address(server.host, not_numeric);
    if (not_numeric && SSL_set_tlsext_host_name(tls_->native_handle(), server.host.c_str()) != 1)
      return error{errc::connection_lost, doing + ": the host's name does not fit into TLS"};
    code =
        run(in(timeouts_.connect), [&](handler done) { tls_->async_handshake(ssl::stream_base::client, done); }).code;
    if (code) return broken("TLS (a certificate of your own authority is trusted with --ca FILE)");
    return {};
  }

  // `answered` turns true with the first byte of the answer: from then on a repetition could be seen twice.
  result<http_response> exchange(const http_request& request, const server_address& server, body_source* source,
                                 body_sink* sink, bool& answered) {
    reusable_ = false;
    auto whole = send(request, server, source);
    if (!whole) return whole.error();
    return receive(request.method == "HEAD", sink, *whole, answered);
  }

  // Likewise, without the body of a 2xx answer, which `read_body` takes.
  result<http_response> open(const http_request& request, const server_address& server, bool& answered) {
    reusable_ = false;
    auto whole = send(request, server, nullptr);
    if (!whole) return whole.error();
    auto parser = receive_head(false, *whole, answered);
    if (!parser) return parser.error();
    auto response = response_of(**parser);
    if (response.ok()) {
      reading_ = std::move(*parser);
      reusable_ = reading_->is_done() && reading_->keep_alive();
      return response;
    }
    if (auto taken = receive_body(**parser, response, nullptr); !taken) return taken.error();
    reusable_ = (*parser)->keep_alive();
    return response;
  }

  result<std::size_t> read_body(bytes_span into) {
    while (reading_ && !reading_->is_done()) {
      const auto [count, code] = read_some(*reading_, into, in(timeouts_.progress));
      if (count > 0) return count;
      if (code) return transport_error(code, "receiving the body");
    }
    reusable_ = reading_ && reading_->keep_alive();
    return std::size_t{0};
  }

  bool reusable() const { return reusable_; }

private:
  using message_parser = http::response_parser<http::buffer_body>;

  // Through TLS, or in the clear.
  template <class Use>
  void on_stream(Use use) {
    if (tls_)
      use(*tls_);
    else
      use(stream_);
  }

  static steady_time in(std::chrono::milliseconds time) { return system_clock().now() + time; }

  template <class Start>
  outcome run(steady_time until, Start start) {
    outcome out;
    stream_.expires_at(until);
    start(handler{&out});
    context_.restart();
    context_.run();
    return out;
  }

  outcome write_some(const pieces& bytes) {
    return run(in(timeouts_.progress),
               [&](handler done) { on_stream([&](auto& stream) { stream.async_write_some(bytes, done); }); });
  }

  // Whether the server said something (or closed) within the wait.
  bool readable(int wait_ms) {
    pollfd entry{stream_.socket().native_handle(), POLLIN, 0};
    return ::poll(&entry, 1, wait_ms) > 0;
  }

  // Answers whether the whole body went out. A failing write is no error yet: the server may have said why.
  result<bool> send(const http_request& request, const server_address& server, body_source* source) {
    http::request<http::empty_body> message;
    message.version(11);
    message.method_string(request.method);
    message.target(request.target);
    message.set(http::field::host, server.host_header());
    message.set(http::field::user_agent, "cairn-cli");
    for (const auto& [name, value] : request.headers) message.set(name, value);
    const auto length = source ? source->length() : std::optional<std::uint64_t>(0);
    if (!length)
      message.chunked(true);
    else if (source || request.method == "PUT")
      message.content_length(*length);
    // What is readable of a TLS socket need not be an answer: then nothing is listened for before the end.
    const bool ask_first = source && !tls_ && (!length || *length >= expect_continue_bytes_min);
    if (ask_first) message.set(http::field::expect, "100-continue");

    const auto head = head_of(message);
    for (pieces left{asio::buffer(head)}; asio::buffer_size(left) > 0;) {
      const auto [code, bytes] = write_some(left);
      if (code) return transport_error(code, request.method + " " + request.target);
      advance(left, bytes);
    }
    if (!source) return true;
    if (ask_first && readable(continue_wait_ms)) {
      auto proceed = read_early_response();
      if (!proceed || !*proceed) return proceed;
    }
    return send_body(*source, length);
  }

  // Without a length: in chunks (RFC 9112 §7.1).
  result<bool> send_body(body_source& source, std::optional<std::uint64_t> length) {
    std::uint64_t sent = 0;
    for (bool more = true; more;) {
      if (!tls_ && readable(0)) {
        auto proceed = read_early_response();
        if (!proceed || !*proceed) return proceed;
      }
      auto got = source.read({chunk_.data(), chunk_.size()});
      if (!got) return got.error();
      sent += *got;
      more = *got > 0 && (!length || sent < *length);
      if (!more && length && sent != *length)
        return error{errc::io_error,
                     "the source ended after " + std::to_string(sent) + " of " + std::to_string(*length) + " bytes"};
      std::array<char, 24> size{};
      const int digits = length ? 0 : std::snprintf(size.data(), size.size(), "%zx\r\n", *got);
      pieces left{asio::buffer(size, std::size_t(digits)), asio::buffer(chunk_.data(), *got),
                  asio::buffer("\r\n", length ? 0 : 2)};
      while (asio::buffer_size(left) > 0) {
        const auto [code, bytes] = write_some_or_listen(left);
        advance(left, bytes);
        if (code == beast::error::timeout) return transport_error(code, "sending the body");
        if (code == asio::error::operation_aborted) {
          auto proceed = read_early_response();
          if (!proceed || !*proceed) return proceed;
        } else if (code) {
          return false;
        }
      }
    }
    return true;
  }

  // operation_aborted when the server spoke while nothing could be written (a server that refuses may stop reading).
  outcome write_some_or_listen(const pieces& bytes) {
    if (tls_) return write_some(bytes);
    bool writing = true;
    stream_.socket().async_wait(asio::ip::tcp::socket::wait_read, [&](error_code code) {
      if (!code && writing) stream_.cancel();
    });
    return run(in(timeouts_.progress), [&](handler done) {
      stream_.async_write_some(bytes, [&, done](error_code code, std::size_t sent) {
        writing = false;
        error_code ignored; // a timeout has closed the socket
        stream_.socket().cancel(ignored);
        done(code, sent);
      });
    });
  }

  // The server speaks before the body went out. True: "100 Continue". False: its final answer, left for `receive`.
  result<bool> read_early_response() {
    const auto until = in(timeouts_.progress);
    for (;;) {
      auto parser = std::make_unique<message_parser>();
      const auto code = read_head(*parser, until);
      if (code) return transport_error(code, "sending the body");
      if (parser->get().result_int() / 100 != 1) {
        early_ = std::move(parser);
        return false;
      }
      if (buffer_.size() == 0) return true; // else the next head has come with it
    }
  }

  error_code read_head(message_parser& parser, steady_time until) {
    parser.body_limit(boost::none);
    parser.header_limit(64 << 10);
    return parse(parser, until);
  }

  // Parses what has come, after it has received more if that is too little: the whole head, or some of the body.
  error_code parse(message_parser& parser, steady_time until) {
    for (;;) {
      error_code code = http::error::need_more;
      if (buffer_.size() > 0) buffer_.consume(parser.put(buffer_.data(), code));
      if (code != http::error::need_more) return code;
      const auto got = run(until, [&](handler done) {
        on_stream([&](auto& stream) { stream.async_read_some(buffer_.prepare(received_bytes_max), done); });
      });
      buffer_.commit(got.bytes);
      if (got.code == asio::error::eof && parser.got_some()) {
        parser.put_eof(code);
        return code;
      }
      if (got.code == asio::error::eof) return http::error::end_of_stream;
      if (got.code) return got.code;
    }
  }

  result<std::unique_ptr<message_parser>> receive_head(bool head_only, bool sent_whole, bool& answered) {
    auto parser = std::move(early_);
    const auto until = in(timeouts_.answer);
    while (!parser) {
      parser = std::make_unique<message_parser>();
      parser->skip(head_only);
      const auto code = read_head(*parser, until);
      answered = answered || !code || buffer_.size() > 0;
      if (code) return transport_error(code, sent_whole ? "waiting for the answer" : "sending the body");
      if (parser->get().result_int() / 100 == 1) parser.reset();
    }
    answered = true;
    return parser;
  }

  static http_response response_of(const message_parser& parser) {
    http_response response;
    response.status = parser.get().result_int();
    for (const auto& field : parser.get())
      response.headers.emplace_back(std::string(field.name_string()), std::string(field.value()));
    if (const auto length = parser.content_length()) response.content_length = *length;
    return response;
  }

  result<http_response> receive(bool head_only, body_sink* sink, bool sent_whole, bool& answered) {
    auto parser = receive_head(head_only, sent_whole, answered);
    if (!parser) return parser.error();
    auto response = response_of(**parser);
    if (!response.ok()) sink = nullptr;
    if (sink)
      if (auto taken = sink->head(response); !taken) return taken.error();
    if (auto taken = receive_body(**parser, response, sink); !taken) return taken.error();
    reusable_ = sent_whole && (*parser)->keep_alive();
    return response;
  }

  // The number of bytes that came, which may be 0 although more are to come.
  std::pair<std::size_t, error_code> read_some(message_parser& parser, bytes_span into, steady_time until) {
    auto& body = parser.get().body();
    body.data = into.data();
    body.size = into.size();
    auto code = parse(parser, until);
    if (code == http::error::need_buffer) code = {};
    return {into.size() - body.size, code};
  }

  result<void> receive_body(message_parser& parser, http_response& response, body_sink* sink) {
    std::uint64_t received = 0;
    const auto end = timeouts_.body.count() > 0 ? in(timeouts_.body) : steady_time::max();
    while (!parser.is_done()) {
      if (system_clock().now() > end) return error{errc::timeout, "receiving the body: it is too slow"};
      const auto [count, code] = read_some(parser, chunk_, std::min(in(timeouts_.progress), end));
      const bytes_view bytes(chunk_.data(), count);
      received += bytes.size();
      if (sink) {
        if (!bytes.empty())
          if (auto taken = sink->write(bytes); !taken) return taken;
      } else {
        if (received > gathered_body_bytes_max) return error{errc::too_large, "the answer is larger than 16 MiB"};
        response.body.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
      }
      if (code)
        return transport_error(code, "receiving the body (" + std::to_string(received) + " bytes of this answer came)");
    }
    return {};
  }

  const http_timeouts& timeouts_;
  asio::io_context context_{1};
  beast::tcp_stream stream_;
  std::optional<ssl::context> tls_context_;
  std::optional<ssl::stream<beast::tcp_stream&>> tls_; // over stream_; nullopt: without TLS
  beast::flat_buffer buffer_;
  std::vector<std::byte> chunk_;
  std::unique_ptr<message_parser> early_, reading_; // reading_: of `open`
  bool reusable_ = false;
};

http_client::http_client(server_address server, http_timeouts timeouts)
    : server_(std::move(server)), timeouts_(timeouts) {}

http_client::~http_client() = default;

template <class Exchange>
result<http_response> http_client::on_connection(const http_request& wanted, bool repeatable, Exchange exchange) {
  auto request = wanted;
  if (credentials_) sign(request, server_, *credentials_);
  for (;;) {
    const bool kept = connection_ && connection_->reusable();
    if (!kept) {
      connection_ = std::make_unique<connection>(timeouts_);
      if (auto opened = connection_->open(server_); !opened) return opened.error();
    }
    bool answered = false;
    auto response = exchange(*connection_, request, answered);
    if (response || !kept || answered || !repeatable || response.error().code != errc::connection_lost) return response;
  }
}

result<http_response> http_client::exchange(const http_request& wanted, body_source* source, body_sink* sink) {
  return on_connection(wanted, source == nullptr, [&](connection& on, const http_request& request, bool& answered) {
    return on.exchange(request, server_, source, sink, answered);
  });
}

result<http_response> http_client::open(const http_request& wanted) {
  return on_connection(wanted, true, [&](connection& on, const http_request& request, bool& answered) {
    return on.open(request, server_, answered);
  });
}

result<std::size_t> http_client::read_body(bytes_span into) {
  return connection_->read_body(into);
}

} // namespace cairn::cli

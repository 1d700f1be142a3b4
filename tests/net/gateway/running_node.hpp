// A whole node on loopback for the tests of net/: real sockets, real actors, real disk, and a client that sends bytes
// as they are given and reads answers strictly.
#pragma once

#include "actors/runtime/asio_scheduler.hpp"
#include "actors/runtime/io_shards.hpp"
#include "actors/runtime/storage_node.hpp"
#include "base/third_party/asio.hpp"
#include "net/gateway/routes/operation_table.hpp"
#include "net/gateway/s3_gateway.hpp"
#include "net/wire/http_server.hpp"
#include "tests/base/temporary_directory.hpp"

#include <boost/algorithm/string/predicate.hpp>
#include <gtest/gtest.h>

#include <future>

namespace cairn::net {

struct answer {
  unsigned status = 0;
  std::string head, body;
  bool whole = false; // as many bytes as Content-Length promised

  std::string header(const std::string& name) const {
    for (std::size_t at = head.find("\r\n"); at != head.npos; at = head.find("\r\n", at + 2)) {
      const auto line = std::string_view{head}.substr(at + 2);
      if (boost::algorithm::istarts_with(line, name + ": ")) {
        const auto value = line.substr(name.size() + 2);
        return std::string{value.substr(0, value.find("\r\n"))};
      }
    }
    return {};
  }
};

// Blocking, with a time limit on every read.
class raw_client {
public:
  explicit raw_client(std::uint16_t port, int receive_buffer_bytes = 0) : socket_(io_) {
    socket_.open(boost::asio::ip::tcp::v4());
    if (receive_buffer_bytes > 0) {
      socket_.set_option(boost::asio::socket_base::receive_buffer_size{receive_buffer_bytes});
    }
    socket_.connect({boost::asio::ip::address_v4::loopback(), port});
    const timeval limit{20, 0};
    ::setsockopt(socket_.native_handle(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  }

  void send(std::string_view bytes) { boost::asio::write(socket_, boost::asio::buffer(bytes)); }
  // False when the node has closed or reset the connection.
  bool try_send(std::string_view bytes) {
    boost::system::error_code failed;
    boost::asio::write(socket_, boost::asio::buffer(bytes), failed);
    return !failed;
  }

  // One answer; `of_head`: to a HEAD request, so without a body.
  answer read(bool of_head = false) {
    answer a;
    while (buffered_.find("\r\n\r\n") == std::string::npos) {
      if (!fill()) return a;
    }
    const auto end = buffered_.find("\r\n\r\n") + 4;
    a.head = buffered_.substr(0, end);
    buffered_.erase(0, end);
    a.status = static_cast<unsigned>(std::stoul(a.head.substr(9, 3)));
    const auto length = a.header("Content-Length");
    const std::size_t wanted = of_head || length.empty() ? 0 : std::stoull(length);
    while (buffered_.size() < wanted && fill()) {
    }
    a.whole = buffered_.size() >= wanted;
    a.body = buffered_.substr(0, wanted);
    buffered_.erase(0, a.body.size());
    return a;
  }

  // Everything until the node closes.
  std::string read_to_end() {
    while (fill()) {
    }
    return std::exchange(buffered_, {});
  }
  bool at_end() { return buffered_.empty() && !fill(); }
  void finish_sending() { socket_.shutdown(boost::asio::ip::tcp::socket::shutdown_send); }
  void reset() {
    socket_.set_option(boost::asio::socket_base::linger{true, 0});
    socket_.close();
  }
  void read_some(std::size_t bytes_max) { EXPECT_GT(receive(bytes_max), 0); }

private:
  bool fill() {
    const auto n = receive(piece_.size());
    EXPECT_FALSE(n < 0 && errno == EAGAIN) << "the node said nothing for 20 s";
    if (n > 0) buffered_.append(piece_, 0, static_cast<std::size_t>(n));
    return n > 0;
  }
  // recv() itself: Asio would wait on after the time limit.
  ssize_t receive(std::size_t bytes_max) {
    return ::recv(socket_.native_handle(), piece_.data(), std::min(bytes_max, piece_.size()), 0);
  }

  boost::asio::io_context io_;
  boost::asio::ip::tcp::socket socket_;
  std::string buffered_, piece_ = std::string(65536, '\0');
};

class running_node {
public:
  explicit running_node(config::settings settings = {})
      : settings_(with_places(std::move(settings))),
        shards_(settings_.node.shards, 2),
        config_(shards_.contexts()),
        system_(std::make_unique<caf::actor_system>(config_)) {
    shards_.start();
    node_ = actors::storage_node::open(settings_, *system_, metrics, shards_.contexts()).value();
    auto gateway = std::make_shared<s3_gateway>(settings_, node_->handles(), s3_operations, metrics, open_logs());
    server_ = std::make_unique<http_server>(shards_.contexts(), settings_, std::move(gateway), node_->handles().buffers,
                                            metrics);
    server_->listen().value();
    server_->start();
  }
  ~running_node() {
    drain(std::chrono::seconds{10});
    node_->stop();
    server_.reset();
    system_.reset();
    shards_.stop();
  }
  running_node(const running_node&) = delete;
  running_node& operator=(const running_node&) = delete;

  void drain(std::chrono::milliseconds patience) {
    if (std::exchange(drained_, true)) return;
    server_->stop_accepting();
    std::promise<void> done;
    server_->drain(patience, [&done] { done.set_value(); });
    done.get_future().wait();
  }

  std::uint16_t port() const { return server_->local_endpoint().port; }
  raw_client connect(int receive_buffer_bytes = 0) const { return raw_client{port(), receive_buffer_bytes}; }
  http_server& server() { return *server_; }
  actors::storage_node& node() { return *node_; }
  const config::settings& settings() const { return settings_; }

  // One request on a connection of its own. `fields` are complete lines.
  answer ask(const std::string& method, const std::string& target, const std::string& fields = {},
             const std::string& body = {}) const {
    auto client = connect();
    client.send(request_text(method, target, fields, body));
    return client.read(method == "HEAD");
  }
  static std::string request_text(const std::string& method, const std::string& target, const std::string& fields = {},
                                  const std::string& body = {}) {
    const bool sends_body =
        (method == "PUT" || !body.empty()) && !boost::algorithm::icontains(fields, "transfer-encoding");
    return method + " " + target + " HTTP/1.1\r\nHost: localhost\r\n" + fields +
           (sends_body ? "Content-Length: " + std::to_string(body.size()) + "\r\n" : "") + "\r\n" + body;
  }
  bool eventually(const std::function<bool()>& holds) const {
    for (int i = 0; i < 1000 && !holds(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds{10});
    return holds();
  }

  node_metrics metrics;
  std::shared_ptr<slow_requests> slow = std::make_shared<slow_requests>(system_clock(), metrics);

  // What a collector was sent; trace.endpoint is not asked, but must be set.
  std::string collected() {
    const std::lock_guard guard{collected_mutex_};
    return collected_;
  }

private:
  result<void> collect(const std::string& body) {
    const std::lock_guard guard{collected_mutex_};
    collected_ += body + '\n';
    return {};
  }

  gateway_logs open_logs() {
    gateway_logs logs{.slow = slow};
    if (!settings_.trace.endpoint.empty())
      logs.traces = std::make_shared<span_exporter>(
          trace_resource{}, [this](const std::string& body) { return collect(body); }, metrics, system_clock(),
          span_exporter_limits{.gather = std::chrono::milliseconds{0}});
    if (const auto& wanted = settings_.audit; !wanted.file.empty())
      logs.audit = line_log::open(posix_file_system(), *log_writer_, system_clock(), metrics.audit,
                                  {.name = "audit log", .path = wanted.file, .durable = wanted.durable})
                       .value();
    if (const auto& file = settings_.access_log.file; !file.empty())
      logs.access = line_log::open(posix_file_system(), *log_writer_, system_clock(), metrics.access,
                                   {.name = "access log", .path = file})
                        .value();
    return logs;
  }

  config::settings with_places(config::settings s) const {
    s.node.data_dir = directory_.path();
    s.http.listen = {"127.0.0.1", 0};
    s.storage.segment_size = {64 << 20};
    s.storage.reserve = {1};
    return s;
  }

  temporary_directory directory_;
  std::mutex collected_mutex_;
  std::string collected_;
  config::settings settings_;
  std::unique_ptr<executor> log_writer_ = make_thread_executor("logs", 1, 16);
  actors::io_shards shards_;
  actors::node_actor_config config_;
  std::unique_ptr<caf::actor_system> system_;
  std::unique_ptr<actors::storage_node> node_;
  std::unique_ptr<http_server> server_;
  bool drained_ = false;
};

} // namespace cairn::net

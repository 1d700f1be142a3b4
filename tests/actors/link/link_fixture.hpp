// Nodes on loopback for the tests of the link: real sockets, two threads, short times; a service that echoes; and a
// peer that says whatever bytes a test wants.
#pragma once

#include "actors/link/link_server.hpp"
#include "actors/link/peer_link.hpp"
#include "base/sockets/certificates.hpp"
#include "base/third_party/asio.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <cstring>
#include <future>
#include <thread>

namespace cairn::actors::link {

using namespace std::chrono_literals;

inline uuid node_id(std::uint8_t n) {
  uuid u{};
  u.fill(n);
  return u;
}

inline hello hello_of(std::uint8_t node) {
  hello h;
  h.cluster = node_id(100);
  h.cluster_name = "blue";
  h.node = node_id(node);
  h.incarnation = 1;
  return h;
}

// Bytes that differ wherever a piece is misplaced; a payload is the first so many of them.
inline const std::vector<std::byte>& pattern() {
  static const auto bytes = [] {
    std::vector<std::byte> made(payload_max);
    std::uint32_t state = 1;
    for (auto& b : made) b = static_cast<std::byte>((state = state * 1664525 + 1013904223) >> 24);
    return made;
  }();
  return bytes;
}

// "echo…" answers with itself, "read <n>" with n patterned bytes, "write" with the number of bytes that fit the
// pattern, "fail" with not_found, "drop" not at all, "hold" when released.
class test_service final : public link_service {
public:
  buffer_ptr acquire(const peer&, std::string_view, std::uint32_t bytes) override {
    return pool.try_acquire(bytes, reservation::minimum);
  }

  void on_request(incoming_request r) override {
    ++requests;
    if (r.bytes.starts_with("echo")) return r.respond(answer{r.bytes, {}});
    if (r.bytes == "fail") return r.respond(error{errc::not_found, "no such thing"});
    if (r.bytes == "drop") return;
    if (r.bytes == "write") return r.respond(answer{std::to_string(fitting(r.payload)), {}});
    if (r.bytes.starts_with("read "))
      return r.respond(patterned(static_cast<std::uint32_t>(std::stoul(r.bytes.substr(5)))));
    const std::lock_guard lock{mutex};
    held.push_back(std::move(r));
  }

  result<answer> patterned(std::uint32_t bytes) {
    auto buffer = pool.try_acquire(bytes, reservation::minimum);
    if (!buffer) return error{errc::busy, "no memory"};
    std::memcpy(buffer->data(), pattern().data(), bytes);
    return answer{"here", {std::move(buffer), 0, bytes}};
  }
  // The payload's length, 0 unless every byte is right.
  static std::size_t fitting(const slice& s) {
    if (!s.owner) return 0;
    const auto view = s.view();
    return std::memcmp(view.data(), pattern().data(), view.size()) == 0 ? view.size() : 0;
  }
  std::vector<incoming_request> take_held() {
    const std::lock_guard lock{mutex};
    return std::exchange(held, {});
  }
  std::size_t held_count() {
    const std::lock_guard lock{mutex};
    return held.size();
  }

  buffer_pool pool{256 << 20};
  std::atomic<int> requests{0};

private:
  std::mutex mutex;
  std::vector<incoming_request> held;
};

// Blocking, with a time limit on every read.
class raw_peer {
public:
  explicit raw_peer(boost::asio::ip::tcp::socket socket) : socket_(std::move(socket)) {
    const timeval limit{10, 0};
    ::setsockopt(socket_.native_handle(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  }
  static raw_peer connect(boost::asio::io_context& io, std::uint16_t port) {
    boost::asio::ip::tcp::socket s{io};
    s.connect({boost::asio::ip::address_v4::loopback(), port});
    return raw_peer{std::move(s)};
  }

  bool send(std::string_view bytes) {
    boost::system::error_code failed;
    boost::asio::write(socket_, boost::asio::buffer(bytes), failed);
    return !failed;
  }
  bool send(frame_header h, const std::string& meta = {}) {
    h.meta_length = static_cast<std::uint32_t>(meta.size());
    const auto block = encode(h);
    return send(std::string{reinterpret_cast<const char*>(block.data()), block.size()} + meta);
  }
  bool send_greeting(frame_kind kind, const hello& h) {
    frame_header header;
    header.kind = kind;
    return send(header, encode(h));
  }
  // The next frame that is no heartbeat; nothing at the end of the stream.
  std::optional<std::pair<frame_header, std::string>> read() {
    for (;;) {
      header_block block;
      if (!receive(block.data(), block.size())) return std::nullopt;
      const auto h = decode_header(block).value();
      std::string rest(h.meta_length + h.payload_length, '\0');
      if (!receive(rest.data(), rest.size())) return std::nullopt;
      if (h.kind != frame_kind::heartbeat) return std::pair{h, rest.substr(0, h.meta_length)};
    }
  }
  // Until the other side closes; false: it does not.
  bool closed() {
    char sink[4096];
    for (;;) {
      const auto n = ::recv(socket_.native_handle(), sink, sizeof sink, 0);
      if (n == 0) return true;
      if (n < 0) return errno != EAGAIN;
    }
  }

private:
  bool receive(void* into, std::size_t bytes) {
    auto* at = static_cast<char*>(into);
    while (bytes > 0) {
      const auto n = ::recv(socket_.native_handle(), at, bytes, 0);
      if (n <= 0) return false;
      at += n;
      bytes -= static_cast<std::size_t>(n);
    }
    return true;
  }

  boost::asio::ip::tcp::socket socket_;
};

class link_fixture : public ::testing::Test {
public:
  link_fixture() {
    for (int i = 0; i < 2; ++i) threads_.emplace_back([this] { io.run(); });
  }
  ~link_fixture() override {
    links.clear();
    servers.clear();
    guard_.reset();
    std::this_thread::sleep_for(10ms); // most handlers end by themselves
    io.stop();
    for (auto& t : threads_) t.join();
  }

protected:
  link_server& serve(std::shared_ptr<const tls_identity> tls = nullptr, std::uint8_t node = 1,
                     const std::function<void(link_server_settings&)>& change = {}) {
    link_server_settings s;
    s.listen = {"127.0.0.1", 0};
    s.connection = times;
    if (change) change(s);
    servers.push_back(std::make_unique<link_server>(
        std::vector{&io}, s, std::move(tls), [node] { return hello_of(node); },
        [this](const peer& p) { return admitted ? admitted(p) : result<void>{}; }, service));
    EXPECT_TRUE(servers.back()->listen());
    servers.back()->start();
    return *servers.back();
  }

  peer_link& link_to(std::uint16_t port, std::shared_ptr<const tls_identity> tls = nullptr, std::uint8_t node = 2,
                     const std::function<void(peer_link_settings&)>& change = {}) {
    peer_link_settings s;
    s.host = "127.0.0.1";
    s.port = port;
    s.connection = times;
    s.tick = 10ms;
    if (change) change(s);
    link_services e{{&io}, std::move(tls), [node] { return hello_of(node); }};
    links.push_back(std::make_unique<peer_link>(s, e));
    links.back()->start();
    return *links.back();
  }
  peer_link& up_link_to(std::uint16_t port, std::shared_ptr<const tls_identity> tls = nullptr, std::uint8_t node = 2,
                        const std::function<void(peer_link_settings&)>& change = {}) {
    auto& l = link_to(port, std::move(tls), node, change);
    EXPECT_TRUE(eventually([&] { return l.up(); })) << l.status().fault;
    return l;
  }

  static steady_time in(std::chrono::milliseconds time) { return system_clock().now() + time; }

  // A reply callback, and the future of what it gets.
  static std::pair<reply_callback, std::future<result<answer>>> waiting() {
    const auto p = std::make_shared<std::promise<result<answer>>>();
    return {[p](result<answer> a) { p->set_value(std::move(a)); }, p->get_future()};
  }
  static result<answer> get(std::future<result<answer>>& f) {
    if (f.wait_for(20s) != std::future_status::ready) return error{errc::timeout, "never answered"};
    return f.get();
  }
  static result<answer> ask(peer_link& l, const std::string& request, std::chrono::milliseconds time = 10s) {
    auto [reply, answered] = waiting();
    l.call(request, in(time), std::move(reply));
    return get(answered);
  }
  result<answer> read(peer_link& l, std::uint32_t bytes) {
    auto [reply, answered] = waiting();
    l.call_bulk("read " + std::to_string(bytes), {buffer(bytes), 0, bytes}, in(10s), std::move(reply));
    return get(answered);
  }
  buffer_ptr buffer(std::uint32_t bytes) { return pool.try_acquire(bytes, reservation::minimum); }
  slice patterned(std::uint32_t bytes) {
    slice s{buffer(bytes), 0, bytes};
    std::memcpy(s.owner->data(), pattern().data(), bytes);
    return s;
  }

  static bool eventually(const std::function<bool()>& holds, std::chrono::milliseconds time = 10s) {
    for (auto left = time; left > 0ms; left -= 5ms) {
      if (holds()) return true;
      std::this_thread::sleep_for(5ms);
    }
    return holds();
  }

  // Of the servers and links that a test makes after it.
  connection_settings times{10s, 50ms, 20s, 64 << 20};
  buffer_pool pool{256 << 20};
  std::shared_ptr<test_service> service = std::make_shared<test_service>();
  std::function<result<void>(const peer&)> admitted;
  boost::asio::io_context io;
  std::vector<std::unique_ptr<link_server>> servers;
  std::vector<std::unique_ptr<peer_link>> links;

private:
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard_{io.get_executor()};
  std::vector<std::thread> threads_;
};

// A cluster's CA and what it issued.
class test_cluster {
public:
  std::shared_ptr<const tls_identity> node(std::uint8_t n) const { return node_named(n, ca_.certificate); }
  // A certificate of this cluster's, in the hands of somebody who trusts `trusted`.
  std::shared_ptr<const tls_identity> node_named(std::uint8_t n, const std::string& trusted) const {
    const auto made = certificates::issue(ca_, node_id(n), {}, system_clock().wall()).value();
    return tls_identity::make({trusted, made.certificate, made.key}).value();
  }
  const std::string& ca() const { return ca_.certificate; }

private:
  certificates::key_and_certificate ca_ = certificates::make_ca("blue", system_clock().wall()).value();
};

} // namespace cairn::actors::link

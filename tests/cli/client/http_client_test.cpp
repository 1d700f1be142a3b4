#include "cli/client/http_client.hpp"

#include <gtest/gtest.h>

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <future>
#include <thread>

namespace cairn::cli::http_client_test {

using namespace std::chrono_literals;

const std::size_t too_large_to_buffer = 200'000'000;

// One accepted connection, spoken to by the test's script.
class peer {
public:
  explicit peer(int socket) : socket_(socket) {}
  ~peer() { ::close(socket_); }
  std::string read_until(const std::string& end) {
    std::string text;
    char c = 0;
    while (!text.ends_with(end) && ::recv(socket_, &c, 1, 0) == 1) text += c;
    return text;
  }
  std::string read_bytes(std::size_t count) {
    std::string text(count, 0);
    EXPECT_EQ(::recv(socket_, text.data(), count, MSG_WAITALL), static_cast<ssize_t>(count));
    return text;
  }
  void drain() {
    std::vector<char> scratch(1 << 16);
    while (::recv(socket_, scratch.data(), scratch.size(), 0) > 0) continue;
  }
  bool send(const std::string& text) { // false: the client is gone
    return ::send(socket_, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size());
  }

private:
  int socket_;
};

// A server for scripts: each connection is handed to the next script.
class scripted_server {
public:
  explicit scripted_server(std::vector<std::function<void(peer&)>> scripts)
      : listener_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(::listen(listener_, 8), 0);
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this, scripts = std::move(scripts)] {
      for (const auto& script : scripts) {
        const int accepted = ::accept(listener_, nullptr, nullptr);
        if (accepted < 0) return;
        peer p(accepted);
        script(p);
      }
    });
  }
  ~scripted_server() {
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
  }
  server_address address() const { return {"127.0.0.1", std::to_string(port_)}; }

private:
  int listener_;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

class text_source : public body_source {
public:
  text_source(std::string text, bool announce) : text_(std::move(text)), announce_(announce) {}
  std::optional<std::uint64_t> length() const override {
    return announce_ ? std::optional<std::uint64_t>(text_.size()) : std::nullopt;
  }
  result<std::size_t> read(bytes_span into) override {
    const auto count = std::min(into.size(), text_.size() - done_);
    std::copy_n(reinterpret_cast<const std::byte*>(text_.data()) + done_, count, into.data());
    done_ += count;
    return count;
  }
  std::size_t done_ = 0;

private:
  std::string text_;
  bool announce_;
};

class text_sink : public body_sink {
public:
  result<void> head(const http_response&) override {
    ++heads;
    return {};
  }
  result<void> write(bytes_view bytes) override {
    text.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return {};
  }
  int heads = 0;
  std::string text;
};

constexpr auto ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

TEST(server_address, accepts_what_people_write) {
  EXPECT_EQ(parse_server_address("http://127.0.0.1:9000")->host_header(), "127.0.0.1:9000");
  EXPECT_EQ(parse_server_address("localhost:9000/")->host, "localhost");
  EXPECT_EQ(parse_server_address("http://[::1]:9000")->host_header(), "[::1]:9000");
  EXPECT_EQ(parse_server_address("http://node")->port, "80");
  EXPECT_FALSE(parse_server_address("http://node")->tls);
  EXPECT_EQ(parse_server_address("https://node")->port, "443");
  EXPECT_TRUE(parse_server_address("https://node:9001")->tls);
  EXPECT_EQ(parse_server_address("https://node:443")->host_header(), "node");
}

TEST(server_address, refuses_what_it_cannot_reach) {
  for (const auto* text :
       {"", "http://", "https://", "http://a:b", "http://a:99999", "http://a/b", "http://:1", "http://[::1"}) {
    const auto address = parse_server_address(text);
    ASSERT_FALSE(address) << text;
    EXPECT_EQ(address.error().code, errc::invalid_argument) << text;
  }
}

TEST(http_client, keeps_the_connection_for_the_next_request) {
  scripted_server server({[](peer& p) {
    p.read_until("\r\n\r\n");
    p.send(ok);
    EXPECT_TRUE(p.read_until("\r\n\r\n").starts_with("HEAD /b HTTP/1.1\r\n"));
    p.send("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n");
    p.read_until("\r\n\r\n");
    p.send(ok);
  }});
  http_client client(server.address());
  EXPECT_EQ(client.exchange({"GET", "/a", {}})->body, "ok");
  EXPECT_EQ(client.exchange({"HEAD", "/b", {}})->content_length, 99u);
  EXPECT_EQ(client.exchange({"GET", "/c", {}})->body, "ok");
}

TEST(http_client, repeats_a_request_once_when_the_kept_connection_was_closed) {
  scripted_server server({[](peer& p) {
                            p.read_until("\r\n\r\n");
                            p.send(ok);
                          },
                          [](peer& p) {
                            p.read_until("\r\n\r\n");
                            p.send(ok);
                          }});
  http_client client(server.address());
  EXPECT_EQ(client.exchange({"GET", "/a", {}})->body, "ok");
  EXPECT_EQ(client.exchange({"GET", "/b", {}})->body, "ok");
}

TEST(http_client, body_cut_short_is_an_error_and_what_came_was_handed_on) {
  scripted_server server({[](peer& p) {
    p.read_until("\r\n\r\n");
    p.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
  }});
  http_client client(server.address());
  text_sink sink;
  const auto response = client.exchange({"GET", "/a", {}}, nullptr, &sink);
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code, errc::connection_lost);
  EXPECT_EQ(sink.text, "half");
}

TEST(http_client, sink_sees_only_successes_and_a_refusal_is_gathered) {
  scripted_server server({[](peer& p) {
    p.read_until("\r\n\r\n");
    p.send("HTTP/1.1 404 Not Found\r\nContent-Length: 3\r\n\r\nwhy");
  }});
  http_client client(server.address());
  text_sink sink;
  const auto response = client.exchange({"GET", "/a", {}}, nullptr, &sink);
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 404u);
  EXPECT_EQ(response->body, "why");
  EXPECT_EQ(sink.heads, 0);
}

TEST(http_client, large_upload_waits_for_the_go_ahead_and_announces_its_length) {
  const std::string body(3'000'000, 'x');
  scripted_server server({[&](peer& p) {
    const auto head = p.read_until("\r\n\r\n");
    EXPECT_NE(head.find("Content-Length: 3000000\r\n"), std::string::npos) << head;
    EXPECT_NE(head.find("Expect: 100-continue\r\n"), std::string::npos) << head;
    p.send("HTTP/1.1 100 Continue\r\n\r\n");
    EXPECT_EQ(p.read_bytes(body.size()), body);
    p.send(ok);
  }});
  http_client client(server.address());
  text_source source(body, true);
  EXPECT_EQ(client.exchange({"PUT", "/a", {}}, &source)->status, 200u);
}

TEST(http_client, go_ahead_that_comes_late_is_not_taken_for_the_answer) {
  const std::string body(2'000'000, 'x');
  scripted_server server({[&](peer& p) {
    p.read_until("\r\n\r\n");
    EXPECT_EQ(p.read_bytes(1), "x"); // the client grew impatient
    p.send("HTTP/1.1 100 Continue\r\n\r\n");
    p.read_bytes(body.size() - 1);
    p.send(ok);
  }});
  http_client client(server.address());
  text_source source(body, true);
  const auto response = client.exchange({"PUT", "/a", {}}, &source);
  ASSERT_TRUE(response) << response.error().text;
  EXPECT_EQ(response->status, 200u);
}

TEST(http_client, upload_of_unknown_length_is_chunked) {
  scripted_server server({[](peer& p) {
    EXPECT_NE(p.read_until("\r\n\r\n").find("Transfer-Encoding: chunked\r\n"), std::string::npos);
    p.send("HTTP/1.1 100 Continue\r\n\r\n");
    EXPECT_EQ(p.read_until("0\r\n\r\n"), "5\r\nhello\r\n0\r\n\r\n");
    p.send(ok);
  }});
  http_client client(server.address());
  text_source source("hello", false);
  const auto response = client.exchange({"PUT", "/a", {}}, &source);
  ASSERT_TRUE(response) << response.error().text;
  EXPECT_EQ(response->status, 200u);
}

TEST(http_client, refusal_before_the_body_stops_the_upload) {
  scripted_server server({[](peer& p) {
    p.read_until("\r\n\r\n");
    p.send("HTTP/1.1 507 Insufficient Storage\r\nContent-Length: 4\r\nConnection: close\r\n\r\nfull");
  }});
  http_client client(server.address());
  text_source source(std::string(5'000'000, 'x'), true);
  const auto response = client.exchange({"PUT", "/a", {}}, &source);
  ASSERT_TRUE(response) << response.error().text;
  EXPECT_EQ(response->status, 507u);
  EXPECT_EQ(response->body, "full");
  EXPECT_EQ(source.done_, 0u);
}

TEST(http_client, refusal_in_the_middle_of_the_body_stops_the_upload) {
  scripted_server server({[](peer& p) {
    p.read_until("\r\n\r\n");
    p.send("HTTP/1.1 100 Continue\r\n\r\n");
    p.read_bytes(100'000);
    p.send("HTTP/1.1 507 Insufficient Storage\r\nContent-Length: 4\r\nConnection: close\r\n\r\nfull");
    p.drain(); // until the client goes: a reset would destroy the answer on its way
  }});
  http_client client(server.address());
  text_source source(std::string(too_large_to_buffer, 'x'), true);
  const auto response = client.exchange({"PUT", "/a", {}}, &source);
  ASSERT_TRUE(response) << response.error().text;
  EXPECT_EQ(response->status, 507u);
  EXPECT_LT(source.done_, 100'000'000u);
}

TEST(http_client, receives_the_refusal_of_a_server_that_stops_reading_during_a_blocked_write) {
  scripted_server server({[](peer& p) {
    p.read_until("\r\n\r\n");
    p.send("HTTP/1.1 100 Continue\r\n\r\n");
    std::this_thread::sleep_for(100ms);
    p.send("HTTP/1.1 507 Insufficient Storage\r\nContent-Length: 4\r\nConnection: close\r\n\r\nfull");
    std::this_thread::sleep_for(200ms);
  }});
  http_client client(server.address());
  text_source source(std::string(too_large_to_buffer, 'x'), true);
  const auto response = client.exchange({"PUT", "/a", {}}, &source);
  ASSERT_TRUE(response) << response.error().text;
  EXPECT_EQ(response->status, 507u);
}

TEST(http_client, sees_a_refusal_that_comes_with_the_continuation) {
  scripted_server server({[](peer& p) {
    p.read_until("\r\n\r\n");
    p.send("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 403 Forbidden\r\nContent-Length: 2000\r\n\r\n" +
           std::string(2000, 'n'));
    p.drain();
  }});
  http_client client(server.address());
  text_source source(std::string(too_large_to_buffer, 'x'), true);
  const auto response = client.exchange({"PUT", "/a", {}}, &source);
  ASSERT_TRUE(response) << response.error().text;
  EXPECT_EQ(response->status, 403u);
  EXPECT_EQ(source.done_, 0u);
}

TEST(http_client, a_blocked_upload_ends_in_a_timeout) {
  std::promise<void> over;
  scripted_server server({[&over](peer& p) {
    p.read_until("\r\n\r\n");
    over.get_future().wait();
  }});
  http_client client(server.address(), {.connect = 1000ms, .progress = 50ms, .answer = 50ms});
  text_source source(std::string(too_large_to_buffer, 'x'), true);
  const auto response = client.exchange({"PUT", "/a", {}}, &source);
  over.set_value();
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code, errc::timeout);
}

// Says `first`, then `next` every 20 ms until the client goes.
std::function<void(peer&)> trickle(const std::string& first, const std::string& next) {
  return [first, next](peer& p) {
    p.read_until("\r\n\r\n");
    for (bool open = p.send(first); open; open = p.send(next)) std::this_thread::sleep_for(20ms);
  };
}

TEST(http_client, bounds_the_time_of_a_head_and_of_a_body_that_trickle) {
  scripted_server server({trickle("HTTP/1.1 200 OK\r\n", "A: b\r\n"), trickle("", "HTTP/1.1 100 Continue\r\n\r\n"),
                          trickle("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", "A: b\r\n")});
  for (int i = 0; i < 3; ++i) {
    http_client client(server.address(), {.connect = 1000ms, .progress = 60s, .answer = 200ms, .body = 200ms});
    const auto response = client.exchange({"GET", "/a", {}});
    ASSERT_FALSE(response) << i;
    EXPECT_EQ(response.error().code, errc::timeout) << i << response.error().text;
  }
}

TEST(http_client, silence_ends_in_a_timeout) {
  scripted_server server({[](peer& p) {
    p.read_until("\r\n\r\n");
    p.read_until("never");
  }});
  http_client client(server.address(), {.connect = 1000ms, .progress = 50ms, .answer = 50ms});
  const auto response = client.exchange({"GET", "/a", {}});
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code, errc::timeout);
}

TEST(http_client, refused_connection_says_where) {
  http_client client({"127.0.0.1", "1"});
  const auto response = client.exchange({"GET", "/a", {}});
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code, errc::connection_lost);
  EXPECT_NE(response.error().text.find("127.0.0.1:1"), std::string::npos);
}

TEST(http_client, a_body_can_be_pulled_and_what_was_not_pulled_is_dropped) {
  scripted_server server({[](peer& p) {
                            p.read_until("\r\n\r\n");
                            p.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n01234");
                            p.send("56789");
                            p.read_until("\r\n\r\n");
                            p.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly the beginning");
                            p.drain();
                          },
                          [](peer& p) {
                            p.read_until("\r\n\r\n");
                            p.send("HTTP/1.1 404 Not Found\r\nContent-Length: 3\r\n\r\nwhy");
                          },
                          [](peer& p) {
                            p.read_until("\r\n\r\n");
                            p.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
                          }});
  http_client client(server.address());
  std::byte piece[4];
  const auto pull = [&] {
    std::string text;
    for (;;) {
      const auto got = client.read_body(piece);
      if (!got) return "error after " + text;
      if (*got == 0) return text;
      text.append(reinterpret_cast<const char*>(piece), *got);
    }
  };
  ASSERT_TRUE(client.open({"GET", "/a", {}}));
  EXPECT_EQ(pull(), "0123456789");
  EXPECT_EQ(pull(), "") << "the end stays the end";
  const auto second = client.open({"GET", "/b", {}}); // on the same connection
  ASSERT_TRUE(second);
  EXPECT_EQ(second->content_length, 100u);
  ASSERT_EQ(client.read_body(piece).value(), 4u);
  const auto refused = client.open({"GET", "/c", {}}); // on a new one, for the body before was not taken
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->status, 404u);
  EXPECT_EQ(refused->body, "why");
  ASSERT_TRUE(client.open({"GET", "/d", {}}));
  EXPECT_EQ(pull(), "error after half");
}

TEST(http_client, answer_that_is_not_http_is_an_error) {
  scripted_server server({[](peer& p) {
    p.read_until("\r\n\r\n");
    p.send("220 smtp ready\r\n\r\n");
  }});
  http_client client(server.address());
  const auto response = client.exchange({"GET", "/a", {}});
  ASSERT_FALSE(response);
  EXPECT_NE(response.error().text.find("not an HTTP answer"), std::string::npos) << response.error().text;
}

TEST(http_client, waits_for_a_bounded_time_until_a_host_is_found) {
  http_client late{parse_server_address("http://name.invalid:80").value(), {.look_up = 0ms}};
  const auto answer = late.exchange({"GET", "/", {}});
  ASSERT_FALSE(answer);
  EXPECT_TRUE(answer.error() == errc::timeout || answer.error() == errc::connection_lost) << "whichever comes first";
}

} // namespace cairn::cli::http_client_test

// The HTTP server with a request_handler that knows no S3, over real sockets.
#include "net/wire/http_server.hpp"

#include "base/third_party/asio.hpp"
#include "net/wire/grammar/fields.hpp"
#include "net/wire/http_session.hpp"

#include <gtest/gtest.h>

#include <future>
#include <thread>

namespace cairn::net::http_server_test {

namespace asio = boost::asio;

const std::string large(5 << 20, 'x'); // the answer to /large

struct seen {
  std::atomic<unsigned> ended{0}, last_status{0};
  std::vector<request_end> ends; // read by the test when the connection has been closed
  std::atomic<http_shared*> shared{nullptr};
};

// Answers with the target, or with why nothing was asked.
class echo final : public request_handler {
public:
  echo(http_session& session, seen& log) : session_(session), log_(log) { log.shared = &session.shared(); }
  void handle() override {
    session_.measure();
    const auto target = view_of(session_.parser().get().target());
    answer(200, target == "/large" ? large : std::string{target});
  }
  void refuse(const head_refusal& why) override { answer(why.status, std::string{why.reason}); }
  void ended(const request_end& end) override {
    log_.last_status = end.status;
    log_.ends.push_back(end);
    ++log_.ended;
  }

private:
  void answer(unsigned status, const std::string& text) {
    const std::string connection = session_.closes_after_answer() ? "Connection: close\r\n" : "";
    session_.respond(status, "HTTP/1.1 " + std::to_string(status) + " x\r\n" + session_.answer_lines() + connection +
                                 "Content-Length: " + std::to_string(text.size()) + "\r\n\r\n" + text);
  }
  http_session& session_;
  seen& log_;
};

class echo_service final : public request_service {
public:
  explicit echo_service(seen& log) : log_(log) {}
  std::unique_ptr<request_handler> connected(http_session& session) override {
    return std::make_unique<echo>(session, log_);
  }
  void apply(const config::settings& settings) override { applied = settings.limits.connections; }
  std::atomic<std::uint32_t> applied{0};

private:
  seen& log_;
};

class http_server_ : public ::testing::Test {
public:
  http_server_() {
    settings.http.listen = {"127.0.0.1", 0};
    settings.node.threads = 2;
    server = std::make_unique<http_server>(std::vector{&io}, settings, service, memory, metrics);
    server->listen().value();
    server->start();
    thread = std::thread{[this] { io.run(); }};
  }
  ~http_server_() override {
    server->stop_accepting();
    std::promise<void> drained;
    server->drain(std::chrono::seconds{10}, [&drained] { drained.set_value(); });
    drained.get_future().wait();
    server.reset();
    work.reset();
    thread.join();
  }

protected:
  // All that the server says to `bytes` until it closes.
  std::string say(std::string_view bytes) const {
    asio::io_context own;
    asio::ip::tcp::socket socket{own};
    socket.connect({asio::ip::address_v4::loopback(), server->local_endpoint().port});
    asio::write(socket, asio::buffer(bytes));
    std::string out;
    boost::system::error_code end;
    asio::read(socket, asio::dynamic_buffer(out), end);
    EXPECT_EQ(end, asio::error::eof);
    return out;
  }

  // From now on large answers need turns, and there are none before these end.
  std::vector<fair_turns::turn> held_turns() {
    say("GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    auto& shared = *log.shared.load();
    const int one = 0, another = 0;
    for (const auto* party : {&one, &another}) shared.parties.note(party, shared.clock.now() + std::chrono::hours{1});
    std::vector<fair_turns::turn> held;
    for (std::uint32_t i = 0; i < settings.node.threads; ++i)
      shared.piece_turns->take("others", [&held](fair_turns::turn t) { held.push_back(std::move(t)); });
    EXPECT_EQ(held.size(), settings.node.threads);
    return held;
  }

  seen log;
  asio::io_context io;
  asio::executor_work_guard<asio::io_context::executor_type> work = asio::make_work_guard(io);
  node_metrics metrics;
  std::shared_ptr<buffer_pool> memory = std::make_shared<buffer_pool>(1 << 20);
  std::shared_ptr<echo_service> service = std::make_shared<echo_service>(log);
  config::settings settings;
  std::unique_ptr<http_server> server;
  std::thread thread;
};

TEST_F(http_server_, hands_each_request_of_a_connection_to_its_handler) {
  const auto said = say("GET /a HTTP/1.1\r\nHost: x\r\n\r\nGET /b?c HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(said, "HTTP/1.1 200 x\r\nContent-Length: 2\r\n\r\n/a"
                  "HTTP/1.1 200 x\r\nConnection: close\r\nContent-Length: 4\r\n\r\n/b?c");
  EXPECT_EQ(log.ended, 2u);
  EXPECT_EQ(log.last_status, 200u);
}

TEST_F(http_server_, tells_how_many_bytes_came_and_went_with_each_request) {
  const std::string first = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n";
  const std::string second = "GET /b?c HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
  const auto said = say(first + second);
  ASSERT_EQ(log.ended, 2u);
  EXPECT_EQ(log.ends[0].received, first.size());
  EXPECT_EQ(log.ends[1].received, second.size());
  EXPECT_EQ(log.ends[0].sent_of_body, 2u);
  EXPECT_EQ(log.ends[1].sent_of_body, 4u);
  EXPECT_EQ(log.ends[0].sent + log.ends[1].sent, said.size());
  for (const auto& end : log.ends) {
    EXPECT_TRUE(end.whole);
    ASSERT_TRUE(end.first_byte);
    EXPECT_LE(*end.first_byte, end.took);
    EXPECT_EQ(end.body.count(), 0);
  }
}

TEST_F(http_server_, sends_large_answers_in_turns_while_several_parties_send_requests) {
  auto held = held_turns();
  auto& turns = *log.shared.load()->piece_turns;
  auto answer = std::async(std::launch::async, [this] {
    return say("GET /large HTTP/1.1\r\nHost: x\r\n\r\nGET /b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  });
  while (turns.waiting() == 0) std::this_thread::yield();
  say("GET /small HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(turns.waiting(), 1u) << "a small answer needs no turn";
  held.clear();
  EXPECT_EQ(answer.get(), "HTTP/1.1 200 x\r\nContent-Length: 5242880\r\n\r\n" + large +
                              "HTTP/1.1 200 x\r\nConnection: close\r\nContent-Length: 2\r\n\r\n/b");
}

TEST_F(http_server_, counts_a_party_whose_answer_is_being_sent_among_several) {
  say("GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  auto& shared = *log.shared.load();
  const int another = 0;
  shared.parties.note(&another, shared.clock.now());
  EXPECT_FALSE(shared.parties.several(shared.clock.now()));
  say("GET /large HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_TRUE(shared.parties.several(shared.clock.now()));
}

TEST_F(http_server_, ends_no_client_that_waits_for_a_turn) {
  settings.http.idle_timeout = std::chrono::milliseconds{100};
  settings.limits.transfer_rate_min = config::byte_size{1 << 20};
  settings.limits.transfer_rate_window = std::chrono::milliseconds{100};
  ASSERT_TRUE(server->apply(settings));
  auto held = held_turns();
  auto answer = std::async(
      std::launch::async, [this] { return say("GET /large HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").size(); });
  std::this_thread::sleep_for(std::chrono::milliseconds{600});
  held.clear();
  EXPECT_GT(answer.get(), large.size());
}

TEST_F(http_server_, counts_every_byte_of_an_answer_in_pieces_for_the_minimum_rate) {
  settings.limits.transfer_rate_min = config::byte_size{256 << 10};
  settings.limits.transfer_rate_window = std::chrono::milliseconds{200};
  ASSERT_TRUE(server->apply(settings));
  held_turns();
  asio::io_context own;
  asio::ip::tcp::socket socket{own, asio::ip::tcp::v4()};
  socket.set_option(asio::socket_base::receive_buffer_size{4096});
  socket.connect({asio::ip::address_v4::loopback(), server->local_endpoint().port});
  asio::write(socket, asio::buffer(std::string_view{"GET /large HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"}));
  std::string piece(32 << 10, '\0');
  std::size_t read = 0;
  for (boost::system::error_code end; !end; std::this_thread::sleep_for(std::chrono::milliseconds{10}))
    read += asio::read(socket, asio::buffer(piece), end); // some twelve times the minimum rate
  EXPECT_GT(read, large.size());
  EXPECT_EQ(metrics.transfers_too_slow, 0u);
}

TEST_F(http_server_, drops_an_answer_that_waits_for_a_turn_when_its_client_is_gone) {
  auto held = held_turns();
  auto& turns = *log.shared.load()->piece_turns;
  {
    asio::io_context own;
    asio::ip::tcp::socket socket{own};
    socket.connect({asio::ip::address_v4::loopback(), server->local_endpoint().port});
    asio::write(socket, asio::buffer(std::string_view{"GET /large HTTP/1.1\r\nHost: x\r\n\r\n"}));
    while (turns.waiting() == 0) std::this_thread::yield();
    socket.set_option(asio::socket_base::linger{true, 0}); // a reset
  }
  held.clear();
  while (log.ended < 2) std::this_thread::yield();
  EXPECT_FALSE(log.ends.back().whole);
  EXPECT_EQ(turns.waiting(), 0u);
}

TEST_F(http_server_, lets_the_handler_answer_what_is_no_request) {
  EXPECT_NE(say("GET /a HTTP/1.1\nHost: x\n\n").find("a line does not end in CRLF"), std::string::npos);
  EXPECT_EQ(log.last_status, 400u);
  EXPECT_EQ(say("GET / HTTP/1.1\r\nHost: x\r\nX: " + std::string(20'000, 'x') + "\r\n\r\n").substr(0, 14),
            "HTTP/1.1 431 x");
  EXPECT_EQ(log.ended, 2u);
}

TEST_F(http_server_, passes_new_settings_on) {
  settings.limits.connections = 7;
  EXPECT_TRUE(server->apply(settings));
  EXPECT_EQ(service->applied, 7u);
}

TEST_F(http_server_, adopts_a_connection_with_the_head_that_another_port_gives_it) {
  asio::ip::tcp::acceptor other_port{io, {asio::ip::address_v4::loopback(), 0}};
  const auto adopted = [&](const std::string& received) {
    asio::io_context own;
    asio::ip::tcp::socket client{own};
    client.connect(other_port.local_endpoint());
    session_socket accepted{asio::make_strand(io)};
    other_port.accept(accepted);
    server->adopting()({std::make_unique<session_stream>(std::move(accepted), nullptr), received, "X-Line: yes\r\n"});
    std::string all;
    boost::system::error_code end;
    asio::read(client, asio::dynamic_buffer(all), end);
    return all;
  };
  const std::string head = "GET /first HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
  const std::string answered = "HTTP/1.1 200 x\r\nX-Line: yes\r\nConnection: close\r\nContent-Length: 6\r\n\r\n/first";
  EXPECT_EQ(adopted(head), answered);
  EXPECT_EQ(adopted(head + "GET /second HTTP/1.1\r\nHost: x\r\n\r\n"), answered) << "the head ends the connection";
  EXPECT_NE(adopted("GET / HTTP/1.1\nHost: x\r\n\r\n").find("HTTP/1.1 400 x\r\nX-Line: yes\r\n"), std::string::npos);
  server->stop_accepting();
  EXPECT_EQ(adopted(head), "") << "it closes";
}

} // namespace cairn::net::http_server_test

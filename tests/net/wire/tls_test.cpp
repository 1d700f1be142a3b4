// TLS of the HTTP and admin ports over real sockets.
#include "net/wire/tls.hpp"

#include "base/file_system.hpp"
#include "base/files/small_file.hpp"
#include "base/sockets/certificates.hpp"
#include "tests/base/temporary_directory.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <gtest/gtest.h>

#include <deque>

namespace cairn::net {

namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using namespace std::chrono_literals;
using step = std::function<void(std::shared_ptr<void>)>;

std::shared_ptr<const tls_context> some_tls(const std::string& folder) {
  const auto now = storage::system_clock().wall();
  const auto ca = certificates::make_ca("blue", now).value();
  const auto made = certificates::issue(ca, storage::uuid{1}, {}, now).value();
  auto& files = storage::posix_file_system();
  storage::replace_small_file(files, folder + "/cert", made.certificate).value();
  storage::replace_small_file(files, folder + "/key", made.key).value();
  return tls_context::load(folder + "/cert", folder + "/key").value();
}

// Both ends of a connection on one thread.
struct tls_ : testing::Test {
  tls_() {
    asio::ip::tcp::acceptor listening{io, {asio::ip::address_v4::loopback(), 0}};
    client.next_layer().connect(listening.local_endpoint());
    listening.accept(server);
    layer = tls->layer(server);
  }
  void connect() {
    client.async_handshake(asio::ssl::stream_base::client, [this](const error_code& failed) {
      EXPECT_FALSE(failed) << failed.message();
      client_done = true;
    });
  }
  void shake_hands(sockets::handshake_steps steps) {
    layer->handshake(std::move(steps), [this](const error_code& failed, std::size_t) {
      EXPECT_FALSE(failed) << failed.message();
      server_done = true;
    });
  }
  void run(std::chrono::milliseconds time, const std::function<bool()>& until) {
    const auto end = std::chrono::steady_clock::now() + time;
    while (!until() && std::chrono::steady_clock::now() < end) {
      io.restart();
      io.run_for(1ms);
    }
  }

  storage::temporary_directory folder;
  std::shared_ptr<const tls_context> tls = some_tls(folder.path());
  asio::io_context io;
  asio::ssl::context trusting{asio::ssl::context::tls_client};
  asio::ssl::stream<asio::ip::tcp::socket> client{io, trusting};
  session_socket server{asio::make_strand(io)};
  std::unique_ptr<tls_layer> layer;
  bool client_done = false, server_done = false;
};

} // namespace

TEST_F(tls_, computes_each_step_of_a_handshake_in_its_turn) {
  std::deque<step> waiting;
  unsigned told = 0;
  shake_hands({.charge = nullptr,
               .turn = [&waiting](step s) { waiting.push_back(std::move(s)); },
               .completed = [&told](unsigned n) { told = n; }});
  connect();
  unsigned steps = 0;
  while (!server_done) {
    run(10s, [&] { return !waiting.empty(); });
    ASSERT_EQ(waiting.size(), 1u);
    run(20ms, [] { return false; });
    EXPECT_FALSE(server_done);
    EXPECT_FALSE(client_done && steps == 0) << "nothing was computed for it";
    const auto begin = std::move(waiting.front());
    waiting.pop_front();
    auto turn = std::make_shared<int>();
    const std::weak_ptr<int> running = turn;
    begin(std::move(turn));
    EXPECT_FALSE(running.expired()) << "the turn lasts until the step is over";
    run(10s, [&] { return running.expired(); });
    EXPECT_TRUE(running.expired());
    ++steps;
    run(20ms, [&] { return server_done; });
  }
  EXPECT_GE(steps, 2u) << "the client's hello, and its end of the handshake";
  EXPECT_EQ(told, steps);
  run(10s, [this] { return client_done; });
  EXPECT_TRUE(client_done);
}

TEST_F(tls_, takes_no_turns_for_what_comes_after_the_handshake) {
  int turns = 0;
  shake_hands({.charge = nullptr,
               .turn =
                   [&turns](const step& s) {
                     ++turns;
                     s(nullptr);
                   },
               .completed = nullptr});
  connect();
  run(10s, [this] { return client_done && server_done; });
  ASSERT_TRUE(client_done && server_done);
  const int before = turns;
  std::array<char, 16> bytes{};
  std::size_t got = 0;
  layer->read_some(asio::buffer(bytes), [&got](const error_code&, std::size_t n) { got = n; });
  asio::async_write(client, asio::buffer("hello", 5), [](const error_code&, std::size_t) {});
  run(10s, [&got] { return got > 0; });
  EXPECT_EQ(got, 5u);
  EXPECT_EQ(turns, before);
}

TEST_F(tls_, computes_nothing_until_a_step_is_charged) {
  bool may = false;
  int asked = 0, turns = 0;
  shake_hands({.charge = [&] { return ++asked, may; },
               .turn = [&turns](const step& s) { s(std::make_shared<int>(++turns)); },
               .completed = nullptr});
  connect();
  run(350ms, [] { return false; });
  EXPECT_GE(asked, 2);
  EXPECT_EQ(turns, 0);
  may = true;
  run(10s, [this] { return client_done && server_done; });
  EXPECT_TRUE(client_done && server_done);
}

TEST_F(tls_, what_waits_for_its_charge_ends_with_its_connection) {
  bool ended = false, completed = false;
  layer->handshake({.charge = [] { return false; }, .turn = nullptr, .completed = [&](unsigned) { completed = true; }},
                   [&](const error_code& failed, std::size_t) { ended = bool(failed); });
  client.async_handshake(asio::ssl::stream_base::client, [](const error_code&) {});
  run(50ms, [] { return false; });
  server.close();
  run(10s, [&] { return ended; });
  EXPECT_TRUE(ended);
  EXPECT_FALSE(completed);
}

TEST_F(tls_, shakes_hands_without_turns) {
  shake_hands({});
  connect();
  run(10s, [this] { return client_done && server_done; });
  EXPECT_TRUE(client_done && server_done);
}

} // namespace cairn::net

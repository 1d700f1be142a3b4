// TLS of the HTTP and admin ports over real sockets.
#include "net/wire/tls.hpp"

#include "base/file_system.hpp"
#include "base/files/small_file.hpp"
#include "base/sockets/certificates.hpp"
#include "base/third_party/asio.hpp"
#include "base/third_party/asio_tls.hpp"
#include "tests/base/temporary_directory.hpp"

#include <gtest/gtest.h>

#include <deque>

namespace cairn::net::tls_test {

namespace asio = boost::asio;
using boost::system::error_code;
using namespace std::chrono_literals;
using step = std::function<void(std::shared_ptr<void>)>;

std::shared_ptr<const tls_context> some_tls(const std::string& folder) {
  const auto now = system_clock().wall();
  const auto ca = certificates::make_ca("blue", now).value();
  const auto made = certificates::issue(ca, uuid{1}, {}, now).value();
  auto& files = posix_file_system();
  replace_small_file(files, folder + "/cert", made.certificate).value();
  replace_small_file(files, folder + "/key", made.key).value();
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
  void shake_hands_and_wait() {
    shake_hands({});
    connect();
    run(10s, [this] { return client_done && server_done; });
    ASSERT_TRUE(client_done && server_done);
  }
  std::string read_by_client(std::size_t bytes) {
    std::string got(bytes, '\0');
    bool read = false;
    asio::async_read(client, asio::buffer(got), [&read](const error_code& failed, std::size_t) { read = !failed; });
    run(20s, [&read] { return read; });
    EXPECT_TRUE(read);
    return got;
  }
  static std::string some_bytes(std::size_t bytes) {
    std::string out(bytes, '\0');
    std::uint64_t state = 1;
    for (auto& c : out) c = char((state = state * 6364136223846793005ull + 1442695040888963407ull) >> 56);
    return out;
  }
  void run(std::chrono::milliseconds time, const std::function<bool()>& until) {
    const auto end = std::chrono::steady_clock::now() + time;
    while (!until() && std::chrono::steady_clock::now() < end) {
      io.restart();
      io.run_for(1ms);
    }
  }

  temporary_directory folder;
  std::shared_ptr<const tls_context> tls = some_tls(folder.path());
  asio::io_context io;
  asio::ssl::context trusting{asio::ssl::context::tls_client};
  asio::ssl::stream<asio::ip::tcp::socket> client{io, trusting};
  session_socket server{asio::make_strand(io)};
  std::unique_ptr<sockets::tls_layer> layer;
  bool client_done = false, server_done = false;
};

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

// ---- after the handshake ----

TEST_F(tls_, sends_a_large_write_exactly_to_a_client_that_reads_slowly_and_tells_its_progress) {
  shake_hands_and_wait();
  const auto sent = some_bytes(8 << 20);
  const std::string head = "head";
  std::size_t told = 0, calls = 0, written = 0;
  layer->write(
      std::array{asio::const_buffer{asio::buffer(head)}, asio::const_buffer{asio::buffer(sent)}},
      [&](std::size_t bytes) {
        told += bytes;
        ++calls;
      },
      [&](const error_code& failed, std::size_t bytes) {
        EXPECT_FALSE(failed) << failed.message();
        written = bytes;
      });
  EXPECT_EQ(written, 0u) << "the handler is never called within the call";
  run(100ms, [&] { return written > 0; });
  EXPECT_EQ(written, 0u) << "nobody reads";
  EXPECT_EQ(read_by_client(head.size() + sent.size()), head + sent);
  run(10s, [&] { return written > 0; });
  EXPECT_EQ(written, head.size() + sent.size());
  EXPECT_GE(told, written) << "with what TLS adds";
  EXPECT_LT(told, written + written / 100);
  EXPECT_LT(calls, sent.size() / (16 << 10)) << "several records a system call";
}

TEST_F(tls_, reads_all_that_has_arrived_as_far_as_it_fits) {
  shake_hands_and_wait();
  const auto sent = some_bytes(300'000);
  asio::async_write(client, asio::buffer(sent), [](const error_code&, std::size_t) {});
  std::string got;
  std::size_t reads = 0;
  std::vector<char> into(1 << 20);
  std::function<void()> read = [&] {
    layer->read_some(asio::buffer(into), [&](const error_code& failed, std::size_t n) {
      ASSERT_FALSE(failed) << failed.message();
      ++reads;
      got.append(into.data(), n);
      if (got.size() < sent.size()) read();
    });
  };
  read();
  run(10s, [&] { return got.size() == sent.size(); });
  EXPECT_EQ(got, sent);
  EXPECT_LE(reads, 19u);
}

TEST_F(tls_, reads_while_a_write_waits_for_the_client) {
  shake_hands_and_wait();
  const auto sent = some_bytes(16 << 20);
  bool written = false;
  layer->write(
      std::array{asio::const_buffer{asio::buffer(sent)}}, [](std::size_t) {},
      [&written](const error_code& failed, std::size_t) { written = !failed; });
  run(50ms, [] { return false; });
  std::array<char, 16> bytes{};
  std::size_t got = 0;
  layer->read_some(asio::buffer(bytes), [&got](const error_code&, std::size_t n) { got = n; });
  asio::async_write(client, asio::buffer("hello", 5), [](const error_code&, std::size_t) {});
  run(10s, [&got] { return got > 0; });
  EXPECT_EQ(got, 5u);
  EXPECT_FALSE(written);
  EXPECT_EQ(read_by_client(sent.size()), sent);
  run(10s, [&written] { return written; });
  EXPECT_TRUE(written);
}

TEST_F(tls_, a_closed_socket_ends_a_read_and_a_write_that_wait_once_each) {
  shake_hands_and_wait();
  const auto sent = some_bytes(16 << 20);
  std::array<char, 16> bytes{};
  int writes = 0, reads = 0;
  layer->write(
      std::array{asio::const_buffer{asio::buffer(sent)}}, [](std::size_t) {},
      [&writes](const error_code& failed, std::size_t) {
        EXPECT_TRUE(failed);
        ++writes;
      });
  layer->read_some(asio::buffer(bytes), [&reads](const error_code& failed, std::size_t) {
    EXPECT_TRUE(failed);
    ++reads;
  });
  run(50ms, [] { return false; });
  server.close();
  run(100ms, [] { return false; });
  EXPECT_EQ(writes, 1);
  EXPECT_EQ(reads, 1);
  layer->read_some(asio::buffer(bytes), [&reads](const error_code& failed, std::size_t) {
    EXPECT_TRUE(failed);
    ++reads;
  });
  run(1s, [&reads] { return reads == 2; });
  EXPECT_EQ(reads, 2);
}

TEST_F(tls_, a_shutdown_follows_what_is_being_written_and_waits_for_the_clients) {
  shake_hands_and_wait();
  const auto sent = some_bytes(4 << 20);
  bool shut = false;
  layer->write(
      std::array{asio::const_buffer{asio::buffer(sent)}}, [](std::size_t) {},
      [](const error_code& failed, std::size_t) { EXPECT_FALSE(failed) << failed.message(); });
  layer->shutdown([&shut](const error_code& failed, std::size_t) {
    EXPECT_FALSE(failed) << failed.message();
    shut = true;
  });
  EXPECT_EQ(read_by_client(sent.size()), sent);
  error_code end;
  std::array<char, 1> none{};
  client.async_read_some(asio::buffer(none), [&end](const error_code& failed, std::size_t) { end = failed; });
  run(10s, [&end] { return bool(end); });
  EXPECT_EQ(end, asio::error::eof) << "told, not cut off";
  EXPECT_FALSE(shut);
  client.async_shutdown([](const error_code&) {});
  run(10s, [&shut] { return shut; });
  EXPECT_TRUE(shut);
}

TEST_F(tls_, tells_an_end_from_a_connection_that_was_cut_off) {
  shake_hands_and_wait();
  std::array<char, 16> bytes{};
  error_code end;
  layer->read_some(asio::buffer(bytes), [&end](const error_code& failed, std::size_t) { end = failed; });
  client.next_layer().close();
  run(10s, [&end] { return bool(end); });
  EXPECT_TRUE(end);
  EXPECT_NE(end, asio::error::eof);
}

TEST_F(tls_, bytes_that_are_no_tls_end_a_handshake) {
  error_code end;
  layer->handshake({}, [&end](const error_code& failed, std::size_t) { end = failed; });
  asio::write(client.next_layer(), asio::buffer("GET / HTTP/1.1\r\n\r\n", 18));
  run(10s, [&end] { return bool(end); });
  EXPECT_TRUE(end);
}

TEST_F(tls_, answers_a_renewed_key_and_goes_on) {
  shake_hands_and_wait();
  std::string got;
  std::array<char, 16> bytes{};
  layer->read_some(asio::buffer(bytes), [&](const error_code&, std::size_t n) { got.assign(bytes.data(), n); });
  ASSERT_EQ(SSL_key_update(client.native_handle(), SSL_KEY_UPDATE_REQUESTED), 1);
  asio::async_write(client, asio::buffer("hello", 5), [](const error_code&, std::size_t) {});
  run(10s, [&got] { return !got.empty(); });
  EXPECT_EQ(got, "hello");
  const auto sent = some_bytes(100'000);
  layer->write(
      std::array{asio::const_buffer{asio::buffer(sent)}}, [](std::size_t) {},
      [](const error_code& failed, std::size_t) { EXPECT_FALSE(failed) << failed.message(); });
  EXPECT_EQ(read_by_client(sent.size()), sent);
}

} // namespace cairn::net::tls_test

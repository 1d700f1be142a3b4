// The connection over real sockets: framing, pipelining, refusals, timeouts, slow and vanishing clients, draining.
#include "tests/net/gateway/running_node.hpp"

namespace cairn::net::http_session_test {

const std::size_t large_body_bytes = 12'000'000;

using namespace std::chrono_literals;

config::settings impatient(config::settings s = {}) {
  s.http.header_timeout = 200ms;
  s.http.idle_timeout = 400ms;
  return s;
}

class http_session_ : public ::testing::Test {
protected:
  void start(config::settings settings = {}) {
    node = std::make_unique<running_node>(std::move(settings));
    ASSERT_EQ(node->ask("PUT", "/files").status, 200u);
  }
  // The one answer to bytes that end the connection.
  answer refusal_of(const std::string& bytes) {
    auto client = node->connect();
    client.send(bytes);
    auto a = client.read();
    EXPECT_TRUE(client.at_end()) << "the connection must not go on after " << bytes;
    return a;
  }
  void expect_all_returned() {
    EXPECT_TRUE(node->eventually([this] {
      return node->node().status().buffer_bytes == 0 && node->metrics.active_downloads == 0u &&
             node->metrics.active_uploads == 0u;
    }));
  }
  std::unique_ptr<running_node> node;
};

std::string get(const std::string& key, const std::string& fields = {}) {
  return running_node::request_text("GET", "/files/" + key, fields);
}

TEST_F(http_session_, answers_pipelined_requests_in_order) {
  start();
  node->ask("PUT", "/files/a", {}, "first");
  node->ask("PUT", "/files/b", {}, std::string(300'000, 'b'));
  auto client = node->connect();
  client.send(get("a") + get("b") + running_node::request_text("PUT", "/files/c", {}, "third") + "\r\n" + get("c") +
              get("absent") + get("a"));
  EXPECT_EQ(client.read().body, "first");
  EXPECT_EQ(client.read().body.size(), 300'000u);
  EXPECT_EQ(client.read().status, 200u);
  EXPECT_EQ(client.read().body, "third");
  EXPECT_EQ(client.read().status, 404u);
  EXPECT_EQ(client.read().body, "first");
}

TEST_F(http_session_, reads_requests_that_come_byte_by_byte) {
  start();
  auto client = node->connect();
  for (const char c : running_node::request_text("PUT", "/files/k", "X: y\r\n", "body")) client.send({&c, 1});
  EXPECT_EQ(client.read().status, 200u);
}

TEST_F(http_session_, answers_thousands_of_pipelined_refusals_without_nesting) {
  start();
  std::string many;
  for (int i = 0; i < 5000; ++i) many += "X / HTTP/1.1\r\nHost: localhost\r\n\r\n";
  auto client = node->connect();
  std::thread sender{[&] { client.send(many); }};
  for (int i = 0; i < 5000; ++i) ASSERT_EQ(client.read().status, 405u) << i;
  sender.join();
}

TEST_F(http_session_, refuses_smuggling_and_closes) {
  start();
  const std::string line = "PUT /files/k HTTP/1.1\r\nHost: localhost\r\n";
  EXPECT_EQ(refusal_of(line + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n")
                .status,
            400u);
  EXPECT_EQ(refusal_of(line + "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd").status, 400u);
  EXPECT_EQ(refusal_of(line + "X: a\r\n folded\r\n\r\n").status, 400u);
  EXPECT_EQ(refusal_of("GET / HTTP/1.1\nHost: localhost\n\n").status, 400u);
  EXPECT_EQ(refusal_of("GET / HTTP/1.1\r\n\r\n").status, 400u);
  EXPECT_EQ(refusal_of("GET / HTTP/3.0\r\nHost: localhost\r\n\r\n").status, 505u);
  EXPECT_EQ(refusal_of("\x16\x03\x01 tls\n").status, 400u);
  EXPECT_EQ(node->ask("GET", "/files/k").status, 404u) << "nothing of all that was stored";
}

TEST_F(http_session_, refuses_bad_chunks_and_stores_nothing) {
  start();
  const auto head = running_node::request_text("PUT", "/files/k", "Transfer-Encoding: chunked\r\n");
  for (const auto* bad : {"x\r\n", "-1\r\n", "3\r\nabcd\r\n0\r\n\r\n", "3\nabc\n0\n\n", "fffffffffffffffff\r\n",
                          "3\r\nabc0\r\n\r\n", "0\r\nbad trailer\r\n\r\n", "3 3\r\nabc\r\n0\r\n\r\n"}) {
    auto client = node->connect();
    client.send(head + bad);
    client.finish_sending();
    EXPECT_EQ(client.read().status, 400u) << bad;
  }
  EXPECT_EQ(node->ask("GET", "/files/k").status, 404u);
  expect_all_returned();
}

TEST_F(http_session_, refuses_chunk_headers_without_end) {
  start();
  auto client = node->connect();
  client.send(running_node::request_text("PUT", "/files/k", "Transfer-Encoding: chunked\r\n") + "1;");
  for (int i = 0; i < 64 && client.try_send(std::string(4096, 'e')); ++i) {
  }
  EXPECT_EQ(client.read().status, 400u);
  expect_all_returned();
}

TEST_F(http_session_, bounds_the_head) {
  start();
  const std::string long_line(20'000, 'x');
  EXPECT_EQ(refusal_of("GET /files/" + long_line).status, 414u);
  EXPECT_EQ(refusal_of("GET / HTTP/1.1\r\nHost: localhost\r\nX: " + long_line).status, 431u);
  EXPECT_EQ(refusal_of("GET / HTTP/1.1\r\nHost: localhost\r\nX: " + long_line + "\r\n\r\n").status, 431u);
  EXPECT_EQ(node->ask("GET", "/", "X: " + std::string(15'000, 'x') + "\r\n").status, 200u);
}

TEST_F(http_session_, wants_a_length_and_bounds_it) {
  config::settings s;
  s.limits.object_size = {1000};
  start(s);
  EXPECT_EQ(refusal_of("PUT /files/k HTTP/1.1\r\nHost: localhost\r\n\r\n").status, 411u);
  const auto large = refusal_of("PUT /files/k HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n" +
                                std::string(100'000, 'x'));
  EXPECT_EQ(large.status, 413u);
  EXPECT_NE(large.body.find("EntityTooLarge"), std::string::npos);
  auto chunked = node->connect();
  chunked.send(running_node::request_text("PUT", "/files/k", "Transfer-Encoding: chunked\r\n") + "7d0\r\n" +
               std::string(2000, 'x') + "\r\n0\r\n\r\n");
  EXPECT_EQ(chunked.read().status, 413u);
  expect_all_returned();
}

TEST_F(http_session_, sends_continue_only_to_those_who_wait_for_it) {
  start();
  auto client = node->connect();
  const std::string head =
      "PUT /files/k HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n";
  client.send(head);
  EXPECT_EQ(client.read(true).status, 100u);
  client.send("body");
  EXPECT_EQ(client.read().status, 200u);
  client.send(head + "body");
  EXPECT_EQ(client.read().status, 200u) << "the body was there already";
  auto refused = node->connect();
  refused.send("PUT /absent/k HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
  EXPECT_EQ(refused.read().status, 404u) << "before any continue";
  EXPECT_TRUE(refused.at_end());
}

TEST_F(http_session_, continues_after_a_small_body_that_no_handler_reads) {
  start();
  auto client = node->connect();
  client.send(running_node::request_text("PUT", "/absent/k", {}, "small body"));
  EXPECT_EQ(client.read().status, 404u);
  client.send("GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc" +
              running_node::request_text("GET", "/"));
  EXPECT_EQ(client.read().status, 200u);
  EXPECT_EQ(client.read().status, 200u);
}

TEST_F(http_session_, lets_clients_that_still_send_hear_the_refusal) {
  start();
  auto client = node->connect();
  client.send("PUT /absent/k HTTP/1.1\r\nHost: localhost\r\nContent-Length: 8000000\r\n\r\n");
  for (int i = 0; i < 80; ++i) client.try_send(std::string(100'000, 'x'));
  EXPECT_EQ(client.read().status, 404u);
}

TEST_F(http_session_, answers_clients_that_stop_in_the_middle_of_a_body) {
  start();
  auto client = node->connect();
  client.send("PUT /files/k HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nabc");
  client.finish_sending();
  const auto a = client.read();
  EXPECT_EQ(a.status, 400u);
  EXPECT_NE(a.body.find("IncompleteBody"), std::string::npos);
  EXPECT_EQ(node->ask("GET", "/files/k").status, 404u);
  expect_all_returned();
}

TEST_F(http_session_, speaks_http_1_0) {
  start();
  auto client = node->connect();
  client.send("GET / HTTP/1.0\r\n\r\n");
  const auto a = client.read();
  EXPECT_EQ(a.status, 200u);
  EXPECT_EQ(a.header("Connection"), "close");
  EXPECT_TRUE(client.at_end());
  auto kept = node->connect();
  kept.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_EQ(kept.read().header("Connection"), "keep-alive");
  kept.send("GET / HTTP/1.0\r\n\r\n");
  EXPECT_EQ(kept.read().status, 200u);
}

TEST_F(http_session_, tells_what_is_allowed) {
  start();
  EXPECT_EQ(node->ask("OPTIONS", "/").status, 200u);
  const auto options = node->ask("OPTIONS", "/files/k");
  EXPECT_EQ(options.status, 400u); // S3 wants an Origin
  EXPECT_EQ(options.header("Allow"), "GET, HEAD, PUT, DELETE, OPTIONS");
  const auto post = node->ask("POST", "/files/k");
  EXPECT_EQ(post.status, 405u);
  EXPECT_EQ(post.header("Allow"), "GET, HEAD, PUT, DELETE, OPTIONS");
  EXPECT_EQ(node->ask("GET", "/files/k?torrent").status, 501u);
}

TEST_F(http_session_, refuses_unknown_host_names) {
  start();
  EXPECT_EQ(refusal_of("GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n").status, 403u);
  const auto absolute = [this](const std::string& target, const std::string& host) {
    return refusal_of("GET http://" + target + "/ HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n").status;
  };
  EXPECT_EQ(absolute("evil.example", "evil.example"), 403u);
  EXPECT_EQ(absolute("evil.example", "localhost"), 400u);
  EXPECT_EQ(absolute("localhost", "evil.example"), 400u);
  EXPECT_EQ(absolute("localhost", "localhost"), 200u);
}

TEST_F(http_session_, keeps_writers_out_when_only_reading_is_anonymous) {
  config::settings s;
  s.auth.anonymous = config::anonymous_access::read;
  node = std::make_unique<running_node>(std::move(s));
  EXPECT_EQ(node->ask("PUT", "/files").status, 403u);
  EXPECT_EQ(node->ask("DELETE", "/files/k").status, 404u); // there is no such bucket, as S3 tells anybody
  EXPECT_EQ(node->ask("GET", "/").status, 200u);
}

TEST_F(http_session_, times_out_slow_heads_with_408_and_idle_clients_silently) {
  start(impatient());
  EXPECT_EQ(refusal_of("GET / HTTP/1.1\r\nHost: loc").status, 408u);
  auto silent = node->connect();
  EXPECT_TRUE(silent.at_end());
  auto idle = node->connect();
  idle.send(running_node::request_text("GET", "/"));
  EXPECT_EQ(idle.read().status, 200u);
  EXPECT_TRUE(idle.at_end());
}

TEST_F(http_session_, times_out_bodies_that_stand_still_but_not_slow_ones) {
  start(impatient());
  auto stuck = node->connect();
  stuck.send("PUT /files/k HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nabc");
  EXPECT_EQ(stuck.read().status, 408u);
  auto slow = node->connect();
  slow.send("PUT /files/k HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n");
  for (int i = 0; i < 10; ++i) {
    std::this_thread::sleep_for(100ms);
    slow.send("x");
  }
  EXPECT_EQ(slow.read().status, 200u);
  expect_all_returned();
}

TEST_F(http_session_, gives_up_clients_that_take_nothing) {
  start();
  ASSERT_EQ(node->ask("PUT", "/files/k", {}, std::string(32 << 20, 'x')).status, 200u);
  ASSERT_TRUE(node->server().apply(impatient(node->settings())));
  auto stuck = node->connect(4096);
  stuck.send(get("k"));
  EXPECT_TRUE(node->eventually([this] { return node->metrics.active_downloads > 0u; }));
  expect_all_returned();
  EXPECT_LT(stuck.read_to_end().size(), 32u << 20);
}

TEST_F(http_session_, returns_every_buffer_when_clients_vanish) {
  start();
  node->ask("PUT", "/files/k", {}, std::string(32 << 20, 'x'));
  for (int i = 0; i < 20; ++i) {
    auto reader = node->connect(4096);
    reader.send(get("k"));
    if (i % 2 == 0) reader.read_some(1000);
    reader.reset();
    auto writer = node->connect();
    writer.send("PUT /files/w HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9000000\r\n\r\n" +
                std::string(i * 100'000, 'x'));
    writer.reset();
  }
  expect_all_returned();
  EXPECT_TRUE(node->eventually([this] { return node->metrics.connections == 0u; }));
  EXPECT_EQ(node->ask("GET", "/files/w").status, 404u);
}

TEST_F(http_session_, serves_clients_that_closed_their_sending_side) {
  start();
  node->ask("PUT", "/files/k", {}, std::string(5'000'000, 'x'));
  auto client = node->connect();
  client.send(get("k"));
  client.finish_sending();
  EXPECT_EQ(client.read().body.size(), 5'000'000u);
}

TEST_F(http_session_, tells_connections_beyond_the_limit_to_come_back) {
  config::settings s;
  s.limits.connections = 2;
  start(s);
  node->ask("PUT", "/files/k", {}, std::string(large_body_bytes, 'x'));
  EXPECT_TRUE(node->eventually([this] { return node->metrics.connections == 0u; }));
  auto first = node->connect(4096), second = node->connect(4096);
  std::atomic<bool> over{false};
  std::vector<std::thread> readers;
  for (auto* c : {&first, &second}) {
    c->send(get("k"));
    readers.emplace_back([c, &over] {
      for (; !over; std::this_thread::sleep_for(10ms)) c->read_some(30'000);
    });
  }
  EXPECT_TRUE(node->eventually([this] { return node->metrics.active_downloads == 2u; }));
  auto third = node->connect();
  third.send(get("k"));
  const auto refused = third.read();
  over = true;
  for (auto& reader : readers) reader.join();
  EXPECT_EQ(refused.status, 503u) << "nobody is idle, and nobody slow";
  EXPECT_EQ(refused.header("Retry-After"), "1");
  EXPECT_EQ(node->metrics.connections_refused, 1u);
  EXPECT_EQ(node->metrics.slow_down, 1u);
}

TEST_F(http_session_, lets_the_connection_that_is_idle_longest_give_way_to_a_new_one) {
  config::settings s;
  s.limits.connections = 2;
  start(s);
  auto first = node->connect();
  first.send(running_node::request_text("GET", "/"));
  EXPECT_EQ(first.read().status, 200u);
  auto second = node->connect();
  second.send(running_node::request_text("GET", "/"));
  EXPECT_EQ(second.read().status, 200u);
  auto third = node->connect();
  third.send(running_node::request_text("GET", "/"));
  EXPECT_EQ(third.read().status, 200u);
  EXPECT_EQ(first.read_to_end(), "");
  EXPECT_EQ(node->metrics.connections_evicted_idle, 1u);
  EXPECT_EQ(node->metrics.connections_refused, 0u);
}

TEST_F(http_session_, ends_a_body_that_comes_slower_than_the_minimum_rate) {
  config::settings s;
  s.limits.transfer_rate_min = config::byte_size{1 << 20};
  s.limits.transfer_rate_window = 200ms;
  start(s);
  auto slow = node->connect();
  slow.send("PUT /files/k HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9000000\r\n\r\n");
  std::thread trickle{[&slow] {
    for (int i = 0; i < 100 && slow.try_send("x"); ++i) std::this_thread::sleep_for(20ms);
  }};
  const auto answer = slow.read();
  trickle.join();
  EXPECT_EQ(answer.status, 408u);
  EXPECT_EQ(node->metrics.transfers_too_slow, 1u);
  expect_all_returned();
}

TEST_F(http_session_, gives_no_buffer_to_a_body_of_which_little_has_come) {
  start();
  auto client = node->connect();
  client.send("PUT /files/k HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n" + std::string(1000, 'x'));
  EXPECT_TRUE(node->eventually([this] { return node->metrics.active_uploads == 1u; }));
  std::this_thread::sleep_for(100ms);
  EXPECT_EQ(node->node().status().buffer_bytes, 0u);
  client.send(std::string(10'000, 'x'));
  EXPECT_TRUE(node->eventually([this] { return node->node().status().buffer_bytes > 0u; }));
  client.send(std::string(89'000, 'x'));
  EXPECT_EQ(client.read().status, 200u);
  expect_all_returned();
}

TEST_F(http_session_, drains_what_is_running_and_closes_what_is_idle) {
  start();
  node->ask("PUT", "/files/k", {}, std::string(large_body_bytes, 'x'));
  auto idle = node->connect();
  idle.send(running_node::request_text("GET", "/"));
  EXPECT_EQ(idle.read().status, 200u);
  auto busy = node->connect(4096);
  busy.send(get("k"));
  EXPECT_TRUE(node->eventually([this] { return node->metrics.active_downloads > 0u; }));
  std::promise<std::size_t> received;
  std::thread reader{[&] { received.set_value(busy.read().body.size()); }};
  node->drain(60s);
  reader.join();
  EXPECT_EQ(received.get_future().get(), 12'000'000u);
  EXPECT_TRUE(idle.at_end());
}

TEST_F(http_session_, answers_everybody_once_more_while_a_stop_is_announced) {
  start();
  auto kept = node->connect(), idle = node->connect();
  for (auto* client : {&kept, &idle}) {
    client->send(running_node::request_text("GET", "/"));
    EXPECT_EQ(client->read().header("Connection"), "");
  }
  node->server().announce_stop();
  kept.send(running_node::request_text("GET", "/"));
  EXPECT_EQ(kept.read().header("Connection"), "close");
  EXPECT_TRUE(kept.at_end());
  EXPECT_EQ(node->ask("GET", "/").header("Connection"), "close") << "of a new connection";
  idle.send("GET / HTTP/1.1\r\nHost: loc"); // a head that is not complete yet
  EXPECT_TRUE(node->eventually([this] { return node->metrics.connections == 1u; }));
  std::thread draining{[this] { node->drain(60s); }};
  std::this_thread::sleep_for(50ms);
  idle.send("alhost\r\n\r\n");
  EXPECT_EQ(idle.read().header("Connection"), "close");
  EXPECT_TRUE(idle.at_end());
  draining.join();
}

TEST_F(http_session_, cuts_off_what_does_not_end_in_time_while_draining) {
  start();
  node->ask("PUT", "/files/k", {}, std::string(32 << 20, 'x'));
  auto stuck = node->connect(4096);
  stuck.send(get("k"));
  EXPECT_TRUE(node->eventually([this] { return node->metrics.active_downloads > 0u; }));
  node->drain(100ms);
  EXPECT_FALSE(stuck.read().whole);
  expect_all_returned();
}

TEST_F(http_session_, takes_new_limits_while_running) {
  start();
  auto changed = node->settings();
  changed.limits.header_bytes = {256};
  node->server().apply(changed);
  EXPECT_EQ(node->ask("GET", "/", "X: " + std::string(300, 'x') + "\r\n").status, 431u);
}

TEST_F(http_session_, makes_the_system_take_little_for_a_client_that_does_not_read) {
  start();
  node->ask("PUT", "/files/o", {}, std::string(8 << 20, 'o'));
  const auto before = node->metrics.bytes_sent.load();
  auto client = node->connect(4096);
  client.send(get("o"));
  std::uint64_t sent = 0;
  do {
    sent = node->metrics.bytes_sent.load() - before;
    std::this_thread::sleep_for(300ms);
  } while (sent == 0 || node->metrics.bytes_sent.load() - before != sent);
  EXPECT_LE(sent, (1u << 20) + (256u << 10)) << "1 MiB is unsent at most, and the last piece";
}

} // namespace cairn::net::http_session_test

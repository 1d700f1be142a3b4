// limits.rates on real connections: what is refused, what is paced, and that pacing costs no transfer its life.
#include "tests/net/gateway/running_node.hpp"

namespace cairn::net::http_session_pace_test {

using namespace std::chrono_literals;
using config::rate_of;

constexpr std::uint64_t rate = 1 << 20;

class http_session_pace : public ::testing::Test {
protected:
  void start(std::vector<config::rate_limit> rates, config::settings settings = {}) {
    settings.limits.rates = std::move(rates);
    node = std::make_unique<running_node>(std::move(settings));
    ASSERT_EQ(node->ask("PUT", "/files").status, 200u);
  }
  void change(std::vector<config::rate_limit> rates) {
    auto changed = node->settings();
    changed.limits.rates = std::move(rates);
    ASSERT_TRUE(node->server().apply(changed));
  }
  // Seconds that `work` takes.
  template <class Work>
  static double seconds(Work work) {
    const auto begun = std::chrono::steady_clock::now();
    work();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  }
  void expect_all_returned() {
    EXPECT_TRUE(node->eventually(
        [this] { return node->metrics.active_downloads == 0u && node->metrics.active_uploads == 0u; }));
  }
  std::unique_ptr<running_node> node;
};

std::string varied(std::size_t bytes) {
  std::string out(bytes, '\0');
  for (std::size_t i = 0; i < bytes; ++i) out[i] = static_cast<char>(i * 2654435761u >> 13);
  return out;
}

TEST_F(http_session_pace, refuses_requests_beyond_the_limit_and_the_connection_goes_on) {
  start({{rate_of::bucket, "files", 2, {}, 0}});
  node->ask("PUT", "/files/k", {}, "body");
  auto client = node->connect();
  const auto get = running_node::request_text("GET", "/files/k");
  unsigned refused = 0;
  for (int i = 0; i < 10; ++i) {
    client.send(get);
    const auto a = client.read();
    if (a.status == 200) continue;
    ++refused;
    EXPECT_EQ(a.status, 503u);
    EXPECT_EQ(a.header("Retry-After"), "1");
    EXPECT_NE(a.body.find("<Code>SlowDown</Code>"), std::string::npos);
    EXPECT_NE(a.body.find("bucket"), std::string::npos);
  }
  EXPECT_GE(refused, 3u) << "two a second";
  EXPECT_EQ(node->metrics.rate_limited[1], refused);
  EXPECT_EQ(node->metrics.slow_down, 0u) << "the node is not busy";
  EXPECT_EQ(node->ask("GET", "/").status, 200u) << "another bucket, or none";
  std::this_thread::sleep_for(600ms);
  client.send(get);
  EXPECT_EQ(client.read().status, 200u);
}

TEST_F(http_session_pace, refuses_before_the_body_comes) {
  start({});
  change({{rate_of::address, "127.0.0.0/8", 1, {}, 0}});
  unsigned status = 0;
  for (int i = 0; i < 20 && status != 503; ++i) { // a slow machine may need more than a second for two requests
    auto client = node->connect();
    client.send("PUT /files/k HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 500000\r\n\r\n");
    status = client.read(true).status;
    EXPECT_EQ(status == 503 ? client.read_to_end().find("HTTP/1.1 ") : std::string::npos, std::string::npos);
  }
  EXPECT_EQ(status, 503u);
  change({});
  EXPECT_EQ(node->ask("GET", "/files/k").status, 404u);
}

TEST_F(http_session_pace, bounds_requests_at_once) {
  start({{rate_of::bucket, "files", 0, {}, 1}});
  ASSERT_EQ(node->ask("PUT", "/files/k", {}, varied(12'000'000)).status, 200u);
  for (int i = 0; i < 100; ++i)
    ASSERT_EQ(node->ask("GET", "/files/none").status, 404u) << "a client that waits for its answers has one at once";
  auto reader = node->connect(4096);
  reader.send(running_node::request_text("GET", "/files/k"));
  EXPECT_TRUE(node->eventually([this] { return node->metrics.active_downloads > 0u; }));
  EXPECT_EQ(node->ask("GET", "/files/k").status, 503u);
  EXPECT_EQ(reader.read().body, varied(12'000'000));
  EXPECT_TRUE(node->eventually([this] { return node->ask("HEAD", "/files/k").status == 200u; }));
  auto gone = node->connect(4096);
  gone.send(running_node::request_text("GET", "/files/k"));
  gone.read_some(1000);
  gone.reset();
  EXPECT_TRUE(node->eventually([this] { return node->ask("HEAD", "/files/k").status == 200u; }))
      << "a connection that is gone takes no place";
}

TEST_F(http_session_pace, ends_a_request_before_its_client_has_the_whole_answer) {
  start({{rate_of::bucket, "files", 0, {}, 1}});
  ASSERT_EQ(node->ask("PUT", "/files/inline", {}, "bytes").status, 200u);
  ASSERT_EQ(node->ask("PUT", "/files/chunk", {}, varied(100'000)).status, 200u);
  raw_client clients[] = {node->connect(), node->connect()};
  for (int i = 0; i < 1000; ++i) { // two connections, perhaps on two threads, each as soon as the other has its answer
    auto& client = clients[i % 2];
    client.send(running_node::request_text("GET", i % 4 < 2 ? "/files/inline" : "/files/chunk"));
    ASSERT_EQ(client.read().status, 200u) << i;
  }
}

TEST_F(http_session_pace, paces_answers_and_bodies_and_changes_no_byte) {
  start({{rate_of::bucket, "files", 0, {rate}, 0}});
  const auto content = varied(3 * rate);
  const auto putting = seconds([&] { EXPECT_EQ(node->ask("PUT", "/files/k", {}, content).status, 200u); });
  EXPECT_GT(putting, 2.2);
  EXPECT_LT(putting, 6);
  const auto getting = seconds([&] { EXPECT_EQ(node->ask("GET", "/files/k").body, content); });
  EXPECT_GT(getting, 2.2);
  EXPECT_LT(getting, 6);
  EXPECT_GE(node->metrics.transfers_paced, 2u);
  EXPECT_EQ(node->metrics.rate_limited[1], 0u);
  expect_all_returned();
}

TEST_F(http_session_pace, paces_bodies_in_the_chunked_coding_and_small_ones_that_came_with_their_head) {
  start({{rate_of::bucket, "files", 0, {32 << 10}, 0}});
  auto client = node->connect();
  std::string text;
  for (int i = 0; i < 4; ++i) text += "4000\r\n" + std::string(0x4000, static_cast<char>('a' + i)) + "\r\n";
  EXPECT_GT(seconds([&] {
              client.send(running_node::request_text("PUT", "/files/k", "Transfer-Encoding: chunked\r\n") + text +
                          "0\r\n\r\n");
              EXPECT_EQ(client.read().status, 200u);
            }),
            1.2);
  EXPECT_GT(seconds([&] {
              for (int i = 0; i < 16; ++i) {
                client.send(running_node::request_text("PUT", "/files/small", {}, std::string(4000, 's')));
                ASSERT_EQ(client.read().status, 200u);
              }
            }),
            1.2);
  change({});
  EXPECT_EQ(node->ask("GET", "/files/k").body.size(), 0x10000u);
}

TEST_F(http_session_pace, does_not_end_what_it_holds_back_as_too_slow) {
  config::settings s;
  s.limits.transfer_rate_min = config::byte_size{rate}; // twice the limit
  s.limits.transfer_rate_window = 200ms;
  s.http.idle_timeout = 500ms;
  start({{rate_of::bucket, "files", 0, {rate / 2}, 0}}, s);
  const auto content = varied(rate);
  EXPECT_EQ(node->ask("PUT", "/files/k", {}, content).status, 200u);
  EXPECT_EQ(node->ask("GET", "/files/k").body, content);
  EXPECT_EQ(node->metrics.transfers_too_slow, 0u);
  expect_all_returned();
}

TEST_F(http_session_pace, lets_go_what_it_holds_back_when_the_limit_is_lifted) {
  start({});
  const auto content = varied(4 * rate);
  ASSERT_EQ(node->ask("PUT", "/files/k", {}, content).status, 200u);
  change({{rate_of::bucket, "files", 0, {4096}, 0}}); // a quarter of an hour
  auto client = node->connect();
  client.send(running_node::request_text("GET", "/files/k"));
  EXPECT_TRUE(node->eventually([this] { return node->metrics.transfers_paced > 0u; }));
  change({});
  EXPECT_LT(seconds([&] { EXPECT_EQ(client.read().body, content); }), 10);
}

TEST_F(http_session_pace, ends_with_the_node_whatever_it_holds_back) {
  start({{rate_of::address, "*", 0, {2048}, 0}});
  auto writer = node->connect(), reader = node->connect();
  writer.send(running_node::request_text("PUT", "/files/k", {}, varied(100'000)));
  EXPECT_TRUE(node->eventually([this] { return node->metrics.active_uploads == 1u; }));
  EXPECT_TRUE(node->eventually([this] { return node->metrics.transfers_paced > 0u; }));
  reader.send(running_node::request_text("GET", "/"));
  node->drain(100ms);
  EXPECT_FALSE(writer.read().whole);
  expect_all_returned();
}

} // namespace cairn::net::http_session_pace_test

#include "net/admin/admin_server.hpp"

#include "net/admin/metrics_page.hpp"
#include "tests/net/gateway/running_node.hpp"

namespace cairn::net {

TEST(admin_server, answers_probes_and_prometheus) {
  running_node node;
  boost::asio::io_context context;
  admin_server admin{
      context,
      {.listen = {"127.0.0.1", 0}},
      {[&] { return node.node().status(); }, [&] { return metrics_page(node.metrics, node.node().status()); }}};
  ASSERT_TRUE(admin.listen());
  admin.start();
  std::thread running{[&] { context.run(); }};
  const auto ask = [&](const std::string& line, bool head = false) {
    raw_client client{admin.local_endpoint().port};
    client.send(line + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
    auto a = client.read(head);
    EXPECT_TRUE(client.at_end());
    return a;
  };
  EXPECT_EQ(ask("GET /health/live").status, 200u);
  EXPECT_TRUE(node.eventually([&] { return node.node().status().ready; })) << "the writer session begins by itself";
  EXPECT_EQ(ask("GET /health/ready?verbose").body, "ready\n");
  EXPECT_EQ(ask("HEAD /health/ready", true).status, 200u);
  const auto page = ask("GET /metrics");
  EXPECT_EQ(page.header("Content-Type"), "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_NE(page.body.find("cairn_ready 1"), std::string::npos);
  EXPECT_EQ(ask("POST /metrics").status, 405u);
  EXPECT_EQ(ask("GET /other").status, 404u);
  EXPECT_EQ(ask("nonsense").status, 400u);
  EXPECT_EQ(ask("GET /cluster").status, 404u) << "a store of its own";
  admin.set_stopping();
  EXPECT_EQ(ask("GET /health/ready").status, 503u);
  EXPECT_EQ(ask("GET /health/live").status, 200u);
  admin.stop();
  running.join();
}

TEST(admin_server, shows_the_cluster_and_passes_wishes_on) {
  boost::asio::io_context context;
  actors::cluster_status status;
  std::optional<actors::admin_command> requested;
  std::thread answering;
  admin_callbacks callbacks;
  bool elected = true;
  callbacks.cluster = [&](std::function<void(result<actors::cluster_status>)> done) {
    done(elected ? result<actors::cluster_status>{status} : error{errc::no_leader, "no layout yet"});
  };
  callbacks.command = [&](actors::admin_command c, std::function<void(result<std::string>)> done) {
    requested = c;
    const bool refused = c.kind == actors::admin_verb::remove;
    answering = std::thread{[done, refused] {
      done(refused ? result<std::string>{error{errc::precondition_failed, "it owns partitions"}} : "drains");
    }};
  };
  callbacks.token = "0123456789abcdef";
  admin_server admin{context, {.listen = {"127.0.0.1", 0}, .server_names = {"node-1.example"}}, callbacks};
  ASSERT_TRUE(admin.listen());
  admin.start();
  std::thread running{[&] { context.run(); }};
  const auto ask = [&](const std::string& line, const std::string& headers = "") {
    raw_client client{admin.local_endpoint().port};
    client.send(line + " HTTP/1.1\r\nHost: 127.0.0.1\r\n" + headers + "\r\n");
    auto a = client.read(false);
    if (answering.joinable()) answering.join();
    return a;
  };
  const std::string token = "Cairn-Token: 0123456789abcdef\r\n";
  status.name = "blue";
  status.nodes.resize(1);
  EXPECT_EQ(ask("GET /cluster").header("Content-Type"), "application/json");
  EXPECT_NE(ask("GET /cluster?format=text").body.find("Cluster blue"), std::string::npos);
  EXPECT_EQ(ask("POST /cluster/command?kind=drain&node=0").status, 403u) << "without the header";
  EXPECT_EQ(ask("POST /cluster/command?kind=drain&node=0", "Cairn-Token: \r\n").status, 403u)
      << "from this machine too";
  EXPECT_EQ(ask("POST /keys/command?kind=list", "Cairn-Token: 0123456789abcdeg\r\n").status, 403u);
  EXPECT_FALSE(requested);
  EXPECT_EQ(ask("POST /cluster/command?kind=drain&node=0", token).body, "drains\n");
  EXPECT_EQ(requested->kind, actors::admin_verb::drain);
  EXPECT_EQ(ask("POST /cluster/command?kind=drain&node=9", token).status, 404u);
  EXPECT_EQ(ask("POST /cluster/command?kind=burn", token).status, 400u);
  const auto refused = ask("POST /cluster/command?kind=remove&node=0", token);
  EXPECT_EQ(refused.status, 409u);
  EXPECT_EQ(refused.body, "it owns partitions\n");
  EXPECT_EQ(ask("POST /cluster").status, 405u);
  elected = false;
  EXPECT_EQ(ask("GET /cluster").body, "no layout yet\n");
  EXPECT_EQ(ask("POST /cluster/command?kind=drain&node=0", token).status, 503u);
  admin.stop();
  running.join();
}

TEST(admin_server, tells_nothing_under_a_name_that_a_web_page_led_here) {
  boost::asio::io_context context;
  admin_callbacks callbacks;
  callbacks.status = [] { return actors::node_status{}; };
  callbacks.metrics = [] { return std::string{"cairn_ready 1\n"}; };
  callbacks.token = "0123456789abcdef";
  admin_server admin{context, {.listen = {"127.0.0.1", 0}, .server_names = {"node-1.example"}}, callbacks};
  ASSERT_TRUE(admin.listen());
  admin.start();
  std::thread running{[&] { context.run(); }};
  const auto ask = [&](const std::string& path, const std::string& host, const std::string& more = "") {
    raw_client client{admin.local_endpoint().port};
    client.send("GET " + path + " HTTP/1.1\r\nHost: " + host + "\r\n" + more + "\r\n");
    return client.read(false).status;
  };
  EXPECT_EQ(ask("/metrics", "10.0.0.1:9001"), 200u);
  EXPECT_EQ(ask("/metrics", "node-1.example:9001"), 200u);
  EXPECT_EQ(ask("/metrics", "evil.example:9001"), 403u);
  EXPECT_EQ(ask("/cluster", "evil.example:9001"), 403u);
  EXPECT_EQ(ask("/metrics", "evil.example:9001", "Cairn-Token: 0123456789abcdef\r\n"), 200u) << "no page knows it";
  EXPECT_EQ(ask("/health/live", "evil.example:9001"), 200u) << "probes use any name, and learn nothing";
  {
    raw_client in_pieces{admin.local_endpoint().port};
    for (const char c : std::string{"GET /metrics HTTP/1.1\r\nHost: [::1]\r\n\r\n"}) in_pieces.send(std::string(1, c));
    EXPECT_EQ(in_pieces.read(false).status, 200u);
  }
  {
    raw_client too_long{admin.local_endpoint().port};
    too_long.send("GET /metrics HTTP/1.1\r\nX: " + std::string(20'000, 'x'));
    EXPECT_EQ(too_long.read(false).status, 400u);
  }
  admin.stop();
  running.join();
}

TEST(admin_server, says_why_it_cannot_listen) {
  boost::asio::io_context context;
  admin_server first{context, {.listen = {"127.0.0.1", 0}}, {}};
  ASSERT_TRUE(first.listen());
  admin_server second{context, {.listen = first.local_endpoint()}, {}};
  const auto refused = second.listen();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error(), errc::io_error);
  EXPECT_NE(refused.error().text.find("in use"), std::string::npos) << refused.error().text;
}

} // namespace cairn::net

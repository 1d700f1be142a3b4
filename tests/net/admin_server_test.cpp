#include "net/admin_server.hpp"

#include "net/metrics_page.hpp"
#include "tests/net/running_node.hpp"

namespace cairn::net {

TEST(admin_server, answers_probes_and_prometheus) {
  running_node node;
  boost::asio::io_context context;
  admin_server admin{
      context,
      {"127.0.0.1", 0},
      {[&] { return node.node().status(); }, [&] { return metrics_page(node.metrics, node.node().status()); }}};
  ASSERT_TRUE(admin.listen());
  admin.start();
  std::thread running{[&] { context.run(); }};
  const auto ask = [&](const std::string& line, bool head = false) {
    raw_client client{admin.local_endpoint().port};
    client.send(line + " HTTP/1.1\r\nHost: any\r\n\r\n");
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
  admin.set_stopping();
  EXPECT_EQ(ask("GET /health/ready").status, 503u);
  EXPECT_EQ(ask("GET /health/live").status, 200u);
  admin.stop();
  running.join();
}

TEST(admin_server, says_why_it_cannot_listen) {
  boost::asio::io_context context;
  admin_server first{context, {"127.0.0.1", 0}, {}};
  ASSERT_TRUE(first.listen());
  admin_server second{context, first.local_endpoint(), {}};
  const auto refused = second.listen();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error(), errc::io_error);
  EXPECT_NE(refused.error().text.find("in use"), std::string::npos) << refused.error().text;
}

} // namespace cairn::net

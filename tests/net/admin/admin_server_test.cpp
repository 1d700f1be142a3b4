#include "net/admin/admin_server.hpp"

#include "net/admin/metrics_page.hpp"
#include "net/gateway/routes/operation_table.hpp"
#include "tests/net/gateway/running_node.hpp"

namespace cairn::net::admin_server_test {

using namespace std::chrono_literals;

TEST(admin_server, answers_probes_and_prometheus) {
  running_node node;
  boost::asio::io_context context;
  admin_server admin{context,
                     {.listen = {"127.0.0.1", 0}},
                     {[&] { return node.node().status(); },
                      [&] { return metrics_page(node.metrics, node.node().status(), s3_operations, "1.2.3"); }}};
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
  EXPECT_EQ(ask("GET /cluster").status, 404u) << "a standalone node";
  admin.set_stopping();
  EXPECT_EQ(ask("GET /health/ready").status, 503u);
  EXPECT_EQ(ask("GET /health/live").status, 200u);
  admin.stop();
  running.join();
}

TEST(admin_server, asks_the_admin_service_for_the_status_and_passes_commands_on) {
  actors::io_shards shards{1, 1};
  actors::node_actor_config config{shards.contexts()};
  caf::actor_system system{config};
  shards.start();
  boost::asio::io_context context;
  actors::cluster_status status;
  std::optional<actors::admin_command> requested;
  bool elected = true;
  const actors::admin_service_actor admin_service =
      system.spawn([&](actors::admin_service_actor::pointer) -> actors::admin_service_actor::behavior_type {
        return {
            [&](actors::status_atom) -> caf::result<actors::cluster_status_ptr> {
              if (!elected) return actors::to_caf({errc::no_leader, "no layout yet"});
              return std::make_shared<const actors::cluster_status>(status);
            },
            [&](actors::admin_command_atom, const actors::admin_command& c) -> caf::result<std::string> {
              requested = c;
              if (!elected) return actors::to_caf({errc::no_leader, "nobody leads"});
              if (c.names.at(0) == "9") return actors::to_caf({errc::not_found, "no node 9"});
              if (c.kind != actors::admin_verb::remove) return std::string{"drains"};
              return actors::to_caf({errc::precondition_failed, "it owns partitions"});
            },
            [](actors::peer_atom, const actors::peer_call&) { ADD_FAILURE() << "a request of another node"; },
            [](actors::completion& c) { c.run(); },
            [](actors::tick_atom) {},
        };
      });
  admin_options options;
  options.clustered = true;
  options.token = "0123456789abcdef";
  admin_server admin{context, {.listen = {"127.0.0.1", 0}, .server_names = {"node-1.example"}}, options};
  ASSERT_TRUE(admin.listen());
  admin.start();
  std::thread running{[&] { context.run(); }};
  const auto ask = [&](const std::string& line, const std::string& headers = "") {
    raw_client client{admin.local_endpoint().port};
    client.send(line + " HTTP/1.1\r\nHost: 127.0.0.1\r\n" + headers + "\r\n");
    return client.read(false);
  };
  const std::string token = "Cairn-Token: 0123456789abcdef\r\n";
  for (const auto* early : {"GET /cluster", "POST /cluster/command?kind=repair", "POST /keys/command?kind=list"}) {
    const auto a = ask(early, token);
    EXPECT_EQ(a.status, 503u) << early;
    EXPECT_EQ(a.body, "the node starts\n") << early;
  }
  actors::services services;
  services.system = &system;
  admin.open_node({{services, nullptr, nullptr}, admin_service});
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
  EXPECT_EQ(requested->names, std::vector<std::string>{"0"}) << "the leader finds its number";
  EXPECT_EQ(ask("POST /cluster/command?kind=drain&node=9", token).status, 404u);
  EXPECT_EQ(ask("POST /cluster/command?kind=burn", token).status, 400u);
  const auto refused = ask("POST /cluster/command?kind=remove&node=0", token);
  EXPECT_EQ(refused.status, 409u);
  EXPECT_EQ(refused.body, "it owns partitions\n");
  EXPECT_EQ(ask("POST /cluster").status, 405u);
  elected = false;
  EXPECT_EQ(ask("GET /cluster").body, "no layout yet\n");
  EXPECT_EQ(ask("POST /cluster/command?kind=drain&node=0", token).status, 503u);
  admin.close_node();
  EXPECT_EQ(ask("GET /cluster").body, "the node starts\n");
  admin.stop();
  running.join();
  caf::anon_send_exit(admin_service, caf::exit_reason::user_shutdown);
  system.await_all_actors_done();
}

TEST(admin_server, waits_for_a_command_longer_than_for_a_client) {
  actors::io_shards shards{1, 1};
  actors::node_actor_config config{shards.contexts()};
  caf::actor_system system{config};
  shards.start();
  boost::asio::io_context context;
  using slow_service = actors::admin_service_actor;
  const auto admin_service = system.spawn([](slow_service::pointer self) -> slow_service::behavior_type {
    return {
        [](actors::status_atom) -> caf::result<actors::cluster_status_ptr> { return caf::sec::unexpected_message; },
        [self](actors::admin_command_atom, const actors::admin_command& c) -> caf::result<std::string> {
          auto answer = self->make_response_promise<std::string>();
          const auto time = c.kind == actors::admin_verb::repair ? 400ms : 5000ms;
          self->delayed_send(self, time,
                             actors::completion{[answer]() mutable { answer.deliver(std::string{"late"}); }});
          return answer;
        },
        [](actors::peer_atom, const actors::peer_call&) { ADD_FAILURE() << "a request of another node"; },
        [](actors::completion& c) { c.run(); },
        [](actors::tick_atom) {},
    };
  });
  admin_options options;
  options.clustered = true;
  options.token = "0123456789abcdef";
  options.times = {.client = 100ms, .work = 1500ms};
  admin_server admin{context, {.listen = {"127.0.0.1", 0}}, options};
  ASSERT_TRUE(admin.listen());
  actors::services services;
  services.system = &system;
  admin.open_node({{services, nullptr, nullptr}, admin_service});
  admin.start();
  std::thread running{[&] { context.run(); }};
  const auto ask = [&](const std::string& kind) {
    raw_client client{admin.local_endpoint().port};
    client.send("POST /cluster/command?kind=" + kind +
                " HTTP/1.1\r\nHost: 127.0.0.1\r\nCairn-Token: 0123456789abcdef\r\n\r\n");
    return client.read(false);
  };
  EXPECT_EQ(ask("repair").body, "late\n");
  EXPECT_EQ(ask("drain&node=0").status, 0u) << "nothing is waited for without end";
  {
    raw_client silent{admin.local_endpoint().port};
    silent.send("POST /cluster/command?kind=repair HTTP/1.1\r\n");
    EXPECT_EQ(silent.read(false).status, 0u) << "a head has the client's time";
  }
  admin.stop();
  running.join();
  admin.close_node();
  caf::anon_send_exit(admin_service, caf::exit_reason::user_shutdown);
  system.await_all_actors_done();
}

TEST(admin_server, tells_nothing_under_a_name_that_a_web_page_led_here) {
  boost::asio::io_context context;
  admin_options options;
  options.status = [] { return actors::node_status{}; };
  options.metrics = [] { return std::string{"cairn_ready 1\n"}; };
  options.token = "0123456789abcdef";
  admin_server admin{context, {.listen = {"127.0.0.1", 0}, .server_names = {"node-1.example"}}, options};
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

} // namespace cairn::net::admin_server_test

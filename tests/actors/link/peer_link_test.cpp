// The link between two nodes over real sockets: calls, payloads, losses, credit, TLS.
#include "tests/actors/link/link_fixture.hpp"

namespace cairn::actors::link::peer_link_test {

using ::testing::HasSubstr;
using tcp_acceptor = boost::asio::ip::tcp::acceptor;

class link_peer : public link_fixture {
protected:
  // A listening socket that a test answers by itself.
  tcp_acceptor acceptor{io, {boost::asio::ip::address_v4::loopback(), 0}};
  std::uint16_t raw_port() { return acceptor.local_endpoint().port(); }
  raw_peer accept() { return raw_peer{acceptor.accept()}; }
  // Accepts a connection and welcomes it.
  raw_peer host() {
    auto p = accept();
    const auto first = p.read();
    EXPECT_TRUE(first && first->first.kind == frame_kind::hello);
    auto welcome = hello_of(1);
    const auto theirs = decode_hello(first->second).value();
    welcome.lane = theirs.lane;
    welcome.link = theirs.link;
    welcome.credit_bytes = 4 << 20;
    EXPECT_TRUE(p.send_greeting(frame_kind::welcome, welcome));
    return p;
  }
};

TEST_F(link_peer, calls_and_is_answered) {
  auto& l = up_link_to(serve().local_endpoint().port);
  EXPECT_EQ(ask(l, "echo hello")->bytes, "echo hello");
  EXPECT_EQ(ask(l, "echo" + std::string(control_meta_max - 4, 'x'))->bytes.size(), control_meta_max);
  EXPECT_EQ(ask(l, std::string(control_meta_max + 1, 'x')).error().code, errc::too_large);
  EXPECT_EQ(ask(l, "fail").error(), errc::not_found);
  EXPECT_EQ(ask(l, "drop").error(), errc::cancelled);
  EXPECT_EQ(l.status().other.node, node_id(1));
}

TEST_F(link_peer, moves_64_chunks_of_1_mib_each_way_exactly) {
  auto& l = up_link_to(serve().local_endpoint().port);
  std::vector<std::future<result<answer>>> reads, writes;
  for (int i = 0; i < 64; ++i) {
    auto [reply, answered] = waiting();
    l.call_bulk("read 1048576", {buffer(1 << 20), 0, 1 << 20}, in(20s), std::move(reply));
    reads.push_back(std::move(answered));
    auto [reply_2, answered_2] = waiting();
    l.send_bulk("write", patterned(1 << 20), in(20s), std::move(reply_2));
    writes.push_back(std::move(answered_2));
  }
  for (auto& f : reads) {
    const auto a = get(f);
    ASSERT_TRUE(a) << to_string(a.error());
    EXPECT_EQ(a->bytes, "here");
    EXPECT_EQ(test_service::fitting(a->payload), 1u << 20);
  }
  for (auto& f : writes) EXPECT_EQ(get(f)->bytes, "1048576");
  EXPECT_EQ(l.status().outstanding_bytes, 0u);
  EXPECT_TRUE(eventually([&] { return service->pool.in_use_bytes() == 0; }));
}

TEST_F(link_peer, moves_payloads_of_every_size) {
  auto& l = up_link_to(serve().local_endpoint().port);
  for (const std::uint32_t size : {1u, 4055u, 4056u, 4057u, 65536u, piece_max + 1, 5u << 20, payload_max}) {
    const auto a = read(l, size);
    ASSERT_TRUE(a) << size << ": " << to_string(a.error());
    EXPECT_EQ(test_service::fitting(a->payload), size);
    auto [reply, answered] = waiting();
    l.send_bulk("write", patterned(size), in(10s), std::move(reply));
    EXPECT_EQ(get(answered)->bytes, std::to_string(size));
  }
}

TEST_F(link_peer, gets_too_large_for_an_answer_beyond_its_buffer) {
  auto& l = up_link_to(serve().local_endpoint().port);
  auto [reply, answered] = waiting();
  l.call_bulk("read 5000", {buffer(4096), 0, 4096}, in(10s), std::move(reply));
  EXPECT_EQ(get(answered).error(), errc::too_large);
  EXPECT_TRUE(l.up());
}

TEST_F(link_peer, bounds_memory_by_the_credit) {
  const auto port =
      serve(nullptr, 1, [](link_server_settings& s) { s.limits.credit_bytes = 4 << 20; }).local_endpoint().port;
  auto& l = up_link_to(port);
  std::vector<std::future<result<answer>>> all;
  for (int i = 0; i < 40; ++i) {
    auto [reply, answered] = waiting();
    l.send_bulk("hold", patterned(1 << 20), in(20s), std::move(reply));
    all.push_back(std::move(answered));
  }
  ASSERT_TRUE(eventually([&] { return service->held_count() == 4; }));
  std::this_thread::sleep_for(100ms);
  EXPECT_EQ(service->held_count(), 4u);
  EXPECT_LE(service->pool.in_use_bytes(), 4u << 20);
  EXPECT_EQ(l.status().waiting_for_credit, 36u);
  std::atomic<bool> done{false};
  std::thread releasing{[&] {
    while (!done) {
      for (auto& r : service->take_held()) r.respond(answer{"ok", {}});
      std::this_thread::sleep_for(1ms);
    }
  }};
  for (auto& f : all) EXPECT_TRUE(get(f));
  done = true;
  releasing.join();
}

TEST_F(link_peer, answers_everything_in_flight_when_the_link_is_lost) {
  auto& server = serve();
  auto& l = up_link_to(server.local_endpoint().port);
  std::vector<std::future<result<answer>>> all;
  for (int i = 0; i < 30; ++i) {
    auto [reply, answered] = waiting();
    if (i % 2 == 0)
      l.call("hold", in(60s), std::move(reply));
    else
      l.call_bulk("hold", {buffer(65536), 0, 65536}, in(60s), std::move(reply));
    all.push_back(std::move(answered));
  }
  ASSERT_TRUE(eventually([&] { return service->held_count() == 30; }));
  const auto held = service->take_held();
  server.stop();
  for (auto& f : all) EXPECT_EQ(get(f).error(), errc::connection_lost);
  EXPECT_TRUE(eventually([&] { return held.front().respond.cancelled(); }));
  EXPECT_EQ(pool.in_use_bytes(), 0u);
  EXPECT_FALSE(l.up());
  EXPECT_THAT(ask(l, "echo").error().text, HasSubstr("is down"));
}

TEST_F(link_peer, comes_back_by_itself) {
  const auto port = serve().local_endpoint().port;
  auto& l = up_link_to(port);
  servers.front()->disconnect(node_id(2));
  ASSERT_TRUE(eventually([&] { return l.status().times_lost == 1; }));
  ASSERT_TRUE(eventually([&] { return l.up(); }));
  EXPECT_EQ(ask(l, "echo")->bytes, "echo");
}

TEST_F(link_peer, notices_a_frozen_peer) {
  times.silence_max = 400ms;
  auto& l = link_to(raw_port(), nullptr, 2, [](peer_link_settings& s) { s.bulk_connections = 1; });
  const auto control = host();
  const auto bulk = host();
  ASSERT_TRUE(eventually([&] { return l.up(); }));
  const auto answered = ask(l, "echo", 60s);
  EXPECT_EQ(answered.error(), errc::connection_lost);
  EXPECT_THAT(answered.error().text, HasSubstr("sent nothing for 400 ms"));
}

TEST_F(link_peer, times_a_request_out_and_forgets_its_late_reply) {
  auto& l = up_link_to(serve().local_endpoint().port);
  auto [reply, answered] = waiting();
  l.call_bulk("hold", {buffer(1 << 20), 0, 1 << 20}, in(50ms), std::move(reply));
  EXPECT_EQ(get(answered).error(), errc::timeout);
  ASSERT_TRUE(eventually([&] { return service->held_count() == 1; }));
  auto held = service->take_held();
  EXPECT_TRUE(eventually([&] { return held[0].respond.cancelled(); })) << "the peer is told";
  EXPECT_EQ(l.status().outstanding_bytes, 1u << 20);
  held[0].respond(service->patterned(1 << 20));
  held.clear();
  EXPECT_TRUE(eventually([&] { return l.status().outstanding_bytes == 0; }));
  EXPECT_TRUE(eventually([&] { return pool.in_use_bytes() == 0; }));
  EXPECT_EQ(ask(l, "echo")->bytes, "echo");
}

TEST_F(link_peer, cancels) {
  auto& l = up_link_to(serve().local_endpoint().port);
  auto [reply, answered] = waiting();
  const auto n = l.call("hold", in(20s), std::move(reply));
  ASSERT_TRUE(eventually([&] { return service->held_count() == 1; }));
  l.cancel(n);
  EXPECT_EQ(get(answered).error(), errc::cancelled);
  const auto held = service->take_held();
  EXPECT_TRUE(eventually([&] { return held[0].respond.cancelled(); }));
  l.cancel(n);
  l.cancel(0);
}

TEST_F(link_peer, answers_with_stopping_when_it_is_stopped) {
  auto& l = up_link_to(serve().local_endpoint().port);
  auto [reply, answered] = waiting();
  l.call("hold", in(20s), std::move(reply));
  l.stop();
  EXPECT_EQ(get(answered).error(), errc::stopping);
  EXPECT_EQ(ask(l, "echo").error(), errc::stopping);
}

TEST_F(link_peer, survives_a_server_that_breaks_the_rules) {
  const auto breaks = [&](const std::function<void(raw_peer&, raw_peer&)>& play) {
    acceptor = tcp_acceptor{io, {boost::asio::ip::address_v4::loopback(), 0}}; // nobody dials this one again
    auto& l = link_to(raw_port(), nullptr, 2, [](peer_link_settings& s) { s.bulk_connections = 1; });
    auto control = host();
    auto bulk = host();
    EXPECT_TRUE(eventually([&] { return l.up(); }));
    auto [reply, answered] = waiting();
    l.call_bulk("x", {buffer(4096), 0, 4096}, in(20s), std::move(reply));
    EXPECT_TRUE(bulk.read());
    play(control, bulk);
    EXPECT_EQ(get(answered).error(), errc::connection_lost);
    links.clear();
  };
  frame_header h;
  h.kind = frame_kind::reply;
  h.lane = lane::bulk;
  h.request = 1;
  h.payload_length = h.payload_total = 5000;
  breaks([&](raw_peer&, raw_peer& bulk) { bulk.send(h); });
  h.payload_length = h.payload_total = 0;
  h.request = 77;
  breaks([&](raw_peer&, raw_peer& bulk) { bulk.send(h); });
  breaks([&](raw_peer&, raw_peer& bulk) { bulk.send(std::string(64, 'g')); });
  h.kind = frame_kind::request;
  breaks([&](raw_peer&, raw_peer& bulk) { bulk.send(h); });
  h.kind = frame_kind::reply;
  h.request = 1;
  h.payload_length = 100;
  h.payload_total = 200;
  breaks([&](raw_peer& control, raw_peer& bulk) {
    bulk.send(h);
    control.send("garbage");
    { auto gone = std::move(control); }
  });
}

TEST_F(link_peer, does_not_talk_to_itself_or_to_another_node_than_expected) {
  const auto port = serve().local_endpoint().port;
  auto& self = link_to(port, nullptr, 1);
  EXPECT_TRUE(eventually([&] { return self.status().fault.find("own identity") != std::string::npos; }));
  auto& other = link_to(port, nullptr, 2, [](peer_link_settings& s) { s.node = node_id(9); });
  EXPECT_TRUE(eventually([&] { return other.status().fault.find("was expected") != std::string::npos; }));
}

TEST_F(link_peer, keeps_dialling_a_node_that_is_not_there_yet) {
  const auto port = raw_port();
  acceptor.close();
  auto& l = link_to(port);
  ASSERT_TRUE(eventually([&] { return l.status().fault.find("refused") != std::string::npos; }));
  serve(nullptr, 1, [port](link_server_settings& s) { s.listen.port = port; });
  EXPECT_TRUE(eventually([&] { return l.up(); }));
}

// ---- TLS ------------------------------------------------------------------------------------------------------------

TEST_F(link_peer, speaks_tls_between_nodes_of_one_cluster) {
  const test_cluster cluster;
  auto& l = up_link_to(serve(cluster.node(1)).local_endpoint().port, cluster.node(2));
  EXPECT_TRUE(l.status().other.certified);
  EXPECT_EQ(ask(l, "echo secret")->bytes, "echo secret");
  for (const std::uint32_t size : {100u, 1u << 20, 3u << 20}) {
    EXPECT_EQ(test_service::fitting(read(l, size)->payload), size);
    auto [reply, answered] = waiting();
    l.send_bulk("write", patterned(size), in(10s), std::move(reply));
    EXPECT_EQ(get(answered)->bytes, std::to_string(size));
  }
}

TEST_F(link_peer, refuses_certificates_of_another_cluster_on_either_side) {
  const test_cluster ours, theirs;
  const auto port = serve(ours.node(1)).local_endpoint().port;
  auto& stranger = link_to(port, theirs.node(2));
  EXPECT_TRUE(eventually([&] { return stranger.status().fault.find("TLS handshake") != std::string::npos; }))
      << "the dialer does not trust the server";
  // This one trusts the server's authority; the server must not trust this one's.
  const auto other_ca_node = [&] {
    const auto ca = certificates::make_ca("blue", system_clock().wall()).value();
    const auto made = certificates::issue(ca, node_id(2), {}, system_clock().wall()).value();
    return tls_identity::make({ca.certificate + ours.ca(), made.certificate, made.key}).value();
  }();
  auto& trusting = link_to(port, other_ca_node);
  EXPECT_TRUE(
      eventually([&] { return !trusting.status().fault.empty() && trusting.status().fault != "not dialled yet"; }));
  std::this_thread::sleep_for(300ms);
  EXPECT_FALSE(stranger.up() || trusting.up());
  links.clear();
  EXPECT_TRUE(eventually([&] { return servers[0]->connections() == 0; }));
  EXPECT_EQ(ask(up_link_to(port, ours.node(3), 3), "echo")->bytes, "echo");
}

TEST_F(link_peer, refuses_a_node_under_another_node_s_name) {
  const test_cluster cluster;
  const auto port = serve(cluster.node(1)).local_endpoint().port;
  auto& l = link_to(port, cluster.node(2), 3);
  EXPECT_TRUE(eventually([&] { return l.status().fault.find("its certificate is node") != std::string::npos; }));
  EXPECT_FALSE(l.up());
}

TEST_F(link_peer, does_not_mix_tls_and_plaintext) {
  const test_cluster cluster;
  auto& plain = link_to(serve(cluster.node(1)).local_endpoint().port);
  auto& secure = link_to(serve(nullptr, 4).local_endpoint().port, cluster.node(2));
  std::this_thread::sleep_for(800ms);
  EXPECT_FALSE(plain.up());
  EXPECT_FALSE(secure.up());
  EXPECT_EQ(ask(up_link_to(servers[0]->local_endpoint().port, cluster.node(5), 5), "echo")->bytes, "echo");
}

TEST_F(link_peer, closes_silent_tls_connections) {
  times.handshake_max = 300ms;
  const test_cluster cluster;
  const auto port = serve(cluster.node(1)).local_endpoint().port;
  auto silent = raw_peer::connect(io, port);
  auto garbage = raw_peer::connect(io, port);
  garbage.send(std::string(2000, 'z'));
  EXPECT_TRUE(garbage.closed());
  EXPECT_TRUE(silent.closed());
}

} // namespace cairn::actors::link::peer_link_test

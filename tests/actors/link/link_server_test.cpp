// What strangers and broken peers can do to a server: nothing but lose their own connection.
#include "base/sockets/handshake_pace.hpp"
#include "tests/actors/link/link_fixture.hpp"

namespace cairn::actors::link::link_server_test {

using ::testing::HasSubstr;

class link_server_ : public link_fixture {
protected:
  void SetUp() override { serve_with(); }
  void serve_with(const std::function<void(link_server_settings&)>& change = {}) {
    servers.clear();
    port = serve(nullptr, 1, change).local_endpoint().port;
  }
  raw_peer stranger() { return raw_peer::connect(io, port); }
  // A peer that has been welcomed.
  raw_peer guest(lane on = lane::control, std::uint64_t link = 9, std::uint8_t node = 3) {
    auto p = stranger();
    auto h = hello_of(node);
    h.lane = on;
    h.link = link;
    EXPECT_TRUE(p.send_greeting(frame_kind::hello, h));
    const auto welcome = p.read();
    EXPECT_TRUE(welcome && welcome->first.kind == frame_kind::welcome);
    return p;
  }
  void expect_serving() { EXPECT_EQ(ask(up_link_to(port), "echo still there")->bytes, "echo still there"); }

  static frame_header request(std::uint64_t number, lane on = lane::control) {
    frame_header h;
    h.kind = frame_kind::request;
    h.lane = on;
    h.request = number;
    h.time_left_ms = 5000;
    return h;
  }
  static frame_header bulk_request(std::uint64_t number, std::uint32_t piece, std::uint32_t total) {
    auto h = request(number, lane::bulk);
    h.payload_length = piece;
    h.payload_total = total;
    return h;
  }
  static frame_header fragment(std::uint64_t number, std::uint32_t piece, std::uint32_t total, std::uint32_t offset) {
    auto h = bulk_request(number, piece, total);
    h.kind = frame_kind::fragment;
    h.time_left_ms = 0;
    h.payload_offset = offset;
    return h;
  }

  std::uint16_t port = 0;
};

TEST_F(link_server_, closes_on_garbage_and_serves_on) {
  auto http = stranger();
  http.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n" + std::string(100, 'x'));
  EXPECT_TRUE(http.closed());
  auto zeros = stranger();
  zeros.send(std::string(100'000, '\0'));
  EXPECT_TRUE(zeros.closed());
  auto tls = stranger();
  tls.send(std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11) + std::string(200, 'r'));
  EXPECT_TRUE(tls.closed());
  expect_serving();
}

TEST_F(link_server_, closes_on_giant_lengths_without_allocating) {
  for (const std::size_t field : {16u, 20u, 24u, 28u, 36u}) {
    auto p = stranger();
    auto h = request(1);
    const auto block = encode(h);
    std::string bytes{reinterpret_cast<const char*>(block.data()), block.size()};
    bytes.replace(field, 4, "\xff\xff\xff\xff");
    p.send(bytes);
    EXPECT_TRUE(p.closed()) << field;
  }
  expect_serving();
}

TEST_F(link_server_, closes_silent_connections_in_time) {
  serve_with([](link_server_settings& s) { s.connection.handshake_max = 300ms; });
  auto silent = stranger();
  auto half = stranger();
  half.send("CRNL\x01");
  const auto started = system_clock().now();
  EXPECT_TRUE(silent.closed());
  EXPECT_TRUE(half.closed());
  EXPECT_LT(system_clock().now() - started, 9s);
  EXPECT_TRUE(eventually([&] { return servers[0]->connections() == 0; }));
}

TEST_F(link_server_, survives_frames_cut_anywhere) {
  const auto block = encode([] {
    frame_header h;
    h.kind = frame_kind::hello;
    h.meta_length = static_cast<std::uint32_t>(encode(hello_of(3)).size());
    return h;
  }());
  const auto bytes = std::string{reinterpret_cast<const char*>(block.data()), block.size()} + encode(hello_of(3));
  for (std::size_t n = 1; n < bytes.size(); n += 7) stranger().send(bytes.substr(0, n));
  guest(lane::control).send(std::string_view{bytes}.substr(0, 20));
  EXPECT_TRUE(eventually([&] { return servers[0]->connections() == 0; }));
  expect_serving();
}

TEST_F(link_server_, refuses_requests_before_a_hello_and_a_second_hello) {
  auto hasty = stranger();
  hasty.send(request(1), "echo");
  EXPECT_TRUE(hasty.closed());
  auto repeating = guest();
  repeating.send_greeting(frame_kind::hello, hello_of(3));
  EXPECT_TRUE(repeating.closed());
  EXPECT_EQ(service->requests, 0);
}

TEST_F(link_server_, tells_a_refused_peer_why) {
  auto p = stranger();
  auto h = hello_of(3);
  h.cluster = node_id(101);
  p.send_greeting(frame_kind::hello, h);
  const auto said = p.read();
  ASSERT_TRUE(said);
  EXPECT_EQ(said->first.kind, frame_kind::refuse);
  EXPECT_THAT(said->second, HasSubstr("belongs to cluster"));
  EXPECT_TRUE(p.closed());
}

TEST_F(link_server_, refuses_peers_that_are_not_admitted) {
  admitted = [](const peer& p) {
    return p.node == node_id(3) ? result<void>{error{errc::invalid_argument, "removed from the cluster"}}
                                : result<void>{};
  };
  auto& removed = link_to(port, nullptr, 3);
  EXPECT_TRUE(eventually([&] { return removed.status().fault == "the peer refused: removed from the cluster"; }));
  expect_serving();
}

TEST_F(link_server_, closes_peers_that_break_the_order_of_fragments) {
  auto control = guest();
  {
    auto p = guest(lane::bulk);
    p.send(fragment(5, 10, 20, 10));
    EXPECT_TRUE(p.closed());
  }
  {
    auto p = guest(lane::bulk);
    p.send(bulk_request(5, 10, 30), "w");
    p.send(std::string(10, 'x'));
    p.send(fragment(5, 10, 30, 20));
    EXPECT_TRUE(p.closed());
  }
  {
    auto p = guest(lane::bulk);
    p.send(request(5, lane::bulk), "hold");
    p.send(request(5, lane::bulk), "hold");
    EXPECT_TRUE(p.closed());
  }
  EXPECT_TRUE(eventually([&] { return service->pool.in_use_bytes() == 0; }));
  expect_serving();
}

TEST_F(link_server_, gives_a_peer_no_more_than_its_credit) {
  serve_with([](link_server_settings& s) { s.limits.credit_bytes = 1 << 20; });
  auto control = guest();
  auto p = guest(lane::bulk);
  auto within = request(1, lane::bulk), beyond = request(2, lane::bulk);
  within.reply_max = beyond.reply_max = 600 << 10;
  p.send(within, "hold");
  p.send(beyond, "hold");
  const auto refused = p.read();
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->first.request, 2u);
  EXPECT_EQ(refused->first.code, static_cast<std::uint8_t>(errc::busy));
  ASSERT_TRUE(eventually([&] { return service->held_count() == 1; }));
  service->take_held(); // answers it as dropped
  EXPECT_EQ(p.read()->first.request, 1u);
  p.send(beyond, "echo");
  EXPECT_EQ(p.read()->first.code, 0u);
}

TEST_F(link_server_, answers_a_request_whose_time_is_over_unexecuted) {
  auto p = guest();
  auto late = request(4);
  late.time_left_ms = 0;
  p.send(late, "echo");
  EXPECT_EQ(p.read()->first.code, static_cast<std::uint8_t>(errc::timeout));
  EXPECT_EQ(service->requests, 0);
}

TEST_F(link_server_, takes_no_bulk_connection_without_its_control_connection) {
  auto p = stranger();
  auto h = hello_of(3);
  h.lane = lane::bulk;
  p.send_greeting(frame_kind::hello, h);
  EXPECT_EQ(p.read()->first.kind, frame_kind::refuse);
  auto control = std::make_unique<raw_peer>(guest());
  auto bulk = guest(lane::bulk);
  control.reset();
  EXPECT_TRUE(bulk.closed()) << "they end together";
}

TEST_F(link_server_, replaces_the_old_link_of_a_node_that_dials_anew) {
  auto old = guest(lane::control, 9);
  auto old_bulk = guest(lane::bulk, 9);
  auto fresh = guest(lane::control, 10);
  EXPECT_TRUE(old.closed());
  EXPECT_TRUE(old_bulk.closed());
  fresh.send(request(1), "echo");
  EXPECT_EQ(fresh.read()->second, "echo");
}

TEST_F(link_server_, closes_a_frozen_peer) {
  serve_with([](link_server_settings& s) { s.connection.silence_max = 300ms; });
  auto frozen = guest();
  EXPECT_TRUE(eventually([&] { return servers[0]->connections() == 0; }, 5s)) << "it sends no heartbeats";
}

TEST_F(link_server_, keeps_room_for_peers_when_strangers_take_many_connections) {
  serve_with([](link_server_settings& s) { s.limits.strangers_max = 4; });
  std::vector<raw_peer> crowd;
  crowd.reserve(20);
  for (int i = 0; i < 20; ++i) crowd.push_back(stranger());
  expect_serving();
  EXPECT_TRUE(crowd.front().closed());
}

TEST_F(link_server_, computes_few_handshakes_for_an_address_that_completes_none) {
  const test_cluster ours;
  const auto tls_port = serve(ours.node(1)).local_endpoint().port;
  boost::asio::ip::tcp::acceptor records{io, {boost::asio::ip::address_v4::loopback(), 0}};
  link_to(records.local_endpoint().port(), ours.node(9));
  char bytes[4096];
  const auto length = records.accept().read_some(boost::asio::buffer(bytes)); // a client's hello
  links.clear();
  const auto replay = [&] {
    boost::asio::ip::tcp::socket s{io, {boost::asio::ip::make_address_v4("127.0.0.2"), 0}};
    s.connect({boost::asio::ip::address_v4::loopback(), tls_port});
    boost::asio::write(s, boost::asio::buffer(bytes, length));
    const timeval limit{0, 50'000};
    ::setsockopt(s.native_handle(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    char answer = 0;
    return ::recv(s.native_handle(), &answer, 1, 0) == 1;
  };
  const auto begun = std::chrono::steady_clock::now();
  int answered = 0, unanswered = 0;
  while (unanswered < 10) replay() ? ++answered : ++unanswered;
  const auto seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  using pace = sockets::handshake_pace;
  EXPECT_GE(answered, 10);
  EXPECT_LE(answered, double{pace::steps_max} + double{pace::steps_per_second} * seconds + 1);
  up_link_to(tls_port, ours.node(2));
}

TEST_F(link_server_, listens_beyond_loopback_only_with_tls_or_when_told) {
  link_server_settings s;
  s.listen = {"0.0.0.0", 0};
  const auto make = [&] {
    return std::make_unique<link_server>(
        std::vector{&io}, s, nullptr, [] { return hello_of(1); }, nullptr, service);
  };
  EXPECT_EQ(make()->listen().error().code, errc::invalid_argument);
  s.insecure = true;
  EXPECT_TRUE(make()->listen());
}

} // namespace cairn::actors::link::link_server_test

// Nodes that reach each other over real sockets: who is let in, what happens when the members change.
#include "actors/link/link_peers.hpp"

#include "actors/link/peer_service.hpp"
#include "tests/actors/link/link_fixture.hpp"

#include <random>

namespace cairn::actors::link_peers_test {

using namespace link;
using ::testing::HasSubstr;

class link_peers_ : public link_fixture {
public:
  ~link_peers_() override { nodes.clear(); }

protected:
  struct node {
    std::uint8_t number = 0;
    std::shared_ptr<local_handshake> own;
    std::unique_ptr<link_peers> peers;
    std::string address;
  };

  // A node of cluster "blue", or of none; it serves before it knows any member.
  node make(std::uint8_t number, std::uint64_t incarnation = 1, bool member = true, std::uint16_t port = 0) {
    auto h = hello_of(number);
    h.incarnation = incarnation;
    if (!member) h.cluster = {};
    node n{number, std::make_shared<local_handshake>(h), nullptr, ""};
    link_peers_settings s;
    s.listen = {"127.0.0.1", port};
    s.connection = times;
    link_peers_services e{{&io}, tls ? tls->node(number) : nullptr, n.own, service};
    e.changed = [this](const uuid&, bool up) { ++(up ? ups : downs); };
    n.peers = std::make_unique<link_peers>(s, std::move(e));
    bool listening = false; // at once, unless the port is that of a node that has just ended
    EXPECT_TRUE(eventually([&] { return listening || (listening = n.peers->listen().has_value()); }));
    n.peers->start();
    n.address = config::format(n.peers->local_endpoint());
    return n;
  }
  void start(std::uint8_t count) {
    for (std::uint8_t i = 1; i <= count; ++i) nodes.push_back(make(i));
    for (auto& n : nodes) n.peers->set_members(members());
  }
  std::vector<peer_address> members() const {
    std::vector<peer_address> out;
    for (const auto& n : nodes) out.push_back({node_id(n.number), n.address, n.own->get().incarnation});
    return out;
  }
  bool all_up() {
    return eventually([&] {
      for (const auto& a : nodes)
        for (const auto& b : nodes)
          if (a.number != b.number && !a.peers->up(node_id(b.number))) return false;
      return true;
    });
  }
  static result<answer> ask(link_peers& from, std::uint8_t to, const std::string& request = "echo") {
    auto [reply, answered] = waiting();
    from.call(node_id(to), request, in(10s), std::move(reply));
    return get(answered);
  }
  static result<answer> ask_by_address(link_peers& from, const std::string& address,
                                       std::chrono::milliseconds time = 10s) {
    auto [reply, answered] = waiting();
    from.ask_member(config::parse_host_port(address).value(), "echo join", time, std::move(reply));
    return get(answered);
  }
  static std::string fault(const link_peers& from, std::uint8_t to) {
    for (const auto& l : from.links())
      if (l.member.id == node_id(to)) return l.status.fault;
    return "no link";
  }

  std::optional<test_cluster> tls;
  std::vector<node> nodes;
  std::atomic<int> ups{0}, downs{0};
};

TEST_F(link_peers_, all_reach_each_other) {
  start(3);
  ASSERT_TRUE(all_up());
  for (auto& a : nodes)
    for (auto& b : nodes) {
      if (a.number == b.number) continue;
      EXPECT_EQ(ask(*a.peers, b.number, "echo hi")->bytes, "echo hi");
      auto [reply, answered] = waiting();
      a.peers->call_bulk(node_id(b.number), "read 100000", {buffer(100'000), 0, 100'000}, in(10s), std::move(reply));
      const auto read = get(answered);
      ASSERT_TRUE(read);
      EXPECT_EQ(test_service::fitting(read->payload), 100'000u);
      auto [written, done] = waiting();
      a.peers->send_bulk(node_id(b.number), "write", patterned(5000), in(10s), std::move(written));
      EXPECT_EQ(get(done)->bytes, "5000");
    }
  EXPECT_FALSE(nodes[0].peers->up(node_id(1))) << "itself is none of its peers";
  EXPECT_EQ(nodes[0].peers->links().size(), 2u);
  EXPECT_TRUE(eventually([&] { return ups == 6; }));
}

TEST_F(link_peers_, speak_tls) {
  tls.emplace();
  start(3);
  ASSERT_TRUE(all_up());
  EXPECT_EQ(ask(*nodes[2].peers, 1, "echo hi")->bytes, "echo hi");
}

TEST_F(link_peers_, answer_for_a_node_that_they_do_not_know_or_reach_never_inside_the_call) {
  start(1);
  std::promise<std::thread::id> answered;
  nodes[0].peers->call(node_id(9), "echo", in(10s), [&](const result<answer>& a) {
    EXPECT_EQ(a.error().code, errc::connection_lost);
    answered.set_value(std::this_thread::get_id());
  });
  EXPECT_NE(answered.get_future().get(), std::this_thread::get_id());
  nodes[0].peers->set_members({{node_id(7), "127.0.0.1:1", 0}, {node_id(8), "no address", 0}});
  EXPECT_EQ(ask(*nodes[0].peers, 7).error().code, errc::connection_lost);
  EXPECT_EQ(ask(*nodes[0].peers, 8).error().code, errc::connection_lost);
}

TEST_F(link_peers_, a_removed_member_is_cut_off_and_refused) {
  start(3);
  ASSERT_TRUE(all_up());
  auto [held, answered] = waiting();
  nodes[0].peers->call(node_id(3), "hold", in(10s), std::move(held));
  ASSERT_TRUE(eventually([&] { return service->held_count() == 1; }));
  auto all = members();
  all[2].removed = true;
  nodes[0].peers->set_members(all);
  EXPECT_EQ(get(answered).error().code, errc::connection_lost);
  EXPECT_FALSE(nodes[0].peers->up(node_id(3)));
  EXPECT_TRUE(eventually([&] { return !nodes[2].peers->up(node_id(1)); }));
  EXPECT_TRUE(eventually([&] {
    return fault(*nodes[2].peers, 1).find("was removed from the cluster") != std::string::npos;
  })) << fault(*nodes[2].peers, 1);
  EXPECT_EQ(ask(*nodes[0].peers, 2, "echo")->bytes, "echo") << "the others don't notice";
  EXPECT_EQ(ask(*nodes[1].peers, 3, "echo")->bytes, "echo") << "nor does who has not heard of it";
}

TEST_F(link_peers_, a_node_that_restarts_comes_back_with_a_higher_incarnation) {
  start(3);
  ASSERT_TRUE(all_up());
  const auto port = nodes[2].peers->local_endpoint().port;
  nodes[2].peers.reset();
  ASSERT_TRUE(eventually([&] { return !nodes[0].peers->up(node_id(3)) && !nodes[1].peers->up(node_id(3)); }));
  nodes[2] = make(3, 2, true, port);
  nodes[2].peers->set_members(members());
  ASSERT_TRUE(all_up());
  EXPECT_EQ(ask(*nodes[0].peers, 3)->bytes, "echo");
  nodes[0].peers->set_members(members()); // the log has seen it
  EXPECT_TRUE(nodes[0].peers->up(node_id(3))) << "links of the present incarnation stay";
}

TEST_F(link_peers_, an_older_incarnation_is_refused_by_both_sides) {
  start(2);
  ASSERT_TRUE(all_up());
  auto risen = members();
  risen[1].incarnation = 5; // the log has seen a later one than this, say because its disk was restored
  nodes[0].peers->set_members(risen);
  EXPECT_TRUE(eventually([&] { return !nodes[0].peers->up(node_id(2)) && !nodes[1].peers->up(node_id(1)); }));
  EXPECT_TRUE(eventually([&] {
    return fault(*nodes[1].peers, 1).find("is this a restored disk?") != std::string::npos;
  })) << fault(*nodes[1].peers, 1);
  EXPECT_TRUE(eventually([&] { return fault(*nodes[0].peers, 2).find("older incarnation") != std::string::npos; }))
      << fault(*nodes[0].peers, 2);
  EXPECT_EQ(ask(*nodes[0].peers, 2).error().code, errc::connection_lost);
}

TEST_F(link_peers_, a_member_that_moves_is_reached_at_its_new_address) {
  start(2);
  ASSERT_TRUE(all_up());
  const auto moved = make(2, 2);
  nodes[1].peers.reset();
  moved.peers->set_members({{node_id(1), nodes[0].address, 1}});
  nodes[0].peers->set_members({{node_id(1), nodes[0].address, 1}, {node_id(2), moved.address, 2}});
  EXPECT_TRUE(eventually([&] { return nodes[0].peers->up(node_id(2)); }));
  EXPECT_EQ(ask(*nodes[0].peers, 2)->bytes, "echo");
}

TEST_F(link_peers_, a_number_of_a_replaced_link_cancels_nothing_of_its_successor) {
  start(2);
  ASSERT_TRUE(all_up());
  auto [first, first_answered] = waiting();
  const auto stale = nodes[0].peers->call(node_id(2), "hold", in(10s), std::move(first));
  nodes[0].peers->set_members({});
  EXPECT_EQ(get(first_answered).error().code, errc::connection_lost);
  nodes[0].peers->set_members(members());
  ASSERT_TRUE(all_up());
  auto [second, second_answered] = waiting();
  const auto number = nodes[0].peers->call(node_id(2), "hold", in(10s), std::move(second));
  EXPECT_NE(number, stale);
  nodes[0].peers->cancel(node_id(2), stale);
  nodes[0].peers->cancel(node_id(2), 0);
  EXPECT_EQ(second_answered.wait_for(200ms), std::future_status::timeout);
  nodes[0].peers->cancel(node_id(2), number);
  EXPECT_EQ(get(second_answered).error().code, errc::cancelled);
}

TEST_F(link_peers_, a_stranger_asks_a_member_and_then_becomes_one) {
  start(1);
  nodes.push_back(make(2, 1, false));
  auto& stranger = *nodes[1].peers;
  EXPECT_EQ(ask_by_address(stranger, nodes[0].address)->bytes, "echo join");
  const auto other = make(3, 1, false);
  const auto refused = ask_by_address(stranger, other.address);
  EXPECT_THAT(refused.error().text, HasSubstr("belongs to no cluster yet: ask a member"));
  nodes[0].peers->set_members(members()); // dials, and is refused until the other knows that it is a member
  EXPECT_TRUE(eventually([&] { return fault(*nodes[0].peers, 2).find("no cluster yet") != std::string::npos; }));
  nodes[1].own->set_cluster(node_id(100), "blue");
  stranger.set_members(members());
  EXPECT_TRUE(all_up());
  EXPECT_EQ(ask(*nodes[0].peers, 2)->bytes, "echo");
}

TEST_F(link_peers_, a_call_to_a_closed_port_fails_soon_and_to_an_unresponsive_peer_at_its_deadline) {
  start(1);
  const auto gone = make(2).address;
  EXPECT_EQ(ask_by_address(*nodes[0].peers, gone).error().code, errc::connection_lost);
  boost::asio::ip::tcp::acceptor silent{io, {boost::asio::ip::address_v4::loopback(), 0}};
  const auto address = "127.0.0.1:" + std::to_string(silent.local_endpoint().port());
  EXPECT_EQ(ask_by_address(*nodes[0].peers, address, 300ms).error().code, errc::timeout);
  EXPECT_THAT(ask_by_address(*nodes[0].peers, nodes[0].address).error().text, HasSubstr("own identity"));
}

TEST_F(link_peers_, a_stop_answers_what_is_in_flight) {
  start(2);
  ASSERT_TRUE(all_up());
  auto [reply, answered] = waiting();
  nodes[0].peers->call(node_id(2), "hold", in(10s), std::move(reply));
  nodes[0].peers->stop();
  EXPECT_EQ(get(answered).error().code, errc::stopping);
}

TEST_F(link_peers_, random_bytes_on_the_port_affect_no_other_link) {
  start(2);
  ASSERT_TRUE(all_up());
  const auto port = nodes[0].peers->local_endpoint().port;
  const auto seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937 random{seed};
  const auto greeting = [] {
    frame_header h;
    h.kind = frame_kind::hello;
    const auto said = encode(hello_of(2));
    h.meta_length = static_cast<std::uint32_t>(said.size());
    const auto block = encode(h);
    return std::string{reinterpret_cast<const char*>(block.data()), block.size()} + said;
  }();
  std::vector<raw_peer> silent;
  for (int i = 0; i < 200; ++i) {
    auto p = raw_peer::connect(io, port);
    std::string bytes = greeting;
    switch (i % 4) {
      case 0: // noise
        bytes.resize(1 + random() % 5000);
        for (auto& b : bytes) b = static_cast<char>(random());
        break;
      case 1: // a greeting with some bits turned
        for (unsigned n = 0; n < 1 + random() % 4; ++n)
          bytes[random() % bytes.size()] ^= static_cast<char>(1 + random() % 255);
        break;
      case 2: // cut off, or a length that is none
        bytes.resize(random() % bytes.size());
        if (bytes.size() > 24 && random() % 2) bytes.replace(16 + 4 * (random() % 2), 4, "\xff\xff\xff\xff");
        break;
      default: // a wrong node, then noise behind it
        bytes.append(random() % 300, static_cast<char>(random()));
    }
    p.send(bytes);
    if (random() % 8 == 0) silent.push_back(std::move(p));
  }
  EXPECT_TRUE(eventually([&] { return nodes[1].peers->up(node_id(1)); }))
      << "a greeting in its name may cut it off once";
  EXPECT_TRUE(eventually([&] { return ask(*nodes[1].peers, 1).has_value(); }));
  EXPECT_EQ(ask(*nodes[0].peers, 2)->bytes, "echo");
  EXPECT_LT(service->requests, 100);
}

TEST(peer_service, keeps_strangers_to_joining_and_unknown_kinds_out) {
  peer_service service;
  std::vector<std::string> served;
  service.serve(peer_request::join, [&](const incoming_request& r) { served.push_back("join " + r.bytes); });
  service.serve(peer_request::consensus, [&](const incoming_request& r) { served.push_back("consensus " + r.bytes); });
  const auto send = [&](std::string bytes, bool member) {
    std::optional<error> said;
    peer p;
    p.member = member;
    service.on_request({p,
                        std::move(bytes),
                        {},
                        {},
                        0,
                        responder{[&](result<answer>&& a) { said = a ? error{} : a.error(); },
                                  std::make_shared<std::atomic<bool>>(false)}});
    return said ? said->code : errc{};
  };
  EXPECT_EQ(send("\x05"
                 "me",
                 false),
            errc::cancelled);
  EXPECT_EQ(send("\x01"
                 "vote",
                 false),
            errc::invalid_argument);
  EXPECT_EQ(send("\x01"
                 "vote",
                 true),
            errc::cancelled);
  EXPECT_EQ(send("\x1f", true), errc::unsupported);
  EXPECT_EQ(send("\xff", true), errc::unsupported);
  EXPECT_EQ(send("", true), errc::unsupported);
  EXPECT_THAT(served, ::testing::ElementsAre("join me", "consensus vote"));
}

} // namespace cairn::actors::link_peers_test

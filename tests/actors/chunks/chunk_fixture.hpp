// Nodes with one disk in memory each, whose chunks are served over real links on loopback, and a gateway that reaches
// them through actors::peers. Node n has the UUID node_id(n + 1) and the number n in the layout.
#pragma once

#include "actors/chunks/chunk_service.hpp"
#include "actors/chunks/remote_store.hpp"
#include "actors/protocol/chunk_messages.hpp"
#include "actors/protocol/errors.hpp"
#include "actors/runtime/message_types.hpp"
#include "base/files/memory_file_system.hpp"
#include "tests/actors/link/link_fixture.hpp"
#include "tests/storage/chunks/chunk_store_fixture.hpp"

namespace cairn::actors {

using link::node_id;
using link::reply_callback;
using link::request_number;
using namespace std::chrono_literals;
using storage::chunk_number;
using storage::payload_of;

// Links by hand: who has none is not reachable.
class link_map final : public peers {
public:
  explicit link_map(boost::asio::io_context& io) : io_(io) {}
  std::map<uuid, link::peer_link*> links;

  request_number call(const uuid& to, std::string request, steady_time deadline, reply_callback reply) override {
    auto* l = find(to, reply);
    return l ? l->call(std::move(request), deadline, std::move(reply)) : 0;
  }
  request_number call_bulk(const uuid& to, std::string request, slice into, steady_time deadline,
                           reply_callback reply) override {
    auto* l = find(to, reply);
    return l ? l->call_bulk(std::move(request), std::move(into), deadline, std::move(reply)) : 0;
  }
  request_number send_bulk(const uuid& to, std::string request, slice payload, steady_time deadline,
                           reply_callback reply) override {
    auto* l = find(to, reply);
    return l ? l->send_bulk(std::move(request), std::move(payload), deadline, std::move(reply)) : 0;
  }
  void cancel(const uuid& to, request_number n) override {
    if (const auto at = links.find(to); at != links.end()) at->second->cancel(n);
  }
  bool up(const uuid& node) const override {
    const auto at = links.find(node);
    return at != links.end() && at->second->up();
  }
  void set_members(const std::vector<peer_address>&) override {}

private:
  link::peer_link* find(const uuid& to, reply_callback& reply) {
    const auto at = links.find(to);
    if (at != links.end()) return at->second;
    boost::asio::post(io_, [reply] { reply(error{errc::connection_lost, "no link"}); });
    return nullptr;
  }
  boost::asio::io_context& io_;
};

struct chunk_node {
  memory_file_system files{256ull << 20};
  seeded_random random{42};
  std::unique_ptr<storage::kv_engine> index = storage::make_memory_kv(storage::chunk_index_tables);
  std::unique_ptr<storage::chunk_store> store;
  std::unique_ptr<executor> reads, writes;
  node_metrics metrics;
  std::shared_ptr<disk> shared;
  std::shared_ptr<store_router> router;
  std::shared_ptr<layout_holder> layouts;
  std::shared_ptr<buffer_pool> pool = std::make_shared<buffer_pool>(8 << 20);
  std::unique_ptr<chunk_service> chunks;
  std::shared_ptr<peer_service> service = std::make_shared<peer_service>();
  link::link_server* server = nullptr;
  // Requests of a frozen node wait here.
  std::mutex mutex;
  std::vector<link::incoming_request> held;
  std::vector<chunk_store_actor> actors;

  chunk_node(caf::actor_system& system, node_number number) {
    storage::chunk_store_options options;
    options.directory = "/disk";
    options.segment_size_bytes = 64 << 20;
    options.reserve_bytes = 64 << 10;
    store = storage::chunk_store::open(options, files, *index, random).value();
    reads = make_thread_executor("reads", 2, 1000);
    writes = make_thread_executor("writes", 1, 1000);
    shared = std::make_shared<disk>(*store, *reads, *writes, metrics, system_clock());
    actors = spawn_chunk_stores(system, shared, 2);
    router = std::make_shared<store_router>(std::vector<store_router::member>{{{node_id(9), 1.0}, actors, shared}});
    layouts = std::make_shared<layout_holder>(number);
    chunks = std::make_unique<chunk_service>(
        system, chunk_server_services{router, layouts, pool, &metrics, &system_clock()}, 2);
    chunks->serve_at(*service);
  }
  // Before the server starts: requests of this kind are taken and never answered.
  void freeze(peer_request kind) {
    service->serve(kind, [this](link::incoming_request r) {
      const std::lock_guard lock{mutex};
      held.push_back(std::move(r));
    });
  }
  void put(std::uint64_t n, std::size_t length) {
    const auto bytes = payload_of(n, length);
    const storage::chunk_write write{chunk_number(n), bytes};
    ASSERT_TRUE(store->write(std::span{&write, 1}).front());
  }
  bool has(const chunk_id& id) {
    std::vector<std::byte> bytes(16 << 20);
    return bool(store->read(id, 0, std::uint32_t(bytes.size()), bytes.data()));
  }
};

class chunk_fixture : public link::link_fixture {
public:
  chunk_fixture() : network(std::make_shared<link_map>(io)) {}
  ~chunk_fixture() override {
    for (auto& a : ended_later) caf::anon_send_exit(a, caf::exit_reason::kill);
    links.clear();
    for (auto& n : nodes) {
      n->chunks->stop();
      n->held.clear();
      for (auto& a : n->actors) caf::anon_send_exit(a, caf::exit_reason::kill);
      n->actors.clear();
      n->router.reset();
      n->shared.reset();
    }
    servers.clear();
    ended_later.clear();
    system.await_all_actors_done();
    EXPECT_TRUE(eventually([&] { return buffers->in_use_bytes() == 0; })) << "buffers are left";
    for (auto& n : nodes) EXPECT_TRUE(eventually([&] { return n->pool->in_use_bytes() == 0; })) << "of a service";
    for (auto& n : nodes) {
      n->reads->stop();
      n->writes->stop();
    }
  }

protected:
  struct test_system : caf::actor_system_config {
    test_system() {
      set("scheduler.max-threads", 2u);
      actors::register_message_types(*this);
    }
  };

  chunk_node& add_node() {
    nodes.push_back(std::make_unique<chunk_node>(system, node_number(nodes.size())));
    return *nodes.back();
  }
  // Serves the node and links the gateway to it.
  void connect(std::size_t number) {
    link::link_server_settings s;
    s.listen = {"127.0.0.1", 0};
    s.connection = times;
    auto& n = *nodes[number];
    const auto id = std::uint8_t(number + 1);
    servers.push_back(std::make_unique<link::link_server>(
        std::vector{&io}, s, nullptr, [id] { return link::hello_of(id); },
        [](const link::peer&) { return result<void>{}; }, n.service));
    n.server = servers.back().get();
    ASSERT_TRUE(n.server->listen());
    n.server->start();
    network->links[node_id(id)] = &up_link_to(n.server->local_endpoint().port, nullptr, 100);
  }
  // All nodes own every partition, `epoch` is the layout's and the partitions'.
  void set_layout(layout_epoch epoch, const cluster::owner_list& current, const cluster::owner_list& target) {
    auto l = std::make_shared<cluster::layout>();
    l->epoch = epoch;
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      cluster::member m;
      m.number = node_number(i);
      m.id = node_id(std::uint8_t(i + 1));
      l->members.push_back(m);
    }
    l->partitions.resize(partition_count, {.epoch = epoch, .current = current, .target = target});
    layouts->set(l);
    for (auto& n : nodes) n->layouts->set(l);
  }
  remote_store remote(std::size_t number, const std::function<void(remote_store_services&)>& change = {}) {
    remote_store_services parts{network, layouts, buffers, &metrics, &system_clock()};
    if (change) change(parts);
    auto made = spawn_remote_store(system, parts, node_id(std::uint8_t(number + 1)));
    ended_later.push_back(made.store);
    return made;
  }

  buffer_ptr room(std::uint32_t bytes) { return buffers->try_acquire(bytes, reservation::minimum); }
  slice payload(std::uint64_t n, std::uint32_t length) {
    slice s{room(length), 0, length};
    const auto bytes = payload_of(n, length);
    std::memcpy(s.owner->data(), bytes.data(), length);
    return s;
  }
  template <class Answer, class... Message>
  result<Answer> ask(const chunk_store_actor& store, Message... message) {
    caf::scoped_actor self{system};
    result<Answer> out = error{errc::timeout, "never answered"};
    self->request(store, 20s, std::move(message)...)
        .receive([&](Answer& a) { out = std::move(a); }, [&](caf::error& e) { out = from_caf(e); });
    return out;
  }
  result<chunk_data> read(const chunk_store_actor& store, std::uint64_t n, std::uint32_t offset, std::uint32_t length) {
    return ask<chunk_data>(store, read_atom_v, chunk_read{chunk_number(n), offset, length, room(length)});
  }
  result<done_atom> write(const chunk_store_actor& store, std::uint64_t n, std::uint32_t length,
                          layout_epoch epoch = 0) {
    return ask<done_atom>(store, write_atom_v, chunk_payload{chunk_number(n), payload(n, length), epoch});
  }

  test_system config;
  caf::actor_system system{config};
  node_metrics metrics;
  std::shared_ptr<buffer_pool> buffers = std::make_shared<buffer_pool>(64 << 20);
  std::shared_ptr<layout_holder> layouts = std::make_shared<layout_holder>(node_number{99});
  std::shared_ptr<link_map> network;
  std::vector<std::unique_ptr<chunk_node>> nodes;
  std::vector<chunk_store_actor> ended_later;
};

} // namespace cairn::actors

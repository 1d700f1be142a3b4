// The two ends alone, by hand; within logs and under crashes and faults: replicated_log_test.cpp.
#include "actors/metadata/log/snapshot_transfer.hpp"

#include "tests/actors/metadata/log/log_fixture.hpp"

namespace cairn::actors::snapshot_transfer_test {

const uuid source_id{7}, other_id{8};
constexpr std::size_t piece_bytes = 1000;

struct side {
  explicit side(virtual_loop& l) : loop(l), work(l, alive, 1ms) { EXPECT_TRUE(files.make_directories("/t")); }
  snapshot_transfer_services services() { return {kv.get(), &files, "/t", &work, piece_bytes}; }
  snapshot_transfer::host_services services_of_host(peers* network) {
    snapshot_transfer::host_services e;
    e.post = [this](std::function<void()> run) { loop.at(1us, std::move(run)); };
    e.after = [this](std::chrono::milliseconds wait, std::function<void()> run) { loop.at(wait, std::move(run)); };
    e.clock = &loop;
    e.network = network;
    e.record_at = [this](log_index i) {
      return knows ? std::optional{raft::snapshot_record{i, 3, {{{1, raft::server_role::voter}}}, 1}} : std::nullopt;
    };
    e.first_kept = [this] { return first_kept; };
    e.install = [this](const raft::snapshot_record& r) {
      offered_to_install.push_back(r.index);
      return verdict;
    };
    return e;
  }
  void fill(int objects) {
    const auto s = meta::store::open(*kv).value();
    std::vector<meta::command> batch;
    batch.reserve(std::size_t(objects));
    for (int i = 0; i < objects; ++i)
      batch.push_back(meta::create_bucket{.name = "bucket" + std::to_string(made++), .now = 1});
    ASSERT_TRUE(s->apply(batch));
  }
  std::vector<std::string> names() { return files.list("/t").value(); }

  virtual_loop& loop;
  std::shared_ptr<bool> alive = std::make_shared<bool>(true);
  std::unique_ptr<storage::kv_engine> kv = storage::make_memory_kv(meta::table_count);
  memory_file_system files;
  loop_executor work;
  log_index first_kept = 1;
  bool knows = true;
  int made = 0;
  raft::install_answer verdict = raft::install_answer::begun;
  std::vector<log_index> offered_to_install;
};

class snapshot_transfer_test : public testing::Test, public peers {
protected:
  snapshot_transfer_test() {
    source.fill(200);
    server = std::make_unique<snapshot_transfer>(source.services(), source.services_of_host(this));
    client = std::make_unique<snapshot_transfer>(target.services(), target.services_of_host(this));
  }

  link::request_number call(const uuid& to, std::string request, steady_time deadline,
                            link::reply_callback reply) override {
    EXPECT_EQ(request.front(), char(peer_request::snapshot));
    asked.push_back(decode_snapshot_request(request.substr(1)).value());
    loop.at(1ms, [this, to, request, deadline, reply = std::move(reply)] {
      if (fail_next) return reply(*std::exchange(fail_next, std::nullopt));
      EXPECT_TRUE(to == source_id || to == other_id);
      server->serve({{},
                     request.substr(1),
                     {},
                     deadline,
                     0,
                     link::responder{[this, reply](result<link::answer>&& a) {
                                       if (a && change) change(a->bytes);
                                       reply(std::move(a));
                                     },
                                     std::make_shared<std::atomic<bool>>(false)}});
    });
    return 0;
  }
  link::request_number call_bulk(const uuid&, std::string, slice, steady_time, link::reply_callback) override {
    return 0;
  }
  link::request_number send_bulk(const uuid&, std::string, slice, steady_time, link::reply_callback) override {
    return 0;
  }
  void cancel(const uuid&, link::request_number) override {}
  bool up(const uuid&) const override { return true; }
  void set_members(const std::vector<peer_address>&) override {}

  virtual_loop loop;
  side source{loop}, target{loop};
  std::unique_ptr<snapshot_transfer> server, client;
  std::vector<snapshot_request> asked;
  std::optional<error> fail_next;
  std::function<void(std::string&)> change;
};

TEST_F(snapshot_transfer_test, pieces_make_the_same_state) {
  client->offered(source_id, 1);
  loop.run(5s);
  EXPECT_EQ(target.offered_to_install, (std::vector<log_index>{1}));
  EXPECT_GT(asked.size(), 5u);
  ASSERT_TRUE(install_staged(target.services(), 1));
  EXPECT_EQ(meta::dump(*target.kv), meta::dump(*source.kv));
  client->installed();
  loop.run(1s);
  EXPECT_TRUE(target.names().empty());
}

TEST_F(snapshot_transfer_test, offers_while_one_is_under_way_change_nothing) {
  client->offered(source_id, 1);
  client->offered(other_id, 1);
  loop.run(5s);
  client->offered(source_id, 1); // it is being installed
  loop.run(5s);
  EXPECT_EQ(target.offered_to_install.size(), 1u);
}

TEST_F(snapshot_transfer_test, resumes_at_the_same_source_where_it_broke_off) {
  client->offered(source_id, 1);
  while (asked.size() < 4) loop.step();
  fail_next = error{errc::connection_lost, ""};
  loop.run(1s);
  const auto reached = asked.back().offset;
  EXPECT_GT(reached, 0u);
  client->offered(source_id, 1);
  EXPECT_EQ(asked.back().offset, reached);
  loop.run(5s);
  ASSERT_TRUE(install_staged(target.services(), 1));
  EXPECT_EQ(meta::dump(*target.kv), meta::dump(*source.kv));
}

TEST_F(snapshot_transfer_test, begins_anew_at_another_source_or_when_the_source_has_another_dump) {
  client->offered(source_id, 1);
  while (asked.size() < 4) loop.step();
  fail_next = error{errc::connection_lost, ""};
  loop.run(1s);
  client->offered(other_id, 1);
  EXPECT_EQ(asked.back().index, 0u);
  while (asked.size() < 8) loop.step();
  server->stop_serving();
  source.fill(10);
  loop.run(1s);
  EXPECT_TRUE(target.offered_to_install.empty()) << "not_found";
  client->offered(other_id, 1);
  EXPECT_EQ(asked.back().index, 0u);
  loop.run(5s);
  ASSERT_TRUE(install_staged(target.services(), 2));
  EXPECT_EQ(meta::dump(*target.kv), meta::dump(*source.kv));
}

// A repair asks again each second, and as long as somebody asks a dump is kept: an old one would be served for ever.
TEST_F(snapshot_transfer_test, makes_a_new_dump_if_the_last_one_ends_before_the_requesters_log_begins) {
  client->offered(source_id, 1);
  loop.run(5s);
  ASSERT_EQ(target.offered_to_install, (std::vector<log_index>{1}));
  client->installed();
  source.fill(10);
  target.first_kept = 2;
  std::optional<log_index> fetched;
  client->fetch(source_id, [&](result<raft::snapshot_record> r) { fetched = r ? r->index : 0; });
  loop.run(5s);
  EXPECT_EQ(fetched, 2u);
}

TEST_F(snapshot_transfer_test, a_piece_that_was_changed_on_the_way_is_not_believed) {
  int pieces = 0;
  change = [&](std::string& bytes) {
    if (++pieces == 3) bytes.back() ^= 1;
  };
  client->offered(source_id, 1);
  loop.run(5s);
  EXPECT_TRUE(target.offered_to_install.empty());
  client->offered(source_id, 1);
  loop.run(5s);
  EXPECT_EQ(target.offered_to_install.size(), 1u);
}

TEST_F(snapshot_transfer_test, a_state_that_rotted_at_its_source_is_not_installed) {
  client->offered(source_id, 1);
  while (asked.size() < 2) loop.step();
  source.files.flip_bit("/t/served", (3 * piece_bytes + 100) * 8);
  loop.run(5s);
  EXPECT_GT(asked.size(), 5u) << "it came to its end";
  EXPECT_TRUE(target.offered_to_install.empty());
}

TEST_F(snapshot_transfer_test, a_state_is_installed_only_in_the_place_that_the_log_says) {
  client->offered(source_id, 1);
  loop.run(5s);
  const auto before = meta::dump(*target.kv);
  EXPECT_EQ(install_staged(target.services(), 2).error(), errc::corrupt);
  EXPECT_EQ(meta::dump(*target.kv), before);
  EXPECT_TRUE(install_staged(target.services(), 1));
}

TEST_F(snapshot_transfer_test, a_piece_that_does_not_fit_the_others_is_refused) {
  int pieces = 0;
  change = [&](std::string& bytes) {
    if (++pieces != 3) return;
    auto p = decode_snapshot_piece(bytes).value();
    ++p.total;
    bytes = encode(p);
  };
  client->offered(source_id, 1);
  loop.run(5s);
  EXPECT_TRUE(target.offered_to_install.empty());
}

TEST_F(snapshot_transfer_test, a_state_that_can_t_be_installed_now_waits_for_the_next_offer) {
  target.verdict = raft::install_answer::not_now;
  client->offered(source_id, 1);
  loop.run(5s);
  const auto requests = asked.size();
  target.verdict = raft::install_answer::begun;
  client->offered(other_id, 1);
  EXPECT_EQ(target.offered_to_install.size(), 2u);
  EXPECT_EQ(asked.size(), requests) << "it is here";
}

TEST_F(snapshot_transfer_test, a_state_that_is_not_needed_any_more_is_removed) {
  target.verdict = raft::install_answer::not_needed;
  client->offered(source_id, 1);
  loop.run(5s);
  EXPECT_TRUE(target.names().empty());
  EXPECT_EQ(install_staged(target.services(), 1).error(), errc::not_found);
}

TEST_F(snapshot_transfer_test, one_dump_serves_all_and_is_kept_while_it_is_asked_for) {
  for (int i = 0; i < 5; ++i) {
    server->serve({{},
                   encode(snapshot_request{0, 0}),
                   {},
                   loop.now() + 10s,
                   0,
                   link::responder{[](result<link::answer>&& a) { EXPECT_TRUE(a); },
                                   std::make_shared<std::atomic<bool>>(false)}});
  }
  EXPECT_TRUE(server->making());
  EXPECT_FALSE(server->holds_from());
  loop.run(1s);
  EXPECT_EQ(server->holds_from(), 1u);
  EXPECT_EQ(source.names(), (std::vector<std::string>{"served"}));
  loop.run(59s);
  EXPECT_TRUE(server->holds_from());
  loop.run(120s);
  EXPECT_FALSE(server->holds_from());
  EXPECT_TRUE(source.names().empty());
}

TEST_F(snapshot_transfer_test, a_dump_that_the_log_does_not_go_on_from_is_not_served) {
  source.knows = false; // compacted while it was written
  client->offered(source_id, 1);
  loop.run(5s);
  EXPECT_TRUE(target.offered_to_install.empty());
  source.knows = true;
  client->offered(source_id, 1);
  loop.run(5s);
  EXPECT_EQ(target.offered_to_install.size(), 1u);
  client->installed();
  source.fill(1);
  source.first_kept = 2; // compacted after
  client->offered(source_id, 2);
  loop.run(5s);
  EXPECT_EQ(target.offered_to_install.back(), 2u);
}

TEST_F(snapshot_transfer_test, nonsense_is_refused) {
  std::vector<errc> codes;
  const auto serve = [&](std::string bytes) {
    server->serve({{},
                   std::move(bytes),
                   {},
                   loop.now() + 10s,
                   0,
                   link::responder{[&](result<link::answer>&& a) { codes.push_back(a ? errc{} : a.error().code); },
                                   std::make_shared<std::atomic<bool>>(false)}});
  };
  serve("");
  serve(encode(snapshot_request{99, 0}));
  serve(encode(snapshot_request{0, 0}));
  loop.run(1s);
  serve(encode(snapshot_request{1, ~0ull}));
  loop.run(1s);
  EXPECT_EQ(codes, (std::vector{errc::corrupt, errc::not_found, errc{}, errc::not_found}));
}

TEST_F(snapshot_transfer_test, the_next_start_removes_the_rest_of_a_broken_transfer) {
  client->offered(source_id, 1);
  while (asked.size() < 4) loop.step();
  EXPECT_FALSE(target.names().empty());
  ASSERT_TRUE(finish_install(target.services(), 0, 0));
  EXPECT_TRUE(target.names().empty());
  EXPECT_EQ(finish_install(target.services(), 5, 4).error(), errc::not_found) << "the log says that one was staged";
}

} // namespace cairn::actors::snapshot_transfer_test

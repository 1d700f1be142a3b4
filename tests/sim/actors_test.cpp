// Behaviour of single actors that a random run would show too rarely or could not measure: exact virtual times, disks
// that never answer, a metadata disk that is full.
#include "actors/metadata/metadata.hpp"
#include "actors/protocol/errors.hpp"
#include "actors/protocol/node.hpp"
#include "sim/node/fake_stores.hpp"
#include "sim/node/sim_node.hpp"
#include "sim/node/slow_client.hpp"
#include "sim/world/pattern.hpp"

#include <algorithm>
#include <array>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cairn::sim::actors_test {

namespace meta = storage::metadata;
using namespace std::chrono_literals;

constexpr std::uint32_t chunk_size = 64 << 10;

struct timed_download {
  microseconds took{0};
  std::size_t pool_peak = 0;
};

// A download of whole chunks whose reads take read_time each, to a socket that takes each write in socket_time.
timed_download download(std::uint32_t chunks, std::uint32_t window_min, std::uint32_t window_max,
                        microseconds read_time, microseconds socket_time) {
  world w;
  checks c;
  fake_disk_plan disk;
  disk.read_min = disk.read_max = read_time;
  fake_stores stores{w, c, disk, 1, window_max};
  auto object = std::make_shared<fake_object>();
  object->row.size = std::uint64_t{chunks} * chunk_size;
  object->row.content = meta::content_kind::manifest;
  object->answer_max = 0us;
  meta::manifest_part part;
  part.blob = {1, 1};
  part.length = object->row.size;
  part.chunk_size = chunk_size;
  object->parts = {part};
  stores.blobs[part.blob] = {part.length, chunk_size};

  node_metrics metrics;
  actors::services s;
  s.system = &w.system();
  s.buffers = std::make_shared<buffer_pool>(64 << 20);
  s.metrics = &metrics;
  s.clock = &w.clock();
  s.stores = stores.router();
  s.metadata = spawn_fake_metadata(w, c, object, nullptr);
  s.window_min = window_min;
  s.window_max = window_max;
  client_habits habits;
  habits.take_min = habits.take_max = socket_time;
  auto client = std::make_shared<slow_client>(
      w, c, habits, window_max + 1,
      [](const meta::object_row& row) {
        return actors::download_plan{"head", {actors::byte_range{0, row.size}}};
      },
      [](const meta::object_row&, std::uint64_t at, bytes_view bytes) { return is_pattern(1, at, bytes); });
  client->attach(actors::start_download(s, {"b", "k", true}, client));
  timed_download out;
  w.run_until(
      [&] {
        out.pool_peak = std::max(out.pool_peak, s.buffers->in_use_bytes());
        return client->end() != download_end::running;
      },
      1h);
  EXPECT_EQ(client->end(), download_end::finished);
  EXPECT_EQ(c.problem(), "");
  out.took = w.elapsed();
  caf::anon_send_exit(s.metadata, caf::exit_reason::kill);
  stores.stop();
  w.forget_everything();
  return out;
}

meta::command put_of(const std::string& key) {
  meta::put_object put;
  put.bucket = "bucket";
  put.key = key;
  put.size = 1;
  put.content = std::string{"x"};
  return put;
}

meta::command delete_of(const std::string& key) {
  meta::delete_object del;
  del.bucket = "bucket";
  del.key = key;
  return del;
}

// A metadata store in which a batch fails as one of its commands does. At first its disk is full: puts fail.
class failing_store final : public meta::store {
public:
  std::function<error(const meta::command&)> outcome = [](const meta::command& c) {
    return std::holds_alternative<meta::put_object>(c) ? error{errc::no_space, "full"} : error{};
  };
  result<std::vector<meta::applied_batch>> apply_all(std::span<const std::span<const meta::command>> batches) override {
    std::vector<meta::applied_batch> all;
    for (const auto batch : batches) {
      for (const auto& c : batch) {
        if (auto failed = outcome(c); failed.code != errc{}) return failed;
      }
      meta::applied_batch out{++index_, {}};
      for (const auto& c : batch) {
        applied += std::holds_alternative<meta::delete_object>(c);
        out.results.push_back({index_, 0, {}});
      }
      all.push_back(std::move(out));
    }
    return all;
  }
  result<std::vector<meta::applied_batch>> apply_open(std::span<const std::span<const meta::command>>) override {
    return error{errc::io_error, "not part of this test"};
  }
  result<void> commit_open() override { return {}; }
  void drop_open() override {}
  result<void> close_open() override { return {}; }
  result<std::unique_ptr<meta::view>> read() override { return error{errc::io_error, "not part of this test"}; }
  std::size_t applied = 0;

private:
  log_index index_ = 0;
};

// The metadata actor alone over the given store and executors.
struct lone_metadata {
  lone_metadata(world& world_of, meta::store& store, job_times reads, job_times writes)
      : w(world_of), read_executor(w, reads, 1, 100), write_executor(w, writes, 1, 100) {
    actors::metadata_services m;
    m.store = &store;
    m.reads = &read_executor;
    m.writes = &write_executor;
    m.metrics = &metrics;
    m.clock = &w.clock();
    m.random = &w.random();
    m.holds = std::make_shared<actors::read_holds>(w.clock());
    m.has_room = [this] { return room; };
    m.fault = fault;
    s.system = &w.system();
    s.metadata = actors::spawn_metadata(w.system(), std::move(m));
  }
  ~lone_metadata() {
    caf::anon_send_exit(s.metadata, caf::exit_reason::kill);
    s.metadata = nullptr;
    w.forget_everything();
  }
  void commit(meta::command c, std::function<void(result<actors::committed>)> then) {
    auto box = std::make_shared<const meta::command>(std::move(c));
    actors::ask_metadata<actors::committed>(s, std::move(then), actors::commit_atom_v, actors::command_box{box});
  }

  world& w;
  node_metrics metrics;
  virtual_executor read_executor, write_executor;
  actors::services s;
  bool room = true;
  std::shared_ptr<actors::metadata_fault> fault = std::make_shared<actors::metadata_fault>();
};

constexpr job_times quick{100us, 100us, 0, 0us}, hung{1h, 1h, 0, 0us};

TEST(download, of_n_chunks_takes_n_over_window_rounds_of_the_disk) {
  for (const std::uint32_t window : {1u, 5u, 10u, 12u}) {
    const auto rounds = (12 + window - 1) / window;
    EXPECT_EQ(download(12, window, window, 50ms, 0us).took, rounds * 50ms) << "window " << window;
  }
}

TEST(download, holds_no_more_buffers_than_its_window_however_slow_the_socket) {
  EXPECT_EQ(download(100, 3, 3, 1ms, 200ms).pool_peak, 3u * chunk_size);
}

TEST(download, opens_its_window_for_slow_disks_and_not_for_slow_sockets) {
  EXPECT_EQ(download(200, 2, 8, 50ms, 1us).pool_peak, 8u * chunk_size);
  EXPECT_EQ(download(200, 2, 8, 1ms, 50ms).pool_peak, 2u * chunk_size);
}

TEST(metadata, lets_deletes_through_when_the_puts_of_their_batch_do_not_fit) {
  world w;
  failing_store store;
  lone_metadata m{w, store, quick, quick};
  std::vector<errc> puts;
  int deletes = 0;
  for (int i = 0; i < 5; ++i) {
    m.commit(put_of("a"), [&](auto r) { puts.push_back(r ? errc{} : r.error().code); });
    m.commit(delete_of("b"), [&](auto r) { deletes += r.has_value(); });
  }
  w.run_for(1s);
  EXPECT_EQ(puts, std::vector<errc>(5, errc::no_space));
  EXPECT_EQ(deletes, 5);
  EXPECT_EQ(store.applied, 5u);
}

TEST(metadata, refuses_puts_and_not_deletes_below_the_reserve) {
  world w;
  failing_store store;
  lone_metadata m{w, store, quick, quick};
  m.room = false;
  std::optional<errc> put, del;
  m.commit(put_of("a"), [&](auto r) { put = r ? errc{} : r.error().code; });
  m.commit(delete_of("a"), [&](auto r) { del = r ? errc{} : r.error().code; });
  w.run_for(1s);
  EXPECT_EQ(put, errc::no_space);
  EXPECT_EQ(del, errc{});
}

TEST(metadata, refuses_only_the_commands_that_need_a_damaged_row_and_stays_in_service) {
  world w;
  failing_store store;
  store.outcome = [](const meta::command& c) {
    const auto* del = std::get_if<meta::delete_object>(&c);
    return del && del->key == "damaged" ? error{errc::corrupt, "a row"} : error{};
  };
  lone_metadata m{w, store, quick, quick};
  std::vector<errc> outcomes;
  for (const char* key : {"a", "damaged", "b", "damaged", "c"})
    m.commit(delete_of(key), [&](auto r) { outcomes.push_back(r ? errc{} : r.error().code); });
  w.run_for(100ms);
  EXPECT_THAT(outcomes, testing::UnorderedElementsAre(errc{}, errc::corrupt, errc{}, errc::corrupt, errc{}));
  EXPECT_EQ(store.applied, 3u);
  EXPECT_EQ(m.fault->text(), "");
}

TEST(metadata, is_out_of_service_while_every_commit_meets_damage_or_finds_no_space) {
  for (const auto why : {errc::corrupt, errc::no_space}) {
    world w;
    failing_store store;
    store.outcome = {[](const meta::command&) { return error{}; }};
    lone_metadata m{w, store, quick, quick};
    w.run_for(100ms);
    store.outcome = [why](const meta::command&) { return error{why, "all"}; };
    std::optional<errc> refused;
    m.commit(put_of("a"), [&](auto r) { refused = r ? errc{} : r.error().code; });
    w.run_for(100ms);
    EXPECT_EQ(refused, why);
    EXPECT_NE(m.fault->text(), "");
    w.run_for(5s);
    EXPECT_NE(m.fault->text(), "");
    store.outcome = [](const meta::command&) { return error{}; };
    w.run_for(3s);
    EXPECT_EQ(m.fault->text(), "") << "without a client's command";
  }
}

TEST(metadata, whose_session_can_not_begin_for_want_of_room_says_so_at_once) {
  world w;
  failing_store store;
  lone_metadata m{w, store, quick, hung};
  m.room = false;
  std::optional<errc> blob;
  std::function<void(result<blob_id>)> drawn = [&](auto r) { blob = r ? errc{} : r.error().code; };
  actors::ask_metadata<blob_id>(m.s, drawn, actors::new_blob_atom_v);
  w.run_for(1ms);
  EXPECT_EQ(blob, errc::no_space);
}

TEST(metadata, refuses_writes_while_its_disk_hangs_and_goes_on_when_it_answers) {
  world w;
  failing_store store;
  lone_metadata m{w, store, quick, quick};
  w.run_for(1s);
  std::optional<errc> hangs, refused, later;
  const auto into = [](std::optional<errc>& outcome) {
    return [&outcome](const result<actors::committed>& r) { outcome = r ? errc{} : r.error().code; };
  };
  m.write_executor.slow_down(200'000); // 20 s
  m.commit(delete_of("a"), into(hangs));
  w.run_for(7s);
  EXPECT_EQ(m.fault->text(), "");
  w.run_for(3s);
  EXPECT_NE(m.fault->text(), "");
  m.commit(delete_of("b"), into(refused));
  w.run_for(1ms);
  EXPECT_EQ(refused, errc::timeout) << "nobody waits any more";
  m.write_executor.slow_down(1);
  w.run_for(12s);
  EXPECT_EQ(hangs, errc{});
  EXPECT_EQ(m.fault->text(), "");
  m.commit(delete_of("c"), into(later));
  w.run_for(1s);
  EXPECT_EQ(later, errc{});
}

TEST(metadata, answers_every_request_in_time_when_its_disk_hangs) {
  world w;
  failing_store store;
  lone_metadata m{w, store, hung, hung};
  std::optional<errc> looked_up, committed;
  std::function<void(result<actors::found_object>)> found = [&](auto r) { looked_up = r.error().code; };
  actors::ask_metadata<actors::found_object>(m.s, found, actors::lookup_atom_v, actors::object_name{"b", "k", true});
  m.commit(delete_of("a"), [&](auto r) { committed = r.error().code; });
  w.run_for(7s);
  EXPECT_EQ(looked_up, errc::timeout);
  EXPECT_FALSE(committed);
  w.run_for(25s);
  EXPECT_EQ(committed, errc::timeout);
  looked_up.reset();
  actors::ask_metadata<actors::found_object>(m.s, found, actors::lookup_atom_v, actors::object_name{"b", "k", true});
  w.run_for(1ms);
  EXPECT_EQ(looked_up, errc::timeout) << "at once: overdue for half a minute, it counts as failed";
  EXPECT_EQ(w.live_actors(), 1u);
}

TEST(metadata, is_out_of_service_while_its_reads_do_not_end) {
  world w;
  failing_store store;
  lone_metadata m{w, store, hung, quick};
  std::function<void(result<actors::found_object>)> found = [](const auto&) {};
  actors::ask_metadata<actors::found_object>(m.s, found, actors::lookup_atom_v, actors::object_name{"b", "k", true});
  w.run_for(29s);
  EXPECT_EQ(m.fault->text(), "");
  w.run_for(3s);
  EXPECT_NE(m.fault->text(), "");
  m.fault->set(actors::fault_cause::failure, "another reason");
  m.fault->set(actors::fault_cause::hung_reads, "");
  EXPECT_EQ(m.fault->text(), "another reason");
}

TEST(chunk_store, counts_as_failed_while_its_disk_is_overdue) {
  world w;
  checks c;
  node_plan plan;
  plan.disk_times = hung;
  sim_node node{w, c, plan};
  node.start();
  const chunk_id chunk{{1, 1}, 0};
  const auto write = [&](std::optional<errc>& outcome) {
    auto buffer = node.handles().buffers->try_acquire(100, reservation::minimum);
    const auto* writer = node.handles().stores->local().writer(chunk);
    if (!writer) {
      outcome = errc::read_only;
      return;
    }
    w.system().spawn([&outcome, target = *writer, chunk, buffer](caf::event_based_actor* self) {
      self->request(target, caf::infinite, actors::write_atom_v, actors::chunk_payload{chunk, {buffer, 0, 100}})
          .then([&outcome](actors::done_atom) { outcome = errc{}; },
                [&outcome](caf::error& e) { outcome = actors::from_caf(e).code; });
    });
  };
  std::optional<errc> first, second;
  write(first);
  w.run_for(29s);
  EXPECT_FALSE(first);
  w.run_for(3s);
  EXPECT_EQ(first, errc::timeout);
  write(second);
  w.run_for(1ms);
  EXPECT_EQ(second, errc::read_only); // no disk is left to write to
  EXPECT_EQ(c.problem(), "");
}

TEST(chunk_store, is_passed_over_while_it_is_full_and_used_again_when_there_is_room) {
  world w;
  checks c;
  std::array<bool, 2> full{true, false}; // by quota: the file systems have room
  node_plan plan;
  plan.disks = full.size();
  plan.segment_bytes = 128 << 10; // a chunk each
  sim_node node{w, c, plan};
  node.start();
  for (std::size_t i = 0; i < full.size(); ++i)
    node.disk(i).set_fault([&full, i](disk_operation o, const std::string&) -> std::optional<error> {
      if (full[i] && o == disk_operation::preallocate) return error{errc::no_space, "quota"};
      return std::nullopt;
    });
  const auto& local = node.handles().stores->local();
  const auto write = [&](const chunk_id& chunk) {
    auto outcome = std::make_shared<errc>(errc::timeout);
    auto buffer = node.handles().buffers->try_acquire(chunk_size, reservation::minimum);
    w.system().spawn([outcome, target = *local.writer(chunk), chunk, buffer](caf::event_based_actor* self) {
      self->request(target, caf::infinite, actors::write_atom_v, actors::chunk_payload{chunk, {buffer, 0, chunk_size}})
          .then([outcome](actors::done_atom) { *outcome = errc{}; },
                [outcome](caf::error& e) { *outcome = actors::from_caf(e).code; });
    });
    w.run_for(100ms);
    return *outcome;
  };
  const auto *first = &local.disk_writer(0), *second = &local.disk_writer(1);
  chunk_id of_first{{1, 1}, 0};
  while (local.writer(of_first) != first) ++of_first.blob.number;
  EXPECT_EQ(write(of_first), errc::no_space);
  EXPECT_EQ(local.writer(of_first), second);
  EXPECT_EQ(write(of_first), errc{});
  w.run_for(20s);
  EXPECT_EQ(local.writer(of_first), second);
  full[1] = true;
  EXPECT_EQ(write({{2, 1}, 0}), errc::no_space);
  EXPECT_EQ(local.writer(of_first), first) << "all are full";
  EXPECT_EQ(write(of_first), errc::no_space);
  full = {};
  w.run_for(8s);
  EXPECT_EQ(local.writer(of_first), first);
  EXPECT_EQ(write(of_first), errc{});
  EXPECT_EQ(c.problem(), "");
}

// Copies of a blob that is erased while they wait behind others: none may be there afterwards.
TEST(chunk_store, writes_nothing_of_a_blob_behind_the_erase_of_its_chunks) {
  world w;
  checks c;
  sim_node node{w, c, node_plan{}};
  node.start();
  const auto& writer = node.handles().stores->local().disk_writer(0);
  std::map<std::uint32_t, errc> outcomes;
  const auto write = [&](chunk_id chunk, std::uint32_t name) {
    auto buffer = node.handles().buffers->try_acquire(100, reservation::minimum);
    w.system().spawn([&outcomes, name, target = writer, chunk, buffer](caf::event_based_actor* self) {
      self->request(target, caf::infinite, actors::write_atom_v, actors::chunk_payload{chunk, {buffer, 0, 100}})
          .then([&outcomes, name](actors::done_atom) { outcomes[name] = errc{}; },
                [&outcomes, name](caf::error& e) { outcomes[name] = actors::from_caf(e).code; });
    });
  };
  const auto erase = [&](auto atom, chunk_id chunk) { caf::anon_send(writer, atom, actors::chunk_ids{chunk}); };
  const blob_id dead{7, 1}, moved{7, 2};
  const auto step = [&] { w.run_for(1us); };
  write({dead, 0}, 0);
  step(); // it is being written
  write({dead, 1}, 1);
  write({moved, 1}, 2);
  step(); // these wait
  erase(actors::erase_atom_v, {dead, 0});
  erase(actors::drop_atom_v, {moved, 0});
  step();
  write({dead, 2}, 3);
  write({moved, 2}, 4);
  w.run_for(2s);
  EXPECT_EQ(outcomes, (std::map<std::uint32_t, errc>{
                          {0, errc{}}, {1, errc::blob_dead}, {2, errc{}}, {3, errc::blob_dead}, {4, errc{}}}));
  caf::scoped_actor self{w.system()};
  auto listed = self->request(writer, caf::infinite, actors::list_atom_v, actors::chunk_list_query{std::nullopt, 100});
  w.run_for(1s);
  listed.receive(
      [&](const actors::chunk_ids& ids) { // in no order of their numbers
        EXPECT_EQ(ids.size(), 2u);
        for (const auto& id : {chunk_id{moved, 1}, chunk_id{moved, 2}})
          EXPECT_EQ(std::count(ids.begin(), ids.end(), id), 1);
      },
      [](caf::error&) { ADD_FAILURE() << "no list"; });
  EXPECT_EQ(c.problem(), "");
}

} // namespace cairn::sim::actors_test

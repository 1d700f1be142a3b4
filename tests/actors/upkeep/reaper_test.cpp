#include "actors/upkeep/reaper.hpp"

#include "actors/chunks/chunk_router.hpp"
#include "sim/world/world.hpp"
#include "tests/actors/metadata/unasked_metadata.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>

namespace cairn::actors::reaper_test {

namespace meta = storage::metadata;
using namespace std::chrono_literals;

// Two disks that erase, or say why not, and a metadata that has blobs to reap.
class reaper_test : public testing::Test, protected unasked_metadata {
protected:
  struct fake_disk {
    std::set<chunk_id> chunks;
    std::map<std::size_t, errc> failures; // by erase, counted from 0
    std::size_t erases = 0;
  };

  void start(std::size_t page_chunks = 1024, std::chrono::minutes walk_every = 60min) {
    std::vector<store_router::member> members;
    for (auto& d : disks) {
      stores.push_back(spawn_store(d));
      members.push_back({{{std::uint8_t(stores.size())}, 1.0}, {stores.back()}, nullptr});
    }
    s.system = &w.system();
    s.metrics = &metrics;
    s.clock = &w.clock();
    s.stores = std::make_shared<chunk_router>(std::make_shared<store_router>(std::move(members)));
    s.metadata = spawn_metadata_of_the_test(w.system());
    reaper = spawn_reaper(w.system(), s, {1s, walk_every, page_chunks, 10});
  }
  void TearDown() override {
    for (auto& a : stores) caf::anon_send_exit(a, caf::exit_reason::kill);
    caf::anon_send_exit(s.metadata, caf::exit_reason::kill);
    caf::anon_send_exit(reaper, caf::exit_reason::kill);
    stores.clear();
    s = {};
    reaper = nullptr;
    w.forget_everything();
  }
  void bury(std::uint64_t number, std::uint32_t chunks) {
    buried.push_back({1, {1, number}, chunks});
    for (std::uint32_t i = 0; i < chunks; ++i)
      for (auto& d : disks) d.chunks.insert({{1, number}, i});
  }
  std::size_t left() const { return disks[0].chunks.size() + disks[1].chunks.size(); }

  chunk_store_actor spawn_store(fake_disk& d) {
    return w.system().spawn([&d](chunk_store_actor::pointer) -> chunk_store_actor::behavior_type {
      return {
          [](read_atom, const chunk_read&) { return never<chunk_data>("a read"); },
          [](write_atom, const chunk_payload&) { return never<done_atom>("a write"); },
          [&d](erase_atom, const chunk_ids& ids) -> caf::result<std::uint64_t> {
            const auto failure = d.failures.find(d.erases++);
            if (failure != d.failures.end()) return to_caf({failure->second, "planned"});
            std::uint64_t erased = 0;
            for (const auto& id : ids) erased += d.chunks.erase(id);
            return erased;
          },
          [](drop_atom, const chunk_ids&) { return never<std::uint64_t>("a drop"); },
          [&d](list_atom, const chunk_list_query& q) -> caf::result<chunk_ids> {
            chunk_ids page;
            for (const auto& id : d.chunks)
              if ((!q.after || *q.after < id) && page.size() < q.max) page.push_back(id);
            return page;
          },
          [](completion&) {},
          [](tick_atom) {},
      };
    });
  }
  caf::result<committed> commit(const meta::command& c) override {
    const auto* reap = std::get_if<meta::reap>(&c);
    if (!reap) return never<committed>("another command");
    std::size_t remaining = 0;
    for (const auto& b : reap->blobs) {
      for (const auto& d : disks) remaining += std::ranges::count(d.chunks, b.blob, &chunk_id::blob);
      std::erase_if(buried, [&](const auto& one) { return one.blob == b.blob; });
    }
    left_when_reaped.push_back(remaining);
    return committed{};
  }
  caf::result<blob_id> new_blob() override { return blob_id{2, 1}; }
  caf::result<buried_list> buried_blobs() override { return buried_list{buried, 0, 0}; }
  caf::result<chunk_ids> dead_of(const chunk_ids& ids) override {
    chunk_ids out;
    std::ranges::copy_if(ids, std::back_inserter(out), [&](const auto& id) { return dead.contains(id.blob); });
    return out;
  }

  sim::world w;
  node_metrics metrics;
  std::vector<fake_disk> disks{2};
  std::vector<chunk_store_actor> stores;
  std::vector<meta::buried_blob> buried;
  std::set<blob_id> dead;                    // what a walk is told
  std::vector<std::size_t> left_when_reaped; // chunks of the blobs that a command reaped, at that moment
  services s;
  reaper_actor reaper;
};

TEST_F(reaper_test, erases_on_every_disk_and_then_tells_the_log) {
  bury(1, 3);
  bury(2, 0);
  start();
  w.run_for(10s);
  EXPECT_EQ(left(), 0u);
  EXPECT_TRUE(buried.empty());
  EXPECT_EQ(left_when_reaped, (std::vector<std::size_t>{0}));
  EXPECT_EQ(metrics.chunks_reaped, 6u);
}

// Any erase of the first ones, on any disk, for each reason that passes.
TEST_F(reaper_test, tells_the_log_of_no_blob_whose_erase_failed_and_erases_it_again) {
  disks[1].failures = {{0, errc::busy}, {2, errc::timeout}, {4, errc::stopping}};
  for (std::uint64_t n = 1; n <= 4; ++n) bury(n, 3);
  start(4);
  w.run_for(30s);
  EXPECT_TRUE(buried.empty());
  EXPECT_EQ(left(), 0u);
  for (const auto remaining : left_when_reaped) EXPECT_EQ(remaining, 0u) << "a blob was reaped that has chunks";
}

TEST_F(reaper_test, leaves_the_leftovers_of_a_disk_that_fails_for_good_to_its_walk) {
  disks[1].failures = {{0, errc::io_error}};
  bury(1, 3);
  dead = {{1, 1}};
  start(1024, 1min);
  w.run_for(5s);
  EXPECT_TRUE(buried.empty()) << "it does not hold up the others";
  w.run_for(2min);
  EXPECT_EQ(left(), 0u);
}

TEST_F(reaper_test, walks_erase_only_what_the_log_calls_dead_and_try_again_what_is_busy) {
  for (std::uint32_t i = 0; i < 5; ++i)
    for (auto& d : disks) d.chunks.insert({{1, 9}, i}), d.chunks.insert({{1, 8}, i});
  disks[0].failures = {{0, errc::busy}};
  dead = {{1, 9}};
  start(4);
  w.run_for(30s);
  for (const auto& d : disks) {
    EXPECT_EQ(std::ranges::count(d.chunks, blob_id{1, 9}, &chunk_id::blob), 0);
    EXPECT_EQ(std::ranges::count(d.chunks, blob_id{1, 8}, &chunk_id::blob), 5);
  }
}

} // namespace cairn::actors::reaper_test

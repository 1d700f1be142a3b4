#include "actors/chunks/chunk_store.hpp"

#include "sim/world/world.hpp"
#include "tests/storage/chunks/chunk_store_fixture.hpp"

namespace cairn::actors::chunk_store_test {

using namespace std::chrono_literals;

class counting_executor final : public executor {
public:
  using executor::post;
  result<void> post(steady_time, job work, const party_ptr&) override {
    ++posted;
    work(false);
    return {};
  }
  std::size_t queued() const override { return 0; }
  std::chrono::nanoseconds longest_running() const override { return {}; }
  void stop() override {}

  std::size_t posted = 0;
};

// The chunk_store actor of a disk in memory.
class disk_actor : public storage::chunk_store_test {
protected:
  void start() {
    shared = std::make_shared<disk>(*store_, reads, writes, metrics, w.clock());
    actors = spawn_chunk_stores(w.system(), shared, 1);
  }
  void TearDown() override {
    for (auto& a : actors) caf::anon_send_exit(a, caf::exit_reason::kill);
    actors.clear();
    w.settle();
    w.forget_everything();
    shared.reset();
    storage::chunk_store_test::TearDown();
  }
  void run_for(std::chrono::seconds time) {
    w.run_until([] { return false; }, time, 100'000);
  }

  sim::world w;
  counting_executor reads, writes;
  node_metrics metrics;
  std::shared_ptr<disk> shared;
  std::vector<chunk_store_actor> actors;
};

TEST_F(disk_actor, seals_full_segments_and_then_leaves_an_idle_disk_alone) {
  for (std::uint64_t n = 0; n < 40; ++n) ASSERT_TRUE(put(n));
  ASSERT_TRUE(store_->stats().sealing);
  start();
  run_for(5s);
  EXPECT_FALSE(store_->stats().sealing);
  EXPECT_EQ(tail_rows(), 12u) << "those of the active segment";
  const auto steps = writes.posted;
  EXPECT_GE(steps, 4u) << "two footers, their rows";
  EXPECT_LT(steps, 20u);
  run_for(60s);
  EXPECT_EQ(writes.posted, steps);
  EXPECT_EQ(reads.posted, 0u);
}

} // namespace cairn::actors::chunk_store_test

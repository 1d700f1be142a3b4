#include "storage/kv/checked_kv.hpp"
#include "storage/kv/kv_check.hpp"

#include <gtest/gtest.h>

namespace cairn::storage::kv_check_test {
class checked_rows : public testing::Test {
protected:
  void SetUp() override {
    auto memory = make_memory_kv(4);
    below = memory.get();
    engine = make_checked_kv(std::move(memory), {.tables = 3, .damage = nullptr}).value();
    auto writer = engine->begin_write().value();
    for (int i = 0; i < 10; ++i) writer->put(0, "a" + std::to_string(i), "value");
    for (int i = 0; i < 5; ++i) writer->put(2, "c" + std::to_string(i), "value");
    ASSERT_TRUE(writer->commit());
    check.emplace(*engine, table_id{3});
  }
  void rot(table_id table, std::string_view key) const {
    auto writer = below->begin_write().value();
    writer->put(table, key, "rubbish and more");
    ASSERT_TRUE(writer->commit());
  }
  struct pass {
    std::uint64_t rows = 0;
    int steps = 0, damaged = 0;
  };
  pass whole_pass(std::size_t rows_per_step) {
    pass p;
    for (;;) {
      const auto step = check->step(rows_per_step);
      p.rows += step.rows;
      ++p.steps;
      p.damaged += step.damage ? 1 : 0;
      if (step.done) return p;
    }
  }

  std::unique_ptr<kv_engine> engine;
  kv_engine* below = nullptr;
  std::optional<kv_check> check;
};

TEST_F(checked_rows, are_all_read_whatever_the_size_of_a_step_and_again_in_the_next_pass) {
  for (const std::size_t rows : {1u, 2u, 3u, 10u, 100u}) {
    const auto p = whole_pass(rows);
    EXPECT_EQ(p.rows, 15u) << rows;
    EXPECT_EQ(p.damaged, 0) << rows;
  }
}

TEST_F(checked_rows, that_are_damaged_are_reported_and_later_tables_are_read) {
  rot(0, "a3");
  const auto p = whole_pass(100);
  EXPECT_EQ(p.damaged, 1);
  EXPECT_EQ(p.rows, 3u + 5u);
  rot(2, "c4");
  EXPECT_EQ(whole_pass(2).damaged, 2);
}

TEST_F(checked_rows, may_be_added_and_removed_while_they_are_read) {
  check->step(4);
  auto writer = engine->begin_write().value();
  writer->erase(0, "a3"); // where the step ended
  writer->erase(0, "a4");
  writer->put(0, "a55", "value");
  ASSERT_TRUE(writer->commit());
  std::uint64_t rows = 4;
  for (bool done = false; !done;) {
    const auto step = check->step(4);
    EXPECT_FALSE(step.damage);
    rows += step.rows;
    done = step.done;
  }
  EXPECT_EQ(rows, 4u + 6u + 5u);
}

} // namespace cairn::storage::kv_check_test

#include "actors/upkeep/backfill_pages.hpp"

#include "tests/storage/metadata/store_fixture.hpp"

#include <set>

namespace cairn::actors::backfill_pages_test {
namespace meta = storage::metadata;
using meta::missing_chunks;

class backfill_pages : public meta::store_test {
protected:
  void SetUp() override {
    store_test::SetUp();
    run(meta::create_cluster{.id = {7}, .name = "cairn", .first = {.id = {1}, .address = "a:1"}});
    run(meta::add_node{.node = {.id = {2}, .address = "b:1"}});
    run(meta::add_node{.node = {.id = {3}, .address = "c:1"}});
    layout.epoch = 2;
    layout.members.resize(3);
    for (std::size_t i = 0; i < 3; ++i) layout.members[i].number = node_number(i);
    layout.partitions.resize(partition_count, {.epoch = 2, .current = {0, 1, 2}, .target = {0, 1, 2}});
  }
  blob_id put(std::uint32_t chunks, std::vector<missing_chunks> unconfirmed = {}) {
    const auto blob = new_blob();
    auto command = big("key" + std::to_string(blob.number), blob, std::uint64_t{chunks - 1} * chunk_size + 7);
    std::get<meta::written_blob>(command.content).unconfirmed = std::move(unconfirmed);
    EXPECT_EQ(refused(command), std::nullopt);
    return blob;
  }
  local_chunks own() {
    const auto lookup = [this](bool read) {
      return [this, read](std::span<const chunk_id> ids) -> result<std::vector<chunk_id>> {
        std::vector<chunk_id> out;
        for (const auto& id : ids)
          if (!present.contains(id) || (read && damaged.contains(id))) out.push_back(id);
        return out;
      };
    };
    return {lookup(false), lookup(true)};
  }
  static cluster::comparisons::round round_of(const std::vector<bool>& partitions, bool read = false) {
    return {.epoch = 2,
            .partitions = partitions,
            .read = std::vector<bool>(partition_count, read),
            .count = std::size_t(std::ranges::count(partitions, true))};
  }
  std::vector<chunk_id> compare_all(const std::vector<bool>& partitions, bool read = false) {
    std::vector<chunk_id> all;
    blob_place at;
    for (int pages = 0; pages < 1000; ++pages) {
      const auto page = compare_page(*this->read(), own(), round_of(partitions, read), at).value();
      EXPECT_LE(page.missing.size(), wanted_max);
      for (const auto& w : page.missing) all.push_back(w.id);
      if (page.last) return all;
      at = page.reached;
    }
    ADD_FAILURE() << "no end";
    return all;
  }

  cluster::layout layout;
  std::set<chunk_id> present, damaged;
  const std::vector<bool> everything = std::vector<bool>(partition_count, true);
};

TEST_F(backfill_pages, name_every_chunk_that_is_kept_and_not_here) {
  std::vector<chunk_id> expected;
  for (const std::uint32_t chunks : {1u, 3u, 700u, 2u}) {
    const auto blob = put(chunks);
    for (std::uint32_t i = 0; i < chunks; ++i) {
      if (i % 5 == 1)
        present.insert({blob, i});
      else
        expected.push_back({blob, i});
    }
  }
  const auto gone = put(4);
  run(removal("key" + std::to_string(gone.number)));
  const auto read_still = compare_all(everything);
  EXPECT_EQ(read_still.size(), expected.size() + 4) << "a running download may need it";
  run(meta::reap{.blobs = buried()});
  EXPECT_EQ(compare_all(everything), expected);
  std::vector<bool> some(partition_count);
  for (std::size_t p = 0; p < some.size(); p += 2) some[p] = true;
  std::erase_if(expected, [](const chunk_id& id) { return partition_of(id) % 2 != 0; });
  EXPECT_EQ(compare_all(some), expected);
}

TEST_F(backfill_pages, say_how_long_chunks_are) {
  put(2);
  const auto page = compare_page(*read(), own(), round_of(everything), {}).value();
  ASSERT_EQ(page.missing.size(), 2u);
  EXPECT_EQ(page.missing[0].length, chunk_size);
  EXPECT_EQ(page.missing[1].length, 7u);
}

TEST_F(backfill_pages, name_what_is_damaged_where_they_read_it) {
  const auto blob = put(5);
  for (std::uint32_t i = 0; i < 5; ++i)
    if (i != 2) present.insert({blob, i});
  damaged = {{blob, 1}, {blob, 4}};
  EXPECT_EQ(compare_all(everything), (std::vector<chunk_id>{{blob, 2}}));
  EXPECT_EQ(compare_all(everything, true), (std::vector<chunk_id>{{blob, 1}, {blob, 2}, {blob, 4}}));
}

TEST_F(backfill_pages, read_a_bounded_number_of_bytes) {
  constexpr std::uint64_t page_bytes_max = 64 << 20;
  const auto blob = put(3 * page_bytes_max / chunk_size);
  for (std::uint32_t i = 0; i < 3 * page_bytes_max / chunk_size; ++i) present.insert({blob, i});
  const auto page = compare_page(*read(), own(), round_of(everything, true), {}).value();
  EXPECT_FALSE(page.last);
  EXPECT_GE(page.bytes_read, page_bytes_max);
  EXPECT_LT(page.bytes_read, page_bytes_max + chunk_size);
  EXPECT_EQ(page.reached.next, page.chunks);
  EXPECT_EQ(compare_page(*read(), own(), round_of(everything), {})->bytes_read, 0u);
}

TEST_F(backfill_pages, of_repairs_are_settled_when_their_chunks_are_here) {
  const auto blob = put(6, {{1, 0, 2}, {2, 0, 6}});
  const auto other = put(3, {{1, 1, 1}});
  present = {{blob, 0}, {other, 1}};
  const auto page = next_repairs(*read(), own(), layout, 1, {}).value();
  EXPECT_TRUE(page.last);
  ASSERT_EQ(page.rows.size(), 2u);
  ASSERT_EQ(page.missing.size(), 1u);
  EXPECT_EQ(page.missing[0].id, (chunk_id{blob, 1}));
  EXPECT_EQ(page.rows[0].end - page.rows[0].first, 1u);
  EXPECT_EQ(page.rows[1].end - page.rows[1].first, 0u);
  EXPECT_TRUE(page.rows[0].whole && page.rows[1].whole);
}

TEST_F(backfill_pages, of_repairs_pass_over_chunks_that_the_node_does_not_own_any_more) {
  const auto blob = put(6, {{1, 0, 6}});
  layout.partitions.assign(partition_count, {.epoch = 3, .current = {0, 2}, .target = {0, 2}});
  const auto page = next_repairs(*read(), own(), layout, 1, {}).value();
  ASSERT_EQ(page.rows.size(), 1u) << to_string(blob);
  EXPECT_TRUE(page.missing.empty());
  EXPECT_TRUE(needless_repairs(*read(), layout)->empty()) << "the node is there to confirm them";
  layout.members[1].state = cluster::member_state::out;
  EXPECT_EQ(needless_repairs(*read(), layout)->size(), 1u);
  layout.partitions.assign(partition_count, {.epoch = 2, .current = {0, 1, 2}, .target = {0, 2}});
  EXPECT_TRUE(needless_repairs(*read(), layout)->empty()) << "it counts as an owner until they have moved";
}

TEST_F(backfill_pages, of_a_long_repair_come_one_after_the_other) {
  const auto blob = put(600, {{1, 0, 600}});
  std::size_t pages = 0;
  for (std::size_t seen = 0; seen < 600; ++pages) {
    ASSERT_LT(pages, 10u);
    const auto page = next_repairs(*read(), own(), layout, 1, {}).value();
    ASSERT_EQ(page.rows.size(), 1u);
    EXPECT_EQ(page.rows[0].whole, seen + page.missing.size() == 600);
    EXPECT_EQ(page.last, page.rows[0].whole);
    for (const auto& w : page.missing) present.insert(w.id);
    seen += page.missing.size();
  }
  EXPECT_EQ(pages, 3u) << to_string(blob);
}

TEST_F(backfill_pages, let_go_of_nothing_that_a_repair_needs) {
  const auto safe = put(3), lacking = put(3, {{2, 1, 1}});
  std::vector<chunk_id> all;
  for (std::uint32_t i = 0; i < 3; ++i) {
    all.push_back({safe, i});
    all.push_back({lacking, i});
  }
  EXPECT_TRUE(droppable(*read(), layout, 1, all)->now.empty()) << "it owns them";
  EXPECT_FALSE(droppable(*read(), layout, 1, all)->later);
  layout.partitions.assign(partition_count, {.epoch = 3, .current = {0, 2}, .target = {0, 2}});
  EXPECT_TRUE(droppable(*read(), layout, 1, all)->now.empty()) << "a session does not know";
  EXPECT_TRUE(droppable(*read(), layout, 1, all)->later);
  layout.partitions.assign(partition_count, {.epoch = 1, .current = {0, 2}, .target = {0, 2}});
  run(meta::acknowledge_epoch{session, read()->cluster()->epoch});
  auto expected = all;
  std::erase(expected, chunk_id{lacking, 1});
  EXPECT_EQ(droppable(*read(), layout, 1, all)->now, expected);
  EXPECT_TRUE(droppable(*read(), layout, 1, all)->later) << "the repair ends some day";
  EXPECT_FALSE(droppable(*read(), layout, 1, expected)->later);
  run(meta::hold_deletions{true});
  EXPECT_TRUE(droppable(*read(), layout, 1, all)->now.empty()) << "nothing is deleted at all";
}

TEST_F(backfill_pages, know_what_objects_still_need) {
  const auto kept = put(2), gone = put(2);
  run(removal("key" + std::to_string(gone.number)));
  const chunk_id asked[] = {{kept, 1}, {kept, 2}, {gone, 0}, {{99, 99}, 0}};
  const auto live = still_live(*read(), asked).value();
  ASSERT_EQ(live.size(), 1u);
  EXPECT_EQ(live[0].id, (chunk_id{kept, 1}));
  EXPECT_EQ(live[0].length, 7u);
}

} // namespace cairn::actors::backfill_pages_test

// What the metadata says may be deleted: nothing that a running read of any node may need, nothing while deletions are
// held.
#include "tests/actors/metadata/metadata_fixture.hpp"

namespace cairn::actors::metadata_reaping_test {

class metadata_reaping : public standalone_metadata {
protected:
  blob_id put(const std::string& key) {
    const auto blob = ask<blob_id>(new_blob_atom_v).value_or(blob_id{});
    meta::put_object c;
    c.bucket = "bucket";
    c.key = key;
    c.size = 100;
    c.content = meta::written_blob{blob, 100, 64 << 10, {}};
    commit(c);
    return blob;
  }
  void remove(const std::string& key) {
    meta::delete_object c;
    c.bucket = "bucket";
    c.key = key;
    commit(c);
  }
  buried_list buried() { return ask<buried_list>(buried_atom_v, std::uint32_t{10}).value_or(buried_list{}); }
};

TEST_F(metadata_reaping, waits_for_the_reads_of_this_node) {
  start();
  const auto blob = put("key");
  auto read = ask<found_object>(lookup_atom_v, object_name{"bucket", "key"});
  ASSERT_TRUE(read && read->hold);
  remove("key");
  const auto index = store->read().value()->applied();
  EXPECT_TRUE(buried().blobs.empty());
  EXPECT_LT(buried().released_up_to, index);
  read.reset();
  w.run_for(10ms);
  const auto after = buried();
  ASSERT_EQ(after.blobs.size(), 1u);
  EXPECT_EQ(after.blobs[0].blob, blob);
  EXPECT_GE(after.released_up_to, index);
}

TEST_F(metadata_reaping, waits_for_reads_that_began_from_the_cache) {
  start();
  put("key");
  ASSERT_TRUE(ask<found_object>(lookup_atom_v, object_name{"bucket", "key"})); // remembers the rows
  const auto hits = metrics.row_cache_hits.load();
  auto read = ask<found_object>(lookup_atom_v, object_name{"bucket", "key"});
  ASSERT_TRUE(read && read->parts);
  ASSERT_EQ(metrics.row_cache_hits, hits + 1);
  remove("key");
  EXPECT_TRUE(buried().blobs.empty());
  read.reset();
  w.run_for(10ms);
  EXPECT_EQ(buried().blobs.size(), 1u);
}

TEST_F(metadata_reaping, waits_for_the_reads_of_other_nodes) {
  log_index others = read_holds::none;
  start([&others] { return others; });
  put("key");
  others = store->read().value()->applied();
  remove("key");
  EXPECT_TRUE(buried().blobs.empty());
  EXPECT_EQ(buried().released_up_to, others);
  others = read_holds::none;
  EXPECT_EQ(buried().blobs.size(), 1u);
}

TEST_F(metadata_reaping, lists_nothing_while_deletions_are_held) {
  start();
  const auto blob = put("key");
  remove("key");
  const meta::command begin[] = {meta::begin_session{.node = {2}, .incarnation = 1}};
  const auto session = store->apply(begin).value().results.at(0).version;
  const meta::command held[] = {meta::end_session{session}, meta::hold_deletions{true}};
  ASSERT_TRUE(store->apply(held));
  const chunk_ids of_both{{blob, 0}, {{session, 1}, 0}};
  EXPECT_TRUE(buried().blobs.empty());
  EXPECT_EQ(ask<chunk_ids>(dead_atom_v, of_both), chunk_ids{});
  const meta::command freed[] = {meta::hold_deletions{false}};
  ASSERT_TRUE(store->apply(freed));
  EXPECT_EQ(buried().blobs.size(), 1u);
  EXPECT_EQ(ask<chunk_ids>(dead_atom_v, of_both), chunk_ids{of_both[1]})
      << "whose session is over, and no row names it";
}

} // namespace cairn::actors::metadata_reaping_test

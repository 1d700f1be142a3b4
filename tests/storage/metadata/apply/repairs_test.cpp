#include "storage/metadata/apply/repairs.hpp"

#include "tests/storage/metadata/store_fixture.hpp"

namespace cairn::storage::metadata::repairs_test {
class repairs : public store_test {
protected:
  void SetUp() override {
    store_test::SetUp();
    run(create_cluster{.id = {7}, .name = "cairn", .first = {.id = {1}, .address = "a:1"}});
    run(add_node{.node = {.id = {2}, .address = "b:1"}});
    run(add_node{.node = {.id = {3}, .address = "c:1"}});
  }
  put_object partly(const std::string& key, const blob_id& blob, std::vector<missing_chunks> unconfirmed) {
    put_object put = big(key, blob); // of 6 chunks
    std::get<written_blob>(put.content).unconfirmed = std::move(unconfirmed);
    return put;
  }
  std::vector<repair_row> of(node_number node) { return read()->repairs(node, {}, 1000).value(); }
  std::vector<repair_row> of(const blob_id& blob) { return read()->repairs_of(blob, 1000).value(); }
};

TEST_F(repairs, are_written_with_the_commit_that_was_not_confirmed_everywhere) {
  const blob_id blob = new_blob();
  EXPECT_EQ(refused(partly("file", blob, {{1, 0, 2}, {1, 4, 1}, {2, 0, 6}})), std::nullopt);
  EXPECT_EQ(of(1), (std::vector<repair_row>{{blob, {1, 0, 2}}, {blob, {1, 4, 1}}}));
  EXPECT_EQ(of(2), (std::vector<repair_row>{{blob, {2, 0, 6}}}));
  EXPECT_TRUE(of(0).empty());
  EXPECT_EQ(of(blob).size(), 3u);
  EXPECT_EQ(read()->repairs_waiting(), 3u);
  run(big("whole", new_blob()));
  EXPECT_EQ(read()->repairs_waiting(), 3u);
}

TEST_F(repairs, come_in_pages_by_node) {
  std::vector<repair_row> expected;
  for (int i = 0; i < 10; ++i) {
    const blob_id blob = new_blob();
    run(partly("key" + std::to_string(i), blob, {{1, 0, 1}, {1, 3, 2}, {2, 0, 6}}));
    expected.push_back({blob, {1, 0, 1}});
    expected.push_back({blob, {1, 3, 2}});
  }
  std::vector<repair_row> seen;
  for (std::optional<repair_row> after;;) {
    const auto page = read()->repairs(1, after, 3).value();
    if (page.empty()) break;
    EXPECT_LE(page.size(), 3u);
    seen.insert(seen.end(), page.begin(), page.end());
    after = page.back();
  }
  EXPECT_EQ(seen, expected);
  EXPECT_TRUE(read()->repairs(1, {}, 0)->empty());
  EXPECT_EQ(read()->repairs_of(expected[0].blob, 2)->size(), 2u);
}

TEST_F(repairs, are_removed_when_they_are_confirmed) {
  const blob_id blob = new_blob();
  run(partly("file", blob, {{1, 0, 2}, {2, 0, 6}}));
  EXPECT_EQ(
      refused(confirm_replicas{{{blob, {1, 0, 1}}, {blob, {1, 1, 1}}, {blob, {0, 0, 6}}, {new_blob(), {1, 0, 2}}}}),
      std::nullopt);
  EXPECT_EQ(of(blob).size(), 2u) << "none of these, or not all of it";
  run(confirm_replicas{of(1)});
  EXPECT_EQ(of(blob), (std::vector<repair_row>{{blob, {2, 0, 6}}}));
  run(confirm_replicas{of(blob)});
  run(confirm_replicas{{{blob, {2, 0, 6}}}});
  EXPECT_EQ(read()->repairs_waiting(), 0u);
  EXPECT_EQ(rows(table::repairs), 0u);
}

TEST_F(repairs, are_removed_when_their_blob_is_reaped) {
  const blob_id first = new_blob(), second = new_blob();
  run(partly("file", first, {{1, 0, 2}, {2, 0, 6}}));
  run(partly("other", second, {{1, 0, 6}}));
  run(removal("file"));
  EXPECT_EQ(of(first).size(), 2u) << "somebody may still download it";
  run(confirm_replicas{{{first, {1, 0, 2}}}});
  EXPECT_EQ(of(first), (std::vector<repair_row>{{first, {2, 0, 6}}}));
  run(reap{.blobs = buried()});
  EXPECT_TRUE(of(first).empty());
  EXPECT_EQ(of(1), (std::vector<repair_row>{{second, {1, 0, 6}}}));
  EXPECT_EQ(read()->repairs_waiting(), 1u);
  run(small("other"));
  run(reap{.blobs = buried()});
  EXPECT_EQ(rows(table::repairs), 0u);
}

TEST_F(repairs, of_given_up_chunks_are_not_waited_for_and_are_removed_with_their_blob) {
  const blob_id blob = new_blob();
  run(partly("file", blob, {{1, 0, 2}}));
  run(give_up_chunks{{{blob, 1, 2}, {blob, 5, 1}}});
  EXPECT_EQ(of(blob), (std::vector<repair_row>{{blob, {1, 0, 2}}, {blob, {nobody, 1, 2}}, {blob, {nobody, 5, 1}}}));
  EXPECT_EQ(of(nobody).size(), 2u);
  EXPECT_EQ(read()->repairs_waiting(), 1u) << "those of a node";
  run(give_up_chunks{{{blob, 1, 1}, {blob, 5, 1}}});
  run(give_up_chunks{{{blob, 1, 3}}});
  EXPECT_EQ(of(blob), (std::vector<repair_row>{{blob, {1, 0, 2}}, {blob, {nobody, 1, 3}}, {blob, {nobody, 5, 1}}}));
  run(confirm_replicas{of(1)});
  EXPECT_EQ(read()->repairs_waiting(), 0u);
  run(removal("file"));
  run(reap{.blobs = buried()});
  EXPECT_EQ(rows(table::repairs), 0u);
  EXPECT_EQ(read()->repairs_waiting(), 0u);
}

TEST_F(repairs, of_chunks_that_no_object_needs_are_not_given_up) {
  const blob_id blob = new_blob();
  run(partly("file", blob, {}));
  run(give_up_chunks{{{blob, 6, 1}, {blob, 0, 7}, {blob, 5, 0xffffffff}, {blob, 0, 0}, {new_blob(), 0, 1}}});
  EXPECT_EQ(rows(table::repairs), 0u);
  run(removal("file"));
  run(give_up_chunks{{{blob, 0, 6}}});
  EXPECT_EQ(rows(table::repairs), 0u);
}

TEST_F(repairs, are_not_written_by_a_commit_that_is_refused_or_repeated) {
  put_object unmet = partly("file", new_blob(), {{1, 0, 6}});
  unmet.condition.if_match = "*";
  EXPECT_EQ(refused(unmet), errc::precondition_failed);
  EXPECT_EQ(rows(table::repairs), 0u);
  const put_object put = partly("file", new_blob(), {{1, 0, 6}});
  run(put);
  run(put);
  EXPECT_EQ(read()->repairs_waiting(), 1u);
}

TEST_F(repairs, with_an_invalid_list_are_refused_and_the_blob_is_buried) {
  const std::vector<missing_chunks> bad[] = {{{1, 0, 7}},             // more chunks than there are
                                             {{1, 6, 1}},             // likewise
                                             {{1, 5, 0xffffffff}},    // likewise
                                             {{1, 2, 0}},             // none
                                             {{2, 0, 1}, {1, 0, 1}},  // out of order
                                             {{1, 0, 2}, {1, 1, 1}},  // twice
                                             {{1, 0, 1}, {1, 0, 1}},  // twice
                                             {{1, 3, 1}, {1, 0, 1}}}; // out of order
  for (const auto& unconfirmed : bad)
    EXPECT_EQ(refused(partly("file", new_blob(), unconfirmed)), errc::invalid_argument);
  EXPECT_EQ(refused(partly("file", new_blob(), std::vector<missing_chunks>(missing_chunks_max + 1, {1, 0, 1}))),
            errc::invalid_argument);
  EXPECT_EQ(buried().size(), std::size(bad) + 1);
  EXPECT_FALSE(exists("file"));
  EXPECT_EQ(rows(table::repairs), 0u);
}

TEST_F(repairs, of_removed_nodes_are_skipped) {
  run(remove_node{2});
  const blob_id blob = new_blob();
  EXPECT_EQ(refused(partly("file", blob, {{1, 0, 6}, {2, 0, 6}, {9, 0, 6}})), std::nullopt);
  EXPECT_EQ(of(blob), (std::vector<repair_row>{{blob, {1, 0, 6}}}));
}

TEST_F(repairs, with_one_row_missing_are_an_error_that_changes_nothing) {
  const blob_id blob = new_blob();
  run(partly("file", blob, {{1, 0, 6}}));
  {
    auto kv = engine->begin_write().value();
    ASSERT_TRUE(kv->erase(id_of(table::repairs), key_maker{default_group}.repair_by_node({blob, {1, 0, 6}})));
    ASSERT_TRUE(kv->commit());
  }
  run(removal("file"));
  const auto before = dump(*engine);
  const command batch[] = {reap{.blobs = buried()}};
  EXPECT_EQ(s->apply(batch).error(), errc::corrupt);
  EXPECT_EQ(dump(*engine), before);
}

} // namespace cairn::storage::metadata::repairs_test

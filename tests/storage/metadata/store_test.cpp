#include "tests/storage/metadata/store_fixture.hpp"

namespace cairn::storage::metadata::store_tests {
class objects : public store_test {};
class commits : public store_test {};
class sessions : public store_test {};

TEST_F(objects, come_back_with_everything_they_were_stored_with) {
  put_object put = small("a/b", "hello");
  put.etag.digest = {1, 2, 3};
  put.headers = {.content_type = "text/plain", .standard = {{"cache-control", "no-store"}}, .user = {{"k", "v"}}};
  const auto answer = run(put);
  EXPECT_FALSE(answer.refused);
  const object_row row = object("a/b");
  EXPECT_EQ(row.version, answer.version);
  EXPECT_EQ(row.version, read()->applied());
  EXPECT_EQ(row.size, 5u);
  EXPECT_EQ(row.etag, put.etag);
  EXPECT_EQ(row.modified, 2000);
  EXPECT_EQ(row.headers.content_type, "text/plain");
  EXPECT_EQ(row.headers.standard, put.headers.standard);
  EXPECT_EQ(row.headers.user, put.headers.user);
  EXPECT_TRUE(row.null_version);
  EXPECT_EQ(row.content, content_kind::inline_bytes);
  EXPECT_EQ(read()->inline_bytes(row).value(), "hello");
  EXPECT_EQ(read()->object("files", "a").error(), errc::no_such_key);
  EXPECT_EQ(read()->object("files", "a/b/").error(), errc::no_such_key);
}

TEST_F(objects, may_be_empty) {
  run(small("nothing", ""));
  EXPECT_EQ(object("nothing").size, 0u);
  EXPECT_EQ(read()->inline_bytes(object("nothing")).value(), "");
}

TEST_F(objects, are_corrupt_when_their_inline_bytes_have_another_size) {
  run(small("k", "bytes"));
  const auto row = object("k");
  for (const auto* other : {"byte", "bytes!", ""}) {
    const auto writer = engine->begin_write().value();
    writer->put(id_of(table::inline_data), key_maker{default_group}.inline_data(row), other);
    ASSERT_TRUE(writer->commit());
    EXPECT_EQ(read()->inline_bytes(row).error(), errc::corrupt);
  }
}

TEST_F(objects, replace_their_inline_bytes_also_within_one_batch) {
  const command batch[] = {small("key", "one"), small("key", "two"), small("key", "three")};
  s->apply(batch).value();
  EXPECT_EQ(read()->inline_bytes(object("key")).value(), "three");
  EXPECT_EQ(rows(table::inline_data), 1u);
  run(small("key", "four"));
  EXPECT_EQ(read()->inline_bytes(object("key")).value(), "four");
  EXPECT_EQ(rows(table::inline_data), 1u);
  run(removal("key"));
  EXPECT_FALSE(exists("key"));
  EXPECT_EQ(rows(table::inline_data), 0u);
  EXPECT_EQ(rows(table::current), 0u);
}

TEST_F(objects, of_an_old_snapshot_stay_readable) {
  run(small("key", "old"));
  const auto before = read();
  run(small("key", "new"));
  const auto row = before->object("files", "key").value();
  EXPECT_EQ(before->inline_bytes(row).value(), "old");
  EXPECT_EQ(read()->inline_bytes(row).error(), errc::corrupt);
}

TEST_F(objects, have_one_part_that_is_their_blob) {
  const blob_id blob = new_blob();
  put_object put = big("file", blob, 5 * chunk_size + 1);
  put.etag.digest = {9};
  run(put);
  const object_row row = object("file");
  EXPECT_EQ(row.content, content_kind::manifest);
  const auto parts = read()->parts(row.manifest, 0, 16).value();
  ASSERT_EQ(parts.size(), 1u);
  EXPECT_EQ(parts[0].blob, blob);
  EXPECT_EQ(parts[0].number, 1u);
  EXPECT_EQ(parts[0].object_offset, 0u);
  EXPECT_EQ(parts[0].length, 5u * chunk_size + 1);
  EXPECT_EQ(parts[0].chunk_size, chunk_size);
  EXPECT_EQ(parts[0].checksum, put.etag.digest);
  EXPECT_EQ(read()->parts(row.manifest, 5 * chunk_size, 16)->size(), 1u);
  EXPECT_EQ(read()->parts(row.manifest, 5 * chunk_size + 1, 16)->size(), 0u);
  EXPECT_EQ(read()->parts(row.manifest, 0, 0)->size(), 0u);
  EXPECT_EQ(read()->parts(row.manifest + 1, 0, 16).error(), errc::corrupt);
}

TEST_F(objects, with_invalid_values_are_refused) {
  EXPECT_EQ(refused(small("")), errc::invalid_argument);
  EXPECT_EQ(refused(small(std::string(1025, 'k'))), errc::invalid_argument);
  EXPECT_EQ(refused(small("bad\xff")), errc::invalid_argument);
  EXPECT_EQ(refused(removal("")), errc::invalid_argument);
  put_object wrong_size = small("key");
  ++wrong_size.size;
  EXPECT_EQ(refused(wrong_size), errc::invalid_argument);
  put_object wrong_length = big("key", new_blob());
  ++wrong_length.size;
  EXPECT_EQ(refused(wrong_length), errc::invalid_argument);
  put_object no_chunk_size = big("key", new_blob());
  std::get<written_blob>(no_chunk_size.content).chunk_size = 0;
  EXPECT_EQ(refused(no_chunk_size), errc::invalid_argument);
  put_object too_many_chunks = big("key", new_blob(), 1ull << 40);
  std::get<written_blob>(too_many_chunks.content).chunk_size = 1;
  EXPECT_EQ(refused(too_many_chunks), errc::invalid_argument);
  EXPECT_EQ(refused(small("key")), std::nullopt);
  EXPECT_FALSE(exists("bad"));
}

TEST_F(objects, of_buckets_with_invalid_names_are_refused_without_failing_the_batch) {
  for (const std::string& name : {std::string(), std::string(600, 'b'), std::string("B")}) {
    put_object put = small("key");
    delete_object removes = removal("key");
    put.bucket = removes.bucket = name;
    const command batch[] = {put, removes, create_bucket{.name = name}, delete_bucket{.name = name}, small("good")};
    const auto results = s->apply(batch).value().results;
    EXPECT_EQ(*results[0].refused, errc::no_such_bucket);
    EXPECT_EQ(*results[1].refused, errc::no_such_bucket);
    EXPECT_EQ(*results[2].refused, errc::invalid_argument);
    EXPECT_EQ(*results[3].refused, errc::no_such_bucket);
    EXPECT_FALSE(results[4].refused);
    EXPECT_EQ(read()->object(name, "key").error(), errc::no_such_bucket);
    EXPECT_EQ(read()->list({.bucket = name}).error(), errc::no_such_bucket);
  }
}

TEST_F(objects, that_do_not_exist_are_deleted_successfully) {
  EXPECT_EQ(refused(removal("missing")), std::nullopt);
  auto elsewhere = removal("missing");
  elsewhere.bucket = "nowhere";
  EXPECT_EQ(refused(elsewhere), errc::no_such_bucket);
}

TEST_F(objects, are_written_conditionally) {
  const auto with = [&](put_object put, write_condition condition) {
    put.condition = std::move(condition);
    return put;
  };
  const std::string tag = "00000000000000000000000000000000";
  EXPECT_EQ(refused(with(small("key"), {.if_match = "*"})), errc::precondition_failed);
  EXPECT_EQ(refused(with(small("key"), {.if_match = tag})), errc::precondition_failed);
  EXPECT_FALSE(exists("key"));
  EXPECT_EQ(refused(with(small("key", "first"), {.if_absent = true})), std::nullopt);
  EXPECT_EQ(refused(with(small("key", "second"), {.if_absent = true})), errc::precondition_failed);
  EXPECT_EQ(read()->inline_bytes(object("key")).value(), "first");
  EXPECT_EQ(refused(with(small("key", "third"), {.if_match = "other"})), errc::precondition_failed);
  EXPECT_EQ(refused(with(small("key", "third"), {.if_match = tag})), std::nullopt);
  EXPECT_EQ(refused(with(small("key", "fourth"), {.if_match = "*"})), std::nullopt);
  EXPECT_EQ(read()->inline_bytes(object("key")).value(), "fourth");

  auto removes = removal("key");
  removes.condition.if_match = "other";
  EXPECT_EQ(refused(removes), errc::precondition_failed);
  EXPECT_TRUE(exists("key"));
  removes.stamp = stamp();
  removes.condition.if_match = tag;
  EXPECT_EQ(refused(removes), std::nullopt);
  removes.stamp = stamp();
  EXPECT_EQ(refused(removes), errc::precondition_failed);
}

TEST_F(commits, that_are_sent_again_answer_what_the_first_try_answered) {
  put_object put = small("key");
  put.condition.if_absent = true;
  const auto first = run(put);
  const auto again = run(put);
  EXPECT_FALSE(again.refused);
  EXPECT_EQ(again.version, first.version);
  EXPECT_EQ(object("key").version, first.version);

  const auto removes = removal("key");
  run(removes);
  auto newer = small("key", "newer");
  newer.stamp.acknowledged_below = 0;
  run(newer);
  EXPECT_FALSE(run(removes).refused);
  EXPECT_TRUE(exists("key"));

  put_object refused_put = small("key");
  refused_put.condition.if_absent = true;
  EXPECT_EQ(refused(refused_put), errc::precondition_failed);
  auto clear = removal("key");
  clear.stamp.acknowledged_below = 0;
  run(clear);
  EXPECT_EQ(refused(refused_put), errc::precondition_failed);
  EXPECT_FALSE(exists("key"));
}

TEST_F(commits, sent_again_within_one_batch_apply_once) {
  put_object put = small("key");
  put.condition.if_absent = true;
  const command batch[] = {put, put};
  const auto results = s->apply(batch).value().results;
  EXPECT_FALSE(results[0].refused);
  EXPECT_FALSE(results[1].refused);
}

TEST_F(commits, forget_outcomes_that_were_acknowledged_and_never_apply_them_again) {
  const put_object old = small("old");
  run(old);
  run(removal("old"));
  EXPECT_EQ(rows(table::outcomes), 1u);
  EXPECT_EQ(refused(old), errc::invalid_argument);
  EXPECT_FALSE(exists("old"));
  for (int i = 0; i < 100; ++i) {
    auto put = small("key" + std::to_string(i));
    put.stamp.acknowledged_below = 1;
    run(put);
  }
  EXPECT_EQ(rows(table::outcomes), 101u);
  run(small("last"));
  EXPECT_EQ(rows(table::outcomes), 1u);
}

TEST_F(commits, never_bury_the_blob_of_a_commit_that_was_acknowledged) {
  const put_object put = big("file", new_blob());
  run(put);
  EXPECT_EQ(refused(put), std::nullopt);
  run(small("later"));
  EXPECT_EQ(refused(put), errc::invalid_argument);
  EXPECT_TRUE(buried().empty());
  EXPECT_TRUE(exists("file"));
}

TEST_F(sessions, are_the_same_for_the_same_incarnation_and_new_for_another) {
  EXPECT_EQ(begin(uuid{1}, 1), session);
  const session_id other_node = begin(uuid{2}, 1);
  EXPECT_NE(other_node, session);
  const session_id next = begin(uuid{1}, 2);
  EXPECT_GT(next, session);
  EXPECT_EQ(begin(uuid{1}, 2), next);
  const auto all = read()->sessions().value();
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[0].id, session);
  EXPECT_TRUE(all[0].ended);
  EXPECT_FALSE(all[1].ended);
  EXPECT_EQ(all[1].node, uuid{2});
  EXPECT_FALSE(all[2].ended);
  EXPECT_EQ(all[2].incarnation, 2u);
}

TEST_F(sessions, of_one_batch_have_ids_of_their_own) {
  const command batch[] = {begin_session{.node = {5}, .incarnation = 1}, begin_session{.node = {6}, .incarnation = 1},
                           begin_session{.node = {5}, .incarnation = 1}, begin_session{.node = {5}, .incarnation = 2}};
  const auto results = s->apply(batch).value().results;
  EXPECT_NE(results[0].version, results[1].version);
  EXPECT_EQ(results[0].version, results[2].version);
  EXPECT_NE(results[0].version, results[3].version);
}

TEST_F(sessions, end_once_and_refuse_every_later_commit) {
  EXPECT_EQ(refused(end_session{.session = 999}), errc::not_found);
  EXPECT_EQ(refused(end_session{.session = session}), std::nullopt);
  EXPECT_EQ(refused(end_session{.session = session}), std::nullopt);
  EXPECT_EQ(refused(small("key")), errc::session_ended);
  EXPECT_EQ(refused(removal("key")), errc::session_ended);
  EXPECT_EQ(refused(big("key", new_blob())), errc::session_ended);
  EXPECT_FALSE(exists("key"));
  const session_id next = begin(uuid{1}, 1);
  EXPECT_NE(next, session);
  session = next;
  EXPECT_EQ(refused(small("key")), std::nullopt);
}

TEST_F(sessions, that_the_log_has_not_seen_can_not_commit) {
  session = 999;
  EXPECT_EQ(refused(small("key")), errc::session_ended);
  EXPECT_EQ(refused(big("key", new_blob())), errc::session_ended);
  EXPECT_TRUE(buried().empty());
  EXPECT_EQ(rows(table::outcomes), 0u);
}

TEST_F(sessions, leave_only_their_row_after_the_free_queue_was_processed) {
  for (int i = 0; i < 30; ++i) {
    auto put = small("key" + std::to_string(i));
    put.stamp.acknowledged_below = 0;
    run(put);
    run(abandon_blob{.session = session, .blob = new_blob(), .chunks = 1});
  }
  run(reap{.blobs = buried()});
  EXPECT_EQ(rows(table::abandoned), 30u);
  run(end_session{.session = session});
  EXPECT_EQ(read()->manifests_to_free(), 1u);
  int steps = 0;
  while (run(free_manifests{.parts_max = 7}).more > 0) ASSERT_LT(++steps, 100);
  EXPECT_GT(steps, 60 / 7 - 1);
  EXPECT_EQ(read()->manifests_to_free(), 0u);
  EXPECT_EQ(rows(table::abandoned), 0u);
  EXPECT_EQ(rows(table::outcomes), 0u);
  EXPECT_EQ(rows(table::free_queue), 0u);
  EXPECT_EQ(refused(small("key")), errc::session_ended);
}

TEST(stores, refuse_metadata_of_another_format_or_without_one) {
  const auto write = [](kv_engine& engine, table t, const std::string& key, const std::string& value) {
    auto kv = engine.begin_write().value();
    kv->put(id_of(t), key, value);
    ASSERT_TRUE(kv->commit());
  };
  const key_maker keys{default_group};
  const auto newer = make_memory_kv(table_count);
  write(*newer, table::meta, keys.meta(meta_field::format), "\x02");
  EXPECT_EQ(store::open(*newer).error(), errc::unsupported);
  const auto nameless = make_memory_kv(table_count);
  write(*nameless, table::buckets, keys.bucket("files"), "row");
  EXPECT_EQ(store::open(*nameless).error(), errc::corrupt);
  EXPECT_TRUE(store::open(*nameless, 1));
  const auto broken = make_memory_kv(table_count);
  write(*broken, table::meta, keys.meta(meta_field::format), "\x01\x01");
  EXPECT_EQ(store::open(*broken).error(), errc::corrupt);
}

TEST_F(objects, whose_row_is_damaged_are_an_error_and_change_nothing) {
  run(small("key"));
  {
    auto kv = engine->begin_write().value();
    ASSERT_TRUE(
        key_tree(id_of(table::current), default_group, read()->bucket("files")->id).put(*kv, "key", "\x01junk", [] {
          return 0;
        }));
    ASSERT_TRUE(kv->commit());
  }
  const auto before = dump(*engine);
  EXPECT_EQ(read()->object("files", "key").error(), errc::corrupt);
  EXPECT_EQ(read()->list({.bucket = "files"}).error(), errc::corrupt);
  const command batch[] = {small("other"), small("key"), small("third")};
  EXPECT_EQ(s->apply(batch).error(), errc::corrupt);
  EXPECT_EQ(dump(*engine), before);
}

TEST_F(commits, of_groups_in_one_engine_are_independent) {
  const auto other = store::open(*engine, 1).value();
  const command batch[] = {create_bucket{.name = "files"}};
  EXPECT_EQ(other->apply(batch)->index, 1u);
  EXPECT_TRUE(run(small("key")).version > 1);
  EXPECT_EQ(other->read().value()->object("files", "key").error(), errc::no_such_key);
  EXPECT_EQ(other->read().value()->buckets()->size(), 1u);
  EXPECT_EQ(other->read().value()->sessions()->size(), 0u);
  EXPECT_EQ(other->read().value()->applied(), 1u);
}

TEST_F(commits, of_the_open_transaction_make_its_batches_visible_together) {
  const command one[] = {small("a", "1")}, two[] = {small("a", "2"), small("b")};
  const std::span<const command> batches[] = {one, two};
  const auto before = read()->applied();
  const auto applied = s->apply_open(batches).value();
  ASSERT_EQ(applied.size(), 2u);
  EXPECT_EQ(applied[1].index, before + 2);
  EXPECT_FALSE(applied[1].results[1].refused);
  EXPECT_FALSE(exists("a"));
  const command three[] = {small("b", "again")};
  const std::span<const command> more[] = {three};
  EXPECT_EQ(s->apply_open(more).value()[0].index, before + 3);
  EXPECT_EQ(read()->applied(), before);
  ASSERT_TRUE(s->commit_open());
  EXPECT_EQ(read()->applied(), before + 3);
  EXPECT_EQ(read()->inline_bytes(object("a")).value(), "2");
  EXPECT_EQ(read()->inline_bytes(object("b")).value(), "again");
  EXPECT_TRUE(s->commit_open()) << "nothing to do";
}

TEST_F(commits, of_a_dropped_transaction_leave_nothing_and_its_batches_can_be_applied_again) {
  const command one[] = {small("a")};
  const std::span<const command> batches[] = {one};
  const auto index = s->apply_open(batches).value()[0].index;
  s->drop_open();
  ASSERT_TRUE(s->commit_open());
  EXPECT_FALSE(exists("a"));
  EXPECT_EQ(s->apply_open(batches).value()[0].index, index);
  ASSERT_TRUE(s->commit_open());
  EXPECT_TRUE(exists("a"));
  ASSERT_TRUE(s->close_open());
  EXPECT_EQ(s->apply_open(batches).error(), errc::stopping);
}

} // namespace cairn::storage::metadata::store_tests

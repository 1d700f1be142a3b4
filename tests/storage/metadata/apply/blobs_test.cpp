#include "storage/metadata/apply/blobs.hpp"

#include "tests/storage/metadata/store_fixture.hpp"

namespace cairn::storage::metadata::blobs_test {
class blobs : public store_test {
protected:
  // An object of `count` parts as a multipart upload leaves it. The parts' blobs are those of `objects`.
  manifest_id make_long_manifest(const std::string& key, std::uint32_t count) {
    run(small(key, ""));
    object_row row = object(key);
    const bucket_id bucket = read()->bucket("files")->id;
    const key_maker keys{default_group};
    const manifest_id id = 1'000'000;
    auto kv = engine->begin_write().value();
    for (std::uint32_t i = 1; i <= count; ++i) {
      const manifest_part part{
          .number = 2 * i, .blob = new_blob(), .object_offset = (i - 1) * 100, .length = 100, .chunk_size = chunk_size};
      kv->put(id_of(table::manifests), keys.part(id, i), encode(part));
      kv->put(id_of(table::blobs), keys.blob(part.blob),
              encode(blob_row{.length = 100, .chunk_size = chunk_size, .references = 1}));
    }
    kv->put(id_of(table::manifests), keys.manifest(id), encode(manifest_row{.references = 1, .parts = count}));
    kv->erase(id_of(table::inline_data), keys.inline_data(row));
    row.content = content_kind::manifest;
    row.manifest = id;
    row.size = count * 100;
    EXPECT_TRUE(key_tree(id_of(table::current), default_group, bucket).put(*kv, key, encode(row), [] { return 0; }));
    EXPECT_TRUE(kv->commit());
    return id;
  }
};

TEST(chunks_of, counts_the_last_short_chunk) {
  EXPECT_EQ(chunks_of(0, 10), 0u);
  EXPECT_EQ(chunks_of(1, 10), 1u);
  EXPECT_EQ(chunks_of(10, 10), 1u);
  EXPECT_EQ(chunks_of(11, 10), 2u);
  EXPECT_EQ(chunks_of(1, 0), std::nullopt);
  EXPECT_EQ(chunks_of(0xffffffff, 1), 0xffffffff);
  EXPECT_EQ(chunks_of(0x100000000, 1), std::nullopt);
  EXPECT_EQ(chunks_of(~0ull, 1 << 20), std::nullopt);
}

TEST_F(blobs, are_buried_when_their_object_is_overwritten_or_deleted) {
  const blob_id first = new_blob(), second = new_blob();
  run(big("file", first));
  EXPECT_TRUE(buried().empty());
  const auto overwritten = run(big("file", second, 10)).version;
  ASSERT_EQ(buried().size(), 1u);
  EXPECT_EQ(buried()[0].blob, first);
  EXPECT_EQ(buried()[0].chunks, 6u);
  EXPECT_EQ(buried()[0].buried_at, overwritten);
  const auto deleted = run(removal("file")).version;
  ASSERT_EQ(buried().size(), 2u);
  EXPECT_EQ(buried()[1].blob, second);
  EXPECT_EQ(buried()[1].chunks, 1u);
  EXPECT_EQ(buried()[1].buried_at, deleted);
  EXPECT_EQ(read()->buried(1)->size(), 1u);
  EXPECT_EQ(read()->buried(0)->size(), 0u);
  EXPECT_EQ(rows(table::manifests), 0u);
}

TEST_F(blobs, leave_no_row_when_they_are_reaped) {
  run(big("file", new_blob()));
  run(removal("file"));
  const auto dead = buried();
  run(reap{.blobs = dead});
  EXPECT_TRUE(buried().empty());
  EXPECT_EQ(rows(table::blobs), 0u);
  EXPECT_EQ(rows(table::buried), 0u);
  run(reap{.blobs = dead});
  EXPECT_EQ(rows(table::blobs), 0u);
}

TEST_F(blobs, that_live_or_were_buried_at_another_time_are_not_reaped) {
  const blob_id live = new_blob(), gone = new_blob();
  run(big("live", live));
  run(big("gone", gone));
  const auto index = run(removal("gone")).version;
  run(reap{.blobs = {{.buried_at = 0, .blob = live},
                     {.buried_at = index, .blob = live},
                     {.buried_at = index - 1, .blob = gone},
                     {.buried_at = index, .blob = new_blob()}}});
  EXPECT_EQ(buried().size(), 1u);
  EXPECT_EQ(rows(table::blobs), 2u);
  EXPECT_EQ(read()->parts(object("live").manifest, 0, 1)->size(), 1u);
}

TEST_F(blobs, of_refused_puts_are_buried) {
  run(small("key"));
  put_object unmet = big("key", new_blob());
  unmet.condition.if_absent = true;
  EXPECT_EQ(refused(unmet), errc::precondition_failed);
  EXPECT_EQ(buried().size(), 1u);
  put_object nowhere = big("key", new_blob(), 1);
  nowhere.bucket = "nowhere";
  EXPECT_EQ(refused(nowhere), errc::no_such_bucket);
  EXPECT_EQ(buried().size(), 2u);
  EXPECT_EQ(buried()[0].chunks, 6u);
  EXPECT_EQ(buried()[1].chunks, 1u);
  run(end_session{.session = session});
  EXPECT_EQ(refused(big("key", new_blob())), errc::session_ended);
  EXPECT_EQ(buried().size(), 3u);
}

TEST_F(blobs, of_another_session_are_neither_stored_nor_buried) {
  const blob_id mine = new_blob();
  run(big("mine", mine));
  run(removal("mine"));
  run(reap{.blobs = buried()});
  const session_id other = begin(uuid{2}, 1);
  put_object theirs = big("file", {.session = other, .number = 5});
  EXPECT_EQ(refused(theirs), errc::invalid_argument);
  EXPECT_EQ(refused(abandon_blob{.session = session, .blob = {.session = other, .number = 5}, .chunks = 1}),
            errc::invalid_argument);
  EXPECT_TRUE(buried().empty());
}

TEST_F(blobs, can_be_committed_only_once) {
  const blob_id blob = new_blob();
  run(big("first", blob));
  EXPECT_EQ(refused(big("second", blob)), errc::blob_dead);
  EXPECT_TRUE(buried().empty()) << "the first object still needs it";
  EXPECT_TRUE(exists("first"));
  run(removal("first"));
  EXPECT_EQ(refused(big("third", blob)), errc::blob_dead);
  EXPECT_EQ(buried().size(), 1u);
}

TEST_F(blobs, that_were_abandoned_are_buried_and_stay_dead_after_they_were_reaped) {
  const blob_id blob = new_blob();
  EXPECT_EQ(refused(abandon_blob{.session = session, .blob = blob, .chunks = 3}), std::nullopt);
  ASSERT_EQ(buried().size(), 1u);
  EXPECT_EQ(buried()[0].chunks, 3u);
  EXPECT_EQ(refused(big("late", blob)), errc::blob_dead);
  EXPECT_EQ(buried()[0].chunks, 6u) << "the commit knew of more chunks";
  run(abandon_blob{.session = session, .blob = blob, .chunks = 1});
  ASSERT_EQ(buried().size(), 1u);
  EXPECT_EQ(buried()[0].chunks, 6u);
  run(reap{.blobs = buried()});
  EXPECT_EQ(refused(big("late", blob)), errc::blob_dead);
  EXPECT_EQ(buried().size(), 1u) << "and the chunks written meanwhile are deleted too";
  EXPECT_FALSE(exists("late"));
}

TEST_F(blobs, that_were_committed_can_no_longer_be_abandoned) {
  const blob_id blob = new_blob();
  run(big("file", blob));
  EXPECT_EQ(refused(abandon_blob{.session = session, .blob = blob, .chunks = 6}), std::nullopt);
  EXPECT_TRUE(buried().empty());
  EXPECT_EQ(read()->parts(object("file").manifest, 0, 1)->size(), 1u);
  EXPECT_EQ(rows(table::abandoned), 0u);
}

TEST_F(blobs, of_sessions_that_the_log_has_not_seen_can_not_be_abandoned) {
  EXPECT_EQ(refused(abandon_blob{.session = 999, .blob = {999, 1}, .chunks = 1}), errc::session_ended);
  EXPECT_TRUE(buried().empty());
}

TEST_F(blobs, are_dead_when_their_session_ended_and_no_row_is_left) {
  const blob_id live = new_blob(), unknown = new_blob(), overwritten = new_blob();
  run(big("live", live));
  run(big("file", overwritten));
  run(removal("file"));
  EXPECT_FALSE(is_dead(unknown)) << "it may be committed at any moment";
  run(end_session{.session = session});
  EXPECT_TRUE(is_dead(unknown));
  EXPECT_FALSE(is_dead(live));
  EXPECT_FALSE(is_dead(overwritten)) << "a running download may hold it until it is reaped";
  run(reap{.blobs = buried()});
  EXPECT_TRUE(is_dead(overwritten));
  EXPECT_FALSE(is_dead({.session = 999, .number = 1}));
}

TEST_F(blobs, of_sessions_that_a_newer_incarnation_ended_are_dead) {
  const blob_id blob = new_blob();
  begin(uuid{1}, 2);
  EXPECT_TRUE(is_dead(blob));
}

TEST_F(blobs, of_long_manifests_are_found_by_offset) {
  const manifest_id id = make_long_manifest("long", 1000);
  for (const std::uint64_t offset : {0, 1, 99, 100, 101, 49'950, 99'899, 99'900, 99'999}) {
    const auto parts = read()->parts(id, offset, 3).value();
    ASSERT_EQ(parts.size(), std::min<std::size_t>(3, 1000 - offset / 100)) << offset;
    EXPECT_EQ(parts[0].object_offset, offset / 100 * 100);
    for (std::size_t i = 1; i < parts.size(); ++i) EXPECT_EQ(parts[i].object_offset, parts[i - 1].object_offset + 100);
  }
  EXPECT_TRUE(read()->parts(id, 100'000, 3)->empty());
  EXPECT_EQ(read()->parts(id, 0, 5000)->size(), 1000u);
}

TEST_F(blobs, of_long_manifests_are_buried_in_bounded_steps) {
  make_long_manifest("long", 100);
  const auto deleted = run(removal("long")).version;
  EXPECT_EQ(read()->manifests_to_free(), 1u);
  EXPECT_TRUE(buried().empty());
  EXPECT_EQ(run(free_manifests{.parts_max = 0}).more, 1u);
  EXPECT_TRUE(buried().empty());
  EXPECT_EQ(run(free_manifests{.parts_max = 30}).more, 1u);
  EXPECT_EQ(buried().size(), 30u);
  EXPECT_GT(buried()[0].buried_at, deleted);
  int steps = 0;
  while (run(free_manifests{.parts_max = 30}).more > 0) ASSERT_LT(++steps, 10);
  EXPECT_EQ(buried().size(), 100u);
  EXPECT_EQ(rows(table::manifests), 0u);
  EXPECT_EQ(rows(table::free_queue), 0u);
  EXPECT_EQ(read()->manifests_to_free(), 0u);
  EXPECT_EQ(run(free_manifests{}).more, 0u);
}

TEST_F(blobs, of_long_manifests_stay_while_a_running_read_may_need_further_parts) {
  const manifest_id id = make_long_manifest("long", 100);
  const log_index reading = read()->applied();
  run(small("long"));
  EXPECT_EQ(run(free_manifests{.parts_max = 1000, .released_up_to = reading}).more, 0u);
  EXPECT_EQ(read()->manifests_to_free(), 1u);
  EXPECT_EQ(read()->parts(id, 5000, 10)->size(), 10u);
  EXPECT_EQ(run(free_manifests{.parts_max = 1000, .released_up_to = reading + 1}).more, 0u);
  EXPECT_EQ(read()->manifests_to_free(), 0u);
  EXPECT_EQ(read()->parts(id, 5000, 10).error(), errc::corrupt);
}

TEST_F(blobs, that_are_kept_are_shown_in_pages_in_the_order_of_their_ids) {
  const auto shown = [&](std::size_t max) {
    std::vector<kept_blob> all;
    std::optional<blob_id> after;
    for (int pages = 0; pages < 100; ++pages) {
      const auto page = read()->blobs(after, max).value();
      EXPECT_LE(page.blobs.size(), max);
      all.insert(all.end(), page.blobs.begin(), page.blobs.end());
      after = page.next;
      if (!after) return all;
    }
    ADD_FAILURE() << "it never ends";
    return all;
  };
  EXPECT_TRUE(shown(3).empty());
  std::vector<kept_blob> expected;
  for (std::uint64_t n = 0; n < 10; ++n) {
    const std::uint64_t length = 1 + n * chunk_size;
    const blob_id blob = new_blob();
    run(big("key-" + std::to_string(9 - n), blob, length));
    expected.push_back({blob, length, chunk_size, std::uint32_t(n + 1)});
  }
  run(abandon_blob{.session = session, .blob = new_blob(), .chunks = 3});
  for (const std::size_t max : {1, 3, 10, 11, 100}) EXPECT_EQ(shown(max), expected) << max;
  run(removal("key-7"));
  run(removal("key-0"));
  expected[9].buried = expected[2].buried = true;
  for (const std::size_t max : {1, 3, 8, 100}) EXPECT_EQ(shown(max), expected) << max;
  run(reap{.blobs = buried()});
  expected.erase(expected.begin() + 9);
  expected.erase(expected.begin() + 2);
  EXPECT_EQ(shown(3), expected);

  // Many that are buried make a page without blobs.
  auto kv = engine->begin_write().value();
  const key_maker keys{default_group};
  for (std::uint64_t n = 0; n < 20'000; ++n)
    kv->put(id_of(table::blobs), keys.blob({0, n}), encode(blob_row{.chunk_size = 1, .buried_at = 1}));
  ASSERT_TRUE(kv->commit());
  const auto first = read()->blobs({}, 100).value();
  EXPECT_TRUE(first.blobs.empty());
  EXPECT_TRUE(first.next);
  EXPECT_EQ(shown(100), expected);
}

TEST_F(blobs, without_the_row_that_must_be_there_are_an_error_that_changes_nothing) {
  run(big("file", new_blob()));
  {
    auto kv = engine->begin_write().value();
    ASSERT_TRUE(kv->erase(id_of(table::blobs),
                          key_maker{default_group}.blob({.session = session, .number = this->store_test::blobs})));
    ASSERT_TRUE(kv->commit());
  }
  const auto before = dump(*engine);
  const command batch[] = {small("other"), removal("file")};
  EXPECT_EQ(s->apply(batch).error(), errc::corrupt);
  EXPECT_EQ(dump(*engine), before);
}

} // namespace cairn::storage::metadata::blobs_test

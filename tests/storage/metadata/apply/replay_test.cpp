// The state is a function of the commands, on every engine, with and without encoding, with restarts, and with failing
// operations.
#include "storage/metadata/apply/repairs.hpp"
#include "tests/base/temporary_directory.hpp"
#include "tests/storage/metadata/failing_engine.hpp"
#include "tests/storage/metadata/random_commands.hpp"
#include "tests/storage/metadata/store_fixture.hpp"

#include <set>

namespace cairn::storage::metadata::replay_test {
void expect_same(const applied_batch& a, const applied_batch& b) {
  ASSERT_EQ(a.index, b.index);
  ASSERT_EQ(a.results.size(), b.results.size());
  for (std::size_t i = 0; i < a.results.size(); ++i) ASSERT_EQ(encode(a.results[i]), encode(b.results[i]));
}

// Checks the references between rows, as tables.hpp describes them.
void check_invariants(kv_engine& engine) {
  std::map<std::string, std::uint32_t> manifest_references, blob_references;
  std::uint64_t inline_rows = 0, buried_rows = 0, buried_blobs = 0, waiting = 0;
  const auto rows = dump(engine);
  const auto all = [&](table t, auto visit) {
    for (auto row = rows.lower_bound({id_of(t), ""}); row != rows.end() && row->first.first == id_of(t); ++row)
      visit(row->first.second, row->second);
  };
  const key_maker keys{default_group};
  const auto referenced = [&](const std::string& value) {
    const object_row row = decode_object(value).value();
    if (row.content == content_kind::manifest) ++manifest_references[keys.manifest(row.manifest)];
    if (row.content != content_kind::inline_bytes) return;
    ++inline_rows;
    EXPECT_EQ(rows.at({id_of(table::inline_data), keys.inline_data(row)}).size(), row.size);
  };
  all(table::current, [&](const std::string& key, const std::string& value) {
    if (key.size() != 2 + 8 + 401 || key.back() != 1) referenced(value);
  });
  all(table::versions, [&](const std::string&, const std::string& value) { referenced(value); });
  all(table::manifests, [&](const std::string& key, const std::string& value) {
    if (key.size() == 10)
      EXPECT_EQ(decode_manifest(value)->references, manifest_references[key]);
    else
      ++blob_references[keys.blob(decode_manifest_part(value)->blob)];
  });
  std::uint64_t uploads = 0;
  all(table::uploads, [&](const std::string& key, const std::string& value) {
    if (key.size() == 10) return void(++uploads);
    const uploaded_part part = decode_uploaded_part(value).value();
    for (const part_piece& piece : part.pieces) ++blob_references[keys.blob(piece.blob)];
  });
  all(table::upload_names, [&](const std::string& key, const std::string&) {
    if (key.size() != 2 + 8 + 401 || key.back() != 1) --uploads;
  });
  EXPECT_EQ(uploads, 0u);
  all(table::blobs, [&](const std::string& key, const std::string& value) {
    const blob_row row = decode_blob(value).value();
    EXPECT_EQ(row.references, blob_references[key]);
    if (row.buried_at == 0) return;
    ++buried_blobs;
    EXPECT_TRUE(
        rows.contains({id_of(table::buried), keys.all() + byte_writer{}.u64(row.buried_at).take() + key.substr(2)}));
  });
  all(table::inline_data, [&](const auto&, const auto&) { --inline_rows; });
  all(table::buried, [&](const auto&, const auto&) { ++buried_rows; });
  all(table::free_queue, [&](const auto&, const auto&) { ++waiting; });
  EXPECT_EQ(inline_rows, 0u);
  EXPECT_EQ(buried_rows, buried_blobs);
  EXPECT_EQ(rows.at({id_of(table::meta), keys.meta(meta_field::free_waiting)}), byte_writer{}.u64(waiting).view());
}

void check_cluster_invariants(kv_engine& engine) {
  const auto rows = dump(engine);
  const key_maker keys{default_group};
  const auto all = [&](table t, const std::string& prefix, auto visit) {
    for (auto row = rows.lower_bound({id_of(t), prefix});
         row != rows.end() && row->first.first == id_of(t) && row->first.second.starts_with(prefix); ++row)
      visit(row->first.second.substr(prefix.size()), row->second);
  };
  std::uint64_t repairs = 0, repairs_by_blob = 0, nodes = 0;
  std::set<node_number> removed;
  all(table::nodes, keys.nodes(), [&](const std::string&, const std::string& value) {
    const node_row row = decode_node(value).value();
    EXPECT_EQ(row.number, nodes++);
    EXPECT_EQ(rows.at({id_of(table::nodes), keys.node_id(row.id)}), byte_writer{}.u64(row.number).view());
    if (row.state == node_state::removed) removed.insert(row.number);
  });
  const cluster_row cluster = decode_cluster(rows.at({id_of(table::cluster), keys.cluster()})).value();
  EXPECT_EQ(cluster.nodes, nodes);
  for (std::uint16_t page = 0; page < owners_page_count; ++page)
    for (const auto& owners : decode_owners(rows.at({id_of(table::owners), keys.owners(page)})).value()) {
      EXPECT_LE(owners.epoch, cluster.epoch);
      for (const auto& list : {owners.current, owners.target})
        for (const node_number n : list) EXPECT_TRUE(n < nodes && !removed.contains(n));
    }
  std::uint64_t given_up = 0;
  for (const node_number node : {0, 1, 2, 3, 4, 5, int{nobody}})
    all(table::repairs, keys.repairs_of(node), [&](const std::string& key, const std::string& value) {
      const repair_row row = decode_repair(node, key, value).value();
      EXPECT_EQ(rows.at({id_of(table::repairs), keys.repair_by_blob(row)}), value);
      EXPECT_TRUE(rows.contains({id_of(table::blobs), keys.blob(row.blob)}));
      ++repairs;
      given_up += node == nobody;
    });
  all(table::repairs, keys.all() + '\x02', [&](const auto&, const auto&) { ++repairs_by_blob; });
  EXPECT_EQ(repairs, repairs_by_blob);
  const auto count = rows.find({id_of(table::meta), keys.meta(meta_field::repairs)});
  EXPECT_EQ(count == rows.end() ? 0 : byte_reader{count->second}.u64(), repairs);
  const auto of_nobody = rows.find({id_of(table::meta), keys.meta(meta_field::given_up)});
  EXPECT_EQ(of_nobody == rows.end() ? 0 : byte_reader{of_nobody->second}.u64(), given_up);
}

TEST(replay, of_the_same_batches_ends_in_the_same_rows_on_every_engine_also_through_encoding_and_restarts) {
  for (std::uint32_t seed = 1; seed <= 3; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    temporary_directory directory;
    const auto memory = make_memory_kv(table_count);
    auto lmdb = open_lmdb(engine_options(directory.path())).value();
    const auto in_memory = store::open(*memory).value();
    auto on_disk = store::open(*lmdb).value();
    random_commands random{seed};
    int done = 0;
    for (int i = 0; i < 90; ++i) {
      const std::vector<command> batch = i == 0 ? std::vector{random.founding()} : random.batch();
      const auto applied = in_memory->apply(batch).value();
      const auto decoded = decode_batch(encode(batch)).value();
      expect_same(applied, on_disk->apply(decoded).value());
      for (const command_result& r : applied.results) done += !r.refused;
      random.saw(batch, applied);
      random.saw(*in_memory->read().value());
      if (i % 30 == 29) {
        ASSERT_EQ(dump(*memory), dump(*lmdb));
        check_invariants(*memory);
        check_cluster_invariants(*memory);
        on_disk.reset();
        lmdb.reset();
        lmdb = open_lmdb(engine_options(directory.path())).value();
        on_disk = store::open(*lmdb).value();
      }
    }
    EXPECT_GT(done, 200);
  }
}

TEST(replay, of_a_batch_that_failed_at_any_operation_finds_nothing_of_it_and_succeeds) {
  failing_engine engine;
  const auto s = store::open(engine).value();
  random_commands random{7};
  const command founding[] = {random.founding()};
  ASSERT_TRUE(s->apply(founding));
  for (int i = 0; i < 40; ++i) {
    const std::vector<command> batch = random.batch();
    const auto before = dump(engine.inner());
    for (std::uint64_t fail_at = 1;; ++fail_at) {
      ASSERT_LT(fail_at, 5000u);
      engine.left = fail_at;
      const auto applied = s->apply(batch);
      engine.left = ~std::uint64_t{0};
      if (applied) {
        random.saw(batch, *applied);
        random.saw(*s->read().value());
        break;
      }
      ASSERT_EQ(applied.error(), errc::io_error);
      ASSERT_EQ(dump(engine.inner()), before);
    }
  }
  check_invariants(engine.inner());
  check_cluster_invariants(engine.inner());
}

void expect_told_failures(failing_engine& engine, store& s, const char* name,
                          const std::function<result<bool>(view&)>& ask) {
  std::uint64_t fail_at = 1;
  for (;; ++fail_at) {
    ASSERT_LT(fail_at, 100u) << name;
    const auto view = s.read().value();
    engine.left = fail_at;
    const auto answer = ask(*view);
    engine.left = ~std::uint64_t{0};
    if (answer) {
      EXPECT_TRUE(*answer) << name << " at " << fail_at;
      break;
    }
    EXPECT_EQ(answer.error(), errc::io_error) << name << " at " << fail_at;
  }
  EXPECT_GT(fail_at, 1u) << name;
}

TEST(views, that_fail_at_any_operation_say_so_instead_of_missing_rows) {
  failing_engine engine;
  const auto s = store::open(engine).value();
  const command begin[] = {begin_session{.node = {1}, .incarnation = 1}, create_bucket{.name = "files"}};
  const session_id session = s->apply(begin)->results[0].version;
  auto stamp = [session, n = 0]() mutable { return commit_stamp{.session = session, .sequence = std::uint64_t(++n)}; };
  const std::string deep(900, 'k');
  const command fill[] = {put_object{.stamp = stamp(), .bucket = "files", .key = deep, .size = 1, .content = "i"},
                          put_object{.stamp = stamp(),
                                     .bucket = "files",
                                     .key = "big",
                                     .size = 9,
                                     .content = written_blob{{session, 1}, 9, 65536}},
                          abandon_blob{.session = session, .blob = {session, 2}, .chunks = 1}};
  ASSERT_TRUE(s->apply(fill));
  const auto row = s->read().value()->object("files", deep).value();
  const auto big = s->read().value()->object("files", "big").value();

  const std::pair<const char*, std::function<result<bool>(view&)>> questions[] = {
      {"bucket",
       [](view& v) -> result<bool> {
         auto r = v.bucket("files");
         if (!r) return r.error();
         return true;
       }},
      {"buckets",
       [](view& v) -> result<bool> {
         auto r = v.buckets();
         if (!r) return r.error();
         return r->size() == 1;
       }},
      {"object",
       [&](view& v) -> result<bool> {
         auto r = v.object("files", deep);
         if (!r) return r.error();
         return true;
       }},
      {"inline_bytes",
       [&](view& v) -> result<bool> {
         auto r = v.inline_bytes(row);
         if (!r) return r.error();
         return *r == "i";
       }},
      {"parts",
       [&](view& v) -> result<bool> {
         auto r = v.parts(big.manifest, 0, 9);
         if (!r) return r.error();
         return r->size() == 1;
       }},
      {"list",
       [](view& v) -> result<bool> {
         auto r = v.list({.bucket = "files"});
         if (!r) return r.error();
         return r->objects.size() == 2;
       }},
      {"buried",
       [](view& v) -> result<bool> {
         auto r = v.buried(9);
         if (!r) return r.error();
         return r->size() == 1;
       }},
      {"is_dead",
       [&](view& v) -> result<bool> {
         auto r = v.is_dead({session, 1});
         if (!r) return r.error();
         return !*r;
       }},
      {"sessions",
       [](view& v) -> result<bool> {
         auto r = v.sessions();
         if (!r) return r.error();
         return r->size() == 1;
       }},
  };
  for (const auto& [name, ask] : questions) expect_told_failures(engine, *s, name, ask);
}

template <class Answer>
std::function<result<bool>(view&)> question(std::function<result<Answer>(view&)> ask,
                                            std::function<bool(const Answer&)> right) {
  return [ask, right](view& v) -> result<bool> {
    auto r = ask(v);
    if (!r) return r.error();
    return right(*r);
  };
}

TEST(views, of_the_cluster_that_fail_at_any_operation_say_so_too) {
  failing_engine engine;
  const auto s = store::open(engine).value();
  const command begin[] = {begin_session{.node = {1}, .incarnation = 1}, create_bucket{.name = "files"},
                           random_commands{1}.founding(), add_node{.node = {.id = {2}, .address = "other:1"}}};
  const session_id session = s->apply(begin)->results[0].version;
  const blob_id blob{session, 1};
  put_object put{.stamp = {.session = session, .sequence = 1}, .bucket = "files", .key = "big", .size = 9};
  put.content = written_blob{.blob = blob, .length = 9, .chunk_size = 65536, .unconfirmed = {{1, 0, 1}}};
  const command fill[] = {put, acknowledge_epoch{.session = session, .epoch = 2}};
  ASSERT_TRUE(s->apply(fill));

  const std::pair<const char*, std::function<result<bool>(view&)>> questions[] = {
      {"cluster", question<cluster_row>([](view& v) { return v.cluster(); }, [](auto& r) { return r.epoch == 2; })},
      {"nodes",
       question<std::vector<node_row>>([](view& v) { return v.nodes(); }, [](auto& r) { return r.size() == 2; })},
      {"node", question<node_row>([](view& v) { return v.node({1}); }, [](auto& r) { return r.address == "node:1"; })},
      {"owners", question<owners_page>([](view& v) { return v.owners(7); }, [](auto& r) { return r[0].epoch == 1; })},
      {"repairs", question<std::vector<repair_row>>([](view& v) { return v.repairs(1, {}, 9); },
                                                    [](auto& r) { return r.size() == 1; })},
      {"repairs_of", question<std::vector<repair_row>>([&](view& v) { return v.repairs_of(blob, 9); },
                                                       [](auto& r) { return r.size() == 1; })},
      {"acknowledged_epoch",
       question<layout_epoch>([](view& v) { return v.acknowledged_epoch(); }, [](auto& r) { return r == 2; })},
      {"live", question<std::optional<kept_blob>>([&](view& v) { return v.kept(blob); },
                                                  [](auto& r) { return r && r->chunks == 1; })},
  };
  for (const auto& [name, ask] : questions) expect_told_failures(engine, *s, name, ask);
}

} // namespace cairn::storage::metadata::replay_test

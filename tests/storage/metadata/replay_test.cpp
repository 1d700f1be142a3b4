// The state is a function of the commands: whichever engine, whether encoded in between, whether restarted, and
// whatever fails on the way.
#include "tests/storage/metadata/store_fixture.hpp"
#include "tests/storage/temporary_directory.hpp"

#include <random>

namespace cairn::storage::metadata {
namespace {

// Random commands over a few names, so that they meet. Includes wrong, late and repeated ones.
class random_commands {
public:
  explicit random_commands(std::uint32_t seed) : random_(seed) {}

  std::vector<command> batch() {
    std::vector<command> commands;
    for (unsigned i = 1 + random_() % 20; i > 0; --i) commands.push_back(next());
    return commands;
  }
  void saw(const std::vector<command>& commands, const applied_batch& applied) {
    for (std::size_t i = 0; i < commands.size(); ++i)
      if (std::holds_alternative<begin_session>(commands[i])) sessions_.push_back(applied.results[i].version);
  }
  void saw_buried(std::vector<buried_blob> blobs) { buried_ = std::move(blobs); }

private:
  command next() {
    if (!sent_.empty() && random_() % 12 == 0) return sent_[random_() % sent_.size()];
    command c = fresh();
    sent_.push_back(c);
    return c;
  }
  command fresh() {
    switch (random_() % 24) {
      case 0: return begin_session{.node = {std::uint8_t(random_() % 3)}, .incarnation = random_() % 5};
      case 1: return end_session{.session = session()};
      case 2:
      case 3: return create_bucket{.name = bucket(), .now = wall_ms(random_())};
      case 4: return delete_bucket{.name = bucket()};
      case 5:
      case 6:
      case 7:
        return delete_object{
            .stamp = stamp(), .bucket = bucket(), .key = key(), .now = wall_ms(random_()), .condition = condition()};
      case 8:
      case 9: {
        const session_id s = session();
        return abandon_blob{.session = s, .blob = blob(s), .chunks = std::uint32_t(random_() % 9)};
      }
      case 10: {
        reap c{.blobs = buried_};
        if (!c.blobs.empty()) c.blobs.resize(random_() % c.blobs.size() + 1);
        return c;
      }
      case 11:
        return free_manifests{.parts_max = std::uint32_t(random_() % 5),
                              .released_up_to = random_() % 4 == 0 ? random_() % 100 : ~0ull};
      default: return put();
    }
  }
  command put() {
    put_object c{.stamp = stamp(), .bucket = bucket(), .key = key(), .now = wall_ms(random_())};
    c.etag.digest[0] = std::uint8_t(random_() % 3);
    c.condition = condition();
    if (random_() % 2 == 0) {
      const std::string bytes(random_() % 5000, 'i');
      c.size = bytes.size();
      c.content = bytes;
    } else {
      c.size = random_() % 10'000'000;
      c.content = written_blob{.blob = blob(c.stamp.session), .length = c.size, .chunk_size = 65536u << random_() % 4};
    }
    return c;
  }
  write_condition condition() {
    write_condition c;
    if (random_() % 6 == 0) c.if_absent = true;
    if (random_() % 6 == 0)
      c.if_match = random_() % 2 == 0 ? "*" : to_string(etag{.digest = {std::uint8_t(random_() % 3)}});
    return c;
  }
  commit_stamp stamp() {
    ++sequence_;
    return {.session = session(),
            .sequence = sequence_,
            .acknowledged_below = sequence_ > 10 ? sequence_ - random_() % 10 : 0};
  }
  session_id session() {
    return sessions_.empty() || random_() % 20 == 0
               ? 1000
               : sessions_[sessions_.size() - 1 - random_() % std::min<std::size_t>(3, sessions_.size())];
  }
  blob_id blob(session_id of) {
    return {.session = random_() % 20 == 0 ? 77 : of,
            .number = random_() % 4 == 0 ? random_() % (blobs_ + 1) : ++blobs_};
  }
  std::string bucket() { return std::string("bucket-") + char('a' + random_() % 3) + (random_() % 30 == 0 ? "!" : ""); }
  std::string key() {
    static constexpr std::size_t lengths[] = {0, 1, 2, 400, 401, 800, 801, 1024, 1025};
    return std::string(lengths[random_() % 9 == 0 ? random_() % std::size(lengths) : 1 + random_() % 6],
                       char('a' + random_() % 3));
  }

  std::mt19937 random_;
  std::vector<session_id> sessions_;
  std::vector<buried_blob> buried_;
  std::vector<command> sent_;
  std::uint64_t sequence_ = 0, blobs_ = 0;
};

void expect_same(const applied_batch& a, const applied_batch& b) {
  ASSERT_EQ(a.index, b.index);
  ASSERT_EQ(a.results.size(), b.results.size());
  for (std::size_t i = 0; i < a.results.size(); ++i) ASSERT_EQ(encode(a.results[i]), encode(b.results[i]));
}

// Rows that belong together do. What the checker knows of the tables is written down in tables.hpp.
void check_invariants(kv_engine& engine) {
  std::map<std::string, std::uint32_t> manifest_references, blob_references;
  std::uint64_t inline_rows = 0, buried_rows = 0, buried_blobs = 0, waiting = 0;
  const auto rows = dump(engine);
  const auto all = [&](table t, auto visit) {
    for (auto row = rows.lower_bound({id_of(t), ""}); row != rows.end() && row->first.first == id_of(t); ++row)
      visit(row->first.second, row->second);
  };
  const key_maker keys{default_group};
  all(table::current, [&](const std::string& key, const std::string& value) {
    if (key.size() == 2 + 8 + 401 && key.back() == 1) return;
    const object_row row = decode_object(value).value();
    if (row.content == content_kind::manifest) ++manifest_references[keys.manifest(row.manifest)];
    if (row.content != content_kind::inline_bytes) return;
    ++inline_rows;
    EXPECT_EQ(rows.at({id_of(table::inline_data), keys.inline_data(row)}).size(), row.size);
  });
  all(table::manifests, [&](const std::string& key, const std::string& value) {
    if (key.size() == 10)
      EXPECT_EQ(decode_manifest(value)->references, manifest_references[key]);
    else
      ++blob_references[keys.blob(decode_manifest_part(value)->blob)];
  });
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

TEST(replay, of_the_same_batches_ends_in_the_same_rows_on_every_engine_also_through_encoding_and_restarts) {
  for (std::uint32_t seed = 1; seed <= 3; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    temporary_directory directory;
    const auto memory = make_memory_kv(table_count);
    auto lmdb = open_lmdb({.directory = directory.path(), .tables = table_count}).value();
    const auto in_memory = store::open(*memory).value();
    auto on_disk = store::open(*lmdb).value();
    random_commands random{seed};
    int done = 0;
    for (int i = 0; i < 90; ++i) {
      const std::vector<command> batch = random.batch();
      const auto applied = in_memory->apply(batch).value();
      const auto decoded = decode_batch(encode(batch)).value();
      expect_same(applied, on_disk->apply(decoded).value());
      for (const command_result& r : applied.results) done += !r.refused;
      random.saw(batch, applied);
      random.saw_buried(in_memory->read().value()->buried(5).value());
      if (i % 30 == 29) {
        ASSERT_EQ(dump(*memory), dump(*lmdb));
        check_invariants(*memory);
        on_disk.reset();
        lmdb.reset();
        lmdb = open_lmdb({.directory = directory.path(), .tables = table_count}).value();
        on_disk = store::open(*lmdb).value();
      }
    }
    EXPECT_GT(done, 200);
  }
}

// A memory engine whose transactions fail at the n-th operation after it was armed.
class failing_engine final : public kv_engine {
public:
  std::uint64_t left = ~std::uint64_t{0};

  result<std::unique_ptr<kv_reader>> begin_read() override {
    if (!step()) return broken();
    return std::unique_ptr<kv_reader>{new transaction(*this, nullptr, inner_->begin_read().value())};
  }
  result<std::unique_ptr<kv_writer>> begin_write() override {
    if (!step()) return broken();
    auto writer = inner_->begin_write().value();
    kv_writer* const raw = writer.get();
    return std::unique_ptr<kv_writer>{new transaction(*this, raw, std::move(writer))};
  }
  kv_engine& inner() { return *inner_; }

private:
  static error broken() { return {errc::io_error, "as the test wants"}; }
  bool step() { return left > 0 && --left > 0; }

  class transaction final : public kv_writer {
  public:
    transaction(failing_engine& e, kv_writer* writer, std::unique_ptr<kv_reader> kv)
        : engine_(e), writer_(writer), kv_(std::move(kv)) {}
    std::optional<std::string_view> get(table_id t, std::string_view key) override {
      return step() ? kv_->get(t, key) : std::nullopt;
    }
    std::unique_ptr<kv_cursor> cursor(table_id t) override {
      struct failing_cursor final : kv_cursor {
        failing_cursor(transaction& t, std::unique_ptr<kv_cursor> c) : kv(t), inner(std::move(c)) {}
        std::optional<kv_pair> seek(std::string_view key) override {
          return kv.step() ? inner->seek(key) : std::nullopt;
        }
        std::optional<kv_pair> next() override { return kv.step() ? inner->next() : std::nullopt; }
        transaction& kv;
        std::unique_ptr<kv_cursor> inner;
      };
      return std::make_unique<failing_cursor>(*this, kv_->cursor(t));
    }
    std::uint64_t entries(table_id t) override { return step() ? kv_->entries(t) : 0; }
    result<void> status() const override {
      if (failed_) return broken();
      return kv_->status();
    }
    void put(table_id t, std::string_view key, std::string_view value) override {
      if (step()) writer_->put(t, key, value);
    }
    bool erase(table_id t, std::string_view key) override { return step() && writer_->erase(t, key); }
    result<void> commit() override {
      if (!step()) return broken();
      return writer_->commit();
    }

  private:
    bool step() {
      failed_ = failed_ || !engine_.step();
      return !failed_;
    }
    failing_engine& engine_;
    kv_writer* writer_;
    std::unique_ptr<kv_reader> kv_;
    bool failed_ = false;
  };

  std::unique_ptr<kv_engine> inner_ = make_memory_kv(table_count);
};

TEST(replay, of_a_batch_that_failed_at_any_operation_finds_nothing_of_it_and_succeeds) {
  failing_engine engine;
  const auto s = store::open(engine).value();
  random_commands random{7};
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
        random.saw_buried(s->read().value()->buried(5).value());
        break;
      }
      ASSERT_EQ(applied.error(), errc::io_error);
      ASSERT_EQ(dump(engine.inner()), before);
    }
  }
  check_invariants(engine.inner());
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
  for (const auto& [name, ask] : questions) {
    std::uint64_t fail_at = 1;
    for (;; ++fail_at) {
      ASSERT_LT(fail_at, 100u) << name;
      const auto view = s->read().value();
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
}

} // namespace
} // namespace cairn::storage::metadata

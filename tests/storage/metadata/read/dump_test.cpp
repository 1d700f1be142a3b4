#include "storage/metadata/read/dump.hpp"

#include "base/checksum.hpp"
#include "base/files/memory_file_system.hpp"
#include "base/files/small_file.hpp"
#include "tests/base/temporary_directory.hpp"
#include "tests/storage/chunks/chunk_store_fixture.hpp"
#include "tests/storage/metadata/failing_engine.hpp"
#include "tests/storage/metadata/random_commands.hpp"
#include "tests/storage/metadata/store_fixture.hpp"

namespace cairn::storage::metadata::dump_test {

const std::string path = "/data/dump";
const table_id foreign = table_count; // a table that is not the metadata's

// An engine of either kind with an additional table that does not belong to the metadata.
struct some_engine {
  explicit some_engine(std::string_view kind) {
    const table_id tables = static_cast<table_id>(table_count + 1);
    if (kind == "memory") {
      engine = make_memory_kv(tables);
    } else {
      auto opened = open_lmdb({.directory = directory.path(), .tables = tables});
      EXPECT_TRUE(opened) << opened.error().text;
      engine = std::move(*opened);
    }
    const auto writer = engine->begin_write().value();
    writer->put(foreign, "log", "entry");
    EXPECT_TRUE(writer->commit());
  }
  std::string log() {
    const auto reader = engine->begin_read().value();
    return std::string{reader->get(foreign, "log").value_or("")};
  }
  temporary_directory directory;
  std::unique_ptr<kv_engine> engine;
};

// Everything but the log's table, as it is after some random history.
table_rows fill(kv_engine& engine, std::uint32_t seed, int batches, group_id group = default_group) {
  const auto rows = store::open(engine, group).value();
  random_commands random{seed};
  std::vector<command> first{random.founding(), create_bucket{.name = "bucket", .now = 1}};
  EXPECT_TRUE(rows->apply(first));
  for (int i = 0; i < batches; ++i) {
    const auto batch = random.batch();
    random.saw(batch, rows->apply(batch).value());
    random.saw(*rows->read().value());
  }
  return dump(engine);
}

class metadata_dump : public testing::TestWithParam<const char*> {
protected:
  void SetUp() override { ASSERT_TRUE(disk.make_directories("/data")); }
  result<dump_info> write(kv_engine& engine, group_id group = default_group) {
    return write_dump(*engine.begin_read().value(), group, disk, path);
  }
  std::string bytes() {
    const auto opened = disk.open(path, open_mode::read_only).value();
    std::string all(opened->size().value(), '\0');
    const bytes_span into = std::as_writable_bytes(std::span{all});
    EXPECT_EQ(opened->read(0, std::span{&into, 1}).value(), all.size());
    return all;
  }
  void put(std::string_view content) { ASSERT_TRUE(replace_small_file(disk, path, content)); }

  some_engine from{GetParam()}, to{GetParam()};
  memory_file_system disk;
  seeded_random random{1};
};

INSTANTIATE_TEST_SUITE_P(engines, metadata_dump, testing::Values("memory", "lmdb"),
                         [](const auto& engine) { return engine.param; });

TEST_P(metadata_dump, makes_another_engine_the_same_and_leaves_foreign_tables_alone) {
  const auto state = fill(*from.engine, 1, 60);
  const auto written = write(*from.engine).value();
  EXPECT_EQ(written.header.applied, 61u);
  EXPECT_EQ(written.rows, state.size());
  EXPECT_EQ(written.bytes, bytes().size());
  const auto header = read_dump_header(disk, path).value();
  EXPECT_EQ(header.applied, 61u);
  EXPECT_EQ(header.group, default_group);

  fill(*to.engine, 2, 40);
  const auto loaded = load_dump(*to.engine, disk, path).value();
  EXPECT_EQ(loaded.rows, written.rows);
  EXPECT_EQ(loaded.bytes, written.bytes);
  EXPECT_EQ(dump(*to.engine), state);
  EXPECT_EQ(to.log(), "entry");
  const std::string before = bytes();
  ASSERT_TRUE(write(*to.engine));
  EXPECT_EQ(bytes(), before);

  // Into an engine that holds nothing yet.
  some_engine fresh{GetParam()};
  ASSERT_TRUE(load_dump(*fresh.engine, disk, path));
  EXPECT_EQ(dump(*fresh.engine), state);
  EXPECT_EQ(store::open(*fresh.engine).value()->read().value()->applied(), 61u);
}

TEST_P(metadata_dump, replaces_one_group_and_no_other) {
  fill(*from.engine, 3, 10, 7);
  ASSERT_TRUE(write(*from.engine, 7));
  fill(*to.engine, 4, 10, 6);
  fill(*to.engine, 5, 10, 8);
  const auto others = dump(*to.engine);
  fill(*to.engine, 6, 10, 7);
  ASSERT_TRUE(load_dump(*to.engine, disk, path));
  auto expected = others;
  for (const auto& row : dump(*from.engine)) expected.insert(row);
  EXPECT_EQ(dump(*to.engine), expected);
  EXPECT_EQ(write(*to.engine, 9).error(), errc::corrupt) << "there is no such group";
}

TEST_P(metadata_dump, commits_the_callers_writes_with_its_own_or_nothing) {
  const auto state = fill(*from.engine, 7, 5);
  ASSERT_TRUE(write(*from.engine));
  const auto before = fill(*to.engine, 8, 5);
  const auto refused = load_dump(*to.engine, disk, path, [](kv_writer& kv) -> result<void> {
    kv.put(foreign, "log", "cut");
    return error{errc::busy, "as the test wants"};
  });
  EXPECT_EQ(refused.error(), errc::busy);
  EXPECT_EQ(dump(*to.engine), before);
  EXPECT_EQ(to.log(), "entry");
  ASSERT_TRUE(load_dump(*to.engine, disk, path, [](kv_writer& kv) -> result<void> {
    kv.put(foreign, "log", "cut");
    return {};
  }));
  EXPECT_EQ(dump(*to.engine), state);
  EXPECT_EQ(to.log(), "cut");
}

TEST_P(metadata_dump, takes_rows_that_are_larger_than_a_piece) {
  {
    const auto rows = store::open(*from.engine).value();
    std::vector<command> batch{create_bucket{.name = "files", .now = 1}};
    for (const char first : {'a', 'b', 'c'}) {
      set_bucket settings{.name = "files"};
      settings.lifecycle.emplace().emplace_back().prefix = first + std::string(dump_piece_bytes_max, 'x');
      batch.push_back(create_bucket{.name = std::string(5, first), .now = 1});
      settings.name = std::string(5, first);
      settings.stamp = {.session = 1, .sequence = std::uint64_t(first)};
      batch.push_back(settings);
    }
    batch.insert(batch.begin(), begin_session{.node = {1}, .incarnation = 1});
    for (const auto& done : rows->apply(batch).value().results) ASSERT_FALSE(done.refused);
  }
  ASSERT_TRUE(write(*from.engine));
  EXPECT_TRUE(verify_dump(disk, path));
  ASSERT_TRUE(load_dump(*to.engine, disk, path));
  EXPECT_EQ(dump(*to.engine), dump(*from.engine));
}

TEST_P(metadata_dump, takes_many_pieces_and_refuses_when_one_is_missing_doubled_or_out_of_place) {
  {
    const auto rows = store::open(*from.engine).value();
    const command start[] = {create_bucket{.name = "files", .now = 1}, begin_session{.node = {1}, .incarnation = 1}};
    const session_id session = rows->apply(start).value().results.at(1).version;
    for (std::uint64_t n = 1; n <= 300; ++n) {
      const std::string content(4096, char('a' + n % 26));
      const command batch[] = {put_object{.stamp = {session, n, n},
                                          .bucket = "files",
                                          .key = "object-" + std::to_string(n),
                                          .now = 2,
                                          .size = content.size(),
                                          .content = content}};
      ASSERT_FALSE(rows->apply(batch).value().results.at(0).refused);
    }
  }
  ASSERT_TRUE(write(*from.engine));
  ASSERT_TRUE(load_dump(*to.engine, disk, path));
  EXPECT_EQ(dump(*to.engine), dump(*from.engine));

  const std::string good = bytes();
  std::vector<std::string> pieces;
  for (std::size_t at = 24; at + 24 < good.size();) {
    const std::size_t length = byte_reader{std::string_view{good}.substr(at)}.u32();
    EXPECT_LE(length, dump_piece_bytes_max);
    pieces.push_back(good.substr(at, 4 + length + 4));
    at += pieces.back().size();
  }
  ASSERT_GE(pieces.size(), 4u);
  const auto file_of = [&](std::initializer_list<std::size_t> order) {
    std::string all = good.substr(0, 24);
    for (const std::size_t i : order) all += pieces[i];
    for (std::size_t i = 4; i < pieces.size(); ++i) all += pieces[i];
    return all + good.substr(good.size() - 24);
  };
  const auto refused = [&](const std::string& content) {
    EXPECT_TRUE(disk.remove(path));
    const auto file = disk.open(path, open_mode::create).value();
    const bytes_view all = std::as_bytes(std::span{content});
    EXPECT_TRUE(file->write(0, std::span{&all, 1}));
    return verify_dump(disk, path).error().code;
  };
  EXPECT_EQ(refused(file_of({0, 1, 3})), errc::corrupt);
  EXPECT_EQ(refused(file_of({0, 2, 1, 3})), errc::corrupt);
  EXPECT_EQ(refused(file_of({0, 1, 1, 2, 3})), errc::corrupt);
}

TEST_P(metadata_dump, is_refused_when_a_bit_flipped_or_bytes_are_missing_anywhere) {
  const command small[] = {create_bucket{.name = "files", .now = 1}, begin_session{.node = {1}, .incarnation = 1}};
  ASSERT_TRUE(store::open(*from.engine).value()->apply(small));
  ASSERT_TRUE(write(*from.engine));
  const auto state = fill(*to.engine, 10, 3);
  const std::string good = bytes();
  for (std::size_t length = 0; length < good.size(); ++length) {
    put(std::string_view{good}.substr(0, length));
    ASSERT_EQ(load_dump(*to.engine, disk, path).error(), errc::corrupt) << length;
  }
  put(good + '\0');
  EXPECT_EQ(load_dump(*to.engine, disk, path).error(), errc::corrupt);
  put(good);
  for (std::uint64_t bit = 0; bit < good.size() * 8; ++bit) {
    disk.flip_bit(path, bit);
    const auto loaded = load_dump(*to.engine, disk, path);
    ASSERT_TRUE(!loaded && (loaded.error() == errc::corrupt || loaded.error() == errc::unsupported)) << bit;
    disk.flip_bit(path, bit);
  }
  EXPECT_EQ(dump(*to.engine), state);
  EXPECT_TRUE(verify_dump(disk, path));
  EXPECT_EQ(verify_dump(disk, "/data/none").error(), errc::not_found);
}

TEST_P(metadata_dump, keeps_the_old_file_when_writing_fails_or_the_power_does) {
  fill(*from.engine, 11, 3);
  ASSERT_TRUE(write(*from.engine));
  const std::string old = bytes();
  fill(*to.engine, 12, 30);
  for (int allowed = 0;; ++allowed) {
    ASSERT_LT(allowed, 100);
    int left = allowed;
    disk.set_fault([&](disk_operation, const std::string&) -> std::optional<error> {
      if (left-- > 0) return std::nullopt;
      return error{errc::no_space, "as the test wants"};
    });
    const auto written = write(*to.engine);
    disk.set_fault({});
    disk.crash(random);
    ASSERT_TRUE(verify_dump(disk, path));
    if (!written) {
      EXPECT_EQ(written.error(), errc::no_space);
      continue;
    }
    EXPECT_NE(bytes(), old);
    break;
  }
}

TEST(metadata_dump_load, changes_nothing_whichever_operation_fails) {
  memory_file_system disk;
  ASSERT_TRUE(disk.make_directories("/data"));
  const auto source = make_memory_kv(table_count);
  const auto next = fill(*source, 13, 4);
  ASSERT_TRUE(write_dump(*source->begin_read().value(), default_group, disk, path));
  failing_engine engine;
  const auto before = fill(engine.inner(), 14, 4);
  for (std::uint64_t allowed = 1;; ++allowed) {
    ASSERT_LT(allowed, 100'000u);
    engine.left = allowed;
    const auto loaded = load_dump(engine, disk, path);
    engine.left = ~std::uint64_t{0};
    if (loaded) break;
    EXPECT_EQ(loaded.error(), errc::io_error);
    ASSERT_EQ(dump(engine.inner()), before);
  }
  EXPECT_EQ(dump(engine.inner()), next);
}

TEST(metadata_dump_write, leaves_no_file_whichever_row_can_not_be_read) {
  memory_file_system disk;
  ASSERT_TRUE(disk.make_directories("/data"));
  failing_engine engine;
  const auto state = fill(engine.inner(), 16, 4);
  for (std::uint64_t allowed = 2;; ++allowed) { // the first one begins the snapshot
    ASSERT_LT(allowed, 100'000u);
    engine.left = allowed;
    const auto written = write_dump(*engine.begin_read().value(), default_group, disk, path);
    engine.left = ~std::uint64_t{0};
    if (written) {
      EXPECT_EQ(written->rows, state.size());
      break;
    }
    ASSERT_EQ(written.error(), errc::io_error);
    ASSERT_EQ(verify_dump(disk, path).error(), errc::not_found);
  }
  EXPECT_TRUE(verify_dump(disk, path));
}

TEST(metadata_dump_load, refuses_totals_that_are_not_those_of_the_rows) {
  memory_file_system disk;
  ASSERT_TRUE(disk.make_directories("/data"));
  const auto engine = make_memory_kv(table_count);
  const command small[] = {create_bucket{.name = "files", .now = 1}};
  ASSERT_TRUE(store::open(*engine).value()->apply(small));
  ASSERT_TRUE(write_dump(*engine->begin_read().value(), default_group, disk, path));
  const std::string good = read_small_file(disk, path).value();
  constexpr std::size_t end_bytes = 4 + 8 + 8, sum_bytes = 4;
  const auto with = [&](std::uint64_t more_rows, std::uint64_t more_bytes) {
    const auto front = std::string_view{good}.substr(0, good.size() - end_bytes - sum_bytes);
    byte_reader before{front.substr(front.size() - sum_bytes)}, end{std::string_view{good}.substr(front.size() + 4)};
    const std::uint32_t sum = before.u32();
    byte_writer w;
    w.u32(0).u64(end.u64() + more_rows).u64(end.u64() + more_bytes);
    const std::string changed{w.view()};
    w.u32(crc32c(std::as_bytes(std::span{changed}), sum));
    EXPECT_TRUE(replace_small_file(disk, path, std::string{front} + std::string{w.view()}));
    return verify_dump(disk, path);
  };
  EXPECT_TRUE(with(0, 0));
  EXPECT_EQ(with(1, 0).error(), errc::corrupt);
  EXPECT_EQ(with(0, 1).error(), errc::corrupt);
}

TEST(metadata_dump_load, refuses_a_newer_format_and_rows_that_contradict_the_header) {
  memory_file_system disk;
  ASSERT_TRUE(disk.make_directories("/data"));
  const auto engine = make_memory_kv(table_count);
  fill(*engine, 15, 1);
  const auto with = [&](meta_field field, std::optional<std::string_view> value) {
    const auto writer = engine->begin_write().value();
    const std::string key = key_maker{default_group}.meta(field);
    const std::string old{writer->get(id_of(table::meta), key).value()};
    if (value)
      writer->put(id_of(table::meta), key, *value);
    else
      writer->erase(id_of(table::meta), key);
    EXPECT_TRUE(write_dump(*writer, default_group, disk, path));
    return verify_dump(disk, path).error().code;
  };
  EXPECT_EQ(with(meta_field::format, std::string_view{"\x02", 1}), errc::unsupported);
  EXPECT_EQ(with(meta_field::format, std::string_view{"\x01\x01", 2}), errc::corrupt);
  EXPECT_EQ(with(meta_field::applied, std::string_view{"12345678x"}), errc::corrupt);
}

} // namespace cairn::storage::metadata::dump_test

// Random bits of an LMDB file are flipped: the engine returns what was written, or an error.
#include "storage/kv/kv.hpp"
#include "storage/kv/kv_damage.hpp"
#include "tests/base/temporary_directory.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <map>
#include <random>

namespace cairn::storage::lmdb_damage_test {
using rows = std::map<std::string, std::string>;

constexpr std::size_t page_bytes = 4096;

std::string load(const std::string& path) {
  std::ifstream in{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, {}};
}

struct tally {
  int runs = 0, refused = 0, good = 0, damaged = 0, missed = 0;
};

class damaged_lmdb : public testing::Test {
protected:
  // Three tables with rows of all sizes, a list of free pages, and pages that were split and joined.
  void SetUp() override {
    const auto engine = open_lmdb(options(directory.path()));
    ASSERT_TRUE(engine);
    std::mt19937 dice{5};
    for (int round = 0; round < 30; ++round) {
      auto writer = (*engine)->begin_write().value();
      for (int i = 0; i < 80; ++i) {
        const table_id t = static_cast<table_id>(dice() % 3);
        const std::string key = "photos/" + std::to_string(dice() % 100000);
        const std::string value(dice() % 12 == 0 ? dice() % 9000 : dice() % 300, static_cast<char>(dice()));
        writer->put(t, key, value);
        oracle[t][key] = value;
        if (dice() % 3 == 0 && !oracle[t].empty()) {
          const auto gone = std::next(oracle[t].begin(), static_cast<long>(dice() % oracle[t].size()))->first;
          EXPECT_TRUE(writer->erase(t, gone));
          oracle[t].erase(gone);
        }
      }
      ASSERT_TRUE(writer->commit());
    }
  }
  void prepare() { image = load(directory.path() + "/data.mdb"); }
  static lmdb_options options(const std::string& path) {
    return {.directory = path, .tables = 3, .map_bytes = 64ull << 20};
  }

  // One run: a copy with flipped bits is read, written, and read again.
  void run(const std::string& bytes, std::mt19937& dice, tally& t) {
    const temporary_directory copy;
    std::ofstream{copy.path() + "/data.mdb", std::ios::binary} << bytes;
    ++t.runs;
    const auto engine = open_lmdb(options(copy.path()));
    if (!engine) {
      ++t.refused;
      return;
    }
    rows wanted[3] = {oracle[0], oracle[1], oracle[2]};
    look(**engine, wanted, dice, t);
    for (int i = 0; i < 6; ++i) change(**engine, wanted, dice); // each waits for the disk
    look(**engine, wanted, dice, t);
  }

  static void change(kv_engine& engine, rows* wanted, std::mt19937& dice) {
    auto writer = engine.begin_write();
    if (!writer) return;
    rows next[3] = {wanted[0], wanted[1], wanted[2]};
    for (int i = 0; i < 10; ++i) {
      const table_id t = static_cast<table_id>(dice() % 3);
      if (dice() % 2 == 0 && !next[t].empty()) {
        const auto gone = std::next(next[t].begin(), static_cast<long>(dice() % next[t].size()))->first;
        (*writer)->erase(t, gone);
        next[t].erase(gone);
      } else {
        const std::string key = "photos/" + std::to_string(dice() % 100000);
        next[t][key] = std::string(dice() % 4000, 'n');
        (*writer)->put(t, key, next[t][key]);
      }
    }
    if ((*writer)->commit()) std::ranges::copy(next, wanted);
  }

  static void look(kv_engine& engine, const rows* wanted, std::mt19937& dice, tally& t) {
    for (table_id table = 0; table < 3; ++table) {
      for (int i = 0; i < 40 && !wanted[table].empty(); ++i) {
        const auto& [key, value] = *std::next(wanted[table].begin(), static_cast<long>(dice() % wanted[table].size()));
        const auto reader = engine.begin_read();
        if (!reader) continue;
        const auto found = (*reader)->get(table, key);
        if (found) {
          ASSERT_EQ(*found, value) << key;
          ++t.good;
        } else {
          ++((*reader)->status() ? t.missed : t.damaged);
        }
      }
      walk(engine, table, wanted[table], t);
    }
  }

  static void walk(kv_engine& engine, table_id table, const rows& wanted, tally& t) {
    const auto reader = engine.begin_read();
    if (!reader) return;
    const auto cursor = (*reader)->cursor(table);
    auto expected = wanted.begin();
    for (auto row = cursor->seek(""); row; row = cursor->next(), ++expected) {
      const bool next_one = expected != wanted.end() && row->key == expected->first;
      if (!next_one) { // rows were passed over: those that come must still be true
        ++t.missed;
        expected = wanted.find(std::string{row->key});
        ASSERT_NE(expected, wanted.end()) << row->key;
      }
      ASSERT_EQ(row->value, expected->second);
    }
    if ((*reader)->status() && expected != wanted.end()) ++t.missed;
  }

  static int seeds() { // `./dev test long` sets more
    const char* const wanted = std::getenv("CAIRN_DAMAGE_SEEDS");
    return wanted != nullptr ? std::atoi(wanted) : 200;
  }

  temporary_directory directory;
  rows oracle[3];
  std::string image;
};

TEST_F(damaged_lmdb, never_answers_what_was_not_written_when_one_bit_is_flipped) {
  prepare();
  tally t;
  for (int seed = 0; seed < seeds(); ++seed) {
    std::mt19937 dice{static_cast<unsigned>(seed)};
    std::string bytes = image;
    // Half of them where pages begin: headers and the places of rows.
    const std::size_t page = dice() % (bytes.size() / page_bytes);
    const std::size_t at = page * page_bytes + dice() % (seed % 2 == 0 ? page_bytes : 64);
    bytes[at] = static_cast<char>(bytes[at] ^ (1 << dice() % 8));
    run(bytes, dice, t);
    if (HasFatalFailure()) FAIL() << "seed " << seed << ", byte " << at;
    EXPECT_EQ(t.missed, 0) << "seed " << seed << ", byte " << at;
    t.missed = 0;
  }
  EXPECT_GT(t.good, t.runs * 100);
  EXPECT_GT(t.damaged + t.refused, 0);
  RecordProperty("refused", t.refused);
  std::printf("%d runs: %d refused, %d good, %d damaged\n", t.runs, t.refused, t.good, t.damaged);
}

// LMDB divides by the size of a page that its meta pages name.
TEST_F(damaged_lmdb, does_not_end_the_process_when_the_size_of_its_pages_is_damaged) {
  prepare();
  constexpr std::size_t size_at = 16 + 24, size_bits = 32;
  tally t;
  std::mt19937 dice{1};
  for (const unsigned pages : {1u, 2u, 3u}) {
    const auto damage = [&](const std::function<void(char*)>& how) {
      std::string bytes = image;
      for (unsigned page = 0; page < 2; ++page)
        if ((pages >> page & 1) != 0) how(bytes.data() + page * page_bytes + size_at);
      run(bytes, dice, t);
    };
    damage([](char* size) { std::memset(size, 0, sizeof(std::uint32_t)); });
    for (std::size_t bit = 0; bit < size_bits; ++bit)
      damage([bit](char* size) { size[bit / 8] = static_cast<char>(size[bit / 8] ^ (1 << bit % 8)); });
    if (HasFatalFailure()) FAIL() << "pages " << pages;
  }
  EXPECT_EQ(t.missed, 0);
  EXPECT_GE(t.refused, 2 * 33) << "of the page that counts, and of both";
}

TEST_F(damaged_lmdb, is_corrupt_when_its_last_page_is_beyond_the_map) {
  prepare();
  constexpr std::size_t last_at = 16 + 24 + 2 * 48, first_bit = 14; // 64 MiB of pages
  for (std::size_t bit = first_bit; bit < 64; ++bit) {
    std::string bytes = image;
    for (std::size_t page = 0; page < 2; ++page) {
      auto& damaged = bytes[page * page_bytes + last_at + bit / 8];
      damaged = static_cast<char>(damaged ^ (1 << bit % 8));
    }
    const temporary_directory copy;
    std::ofstream{copy.path() + "/data.mdb", std::ios::binary} << bytes;
    const auto engine = open_lmdb(options(copy.path()));
    ASSERT_FALSE(engine) << bit;
    EXPECT_EQ(engine.error(), errc::corrupt) << bit << ": " << to_string(engine.error());
  }
}

TEST_F(damaged_lmdb, is_corrupt_when_its_meta_pages_name_another_order_of_keys) {
  prepare();
  for (const std::size_t flags_at : {std::size_t{16 + 24 + 4}, std::size_t{16 + 24 + 48 + 4}}) {
    for (unsigned bit = 1; bit < 7; ++bit) {
      std::string bytes = image;
      for (std::size_t page = 0; page < 2; ++page) {
        auto& damaged = bytes[page * page_bytes + flags_at];
        damaged = static_cast<char>(damaged ^ (1 << bit));
      }
      const temporary_directory copy;
      std::ofstream{copy.path() + "/data.mdb", std::ios::binary} << bytes;
      const auto engine = open_lmdb(options(copy.path()));
      ASSERT_FALSE(engine) << flags_at << ' ' << bit;
      EXPECT_EQ(engine.error(), errc::corrupt) << to_string(engine.error());
    }
  }
}

TEST_F(damaged_lmdb, neither_ends_the_process_nor_answers_what_was_not_written_when_many_bits_are_flipped) {
  prepare();
  tally t;
  for (int seed = 0; seed < seeds(); ++seed) {
    std::mt19937 dice{static_cast<unsigned>(100'000 + seed)};
    std::string bytes = image;
    for (unsigned flips = 1u << (1 + dice() % 12); flips > 0; --flips) {
      const std::size_t at = (seed % 3 == 0 ? 0 : 2 * page_bytes) + dice() % (bytes.size() - 2 * page_bytes);
      bytes[at] = static_cast<char>(bytes[at] ^ (1 << dice() % 8));
    }
    run(bytes, dice, t);
    if (HasFatalFailure()) FAIL() << "seed " << seed;
  }
  EXPECT_GT(t.damaged, 0);
  std::printf("%d runs: %d refused, %d good, %d damaged, %d missed\n", t.runs, t.refused, t.good, t.damaged, t.missed);
}

TEST_F(damaged_lmdb, survives_pages_of_random_bytes_and_of_zeros) {
  prepare();
  tally t;
  for (int seed = 0; seed < seeds() / 4; ++seed) {
    std::mt19937 dice{static_cast<unsigned>(200'000 + seed)};
    std::string bytes = image;
    for (unsigned pages = 1 + dice() % 4; pages > 0; --pages) {
      const std::size_t page = 2 + dice() % (bytes.size() / page_bytes - 2);
      for (std::size_t i = 0; i < page_bytes; ++i)
        bytes[page * page_bytes + i] = seed % 2 == 0 ? '\0' : static_cast<char>(dice());
    }
    run(bytes, dice, t);
    if (HasFatalFailure()) FAIL() << "seed " << seed;
    EXPECT_EQ(t.missed, 0) << "seed " << seed;
    t.missed = 0;
  }
  std::printf("%d runs: %d refused, %d good, %d damaged\n", t.runs, t.refused, t.good, t.damaged);
}

// A misdirected write, or an older version of a page: its rows have valid checksums.
TEST(misplaced_lmdb_page, never_brings_an_older_row_back) {
  const temporary_directory directory;
  const lmdb_options options{.directory = directory.path(), .tables = 1, .map_bytes = 64ull << 20};
  {
    const auto engine = open_lmdb(options).value();
    for (const char* const value : {"oldest", "older", "old", "new"}) {
      const auto writer = engine->begin_write().value();
      writer->put(0, "key", value);
      ASSERT_TRUE(writer->commit());
    }
  }
  const std::string image = load(directory.path() + "/data.mdb");
  int refused = 0;
  for (std::size_t to = 2 * page_bytes; to < image.size(); to += page_bytes) {
    for (std::size_t from = 2 * page_bytes; from < image.size(); from += page_bytes) {
      std::string bytes = image;
      bytes.replace(to, page_bytes, image, from, page_bytes);
      const temporary_directory copy;
      std::ofstream{copy.path() + "/data.mdb", std::ios::binary} << bytes;
      auto there = options;
      there.directory = copy.path();
      const auto engine = open_lmdb(there);
      const auto reader = engine ? (*engine)->begin_read() : engine.error();
      const auto found = reader ? (*reader)->get(0, "key") : std::nullopt;
      if (found) {
        EXPECT_EQ(*found, "new") << "page " << from / page_bytes << " in the place of " << to / page_bytes;
      } else if (reader) {
        EXPECT_FALSE((*reader)->status());
      }
      refused += !found;
    }
  }
  EXPECT_GT(refused, 0);
}

TEST_F(damaged_lmdb, is_repaired_by_a_replacement_while_old_snapshots_are_read) {
  prepare();
  std::mt19937 dice{1};
  std::string bytes = image;
  for (int i = 0; i < 400; ++i) {
    const std::size_t at = 8 * page_bytes + dice() % (bytes.size() - 8 * page_bytes);
    bytes[at] = static_cast<char>(bytes[at] ^ (1 << dice() % 8));
  }
  const temporary_directory copy;
  std::ofstream{copy.path() + "/data.mdb", std::ios::binary} << bytes;
  auto opts = options(copy.path());
  opts.damage = std::make_shared<kv_damage>(copy.path());
  opts.opens_damaged = true;
  const auto fill = [this](kv_writer& w) -> result<void> {
    for (table_id t = 0; t < 3; ++t)
      for (const auto& [key, value] : oracle[t]) w.put(t, key, value);
    return {};
  };
  {
    const auto engine = open_lmdb(opts);
    ASSERT_TRUE(engine) << engine.error().text;
    tally t;
    look(**engine, oracle, dice, t);
    EXPECT_NE(opts.damage->first(), "");
    const auto old = (*engine)->begin_read();
    ASSERT_TRUE((*engine)->replace(fill));
    EXPECT_EQ(opts.damage->first(), "");
    if (old) static_cast<void>((*old)->get(0, "photos/1"));
    t = {};
    look(**engine, oracle, dice, t);
    EXPECT_EQ(t.damaged + t.missed, 0);
    change(**engine, oracle, dice);
    look(**engine, oracle, dice, t);
    EXPECT_EQ(t.damaged + t.missed, 0);
  }
  tally t;
  const auto engine = open_lmdb(opts).value();
  look(*engine, oracle, dice, t);
  EXPECT_EQ(t.damaged + t.missed, 0);
}

} // namespace cairn::storage::lmdb_damage_test

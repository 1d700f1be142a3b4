// Cases that only the LMDB engine has: restarts, full disks, failing flushes, unreadable pages.
#include "storage/kv/checked_kv.hpp"
#include "storage/kv/kv.hpp"
#include "tests/base/temporary_directory.hpp"

#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/lsan_interface.h>
#endif

#include <csignal>
#include <cstdint>
#include <fstream>

namespace cairn::storage::lmdb_kv_test {
class lmdb_kv : public testing::Test {
protected:
  result<std::unique_ptr<kv_engine>> open(std::uint64_t map_bytes = 64ull << 20) {
    return open_lmdb(
        {.directory = path, .tables = 2, .map_bytes = map_bytes, .on_quarantine = [this] { ++quarantines; }});
  }
  static result<void> put(kv_engine& engine, const std::string& key, const std::string& value) {
    auto writer = engine.begin_write();
    if (!writer) return writer.error();
    (*writer)->put(0, key, value);
    return (*writer)->commit();
  }
  static std::string get(kv_engine& engine, const std::string& key) {
    auto reader = engine.begin_read();
    return std::string{(*reader)->get(0, key).value_or("none")};
  }

  temporary_directory directory;
  std::string path = directory.path() + "/new/kv";
  int quarantines = 0;
};

TEST_F(lmdb_kv, makes_its_directory_and_finds_its_rows_again_after_a_restart) {
  {
    const auto engine = open();
    ASSERT_TRUE(engine) << engine.error().text;
    ASSERT_TRUE(put(**engine, "key", "value"));
  }
  const auto engine = open();
  ASSERT_TRUE(engine) << engine.error().text;
  EXPECT_EQ(get(**engine, "key"), "value");
}

TEST_F(lmdb_kv, keeps_its_rows_when_a_later_build_has_more_tables) {
  const std::string in_two_rows(kv_page_bytes + 100, 'x');
  for (const table_id tables : {20, 21, 22, 31}) {
    const auto engine = open_lmdb({.directory = path, .tables = tables, .map_bytes = 64ull << 20, .page_values = 1});
    ASSERT_TRUE(engine) << tables << ": " << engine.error().text;
    if (tables > 20) {
      EXPECT_EQ((*engine)->begin_read().value()->get(1, "large"), in_two_rows);
      EXPECT_EQ(get(**engine, "small"), "value");
      auto writer = (*engine)->begin_write().value();
      writer->put(static_cast<table_id>(tables - 1), "added", "row");
      ASSERT_TRUE(writer->commit());
      EXPECT_EQ((*engine)->begin_read().value()->get(static_cast<table_id>(tables - 1), "added"), "row");
    }
    auto writer = (*engine)->begin_write().value();
    writer->put(1, "large", in_two_rows);
    ASSERT_TRUE(writer->commit());
    ASSERT_TRUE(put(**engine, "small", "value"));
  }
}

TEST_F(lmdb_kv, allocates_its_lock_file_so_that_a_full_disk_causes_no_bus_error) {
  const auto engine = open();
  ASSERT_TRUE(engine);
  struct stat lock {};
  ASSERT_EQ(::stat((path + "/lock.mdb").c_str(), &lock), 0);
  EXPECT_GE(lock.st_blocks * 512, lock.st_size);
  EXPECT_GT(lock.st_size, 512 * 64);
}

TEST_F(lmdb_kv, says_what_it_could_not_open) {
  std::filesystem::create_directories(path);
  std::filesystem::create_directories(path + "/data.mdb");
  const auto engine = open();
  ASSERT_FALSE(engine);
  EXPECT_EQ(engine.error(), errc::io_error);
  EXPECT_NE(engine.error().text.find(path), std::string::npos);
}

TEST_F(lmdb_kv, uses_pages_again_after_another_process_was_killed_while_it_read) {
  const auto engine = open(16 << 20);
  ASSERT_TRUE(engine);
  ASSERT_TRUE(put(**engine, "k", "v"));
  const auto child = ::fork();
  if (child == 0) {
    const auto own = open(16 << 20);
    const auto reader = own ? (*own)->begin_read() : own.error();
    ::raise(reader ? SIGKILL : SIGTERM);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
  for (int i = 0; i < 600; ++i) ASSERT_TRUE(put(**engine, "k", std::string(20000, 'v'))) << i;
}

TEST_F(lmdb_kv, refuses_a_file_that_is_not_its_own_as_corrupt) {
  std::filesystem::create_directories(path);
  std::FILE* const file = std::fopen((path + "/data.mdb").c_str(), "w");
  ASSERT_NE(file, nullptr);
  const std::string junk(16384, 'j');
  ASSERT_EQ(std::fwrite(junk.data(), 1, junk.size(), file), junk.size());
  std::fclose(file);
  const auto engine = open();
  ASSERT_FALSE(engine);
  EXPECT_EQ(engine.error(), errc::corrupt);
}

TEST_F(lmdb_kv, answers_no_space_when_full_and_goes_on_when_there_is_room_again) {
  const auto engine = open(1 << 20);
  ASSERT_TRUE(engine);
  ASSERT_TRUE(put(**engine, "kept", "value"));
  int stored = 0;
  result<void> full;
  for (; stored < 1000; ++stored) {
    full = put(**engine, "key" + std::to_string(stored), std::string(20000, 'x'));
    if (!full) break;
  }
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error(), errc::no_space);
  EXPECT_GT(stored, 10);
  EXPECT_EQ(get(**engine, "kept"), "value");
  EXPECT_EQ(get(**engine, "key" + std::to_string(stored)), "none");

  auto writer = (*engine)->begin_write();
  ASSERT_TRUE(writer);
  for (int i = 0; i < stored; ++i) EXPECT_TRUE((*writer)->erase(0, "key" + std::to_string(i)));
  ASSERT_TRUE((*writer)->commit());
  writer->reset();
  // LMDB uses pages again two commits after the one that freed them.
  ASSERT_TRUE(put(**engine, "small", "s"));
  ASSERT_TRUE(put(**engine, "again", std::string(20000, 'y')));
  EXPECT_EQ(get(**engine, "again"), std::string(20000, 'y'));
}

// Writes of this process beyond `bytes` of any file fail, as they do on a full or failing disk.
class file_size_limit {
public:
  explicit file_size_limit(std::uint64_t bytes) {
    previous_handler_ = std::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &previous_);
    const rlimit limit{bytes, previous_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~file_size_limit() {
    ::setrlimit(RLIMIT_FSIZE, &previous_);
    std::signal(SIGXFSZ, previous_handler_);
  }

private:
  rlimit previous_{};
  void (*previous_handler_)(int);
};

TEST_F(lmdb_kv, forgets_a_commit_that_found_no_room_in_the_file_system) {
  const auto engine = open();
  ASSERT_TRUE(engine);
  ASSERT_TRUE(put(**engine, "kept", "value"));
  {
    const file_size_limit limit{std::filesystem::file_size(path + "/data.mdb")};
    const auto full = put(**engine, "big", std::string(1 << 20, 'b'));
    ASSERT_FALSE(full);
    EXPECT_EQ(full.error(), errc::no_space);
    EXPECT_EQ(get(**engine, "kept"), "value");
  }
  EXPECT_TRUE(put(**engine, "big", std::string(1 << 20, 'b')));
  EXPECT_EQ(get(**engine, "big").size(), 1u << 20);
}

TEST_F(lmdb_kv, never_writes_again_after_its_file_was_deleted_but_goes_on_reading) {
  const auto engine = open();
  ASSERT_TRUE(engine);
  ASSERT_TRUE(put(**engine, "kept", "value"));
  ASSERT_TRUE(std::filesystem::remove(path + "/data.mdb"));
  const auto failed = put(**engine, "lost", "value");
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error(), errc::io_error);
  EXPECT_NE(failed.error().text.find("data.mdb was deleted"), std::string::npos);
  EXPECT_EQ(put(**engine, "lost", "value").error(), errc::read_only);
  EXPECT_EQ(get(**engine, "kept"), "value");
}

TEST_F(lmdb_kv, never_writes_again_after_a_commit_failed_with_an_io_error_but_goes_on_reading) {
  {
    const auto engine = open();
    ASSERT_TRUE(engine);
    ASSERT_TRUE(put(**engine, "kept", "value"));
    {
      // The limit falls into a run of pages: a short write, which LMDB calls EIO.
      const file_size_limit limit{std::filesystem::file_size(path + "/data.mdb") + 8192};
      const auto failed = put(**engine, "big", std::string(1 << 20, 'b'));
      ASSERT_FALSE(failed);
      EXPECT_EQ(failed.error(), errc::io_error);
    }
    EXPECT_EQ(put(**engine, "small", "s").error(), errc::read_only);
    EXPECT_EQ(get(**engine, "kept"), "value");
    EXPECT_EQ(get(**engine, "big"), "none");
  }
  const auto engine = open();
  ASSERT_TRUE(engine);
  EXPECT_EQ(get(**engine, "kept"), "value");
  EXPECT_EQ(get(**engine, "big"), "none");
  EXPECT_TRUE(put(**engine, "small", "s"));
}

// A file system of a few MiB, where this process may mount one.
class small_disk : public lmdb_kv {
protected:
  void SetUp() override {
    std::filesystem::create_directories(path);
    mounted_ = ::mount("tmpfs", path.c_str(), "tmpfs", 0, "size=4m") == 0;
    if (!mounted_) GTEST_SKIP() << "needs the right to mount";
  }
  void TearDown() override {
    if (mounted_) {
      EXPECT_EQ(::umount2(path.c_str(), MNT_DETACH), 0);
    }
  }

private:
  bool mounted_ = false;
};

TEST_F(small_disk, when_full_refuses_commits_of_every_size_as_no_space_and_takes_them_when_it_has_room) {
  {
    std::ofstream ballast{path + "/ballast"};
    ballast << std::string(1 << 20, 'b');
  }
  const auto engine = open();
  ASSERT_TRUE(engine) << engine.error().text;
  ASSERT_TRUE(put(**engine, "kept", "value"));
  for (const std::size_t size : {100'000, 9'000, 3'000, 10}) {
    result<void> stored;
    for (int i = 0; i < 2000 && stored; ++i)
      stored = put(**engine, std::to_string(size) + "-" + std::to_string(i), std::string(size, 'x'));
    EXPECT_TRUE(stored || stored.error() == errc::no_space) << stored.error().text;
  }
  ASSERT_FALSE(put(**engine, "big", std::string(100'000, 'x')));
  EXPECT_EQ(get(**engine, "kept"), "value");
  std::filesystem::remove(path + "/ballast");
  EXPECT_TRUE(put(**engine, "big", std::string(100'000, 'x')));
  EXPECT_EQ(get(**engine, "big").size(), 100'000u);
}

// Allocations of this scope are not reported as leaks.
struct unseen_leaks {
#if defined(__SANITIZE_ADDRESS__)
  unseen_leaks() {
    __lsan_disable();
  }
  ~unseen_leaks() {
    __lsan_enable();
  }
#else
  unseen_leaks() {}
#endif
};

class truncated_lmdb_kv : public lmdb_kv {
protected:
  void SetUp() override {
    auto opened = open();
    ASSERT_TRUE(opened);
    engine = std::move(*opened);
    auto writer = engine->begin_write();
    ASSERT_TRUE(writer);
    for (int i = 0; i < 2000; ++i) (*writer)->put(0, "key" + std::to_string(i), std::string(500, 'x'));
    ASSERT_TRUE((*writer)->commit());
  }
  // Keeps the meta pages: transactions can begin.
  void truncate(std::uint64_t bytes = 8192) { std::filesystem::resize_file(path + "/data.mdb", bytes); }
  void expect_quarantined() {
    EXPECT_EQ(quarantines, 1);
    EXPECT_EQ(engine->begin_read().error(), errc::quarantined);
    EXPECT_EQ(engine->begin_write().error(), errc::quarantined);
  }

  std::unique_ptr<kv_engine> engine;
};

TEST_F(truncated_lmdb_kv, quarantines_itself_when_a_read_meets_a_page_that_is_gone) {
  auto other = engine->begin_read();
  auto reader = engine->begin_read();
  ASSERT_TRUE(reader);
  truncate();
  EXPECT_EQ((*reader)->get(0, "key7"), std::nullopt);
  EXPECT_EQ((*reader)->status().error(), errc::quarantined);
  EXPECT_EQ((*other)->get(0, "key7"), std::nullopt);
  EXPECT_EQ((*other)->status().error(), errc::quarantined);
  expect_quarantined();
}

TEST_F(truncated_lmdb_kv, quarantines_itself_when_a_cursor_meets_a_page_that_is_gone) {
  auto reader = engine->begin_read();
  ASSERT_TRUE(reader);
  const auto cursor = (*reader)->cursor(0);
  ASSERT_TRUE(cursor->seek("key1"));
  truncate();
  while (cursor->next()) {
  }
  EXPECT_EQ((*reader)->status().error(), errc::quarantined);
  expect_quarantined();
}

TEST_F(truncated_lmdb_kv, quarantines_itself_in_a_write_and_frees_the_writers_that_wait) {
  auto writer = engine->begin_write();
  ASSERT_TRUE(writer);
  truncate();
  (*writer)->put(0, "key7", "new");
  EXPECT_EQ((*writer)->status().error(), errc::quarantined);
  EXPECT_EQ((*writer)->commit().error(), errc::quarantined);
  writer->reset();
  expect_quarantined();
}

TEST_F(truncated_lmdb_kv, quarantines_itself_when_not_even_a_transaction_can_begin) {
  truncate(0);
  const unseen_leaks allowed; // LMDB had allocated the transaction
  EXPECT_EQ(engine->begin_read().error(), errc::quarantined);
  expect_quarantined();
}

} // namespace cairn::storage::lmdb_kv_test

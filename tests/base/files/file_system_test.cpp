// One suite for both engines of the disk seam, then the tests of each engine.
#include "base/file_system.hpp"

#include "base/files/memory_file_system.hpp"
#include "base/files/small_file.hpp"
#include "tests/base/seeded_random.hpp"

#include <gtest/gtest.h>

#include <array>
#include <filesystem>
#include <fstream>

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

namespace cairn::file_system_test {

struct memory_engine {
  memory_file_system files;
  std::string directory = "/data";
};

struct posix_engine {
  file_system& files = posix_file_system();
  std::string directory = testing::TempDir() + "cairn_files_" + std::to_string(::getpid());
  ~posix_engine() { std::filesystem::remove_all(directory); }
};

std::vector<std::byte> bytes_of(std::string_view text) {
  const auto* at = reinterpret_cast<const std::byte*>(text.data());
  return {at, at + text.size()};
}

result<void> write_text(file& to, std::uint64_t offset, std::string_view text) {
  const auto bytes = bytes_of(text);
  const bytes_view view{bytes};
  return to.write(offset, std::span{&view, 1});
}

std::string read_text(file& from, std::uint64_t offset, std::size_t length) {
  std::string text(length, '?');
  const bytes_span into{reinterpret_cast<std::byte*>(text.data()), length};
  const auto n = from.read(offset, std::span{&into, 1});
  EXPECT_TRUE(n);
  text.resize(n ? *n : 0);
  return text;
}

template <class Engine>
class file_system_contract : public testing::Test {
protected:
  void SetUp() override { ASSERT_TRUE(files().make_directories(directory())); }
  file_system& files() { return engine_.files; }
  const std::string& directory() const { return engine_.directory; }
  std::string path(const char* name) const { return engine_.directory + "/" + name; }
  std::unique_ptr<file> create(const char* name) {
    auto made = files().open(path(name), open_mode::create);
    EXPECT_TRUE(made) << to_string(made.error());
    return std::move(*made);
  }
  Engine engine_;
};

using engines = testing::Types<memory_engine, posix_engine>;
TYPED_TEST_SUITE(file_system_contract, engines);

TYPED_TEST(file_system_contract, opens_what_exists_and_creates_what_does_not) {
  EXPECT_EQ(this->files().open(this->path("a"), open_mode::read_only).error(), errc::not_found);
  EXPECT_EQ(this->files().open(this->path("a"), open_mode::read_write).error(), errc::not_found);
  EXPECT_EQ(*this->create("a")->size(), 0u);
  EXPECT_EQ(this->files().open(this->path("a"), open_mode::create).error(), errc::io_error);
  const auto reader = this->files().open(this->path("a"), open_mode::read_only);
  ASSERT_TRUE(reader);
  EXPECT_FALSE(write_text(**reader, 0, "x"));
}

TYPED_TEST(file_system_contract, appends_whatever_the_offset_is) {
  struct alignas(4096) pages {
    std::array<char, 512 << 10> bytes;
  };
  const auto large = std::make_unique<pages>();
  large->bytes.fill('x');
  const auto f = this->files().open(this->path("a"), open_mode::append);
  ASSERT_TRUE(f);
  EXPECT_TRUE(write_text(**f, 0, "one"));
  const auto other = this->files().open(this->path("a"), open_mode::append);
  ASSERT_TRUE(other);
  EXPECT_TRUE(write_text(**other, 0, "two"));
  const bytes_view aligned =
      std::as_bytes(std::span{large->bytes}); // could bypass the page cache, which must not replace
  EXPECT_TRUE((*f)->write(0, std::span{&aligned, 1}));
  EXPECT_TRUE(write_text(**f, 1, "end"));
  EXPECT_EQ(*(*f)->size(), 9u + large->bytes.size());
  EXPECT_EQ(read_text(**f, 0, 7), "onetwox");
  EXPECT_EQ(read_text(**f, 6 + large->bytes.size(), 9), "end");
  ASSERT_TRUE((*f)->truncate(3)); // as logrotate's copytruncate
  EXPECT_TRUE(write_text(**other, 9, "!"));
  EXPECT_EQ(read_text(**f, 0, 9), "one!");
}

TYPED_TEST(file_system_contract, reads_whole_pages_directly) {
  struct alignas(4096) pages {
    std::array<std::byte, 12288> bytes;
  };
  std::string text(8192, 'a');
  text.replace(4096, 4096, std::string(4096, 'b'));
  ASSERT_TRUE(write_text(*this->create("a"), 0, text + "end"));
  const auto reader = this->files().open(this->path("a"), open_mode::read_direct);
  ASSERT_TRUE(reader);
  const auto into = std::make_unique<pages>();
  const auto read = [&](std::uint64_t offset, std::size_t length) {
    const bytes_span view = bytes_span{into->bytes}.first(length);
    const auto n = (*reader)->read(offset, std::span{&view, 1});
    EXPECT_TRUE(n) << to_string(n.error());
    return std::string{reinterpret_cast<const char*>(into->bytes.data()), n ? *n : 0};
  };
  EXPECT_EQ(read(4096, 4096), text.substr(4096));
  EXPECT_EQ(read(0, 8192), text);
  EXPECT_EQ(read(0, 12288), text + "end") << "short at the end of the file";
  EXPECT_FALSE(write_text(**reader, 0, "x"));
  EXPECT_EQ(this->files().open(this->path("b"), open_mode::read_direct).error(), errc::not_found);
}

TYPED_TEST(file_system_contract, gathers_writes_and_scatters_reads_of_any_number_of_pieces) {
  const auto f = this->create("a");
  std::string all;
  std::vector<std::vector<std::byte>> pieces;
  for (int i = 0; i < 300; ++i) { // more than one system call takes
    const std::string piece(static_cast<std::size_t>(i % 7), static_cast<char>('a' + i % 26));
    all += piece;
    pieces.push_back(bytes_of(piece));
  }
  const std::vector<bytes_view> views{pieces.begin(), pieces.end()};
  ASSERT_TRUE(f->write(5, views));
  EXPECT_EQ(read_text(*f, 5, all.size()), all);
  EXPECT_EQ(read_text(*f, 0, 5), std::string(5, '\0'));
  std::vector<bytes_span> into{pieces.begin(), pieces.end()};
  for (auto& piece : pieces) std::fill(piece.begin(), piece.end(), std::byte{0});
  ASSERT_EQ(*f->read(5, into), all.size());
  std::string again;
  for (const auto& piece : pieces) again.append(reinterpret_cast<const char*>(piece.data()), piece.size());
  EXPECT_EQ(again, all);
}

// Large aligned writes may bypass the page cache: cached pages and small writes next to them must stay consistent.
TYPED_TEST(file_system_contract, reads_back_large_aligned_and_small_writes) {
  struct alignas(4096) page {
    std::array<std::byte, 4096> bytes;
  };
  const auto f = this->create("a");
  ASSERT_TRUE(f->preallocate(4 << 20));
  std::string expected(1 << 20, '\0');
  for (int round = 1; round <= 3; ++round) {
    const auto envelope = static_cast<char>('a' + round);
    std::vector<page> pages(128);
    for (auto& p : pages) p.bytes.fill(std::byte(envelope));
    const auto* data = pages.front().bytes.data();
    const std::array<bytes_view, 3> views{bytes_view{data, 4096}, bytes_view{}, bytes_view{data + 4096, 127 * 4096}};
    const auto offset = static_cast<std::size_t>(round) * 4096;
    ASSERT_TRUE(f->write(offset, views));
    expected.replace(offset, 128 * 4096, 128 * 4096, envelope);
    ASSERT_TRUE(write_text(*f, offset + 3, "small"));
    expected.replace(offset + 3, 5, "small");
    ASSERT_TRUE(f->flush());
    EXPECT_EQ(read_text(*f, 0, expected.size()), expected);
    const bytes_view odd{data, 300'001}; // large, but its end is not aligned
    ASSERT_TRUE(f->write(600'000, std::span{&odd, 1}));
    expected.replace(600'000, 300'001, 300'001, envelope);
    EXPECT_EQ(read_text(*f, 0, expected.size()), expected);
  }
}

TYPED_TEST(file_system_contract, reads_less_only_at_the_end_of_the_file) {
  const auto f = this->create("a");
  ASSERT_TRUE(write_text(*f, 0, "hello"));
  EXPECT_EQ(read_text(*f, 3, 10), "lo");
  EXPECT_EQ(read_text(*f, 5, 10), "");
  EXPECT_EQ(read_text(*f, 50, 10), "");
  std::array<std::byte, 10> cached;
  const bytes_span into{cached};
  const auto n = f->read_cached(3, std::span{&into, 1});
  if (n)
    EXPECT_EQ(*n, 2u);
  else
    EXPECT_EQ(n.error(), errc::would_block);
}

TYPED_TEST(file_system_contract, preallocates_punches_and_truncates) {
  const auto f = this->create("a");
  ASSERT_TRUE(f->preallocate(1 << 20));
  EXPECT_EQ(*f->size(), 1u << 20);
  const auto before = *this->files().space_of(this->directory());
  EXPECT_GE(before.total, before.available);
  ASSERT_TRUE(write_text(*f, 4096, std::string(3 * 4096, 'x')));
  ASSERT_TRUE(f->punch(8192, 4096));
  EXPECT_EQ(read_text(*f, 8192, 4096), std::string(4096, '\0'));
  EXPECT_EQ(read_text(*f, 8190, 4), std::string("xx\0\0", 4));
  EXPECT_EQ(read_text(*f, 12286, 4), std::string("\0\0xx", 4));
  EXPECT_EQ(*f->size(), 1u << 20);
  ASSERT_TRUE(f->truncate(5000));
  EXPECT_EQ(*f->size(), 5000u);
  ASSERT_TRUE(f->truncate(10000));
  EXPECT_EQ(read_text(*f, 4998, 4), std::string("xx\0\0", 4)) << "truncated bytes do not reappear";
  EXPECT_TRUE(f->flush());
}

TYPED_TEST(file_system_contract, lists_renames_and_removes) {
  for (const auto* name : {"b", "a", "c"}) this->create(name);
  ASSERT_TRUE(this->files().make_directories(this->path("sub/deeper")));
  EXPECT_EQ(*this->files().list(this->directory()), (std::vector<std::string>{"a", "b", "c", "sub"}));
  EXPECT_EQ(this->files().list(this->path("none")).error(), errc::not_found);
  ASSERT_TRUE(write_text(**this->files().open(this->path("b"), open_mode::read_write), 0, "B"));
  ASSERT_TRUE(this->files().rename(this->path("b"), this->path("a")));
  EXPECT_EQ(read_text(**this->files().open(this->path("a"), open_mode::read_only), 0, 9), "B");
  EXPECT_EQ(this->files().rename(this->path("b"), this->path("a")).error(), errc::not_found);
  ASSERT_TRUE(this->files().remove(this->path("a")));
  EXPECT_EQ(this->files().remove(this->path("a")).error(), errc::not_found);
  ASSERT_TRUE(this->files().flush_directory(this->directory()));
  EXPECT_EQ(*this->files().list(this->directory()), (std::vector<std::string>{"c", "sub"}));
  EXPECT_TRUE(this->files().make_directories(this->path("sub/deeper"))) << "it exists already";
}

TYPED_TEST(file_system_contract, keeps_an_unlinked_file_readable_while_it_is_open) {
  auto f = this->create("a");
  ASSERT_TRUE(write_text(*f, 0, "still here"));
  ASSERT_TRUE(this->files().remove(this->path("a")));
  EXPECT_EQ(read_text(*f, 0, 99), "still here");
}

TYPED_TEST(file_system_contract, flushes_no_file_that_was_deleted_or_replaced) {
  auto deleted = this->create("a"), renamed = this->create("b"), replaced = this->create("c");
  auto log = *this->files().open(this->path("log"), open_mode::append);
  for (auto* f : {deleted.get(), renamed.get(), replaced.get(), log.get()}) {
    ASSERT_TRUE(write_text(*f, 0, "text"));
    ASSERT_TRUE(f->flush());
  }
  ASSERT_TRUE(this->files().remove(this->path("a")));
  ASSERT_TRUE(this->files().rename(this->path("b"), this->path("c")));
  ASSERT_TRUE(this->files().remove(this->path("log")));
  for (auto* f : {deleted.get(), replaced.get()}) {
    const auto flushed = f->flush();
    ASSERT_FALSE(flushed);
    EXPECT_EQ(flushed.error(), errc::io_error);
    EXPECT_NE(flushed.error().text.find("the file was deleted"), std::string::npos);
  }
  EXPECT_TRUE(renamed->flush());
  EXPECT_TRUE(log->flush()) << "logs are rotated";
}

TYPED_TEST(file_system_contract, locks_a_directory_for_one_owner_at_a_time) {
  auto first = this->files().lock(this->directory());
  ASSERT_TRUE(first);
  EXPECT_EQ(this->files().lock(this->directory()).error(), errc::locked);
  first->reset();
  EXPECT_TRUE(this->files().lock(this->directory()));
}

TEST(posix_file_system, names_the_process_that_holds_the_lock) {
  posix_engine engine;
  ASSERT_TRUE(engine.files.make_directories(engine.directory));
  const auto held = engine.files.lock(engine.directory);
  const auto refused = engine.files.lock(engine.directory);
  EXPECT_NE(refused.error().text.find("process " + std::to_string(::getpid())), std::string::npos)
      << refused.error().text;
}

TEST(posix_file_system, flushes_the_parent_of_a_bare_file_name) {
  EXPECT_TRUE(posix_file_system().flush_directory(""));
}

TEST(posix_file_system, opens_regular_files_only_and_waits_for_no_fifo) {
  posix_engine engine;
  ASSERT_TRUE(engine.files.make_directories(engine.directory));
  const auto fifo = engine.directory + "/fifo";
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  for (const auto& path : {fifo, std::string{"/dev/zero"}, engine.directory})
    for (const auto mode : {open_mode::read_only, open_mode::read_direct, open_mode::read_write, open_mode::append}) {
      const auto refused = engine.files.open(path, mode);
      ASSERT_FALSE(refused) << path;
      EXPECT_EQ(refused.error(), errc::io_error) << refused.error().text;
    }
  EXPECT_NE(read_small_file(engine.files, fifo).error().text.find("not a regular file"), std::string::npos);
  std::filesystem::create_symlink(engine.directory + "/plain", engine.directory + "/link");
  { std::ofstream{engine.directory + "/plain"} << "text"; }
  EXPECT_EQ(read_small_file(engine.files, engine.directory + "/link").value(), "text");
}

TEST(posix_file_system, is_busy_without_descriptors) {
  posix_engine engine;
  ASSERT_TRUE(engine.files.make_directories(engine.directory));
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  const auto before = limit;
  limit.rlim_cur = 0;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
  const auto flushed = engine.files.flush_directory(engine.directory);
  const auto opened = engine.files.open(engine.directory + "/file", open_mode::create);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_EQ(flushed.error(), errc::busy);
  EXPECT_EQ(opened.error(), errc::busy);
  EXPECT_TRUE(engine.files.flush_directory(engine.directory));
}

TEST(posix_file_system, says_which_file_failed_and_why) {
  posix_engine engine;
  ASSERT_TRUE(engine.files.make_directories(engine.directory));
  { std::ofstream{engine.directory + "/plain"} << "x"; }
  const auto refused = engine.files.make_directories(engine.directory + "/plain/sub");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error(), errc::io_error);
  EXPECT_NE(refused.error().text.find("plain"), std::string::npos);
  EXPECT_NE(refused.error().text.find("Not a directory"), std::string::npos) << refused.error().text;
}

TEST(memory_file_system, keeps_flushed_pages_and_loses_keeps_or_tears_others_in_a_crash) {
  std::size_t kept = 0, lost = 0, torn = 0;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    seeded_random random{seed};
    memory_file_system disk;
    {
      const auto f = disk.open("/a", open_mode::create);
      ASSERT_TRUE(write_text(**f, 0, std::string(8192, 'o')));
      ASSERT_TRUE((*f)->flush());
      ASSERT_TRUE(disk.flush_directory("/"));
      ASSERT_TRUE(write_text(**f, 4096, std::string(4096, 'n')));
      disk.crash(random);
      EXPECT_EQ((*f)->size().error(), errc::io_error) << "a handle from before the crash";
    }
    const auto f = disk.open("/a", open_mode::read_only);
    ASSERT_TRUE(f);
    EXPECT_EQ(read_text(**f, 0, 4096), std::string(4096, 'o'));
    const auto second = read_text(**f, 4096, 4096);
    if (second == std::string(4096, 'n'))
      ++kept;
    else if (second == std::string(4096, 'o'))
      ++lost;
    else
      ++torn;
  }
  EXPECT_GT(kept, 5u);
  EXPECT_GT(lost, 5u);
  EXPECT_GT(torn, 5u);
}

TEST(memory_file_system, keeps_a_prefix_of_unflushed_directory_changes_in_a_crash) {
  std::set<std::vector<std::string>> outcomes;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    seeded_random random{seed};
    memory_file_system disk;
    for (const auto* name : {"/a", "/b"}) ASSERT_TRUE(disk.open(name, open_mode::create));
    ASSERT_TRUE(disk.flush_directory("/"));
    ASSERT_TRUE(disk.rename("/a", "/c"));
    ASSERT_TRUE(disk.remove("/b"));
    disk.crash(random);
    outcomes.insert(*disk.list("/"));
  }
  EXPECT_EQ(outcomes, (std::set<std::vector<std::string>>{{"a", "b"}, {"b", "c"}, {"c"}}));
}

TEST(memory_file_system, has_images_that_keep_what_was_written) {
  memory_file_system disk{100 * 4096};
  ASSERT_TRUE(disk.make_directories("/data"));
  auto file = disk.open("/data/f", open_mode::create).value();
  ASSERT_TRUE(write_text(*file, 0, "before"));
  const auto image = disk.image();
  EXPECT_EQ(image->used_bytes(), disk.used_bytes());
  ASSERT_TRUE(write_text(*file, 0, "after!"));
  ASSERT_TRUE(disk.remove("/data/f"));
  seeded_random random{7};
  image->crash(random);
  auto kept = image->open("/data/f", open_mode::read_write).value();
  EXPECT_EQ(read_text(*kept, 0, 6), "before") << "all of it is flushed";
  ASSERT_TRUE(write_text(*kept, 0, "image!"));
  EXPECT_EQ(read_text(*file, 0, 6), "after!");
  EXPECT_EQ(image->list("/data").value(), std::vector<std::string>{"f"});
  EXPECT_TRUE(disk.list("/data").value().empty());
}

TEST(memory_file_system, frees_capacity_when_pages_are_punched_and_files_unlinked) {
  memory_file_system disk{100 * 4096};
  auto f = *disk.open("/a", open_mode::create);
  ASSERT_TRUE(f->preallocate(60 * 4096));
  auto g = *disk.open("/b", open_mode::create);
  EXPECT_EQ(g->preallocate(60 * 4096).error(), errc::no_space);
  ASSERT_TRUE(write_text(*f, 0, "in the preallocated space"));
  EXPECT_EQ(disk.used_bytes(), 60u * 4096);
  ASSERT_TRUE(f->punch(0, 30 * 4096));
  EXPECT_EQ(disk.used_bytes(), 30u * 4096);
  ASSERT_TRUE(g->preallocate(60 * 4096));
  ASSERT_TRUE(disk.remove("/a"));
  f.reset();
  ASSERT_TRUE(disk.flush_directory("/"));
  EXPECT_EQ(disk.used_bytes(), 60u * 4096);
}

} // namespace cairn::file_system_test

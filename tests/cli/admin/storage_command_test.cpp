#include "cli/admin/storage_command.hpp"

#include "storage/chunks/chunk_store.hpp"
#include "storage/chunks/disk_identity.hpp"

#include <CLI/CLI.hpp>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include <unistd.h>

namespace cairn::cli::storage_command_test {

using namespace storage;
namespace fs = std::filesystem;

class storage_command : public testing::Test {
protected:
  void SetUp() override {
    fs::remove_all(disk_);
    const open_disk d{disk_};
    for (std::uint32_t i = 0; i < 3; ++i) {
      const std::vector<std::byte> bytes(100'000, std::byte(i));
      const chunk_write write{{{1, 1}, i}, bytes};
      ASSERT_TRUE(d.store->write(std::span{&write, 1}).front());
    }
  }
  void TearDown() override { fs::remove_all(disk_); }

  struct open_disk {
    explicit open_disk(const std::string& disk) {
      index = open_lmdb({.directory = index_directory(disk), .tables = chunk_index_tables}).value();
      store = chunk_store::open({.directory = disk, .segment_size_bytes = 1 << 20, .reserve_bytes = 1},
                                posix_file_system(), *index, system_random())
                  .value();
    }
    std::unique_ptr<kv_engine> index;
    std::unique_ptr<chunk_store> store;
  };

  int run(const std::string& arguments) {
    CLI::App app;
    int code = -1;
    add_storage_command(app, code);
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    app.parse("storage " + arguments + " --disk " + disk_);
    out_ = testing::internal::GetCapturedStdout();
    errors_ = testing::internal::GetCapturedStderr();
    return code;
  }
  bool said(const std::string& text) const { return out_.find(text) != std::string::npos; }
  bool complained(const std::string& text) const { return errors_.find(text) != std::string::npos; }

  const std::string disk_ = testing::TempDir() + "cairn_disk_" + std::to_string(::getpid());
  std::string out_, errors_;
};

TEST_F(storage_command, finds_nothing_wrong_with_a_good_disk) {
  EXPECT_EQ(run("check"), 0) << errors_;
  EXPECT_TRUE(said("3 chunks in 1 segments")) << out_;
  EXPECT_TRUE(said("0 problems")) << out_;
}

TEST_F(storage_command, finds_damaged_bytes_when_deep) {
  {
    std::fstream segment{segments_directory(disk_) + "/0000000000000001.seg", std::ios::in | std::ios::out};
    segment.seekp(5000);
    segment.put('!');
  }
  EXPECT_EQ(run("check"), 0);
  EXPECT_EQ(run("check --deep"), 1);
  EXPECT_TRUE(said("segment 1 offset 0: chunk 1-0000000000000001/0: checksum of block 0")) << out_;
}

TEST_F(storage_command, refuses_a_disk_that_is_in_use) {
  const open_disk busy{disk_};
  EXPECT_EQ(run("check"), 1);
  EXPECT_TRUE(complained("in use by another process")) << errors_;
  EXPECT_EQ(run("rebuild-index"), 1);
  EXPECT_TRUE(complained("in use by another process")) << errors_;
  EXPECT_TRUE(fs::exists(index_directory(disk_)));
}

TEST_F(storage_command, rebuilds_a_lost_index_and_keeps_the_old_one) {
  fs::remove_all(index_directory(disk_));
  EXPECT_EQ(run("check"), 1);
  EXPECT_TRUE(complained("cairn storage rebuild-index")) << errors_;
  EXPECT_FALSE(fs::exists(index_directory(disk_))) << "checking makes nothing";
  EXPECT_EQ(run("rebuild-index"), 0) << errors_;
  EXPECT_TRUE(said("3 chunks")) << out_;
  EXPECT_EQ(run("check --deep"), 0) << out_;
  EXPECT_EQ(run("rebuild-index"), 0) << errors_;
  EXPECT_EQ(run("rebuild-index"), 0) << errors_;
  EXPECT_TRUE(fs::exists(disk_ + "/index.before-rebuild"));
  EXPECT_TRUE(fs::exists(disk_ + "/index.before-rebuild-2"));
  const open_disk again{disk_};
  EXPECT_EQ(again.store->stats().chunks, 3u);
}

TEST_F(storage_command, lifts_a_quarantine_only_when_asked) {
  ASSERT_TRUE(mark_quarantined(posix_file_system(), disk_, "smoke"));
  EXPECT_EQ(run("check"), 0);
  EXPECT_TRUE(said("quarantined: smoke")) << out_;
  EXPECT_TRUE(quarantine_reason(posix_file_system(), disk_)->has_value());
  EXPECT_EQ(run("check --clear-quarantine"), 0);
  EXPECT_FALSE(quarantine_reason(posix_file_system(), disk_)->has_value());
}

TEST_F(storage_command, a_rebuilt_index_ends_the_quarantine) {
  ASSERT_TRUE(mark_quarantined(posix_file_system(), disk_, "the index could not be read"));
  EXPECT_EQ(run("rebuild-index"), 0) << errors_;
  EXPECT_TRUE(said("no longer quarantined")) << out_;
  EXPECT_FALSE(quarantine_reason(posix_file_system(), disk_)->has_value());
}

TEST_F(storage_command, names_a_directory_that_is_no_disk) {
  fs::remove_all(disk_);
  EXPECT_EQ(run("check"), 1);
  EXPECT_TRUE(complained("not_found")) << errors_;
  EXPECT_FALSE(fs::exists(disk_));
}

} // namespace cairn::cli::storage_command_test

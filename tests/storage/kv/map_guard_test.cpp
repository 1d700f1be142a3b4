#include "storage/kv/map_guard.hpp"
#include "tests/base/temporary_directory.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <thread>

namespace cairn::storage::map_guard_test {
// A mapped page beyond the end of its file.
class broken_map : public testing::Test {
protected:
  void SetUp() override {
    install_map_guard();
    const int fd = ::open((directory.path() + "/file").c_str(), O_RDWR | O_CREAT, 0600);
    ASSERT_GE(fd, 0);
    void* const mapped = ::mmap(nullptr, 4096, PROT_READ, MAP_SHARED, fd, 0);
    ::close(fd);
    ASSERT_NE(mapped, MAP_FAILED);
    page = static_cast<const volatile char*>(mapped);
  }
  void TearDown() override { ::munmap(const_cast<char*>(page), 4096); }

  temporary_directory directory;
  const volatile char* page = nullptr;
};

TEST_F(broken_map, is_reported_by_the_guard_each_time) {
  for (int i = 0; i < 3; ++i) {
    int before = 0, after = 0;
    auto work = [&] {
      ++before;
      static_cast<void>(page[0]);
      ++after;
    };
    EXPECT_FALSE(run_guarded(work));
    EXPECT_EQ(before, 1);
    EXPECT_EQ(after, 0);
  }
}

TEST_F(broken_map, is_reported_on_the_thread_that_faulted) {
  std::thread{[&] {
    auto work = [&] { static_cast<void>(page[0]); };
    EXPECT_FALSE(run_guarded(work));
  }}.join();
  auto harmless = [] {};
  EXPECT_TRUE(run_guarded(harmless));
}

TEST_F(broken_map, ends_the_process_without_a_guard) {
  EXPECT_DEATH(static_cast<void>(page[0]), "");
  auto harmless = [] {};
  EXPECT_TRUE(run_guarded(harmless));
  EXPECT_DEATH(static_cast<void>(page[0]), "");
}

TEST(map_guard, reports_access_to_unmapped_read_only_and_non_canonical_addresses) {
  install_map_guard();
  void* const page = ::mmap(nullptr, 8192, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(page, MAP_FAILED);
  ASSERT_EQ(::munmap(static_cast<char*>(page) + 4096, 4096), 0);
  auto beyond = [&] { static_cast<void>(*(static_cast<const volatile char*>(page) + 4096)); };
  EXPECT_FALSE(run_guarded(beyond));
  auto write = [&] { *static_cast<volatile char*>(page) = 1; };
  EXPECT_FALSE(run_guarded(write));
  volatile std::uintptr_t nowhere = 0x7777'0000'0000'0000; // not canonical
  auto astray = [&] { static_cast<void>(*reinterpret_cast<const volatile char*>(nowhere)); };
  EXPECT_FALSE(run_guarded(astray));
  ::munmap(page, 4096);
}

TEST(map_guard, does_not_handle_faults_of_code_that_is_not_guarded) {
  install_map_guard();
  volatile std::uintptr_t nowhere = 16;
  EXPECT_DEATH(static_cast<void>(*reinterpret_cast<const volatile char*>(nowhere)), "");
}

TEST(map_guard, can_be_left_by_the_guarded_code_itself) {
  bool after = false;
  auto work = [&] {
    leave_guarded();
    after = true;
  };
  EXPECT_FALSE(run_guarded(work));
  EXPECT_FALSE(after);
  leave_guarded(); // outside: nothing
}

} // namespace cairn::storage::map_guard_test

// The token that a node makes for its admin port, and certificates that end.
#include "cli/admin/admin_token.hpp"
#include "cli/certificate_watch.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include <sys/stat.h>
#include <unistd.h>

namespace cairn::cli::admin_token_test {

namespace fs = std::filesystem;

class admin_token : public testing::Test {
public:
  admin_token() { fs::remove_all(dir); }
  ~admin_token() override { fs::remove_all(dir); }

protected:
  const std::string dir = testing::TempDir() + "cairn-admin-token-" + std::to_string(::getpid());
  random_source& random = system_random();
};

TEST_F(admin_token, is_made_once_for_its_owner_alone) {
  const auto made = own_admin_token(dir, random);
  ASSERT_TRUE(made);
  EXPECT_EQ(made->size(), 64u);
  EXPECT_EQ(made->find_first_not_of("0123456789abcdef"), std::string::npos);
  struct ::stat there {};
  ASSERT_EQ(::stat(admin_token_path(dir).c_str(), &there), 0);
  EXPECT_EQ(there.st_mode & 0777, 0600u);
  EXPECT_EQ(own_admin_token(dir, random).value(), *made);
  fs::remove(admin_token_path(dir));
  EXPECT_NE(own_admin_token(dir, random).value(), *made);
}

TEST_F(admin_token, that_a_crash_left_empty_is_made_anew) {
  fs::create_directories(dir);
  std::ofstream{admin_token_path(dir)} << "\n";
  EXPECT_EQ(own_admin_token(dir, random)->size(), 64u);
}

TEST_F(admin_token, of_which_little_is_left_is_made_anew) {
  fs::create_directories(dir);
  for (const auto* left : {"a", "0123456789abcde"}) {
    std::ofstream{admin_token_path(dir)} << left;
    EXPECT_EQ(own_admin_token(dir, random)->size(), 64u) << left;
  }
  std::ofstream{admin_token_path(dir)} << "0123456789abcdef";
  EXPECT_EQ(own_admin_token(dir, random).value(), "0123456789abcdef");
}

TEST_F(admin_token, files_of_operators_are_read_without_their_white_space) {
  fs::create_directories(dir);
  std::ofstream{dir + "/t"} << "  a-token \r\nanother line";
  EXPECT_EQ(read_token_file(dir + "/t").value(), "a-token");
  EXPECT_EQ(read_token_file(dir + "/none").error(), errc::not_found);
  ASSERT_EQ(::mkfifo(admin_token_path(dir).c_str(), 0600), 0);
  EXPECT_EQ(read_token_file(admin_token_path(dir)).error(), errc::io_error) << "it does not wait for a writer";
  EXPECT_EQ(own_admin_token(dir, random).error(), errc::io_error);
}

TEST(certificate_watch, warns_once_a_day_from_thirty_days_before) {
  constexpr auto day = certificate_watch::day_ms;
  certificate_watch watch;
  const std::vector<actors::certificate_in_use> both{{"http", 100 * day}, {"admin", 0}};
  EXPECT_TRUE(watch.due(both, 69 * day).empty());
  ASSERT_EQ(watch.due(both, 70 * day).size(), 1u);
  EXPECT_TRUE(watch.due(both, 70 * day + day / 2).empty());
  EXPECT_EQ(watch.due(both, 71 * day).size(), 1u);
  EXPECT_EQ(watch.due(both, 101 * day).size(), 1u) << "it has ended";
  EXPECT_EQ(watch.due({{"http", 102 * day}}, 101 * day).size(), 1u) << "another certificate";
  EXPECT_TRUE(watch.due({{"http", 500 * day}}, 103 * day).empty());
}

} // namespace cairn::cli::admin_token_test

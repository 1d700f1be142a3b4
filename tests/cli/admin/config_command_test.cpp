#include "cli/admin/config_command.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace cairn::cli::config_command_test {

using testing::HasSubstr;

struct outcome {
  int exit_code = 0;
  std::string out, errors;
};

outcome run(std::vector<std::string> arguments) {
  CLI::App app;
  outcome o;
  add_config_command(app, o.exit_code);
  std::reverse(arguments.begin(), arguments.end()); // CLI11 takes a vector from its end
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  try {
    app.parse(arguments);
  } catch (const CLI::ParseError& e) {
    o.exit_code = 100 + e.get_exit_code();
  }
  o.out = testing::internal::GetCapturedStdout();
  o.errors = testing::internal::GetCapturedStderr();
  return o;
}

TEST(config_command, check_prints_all_problems_and_exits_with_2) {
  const auto path = (std::filesystem::path(testing::TempDir()) / "cairn_check.toml").string();
  std::ofstream(path) << "[upload]\nwindow = 0\n[nod]\n";
  const auto o = run({"config", "check", path, "--set", "log.level=loud"});
  EXPECT_EQ(o.exit_code, 2);
  EXPECT_THAT(o.errors, HasSubstr(path + ":2:10: upload.window: expected an integer, 1 to 64, got 0\n"));
  EXPECT_THAT(o.errors, HasSubstr("nod: unknown section, did you mean [node]?\n"));
  EXPECT_THAT(o.errors, HasSubstr("--set: log.level: expected one of debug, info, warn, error, got \"loud\"\n"));
  EXPECT_THAT(o.errors, HasSubstr("3 problems in the configuration\n"));
  EXPECT_EQ(o.out, "");
  std::ofstream(path) << "[upload]\nwindow = 1\n";
  EXPECT_EQ(run({"config", "check", path}).exit_code, 0);
  std::filesystem::remove(path);
}

TEST(config_command, show_prints_the_settings_in_effect) {
  const auto o = run({"config", "show", "--set", "upload.window=9", "--set", "storage.disks=['/a']"});
  EXPECT_EQ(o.exit_code, 0);
  EXPECT_THAT(o.out, HasSubstr("[upload]\nwindow = 9\n"));
  EXPECT_THAT(o.out, HasSubstr("disks = [{path = \"/a\", weight = 1}]\n"));
  EXPECT_EQ(run({"config", "show", "--set", "upload.window=900"}).exit_code, 2);
}

TEST(config_command, defaults_print_a_file_that_checks_clean) {
  const auto o = run({"config", "defaults"});
  EXPECT_TRUE(config::load(o.out, "defaults", {}).problems.empty());
  EXPECT_EQ(run({"config", "reference"}).out, config::reference_markdown());
}

TEST(config_command, needs_a_sub_command) {
  EXPECT_GE(run({"config"}).exit_code, 100);
}

} // namespace cairn::cli::config_command_test

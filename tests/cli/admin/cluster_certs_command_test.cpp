#include "actors/link/wire/tls.hpp"
#include "base/files/node_identity.hpp"
#include "base/files/small_file.hpp"
#include "base/sockets/certificates.hpp"
#include "cli/admin/cluster_command.hpp"

#include <CLI/CLI.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

namespace cairn::cli::cluster_certs_command_test {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

class cluster_certs_command : public testing::Test {
protected:
  void SetUp() override { fs::remove_all(folder); }
  void TearDown() override { fs::remove_all(folder); }

  int run(std::vector<std::string> arguments) {
    CLI::App app;
    int exit_code = 0;
    add_cluster_command(app, exit_code);
    arguments.insert(arguments.begin(), {"cluster", "certs"});
    std::reverse(arguments.begin(), arguments.end()); // as CLI11 takes them
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    try {
      app.parse(arguments);
    } catch (const CLI::ParseError&) {
      exit_code = 2;
    }
    out = testing::internal::GetCapturedStdout();
    errors = testing::internal::GetCapturedStderr();
    return exit_code;
  }
  static std::string text(const std::string& path) { return read_small_file(posix_file_system(), path).value(); }
  static fs::perms mode(const std::string& path) { return fs::status(path).permissions(); }

  const std::string folder = (fs::path(testing::TempDir()) / "cairn_cluster_certs").string();
  const std::string ca = folder + "/ca", data = folder + "/data";
  std::string out, errors;
};

constexpr auto owner_only = fs::perms::owner_read | fs::perms::owner_write;

TEST_F(cluster_certs_command, make_a_ca_and_certificates_that_fit_together) {
  ASSERT_EQ(run({"init", "--dir", ca, "--name", "blue"}), 0) << errors;
  EXPECT_EQ(mode(ca + "/ca.key"), owner_only);
  ASSERT_EQ(run({"issue", "--dir", ca, "--data-dir", data, "node-1.example.org", "10.0.0.1"}), 0) << errors;
  const auto node = begin_node_start(posix_file_system(), data, system_random()).value().id;
  EXPECT_EQ(certificates::check_node_certificate(text(ca + "/ca.crt"), text(data + "/node.crt")).value(), node);
  EXPECT_EQ(mode(data + "/node.key"), owner_only);
  EXPECT_THAT(out, HasSubstr("cert = \"" + data + "/node.crt\""));
  const auto material =
      actors::link::read_tls_files(posix_file_system(), data + "/ca.crt", data + "/node.crt", data + "/node.key");
  EXPECT_EQ(actors::link::tls_identity::make(material.value()).value()->node(), node);
}

TEST_F(cluster_certs_command, certify_a_node_by_its_identity_and_renew_it) {
  ASSERT_EQ(run({"init", "--dir", ca}), 0) << errors;
  const std::string id = "01234567-89ab-4def-8123-456789abcdef";
  ASSERT_EQ(run({"issue", "--dir", ca, "--node", id}), 0) << errors;
  const auto first = text(ca + "/" + id + "/node.crt");
  EXPECT_EQ(cairn::to_string(certificates::check_node_certificate(text(ca + "/ca.crt"), first).value()), id);
  ASSERT_EQ(run({"issue", "--dir", ca, "--node", id, "--out", ca + "/" + id}), 0) << errors;
  EXPECT_NE(text(ca + "/" + id + "/node.crt"), first);
}

TEST_F(cluster_certs_command, refuse_what_would_do_harm_or_makes_no_sense) {
  EXPECT_EQ(run({"issue", "--dir", ca, "--data-dir", data}), 1);
  EXPECT_THAT(errors, HasSubstr("cairn cluster certs init --dir " + ca));
  EXPECT_FALSE(fs::exists(data)) << "nothing is made without a CA";
  ASSERT_EQ(run({"init", "--dir", ca}), 0);
  const auto key = text(ca + "/ca.key");
  EXPECT_EQ(run({"init", "--dir", ca}), 2);
  EXPECT_THAT(errors, HasSubstr("is there already"));
  EXPECT_EQ(text(ca + "/ca.key"), key);
  EXPECT_EQ(run({"init"}), 2);
  EXPECT_EQ(run({"issue", "--dir", ca}), 2);
  EXPECT_EQ(run({"issue", "--dir", ca, "--node", "me"}), 2);
  EXPECT_EQ(run({"issue", "--dir", ca, "--node", "01234567-89ab-4def-8123-456789abcdef", "--data-dir", data}), 2);
  EXPECT_EQ(run({"issue", "--dir", ca, "--data-dir", data, "two words"}), 2);
  EXPECT_EQ(run({}), 2);
}

} // namespace cairn::cli::cluster_certs_command_test

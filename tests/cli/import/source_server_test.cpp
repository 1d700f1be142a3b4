#include "cli/import/source_server.hpp"

#include <gtest/gtest.h>

namespace cairn::cli::source_server_test {

s3_endpoint at(const std::string& url) {
  s3_endpoint endpoint;
  endpoint.url = url;
  return endpoint;
}

TEST(source_server, addresses_buckets_in_the_path) {
  const source_server server(at("http://s3.example.com"), false);
  EXPECT_EQ(server.target({"files", ""}), "/files");
  EXPECT_EQ(server.target({"files", "a b/ü"}, {{"versionId", "x/y"}}), "/files/a%20b/%C3%BC?versionId=x%2Fy");
}

TEST(source_server, addresses_buckets_in_the_host) {
  const source_server server(at("http://s3.example.com"), true);
  EXPECT_EQ(server.target({"files", ""}, {{"versions", ""}}), "/?versions=");
  EXPECT_EQ(server.target({"files", "a"}), "/a");
  EXPECT_EQ(virtual_host_url("https://s3.example.com:9000", "files").value(), "https://files.s3.example.com:9000");
  EXPECT_EQ(virtual_host_url("s3.example.com", "files").value(), "files.s3.example.com");
  EXPECT_FALSE(virtual_host_url("http://127.0.0.1:9000", "files"));
  EXPECT_FALSE(virtual_host_url("http://[::1]:9000", "files"));
}

TEST(source_server, threads_get_clients_of_their_own_and_give_them_back) {
  source_server server(at("http://127.0.0.1:1"), false);
  const http_client* first = nullptr;
  {
    const auto a = server.take("files"), b = server.take("files");
    ASSERT_TRUE(a && b);
    first = &**a;
    EXPECT_NE(first, &**b);
  }
  const auto again = server.take("other");
  const auto other = server.take("other");
  ASSERT_TRUE(again && other);
  EXPECT_TRUE(&**again == first || &**other == first);
}

} // namespace cairn::cli::source_server_test

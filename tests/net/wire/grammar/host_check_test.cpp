#include "net/wire/grammar/host_check.hpp"

#include <gtest/gtest.h>

namespace cairn::net::host_check_test {

TEST(host_check, allows_addresses_localhost_and_configured_names) {
  const config::endpoint listen{"192.0.2.7", 9000};
  const std::vector<std::string> names{"files.example.org"};
  for (const auto* good :
       {"127.0.0.1", "127.0.0.1:9000", "192.0.2.7:80", "203.0.113.5", "[::1]", "[::1]:9000", "[2001:db8::1]:1",
        "localhost", "LocalHost:1234", "localhost.", "files.example.org", "FILES.example.ORG:443"}) {
    EXPECT_TRUE(host_allowed(good, listen, names)) << good;
  }
}

TEST(host_check, refuses_other_names_and_nonsense) {
  const config::endpoint listen{"127.0.0.1", 9000};
  for (const auto* bad : {"", "evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "evil.example:9000",
                          "[::1", "[127.0.0.1]", "[evil]", "localhost:9000x", "localhost:123456", "a:b:c", ":9000",
                          "localhost/", "user@localhost"}) {
    EXPECT_FALSE(host_allowed(bad, listen, {})) << bad;
  }
}

TEST(host_check, finds_what_stands_before_a_domain) {
  const std::vector<std::string> domains{"example.com", "s3.example.com"};
  const auto before = [&domains](std::string_view host) { return subdomain_of(host, domains); };
  EXPECT_EQ(before("files.s3.example.com"), "files");
  EXPECT_EQ(before("Files.S3.Example.COM.:9000"), "files");
  EXPECT_EQ(before("a.b.s3.example.com"), "a.b");
  EXPECT_EQ(before("files.example.com"), "files");
  EXPECT_EQ(before("s3.example.com:9000"), "") << "the longest domain";
  EXPECT_EQ(before("example.com"), "");
  for (const auto* other : {"", "example.org", "evil-example.com", "s3.example.com.evil.org", "10.0.0.1", "[::1]",
                            "com", "files.s3.example.com:x"})
    EXPECT_FALSE(before(other)) << other;
  EXPECT_FALSE(subdomain_of("files.s3.example.com", {}));
}

} // namespace cairn::net::host_check_test

#include "net/wire/grammar/cross_site.hpp"

#include <gtest/gtest.h>

namespace cairn::net::cross_site_test {

TEST(cross_site, other_clients_send_neither_header) {
  EXPECT_FALSE(from_another_origin("", "", "127.0.0.1:9000"));
}

TEST(cross_site, is_what_the_browser_says) {
  for (const auto* same : {"same-origin", "none", "Same-Origin"})
    EXPECT_FALSE(from_another_origin(same, "", "127.0.0.1:9000")) << same;
  for (const auto* other : {"cross-site", "same-site", "anything"})
    EXPECT_TRUE(from_another_origin(other, "", "127.0.0.1:9000")) << other;
  EXPECT_TRUE(from_another_origin("cross-site", "http://127.0.0.1:9000", "127.0.0.1:9000"));
}

TEST(cross_site, is_an_origin_that_does_not_name_the_host) {
  const auto foreign = [](std::string_view origin) { return from_another_origin("", origin, "files.example:9000"); };
  EXPECT_FALSE(foreign("http://files.example:9000"));
  EXPECT_FALSE(foreign("https://Files.Example:9000")); // behind a proxy that speaks TLS
  for (const auto* other : {"http://files.example", "http://files.example:9001", "http://evil.example", "null",
                            "http://files.example:9000.evil.example", "files.example:9000", "http://",
                            "http://evil.example://files.example:9000"})
    EXPECT_TRUE(foreign(other)) << other;
  EXPECT_TRUE(from_another_origin("same-origin", "https://evil.example", "files.example:9000"));
  EXPECT_TRUE(from_another_origin("none", "null", "files.example:9000"));
}

} // namespace cairn::net::cross_site_test

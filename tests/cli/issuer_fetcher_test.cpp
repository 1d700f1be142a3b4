// What a server says about caching its documents, and URLs with a path.
#include "cli/issuer_fetcher.hpp"

#include "cli/client/http_client.hpp"

#include <gtest/gtest.h>

namespace cairn::cli::issuer_fetcher_test {
using std::chrono::seconds;

TEST(issuer_fetcher, keeps_documents_as_long_as_the_server_says) {
  EXPECT_EQ(max_age_of("max-age=3600"), seconds{3600});
  EXPECT_EQ(max_age_of("public, max-age=60, must-revalidate"), seconds{60});
  EXPECT_EQ(max_age_of("no-store"), seconds{0});
  for (const auto* none : {"", "public", "max-age=", "max-age=-1", "max-age=1x", "s-maxage=5", "max-age=99999999999"})
    EXPECT_FALSE(max_age_of(none)) << none;
}

TEST(issuer_fetcher, takes_urls_apart) {
  const auto with_path = parse_server_url("https://idp.example.org:8443/keys?v=1").value();
  EXPECT_EQ(with_path.server.host, "idp.example.org");
  EXPECT_EQ(with_path.server.port, "8443");
  EXPECT_TRUE(with_path.server.tls);
  EXPECT_EQ(with_path.target, "/keys?v=1");
  EXPECT_EQ(parse_server_url("http://127.0.0.1").value().target, "");
  EXPECT_FALSE(parse_server_url("https:///keys"));
  EXPECT_FALSE(parse_server_url("https://a@b/keys"));
}

} // namespace cairn::cli::issuer_fetcher_test

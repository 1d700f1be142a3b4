// Fetches of keys: one at a time, none on the threads of those who wait.
#include "net/web_identity/identity_provider.hpp"

#include "tests/net/web_identity/signed_tokens.hpp"

#include <atomic>
#include <future>

namespace cairn::net::identity_provider_test {
using namespace std::chrono_literals;
using keys_result = result<std::shared_ptr<const json_web_keys>>;

const config::oidc_issuer issuer{"https://idp.example.org/team/", {"cairn"}, "ca.pem", {}};
const std::string discovery =
    R"({"issuer":"https://idp.example.org/team/","jwks_uri":"https://keys.example.org/all?v=1","more":[1]})";

std::string set_with(const std::string& id) {
  static const auto key = signed_tokens::test_key::curve("P-256", 32);
  return signed_tokens::set_of({key.json() + R"(,"kid":")" + id + "\"}"});
}

std::future<keys_result> ask(identity_provider& provider, const std::string& id) {
  auto answered = std::make_shared<std::promise<keys_result>>();
  auto answer = answered->get_future();
  provider.keys_for({"ES256", id}, [answered](keys_result keys) { answered->set_value(std::move(keys)); });
  return answer;
}

TEST(identity_provider, finds_its_keys_as_its_configuration_says) {
  std::vector<std::string> asked;
  identity_provider provider{issuer,
                             [&asked](const std::string& url, const issuer_trust& trust) -> result<fetched_document> {
                               asked.push_back(url + " " + trust.ca_file);
                               return fetched_document{asked.size() == 1 ? discovery : set_with("a"), {}};
                             },
                             system_clock()};
  const auto keys = ask(provider, "a").get();
  ASSERT_TRUE(keys);
  EXPECT_NE((*keys)->find({"ES256", "a"}), nullptr);
  EXPECT_EQ(asked, (std::vector<std::string>{"https://idp.example.org/team/.well-known/openid-configuration ca.pem",
                                             "https://keys.example.org/all?v=1 ca.pem"}));
  EXPECT_EQ(ask(provider, "b").get().error(), errc::not_found) << "and not fetched again so soon";
  EXPECT_EQ(asked.size(), 2u);
}

TEST(identity_provider, fetches_once_for_all_who_wait_and_lets_not_too_many_wait) {
  auto with_url = issuer;
  with_url.jwks_url = "https://keys.example.org/";
  std::promise<void> go;
  std::atomic<int> fetches{0};
  identity_provider provider{with_url,
                             [&, gone = go.get_future().share()](const std::string&, const issuer_trust&) {
                               ++fetches;
                               gone.wait();
                               return result<fetched_document>{fetched_document{set_with("a"), {}}};
                             },
                             system_clock()};
  std::vector<std::future<keys_result>> waiting;
  for (std::size_t i = 0; i < identity_provider::waiting_max; ++i) waiting.push_back(ask(provider, i % 2 ? "a" : "b"));
  EXPECT_EQ(ask(provider, "a").get().error(), errc::slow_down);
  go.set_value();
  for (std::size_t i = 0; i < waiting.size(); ++i) {
    const auto keys = waiting[i].get();
    EXPECT_EQ(keys ? errc{} : keys.error().code, i % 2 == 1 ? errc{} : errc::not_found);
  }
  EXPECT_EQ(fetches, 1);
}

TEST(identity_provider, answers_those_who_wait_when_it_stops_and_when_its_issuer_does_not) {
  auto with_url = issuer;
  with_url.jwks_url = "https://keys.example.org/";
  identity_provider dead{with_url,
                         [](const std::string&, const issuer_trust&) -> result<fetched_document> {
                           return error{errc::timeout, "no answer"};
                         },
                         system_clock()};
  EXPECT_EQ(ask(dead, "a").get().error(), errc::connection_lost);
  std::promise<void> go;
  identity_provider slow{with_url,
                         [gone = go.get_future().share()](const std::string&, const issuer_trust&) {
                           gone.wait();
                           return result<fetched_document>{error{errc::timeout, "no answer"}};
                         },
                         system_clock()};
  auto waiting = ask(slow, "a");
  slow.stop();
  EXPECT_EQ(waiting.get().error(), errc::stopping);
  EXPECT_EQ(ask(slow, "a").get().error(), errc::stopping);
  go.set_value();
}

TEST(identity_provider, fetches_again_after_its_fetch_has_ended) {
  auto with_url = issuer;
  with_url.jwks_url = "https://keys.example.org/";
  struct : clock {
    mutable std::atomic<int> minutes{0}; // one between any two looks at the clock
    steady_time now() const override {
      return steady_time{} + std::chrono::hours{48} + std::chrono::minutes{++minutes};
    }
    wall_ms wall() const override { return 0; }
  } time;
  std::atomic<int> fetches{0};
  identity_provider provider{with_url,
                             [&fetches](const std::string&, const issuer_trust&) -> result<fetched_document> {
                               ++fetches;
                               return fetched_document{set_with("a"), {}};
                             },
                             time};
  EXPECT_TRUE(provider.is_idle());
  EXPECT_TRUE(ask(provider, "a").get());
  EXPECT_EQ(ask(provider, "b").get().error(), errc::not_found);
  EXPECT_EQ(ask(provider, "c").get().error(), errc::not_found);
  EXPECT_EQ(fetches, 3);
}

TEST(identity_providers, keep_those_of_the_configuration_and_make_those_of_rows) {
  std::vector<std::string> asked;
  std::mutex mutex;
  identity_providers all{{issuer},
                         [&](const std::string& url, const issuer_trust& trust) -> result<fetched_document> {
                           const std::lock_guard guard{mutex};
                           asked.push_back(url + " " + trust.ca_file +
                                           (trust.thumbprints.empty() ? "" : trust.thumbprints[0]));
                           return error{errc::timeout, "no answer"};
                         },
                         system_clock()};
  EXPECT_NE(all.configured(issuer.issuer), nullptr);
  EXPECT_EQ(all.configured("https://a.b"), nullptr);
  const auto made = all.made("https://a.b", {"aa"});
  EXPECT_EQ(all.configured("https://a.b"), nullptr);
  EXPECT_EQ(all.made("https://a.b", {"aa"}), made);
  EXPECT_NE(all.made("https://a.b", {"bb"}), made) << "with other thumbprints its keys are fetched anew";
  EXPECT_EQ(ask(*made, "a").get().error(), errc::connection_lost);
  EXPECT_EQ(asked, std::vector<std::string>{"https://a.b/.well-known/openid-configuration aa"});
  const std::weak_ptr<identity_provider> unused = all.made("https://unused.b", {});
  for (std::size_t i = 0; i < identity_providers::made_max; ++i) all.made("https://a.b/" + std::to_string(i), {});
  EXPECT_TRUE(unused.expired());
  EXPECT_EQ(all.made("https://a.b", {"aa"}), made) << "somebody has it";
  all.stop();
  EXPECT_EQ(ask(*made, "a").get().error(), errc::stopping);
  EXPECT_EQ(ask(*all.made("https://late.b", {}), "a").get().error(), errc::stopping);
}

TEST(identity_provider, reads_the_configuration_of_its_issuer_only) {
  EXPECT_EQ(read_discovery(discovery, issuer.issuer).value(), "https://keys.example.org/all?v=1");
  for (const auto* bad :
       {"", "[]", "{}", R"({"issuer":"https://idp.example.org/team","jwks_uri":"https://keys.example.org/"})",
        R"({"issuer":"https://idp.example.org/team/"})",
        R"({"issuer":"https://idp.example.org/team/","jwks_uri":"http://keys.example.org/"})",
        R"({"issuer":"https://idp.example.org/team/","jwks_uri":"http://127.0.0.1/"})",
        R"({"issuer":"https://idp.example.org/team/","jwks_uri":"file:///etc/passwd"})",
        R"({"issuer":"https://idp.example.org/team/","jwks_uri":7})",
        R"({"issuer":"x","issuer":"https://idp.example.org/team/","jwks_uri":"https://keys.example.org/"})"})
    EXPECT_FALSE(read_discovery(bad, issuer.issuer)) << bad;
  EXPECT_TRUE(read_discovery(R"({"issuer":"http://127.0.0.1:8000","jwks_uri":"http://127.0.0.1:8000/k"})",
                             "http://127.0.0.1:8000"));
}

} // namespace cairn::net::identity_provider_test

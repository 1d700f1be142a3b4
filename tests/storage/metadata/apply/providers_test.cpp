// Identity providers where commands are applied.
#include "tests/storage/metadata/store_fixture.hpp"

namespace cairn::storage::metadata::providers_test {
using policy::action;

class identity_provider_rows : public store_test {
protected:
  change_identity about(action what, const std::string& name = "idp.example.org/team") {
    return {.stamp = stamp(), .what = what, .now = 5, .name = name};
  }
  change_identity made(const std::string& name = "idp.example.org/team") {
    auto c = about(action::iam_create_open_id_connect_provider, name);
    c.client_ids = {"cairn", "other", "cairn"};
    c.thumbprints = {std::string(40, 'a')};
    return c;
  }
  std::optional<errc> with_client(action what, const std::string& id) {
    auto c = about(what);
    c.client_ids = {id};
    return refused(c);
  }
  result<provider_row> row(const std::string& name = "idp.example.org/team") {
    identity_query query;
    query.kind = identity_kind::provider;
    query.name = name;
    const auto page = read()->identities(query);
    if (!page) return page.error();
    return page->providers.at(0);
  }
  std::vector<std::string> all() {
    identity_query query;
    query.kind = identity_kind::provider;
    std::vector<std::string> names;
    for (const auto& one : read()->identities(query).value().providers) names.push_back(resource_of(one));
    return names;
  }
};

TEST_F(identity_provider_rows, are_made_changed_and_deleted) {
  EXPECT_EQ(row().error(), errc::no_such_identity);
  EXPECT_EQ(refused(made()), std::nullopt);
  EXPECT_EQ(row()->client_ids, (std::vector<std::string>{"cairn", "other"})) << "each once";
  EXPECT_EQ(row()->created, 5);
  EXPECT_EQ(decode_provider(encode(*row())).value(), *row());
  EXPECT_EQ(with_client(action::iam_add_client_id_to_open_id_connect_provider, "more"), std::nullopt);
  EXPECT_EQ(with_client(action::iam_add_client_id_to_open_id_connect_provider, "more"), std::nullopt) << "idempotent";
  EXPECT_EQ(with_client(action::iam_remove_client_id_from_open_id_connect_provider, "cairn"), std::nullopt);
  EXPECT_EQ(with_client(action::iam_remove_client_id_from_open_id_connect_provider, "none"), std::nullopt);
  EXPECT_EQ(row()->client_ids, (std::vector<std::string>{"other", "more"}));
  auto c = about(action::iam_update_open_id_connect_provider_thumbprint);
  c.thumbprints = {std::string(40, 'b'), std::string(40, 'c')};
  EXPECT_EQ(refused(c), std::nullopt);
  EXPECT_EQ(row()->thumbprints, c.thumbprints);
  c = about(action::iam_tag_open_id_connect_provider);
  c.tags = {{"team", "blue"}, {"stage", "test"}};
  EXPECT_EQ(refused(c), std::nullopt);
  c = about(action::iam_untag_open_id_connect_provider);
  c.tags = {{"team", ""}};
  EXPECT_EQ(refused(c), std::nullopt);
  EXPECT_EQ(row()->tags, (policy::tag_pairs{{"stage", "test"}}));
  EXPECT_EQ(all(), std::vector<std::string>{"oidc-provider/idp.example.org/team"});
  EXPECT_EQ(refused(about(action::iam_delete_open_id_connect_provider)), std::nullopt);
  EXPECT_EQ(refused(about(action::iam_delete_open_id_connect_provider)), errc::no_such_identity);
  EXPECT_EQ(row().error(), errc::no_such_identity);
}

TEST_F(identity_provider_rows, are_found_by_their_exact_names_and_are_no_others_in_another_case) {
  EXPECT_EQ(refused(made()), std::nullopt);
  EXPECT_EQ(refused(made()), errc::identity_exists);
  EXPECT_EQ(refused(made("idp.example.org/Team")), errc::identity_exists);
  EXPECT_EQ(refused(about(action::iam_delete_open_id_connect_provider, "idp.example.org/Team")),
            errc::no_such_identity);
  EXPECT_EQ(refused(made("idp.example.org/team/")), std::nullopt);
  for (const auto* bad : {"", "idp", "Idp.example.org", "idp.example.org/a b", "idp.example.org/?a=b"})
    EXPECT_EQ(refused(made(bad)), errc::invalid_argument) << bad;
  EXPECT_EQ(refused(made("a.b/" + std::string(252, 'c'))), errc::invalid_argument);
}

TEST_F(identity_provider_rows, keep_iams_limits) {
  auto c = made();
  c.client_ids.clear();
  for (std::size_t i = 1; i < provider_client_ids_max; ++i) c.client_ids.push_back("client-" + std::to_string(i));
  EXPECT_EQ(refused(c), std::nullopt);
  const auto add = [this](const std::string& id) {
    return with_client(action::iam_add_client_id_to_open_id_connect_provider, id);
  };
  for (const auto& bad : {std::string{}, std::string(client_id_bytes_max + 1, 'a'), std::string{"a\nb"}})
    EXPECT_EQ(add(bad), errc::invalid_argument) << bad;
  EXPECT_EQ(add(std::string(client_id_bytes_max, 'a')), std::nullopt);
  EXPECT_EQ(add("more"), errc::too_large);
  EXPECT_EQ(add("client-1"), std::nullopt) << "it is there";
  c = about(action::iam_update_open_id_connect_provider_thumbprint);
  c.thumbprints.assign(provider_thumbprints_max + 1, std::string(40, 'a'));
  EXPECT_EQ(refused(c), errc::too_large);
  for (const auto& bad : {std::string(39, 'a'), std::string(40, 'g'), std::string(40, 'A')}) {
    c.stamp = stamp();
    c.thumbprints = {bad};
    EXPECT_EQ(refused(c), errc::invalid_argument) << bad;
  }
  c = about(action::iam_tag_open_id_connect_provider);
  for (std::size_t i = 0; i <= user_tags_max; ++i) c.tags.emplace_back("k" + std::to_string(i), "v");
  EXPECT_EQ(refused(c), errc::too_large);
  for (std::size_t i = 1; i < providers_max; ++i)
    EXPECT_EQ(refused(made("idp.example.org/" + std::to_string(i))), std::nullopt) << i;
  EXPECT_EQ(refused(made("idp.example.org/more")), errc::too_large);
}

} // namespace cairn::storage::metadata::providers_test

#include "cli/import/identities/minio_export.hpp"

#include "tests/cli/import/identities/made_archive.hpp"

#include <gtest/gtest.h>

#include <map>

namespace cairn::cli::minio_export_test {

identity_set identities_of(const std::map<std::string, std::string>& files) {
  const auto read = read_minio_identities([&files](const std::string& name) -> result<json_object> {
    const auto found = files.find(name);
    if (found == files.end()) return json_object{};
    return read_json(found->second, 10'000, 20)->as_object();
  });
  EXPECT_TRUE(read);
  return read ? *read : identity_set{};
}

std::vector<std::string> left_of(const identity_set& set) {
  std::vector<std::string> out;
  for (const auto& one : set.remarks) out.push_back(one.what + ": " + one.why);
  return out;
}

const std::string two_users = R"({"ann":{"secretKey":"ann-secret","status":"enabled"},
                                  "bob":{"secretKey":"bob-secret","status":"disabled"}})";

TEST(minio_export, has_users_whose_names_are_their_keys) {
  const auto set = identities_of({{"users.json", two_users}});
  ASSERT_EQ(set.users.size(), 2u);
  EXPECT_EQ(set.users[0].name, "ann");
  ASSERT_EQ(set.users[0].keys.size(), 1u);
  EXPECT_EQ(set.users[0].keys[0].id + " " + set.users[0].keys[0].secret, "ann ann-secret");
  EXPECT_TRUE(set.users[0].keys[0].active);
  EXPECT_FALSE(set.users[1].keys[0].active);
}

TEST(minio_export, maps_policies_to_users_and_groups) {
  const auto set = identities_of(
      {{"users.json", two_users},
       {"groups.json", R"({"devs":{"version":1,"status":"enabled","members":["ann","gone"]},
                           "off":{"status":"disabled","members":["bob"]}})"},
       {"user_mappings.json", R"({"ann":{"version":0,"policy":"own,readonly"},"uid=x,dc=y":{"policy":"own"}})"},
       {"group_mappings.json", R"({"devs":{"policy":"readwrite"},"off":{"policy":"own"}})"},
       {"policies.json",
        R"({"own":{"Version":"2012-10-17","Statement":[]},"readonly":{},"readwrite":{},"writeonly":{}})"}});
  EXPECT_EQ(set.users[0].policies.attached, (std::vector<std::string>{"own", "readonly"}));
  EXPECT_EQ(set.users[0].groups, std::vector<std::string>{"devs"});
  EXPECT_EQ(set.groups[0].policies.attached, std::vector<std::string>{"readwrite"});
  EXPECT_TRUE(set.groups[1].policies.attached.empty());
  std::string policies;
  for (const auto& one : set.policies) policies += one.name + " ";
  EXPECT_EQ(policies, "own readonly readwrite "); // nobody has writeonly
  EXPECT_EQ(set.policies[0].document, R"({"Version":"2012-10-17","Statement":[]})");
  EXPECT_EQ(left_of(set), (std::vector<std::string>{"group devs: member gone: it is no user of the export",
                                                    "policies of uid=x,dc=y (own): it is from LDAP or OpenID",
                                                    "group off: its policies: the group is disabled"}));
}

TEST(minio_export, makes_keys_of_service_accounts_that_have_the_rights_of_their_user) {
  const auto set = identities_of(
      {{"users.json", two_users},
       {"svcaccts.json",
        R"({"S1":{"parent":"ann","accessKey":"S1","secretKey":"s1-secret","sessionPolicy":null,"status":"off"},
                             "S2":{"parent":"ann","secretKey":"s","sessionPolicy":{"Version":"2012-10-17"},"status":"on"},
                             "S3":{"parent":"ann","secretKey":"s","expiration":"2030-01-01T00:00:00Z","status":"on"},
                             "S4":{"parent":"root","secretKey":"s","status":"on"},
                             "S5":{"parent":"bob","secretKey":"s5","expiration":"1970-01-01T00:00:00Z","status":"on"},
                             "S6":{"parent":"bob","secretKey":"s6","expiration":"0001-01-01T00:00:00Z","status":"on"}})"}});
  EXPECT_EQ(set.users[1].keys.size(), 3u) << "MinIO's times for no expiration";
  ASSERT_EQ(set.users[0].keys.size(), 2u);
  EXPECT_EQ(set.users[0].keys[1].id + " " + set.users[0].keys[1].secret, "S1 s1-secret");
  EXPECT_FALSE(set.users[0].keys[1].active);
  EXPECT_EQ(left_of(set).size(), 3u);
}

TEST(minio_export, is_an_archive_with_all_its_files) {
  std::vector<std::pair<std::string, std::string>> files;
  for (const auto* name : {"policies", "groups", "svcaccts", "user_mappings", "group_mappings", "stsuser_mappings"})
    files.emplace_back("iam-assets/" + std::string{name} + ".json", "{}");
  const auto lacking = read_minio_archive(made_archive(files));
  ASSERT_FALSE(lacking);
  EXPECT_EQ(lacking.error().code, errc::corrupt);
  EXPECT_EQ(lacking.error().text, "the export of the source has no iam-assets/users.json");
  files.emplace_back("iam-assets/users.json", two_users);
  const auto whole = read_minio_archive(made_archive(files));
  ASSERT_TRUE(whole);
  EXPECT_EQ(whole->users.size(), 2u);
  files.back().second = "[]";
  EXPECT_EQ(read_minio_archive(made_archive(files)).error().code, errc::corrupt);
}

TEST(minio_export, is_a_folder_with_users) {
  const auto read = read_minio_export("/nowhere/at/all");
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, errc::invalid_argument);
}

} // namespace cairn::cli::minio_export_test

#include "config/keys.hpp"

#include "config/load.hpp"
#include "config/reload.hpp"
#include "config/suggest.hpp"
#include "config/toml_shape.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>

namespace cairn::config::keys_test {

using testing::ElementsAre;
using testing::HasSubstr;

std::string file(const std::string& path) {
  std::ifstream in(std::string(CAIRN_SOURCE_DIR "/") + path, std::ios::binary);
  std::stringstream out;
  out << in.rdbuf();
  return out.str();
}

struct address_of {
  const void* operator()(const auto* member) const { return member; }
};

TEST(config_keys, name_each_member_once_and_stay_grouped_by_section) {
  settings s;
  std::set<std::string> names;
  std::set<const void*> members;
  std::vector<std::string_view> order, listed;
  for (const auto& k : keys()) {
    EXPECT_TRUE(names.insert(k.full_name()).second) << k.full_name();
    EXPECT_TRUE(members.insert(std::visit(address_of{}, k.slot(s))).second) << k.full_name();
    EXPECT_FALSE(k.text.empty()) << k.full_name();
    if (order.empty() || order.back() != k.section) order.push_back(k.section);
  }
  for (const auto& section : sections()) listed.push_back(section.name);
  EXPECT_EQ(order, listed);
}

// C++ cannot enumerate the members of the struct, so the test reads its source. A member without a row in the table
// would be a key that cannot be set.
TEST(config_keys, cover_every_member_of_the_settings_struct) {
  const auto header = file("config/config.hpp");
  const auto table = file("config/keys.cpp");
  std::istringstream in(header);
  std::string line, owner;
  int members = 0;
  while (std::getline(in, line)) {
    if (line.starts_with("struct ")) owner = line.substr(7, line.find(' ', 7) - 7);
    if (line.starts_with("}")) owner.clear();
    if (!owner.ends_with("_settings") || owner == "disk_settings" || !line.starts_with("  ")) continue;
    const auto declaration = line.substr(0, line.find_first_of("={;"));
    const auto end = declaration.find_last_not_of(' ');
    const auto start = declaration.find_last_of(' ', end) + 1;
    const auto member = declaration.substr(start, end - start + 1);
    const auto is_group = declaration.substr(0, start).ends_with("_settings "); // its own struct's members are keys
    if (is_group) continue;
    ++members;
    EXPECT_THAT(table, HasSubstr("&" + owner + "::" + member + ">"));
  }
  EXPECT_EQ(std::size_t(members), keys().size());
}

TEST(config_keys, defaults_are_within_their_own_bounds) {
  EXPECT_TRUE(load(to_toml({}, false), "defaults", {}).problems.empty());
  EXPECT_TRUE(load(to_toml({}, true), "defaults", {}).problems.empty());
}

TEST(config_show, loads_back_to_the_same_settings) {
  const std::vector<std::string> overrides{
      "node.data_dir='''a \"b\" \\ c'''",
      "storage.disks=[{path=\"/ä\\u0001\", weight=0.1}, {path='/b', weight=1e-300}]",
      "http.server_names=['a.example', 'b']",
      "http.domains=['s3.example.com']",
      "auth.sigv2=presigned",
      "auth.object_ownership=ObjectWriter",
      "auth.oidc=[{issuer='https://a.b/c', audiences=['x', 'y\"'], ca_file='ca', jwks_url='https://a.b/k'}]",
      "http.listen='[::1]:1'",
      "limits.object_size=500MB",
      "limits.cache=1GiB",
      "limits.rates=[{key='*', requests_per_second=5, transfers=2}, {address='10.0.0.0/8', bytes_per_second='1MiB'}]",
      "debug.read_delay=1500us",
      "log.format=json",
      "auth.anonymous=none"};
  const auto first = load("", "", overrides);
  ASSERT_TRUE(first.problems.empty()) << to_string(first.problems[0]);
  const auto text = to_toml(first.value, true);
  const auto second = load(text, "shown", {});
  ASSERT_TRUE(second.problems.empty()) << to_string(second.problems[0]);
  EXPECT_EQ(to_toml(second.value, true), text);
  EXPECT_EQ(second.value.node.data_dir, "a \"b\" \\ c");
  ASSERT_EQ(second.value.storage.disks.size(), 2u);
  EXPECT_EQ(second.value.storage.disks[0].weight, 0.1);
  EXPECT_EQ(second.value.storage.disks[1].weight, 1e-300);
  EXPECT_EQ(second.value.debug.read_delay, duration{1500});
  ASSERT_EQ(second.value.limits.rates.size(), 2u);
  EXPECT_EQ(second.value.limits.rates[1].bytes_per_second.bytes, 1u << 20);
}

TEST(config_show, hides_secrets_that_are_set) {
  const std::vector<std::string> overrides{"auth.root_access_key=admin", "auth.root_secret_key=correct horse"};
  const auto wrong = load("", "", overrides);
  ASSERT_EQ(wrong.problems.size(), 1u) << "a blank in the secret";
  EXPECT_EQ(to_string(wrong.problems[0]).find("horse"), std::string::npos);
  const std::vector<std::string> good{"auth.root_access_key=admin", "auth.root_secret_key=correct-horse"};
  const auto shown = to_toml(load("", "", good).value, true, false);
  EXPECT_EQ(shown.find("horse"), std::string::npos);
  EXPECT_THAT(shown, HasSubstr("# root_secret_key is set, and not shown"));
  EXPECT_THAT(shown, HasSubstr("root_access_key = \"admin\""));
  EXPECT_EQ(load(to_toml(load("", "", good).value, false), "", {}).value.auth.root_secret_key, "correct-horse");
}

TEST(config_rules, want_a_file_for_the_audit_log_before_anything_else_about_it) {
  const std::vector<std::string> reads{"audit.reads=true"}, durable{"audit.durable=true"},
      both{"audit.file=/var/log/cairn/audit.log", "audit.durable=true"};
  ASSERT_EQ(load("", "", reads).problems.size(), 1u);
  EXPECT_THAT(to_string(load("", "", reads).problems[0]), HasSubstr("audit.file"));
  EXPECT_EQ(load("", "", durable).problems.size(), 1u);
  EXPECT_TRUE(load("", "", both).problems.empty());
}

TEST(config_rules, want_a_file_of_its_own_for_each_log) {
  const std::vector<std::string> same{"audit.file=/var/log/cairn/a.log", "access_log.file=/var/log/cairn/a.log"},
      output{"audit.file='-'"},
      good{"audit.file=/var/log/cairn/audit.log", "access_log.file='-'", "access_log.format=json"};
  ASSERT_EQ(load("", "", same).problems.size(), 1u);
  EXPECT_THAT(to_string(load("", "", same).problems[0]), HasSubstr("access_log.file"));
  ASSERT_EQ(load("", "", output).problems.size(), 1u);
  EXPECT_THAT(to_string(load("", "", output).problems[0]), HasSubstr("standard output"));
  EXPECT_TRUE(load("", "", good).problems.empty());
}

TEST(config_rules, require_both_halves_of_the_root_key) {
  for (const auto& bad :
       std::vector<std::vector<std::string>>{{"auth.root_access_key=admin"},
                                             {"auth.root_secret_key=correct-horse"},
                                             {"auth.root_access_key=a/b", "auth.root_secret_key=correct-horse"},
                                             {"auth.root_access_key=admin", "auth.root_secret_key=short"},
                                             {"auth.region='us east'"},
                                             {"auth.region=''"}}) {
    EXPECT_EQ(load("", "", bad).problems.size(), 1u) << bad[0];
  }
}

TEST(config_rules, take_domains_as_hosts_have_them) {
  EXPECT_TRUE(load("", "", std::vector<std::string>{"http.domains=['s3.example.com', 'localhost', 'a-1.2b']"})
                  .problems.empty());
  for (const auto* bad : {"S3.example.com", "s3.example.com.", ".example.com", "a..b", "", "10.0.0.1",
                          "s3.example.com:9000", "*.example.com", "-a.example", "[::1]", "a_b.example"})
    EXPECT_EQ(load("", "", std::vector<std::string>{"http.domains=['" + std::string{bad} + "']"}).problems.size(), 1u)
        << bad;
  EXPECT_EQ(load("", "", std::vector<std::string>{"http.domains=['a.example', 'a.example']"}).problems.size(), 1u);
}

TEST(config_reference, has_every_key_with_its_default_and_bounds) {
  const auto page = reference_markdown();
  for (const auto& k : keys()) EXPECT_THAT(page, HasSubstr("\n| `" + k.full_name() + "`")) << k.full_name();
  EXPECT_THAT(page, HasSubstr("\n| `storage.chunk_size` | size | `\"1MiB\"` | 64KiB to 16MiB, a multiple of 64KiB | "));
  EXPECT_THAT(page, HasSubstr("\n| `limits.connections` ↻ | ")) << "SIGHUP applies it";
}

TEST(config_reference, is_what_docs_configuration_md_says) {
  EXPECT_TRUE(file("docs/configuration.md") == reference_markdown())
      << "docs/configuration.md is generated: run `./dev docs`, or `cairn config reference > docs/configuration.md`";
}

TEST(config_reload, applies_reloadable_keys_and_names_the_others) {
  settings running, fresh;
  fresh.log.level = log_level::debug;
  fresh.limits.connections = 10;
  fresh.limits.cache = byte_size{0};
  fresh.node.threads = 3;
  const auto r = reload(running, fresh);
  EXPECT_THAT(r.applied, ElementsAre("limits.cache: \"auto\" -> \"0B\"", "limits.connections: 16384 -> 10",
                                     "log.level: \"info\" -> \"debug\""));
  EXPECT_THAT(r.needs_restart, ElementsAre("node.threads"));
  EXPECT_EQ(r.value.log.level, log_level::debug);
  EXPECT_EQ(r.value.limits.connections, 10u);
  EXPECT_EQ(r.value.node.threads, running.node.threads);
}

TEST(config_reload, changes_nothing_when_the_result_breaks_a_rule) {
  settings running, fresh;
  running.storage.chunk_size.bytes = 16 << 20;
  fresh.limits.memory.bytes = 32 << 20;
  fresh.log.level = log_level::debug;
  const auto r = reload(running, fresh);
  ASSERT_EQ(r.problems.size(), 1u);
  EXPECT_EQ(r.problems[0].key, "limits.memory");
  EXPECT_TRUE(r.applied.empty());
  EXPECT_EQ(r.value.log.level, log_level::info);
}

TEST(edit_distance, counts_insertions_deletions_and_replacements) {
  EXPECT_EQ(edit_distance("", "abc"), 3u);
  EXPECT_EQ(edit_distance("abc", ""), 3u);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3u);
  EXPECT_EQ(edit_distance("chunk_size", "chunk_size"), 0u);
}

TEST(toml_shape, ignores_dots_and_brackets_in_strings_and_comments) {
  const std::string dots(100, '.'), brackets(100, '[');
  for (const auto& text :
       {"a = \"" + dots + brackets + "\"", "a = '" + dots + brackets + "'",
        "a = \"\"\"\n" + dots + "\" \"\" \\\"\"\" " + brackets + "\"\"\"", "a = '''\n" + brackets + "'''",
        "# " + dots + brackets, "a = \"\\\"" + dots + "\"", "'" + dots + "' = 1"})
    EXPECT_FALSE(check_shape(text)) << text;
}

TEST(toml_shape, reports_line_and_column_of_nesting_that_is_too_deep) {
  const auto found = check_shape("x = 1\nab = " + std::string(17, '['));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->line, 2u);
  EXPECT_EQ(found->column, 22u);
  std::string key = "''' \"''' = 1\n\"\"\" ' \"\"\" = '''\n' ''' \n k";
  for (int i = 0; i < 17; ++i) key += " . 'k'";
  EXPECT_EQ(check_shape(key)->line, 4u);
  EXPECT_FALSE(check_shape("k.k.k = 1.5\n" + std::string(16, '[') + std::string(16, ']')));
}

} // namespace cairn::config::keys_test

#include "config/load.hpp"

#include "config/keys.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include <sys/stat.h>

namespace cairn::config::load_test {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

loaded with_overrides(std::vector<std::string> overrides, std::string_view text = "") {
  return load(text, "cairn.toml", overrides);
}

loaded of(std::string_view text) {
  return with_overrides({}, text);
}

std::vector<std::string> lines(const loaded& l) {
  std::vector<std::string> out;
  for (const auto& p : l.problems) out.push_back(to_string(p));
  return out;
}

TEST(config_load, an_empty_text_is_the_defaults) {
  const auto l = of("");
  EXPECT_THAT(lines(l), ElementsAre());
  EXPECT_EQ(format(l.value.http.listen), "127.0.0.1:9000");
  EXPECT_EQ(format(l.value.admin.listen), "127.0.0.1:9001");
  EXPECT_EQ(l.value.auth.anonymous, anonymous_access::read_write);
  EXPECT_EQ(l.value.metadata_dir(), "./cairn-data/metadata");
  ASSERT_EQ(l.value.disk_list().size(), 1u);
  EXPECT_EQ(l.value.disk_list()[0].path, "./cairn-data/disk0");
}

TEST(config_load, reads_every_kind_of_value) {
  const auto l = of(R"(
node.shards = 2
[http]
listen = "[::1]:8080"
idle_timeout = "2min"
server_names = ["files.example.org"]
[auth]
anonymous = "read"
[storage]
chunk_size = "4MiB"
inline_max = 0
disks = [{path = "/a", weight = 2}, {path = "/b"}, "/c"]
verify_reads = false
[metadata]
dir = "/fast"
[debug]
read_delay = 0
)");
  EXPECT_THAT(lines(l), ElementsAre());
  EXPECT_EQ(l.value.node.shards, 2u);
  EXPECT_EQ(l.value.http.listen, (endpoint{"::1", 8080}));
  EXPECT_EQ(l.value.http.idle_timeout, 2min);
  EXPECT_THAT(l.value.http.server_names, ElementsAre("files.example.org"));
  EXPECT_EQ(l.value.auth.anonymous, anonymous_access::read);
  EXPECT_EQ(l.value.storage.chunk_size.bytes, 4u << 20);
  EXPECT_EQ(l.value.storage.inline_max.bytes, 0u);
  EXPECT_FALSE(l.value.storage.verify_reads);
  ASSERT_EQ(l.value.storage.disks.size(), 3u);
  EXPECT_EQ(l.value.storage.disks[0].weight, 2.0);
  EXPECT_EQ(l.value.storage.disks[1].weight, 1.0);
  EXPECT_EQ(l.value.storage.disks[2].path, "/c");
  EXPECT_EQ(l.value.metadata_dir(), "/fast");
}

TEST(config_load, takes_a_share_from_0_to_1_and_the_url_of_a_collector) {
  for (const auto* share : {"0", "1", "0.25", "1e-3"})
    EXPECT_THAT(lines(of(std::string("[trace]\nsample = ") + share + "\n")), ElementsAre()) << share;
  EXPECT_EQ(of("[trace]\nsample = 0.25\n").value.trace.sample, 0.25);
  EXPECT_EQ(with_overrides({"trace.sample=0.25"}).value.trace.sample, 0.25);
  EXPECT_EQ(with_overrides({"trace.sample=1"}).value.trace.sample, 1);
  for (const auto* share : {"-0.1", "1.01", "nan", "true", "\"0.5\""})
    EXPECT_EQ(lines(of(std::string("[trace]\nsample = ") + share + "\n")).size(), 1u) << share;
  const auto problems = [](const std::string& url) { return lines(of("[trace]\nendpoint = '" + url + "'\n")).size(); };
  for (const auto* url : {"", "http://127.0.0.1:4318/v1/traces", "https://collector.example.org", "http://[::1]:4318"})
    EXPECT_EQ(problems(url), 0u) << url;
  for (const auto* url : {"127.0.0.1:4318", "ftp://a", "http://", "http:///v1", "http://a b", "http://me:x@a/"})
    EXPECT_EQ(problems(url), 1u) << url;
}

TEST(config_load, disks_may_be_an_array_of_tables) {
  const auto l = of("[[storage.disks]]\npath = '/a'\n[[storage.disks]]\npath = '/b'\nweight = 0.5\n");
  EXPECT_THAT(lines(l), ElementsAre());
  ASSERT_EQ(l.value.storage.disks.size(), 2u);
  EXPECT_EQ(l.value.storage.disks[1].weight, 0.5);
}

TEST(config_load, reports_all_problems_in_file_order_then_overrides_then_relations) {
  const auto l = with_overrides({"upload.window=65"}, R"([storage]
chunk_size = "1MB5"
chunksize = "1MiB"
[download]
window_min = 9
[nodes]
shards = 1
[http]
listen = 9000
)");
  EXPECT_THAT(
      lines(l),
      ElementsAre(
          "cairn.toml:2:14: storage.chunk_size: expected a size, 64KiB to 16MiB, a multiple of 64KiB, got \"1MB5\"",
          "cairn.toml:3:1: storage.chunksize: unknown key, did you mean storage.chunk_size?",
          "cairn.toml:6:2: nodes: unknown section, did you mean [node]?",
          "cairn.toml:9:10: http.listen: expected an address and port such as \"127.0.0.1:9000\", \"[::1]:9000\" or "
          "\"0.0.0.0:9000\", got 9000",
          "--set: upload.window: expected an integer, 1 to 64, got 65",
          "cairn.toml:5:14: download.window_min: expected at most download.window_max, which is 8, got 9"));
}

TEST(config_load, suggests_the_section_that_has_the_key) {
  EXPECT_THAT(lines(of("[storage]\nwindow_min = 1\n")),
              ElementsAre("cairn.toml:2:1: storage.window_min: unknown key, did you mean download.window_min?"));
  EXPECT_THAT(lines(of("shards = 1\n")), ElementsAre("cairn.toml:1:1: shards: unknown key, did you mean node.shards?"));
  EXPECT_THAT(lines(of("[download]\nprefetch = 1\n")),
              ElementsAre("cairn.toml:2:1: download.prefetch: unknown key, [download] has window_min, window_max"));
  EXPECT_THAT(to_string(of("[volumes]\n").problems.at(0)), HasSubstr("the sections are node, http, admin"));
}

TEST(config_load, a_syntax_error_has_its_place) {
  const auto l = of("[http]\nlisten = \n");
  ASSERT_EQ(l.problems.size(), 1u);
  EXPECT_EQ(l.problems[0].file, "cairn.toml");
  EXPECT_EQ(l.problems[0].line, 2u);
  EXPECT_FALSE(l.problems[0].text.empty());
}

TEST(config_load, a_section_must_be_a_table) {
  EXPECT_THAT(lines(of("node = 5\n")), ElementsAre("cairn.toml:1:8: node: expected the section [node], got 5"));
  EXPECT_THAT(lines(of("[[node]]\nshards = 1\n")),
              ElementsAre("cairn.toml:1:1: node: expected the section [node], got an array"));
}

TEST(config_load, every_bound_is_kept_on_both_sides) {
  const std::vector<std::pair<std::string, bool>> cases{{"storage.chunk_size=64KiB", true},
                                                        {"storage.chunk_size=63KiB", false},
                                                        {"storage.chunk_size=16MiB", true},
                                                        {"storage.chunk_size=65537", false},
                                                        {"storage.chunk_size=17MiB", false},
                                                        {"storage.inline_max=64KiB", true},
                                                        {"storage.inline_max=65537", false},
                                                        {"storage.segment_size=64GiB", true},
                                                        {"storage.segment_size=65GiB", false},
                                                        {"storage.segment_size=16MiB", true},
                                                        {"storage.segment_size=15MiB", false},
                                                        {"limits.memory=32MiB", true},
                                                        {"limits.memory=31MiB", false},
                                                        {"upload.window=0", false},
                                                        {"upload.window=1", true},
                                                        {"download.window_max=64", true},
                                                        {"download.window_max=65", false},
                                                        {"node.threads=256", true},
                                                        {"node.threads=257", false},
                                                        {"node.threads=-1", false},
                                                        {"node.shards=0", true},
                                                        {"node.shards=64", true},
                                                        {"node.shards=65", false},
                                                        {"storage.io_threads=0", false},
                                                        {"debug.read_delay=10s", true},
                                                        {"debug.read_delay=11s", false},
                                                        {"limits.connections=0", false},
                                                        {"http.header_timeout=0", false},
                                                        {"node.stop_timeout=0", true},
                                                        {"node.stop_delay=0", true},
                                                        {"node.stop_delay=1h", true},
                                                        {"node.stop_delay=2h", false},
                                                        {"node.threads=99999999999", false}};
  for (const auto& [text, good] : cases) EXPECT_EQ(with_overrides({text}).problems.empty(), good) << text;
}

TEST(config_load, rates_are_tables_of_one_party_each) {
  const auto good = load("[[limits.rates]]\nkey = \"*\"\nrequests_per_second = 100\n"
                         "[[limits.rates]]\nbucket = \"photos\"\nbytes_per_second = \"10MiB\"\ntransfers = 8\n"
                         "[[limits.rates]]\naddress = \"10.0.0.0/8\"\n",
                         "f", {});
  ASSERT_TRUE(good.problems.empty()) << to_string(good.problems[0]);
  const auto& rates = good.value.limits.rates;
  ASSERT_EQ(rates.size(), 3u);
  EXPECT_EQ(rates[0].of, rate_of::key);
  EXPECT_EQ(rates[0].name, each_party);
  EXPECT_EQ(rates[0].requests_per_second, 100u);
  EXPECT_EQ(rates[1].of, rate_of::bucket);
  EXPECT_EQ(rates[1].bytes_per_second.bytes, 10u << 20);
  EXPECT_EQ(rates[1].transfers, 8u);
  EXPECT_EQ(rates[2].of, rate_of::address);
  for (const auto* bad :
       {"1", "{}", "{requests_per_second=1}", "{key=''}", "{key=1}", "{key='a', bucket='b'}", "{address='a'}",
        "{address='2001:db8::1'}", "{key='*', requests_per_second=-1}", "{key='*', requests_per_second='1'}",
        "{key='*', transfers=1000001}", "{key='*', bytes_per_second=1023}", "{key='*', bytes_per_second='2TiB'}",
        "{key='*', bytes_per_second=1.5}", "{key='*', rate=1}"})
    EXPECT_EQ(with_overrides({"limits.rates=[" + std::string{bad} + ']'}).problems.size(), 1u) << bad;
  EXPECT_EQ(with_overrides({"limits.rates=[{address='10.0.0.1/8'}, {address='10.0.0.0/8'}]"}).problems.size(), 1u)
      << "the same addresses";
  EXPECT_TRUE(with_overrides({"limits.rates=[{key='a'}, {bucket='a'}]"}).problems.empty());
}

TEST(config_load, issuers_are_tables_with_a_url_and_audiences) {
  const auto good =
      load("[[auth.oidc]]\nissuer = \"https://idp.example.org/team\"\naudiences = [\"cairn\", \"a b\"]\n"
           "[[auth.oidc]]\nissuer = \"http://127.0.0.1:8080\"\naudiences = [\"x\"]\nca_file = \"ca.pem\"\n"
           "jwks_url = \"https://keys.example.org/all?v=1\"\n",
           "f", {});
  ASSERT_TRUE(good.problems.empty()) << to_string(good.problems[0]);
  const auto& issuers = good.value.auth.oidc;
  ASSERT_EQ(issuers.size(), 2u);
  EXPECT_EQ(issuers[0].issuer, "https://idp.example.org/team");
  EXPECT_EQ(issuers[0].audiences, (std::vector<std::string>{"cairn", "a b"}));
  EXPECT_EQ(issuers[1].jwks_url, "https://keys.example.org/all?v=1");
  for (const auto* url : {"", "idp.example.org", "http://idp.example.org", "http://10.0.0.1", "ftp://a.b", "https://",
                          "https://Idp.example.org", "https://idp", "https://a.b/?q", "https://a.b/#f", "https://u@a.b",
                          "https://a.b:0", "https://a.b:99999", "https://a.b/ c"}) {
    const auto bad = with_overrides({"auth.oidc=[{issuer='" + std::string{url} + "', audiences=['x']}]"});
    ASSERT_EQ(bad.problems.size(), 1u) << url;
    EXPECT_EQ(bad.problems[0].key, "auth.oidc[0].issuer");
  }
  for (const auto* url :
       {"https://idp.example.org/", "https://localhost:1/a", "http://localhost:8080", "http://127.9.9.9/x"})
    EXPECT_TRUE(with_overrides({"auth.oidc=[{issuer='" + std::string{url} + "', audiences=['x']}]"}).problems.empty())
        << url;
  for (const auto* bad :
       {"1", "{issuer='https://a.b'}", "{audiences=['x']}", "{issuer='https://a.b', audiences=[]}",
        "{issuer='https://a.b', audiences='x'}", "{issuer='https://a.b', audiences=['']}",
        "{issuer='https://a.b', audiences=['x'], jwks_url='http://a.b'}",
        "{issuer='https://a.b', audiences=['x'], ca_file=1}", "{issuer='https://a.b', audiences=['x'], name='x'}"})
    EXPECT_EQ(with_overrides({"auth.oidc=[" + std::string{bad} + ']'}).problems.size(), 1u) << bad;
  EXPECT_EQ(with_overrides({"auth.oidc=[{issuer='https://127.0.0.1:1', audiences=['x']}, "
                            "{issuer='http://127.0.0.1:1', audiences=['x']}]"})
                .problems.size(),
            1u)
      << "policies could not tell them apart";
}

TEST(config_load, relations_between_keys_are_checked) {
  EXPECT_TRUE(with_overrides({"storage.chunk_size=16MiB", "limits.memory=64MiB"}).problems.empty());
  EXPECT_THAT(
      lines(with_overrides({"storage.chunk_size=16MiB", "limits.memory=63MiB"})),
      ElementsAre("--set: limits.memory: expected at least 4 chunks, so 64MiB or more with storage.chunk_size = "
                  "16MiB"));
  EXPECT_TRUE(with_overrides({"limits.cache=0"}).problems.empty());
  EXPECT_TRUE(with_overrides({"storage.chunk_size=16MiB", "limits.cache=1GiB"}).problems.empty());
  EXPECT_THAT(lines(with_overrides({"limits.cache=63MiB"})),
              ElementsAre("--set: limits.cache: expected 0 or at least 64 chunks, so 64MiB or more with "
                          "storage.chunk_size = 1MiB"));
  EXPECT_EQ(with_overrides({"storage.segment_size=128MiB", "storage.chunk_size=16MiB"}).problems.size(), 1u);
  EXPECT_EQ(with_overrides({"node.shards=4", "node.threads=3"}).problems.size(), 1u);
  EXPECT_EQ(with_overrides({"admin.listen=127.0.0.1:9000"}).problems.size(), 1u);
  EXPECT_EQ(with_overrides({"admin.listen=0.0.0.0:9000"}).problems.size(), 1u);
  EXPECT_TRUE(with_overrides({"admin.listen=127.0.0.1:0", "http.listen=127.0.0.1:0"}).problems.empty());
  EXPECT_EQ(with_overrides({"storage.disks=['/a', '/a/']"}).problems.size(), 1u);
  EXPECT_EQ(with_overrides({"storage.disks=['/a']", "metadata.dir=/b/../a"}).problems.size(), 1u);
}

TEST(config_load, a_relation_about_an_unreadable_key_is_not_checked) {
  EXPECT_THAT(lines(of("[download]\nwindow_min = 9\nwindow_max = 'many'\n")),
              ElementsAre("cairn.toml:3:14: download.window_max: expected an integer, 1 to 64, got \"many\""));
}

TEST(config_load, anonymous_writes_beyond_loopback_must_be_confirmed) {
  const auto l = of("[http]\nlisten = '0.0.0.0:9000'\n");
  ASSERT_EQ(l.problems.size(), 1u);
  EXPECT_EQ(l.problems[0].line, 2u);
  EXPECT_THAT(l.problems[0].text, HasSubstr("auth.allow_public_writes = true"));
  EXPECT_TRUE(with_overrides({"auth.allow_public_writes=true"}, "[http]\nlisten = '0.0.0.0:9000'\n").problems.empty());
  EXPECT_TRUE(with_overrides({"auth.anonymous=read"}, "[http]\nlisten = '0.0.0.0:9000'\n").problems.empty());
  EXPECT_TRUE(of("[http]\nlisten = '[::1]:9000'\n").problems.empty());
}

TEST(config_load, disks_report_each_wrong_member) {
  const auto l = of("storage.disks = [\n{path = '', weight = 1},\n{path = '/a', weight = 0},\n{wieght = 1},\n7,\n]\n");
  std::vector<std::string> keys;
  for (const auto& p : l.problems) keys.push_back(p.key);
  EXPECT_THAT(keys, ElementsAre("storage.disks[0].path", "storage.disks[1].weight", "storage.disks[2]",
                                "storage.disks[2].wieght", "storage.disks[3]"));
  for (const auto* weight : {"-1", "nan", "inf", "1e7", "true", "'2'"})
    EXPECT_EQ(with_overrides({std::string("storage.disks=[{path='/a', weight=") + weight + "}]"}).problems.size(), 1u)
        << weight;
}

TEST(config_override, a_bare_word_is_a_string_and_anything_else_is_toml) {
  const auto l = with_overrides({"storage.chunk_size=4MiB", "node.data_dir=/srv/my data", "http.listen = [::1]:80",
                                 "auth.anonymous=\"read\"", "storage.disks=[{path = '/a'}]",
                                 "storage.verify_reads=false", "metadata.dir=2020-01-01", "limits.memory=67108864"});
  EXPECT_THAT(lines(l), ElementsAre());
  EXPECT_EQ(l.value.http.listen, (endpoint{"::1", 80}));
  EXPECT_EQ(l.value.storage.chunk_size.bytes, 4u << 20);
  EXPECT_EQ(l.value.node.data_dir, "/srv/my data");
  EXPECT_EQ(l.value.metadata.dir, "2020-01-01");
  EXPECT_EQ(l.value.auth.anonymous, anonymous_access::read);
  EXPECT_EQ(l.value.limits.memory.bytes, 64u << 20);
  EXPECT_FALSE(l.value.storage.verify_reads);
}

TEST(config_override, the_cache_is_a_size_or_chosen_by_the_node) {
  EXPECT_FALSE(with_overrides({}).value.limits.cache);
  EXPECT_EQ(with_overrides({"limits.cache=1GiB"}).value.limits.cache->bytes, 1u << 30);
  EXPECT_EQ(with_overrides({"limits.cache=0"}).value.limits.cache->bytes, 0u);
  EXPECT_FALSE(with_overrides({"limits.cache=auto"}, "[limits]\ncache = \"1GiB\"\n").value.limits.cache);
  EXPECT_EQ(with_overrides({"limits.cache=much"}).problems.size(), 1u);
  EXPECT_EQ(with_overrides({"limits.cache=-1"}).problems.size(), 1u);
}

TEST(config_cluster, is_read_from_its_tables_and_from_overrides) {
  const auto l = with_overrides({"cluster.tls.key=/override.key", "cluster.advertise=node-1:9100"}, R"(
[node]
zone = "rack-1"
weight = 0
[cluster]
listen = "10.0.0.1:9100"
join = ["node-2.example.org:9100", "[fd00::7]:9100", "10.0.0.3:9100"]
replicas = 5
write_quorum = 4
move_bandwidth = "1GiB"
[cluster.tls]
ca = "/ca.crt"
cert = "/node.crt"
key = "/node.key"
)");
  EXPECT_THAT(lines(l), ElementsAre());
  const auto& c = l.value.cluster;
  EXPECT_EQ(c.listen, (endpoint{"10.0.0.1", 9100}));
  EXPECT_EQ(c.advertise, "node-1:9100");
  EXPECT_THAT(c.join, ElementsAre("node-2.example.org:9100", "[fd00::7]:9100", "10.0.0.3:9100"));
  EXPECT_EQ(c.tls.ca + c.tls.cert + c.tls.key, "/ca.crt/node.crt/override.key");
  EXPECT_EQ(c.replicas * 10 + c.write_quorum, 54u);
  EXPECT_EQ(l.value.node.zone, "rack-1");
  EXPECT_EQ(l.value.node.weight, 0u);
  const auto shown = to_toml(l.value, true);
  const auto again = of(shown);
  EXPECT_THAT(lines(again), ElementsAre());
  EXPECT_EQ(to_toml(again.value, true), shown);
}

TEST(config_cluster, wrong_values_have_their_places) {
  EXPECT_THAT(lines(of("[cluster]\nlisten = 'x'\njoin = ['node-2', 7]\n[cluster.tls]\ncrt = ''\n")),
              ElementsAre(HasSubstr("cairn.toml:2:10: cluster.listen: expected an address"),
                          "cairn.toml:3:9: cluster.join[0]: expected a host and a port such as \"node-2:9100\", got "
                          "\"node-2\"",
                          "cairn.toml:3:19: cluster.join[1]: expected a host and a port such as \"node-2:9100\", got 7",
                          "cairn.toml:5:1: cluster.tls.crt: unknown key, did you mean cluster.tls.cert?"));
  EXPECT_THAT(to_string(of("[cluster]\ntls = 5\n").problems.at(0)), HasSubstr("cluster.tls: unknown key"));
  EXPECT_THAT(to_string(with_overrides({"cluster.advertise=node-2"}).problems.at(0)), HasSubstr("a host and a port"));
}

TEST(config_cluster, relations_are_checked) {
  const std::string local = "cluster.listen=127.0.0.1:9100", open = "cluster.listen=10.0.0.1:9100";
  const std::vector<std::string> tls{"cluster.tls.ca=a", "cluster.tls.cert=b", "cluster.tls.key=c"};
  const auto problems = [&](std::vector<std::string> overrides, bool with_tls = false) {
    if (with_tls) overrides.insert(overrides.end(), tls.begin(), tls.end());
    return lines(with_overrides(overrides)).size();
  };
  EXPECT_EQ(problems({local}), 0u);
  EXPECT_EQ(problems({"cluster.listen=127.0.0.1:0"}), 0u);
  EXPECT_EQ(problems({open}), 1u) << "plaintext beyond loopback";
  EXPECT_EQ(problems({open, "cluster.insecure=true"}), 0u);
  EXPECT_EQ(problems({open}, true), 0u);
  EXPECT_EQ(problems({}, true), 1u) << "TLS without cluster.listen";
  EXPECT_EQ(problems({local, "cluster.tls.ca=a"}), 1u);
  EXPECT_EQ(problems({"cluster.join=['a:1']"}), 1u);
  EXPECT_EQ(problems({"cluster.advertise=a:1"}), 1u);
  EXPECT_EQ(problems({"cluster.listen=0.0.0.0:9100"}, true), 1u) << "a wildcard address cannot be dialled";
  EXPECT_EQ(problems({"cluster.listen=0.0.0.0:9100", "cluster.advertise=a:9100"}, true), 0u);
  EXPECT_EQ(problems({"cluster.listen=127.0.0.1:9000"}), 1u);
  EXPECT_EQ(problems({"cluster.listen=127.0.0.1:9001"}), 1u);
  EXPECT_EQ(problems({"cluster.replicas=3", "cluster.write_quorum=3"}), 0u);
  EXPECT_EQ(problems({"cluster.replicas=3", "cluster.write_quorum=4"}), 1u);
  EXPECT_EQ(problems({"cluster.name='two words'"}), 1u);
  EXPECT_EQ(problems({"node.zone='rack 1'"}), 1u);
  EXPECT_EQ(problems({"http.tls.cert=a"}), 1u);
  EXPECT_EQ(problems({"http.tls.cert=a", "http.tls.key=b"}), 0u);
  EXPECT_EQ(problems({"admin.token=short"}), 1u);
  EXPECT_EQ(problems({"admin.token=long-enough-for-us"}), 0u);
  EXPECT_EQ(problems({"auth.sealing_key=short"}), 1u);
  EXPECT_EQ(problems({"auth.sealing_key=" + std::string(64, 'a')}), 0u);
}

TEST(config_override, wins_over_the_file_and_the_last_one_wins) {
  const auto l = with_overrides({"upload.window=5", "upload.window=6"}, "[upload]\nwindow = 3\n");
  EXPECT_THAT(lines(l), ElementsAre());
  EXPECT_EQ(l.value.upload.window, 6u);
}

TEST(config_override, invalid_ones_are_reported_and_extra_lines_refused) {
  EXPECT_THAT(
      lines(with_overrides({"nonsense", "=1", "storage=1", "storage.chunksize=1MiB", "upload.window=two",
                            "storage.disks=[", "node.data_dir=\"a"})),
      ElementsAre("--set: expected key=value, got \"nonsense\"", "--set: expected key=value, got \"=1\"",
                  "--set: storage: unknown key, [storage] has chunk_size, segment_size, inline_max, disks, reserve, "
                  "io_threads, verify_reads, scrub_period",
                  "--set: storage.chunksize: unknown key, did you mean storage.chunk_size?",
                  "--set: upload.window: expected an integer, 1 to 64, got \"two\"",
                  "--set: storage.disks: expected an array of {path = \"…\", weight = 1} or of paths, at most 64, "
                  "got a value that is not TOML",
                  "--set: node.data_dir: expected a string, not empty, got a value that is not TOML"));
  EXPECT_EQ(with_overrides({"upload.window=1\nx=2"}).problems.size(), 1u);
  EXPECT_EQ(with_overrides({"node.data_dir=\xff"}).problems.size(), 1u);
}

TEST(config_load, hostile_texts_are_problems_and_not_crashes) {
  std::string dotted = "a", nested = "a=", tables = "a=";
  for (int i = 0; i < 200'000; ++i) dotted += ".a", nested += "[", tables += "{a=";
  using namespace std::string_literals;
  for (const auto& text : {dotted + "=1", "[" + dotted + "]", nested, tables, std::string(2 << 20, ' '), "\0"s,
                           "a=\"\0\""s, "\xEF\xBB\xBF\xEF\xBB\xBF"s, "a=99999999999999999999999"s, "\xff\xfe[node]"s,
                           "'''"s, "\"\"\""s, "a=\"\\"s, "node.data_dir=\"\\u0000\""s})
    EXPECT_FALSE(of(text).problems.empty()) << text.substr(0, 20);
  EXPECT_TRUE(of("\xEF\xBB\xBF[node]\nshards=1\n").problems.empty());
}

TEST(config_load, long_values_are_shortened_between_characters) {
  std::string text;
  while (text.size() < 300) text += "ä";
  const auto l = of("auth.anonymous = \"x" + text + "\"");
  ASSERT_EQ(l.problems.size(), 1u);
  EXPECT_LT(l.problems[0].text.size(), 200u);
  EXPECT_THAT(l.problems[0].text, testing::EndsWith("ä…\""));
}

TEST(config_load_file, reads_a_file_and_reports_what_it_can_not_read) {
  const auto folder = std::filesystem::path(testing::TempDir()) / "cairn_load_file";
  std::filesystem::create_directories(folder);
  const auto path = (folder / "cairn.toml").string();
  std::ofstream(path) << "[upload]\nwindow = 7\n";
  EXPECT_EQ(load_file(path, {}).value.upload.window, 7u);
  std::ofstream(path) << "[upload]\nwindow = 700\n";
  EXPECT_EQ(lines(load_file(path, {})).at(0), path + ":2:10: upload.window: expected an integer, 1 to 64, got 700");
  EXPECT_EQ(lines(load_file(folder.string(), {})).at(0), folder.string() + ": expected a file, this is a directory");
  const auto fifo = (folder / "fifo").string();
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  EXPECT_EQ(lines(load_file(fifo, {})).at(0), fifo + ": expected a regular file");
  std::ofstream(path) << "#" + std::string(1 << 20, '-');
  EXPECT_EQ(lines(load_file(path, {})).at(0), path + ":1:1: the file is larger than 1 MiB");
  std::filesystem::remove_all(folder);
  EXPECT_EQ(lines(load_file(path, {})).at(0), path + ": the file can't be opened");
  EXPECT_TRUE(load_file("", {}).problems.empty());
}

} // namespace cairn::config::load_test

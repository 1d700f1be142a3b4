#include "config/rules.hpp"

#include "base/secrets/sealing.hpp"
#include "config/address_prefix.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <set>
#include <tuple>

namespace cairn::config {

namespace {

constexpr std::uint64_t segment_chunks_min = 16;
constexpr std::uint64_t memory_chunks_min = 4;
constexpr std::uint64_t cache_chunks_min = 64;

std::string check_segment(const settings& s) {
  if (s.storage.segment_size.bytes >= segment_chunks_min * s.storage.chunk_size.bytes) return {};
  return "expected at least 16 chunks, so " + format(byte_size{segment_chunks_min * s.storage.chunk_size.bytes}) +
         " or more with storage.chunk_size = " + format(s.storage.chunk_size);
}

std::string check_memory(const settings& s) {
  if (s.limits.memory.bytes >= memory_chunks_min * s.storage.chunk_size.bytes) return {};
  return "expected at least 4 chunks, so " + format(byte_size{memory_chunks_min * s.storage.chunk_size.bytes}) +
         " or more with storage.chunk_size = " + format(s.storage.chunk_size);
}

std::string check_cache(const settings& s) {
  const auto bytes = s.limits.cache.value_or(byte_size{}).bytes;
  if (bytes == 0 || bytes >= cache_chunks_min * s.storage.chunk_size.bytes) return {};
  return "expected 0 or at least 64 chunks, so " + format(byte_size{cache_chunks_min * s.storage.chunk_size.bytes}) +
         " or more with storage.chunk_size = " + format(s.storage.chunk_size);
}

std::string check_windows(const settings& s) {
  if (s.download.window_min <= s.download.window_max) return {};
  return "expected at most download.window_max, which is " + std::to_string(s.download.window_max) + ", got " +
         std::to_string(s.download.window_min);
}

std::string check_threads(const settings& s) {
  if (s.node.threads == 0 || s.node.threads >= s.node.shards) return {};
  return "expected 0 or at least node.shards, which is " + std::to_string(s.node.shards) + ", got " +
         std::to_string(s.node.threads);
}

bool is_wildcard(const endpoint& e) {
  return e.host == "0.0.0.0" || e.host == "::";
}

std::string check_distinct(const endpoint& own, const char* other_key, const endpoint& other) {
  const bool same_host = own.host == other.host || is_wildcard(own) || is_wildcard(other);
  if (own.host.empty() || own.port == 0 || own.port != other.port || !same_host) return {};
  return std::string("expected another port than ") + other_key + ", which is " + format(other);
}

std::string check_admin_port(const settings& s) {
  return check_distinct(s.admin.listen, "http.listen", s.http.listen);
}

std::string check_cluster_port(const settings& s) {
  return check_distinct(s.cluster.listen, "http.listen", s.http.listen);
}

std::string check_cluster_admin_port(const settings& s) {
  return check_distinct(s.cluster.listen, "admin.listen", s.admin.listen);
}

constexpr const char* needs_listen = "has no effect without cluster.listen, the address for the other nodes";

std::string check_join(const settings& s) {
  return s.cluster.join.empty() || !s.cluster.listen.host.empty() ? "" : needs_listen;
}

std::string check_advertise(const settings& s) {
  const auto& listen = s.cluster.listen;
  if (!s.cluster.advertise.empty()) return listen.host.empty() ? needs_listen : "";
  if (!is_wildcard(listen)) return {};
  return "expected the host and port at which the other nodes reach this one: cluster.listen is " + format(listen);
}

std::string check_tls(const settings& s) {
  const auto& tls = s.cluster.tls;
  const bool all = !tls.ca.empty() && !tls.cert.empty() && !tls.key.empty();
  const bool none = tls.ca.empty() && tls.cert.empty() && tls.key.empty();
  if (!all && !none) return "expected cluster.tls.ca, cluster.tls.cert and cluster.tls.key together";
  return all && s.cluster.listen.host.empty() ? needs_listen : "";
}

std::string check_http_tls(const settings& s) {
  if (s.http.tls.cert.empty() == s.http.tls.key.empty()) return {};
  return "expected http.tls.cert and http.tls.key together, one of them is empty";
}

std::string check_insecure(const settings& s) {
  const auto& c = s.cluster;
  if (c.listen.host.empty() || c.listen.is_loopback() || c.insecure || !c.tls.ca.empty()) return {};
  return "without TLS anyone who reaches " + format(c.listen) +
         " can read, change and delete everything. Make certificates with `cairn cluster certs` and set cluster.tls, "
         "listen on 127.0.0.1, or confirm this with cluster.insecure = true";
}

std::string check_quorum(const settings& s) {
  if (s.cluster.write_quorum <= s.cluster.replicas) return {};
  return "expected at most cluster.replicas, which is " + std::to_string(s.cluster.replicas) + ", got " +
         std::to_string(s.cluster.write_quorum);
}

std::string check_public_writes(const settings& s) {
  if (s.auth.anonymous != anonymous_access::read_write || s.http.listen.is_loopback() || s.auth.allow_public_writes)
    return {};
  return "\"read-write\" lets anyone who reaches " + format(s.http.listen) +
         " change and delete everything. Set auth.anonymous to \"read\" or \"none\", listen on 127.0.0.1, or confirm "
         "this with auth.allow_public_writes = true";
}

bool is_visible(std::string_view text, std::string_view forbidden) {
  return std::all_of(text.begin(), text.end(),
                     [&](char c) { return c > 0x20 && c < 0x7f && forbidden.find(c) == std::string_view::npos; });
}

// "s3.example.com": as a Host header has it, so that it is found there.
bool is_domain(std::string_view text) {
  constexpr std::size_t domain_bytes_max = 253, label_bytes_max = 63;
  if (text.empty() || text.size() > domain_bytes_max) return false;
  bool letters = false;
  while (true) {
    const auto label = text.substr(0, text.find('.'));
    const bool fine = std::all_of(label.begin(), label.end(),
                                  [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; });
    if (!fine || label.empty() || label.size() > label_bytes_max || label.front() == '-' || label.back() == '-')
      return false;
    letters = label.find_first_not_of("0123456789") != label.npos; // the last one's: else it is an address
    if (label.size() == text.size()) return letters;
    text.remove_prefix(label.size() + 1);
  }
}

std::string check_domains(const settings& s) {
  std::set<std::string> seen;
  for (const auto& domain : s.http.domains) {
    if (!is_domain(domain)) return "expected names such as \"s3.example.com\" in lower case, got \"" + domain + "\"";
    if (!seen.insert(domain).second) return "expected each domain once, got \"" + domain + "\" twice";
  }
  return {};
}

std::string check_root_key(const settings& s) {
  const auto &access = s.auth.root_access_key, &secret = s.auth.root_secret_key;
  if (access.empty() != secret.empty())
    return "expected auth.root_access_key and auth.root_secret_key together, one of them is empty";
  if (!is_visible(access, "/,=")) return "expected visible ASCII characters without '/', ',' and '='";
  return {};
}

std::string check_root_secret(const settings& s) {
  constexpr std::size_t secret_bytes_min = 8;
  const auto& secret = s.auth.root_secret_key;
  if (secret.empty() || (secret.size() >= secret_bytes_min && is_visible(secret, ""))) return {};
  return "expected at least 8 visible ASCII characters";
}

std::string check_sealing_key(const settings& s) {
  if (s.auth.sealing_key.empty()) return {};
  const auto key = secrets::sealing_key::read(s.auth.sealing_key);
  return key ? std::string{} : key.error().text;
}

std::string check_token(const settings& s) {
  constexpr std::size_t token_bytes_min = 16;
  const auto& token = s.admin.token;
  if (token.empty() || (token.size() >= token_bytes_min && is_visible(token, ""))) return {};
  return "expected at least 16 visible ASCII characters";
}

std::string check_admin_tls(const settings& s) {
  if (s.admin.tls.cert.empty() == s.admin.tls.key.empty()) return {};
  return "expected admin.tls.cert and admin.tls.key together, one of them is empty";
}

std::string check_join_token(const settings& s) {
  if (is_visible(s.cluster.join_token, "")) return {};
  return "expected a token as `cairn cluster add` prints it";
}

std::string check_cluster_name(const settings& s) {
  if (is_visible(s.cluster.name, "/,=")) return {};
  return "expected visible ASCII characters without '/', ',' and '='";
}

std::string check_zone(const settings& s) {
  if (is_visible(s.node.zone, "")) return {};
  return "expected visible ASCII characters";
}

std::string check_region(const settings& s) {
  if (is_visible(s.auth.region, "/,=")) return {};
  return "expected visible ASCII characters without '/', ',' and '='";
}

std::string normal_path(const std::string& path) {
  auto out = std::filesystem::path(path).lexically_normal().string();
  while (out.size() > 1 && out.back() == '/') out.pop_back();
  return out;
}

std::string check_folders(const settings& s) {
  std::set<std::string> seen;
  for (const auto& disk : s.disk_list())
    if (!seen.insert(normal_path(disk.path)).second) return "expected each disk once, got \"" + disk.path + "\" twice";
  return {};
}

std::string check_metadata_folder(const settings& s) {
  const auto dir = normal_path(s.metadata_dir());
  for (const auto& disk : s.disk_list())
    if (normal_path(disk.path) == dir)
      return "expected a directory that is not a disk, got \"" + disk.path + "\" for both";
  return {};
}

std::string check_audit(const settings& s) {
  if (!s.audit.file.empty() || (!s.audit.reads && !s.audit.durable)) return {};
  return "expected the path of a file: audit.reads and audit.durable have no effect without it";
}

std::string check_access_log(const settings& s) {
  if (s.access_log.file.empty() || s.access_log.file != s.audit.file) return {};
  return "expected another file than audit.file";
}

std::string check_audit_file(const settings& s) {
  return s.audit.file == "-" ? "expected the path of a file: the audit log can't be standard output" : "";
}

std::string check_trace_endpoint(const settings& s) {
  std::string_view url = s.trace.endpoint;
  if (url.empty()) return {};
  constexpr const char* expected = "expected a URL such as \"http://127.0.0.1:4318/v1/traces\"";
  const auto scheme = url.starts_with("http://") ? 7u : url.starts_with("https://") ? 8u : 0u;
  if (scheme == 0 || !is_visible(url, "\"#@")) return expected;
  const auto host = std::string{url.substr(scheme, url.find('/', scheme) - scheme)};
  return parse_host_port(host) || is_host_name(host) ? "" : expected;
}

std::string check_rates(const settings& s) {
  std::set<std::tuple<rate_of, std::string, address_bytes, std::uint32_t>> seen;
  for (const auto& rate : s.limits.rates) {
    const auto prefix = rate.of == rate_of::address ? parse_address_prefix(rate.name) : std::nullopt;
    const bool fresh = prefix ? seen.emplace(rate.of, "", prefix->first, prefix->bits).second
                              : seen.emplace(rate.of, rate.name, address_bytes{}, 0).second;
    if (!fresh) return "expected each key, bucket and address once, got \"" + rate.name + "\" twice";
  }
  return {};
}

std::string check_oidc(const settings& s) {
  std::set<std::string_view> seen;
  for (const auto& one : s.auth.oidc)
    if (!seen.insert(provider_of(one.issuer)).second)
      return "expected each issuer once, got \"" + one.issuer + "\" twice";
  return {};
}

struct rule {
  std::array<std::string_view, 4> keys;
  std::string (*check)(const settings&); // empty: the rule holds
};

constexpr std::array rules{
    rule{{"node.threads", "node.shards"}, check_threads},
    rule{{"node.zone"}, check_zone},
    rule{{"http.tls.cert", "http.tls.key"}, check_http_tls},
    rule{{"http.domains"}, check_domains},
    rule{{"admin.listen", "http.listen"}, check_admin_port},
    rule{{"admin.token"}, check_token},
    rule{{"admin.tls.cert", "admin.tls.key"}, check_admin_tls},
    rule{{"cluster.join_token"}, check_join_token},
    rule{{"auth.anonymous", "http.listen", "auth.allow_public_writes"}, check_public_writes},
    rule{{"auth.root_access_key", "auth.root_secret_key"}, check_root_key},
    rule{{"auth.root_secret_key"}, check_root_secret},
    rule{{"auth.region"}, check_region},
    rule{{"auth.sealing_key"}, check_sealing_key},
    rule{{"auth.oidc"}, check_oidc},
    rule{{"storage.segment_size", "storage.chunk_size"}, check_segment},
    rule{{"storage.disks"}, check_folders},
    rule{{"metadata.dir", "storage.disks", "node.data_dir"}, check_metadata_folder},
    rule{{"download.window_min", "download.window_max"}, check_windows},
    rule{{"limits.memory", "storage.chunk_size"}, check_memory},
    rule{{"limits.cache", "storage.chunk_size"}, check_cache},
    rule{{"limits.rates"}, check_rates},
    rule{{"cluster.listen", "http.listen"}, check_cluster_port},
    rule{{"cluster.listen", "admin.listen"}, check_cluster_admin_port},
    rule{{"cluster.join", "cluster.listen"}, check_join},
    rule{{"cluster.advertise", "cluster.listen"}, check_advertise},
    rule{{"cluster.tls.ca", "cluster.tls.cert", "cluster.tls.key", "cluster.listen"}, check_tls},
    rule{{"cluster.listen", "cluster.tls.ca", "cluster.insecure"}, check_insecure},
    rule{{"cluster.name"}, check_cluster_name},
    rule{{"access_log.file", "audit.file"}, check_access_log},
    rule{{"audit.file"}, check_audit_file},
    rule{{"audit.file", "audit.reads", "audit.durable"}, check_audit},
    rule{{"trace.endpoint"}, check_trace_endpoint},
    rule{{"cluster.write_quorum", "cluster.replicas"}, check_quorum},
};

} // namespace

bool is_rate_name(const rate_limit& rate) {
  if (rate.of == rate_of::address) return rate.name == each_party || parse_address_prefix(rate.name).has_value();
  constexpr std::size_t party_bytes_max = 128;
  return !rate.name.empty() && rate.name.size() <= party_bytes_max && rate.name.find('\0') == std::string::npos;
}

bool is_https_url(std::string_view url) {
  constexpr std::string_view tls = "https://", plain = "http://";
  constexpr std::size_t bytes_max = 2048;
  const bool encrypted = url.starts_with(tls);
  if ((!encrypted && !url.starts_with(plain)) || url.size() > bytes_max || !is_visible(url, "\"#@\\")) return false;
  url.remove_prefix(encrypted ? tls.size() : plain.size());
  const auto authority = url.substr(0, url.find_first_of("/?"));
  const auto with_port = parse_host_port(authority);
  if (!with_port && !is_host_name(authority)) return false;
  const auto host = with_port ? with_port->host : std::string{authority};
  return encrypted || host == "localhost" || endpoint{host, 0}.is_loopback();
}

bool is_issuer_url(std::string_view url) {
  return is_https_url(url) && is_provider_name(provider_of(url));
}

std::string_view provider_of(std::string_view issuer) {
  const auto scheme = issuer.find("://");
  return scheme == issuer.npos ? issuer : issuer.substr(scheme + 3);
}

std::vector<broken_rule> broken_rules(const settings& s, const std::function<bool(std::string_view)>& readable) {
  std::vector<broken_rule> out;
  for (const auto& r : rules) {
    std::vector<std::string_view> named;
    std::copy_if(r.keys.begin(), r.keys.end(), std::back_inserter(named), [](auto k) { return !k.empty(); });
    if (!std::all_of(named.begin(), named.end(), readable)) continue;
    if (auto text = r.check(s); !text.empty()) out.push_back({std::move(named), std::move(text)});
  }
  return out;
}

std::vector<broken_rule> broken_rules(const settings& s) {
  return broken_rules(s, [](std::string_view) { return true; });
}

} // namespace cairn::config

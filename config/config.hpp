// The whole configuration as one struct. Every member is one TOML key `section.name`; the defaults here are the
// embedded defaults, which docs/configuration.md lists. `load` (config/load.hpp) checks bounds and the relations
// between keys.
#pragma once

#include "base/units.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cairn::config {

enum class anonymous_access : std::uint8_t { none, read, read_write };
enum class sigv2_use : std::uint8_t { none, presigned };
enum class object_ownership : std::uint8_t { none, bucket_owner_enforced, bucket_owner_preferred, object_writer };
enum class rate_of : std::uint8_t { key, bucket, address };
enum class log_format : std::uint8_t { text, json };
enum class access_log_format : std::uint8_t { combined, json };
enum class log_level : std::uint8_t { debug, info, warn, error };

struct disk_settings {
  std::string path;
  double weight = 1.0;
};

struct node_settings {
  std::string data_dir = "./cairn-data";
  std::uint32_t shards = 0;  // io_contexts; a connection and its actors stay on one
  std::uint32_t threads = 0; // socket and actor threads; 0: one per core
  duration stop_timeout = std::chrono::seconds{30};
  duration stop_delay{0};   // of a member: from not being ready to closing its port
  std::string zone;         // failure domain; replicas are placed in distinct zones as far as there are enough
  std::uint32_t weight = 1; // share of the cluster's data; 0: serves clients, holds no chunks
};

struct http_tls_settings { // paths of PEM files; both or none
  std::string cert;
  std::string key;
};

struct http_settings {
  endpoint listen{"127.0.0.1", 9000};
  duration header_timeout = std::chrono::seconds{15}; // from the first byte to the end of a request's head
  duration idle_timeout = std::chrono::seconds{60};   // between requests, and without progress within a body
  std::vector<std::string> server_names;              // further Host names that anonymous requests may use
  std::vector<std::string> domains;                   // whose subdomains are buckets: virtual-hosted style
  http_tls_settings tls;
};

struct admin_tls_settings { // paths of PEM files; both or none
  std::string cert;
  std::string key;
};

struct admin_settings {
  endpoint listen{"127.0.0.1", 9001};
  std::string token;                     // required for changes; empty: one is made at the first start
  std::vector<std::string> server_names; // further Host names
  admin_tls_settings tls;
};

// An issuer of web identities: an OpenID Connect provider.
struct oidc_issuer {
  std::string issuer; // URL, as its tokens name it
  std::vector<std::string> audiences;
  std::string ca_file;  // PEM file of trusted certificates; empty: the system's
  std::string jwks_url; // of its keys; empty: as its openid-configuration says
};

struct auth_settings {
  anonymous_access anonymous = anonymous_access::read_write;
  bool allow_public_writes = false; // confirms anonymous writes on an address beyond loopback
  std::string root_access_key;      // both or none
  std::string root_secret_key;
  std::string region = "us-east-1";  // that signatures must name
  std::string sealing_key_file;      // of secrets of access keys; empty: `sealing_key` alone
  std::string sealing_key;           // seals instead of the file's first; both empty: secrets are stored in clear
  sigv2_use sigv2 = sigv2_use::none; // presigned: also POST forms
  config::object_ownership object_ownership = object_ownership::none; // of new buckets whose request names none
  std::vector<oidc_issuer> oidc;                                      // whose tokens roles may be assumed with
};

struct storage_settings {
  byte_size chunk_size{1 << 20};
  byte_size segment_size{1ull << 30};
  byte_size inline_max{4096};
  std::vector<disk_settings> disks; // empty: one disk, `data_dir`/disk0
  byte_size reserve{0};             // 0: the larger of 1 % of the disk and 1 GiB
  std::uint32_t io_threads = 4;     // reading threads per disk
  bool verify_reads = true;
  duration scrub_period = std::chrono::hours{30 * 24}; // in which all data on the disks is verified once
};

struct metadata_settings {
  std::string dir; // empty: `data_dir`/metadata
};

struct download_settings {
  std::uint32_t window_min = 2; // chunks
  std::uint32_t window_max = 8;
};

struct upload_settings {
  std::uint32_t window = 32; // chunks between the socket and the disk; they share flushes
};

constexpr std::string_view each_party = "*";

// Of one access key, bucket or address, or of each (net/limits/rate_limiter.hpp). 0: no limit.
struct rate_limit {
  rate_of of = rate_of::key;
  std::string name; // each_party: all that no other entry names; of addresses also a prefix, "10.0.0.0/8"
  std::uint32_t requests_per_second = 0;
  byte_size bytes_per_second{0};
  std::uint32_t transfers = 0; // requests at once
};

struct limit_settings {
  byte_size memory{512ull << 20};
  std::optional<byte_size> cache; // nullopt: by the machine's memory; 0: none
  std::uint32_t connections = 16384;
  byte_size header_bytes{16 << 10};
  byte_size object_size{5ull << 40};
  std::uint32_t list_keys = 1000;
  duration upload_age_max = std::chrono::days{7};          // of multipart uploads that are not completed; 0: no limit
  byte_size transfer_rate_min{1024};                       // bytes a second of a body or a response; 0: no minimum
  duration transfer_rate_window = std::chrono::minutes{1}; // of the average; the first window is not checked
  std::vector<rate_limit> rates;
};

struct cluster_tls_settings { // paths of PEM files; all or none
  std::string ca;
  std::string cert;
  std::string key;
};

struct cluster_settings {
  endpoint listen{};             // of the node link; no host: a standalone node
  std::string advertise;         // host:port that the other nodes use; empty: `listen`
  std::string name = "cairn";    // a node refuses to join a cluster of another name
  std::vector<std::string> join; // members to ask, host:port; empty: this node founds the cluster
  cluster_tls_settings tls;
  bool insecure = false;          // plaintext beyond loopback
  std::uint32_t replicas = 3;     // of a new cluster
  std::uint32_t write_quorum = 0; // of a new cluster; 0: a majority
  duration down_out_after = std::chrono::minutes{10};
  byte_size move_bandwidth{64ull << 20}; // bytes a second that this node fetches to repair and to rebalance
  std::uint32_t bulk_connections = 2;    // to each peer
  std::string join_token;                // from `cairn cluster add`; used when this node joins
  duration founding_window = std::chrono::minutes{10}; // of a new cluster: certified nodes join without a token
};

struct log_settings {
  log_level level = log_level::info;
  log_format format = log_format::text;
  duration slow_request = std::chrono::seconds{2}; // the node's part of a request that is logged; 0: none is
};

struct access_log_settings {
  std::string file; // path, "-": standard output; empty: no access log
  access_log_format format = access_log_format::combined;
};

struct audit_settings {
  std::string file;     // path; empty: no audit log
  bool reads = false;   // not only what changes something
  bool durable = false; // flushed before the answer
};

struct trace_settings {
  std::string endpoint; // URL of a collector: OTLP over HTTP; empty: no traces are sent
  double sample = 0.01; // share of the requests whose sender has not decided
};

struct debug_settings {
  duration read_delay{0};                          // added to every chunk read, for experiments
  duration lifecycle_day = std::chrono::hours{24}; // length of a day for lifecycle rules
};

struct settings {
  node_settings node;
  http_settings http;
  admin_settings admin;
  auth_settings auth;
  storage_settings storage;
  metadata_settings metadata;
  download_settings download;
  upload_settings upload;
  limit_settings limits;
  cluster_settings cluster;
  log_settings log;
  access_log_settings access_log;
  audit_settings audit;
  trace_settings trace;
  debug_settings debug;

  std::string metadata_dir() const;             // metadata.dir or its default
  std::vector<disk_settings> disk_list() const; // storage.disks or its default
};

} // namespace cairn::config

#include "config/keys.hpp"

#include <array>

namespace cairn::config {

using namespace literals;

namespace {

template <auto Section, auto Member>
key_slot at(settings& s) {
  return &(s.*Section.*Member);
}

template <auto Section, auto Group, auto Member>
key_slot at(settings& s) {
  return &(s.*Section.*Group.*Member);
}

constexpr std::uint64_t of(duration d) {
  return std::uint64_t(d.count());
}

constexpr std::uint64_t path_bytes_max = 4095;
constexpr std::uint64_t access_key_bytes_max = 128;
constexpr std::uint64_t secret_key_bytes_max = 256;
constexpr std::uint64_t sealing_key_bytes_max = 64;
constexpr std::uint64_t region_bytes_max = 64;
constexpr std::uint64_t token_bytes_max = 256;
constexpr std::uint64_t join_token_bytes_max = 128;
constexpr std::uint64_t zone_bytes_max = 64;
constexpr std::uint64_t cluster_name_bytes_max = 64;
constexpr std::uint64_t host_port_bytes_max = 262;
constexpr std::uint64_t url_bytes_max = 2048;
constexpr std::uint64_t window_max = 64;
constexpr std::uint64_t block_bytes = 64_KiB;
constexpr std::uint64_t chunk_bytes_max = 16_MiB;
constexpr std::uint64_t inline_bytes_max = 64_KiB;
constexpr std::uint64_t memory_bytes_min = 32_MiB;
static_assert(inline_bytes_max <= block_bytes, "an inline object must not be larger than the smallest chunk");
static_assert(memory_bytes_min >= 2 * chunk_bytes_max, "a download and an upload must fit with the largest chunks");

constexpr std::array section_table{
    section_doc{"node", "The process: its data directory, its threads, how it stops."},
    section_doc{"http", "The HTTP interface for clients."},
    section_doc{"admin", "Health, metrics and `cairn cluster`, on a separate address. Keep it on a private network."},
    section_doc{"auth", "Anonymous access, and the root access key."},
    section_doc{"storage", "Chunks, segments and disks."},
    section_doc{"metadata", "Buckets, objects and references."},
    section_doc{"download", "How many chunks a download reads at once. The window adapts between the two bounds."},
    section_doc{"upload", "How far an upload may run ahead of the disk."},
    section_doc{"limits", "Bounds on the resources that clients can use."},
    section_doc{"cluster", "The other nodes. Without `cluster.listen` this is a standalone node."},
    section_doc{"log", "What is written to standard error."},
    section_doc{"access_log",
                "The access log: a line for each request on the HTTP port. docs/operations.md describes it."},
    section_doc{"audit",
                "The audit log: who changed what, a line of JSON for each request. docs/operations.md describes it."},
    section_doc{"trace", "Traces of requests for an OpenTelemetry collector. docs/operations.md describes them."},
    section_doc{"debug", "Experiments. Not for production."},
};

using s = settings;
using namespace std::chrono_literals;

constexpr std::array key_table{
    key{"node", "data_dir", at<&s::node, &node_settings::data_dir>, 1, path_bytes_max, 1, false,
        "Directory of the node's data: the default disk and the metadata. Created if missing. A relative path is "
        "resolved against the working directory."},
    key{"node", "shards", at<&s::node, &node_settings::shards>, 0, 64, 1, false,
        "Independent event loops. A connection and its actors stay on one, and its threads share the work. 0: one for "
        "every four threads."},
    key{"node", "threads", at<&s::node, &node_settings::threads>, 0, 256, 1, false,
        "Threads for sockets and actors. 0: one per core. At least `node.shards`."},
    key{"node", "stop_timeout", at<&s::node, &node_settings::stop_timeout>, 0, of(1h), 1, false,
        "On SIGTERM, how long running requests may take to finish before they are aborted. A node whose disks do not "
        "answer ends 10 seconds later."},
    key{"node", "stop_delay", at<&s::node, &node_settings::stop_delay>, 0, of(1h), 1, false,
        "On SIGTERM, how long a node of a cluster still takes requests while `/health/ready` is 503 already, so that "
        "load balancers find another node before it closes its port. Its answers say `Connection: close` meanwhile. "
        "`node.stop_timeout` begins after it. A standalone node does not wait."},
    key{"node", "zone", at<&s::node, &node_settings::zone>, 0, zone_bytes_max, 1, false,
        "Failure domain of this node: a rack, a room. Replicas are placed in distinct zones as far as there are "
        "enough. Used when the node joins; change it later with `cairn cluster zone`."},
    key{"node", "weight", at<&s::node, &node_settings::weight>, 0, 1'000'000'000, 1, false,
        "Share of the cluster's data, relative to the weights of the other nodes. 0: serves clients, holds no chunks. "
        "Used when the node joins; change it later with `cairn cluster weight`."},

    key{"http", "listen", at<&s::http, &http_settings::listen>, 0, 0, 1, false,
        "Address and port. Port 0 lets the system choose."},
    key{"http", "header_timeout", at<&s::http, &http_settings::header_timeout>, of(10ms), of(1h), 1, false,
        "A request's head must be complete this long after its first byte."},
    key{"http", "idle_timeout", at<&s::http, &http_settings::idle_timeout>, of(10ms), of(24h), 1, false,
        "A connection that is idle between requests, or makes no progress within a body, is closed after this time; "
        "one that does not read its response, after at most twice this time."},
    key{"http", "server_names", at<&s::http, &http_settings::server_names>, 0, 64, 1, false,
        "Further host names that anonymous requests may use in `Host`. Names of this machine's addresses and "
        "`localhost` always work. This stops web pages from reaching the node through DNS rebinding."},
    key{"http", "domains", at<&s::http, &http_settings::domains>, 0, 16, 1, false,
        "Domains whose subdomains name buckets (virtual-hosted style): with `s3.example.com`, the host "
        "`files.s3.example.com` is the bucket `files`, and the domain itself takes requests with the bucket in their "
        "path. DNS and the certificate need a wildcard for each. Anonymous requests may use these names."},
    key{"http", "tls.cert", at<&s::http, &http_settings::tls, &http_tls_settings::cert>, 0, path_bytes_max, 1, true,
        "PEM file: the certificate of the HTTP port and its chain. With it the port accepts only TLS. Both "
        "files are read again on SIGHUP, for new connections."},
    key{"http", "tls.key", at<&s::http, &http_settings::tls, &http_tls_settings::key>, 0, path_bytes_max, 1, true,
        "PEM file: the private key of `http.tls.cert`."},

    key{"admin", "listen", at<&s::admin, &admin_settings::listen>, 0, 0, 1, false,
        "Address and port of `/health/live`, `/health/ready`, `/metrics` and `/cluster`."},
    key{"admin", "token", at<&s::admin, &admin_settings::token>, 0, token_bytes_max, 1, false,
        "Token that requests with side effects must carry, at least 16 characters. Empty: one is made at the first "
        "start, in the file `admin.token` of `node.data_dir`, which only the node's user can read. Also from the "
        "environment: `CAIRN_ADMIN_TOKEN`.",
        true},
    key{"admin", "server_names", at<&s::admin, &admin_settings::server_names>, 0, 64, 1, false,
        "Further host names that requests may use in `Host`. Numeric addresses and `localhost` always work. This stops "
        "web pages from reaching the port through DNS rebinding."},
    key{"admin", "tls.cert", at<&s::admin, &admin_settings::tls, &admin_tls_settings::cert>, 0, path_bytes_max, 1, true,
        "PEM file: the certificate of the admin port and its chain. With it the port accepts only TLS. Both "
        "files are read again on SIGHUP, for new connections."},
    key{"admin", "tls.key", at<&s::admin, &admin_settings::tls, &admin_tls_settings::key>, 0, path_bytes_max, 1, true,
        "PEM file: the private key of `admin.tls.cert`."},

    key{"auth", "anonymous", at<&s::auth, &auth_settings::anonymous>, 0, 0, 1, false,
        "What requests without credentials may do. A change that a browser sends for a page of another origin is "
        "accepted only if a CORS rule of the bucket allows it."},
    key{"auth", "allow_public_writes", at<&s::auth, &auth_settings::allow_public_writes>, 0, 0, 1, false,
        "Must be true for `auth.anonymous = \"read-write\"` on an `http.listen` beyond loopback: anyone who reaches "
        "the port can then change and delete everything."},
    key{"auth", "root_access_key", at<&s::auth, &auth_settings::root_access_key>, 0, access_key_bytes_max, 1, false,
        "Access key with all permissions, for requests signed with AWS Signature Version 4. Empty: there is none. "
        "Also from the environment: `CAIRN_ROOT_ACCESS_KEY`."},
    key{"auth", "root_secret_key", at<&s::auth, &auth_settings::root_secret_key>, 0, secret_key_bytes_max, 1, false,
        "Secret of `auth.root_access_key`, at least 8 characters. Also from the environment, where no file and no "
        "process list shows it: `CAIRN_ROOT_SECRET_KEY`.",
        true},
    key{"auth", "region", at<&s::auth, &auth_settings::region>, 1, region_bytes_max, 1, false,
        "Region that signatures must name. Clients that are not configured otherwise use `us-east-1`."},
    key{"auth", "sealing_key_file", at<&s::auth, &auth_settings::sealing_key_file>, 0, path_bytes_max, 1, false,
        "File with the keys that seal the secrets of access keys in the metadata, the same on all nodes: one a line, "
        "32 random bytes as 64 hexadecimal digits or in base64 (`openssl rand -hex 32`). The first seals, all open. "
        "Empty: secrets are stored in clear, unless there is an `auth.sealing_key`."},
    key{"auth", "sealing_key", at<&s::auth, &auth_settings::sealing_key>, 0, sealing_key_bytes_max, 1, false,
        "A key as in `auth.sealing_key_file`, which then seals instead of the first one there. Meant for the "
        "environment: `CAIRN_SEALING_KEY`.",
        true},
    key{"auth", "sigv2", at<&s::auth, &auth_settings::sigv2>, 0, 0, 1, false,
        "Whether presigned URLs and the policies of POST forms may be signed with AWS Signature Version 2, which some "
        "old clients need. It rests on SHA-1, and covers neither the host nor most headers. Signed requests always "
        "need Version 4."},
    key{"auth", "object_ownership", at<&s::auth, &auth_settings::object_ownership>, 0, 0, 1, false,
        "Object ownership of new buckets whose request has no `x-amz-object-ownership`. `BucketOwnerEnforced` is what "
        "S3 gives them since 2023, `ObjectWriter` what it meant before. `none`: the bucket gets none, takes access "
        "control lists, and the account owns all its objects (docs/access.md)."},
    key{"auth", "oidc", at<&s::auth, &auth_settings::oidc>, 0, 16, 1, false,
        "Issuers of web identities (OpenID Connect), with whose tokens roles can be assumed (docs/iam.md), each a "
        "table: "
        "`issuer` (a https URL, as tokens name it in `iss`; http only on this machine), `audiences` (1 to 16; a token "
        "must name one in `aud`), `ca_file` (PEM file of the certificates that are trusted; without it those of the "
        "system) and `jwks_url` (of its keys; without it as `/.well-known/openid-configuration` says)."},

    key{"storage", "chunk_size", at<&s::storage, &storage_settings::chunk_size>, block_bytes, chunk_bytes_max,
        block_bytes, false, "Size of the chunks of new objects. Existing objects keep theirs."},
    key{"storage", "segment_size", at<&s::storage, &storage_settings::segment_size>, 1_MiB, 64_GiB, 1_MiB, false,
        "Size of the files that chunks are appended to, preallocated. At least 16 chunks."},
    key{"storage", "inline_max", at<&s::storage, &storage_settings::inline_max>, 0, inline_bytes_max, 1, false,
        "Objects up to this size are kept in the metadata, without a chunk."},
    key{"storage", "disks", at<&s::storage, &storage_settings::disks>, 0, 64, 1, false,
        "Directories, each on a separate disk: `[{path = \"/disk1\", weight = 1}]`, or just `[\"/disk1\"]`. Data is "
        "distributed by weight. Empty: `disk0` in `node.data_dir`."},
    key{"storage", "reserve", at<&s::storage, &storage_settings::reserve>, 0, 1024_TiB, 1, false,
        "Free space that is reserved on each disk for deletes, index and log; writes are refused below it. 0: the "
        "larger of 1 % of the disk and 1 GiB."},
    key{"storage", "io_threads", at<&s::storage, &storage_settings::io_threads>, 1, 256, 1, false,
        "Reading threads per disk."},
    key{"storage", "verify_reads", at<&s::storage, &storage_settings::verify_reads>, 0, 0, 1, false,
        "Check the checksum of every block that is read. Turning it off can serve damaged bytes. A member of a cluster "
        "always checks, because other nodes repair their chunks from its replicas."},
    key{"storage", "scrub_period", at<&s::storage, &storage_settings::scrub_period>, of(60s), of(8760h), 1, false,
        "All data on the disks is read and verified once in this period, at 1 MiB a second or more; then the scrub "
        "pauses until the period is over. A restart begins a new pass. A damaged chunk is fetched from another node, "
        "or "
        "reported if there is none."},

    key{"metadata", "dir", at<&s::metadata, &metadata_settings::dir>, 0, path_bytes_max, 1, false,
        "Directory of the metadata. Empty: `metadata` in `node.data_dir`. A fast disk helps small objects."},

    key{"download", "window_min", at<&s::download, &download_settings::window_min>, 1, window_max, 1, false,
        "Chunks that a download reads at once when the client is slower than the disks."},
    key{"download", "window_max", at<&s::download, &download_settings::window_max>, 1, window_max, 1, false,
        "Chunks that a download reads at once when the disks are slower than the client."},

    key{"upload", "window", at<&s::upload, &upload_settings::window>, 1, window_max, 1, false,
        "Chunks between the socket and the disk."},

    key{"limits", "memory", at<&s::limits, &limit_settings::memory>, memory_bytes_min, 16_TiB, 1, true,
        "Total bytes of all chunk buffers, and of request and response bodies that are held as a whole. At least four "
        "chunks. One access key, or one address without a key, gets at most 7/8 of it, and less the more of them there "
        "are. Under memory pressure, transfers slow down and clients that make no progress are disconnected; when "
        "nothing fits, requests are answered 503."},
    key{"limits", "cache", at<&s::limits, &limit_settings::cache>, 0, 16_TiB, 1, true,
        "Memory for verified bytes of chunks, of this node's disks and of other nodes, so that hot objects are served "
        "without reading and checking them again. Apart from `limits.memory`. `auto`: a quarter of the memory of the "
        "machine, or of the control group that the node runs in, at most 64GiB. 0: no cache. Otherwise at least 64 "
        "chunks."},
    key{"limits", "connections", at<&s::limits, &limit_settings::connections>, 1, 1'000'000, 1, true,
        "Open client connections. Above it, connections that wait for a request or make no progress are evicted, first "
        "those of the access key or address that has most. At the start it is lowered to what the process may open "
        "(`ulimit -n`)."},
    key{"limits", "header_bytes", at<&s::limits, &limit_settings::header_bytes>, 1_KiB, 1_MiB, 1, true,
        "Size of a request's head."},
    key{"limits", "object_size", at<&s::limits, &limit_settings::object_size>, 1, 64_TiB, 1, true,
        "Size of one object."},
    key{"limits", "list_keys", at<&s::limits, &limit_settings::list_keys>, 1, 10'000, 1, true,
        "Keys on one page of a listing."},
    key{"limits", "upload_age_max", at<&s::limits, &limit_settings::upload_age_max>, 0, of(std::chrono::days{3650}), 1,
        false, "Multipart uploads older than this that were not completed are aborted, within an hour. 0: never."},
    key{"limits", "transfer_rate_min", at<&s::limits, &limit_settings::transfer_rate_min>, 0, 1_GiB, 1, true,
        "Minimum rate, in bytes a second and averaged over `limits.transfer_rate_window`, at which a client must send "
        "a "
        "body or read a response. Only time in which the node waits for the client counts; the first window is not "
        "checked. A slower body is answered 408, a slower reader is disconnected. 0: no minimum for objects; for XML "
        "bodies it stays 1 KiB a second."},
    key{"limits", "transfer_rate_window", at<&s::limits, &limit_settings::transfer_rate_window>, of(100ms), of(1h), 1,
        true, "See `limits.transfer_rate_min`."},
    key{"limits", "rates", at<&s::limits, &limit_settings::rates>, 0, 1024, 1, true,
        "Rate limits of access keys, buckets and client addresses on this node, each a table: one of `key`, `bucket` "
        "and `address`, and any of `requests_per_second`, `bytes_per_second` (1KiB or more; bodies in both "
        "directions) and `transfers` (requests at once). What is not named, or 0, is not limited. The name `*` is for "
        "each one that no other entry names; an address may be a prefix such as `10.0.0.0/8`, whose limits each "
        "address in it has for itself (IPv6: each /64); of several entries for a client the longest prefix counts, "
        "alone. Requests beyond a limit are answered 503 SlowDown, bytes are slowed down."},

    key{"cluster", "listen", at<&s::cluster, &cluster_settings::listen>, 0, 0, 1, false,
        "Address and port for the other nodes, for example `\"0.0.0.0:9100\"`. Empty: a standalone node. Port 0 lets "
        "the "
        "system choose."},
    key{"cluster", "advertise", at<&s::cluster, &cluster_settings::advertise>, 0, host_port_bytes_max, 1, false,
        "Host and port at which the other nodes reach this one. Empty: `cluster.listen`.", false,
        text_form::host_and_port},
    key{"cluster", "name", at<&s::cluster, &cluster_settings::name>, 1, cluster_name_bytes_max, 1, false,
        "The cluster's name. A node refuses to join one of another name."},
    key{"cluster", "join", at<&s::cluster, &cluster_settings::join>, 0, 64, 1, false,
        "Members to ask, `[\"node-1:9100\", \"node-2:9100\"]`; one that answers is enough. Empty: this node founds the "
        "cluster. Once a node is a member, it learns the other members from the cluster.",
        false, text_form::host_and_port},
    key{"cluster", "tls.ca", at<&s::cluster, &cluster_settings::tls, &cluster_tls_settings::ca>, 0, path_bytes_max, 1,
        true,
        "PEM file: the certificate of the cluster's own CA, from `cairn cluster certs init`. The three files are read "
        "again on SIGHUP, for new links."},
    key{"cluster", "tls.cert", at<&s::cluster, &cluster_settings::tls, &cluster_tls_settings::cert>, 0, path_bytes_max,
        1, true, "PEM file: this node's certificate, from `cairn cluster certs issue`."},
    key{"cluster", "tls.key", at<&s::cluster, &cluster_settings::tls, &cluster_tls_settings::key>, 0, path_bytes_max, 1,
        true, "PEM file: the private key of `cluster.tls.cert`."},
    key{"cluster", "insecure", at<&s::cluster, &cluster_settings::insecure>, 0, 0, 1, false,
        "Must be true for a `cluster.listen` beyond loopback without TLS: anyone who reaches the port can then read, "
        "change and delete everything."},
    key{"cluster", "replicas", at<&s::cluster, &cluster_settings::replicas>, 1, 8, 1, false,
        "Replicas of every chunk, each on another node. Used only by the first node of a new cluster."},
    key{"cluster", "write_quorum", at<&s::cluster, &cluster_settings::write_quorum>, 0, 8, 1, false,
        "Replicas that must be durable before a write is acknowledged. 0: a majority. Used only by the first node of a "
        "new cluster."},
    key{"cluster", "down_out_after", at<&s::cluster, &cluster_settings::down_out_after>, of(10s), of(720h), 1, false,
        "A node that is down for this time is taken out: other nodes make new replicas of its chunks."},
    key{"cluster", "move_bandwidth", at<&s::cluster, &cluster_settings::move_bandwidth>, 64_KiB, 1_TiB, 1, true,
        "Bytes a second that this node fetches to repair and to rebalance."},
    key{"cluster", "bulk_connections", at<&s::cluster, &cluster_settings::bulk_connections>, 1, 16, 1, false,
        "Connections for chunks to each other node, in addition to one for small messages."},
    key{"cluster", "join_token", at<&s::cluster, &cluster_settings::join_token>, 0, join_token_bytes_max, 1, false,
        "One-time token from `cairn cluster add`, with which this node joins; not needed once it is a member. Also "
        "from the environment: `CAIRN_JOIN_TOKEN`. Without a token, a node with a certificate waits for an operator: "
        "`cairn cluster status` shows it.",
        true},
    key{"cluster", "founding_window", at<&s::cluster, &cluster_settings::founding_window>, 0, of(24h), 1, false,
        "How long after its founding a cluster admits nodes without a token, until the first `cairn cluster add` or "
        "`remove`, and up to 16 nodes. 0: never."},

    key{"log", "level", at<&s::log, &log_settings::level>, 0, 0, 1, true, "The least severe level that is written."},
    key{"log", "format", at<&s::log, &log_settings::format>, 0, 0, 1, false,
        "Text lines, or one JSON object per line."},
    key{"log", "slow_request", at<&s::log, &log_settings::slow_request>, 0, of(1h), 1, true,
        "A request that takes the node longer than this gets a line of level warning that says where the time went. "
        "Time in which the node waits for the client does not count. 0: none."},

    key{"access_log", "file", at<&s::access_log, &access_log_settings::file>, 0, path_bytes_max, 1, false,
        "The file to which the lines are appended; it is opened again on SIGHUP. `-`: standard output. No request "
        "waits "
        "for it: lines that it does not take are dropped and counted. Empty: no access log."},
    key{"access_log", "format", at<&s::access_log, &access_log_settings::format>, 0, 0, 1, false,
        "The combined format of nginx and Apache, or one JSON object per line."},

    key{"audit", "file", at<&s::audit, &audit_settings::file>, 0, path_bytes_max, 1, false,
        "The file to which the lines are appended; it is opened again on SIGHUP. A request that changes something is "
        "answered when its line is in the file, and refused with 503 while the file cannot be written. Empty: no audit "
        "log."},
    key{"audit", "reads", at<&s::audit, &audit_settings::reads>, 0, 0, 1, false,
        "Whether requests that read get a line, too, when their answer has ended."},
    key{"audit", "durable", at<&s::audit, &audit_settings::durable>, 0, 0, 1, false,
        "Whether lines are flushed to the disk before the answer: they survive a power loss, too. Requests that wait "
        "share a flush."},

    key{"trace", "endpoint", at<&s::trace, &trace_settings::endpoint>, 0, url_bytes_max, 1, false,
        "URL of a collector that takes OTLP over HTTP, such as `http://127.0.0.1:4318/v1/traces`. Without a path it is "
        "`/v1/traces`. No request waits for the collector: spans that it does not take are dropped and counted. Empty: "
        "no traces are sent."},
    key{"trace", "sample", at<&s::trace, &trace_settings::sample>, 0, 1, 1, true,
        "Share of the requests that are traced. It decides for requests without a header `traceparent`; the others are "
        "traced if their sender says so."},

    key{"debug", "read_delay", at<&s::debug, &debug_settings::read_delay>, 0, of(10s), 1, false,
        "Added to every chunk read."},
    key{"debug", "lifecycle_day", at<&s::debug, &debug_settings::lifecycle_day>, of(100ms), of(24h), 1, false,
        "Length of a day for lifecycle rules. The rules are applied once an hour, or once per such day if that is "
        "shorter."},
};

constexpr std::array<std::pair<std::string_view, anonymous_access>, 3> anonymous_names{
    {{"none", anonymous_access::none}, {"read", anonymous_access::read}, {"read-write", anonymous_access::read_write}}};
constexpr std::array<std::pair<std::string_view, sigv2_use>, 2> sigv2_names{
    {{"none", sigv2_use::none}, {"presigned", sigv2_use::presigned}}};
constexpr std::array<std::pair<std::string_view, object_ownership>, 4> ownership_names{
    {{"none", object_ownership::none},
     {"BucketOwnerEnforced", object_ownership::bucket_owner_enforced},
     {"BucketOwnerPreferred", object_ownership::bucket_owner_preferred},
     {"ObjectWriter", object_ownership::object_writer}}};
constexpr std::array<std::pair<std::string_view, rate_of>, 3> rate_names{
    {{"key", rate_of::key}, {"bucket", rate_of::bucket}, {"address", rate_of::address}}};
constexpr std::array<std::pair<std::string_view, log_format>, 2> format_names{
    {{"text", log_format::text}, {"json", log_format::json}}};
constexpr std::array<std::pair<std::string_view, access_log_format>, 2> access_format_names{
    {{"combined", access_log_format::combined}, {"json", access_log_format::json}}};
constexpr std::array<std::pair<std::string_view, log_level>, 4> level_names{
    {{"debug", log_level::debug}, {"info", log_level::info}, {"warn", log_level::warn}, {"error", log_level::error}}};

} // namespace

std::span<const section_doc> sections() {
  return section_table;
}
std::span<const key> keys() {
  return key_table;
}

std::span<const std::pair<std::string_view, anonymous_access>> names_of(anonymous_access) {
  return anonymous_names;
}
std::span<const std::pair<std::string_view, sigv2_use>> names_of(sigv2_use) {
  return sigv2_names;
}
std::span<const std::pair<std::string_view, object_ownership>> names_of(object_ownership) {
  return ownership_names;
}
std::span<const std::pair<std::string_view, rate_of>> names_of(rate_of) {
  return rate_names;
}
std::span<const std::pair<std::string_view, log_format>> names_of(log_format) {
  return format_names;
}
std::span<const std::pair<std::string_view, log_level>> names_of(log_level) {
  return level_names;
}
std::span<const std::pair<std::string_view, access_log_format>> names_of(access_log_format) {
  return access_format_names;
}

} // namespace cairn::config

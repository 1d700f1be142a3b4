#include "net/admin/metrics_page.hpp"

#include "actors/protocol/messages.hpp"
#include "config/keys.hpp"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <array>
#include <limits>

namespace cairn::net {

namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using labels = std::vector<ClientMetric::Label>;

constexpr std::array<const char*, 6> status_names{"aborted", "1xx", "2xx", "3xx", "4xx", "5xx"};

double seconds(std::uint64_t us) {
  return static_cast<double>(us) / 1e6;
}

class page_builder {
public:
  MetricFamily& family(const char* name, const char* help, MetricType type) {
    families_.push_back({name, help, type, {}});
    return families_.back();
  }

  static void add(MetricFamily& family, labels names, double value) {
    ClientMetric metric;
    metric.label = std::move(names);
    if (family.type == MetricType::Counter)
      metric.counter.value = value;
    else
      metric.gauge.value = value;
    family.metric.push_back(std::move(metric));
  }

  void counter(const char* name, const char* help, const cairn::counter& value) {
    add(family(name, help, MetricType::Counter), {}, static_cast<double>(value.load(std::memory_order_relaxed)));
  }

  void gauge(const char* name, const char* help, double value) {
    add(family(name, help, MetricType::Gauge), {}, value);
  }

  void histogram(const char* name, const char* help, const latency_histogram& values) {
    add(family(name, help, MetricType::Histogram), {}, values);
  }

  // The counts grow while they are read one by one. The total is computed from the same reads, so that the buckets are
  // cumulative.
  static void add(MetricFamily& family, labels names, const latency_histogram& values) {
    ClientMetric metric;
    metric.label = std::move(names);
    std::uint64_t total = 0;
    for (std::size_t i = 0; i < latency_histogram::buckets; ++i) {
      total += values.count(i);
      const bool last = i + 1 == latency_histogram::buckets;
      const double bound =
          last ? std::numeric_limits<double>::infinity() : seconds(latency_histogram::upper_bound_us(i));
      metric.histogram.bucket.push_back({total, bound});
    }
    metric.histogram.sample_count = total;
    metric.histogram.sample_sum = seconds(values.sum_us());
    family.metric.push_back(std::move(metric));
  }

  const std::vector<MetricFamily>& families() const { return families_; }

private:
  std::vector<MetricFamily> families_;
};

std::string name_of(std::span<const s3_operation> operations, std::size_t row) {
  return std::string{row < operations.size() ? operations[row].name : no_operation.name};
}

void add_http(page_builder& p, const node_metrics& m, std::span<const s3_operation> operations) {
  auto& requests =
      p.family("cairn_http_requests_total", "Requests by operation and status class.", MetricType::Counter);
  for (std::size_t i = 0; i <= operations.size(); ++i) {
    for (std::size_t s = 0; s < status_names.size(); ++s) {
      const auto count = m.http[i].by_status_class[s].load(std::memory_order_relaxed);
      if (count == 0 && s != 2) continue; // a series appears with its first request
      page_builder::add(requests, {{"operation", name_of(operations, i)}, {"status", status_names[s]}},
                        static_cast<double>(count));
    }
  }
  auto& durations = p.family("cairn_http_request_duration_seconds",
                             "Time from a request's head to the end of its response.", MetricType::Histogram);
  for (std::size_t i = 0; i <= operations.size(); ++i)
    page_builder::add(durations, {{"operation", name_of(operations, i)}}, m.http[i].duration);
  p.counter("cairn_http_sent_bytes_total", "Bytes sent to clients.", m.bytes_sent);
  p.counter("cairn_http_received_bytes_total", "Bytes received from clients.", m.bytes_received);
  p.gauge("cairn_http_connections", "Open client connections.", static_cast<double>(m.connections.load()));
  p.counter("cairn_http_connections_refused_total", "Connections refused because of limits.connections.",
            m.connections_refused);
  auto& evicted = p.family("cairn_http_connections_evicted_total",
                           "Connections closed to make room for new ones, by their state.", MetricType::Counter);
  for (const auto& [reason, value] :
       {std::pair{"silent", &m.connections_evicted_silent}, std::pair{"idle", &m.connections_evicted_idle},
        std::pair{"stalled", &m.connections_evicted_stalled}})
    page_builder::add(evicted, {{"reason", reason}}, static_cast<double>(value->load(std::memory_order_relaxed)));
  p.counter("cairn_http_slow_transfers_closed_total", "Requests closed because of limits.transfer_rate_min.",
            m.transfers_too_slow);
  p.counter("cairn_http_transfers_reclaimed_total",
            "Requests without progress that were closed because other requests needed their memory.",
            m.transfers_reclaimed);
  p.counter("cairn_http_signed_requests_total", "Requests with a valid signature.", m.requests_signed);
  p.counter("cairn_http_signature_refused_total", "Requests refused for their signature, access key or time.",
            m.requests_signature_refused);
  p.counter("cairn_web_identities_accepted_total", "Tokens of web identities that were valid.",
            m.web_identities_accepted);
  p.counter("cairn_web_identities_refused_total", "Tokens of web identities that were refused.",
            m.web_identities_refused);
  p.counter("cairn_slow_down_total", "Requests answered with 503 SlowDown because the node is busy.", m.slow_down);
  auto& limited =
      p.family("cairn_rate_limited_total",
               "Requests answered with 503 SlowDown because of limits.rates, by whose limit.", MetricType::Counter);
  for (const auto& [name, of] : config::names_of(config::rate_of{}))
    page_builder::add(
        limited, {{"by", std::string{name}}},
        static_cast<double>(m.rate_limited[static_cast<std::size_t>(of)].load(std::memory_order_relaxed)));
  p.counter("cairn_rate_paced_total", "Requests whose bytes waited because of limits.rates.", m.transfers_paced);
}

void add_audit(page_builder& p, const node_metrics& m, const actors::node_status& status) {
  p.gauge("cairn_audit_failed",
          "1: the audit log takes no lines, so requests are refused; 0: it does, or there is none.",
          status.audit_problem.empty() ? 0 : 1);
  p.counter("cairn_audit_lines_total", "Lines written to the audit log.", m.audit.written);
  p.counter("cairn_audit_refused_total", "Requests refused because the audit log took no lines.", m.audit_refused);
  p.counter("cairn_audit_lines_lost_total", "Lines that could not be written, nor be kept in memory.", m.audit.lost);
  p.histogram("cairn_audit_write_duration_seconds", "Time of a write to the audit log, with its flush.", m.audit.write);
}

void add_request_records(page_builder& p, const node_metrics& m) {
  p.counter("cairn_access_log_lines_total", "Lines written to the access log.", m.access.written);
  p.counter("cairn_access_log_dropped_total", "Lines of the access log that were dropped.", m.access.lost);
  p.counter("cairn_slow_requests_total", "Requests that took the node longer than log.slow_request.", m.slow_requests);
  p.counter("cairn_trace_spans_sent_total", "Spans that the collector of trace.endpoint has taken.",
            m.trace_spans_sent);
  p.counter("cairn_trace_spans_dropped_total",
            "Spans of sampled requests that were dropped: the queue was full, or the collector did not take them.",
            m.trace_spans_dropped);
}

void add_streams(page_builder& p, const node_metrics& m) {
  p.gauge("cairn_active_downloads", "Downloads in progress.", static_cast<double>(m.active_downloads.load()));
  p.gauge("cairn_active_uploads", "Uploads in progress.", static_cast<double>(m.active_uploads.load()));
  p.gauge("cairn_download_window_slices", "Sum of the windows of the active downloads.",
          static_cast<double>(m.window_slices.load()));
  p.counter("cairn_downloads_cancelled_total", "Downloads whose client disconnected.", m.downloads_cancelled);
  p.counter("cairn_downloads_broken_total", "Downloads cut off after their first byte.", m.downloads_broken);
  p.counter("cairn_uploads_cancelled_total", "Uploads whose client disconnected.", m.uploads_cancelled);
}

void add_replicas(page_builder& p, const node_metrics& m) {
  p.counter("cairn_peer_reads_total", "Chunk reads served to peers.", m.peer_reads);
  p.counter("cairn_peer_writes_total", "Chunk writes served to peers.", m.peer_writes);
  auto& requests = p.family("cairn_peer_requests_total", "Requests received from peers.", MetricType::Counter);
  for (std::size_t kind = 0; kind < m.peer_requests.size(); ++kind) {
    const auto name = actors::name_of(actors::peer_request(kind));
    if (name.empty()) continue;
    page_builder::add(requests, {{"request", std::string{name}}},
                      static_cast<double>(m.peer_requests[kind].load(std::memory_order_relaxed)));
  }
  p.counter("cairn_remote_reads_total", "Chunk reads requested from peers.", m.remote_reads);
  p.counter("cairn_remote_read_bytes_total", "Bytes of chunks read from peers.", m.remote_read_bytes);
  p.counter("cairn_remote_writes_total", "Chunk writes sent to peers.", m.remote_writes);
  p.counter("cairn_reads_failed_over_total", "Chunk reads that failed over to another node.", m.reads_failed_over);
  p.counter("cairn_reads_hedged_total", "Late chunk reads that were also sent to another node.", m.reads_hedged);
  p.counter("cairn_hedges_won_total", "Hedged reads whose second request was answered first.", m.hedges_won);
  p.counter("cairn_replicas_unconfirmed_total",
            "Replicas of chunks that were not confirmed when their object was committed.", m.replicas_unconfirmed);
  p.counter("cairn_chunks_backfilled_total", "Chunks fetched from peers to repair and to rebalance.",
            m.chunks_backfilled);
  p.counter("cairn_backfilled_bytes_total", "Bytes of chunks fetched from peers to repair and to rebalance.",
            m.backfilled_bytes);
  p.counter("cairn_chunks_moved_away_total", "Chunks deleted because other nodes own them now.", m.chunks_moved_away);
  p.counter("cairn_chunks_unrecoverable_total",
            "Times that no owner had a good replica of a chunk that an object needs.", m.chunks_unrecoverable);
  p.counter("cairn_scrubbed_bytes_total", "Bytes of chunks that the scrub has read and verified.", m.scrubbed_bytes);
  p.counter("cairn_scrub_damaged_total", "Chunks that objects need and that a scrub found damaged.", m.scrub_damaged);
  p.counter("cairn_damage_mended_total", "Chunks that a reader found damaged and that were fetched again at once.",
            m.damage_repaired);
  p.counter("cairn_metadata_rows_scrubbed_total",
            "Rows of the metadata and records of its log that the scrub has read and verified.",
            m.metadata_rows_scrubbed);
  p.counter("cairn_metadata_damaged_rows_total",
            "Damaged rows and pages that were found in the metadata's files, and damaged places of its log.",
            m.metadata_damaged);
  p.counter("cairn_metadata_repaired_total", "Times that damaged metadata was replaced by that of another member.",
            m.metadata_repaired);
  p.gauge("cairn_partitions_comparing", "Partitions that are being compared with the metadata now.",
          static_cast<double>(m.partitions_comparing.load()));
}

double value_of(std::uint64_t n) {
  return static_cast<double>(n);
}

void add_certificates(page_builder& p, const actors::node_status& status) {
  auto& family = p.family("cairn_certificate_expiry_timestamp_seconds",
                          "End of the validity of this port's certificate, in seconds since 1970.", MetricType::Gauge);
  for (const auto& c : status.certificates) {
    const auto seconds = c.ends / 1000;
    page_builder::add(family, {{"use", c.use}}, static_cast<double>(seconds));
  }
}

// Values that only the leader knows are exported by the leader alone, so that sums over the nodes are right.
void add_cluster(page_builder& p, const node_metrics& m, const actors::node_status& status) {
  p.histogram("cairn_remote_read_duration_seconds", "Time of a chunk read from a peer, as measured by this node.",
              m.remote_read);
  p.histogram("cairn_remote_write_duration_seconds", "Time until a chunk written to a peer is durable there.",
              m.remote_write);
  const auto* c = status.cluster.get();
  // The cluster's status is up to a second old, but a node knows at once that its own log has failed.
  const bool leads = c != nullptr && c->leader == c->self && status.metadata_fault.empty();
  std::uint64_t failed = 0;
  const auto gauge = [&p](bool shown, const char* name, const char* help, std::uint64_t value) {
    auto& family = p.family(name, help, MetricType::Gauge);
    if (shown) page_builder::add(family, {}, value_of(value));
  };
  gauge(c != nullptr, "cairn_cluster_leads", "1: this node leads its cluster.", leads ? 1 : 0);
  gauge(c != nullptr, "cairn_cluster_has_leader", "1: this node knows the leader.", c != nullptr && c->leader ? 1 : 0);
  gauge(c != nullptr, "cairn_cluster_term", "The term of the metadata's consensus.", c != nullptr ? c->term : 0);
  gauge(c != nullptr, "cairn_cluster_layout_epoch", "Number of changes of the layout so far.",
        c != nullptr ? c->epoch : 0);
  std::uint64_t applied = 0;
  std::array<std::array<std::uint64_t, 2>, 3> members{};
  if (c != nullptr) {
    for (const auto& n : c->nodes) {
      if (n.number == c->self) applied = n.applied_index;
      failed += n.fault.empty() ? 0 : 1;
      const auto state = std::size_t(n.state) - std::size_t(storage::metadata::node_state::active);
      if (state < members.size()) ++members[state][n.up ? 1 : 0];
    }
  }
  gauge(c != nullptr, "cairn_cluster_applied_index", "Index up to which this node has applied the metadata's log.",
        applied);
  gauge(c != nullptr, "cairn_cluster_log_failed", "1: this member's copy of the metadata's log or state has failed.",
        status.metadata_fault.empty() ? 0 : 1);
  gauge(leads, "cairn_cluster_members_failed", "Members that report such a failure; on the leader.", failed);
  auto& family = p.family("cairn_cluster_members", "Members by state; on the leader.", MetricType::Gauge);
  constexpr std::array states{"active", "draining", "out"};
  for (std::size_t s = 0; leads && s < members.size(); ++s)
    for (std::size_t up = 0; up < 2; ++up)
      page_builder::add(family, {{"state", states[s]}, {"up", up == 1 ? "1" : "0"}}, value_of(members[s][up]));
  gauge(leads, "cairn_cluster_partitions_under_replicated",
        "Partitions with fewer complete replicas on nodes that are up than cluster.replicas, or than there are nodes; "
        "on the leader.",
        leads ? c->partitions_under_replicated : 0);
  gauge(leads, "cairn_cluster_move_bytes",
        "Estimate of the bytes that still have to move to new owners; on the leader.", leads ? c->bytes_to_move : 0);
  gauge(leads, "cairn_cluster_repairs_waiting", "Ranges of chunks that a node still lacks; on the leader.",
        leads ? c->repairs_waiting : 0);
  gauge(leads, "cairn_cluster_chunks_lost", "Chunks that an object needs and no node has; on the leader.",
        leads ? c->chunks_lost : 0);
  auto& pauses = p.family("cairn_cluster_auto_out_paused",
                          "1: members that are down for long are not taken out, for this reason; on the leader.",
                          MetricType::Gauge);
  for (const auto why : {cluster::out_pause::many_down, cluster::out_pause::zone_down, cluster::out_pause::no_room})
    if (leads)
      page_builder::add(pauses, {{"reason", std::string{cluster::to_string(why)}}}, c->auto_out.paused == why ? 1 : 0);
}

void add_storage(page_builder& p, const node_metrics& m) {
  p.counter("cairn_chunk_reads_total", "Chunk reads.", m.chunk_reads);
  p.counter("cairn_chunk_reads_cached_total", "Chunk reads answered from memory at once.", m.chunk_reads_cached);
  p.counter("cairn_chunk_read_errors_total", "Chunk reads that failed.", m.chunk_read_errors);
  p.counter("cairn_chunk_read_retries_total", "Chunk reads that were retried.", m.chunk_read_retries);
  p.counter("cairn_chunks_corrupt_total", "Chunk reads that found damaged bytes.", m.chunks_corrupt);
  p.counter("cairn_chunk_writes_total", "Chunks written.", m.chunk_writes);
  p.counter("cairn_chunk_write_errors_total", "Chunk writes that failed.", m.chunk_write_errors);
  p.counter("cairn_chunks_reaped_total", "Chunks deleted because their blob is dead.", m.chunks_reaped);
  p.counter("cairn_punched_bytes_total", "Bytes returned to the file systems.", m.bytes_punched);
  p.counter("cairn_commit_batches_total", "Durable metadata transactions.", m.commit_batches);
  p.counter("cairn_committed_commands_total", "Metadata commands in these transactions.", m.committed_commands);
  p.counter("cairn_lifecycle_done_total", "Versions and uploads that lifecycle rules removed.", m.lifecycle_done);
  p.counter("cairn_lifecycle_refused_total",
            "Removals by lifecycle rules that were refused: changed meanwhile, or left for the next walk.",
            m.lifecycle_refused);
  p.counter("cairn_lifecycle_failures_total",
            "Buckets whose lifecycle rules wait for the next walk after an error, and pages of listings with "
            "damaged rows, which stay.",
            m.lifecycle_failures);
  p.counter("cairn_row_cache_hits_total", "Look-ups answered by the cache of hot rows.", m.row_cache_hits);
  p.counter("cairn_row_cache_misses_total", "Look-ups that read the metadata.", m.row_cache_misses);
  p.histogram("cairn_chunk_read_duration_seconds", "Time of a chunk read, as measured by its requester.", m.chunk_read);
  p.histogram("cairn_chunk_write_duration_seconds", "Time until a chunk write is durable.", m.chunk_write);
  p.histogram("cairn_commit_duration_seconds", "Time until a metadata command is durable.", m.commit);
}

// Without the names of buckets and users, which this page must not tell.
void add_usage(page_builder& p, const node_metrics& m) {
  const auto gauge = [&p](const char* name, const char* help, const counter& value) {
    p.gauge(name, help, value_of(value.load(std::memory_order_relaxed)));
  };
  gauge("cairn_usage_objects", "Objects of all buckets, as far as they are counted.", m.usage_objects);
  gauge("cairn_usage_versions", "Their versions, the live ones included, without delete markers.", m.usage_versions);
  gauge("cairn_usage_delete_markers", "Delete markers.", m.usage_delete_markers);
  gauge("cairn_usage_bytes", "Bytes of all versions; replicas are not counted.", m.usage_bytes);
  gauge("cairn_usage_complete", "1: all buckets are counted; 0: buckets of older builds are being counted.",
        m.usage_complete);
  gauge("cairn_users_near_quota", "Users and access keys whose buckets hold 90 % or more of what they may.",
        m.owners_near_quota);
}

using disk_value = double (*)(const actors::disk_status&);

void add_disk_gauge(page_builder& p, const actors::node_status& status, const char* name, const char* help,
                    disk_value value) {
  auto& family = p.family(name, help, MetricType::Gauge);
  for (const auto& disk : status.disks) page_builder::add(family, {{"disk", disk.path}}, value(disk));
}

void add_disks(page_builder& p, const actors::node_status& status) {
  using disk = actors::disk_status;
  add_disk_gauge(p, status, "cairn_disk_up", "1: takes reads and writes; 0: read-only, quarantined or not open.",
                 [](const disk& d) { return d.open && d.stats.state == storage::disk_state::healthy ? 1.0 : 0.0; });
  add_disk_gauge(p, status, "cairn_disk_size_bytes", "Size of the disk's file system.",
                 [](const disk& d) { return static_cast<double>(d.stats.disk.total); });
  add_disk_gauge(p, status, "cairn_disk_available_bytes", "Free bytes of the disk's file system, the reserve included.",
                 [](const disk& d) { return static_cast<double>(d.stats.disk.available); });
  add_disk_gauge(p, status, "cairn_disk_reserve_bytes", "Bytes that are kept free: no write uses them.",
                 [](const disk& d) { return static_cast<double>(d.stats.reserve_bytes); });
  add_disk_gauge(p, status, "cairn_disk_full",
                 "1: a write found no room, by the reserve, a quota or inodes, and there has been none since.",
                 [](const disk& d) { return d.stats.full ? 1.0 : 0.0; });
  add_disk_gauge(p, status, "cairn_disk_chunks", "Chunks on the disk.",
                 [](const disk& d) { return static_cast<double>(d.stats.chunks); });
  add_disk_gauge(p, status, "cairn_disk_segments", "Segment files on the disk.",
                 [](const disk& d) { return static_cast<double>(d.stats.segments); });
  add_disk_gauge(p, status, "cairn_disk_to_punch",
                 "Deleted records whose space is not returned to the file system yet.",
                 [](const disk& d) { return static_cast<double>(d.stats.to_punch); });
  add_disk_gauge(p, status, "cairn_disk_read_queue", "Reads that wait for the disk's threads.",
                 [](const disk& d) { return static_cast<double>(d.queued_reads); });
  add_disk_gauge(p, status, "cairn_disk_write_queue", "Write batches that wait for the disk's thread.",
                 [](const disk& d) { return static_cast<double>(d.queued_writes); });
}

void add_cache(page_builder& p, const actors::cache_stats& c) {
  const auto counter = [&p](const char* name, const char* help, std::uint64_t value) {
    page_builder::add(p.family(name, help, MetricType::Counter), {}, value_of(value));
  };
  counter("cairn_cache_hits_total", "Slices of downloads that were served from the cache of chunks.", c.hits);
  counter("cairn_cache_misses_total", "Slices of downloads that the cache did not have.", c.misses);
  counter("cairn_cache_joined_total", "Slices of downloads that waited for another download's read of them.", c.joined);
  counter("cairn_cache_evictions_total", "Entries that the cache dropped to make room.", c.evictions);
  p.gauge("cairn_cache_entries", "Entries of the cache.", value_of(c.entries));
  p.gauge("cairn_cache_bytes",
          "Used bytes of limits.cache: entries, reads that fill the cache, and dropped entries that are still being "
          "sent.",
          value_of(c.bytes));
  p.gauge("cairn_cache_limit_bytes", "limits.cache.", value_of(c.limit_bytes));
}

void add_node(page_builder& p, const actors::node_status& status) {
  p.gauge("cairn_ready", "1: the node serves reads and writes.", status.ready ? 1 : 0);
  p.gauge("cairn_metadata_failed", "1: the metadata is out of service, see the log; 0: in service.",
          status.metadata_fault.empty() ? 0 : 1);
  p.gauge("cairn_metadata_read_queue", "Look-ups that wait for the metadata threads.",
          static_cast<double>(status.queued_metadata_reads));
  p.gauge("cairn_metadata_write_queue", "Command batches that wait for the metadata thread.",
          static_cast<double>(status.queued_metadata_writes));
  p.gauge("cairn_metadata_disk_size_bytes", "Size of the metadata's file system.",
          static_cast<double>(status.metadata_disk.total));
  p.gauge("cairn_metadata_disk_available_bytes", "Free bytes of the metadata's file system.",
          static_cast<double>(status.metadata_disk.available));
  p.gauge("cairn_buffer_bytes",
          "Used bytes of limits.memory: chunk buffers, and bodies and responses that are held as a whole.",
          static_cast<double>(status.buffer_bytes));
  p.gauge("cairn_buffer_limit_bytes", "limits.memory.", static_cast<double>(status.buffer_limit_bytes));
  p.gauge("cairn_buffer_waiters", "Streams that wait for memory.", static_cast<double>(status.buffer_waiters));
}

page_builder make_page(const node_metrics& metrics, const actors::node_status& status,
                       std::span<const s3_operation> operations) {
  page_builder p;
  add_http(p, metrics, operations);
  add_audit(p, metrics, status);
  add_request_records(p, metrics);
  add_streams(p, metrics);
  add_storage(p, metrics);
  add_usage(p, metrics);
  add_replicas(p, metrics);
  add_cluster(p, metrics, status);
  add_node(p, status);
  add_cache(p, status.cache);
  add_certificates(p, status);
  add_disks(p, status);
  return p;
}

} // namespace

std::string metrics_page(const node_metrics& metrics, const actors::node_status& status,
                         std::span<const s3_operation> operations, std::string_view version) {
  auto page = make_page(metrics, status, operations);
  auto& build = page.family("cairn_build_info", "Always 1; the label is the program's version.", MetricType::Gauge);
  page_builder::add(build, {{"version", std::string{version}}}, 1);
  return prometheus::TextSerializer{}.Serialize(page.families());
}

} // namespace cairn::net

// Counters of the running node: plain atomics, incremented where the event happens and read by the admin port
// (net/admin/metrics_page.cpp formats them as Prometheus text; docs/metrics.md lists them). One instance per node,
// which start-up code passes to every part.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace cairn {

using counter = std::atomic<std::uint64_t>;

// Upper bounds are powers of two from 16 µs to about 67 s; the last bucket holds everything above.
class latency_histogram {
public:
  static constexpr std::size_t buckets = 24;
  void observe_us(std::uint64_t us) noexcept;
  static std::uint64_t upper_bound_us(std::size_t bucket) noexcept { return 16ull << bucket; }
  std::uint64_t count(std::size_t bucket) const noexcept { return counts_[bucket].load(std::memory_order_relaxed); }
  std::uint64_t sum_us() const noexcept { return sum_us_.load(std::memory_order_relaxed); }

private:
  std::array<counter, buckets> counts_{};
  counter sum_us_{0};
};

constexpr std::size_t http_operations_max = 32;

struct http_operation_metrics {
  std::array<counter, 6> by_status_class{}; // index 1…5: 1xx…5xx; 0: aborted without a status
  latency_histogram duration;
};

// Of a log of lines (net/logs/line_log.hpp).
struct line_log_metrics {
  counter written{0}, lost{0}; // lines
  latency_histogram write;     // of a batch of lines, with its flush
};

struct node_metrics {
  std::array<http_operation_metrics, http_operations_max> http; // by the row of net::s3_operations
  counter bytes_sent{0}, bytes_received{0}, connections{0}, connections_refused{0}, slow_down{0};
  counter connections_evicted_silent{0}, connections_evicted_idle{0}, connections_evicted_stalled{0};
  counter transfers_too_slow{0};         // ended because they fell below limits.transfer_rate_min
  counter transfers_reclaimed{0};        // ended to reclaim their memory
  std::array<counter, 3> rate_limited{}; // refused because of limits.rates, by config::rate_of
  counter transfers_paced{0};            // made to wait because of limits.rates
  counter requests_signed{0}, requests_signature_refused{0};
  counter web_identities_accepted{0}, web_identities_refused{0}; // tokens, with which roles are to be assumed
  counter active_downloads{0}, active_uploads{0};
  counter window_slices{0}; // sum of the windows of the active downloads
  counter chunk_reads{0}, chunk_reads_cached{0}, chunk_read_errors{0}, chunk_read_retries{0}, chunks_corrupt{0};
  counter downloads_cancelled{0}, uploads_cancelled{0}, downloads_broken{0};
  counter chunk_writes{0}, chunk_write_errors{0}, commit_batches{0}, committed_commands{0};
  counter peer_reads{0}, peer_writes{0};                           // served to peers
  counter remote_reads{0}, remote_read_bytes{0}, remote_writes{0}; // sent to peers
  counter reads_failed_over{0}, reads_hedged{0}, hedges_won{0}, replicas_unconfirmed{0};
  counter chunks_backfilled{0}, backfilled_bytes{0}, chunks_moved_away{0}; // by repairs and moves
  counter chunks_unrecoverable{0};                                         // fetches for which no owner had the chunk
  counter scrubbed_bytes{0}, scrub_damaged{0}, damage_repaired{0};
  counter metadata_rows_scrubbed{0}, metadata_damaged{0}, metadata_repaired{0};
  std::array<counter, 32> peer_requests{};         // received from peers, by kind (actors/link/peer_service.hpp)
  counter partitions_comparing{0};                 // a gauge
  counter lifecycle_done{0}, lifecycle_refused{0}; // commands
  counter lifecycle_failures{0};                   // buckets that could not be walked
  counter row_cache_hits{0}, row_cache_misses{0};
  counter chunks_reaped{0}, bytes_punched{0};
  counter usage_objects{0}, usage_versions{0}, usage_delete_markers{0}, usage_bytes{0}; // gauges, of all buckets
  counter usage_complete{0};                                                            // 1: all buckets are counted
  counter owners_near_quota{0};                                                         // a gauge
  counter audit_refused{0};
  line_log_metrics audit, access;
  counter slow_requests{0};
  counter trace_spans_sent{0}, trace_spans_dropped{0};
  latency_histogram chunk_read, chunk_write, commit;
  latency_histogram remote_read, remote_write; // measured by the requesting node
};

} // namespace cairn

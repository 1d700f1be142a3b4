// The S3 service of a node, for an http_server: makes an s3_session for each connection. Holds the state that the
// sessions share: the node's services, the table of operations, keys, and limits that SIGHUP can change. Thread-safe.
#pragma once

#include "actors/protocol/node.hpp"
#include "base/log_pace.hpp"
#include "base/metrics.hpp"
#include "base/seams.hpp"
#include "config/config.hpp"
#include "net/logs/line_log.hpp"
#include "net/logs/slow_requests.hpp"
#include "net/s3/auth/sigv4.hpp"
#include "net/s3/operation.hpp"
#include "net/s3/xml/s3_errors.hpp"
#include "net/trace/span_exporter.hpp"
#include "net/web_identity/identity_provider.hpp"
#include "net/wire/fair_turns.hpp"
#include "net/wire/request_handler.hpp"

#include <atomic>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

namespace cairn::net {

// Of requests; null: there is none.
struct gateway_logs {
  std::shared_ptr<line_log> audit{}, access{};
  std::shared_ptr<slow_requests> slow{};
  std::shared_ptr<span_exporter> traces{};
};

class s3_gateway final : public request_service, public std::enable_shared_from_this<s3_gateway> {
public:
  // `table` and `counters` outlive the gateway.
  s3_gateway(const config::settings& settings, actors::services node, std::span<const s3_operation> table,
             node_metrics& counters, gateway_logs logs = {}, const cairn::clock& time = system_clock(),
             random_source& randomness = system_random(), std::shared_ptr<identity_providers> issuers = {});

  std::unique_ptr<request_handler> connected(http_session& session) override;
  void apply(const config::settings& settings) override;
  http_operation_metrics& counters_of(const s3_operation& operation) const;
  // The answer to a request whose access key's secret can't be opened; logs the reason, at most every ten seconds.
  s3_error secret_refused(const error& why);

  // Whether a request is to be measured: for a line of the access log, or because it may be slow.
  bool measures_requests() const { return logs.access || looks_for_slow_requests(); }
  bool looks_for_slow_requests() const {
    return slow_request_time.load(std::memory_order_relaxed) != config::duration{0};
  }

  const gateway_logs logs;
  const bool audits_reads;
  const config::access_log_format access_format;
  const actors::services services;
  const std::span<const s3_operation> operations;
  node_metrics& metrics;
  const cairn::clock& clock;
  random_source& random;
  const std::shared_ptr<identity_providers> providers; // of web identities; null: requests with them do not come

  const config::anonymous_access anonymous;
  const config::sigv2_use sigv2;
  const std::uint8_t ownership_of_new; // of storage::metadata::ownership; of buckets whose request names none
  const config::endpoint listen;
  const std::vector<std::string> server_names, domains;
  const std::string root_access_key, root_secret_key, region;
  net::signing_keys signing_keys;

  std::atomic<std::uint32_t> list_keys_max{0};
  std::atomic<std::uint64_t> object_size_max{0};
  std::atomic<config::duration> slow_request_time{}; // 0: none is slow
  std::atomic<double> trace_sample{0};

  // Four listings keep the metadata's two reading threads busy; four multi-deletes, with 64 commits each, fill one
  // group commit.
  const std::shared_ptr<fair_turns> listing_turns = std::make_shared<fair_turns>(16, 4),
                                    commit_turns = std::make_shared<fair_turns>(16, 4),
                                    reading_turns = std::make_shared<fair_turns>(16, 1); // of long documents

private:
  std::mutex refusals_mutex_;
  log_pace refusals_{clock, std::chrono::seconds{10}};
};

} // namespace cairn::net

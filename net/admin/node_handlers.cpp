#include "net/admin/admin_api.hpp"
#include "net/admin/api_handlers.hpp"
#include "net/admin/api_table.hpp"
#include "net/admin/cluster_reasons.hpp"

#include <array>

namespace cairn::net {

namespace {

std::uint64_t count_of(const counter& c) {
  return c.load(std::memory_order_relaxed);
}

json_object requests_object(const node_metrics& m) {
  std::array<std::uint64_t, 6> classes{};
  for (const auto& operation : m.http)
    for (std::size_t c = 0; c < classes.size(); ++c) classes[c] += count_of(operation.by_status_class[c]);
  std::uint64_t total = 0;
  for (const auto n : classes) total += n;
  return {{"total", total},
          {"client_errors", classes[4]},
          {"server_errors", classes[5] + classes[0]},
          {"bytes_sent", count_of(m.bytes_sent)},
          {"bytes_received", count_of(m.bytes_received)}};
}

const char* state_of(const actors::disk_status& d) {
  if (!d.open) return "closed";
  switch (d.stats.state) {
    case storage::disk_state::healthy: return "healthy";
    case storage::disk_state::read_only: return "read_only";
    case storage::disk_state::quarantined: return "quarantined";
  }
  return "closed";
}

json_object disk_object(const actors::disk_status& d) {
  return {{"path", d.path},
          {"state", state_of(d)},
          {"size_bytes", d.stats.disk.total},
          {"available_bytes", d.stats.disk.available},
          {"reserve_bytes", d.stats.reserve_bytes},
          {"full", d.stats.full},
          {"data_bytes", d.stats.used_bytes},
          {"chunks", d.stats.chunks},
          {"queued_reads", d.queued_reads},
          {"queued_writes", d.queued_writes}};
}

json_value number_or_null(bool there, std::uint64_t number) {
  return there ? json_value(number) : json_value{};
}

json_object span_object(const trace_span& s, span_number number, steady_time began) {
  const auto us = [](std::chrono::nanoseconds time) {
    return std::chrono::duration_cast<std::chrono::microseconds>(time).count();
  };
  const bool reads = s.name == span_name::read_chunk, of_chunk = reads || s.name == span_name::write_chunk;
  return {{"number", number},
          {"parent", s.parent},
          {"name", to_string(s.name)},
          {"start_us", us(s.start - began)},
          {"duration_us", us(s.end - s.start)},
          {"outcome", s.outcome == errc{} ? json_value{} : json_value(to_string(s.outcome))},
          {"chunk", number_or_null(of_chunk, s.chunk)},
          {"bytes", number_or_null(of_chunk, s.bytes)},
          {"node", number_or_null(of_chunk && !s.cached, s.node)},
          {"cached", s.cached},
          {"hedge", s.hedge}};
}

json_object slow_object(const slow_request& slow) {
  const auto& p = slow.phases;
  json_array spans;
  span_number number = 0;
  for (const auto& s : slow.spans.spans) spans.push_back(span_object(s, ++number, slow.began));
  return {{"time_ms", slow.time},
          {"request", slow.request},
          {"address", slow.address},
          {"access_key", slow.access_key},
          {"operation", slow.operation},
          {"bucket", slow.bucket},
          {"key", slow.key},
          {"status", slow.status},
          {"total_us", p.total.count()},
          {"server_us", p.server.count()},
          {"authentication_us", p.authentication.count()},
          {"metadata_us", p.metadata.count()},
          {"rest_us", p.rest.count()},
          {"body_us", p.body.count()},
          {"transfer_us", p.transfer.count()},
          {"trace", slow.trace.empty() ? json_value{} : json_value(slow.trace)},
          {"spans", std::move(spans)},
          {"spans_left_out", slow.spans.left_out}};
}

} // namespace

void handle_document(api_services& services, const api_call&, const admin_done& done) {
  done({json_response(openapi_document(services.options.version))});
}

void handle_node(api_services& services, const api_call&, const admin_done& done) {
  const auto status = services.options.status();
  const auto now = services.clock.wall();
  static const node_metrics none;
  const auto& m = services.options.counters ? *services.options.counters : none;
  json_array certificates;
  for (const auto& c : status.certificates) certificates.push_back(json_object{{"use", c.use}, {"ends_ms", c.ends}});
  done({json_response(json_object{{"version", services.options.version},
                                  {"clustered", services.options.clustered},
                                  {"ready", status.ready},
                                  {"reason", status.ready ? json_value{} : json_value(status.reason)},
                                  {"now_ms", now},
                                  {"uptime_ms", now - services.started},
                                  {"connections", count_of(m.connections)},
                                  {"downloads", count_of(m.active_downloads)},
                                  {"uploads", count_of(m.active_uploads)},
                                  {"requests", requests_object(m)},
                                  {"memory", json_object{{"buffer_bytes", status.buffer_bytes},
                                                         {"buffer_limit_bytes", status.buffer_limit_bytes},
                                                         {"buffer_waiters", status.buffer_waiters},
                                                         {"cache_bytes", status.cache.bytes},
                                                         {"cache_limit_bytes", status.cache.limit_bytes}}},
                                  {"certificates", std::move(certificates)},
                                  {"reasons", reasons_json(node_reasons(status, now))}})});
}

void handle_slow_requests(api_services& services, const api_call&, const admin_done& done) {
  json_array requests;
  if (services.options.slow)
    for (const auto& slow : services.options.slow->latest()) requests.push_back(slow_object(slow));
  done({json_response(json_object{{"requests", std::move(requests)}})});
}

void handle_disks(api_services& services, const api_call&, const admin_done& done) {
  json_array disks;
  for (const auto& d : services.options.status().disks) disks.push_back(disk_object(d));
  done({json_response(json_object{{"disks", std::move(disks)}})});
}

} // namespace cairn::net

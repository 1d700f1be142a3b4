#include "net/gateway/s3_gateway.hpp"

#include "base/log.hpp"
#include "net/gateway/s3_session.hpp"

namespace cairn::net {

namespace {

std::uint8_t value_of(config::object_ownership setting) {
  namespace ownership = storage::metadata::ownership;
  switch (setting) {
    case config::object_ownership::bucket_owner_enforced: return ownership::enforced;
    case config::object_ownership::bucket_owner_preferred: return ownership::preferred;
    case config::object_ownership::object_writer: return ownership::writer;
    case config::object_ownership::none: break;
  }
  return ownership::not_given;
}

} // namespace

s3_gateway::s3_gateway(const config::settings& settings, actors::services node, std::span<const s3_operation> table,
                       node_metrics& counters, gateway_logs given, const cairn::clock& time, random_source& randomness,
                       std::shared_ptr<identity_providers> issuers)
    : logs(std::move(given)),
      audits_reads(settings.audit.reads),
      access_format(settings.access_log.format),
      services(std::move(node)),
      operations(table),
      metrics(counters),
      clock(time),
      random(randomness),
      providers(std::move(issuers)),
      anonymous(settings.auth.anonymous),
      sigv2(settings.auth.sigv2),
      ownership_of_new(value_of(settings.auth.object_ownership)),
      listen(settings.http.listen),
      server_names(settings.http.server_names),
      domains(settings.http.domains),
      root_access_key(settings.auth.root_access_key),
      root_secret_key(settings.auth.root_secret_key),
      region(settings.auth.region) {
  s3_gateway::apply(settings);
}

std::unique_ptr<request_handler> s3_gateway::connected(http_session& session) {
  return std::make_unique<s3_session>(session, shared_from_this());
}

void s3_gateway::apply(const config::settings& settings) {
  list_keys_max = settings.limits.list_keys;
  object_size_max = settings.limits.object_size.bytes;
  trace_sample = settings.trace.sample;
  slow_request_time = logs.slow ? settings.log.slow_request : config::duration{0};
}

s3_error s3_gateway::secret_refused(const error& why) {
  const std::lock_guard lock{refusals_mutex_};
  if (const auto skipped = refusals_.due())
    log::error("requests are refused", {{"error", why.text}, {"not_logged", *skipped}});
  return s3_error_of(why);
}

http_operation_metrics& s3_gateway::counters_of(const s3_operation& operation) const {
  const bool served = &operation != &no_operation;
  return metrics.http[served ? static_cast<std::size_t>(&operation - operations.data()) : operations.size()];
}

} // namespace cairn::net

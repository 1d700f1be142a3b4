#include "cli/import/lock_copy.hpp"

#include "cli/client/s3_answers.hpp"
#include "cli/client/text_body.hpp"
#include "cli/import/documents/version_lock.hpp"
#include "cli/transfer/retry.hpp"

namespace cairn::cli {

namespace {

result<http_response> ask_about_version(source_server& source, const lock_order& order) {
  return with_retries([&]() -> result<http_response> {
    const auto client = source.take(order.from.bucket);
    if (!client) return client.error();
    auto about = (*client)->exchange({"HEAD", source.target(order.from, {{"versionId", order.from_version}}), {}});
    if (!about) return of_source(about.error());
    if (!about->ok()) return failure_of(*about, "the source");
    return about;
  });
}

result<void> put_lock(http_client& target, const lock_order& order, const std::string& query,
                      const std::string& document, bool bypasses) {
  const auto where = target_of(order.to) + "?" + query + "&versionId=" + percent_encode(order.to_version, false);
  header_list headers;
  if (bypasses) headers.emplace_back("x-amz-bypass-governance-retention", "true");
  const auto put = with_retries([&]() -> result<http_response> {
    text_body body(document);
    auto response = target.exchange({"PUT", where, headers}, &body);
    if (response && !response->ok()) return failure_of(*response, "its lock at the target");
    return response;
  });
  if (!put) return put.error();
  return {};
}

} // namespace

result<lock_outcome> carry_lock(source_server& source, http_client& target, const lock_order& order) {
  const auto there = ask_about_version(source, order);
  if (!there) return there.error();
  const auto where = target_of(order.to) + "?versionId=" + percent_encode(order.to_version, false);
  const auto here = with_retries([&] { return ask(target, {"HEAD", where, {}}, "the target"); });
  if (!here) return here.error();
  const auto now = system_clock().wall();
  const auto theirs = lock_of(*there, now), ours = lock_of(*here, now);
  if (!theirs) return of_source(theirs.error());
  if (!ours) return ours.error();
  const auto both = stronger_lock(*theirs, *ours);
  const auto& wanted = order.overwrite ? *theirs : both;
  const lock_outcome outcome{wanted != *ours, wanted != *theirs};
  if (!outcome.changed || order.only_compare) return outcome;
  if (wanted.mode != ours->mode || wanted.until != ours->until)
    if (auto put = put_lock(target, order, "retention", retention_xml(wanted), order.overwrite); !put)
      return put.error();
  if (wanted.hold != ours->hold)
    if (auto put = put_lock(target, order, "legal-hold", legal_hold_xml(wanted), false); !put) return put.error();
  return outcome;
}

} // namespace cairn::cli

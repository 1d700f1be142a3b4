#include "cli/transfer/object_copy.hpp"

#include "cli/client/s3_answers.hpp"
#include "cli/transfer/multipart_upload.hpp"
#include "cli/transfer/part_plan.hpp"
#include "cli/transfer/retry.hpp"
#include "net/wire/grammar/ascii.hpp"

#include <algorithm>

namespace cairn::cli {

namespace {

constexpr std::uint64_t copied_whole_bytes_max = 5_GiB;
constexpr std::uint64_t copied_part_bytes = 1_GiB;

header_list source_headers(const copy_order& order, const std::string& etag) {
  header_list headers{{"x-amz-copy-source", target_of(order.from)}};
  if (!etag.empty()) headers.emplace_back("x-amz-copy-source-if-match", '"' + etag + '"');
  return headers;
}

// S3 may fail after it has answered 200: then the document is an Error.
result<std::string> copied_etag(const result<http_response>& response, std::string_view document) {
  if (!response) return response.error();
  if (!response->ok()) return failure_of(*response, "copying");
  const auto root = read_answer(response->body, document);
  if (!root) return failure_of(*response, "copying");
  return etag_text(root->text_of("ETag"));
}

result<void> copy_in_parts(worker_pool& pool, http_client& client, const copy_order& order) {
  const auto about = with_retries([&] { return ask(client, {"HEAD", target_of(order.from), {}}, "copying"); });
  if (!about) return about.error();
  const auto etag = etag_text(about->header("etag"));
  const auto plan = plan_parts(order.size_bytes, copied_part_bytes);
  auto upload = with_retries([&] { return create_upload(client, order.to, copied_headers(*about), false); });
  if (!upload) return upload.error();
  std::mutex mutex;
  auto outcome = pool.share(client, plan.count(), [&](http_client& mine, std::uint64_t i) -> result<void> {
    auto headers = source_headers(order, etag);
    headers.emplace_back("x-amz-copy-source-range", "bytes=" + std::to_string(plan.begin(i)) + "-" +
                                                        std::to_string(plan.begin(i) + plan.bytes(i) - 1));
    auto copied = with_retries([&] {
      return copied_etag(mine.exchange({"PUT", part_target(order.to, upload->id, i + 1), headers}), "CopyPartResult");
    });
    if (!copied) return copied.error();
    const std::lock_guard lock(mutex);
    upload->parts[i + 1] = {plan.bytes(i), std::move(*copied)};
    return {};
  });
  if (outcome) {
    const auto whole = with_retries([&] { return complete_upload(client, order.to, *upload, {}); });
    if (whole) return {};
    outcome = whole.error();
  }
  abort_upload(client, order.to, upload->id);
  return outcome;
}

} // namespace

header_list copied_headers(const http_response& about) {
  static constexpr std::string_view kept[] = {"content-type",     "content-disposition", "content-encoding",
                                              "content-language", "cache-control",       "expires"};
  header_list headers;
  for (const auto& [name, value] : about.headers) {
    const auto lower = net::ascii_lower(name);
    if (lower.starts_with("x-amz-meta-") || std::find(std::begin(kept), std::end(kept), lower) != std::end(kept))
      headers.emplace_back(lower, value);
  }
  return headers;
}

result<void> copy_object(worker_pool& pool, http_client& client, const copy_order& order, set_progress& progress) {
  auto headers = source_headers(order, order.etag);
  const auto whole = with_retries([&] {
    return copied_etag(client.exchange({"PUT", target_of(order.to), headers}), "CopyObjectResult");
  });
  result<void> outcome;
  if (!whole && order.size_bytes > copied_whole_bytes_max && whole.error().code == errc::io_error)
    outcome = copy_in_parts(pool, client, order);
  else if (!whole)
    outcome = whole.error();
  if (outcome) progress.moved(static_cast<std::int64_t>(order.size_bytes));
  return outcome;
}

} // namespace cairn::cli

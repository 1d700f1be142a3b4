#include "cli/transfer/file_download.hpp"

#include "base/codec.hpp"
#include "base/digest.hpp"
#include "cli/client/command_support.hpp"
#include "cli/client/file_transfer.hpp"
#include "cli/transfer/content_check.hpp"
#include "cli/transfer/object_time.hpp"
#include "cli/transfer/retry.hpp"

namespace cairn::cli {

namespace {

constexpr std::string_view partial_prefix = ".cairn-part-";

} // namespace

bool is_partial_name(std::string_view name) {
  if (!name.starts_with(partial_prefix)) return false;
  name.remove_prefix(partial_prefix.size());
  if (name.ends_with(".etag")) name.remove_suffix(5);
  return is_md5(name);
}

std::string partial_path(const std::string& file) {
  const auto begin = file.rfind('/') + 1; // without a slash: 0
  md5 digest;
  digest.update(std::as_bytes(std::span(file).subspan(begin)));
  return file.substr(0, begin) + std::string(partial_prefix) + hex_of(digest.finish());
}

result<void> download_file_to(http_client& client, const object_path& from, const std::string& file,
                              set_progress& progress) {
  const auto name = from.bucket + "/" + from.key;
  file_options options{file, name, partial_path(file)};
  options.on_bytes = [&](std::int64_t bytes) { progress.moved(bytes); };
  options.time_ns_of = [](const http_response& response) -> std::optional<std::int64_t> {
    const auto kept = time_of(response);
    if (!kept) return std::nullopt;
    return kept->at;
  };
  options.check_unproven = [&](int whole, const std::string& etag) -> result<void> {
    const auto same = has_etag_of_parts(client, from, etag, whole, name);
    if (!same) return same.error();
    // Parts of different sizes, or copied ones: then this ETag proves nothing, and nothing is wrong with the bytes.
    if (!*same) progress.note_unproven();
    return {};
  };
  const auto target = download_to_file(std::move(options));
  if (!target) return target.error();
  auto outcome = with_retries([&] { return download(client, from, name, **target); });
  if (!outcome && !may_pass(outcome.error().code)) (*target)->drop_if_empty();
  return outcome;
}

} // namespace cairn::cli

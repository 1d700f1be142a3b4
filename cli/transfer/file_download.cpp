#include "cli/transfer/file_download.hpp"

#include "base/digest.hpp"
#include "cli/client/command_support.hpp"
#include "cli/client/file_transfer.hpp"
#include "cli/transfer/file_slice.hpp"
#include "cli/transfer/object_time.hpp"
#include "cli/transfer/part_plan.hpp"
#include "cli/transfer/retry.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <charconv>

namespace cairn::cli {

namespace {

constexpr std::string_view partial_prefix = ".cairn-part-";

} // namespace

bool is_partial_name(std::string_view name) {
  if (!name.starts_with(partial_prefix)) return false;
  name.remove_prefix(partial_prefix.size());
  if (name.ends_with(".etag")) name.remove_suffix(5);
  return name.size() == 32 && name.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

std::string partial_path(const std::string& file) {
  const auto begin = file.rfind('/') + 1; // without a slash: 0
  storage::md5 digest;
  digest.update(std::as_bytes(std::span(file).subspan(begin)));
  return file.substr(0, begin) + std::string(partial_prefix) + hex(digest.finish());
}

result<std::optional<std::uint64_t>> first_part_bytes(http_client& client, const object_path& path) {
  const auto response = client.exchange({"HEAD", target_of(path) + "?partNumber=1", {}});
  if (!response) return response.error();
  if (response->status != 206) return std::optional<std::uint64_t>{};
  return response->content_length;
}

result<bool> has_composed_etag(int file, const std::string& name, std::uint64_t part_bytes, std::string_view etag) {
  struct stat about {};
  if (::fstat(file, &about) != 0) return system_failure("reading " + name);
  const part_plan plan{static_cast<std::uint64_t>(about.st_size), part_bytes};
  const auto dash = etag.find('-');
  if (part_bytes == 0 || dash == std::string_view::npos ||
      etag.substr(dash + 1) != std::to_string(plan.count())) // its parts differ in size
    return false;
  part_map parts;
  for (std::uint64_t i = 0; i < plan.count(); ++i) {
    const auto digests = digest_slice(file, plan.begin(i), plan.bytes(i), name);
    if (!digests) return digests.error();
    std::array<std::uint8_t, 16> md5{};
    std::copy_n(digests->md5.begin(), md5.size(), md5.begin());
    parts[i + 1] = {plan.bytes(i), hex(md5)};
  }
  return composed_etag(parts) == etag;
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
    const auto part_bytes = first_part_bytes(client, from);
    if (!part_bytes) return part_bytes.error();
    const auto same = has_composed_etag(whole, name, part_bytes->value_or(0), etag);
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

#include "cli/transfer/content_check.hpp"

#include "base/codec.hpp"
#include "cli/client/command_support.hpp"
#include "cli/client/file_transfer.hpp"
#include "cli/transfer/file_slice.hpp"
#include "cli/transfer/part_plan.hpp"
#include "net/wire/grammar/base64.hpp"

#include <fcntl.h>
#include <sys/stat.h>

namespace cairn::cli {

namespace {

// nullopt: the server does not say.
result<std::optional<std::uint64_t>> first_part_bytes(http_client& client, const object_path& path) {
  const auto response = client.exchange({"HEAD", target_of(path) + "?partNumber=1", {}});
  if (!response) return response.error();
  if (response->status != 206) return std::optional<std::uint64_t>{};
  return response->content_length;
}

} // namespace

result<bool> has_etag_of_parts(http_client& client, const object_path& path, const std::string& etag, int file,
                               const std::string& name) {
  const auto dash = etag.find('-');
  if (dash == std::string::npos) return false;
  struct stat about {};
  if (::fstat(file, &about) != 0) return system_failure("reading " + name);
  const auto part_bytes = first_part_bytes(client, path);
  if (!part_bytes) return part_bytes.error();
  const part_plan plan{static_cast<std::uint64_t>(about.st_size), part_bytes->value_or(0)};
  if (plan.part_bytes == 0 || etag.substr(dash + 1) != std::to_string(plan.count())) return false; // unequal parts
  cairn::md5 all;
  for (std::uint64_t i = 0; i < plan.count(); ++i) {
    const auto md5 = md5_of_slice(file, plan.begin(i), plan.bytes(i), name);
    if (!md5) return md5.error();
    all.update(std::as_bytes(std::span(*md5)));
  }
  return hex_of(all.finish()) == etag.substr(0, dash);
}

result<bool> same_content(http_client& client, const object_path& path, const std::string& etag,
                          const std::string& file) {
  const descriptor opened(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat about {};
  if (opened.get() < 0 || ::fstat(opened.get(), &about) != 0) return system_failure("opening " + file);
  const auto bytes = static_cast<std::uint64_t>(about.st_size);
  if (is_md5(etag)) {
    const auto mine = md5_of_slice(opened.get(), 0, bytes, file);
    if (!mine) return mine.error();
    return hex_of(*mine) == etag;
  }
  const auto answer = ask(client, {"HEAD", target_of(path), {{"x-amz-checksum-mode", "ENABLED"}}}, "comparing");
  if (!answer) return answer.error();
  if (const auto crc64 = answer->header("x-amz-checksum-crc64nvme"); !crc64.empty()) {
    const auto mine = crc64_of_slice(opened.get(), 0, bytes, file);
    if (!mine) return mine.error();
    return net::base64_encode(*mine) == crc64;
  }
  return has_etag_of_parts(client, path, etag, opened.get(), file);
}

} // namespace cairn::cli

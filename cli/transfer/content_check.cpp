#include "cli/transfer/content_check.hpp"

#include "cli/client/command_support.hpp"
#include "cli/client/file_transfer.hpp"
#include "cli/transfer/file_download.hpp"
#include "cli/transfer/file_slice.hpp"
#include "net/wire/grammar/base64.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>

namespace cairn::cli {

result<bool> same_content(http_client& client, const object_path& path, const std::string& etag,
                          const std::string& file) {
  const descriptor opened(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat about {};
  if (opened.get() < 0 || ::fstat(opened.get(), &about) != 0) return system_failure("opening " + file);
  const auto digests = [&] { return digest_slice(opened.get(), 0, static_cast<std::uint64_t>(about.st_size), file); };
  if (is_md5(etag)) {
    const auto mine = digests();
    if (!mine) return mine.error();
    std::array<std::uint8_t, 16> md5{};
    std::copy_n(mine->md5.begin(), md5.size(), md5.begin());
    return hex(md5) == etag;
  }
  const auto answer = ask(client, {"HEAD", target_of(path), {{"x-amz-checksum-mode", "ENABLED"}}}, "comparing");
  if (!answer) return answer.error();
  if (const auto crc64 = answer->header("x-amz-checksum-crc64nvme"); !crc64.empty()) {
    const auto mine = digests();
    if (!mine) return mine.error();
    return net::base64_encode(mine->crc64) == crc64;
  }
  const auto part_bytes = first_part_bytes(client, path);
  if (!part_bytes) return part_bytes.error();
  return has_composed_etag(opened.get(), file, part_bytes->value_or(0), etag);
}

} // namespace cairn::cli

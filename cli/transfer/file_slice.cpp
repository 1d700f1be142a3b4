#include "cli/transfer/file_slice.hpp"

#include "cli/client/command_support.hpp"
#include "net/s3/body/checksums.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace cairn::cli {

namespace {

// Fills `into` but for the file's end.
result<std::size_t> read_at(int file, std::uint64_t begin, storage::bytes_span into, const std::string& name) {
  std::size_t filled = 0;
  while (filled < into.size()) {
    const auto got = ::pread(file, into.data() + filled, into.size() - filled, static_cast<off_t>(begin + filled));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_failure("reading " + name);
    if (got == 0) break;
    filled += static_cast<std::size_t>(got);
  }
  return filled;
}

} // namespace

result<slice_digests> digest_slice(int file, std::uint64_t begin, std::uint64_t bytes, const std::string& name) {
  storage::md5 md5;
  storage::running_checksum crc64(storage::checksum_kind::crc64nvme);
  std::vector<std::byte> buffer(256 << 10);
  for (std::uint64_t done = 0; done < bytes;) {
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(bytes - done, buffer.size()));
    const auto got = read_at(file, begin + done, {buffer.data(), wanted}, name);
    if (!got) return got.error();
    if (*got < wanted) return error{errc::io_error, name + ": became shorter while it was read"};
    md5.update({buffer.data(), wanted});
    crc64.update({buffer.data(), wanted});
    done += wanted;
  }
  const auto digest = md5.finish();
  return slice_digests{std::string(reinterpret_cast<const char*>(digest.data()), digest.size()), crc64.finish()};
}

result<std::size_t> file_slice::read(storage::bytes_span into) {
  const auto got =
      read_at(file_, begin_ + done_,
              into.first(static_cast<std::size_t>(std::min<std::uint64_t>(into.size(), bytes_ - done_))), name_);
  if (!got) return got;
  done_ += *got;
  digest_.update(into.first(*got));
  on_bytes_(static_cast<std::int64_t>(*got));
  return got;
}

std::string file_slice::hex_of(const storage::md5::digest& digest) {
  return hex(digest);
}

} // namespace cairn::cli

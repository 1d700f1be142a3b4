#include "cli/transfer/file_slice.hpp"

#include "cli/client/command_support.hpp"
#include "net/s3/body/checksums.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace cairn::cli {

namespace {

// Fills `into` but for the file's end.
result<std::size_t> read_at(int file, std::uint64_t begin, bytes_span into, const std::string& name) {
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

// Calls `each` with the range's bytes, piece by piece.
template <class Each>
result<void> read_slice(int file, std::uint64_t begin, std::uint64_t bytes, const std::string& name, Each each) {
  std::vector<std::byte> buffer(256 << 10);
  for (std::uint64_t done = 0; done < bytes;) {
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(bytes - done, buffer.size()));
    const auto got = read_at(file, begin + done, {buffer.data(), wanted}, name);
    if (!got) return got.error();
    if (*got < wanted) return error{errc::io_error, name + ": became shorter while it was read"};
    each(bytes_view{buffer.data(), wanted});
    done += wanted;
  }
  return {};
}

} // namespace

result<slice_digests> digest_slice(int file, std::uint64_t begin, std::uint64_t bytes, const std::string& name) {
  cairn::md5 md5;
  net::running_checksum crc64(net::checksum_kind::crc64nvme);
  const auto read = read_slice(file, begin, bytes, name, [&](bytes_view piece) {
    md5.update(piece);
    crc64.update(piece);
  });
  if (!read) return read.error();
  return slice_digests{md5.finish(), crc64.finish()};
}

result<cairn::md5::digest> md5_of_slice(int file, std::uint64_t begin, std::uint64_t bytes, const std::string& name) {
  cairn::md5 md5;
  const auto read = read_slice(file, begin, bytes, name, [&](bytes_view piece) { md5.update(piece); });
  if (!read) return read.error();
  return md5.finish();
}

result<std::string> crc64_of_slice(int file, std::uint64_t begin, std::uint64_t bytes, const std::string& name) {
  net::running_checksum crc64(net::checksum_kind::crc64nvme);
  const auto read = read_slice(file, begin, bytes, name, [&](bytes_view piece) { crc64.update(piece); });
  if (!read) return read.error();
  return crc64.finish();
}

result<std::size_t> file_slice::read(bytes_span into) {
  const auto got =
      read_at(file_, begin_ + done_,
              into.first(static_cast<std::size_t>(std::min<std::uint64_t>(into.size(), bytes_ - done_))), name_);
  if (!got) return got;
  done_ += *got;
  if (digest_ != nullptr) digest_->update(into.first(*got));
  on_bytes_(static_cast<std::int64_t>(*got));
  return got;
}

} // namespace cairn::cli

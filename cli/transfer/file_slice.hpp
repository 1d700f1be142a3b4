// A range of a file as a request's body, and its digests. Reads by position, so that several threads may use one open
// file.
#pragma once

#include "cli/client/file_transfer.hpp"

#include <functional>
#include <string>

namespace cairn::cli {

struct slice_digests {
  std::string md5;   // 16 bytes
  std::string crc64; // CRC-64/NVME, 8 bytes
};

// io_error also when the file ends before the range does.
result<slice_digests> digest_slice(int file, std::uint64_t begin, std::uint64_t bytes, const std::string& name);

class file_slice : public body_source {
public:
  using moved = std::function<void(std::int64_t)>;
  file_slice(int file, std::uint64_t begin, std::uint64_t bytes, std::string name, moved on_bytes)
      : file_(file), begin_(begin), bytes_(bytes), name_(std::move(name)), on_bytes_(std::move(on_bytes)) {}

  std::optional<std::uint64_t> length() const override { return bytes_; }
  result<std::size_t> read(storage::bytes_span into) override;
  std::string md5_hex() { return hex_of(digest_.finish()); }                      // of what was read; once
  void undo() { on_bytes_(-static_cast<std::int64_t>(std::exchange(done_, 0))); } // the request failed

private:
  static std::string hex_of(const storage::md5::digest& digest);
  int file_;
  std::uint64_t begin_, bytes_, done_ = 0;
  std::string name_;
  moved on_bytes_;
  storage::md5 digest_;
};

} // namespace cairn::cli

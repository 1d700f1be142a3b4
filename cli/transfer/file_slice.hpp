// A range of a file as a request's body, and its digests. Reads by position, so that several threads may use one open
// file.
#pragma once

#include "cli/client/file_transfer.hpp"

#include <functional>
#include <string>

namespace cairn::cli {

struct slice_digests {
  cairn::md5::digest md5{};
  std::string crc64; // CRC-64/NVME, 8 bytes
};

// io_error also when the file ends before the range does.
result<slice_digests> digest_slice(int file, std::uint64_t begin, std::uint64_t bytes, const std::string& name);
// Only one of them: an MD5 takes many times as long as the checksum.
result<cairn::md5::digest> md5_of_slice(int file, std::uint64_t begin, std::uint64_t bytes, const std::string& name);
result<std::string> crc64_of_slice(int file, std::uint64_t begin, std::uint64_t bytes, const std::string& name);

class file_slice : public body_source {
public:
  using moved = std::function<void(std::int64_t)>;
  // `digest`: gets what is read; may be null.
  file_slice(int file, std::uint64_t begin, std::uint64_t bytes, std::string name, moved on_bytes,
             cairn::md5* digest = nullptr)
      : file_(file),
        begin_(begin),
        bytes_(bytes),
        name_(std::move(name)),
        on_bytes_(std::move(on_bytes)),
        digest_(digest) {}

  std::optional<std::uint64_t> length() const override { return bytes_; }
  result<std::size_t> read(bytes_span into) override;
  void undo() { on_bytes_(-static_cast<std::int64_t>(std::exchange(done_, 0))); } // the request failed

private:
  int file_;
  std::uint64_t begin_, bytes_, done_ = 0;
  std::string name_;
  moved on_bytes_;
  cairn::md5* digest_;
};

} // namespace cairn::cli

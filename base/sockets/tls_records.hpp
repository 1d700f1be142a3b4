// Counts the records of a TLS stream: a type, a version, a length of 2 bytes, then so many bytes (RFC 8446,
// section 5.1). OpenSSL computes nothing before a record is complete. A plain class, not thread-safe.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>

namespace cairn::sockets {

class tls_records {
public:
  // The number of records that these bytes of the stream complete.
  std::size_t take(std::span<const std::byte> bytes) {
    std::size_t completed = 0;
    while (!bytes.empty()) {
      if (header_ < header_bytes) {
        left_ = (left_ << 8 | std::to_integer<std::size_t>(bytes.front())) & 0xFFFF; // its last two bytes remain
        ++header_;
        bytes = bytes.subspan(1);
      } else {
        const auto part = std::min(left_, bytes.size());
        left_ -= part;
        bytes = bytes.subspan(part);
      }
      if (header_ < header_bytes || left_ > 0) continue;
      ++completed;
      header_ = 0;
    }
    return completed;
  }

private:
  static constexpr std::size_t header_bytes = 5;

  std::size_t header_ = 0; // bytes of the record's header so far
  std::size_t left_ = 0;   // of the record, after its header
};

} // namespace cairn::sockets

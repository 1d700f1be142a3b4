// The segment files of the consensus log (log_format.hpp): `NNNNNNNNNNNNNNNN.seg`, the number in hexadecimal.
//
// A batch is written only after all batches before it were flushed. So what is invalid with a valid later batch behind
// it was damaged on the disk; what is invalid with nothing behind it is a write that a crash interrupted, and was never
// acknowledged. Blocking. Errors: io_error, no_space, corrupt, unsupported.
#pragma once

#include "base/file_system.hpp"
#include "cluster/raft/log/log_format.hpp"

namespace cairn::cluster::raft {

struct log_segment {
  segment_header header;
  std::shared_ptr<cairn::file> file;
  std::uint64_t size = 0;             // preallocated
  std::uint64_t end = log_page_bytes; // of its last batch
};

std::string segment_path(const std::string& directory, std::uint64_t number);
std::vector<std::uint64_t> segment_numbers(const std::vector<std::string>& names); // ascending

// Durable, with its name, when it returns.
result<log_segment> create_segment(file_system& files, const std::string& directory, const segment_header& h,
                                   std::uint64_t size);
result<log_segment> open_segment(file_system& files, const std::string& directory, std::uint64_t number,
                                 open_mode mode);

// The batch of this number at `at`. nullopt: it is not there, or damaged.
result<std::optional<stored_batch>> read_batch(const log_segment& s, std::uint64_t at, std::uint64_t number);

struct segment_tail {
  bool has_batch = false; // a valid batch begins somewhere
  bool is_zero = true;
};
// What is behind `from`. Without a salt, a batch of any salt counts.
result<segment_tail> read_tail(cairn::file& file, std::optional<std::uint64_t> salt, std::uint64_t from);

result<std::string> read_bytes(cairn::file& file, std::uint64_t at, std::size_t bytes); // fewer at the end
result<void> write_bytes(cairn::file& file, std::uint64_t at, std::string_view bytes);

} // namespace cairn::cluster::raft

// Open segment files for readers: a bounded set, least recently used closed first. Thread-safe. A file that is dropped
// or closed while a read uses it stays open until that read ends, also after the file was unlinked. Errors: not_found
// (the segment's file is gone), io_error.
#pragma once

#include "base/file_system.hpp"

#include <atomic>
#include <memory>
#include <shared_mutex>
#include <unordered_map>

namespace cairn::storage {

class segment_files {
public:
  segment_files(file_system& files, std::string directory, std::size_t open_max);

  std::shared_ptr<file> find_open(std::uint64_t segment); // null when it would have to be opened
  result<std::shared_ptr<file>> open(std::uint64_t segment);
  void drop(std::uint64_t segment);
  std::string path_of(std::uint64_t segment) const;

private:
  struct slot {
    std::shared_ptr<file> opened;
    std::atomic<std::uint64_t> last_use{0};
  };
  file_system& files_;
  const std::string directory_;
  const std::size_t open_max_;
  std::atomic<std::uint64_t> uses_{0};
  std::shared_mutex mutex_;
  std::unordered_map<std::uint64_t, slot> slots_;
};

} // namespace cairn::storage

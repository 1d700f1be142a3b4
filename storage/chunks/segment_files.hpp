// Cache of open segment files for readers: bounded, LRU. Thread-safe. A file that is dropped or evicted while a read
// uses it stays open until that read ends, even if the file was unlinked. Errors: not_found (the segment file does not
// exist), io_error.
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

  std::shared_ptr<file> find_open(std::uint64_t segment); // null if it is not open
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

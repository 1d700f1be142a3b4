// Cache of open segment files for readers: bounded, LRU. A segment may be open twice: for reads through the page cache
// and for those that bypass it. Thread-safe. A file that is dropped or evicted while a read uses it stays open until
// that read ends, even if the file was unlinked. Errors: not_found (the segment file does not exist), io_error.
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

  // `mode`: read_only or read_direct.
  std::shared_ptr<file> find_open(std::uint64_t segment, open_mode mode = open_mode::read_only); // null: not open
  result<std::shared_ptr<file>> open(std::uint64_t segment, open_mode mode = open_mode::read_only);
  void drop(std::uint64_t segment);
  std::string path_of(std::uint64_t segment) const;

private:
  // Segments are numbered from 1, far below 2^63.
  static std::uint64_t slot_of(std::uint64_t segment, open_mode mode) {
    return segment * 2 + (mode == open_mode::read_direct);
  }
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

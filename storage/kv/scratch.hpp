// Arena for the views that a transaction returns: grows in blocks, is released as a whole. Under AddressSanitizer,
// released memory is poisoned, so that the use of an expired view is found.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include <sanitizer/asan_interface.h>

namespace cairn::storage {

class scratch {
public:
  scratch() = default;
  scratch(const scratch&) = delete;
  scratch& operator=(const scratch&) = delete;
  ~scratch() {
    for (const block& b : blocks_) ASAN_UNPOISON_MEMORY_REGION(b.bytes.get(), b.size);
  }

  // `size` bytes, valid until reset.
  char* allocate(std::size_t size) {
    if (blocks_.empty() || blocks_.back().size - used_ < size) add_block(size);
    char* const at = blocks_.back().bytes.get() + used_;
    used_ += size;
    ASAN_UNPOISON_MEMORY_REGION(at, size);
    return at;
  }

  // Invalidates everything that was allocated. Keeps the newest block.
  void reset() {
    if (blocks_.empty()) return;
    if (blocks_.size() > 1) {
      for (std::size_t i = 0; i + 1 < blocks_.size(); ++i)
        ASAN_UNPOISON_MEMORY_REGION(blocks_[i].bytes.get(), blocks_[i].size);
      std::swap(blocks_.front(), blocks_.back());
      blocks_.resize(1);
    }
    used_ = 0;
    ASAN_POISON_MEMORY_REGION(blocks_.front().bytes.get(), blocks_.front().size);
  }

private:
  struct block {
    std::unique_ptr<char[]> bytes;
    std::size_t size = 0;
  };

  void add_block(std::size_t at_least) {
    const std::size_t size = std::max(at_least, blocks_.empty() ? first_bytes : later_bytes);
    blocks_.push_back({std::make_unique_for_overwrite<char[]>(size), size});
    ASAN_POISON_MEMORY_REGION(blocks_.back().bytes.get(), size);
    used_ = 0;
  }

  static constexpr std::size_t first_bytes = 2048, later_bytes = 64 * 1024;
  std::vector<block> blocks_;
  std::size_t used_ = 0; // of the last block
};

} // namespace cairn::storage

#include "storage/chunks/segment_files.hpp"

#include "storage/chunks/segment.hpp"

#include <algorithm>
#include <mutex>

namespace cairn::storage {

segment_files::segment_files(file_system& files, std::string directory, std::size_t open_max)
    : files_(files), directory_(std::move(directory)), open_max_(open_max) {}

std::string segment_files::path_of(std::uint64_t segment) const {
  return directory_ + "/" + segment_file_name(segment);
}

std::shared_ptr<file> segment_files::find_open(std::uint64_t segment, open_mode mode) {
  const std::shared_lock guard{mutex_};
  const auto at = slots_.find(slot_of(segment, mode));
  if (at == slots_.end()) return nullptr;
  at->second.last_use.store(uses_.fetch_add(1, std::memory_order_relaxed), std::memory_order_relaxed);
  return at->second.opened;
}

result<std::shared_ptr<file>> segment_files::open(std::uint64_t segment, open_mode mode) {
  if (auto found = find_open(segment, mode)) return found;
  auto opened = files_.open(path_of(segment), mode);
  if (!opened) return opened.error();
  std::shared_ptr<file> closed_late; // closed after the lock is released, because close(2) may block
  const std::lock_guard guard{mutex_};
  auto& fresh = slots_[slot_of(segment, mode)];
  if (!fresh.opened) fresh.opened = std::move(*opened);
  fresh.last_use.store(uses_.fetch_add(1, std::memory_order_relaxed), std::memory_order_relaxed);
  auto found = fresh.opened;
  if (slots_.size() > open_max_) {
    const auto oldest = std::min_element(slots_.begin(), slots_.end(), [](const auto& a, const auto& b) {
      return a.second.last_use.load(std::memory_order_relaxed) < b.second.last_use.load(std::memory_order_relaxed);
    });
    closed_late = std::move(oldest->second.opened);
    slots_.erase(oldest);
  }
  return found;
}

void segment_files::drop(std::uint64_t segment) {
  std::vector<std::shared_ptr<file>> closed_late;
  const std::lock_guard guard{mutex_};
  for (const auto mode : {open_mode::read_only, open_mode::read_direct}) {
    const auto at = slots_.find(slot_of(segment, mode));
    if (at == slots_.end()) continue;
    closed_late.push_back(std::move(at->second.opened));
    slots_.erase(at);
  }
}

} // namespace cairn::storage

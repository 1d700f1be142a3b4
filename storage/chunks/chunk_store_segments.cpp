// Segments are created when a record needs room, sealed when full, removed when empty.
#include "storage/chunks/chunk_store_impl.hpp"

#include "base/log.hpp"

#include <algorithm>

namespace cairn::storage {

namespace {

bool is_gone(const result<void>& removal) {
  return removal || removal.error() == errc::not_found;
}

} // namespace

result<void> segment_chunk_store::make_room(std::uint64_t record) {
  if (auto may = writable(); !may) return may;
  std::uint64_t slack = 0; // bytes that sealing the active segment will free
  if (active_) {
    const auto end = rows_.at(active_->id).data_end;
    if (end + record + footer_bytes(active_->records + 1) <= active_->capacity) return {};
    const auto sealed_size = end + footer_bytes(active_->records);
    if (active_->capacity > sealed_size) slack = active_->capacity - sealed_size;
  }
  const auto size_min = record + footer_bytes(1);
  refresh_space();
  const error full{errc::no_space, "disk " + cairn::to_string(identity_.id) + ": " + std::to_string(space_.available) +
                                       " bytes free, " + std::to_string(reserve_bytes_) + " reserved"};
  if (usable_bytes() + slack < size_min) return full;
  if (active_) {
    if (auto sealed = seal_active(); !sealed) return sealed;
    refresh_space();
    if (usable_bytes() < size_min) return full;
  }
  // On a nearly full disk, new segments take at most half of the usable space, so that preallocation does not exhaust
  // it.
  const auto segment_size = options_.segment_size_bytes / page_bytes * page_bytes;
  const auto affordable = usable_bytes() >= segment_size ? segment_size : usable_bytes() / 2 / page_bytes * page_bytes;
  return make_segment(std::max(affordable, size_min), size_min);
}

result<void> segment_chunk_store::make_segment(std::uint64_t size, std::uint64_t size_min) {
  const auto segment = next_segment_;
  const auto path = readers_.path_of(segment);
  auto opened = files_.open(path, open_mode::create);
  if (!opened) return opened.error();
  auto reserved = (*opened)->preallocate(size);
  while (!reserved && reserved.error() == errc::no_space && size > size_min) {
    size = std::max(size / 2 / page_bytes * page_bytes, size_min);
    reserved = (*opened)->preallocate(size);
  }
  const auto undo = [&](const error& reason) -> result<void> {
    opened->reset();
    if (auto removed = files_.remove(path); !is_gone(removed)) {
      log::warn("unused segment not removed", {{"path", path}, {"error", to_string(removed.error())}});
      ++next_segment_; // the file still exists under this name
    }
    return reason;
  };
  if (!reserved) return undo(reserved.error());
  if (auto durable = flushed(files_.flush_directory(segments_directory(options_.directory)), "flush of the segments");
      !durable)
    return durable.error() == errc::busy ? undo(durable.error()) : durable;

  auto writer = index_.begin_write();
  if (!writer) return undo(writer.error());
  chunk_index::put(**writer, segment, chunk_index::segment_row{});
  chunk_index::put_next_segment(**writer, segment + 1);
  if (auto durable = commit(**writer); !durable)
    return durable.error() == errc::no_space ? undo(durable.error()) : durable;
  next_segment_ = segment + 1;
  rows_[segment] = {};
  active_ = active_segment{segment, std::move(*opened), size, 0};
  return {};
}

// A segment whose commit fails stays active and is sealed again later.
result<void> segment_chunk_store::seal(active_segment& segment) {
  std::vector<segment_entry> entries;
  {
    auto reader = index_.begin_read();
    if (!reader) return reader.error();
    auto rows = chunk_index::tail_of(**reader, segment.id);
    if (!rows) return rows.error();
    entries = std::move(*rows);
  }
  const auto data_end = rows_.at(segment.id).data_end;
  auto sealed = seal_segment_file(*segment.opened, identity_.header_key, segment.id, data_end, entries);
  if (!sealed && sealed.error() == errc::no_space) return sealed;
  if (auto durable = flushed(sealed, "sealing of a segment"); !durable) return durable;

  auto writer = index_.begin_write();
  if (!writer) return writer.error();
  row_changes changes{rows_};
  changes.of(segment.id)->sealed = true;
  changes.put(**writer);
  chunk_index::erase_tail(**writer, entries);
  if (auto durable = commit(**writer); !durable) return durable;
  changes.apply(rows_, used_bytes_);
  return {};
}

result<void> segment_chunk_store::seal_active() {
  if (auto sealed = seal(*active_); !sealed) {
    const auto size = active_->opened->size(); // the file may already be truncated
    if (!size) return size.error();
    active_->capacity = *size;
    return sealed;
  }
  active_.reset();
  return remove_empty_segments();
}

result<void> segment_chunk_store::remove_empty_segments() {
  std::vector<std::uint64_t> empty;
  for (const auto& [segment, row] : rows_)
    if (row.sealed && row.live_chunks == 0 && row.to_punch == 0) empty.push_back(segment);
  if (empty.empty()) return {};
  for (const auto segment : empty) {
    if (auto removed = files_.remove(readers_.path_of(segment)); !is_gone(removed)) return removed;
    readers_.drop(segment);
  }
  if (auto durable = flushed(files_.flush_directory(segments_directory(options_.directory)), "flush of the segments");
      !durable)
    return durable;
  auto writer = index_.begin_write();
  if (!writer) return writer.error();
  for (const auto segment : empty) chunk_index::erase_segment(**writer, segment);
  if (auto durable = commit(**writer); !durable) return durable;
  for (const auto segment : empty) rows_.erase(segment);
  return {};
}

} // namespace cairn::storage

// Segments are created when a record needs room, sealed after they are full, removed when empty.
#include "storage/chunks/chunk_store_impl.hpp"

#include "base/log.hpp"

#include <algorithm>

namespace cairn::storage {

namespace {

constexpr std::size_t full_segments_max = 4; // that wait to be sealed: what a fast disk takes in a second

bool is_gone(const result<void>& removal) {
  return removal || removal.error() == errc::not_found;
}

} // namespace

result<void> segment_chunk_store::make_room(std::uint64_t record) {
  if (auto may = writable(); !may) return may;
  if (active_) {
    const auto end = rows_.at(active_->id).data_end;
    if (end + record + footer_bytes(active_->records + 1) <= active_->capacity) return {};
  }
  const auto size_min = record + footer_bytes(1);
  refresh_space();
  const error full{errc::no_space, "disk " + cairn::to_string(identity_.id) + ": " + std::to_string(space_.available) +
                                       " bytes free, " + std::to_string(reserve_bytes_) + " reserved"};
  if (usable_bytes() + sealing_frees() < size_min) return full;
  if (active_) {
    full_.push_back(std::move(*active_));
    active_.reset();
  }
  // Sealing gives the unused space of full segments back.
  while (!full_.empty() && (full_.size() > full_segments_max || usable_bytes() < options_.segment_size_bytes)) {
    if (auto sealed = seal_oldest(); !sealed) return sealed;
    refresh_space();
  }
  if (usable_bytes() < size_min) return full;
  // On a nearly full disk, new segments take at most half of the usable space, so that preallocation does not exhaust
  // it.
  const auto segment_size = options_.segment_size_bytes / page_bytes * page_bytes;
  const auto affordable = usable_bytes() >= segment_size ? segment_size : usable_bytes() / 2 / page_bytes * page_bytes;
  return make_segment(std::max(affordable, size_min), size_min);
}

// Bytes that sealing all full segments and the active one gives back.
std::uint64_t segment_chunk_store::sealing_frees() const {
  std::uint64_t bytes = 0;
  const auto add = [&](const unsealed_segment& s) {
    const auto sealed_size = rows_.at(s.id).data_end + footer_bytes(s.records);
    if (s.capacity > sealed_size) bytes += s.capacity - sealed_size;
  };
  std::ranges::for_each(full_, add);
  if (active_) add(*active_);
  return bytes;
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
  active_ = unsealed_segment{segment, std::move(*opened), size, 0};
  return {};
}

// The footer and the row. The segment's tail rows are removed later, by seal().
result<void> segment_chunk_store::seal_oldest() {
  const auto& segment = full_.front();
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
  if (auto durable = commit(**writer); !durable) return durable;
  changes.apply(rows_, used_bytes_);
  full_.pop_front();
  sealed_tails_ = true;
  return remove_empty_segments();
}

result<bool> segment_chunk_store::seal(std::size_t rows_max) {
  if (auto may = writable(); !may) return may.error();
  result<void> done;
  if (!full_.empty())
    done = seal_oldest();
  else if (sealed_tails_)
    done = drop_sealed_tails(rows_max);
  publish();
  if (!done) return done.error();
  return !full_.empty() || sealed_tails_;
}

// Tail rows of segments that are sealed or gone. After a crash there may be some that this store has not sealed itself.
result<void> segment_chunk_store::drop_sealed_tails(std::size_t rows_max) {
  std::vector<segment_entry> entries;
  {
    auto reader = index_.begin_read();
    if (!reader) return reader.error();
    const auto is_needed = [this](std::uint64_t segment) {
      const auto row = rows_.find(segment);
      return row != rows_.end() && !row->second.sealed;
    };
    auto segment = chunk_index::next_tail(**reader, 0);
    while (segment && *segment && is_needed(**segment)) segment = chunk_index::next_tail(**reader, **segment + 1);
    if (!segment) return segment.error();
    if (*segment) {
      auto rows = chunk_index::tail_of(**reader, **segment, rows_max);
      if (!rows) return rows.error();
      entries = std::move(*rows);
    }
  }
  sealed_tails_ = !entries.empty();
  if (entries.empty()) return {};
  auto writer = index_.begin_write();
  if (!writer) return writer.error();
  chunk_index::erase_tail(**writer, entries);
  return commit(**writer);
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

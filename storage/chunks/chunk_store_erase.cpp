#include "storage/chunks/chunk_store_impl.hpp"

#include <algorithm>

namespace cairn::storage {

result<std::uint64_t> segment_chunk_store::erase(std::span<const chunk_id> ids) {
  if (auto may = writable(); !may) return may.error();
  auto writer = index_.begin_write();
  if (!writer) return writer.error();
  row_changes changes{rows_};
  std::vector<chunk_id> erased;
  for (const auto& id : ids) {
    const auto location = chunk_index::find(**writer, id);
    if (!location) {
      if (location.error() == errc::not_found) continue;
      return location.error();
    }
    chunk_index::erase(**writer, id);
    changes.retire(**writer, pins_.generation(), *location);
    erased.push_back(id);
  }
  if (erased.empty()) return std::uint64_t{0};
  changes.put(**writer);
  if (auto durable = commit(**writer); !durable) return durable.error();

  changes.apply(rows_, used_bytes_);
  for (const auto& id : erased) cache_.erase(id);
  chunks_ -= erased.size();
  to_punch_ += erased.size();
  publish();
  return std::uint64_t{erased.size()};
}

result<std::uint64_t> segment_chunk_store::punch(std::size_t rows_max, std::uint64_t bytes_max) {
  if (auto may = writable(); !may) return may.error();
  const auto free_generation = pins_.advance();
  if (to_punch_ == 0) return std::uint64_t{0};
  std::vector<chunk_index::punch_row> rows;
  {
    auto reader = index_.begin_read();
    if (!reader) return reader.error();
    auto found = chunk_index::punch_rows(**reader, free_generation, rows_max, bytes_max);
    if (!found) return found.error();
    rows = std::move(*found);
  }
  if (rows.empty()) return std::uint64_t{0};
  std::sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) { return a.place < b.place; });

  row_changes changes{rows_};
  for (auto from = rows.begin(); from != rows.end();) {
    const auto segment = from->place.segment;
    const auto to = std::find_if(from, rows.end(), [&](const auto& row) { return row.place.segment != segment; });
    const auto count = static_cast<std::uint64_t>(to - from);
    auto* row = changes.of(segment);
    const bool is_unlinked = row != nullptr && row->sealed && row->live_chunks == 0 && row->to_punch <= count;
    if (!is_unlinked)
      if (auto punched = punch_ranges(segment, {from, to}); !punched) return punched.error();
    if (row != nullptr) row->to_punch -= std::min(row->to_punch, count);
    from = to;
  }

  auto writer = index_.begin_write();
  if (!writer) return writer.error();
  for (const auto& row : rows) chunk_index::erase(**writer, row);
  changes.put(**writer);
  if (auto durable = commit(**writer); !durable) return durable.error();
  changes.apply(rows_, used_bytes_);
  to_punch_ -= std::min<std::uint64_t>(to_punch_, rows.size());
  count_punched(rows);
  auto removed = remove_empty_segments();
  refresh_space();
  publish();
  if (!removed) return removed.error();
  return std::uint64_t{rows.size()};
}

// Also counts rows of an empty segment, which is unlinked instead of punched.
void segment_chunk_store::count_punched(std::span<const chunk_index::punch_row> rows) const {
  if (!options_.bytes_punched) return;
  std::uint64_t bytes = 0;
  for (const auto& row : rows) bytes += row.bytes;
  options_.bytes_punched->fetch_add(bytes, std::memory_order_relaxed);
}

// `rows` belong to one segment and are sorted by place; adjacent ranges are punched together.
result<void> segment_chunk_store::punch_ranges(std::uint64_t segment, std::span<const chunk_index::punch_row> rows) {
  const auto opened = files_.open(readers_.path_of(segment), open_mode::read_write);
  if (!opened) return opened.error() == errc::not_found ? result<void>{} : opened.error(); // no file: nothing to free
  for (std::size_t i = 0; i < rows.size();) {
    const auto begin = rows[i].place.offset;
    auto end = begin;
    for (; i < rows.size() && rows[i].place.offset == end; ++i) end += rows[i].bytes;
    if (auto punched = (*opened)->punch(begin, end - begin); !punched) return punched;
  }
  // The rows may be removed only when the holes are durable. Otherwise a crash would leak the space until the segment
  // is empty.
  return flushed((*opened)->flush(), "flush of punched holes");
}

} // namespace cairn::storage

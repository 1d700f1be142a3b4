#include "storage/chunks/chunk_store_impl.hpp"

#include "base/log.hpp"

#include <algorithm>
#include <array>

namespace cairn::storage {

namespace {

error at_chunk(const error& e, const chunk_id& id, const record_place& place) {
  return {e.code, "chunk " + to_string(id) + " at " + to_string(place) + ": " + e.text};
}

} // namespace

result<void> segment_chunk_store::readable(std::uint32_t offset) const {
  if (state_.load(std::memory_order_relaxed) == disk_state::quarantined)
    return error{errc::quarantined, "disk " + cairn::to_string(identity_.id)};
  if (offset % block_size_bytes != 0) return error{errc::invalid_argument, "read offset is not a multiple of 64 KiB"};
  return {};
}

result<chunk_read_result> segment_chunk_store::read_record(file& from, read_source source, bool verify,
                                                           const chunk_id& id, const chunk_location& at,
                                                           std::uint32_t offset, std::uint32_t length,
                                                           std::byte* into) const {
  alignas(page_bytes) thread_local std::array<std::byte, page_bytes> page;
  alignas(page_bytes) thread_local std::array<std::byte, block_size_bytes> rest;

  chunk_read_result got{0, at.length};
  if (offset < at.length) got.length = std::min(length, at.length - offset);
  const auto end = std::uint64_t{offset} + got.length;
  std::size_t rest_bytes = 0; // of the last block, if only a part of it is requested: the checksum covers the block
  if (verify && got.length > 0) rest_bytes = std::min<std::uint64_t>(round_up(end, block_size_bytes), at.length) - end;
  // Direct reads are of whole pages: the payload's incomplete last page is copied. Records are padded to pages.
  const std::size_t tail_bytes = source == read_source::direct ? got.length % page_bytes : 0;
  const std::size_t beyond = source == read_source::direct ? round_up(tail_bytes + rest_bytes, page_bytes) : rest_bytes;

  const std::array<bytes_span, 3> views{bytes_span{page}, bytes_span{into, got.length - tail_bytes},
                                        bytes_span{rest}.first(beyond)};
  const auto fetch = [&](std::uint64_t position, std::span<const bytes_span> parts) -> result<void> {
    std::size_t wanted = 0;
    for (const auto& part : parts) wanted += part.size();
    const auto n = source == read_source::from_memory ? from.read_cached(position, parts) : from.read(position, parts);
    if (!n) return n.error();
    if (*n != wanted) return error{errc::corrupt, "beyond the end of the segment file"};
    return {};
  };
  const std::span<const bytes_span> all{views};
  if (offset == 0) {
    if (auto whole = fetch(at.place.offset, all); !whole) return whole.error();
  } else {
    if (auto head = fetch(at.place.offset, all.first(1)); !head) return head.error();
    if (auto tail = fetch(at.place.offset + record_header_bytes + offset, all.subspan(1)); !tail) return tail.error();
  }

  std::copy_n(rest.begin(), tail_bytes, into + got.length - tail_bytes);
  const auto header = decode_record_header(page, identity_.header_key, at.place);
  if (!header) return header.error();
  if (header->id() != id || header->length() != at.length) return error{errc::corrupt, "header of another chunk"};
  if (verify && got.length > 0) {
    const auto first_block = static_cast<std::uint32_t>(offset / block_size_bytes);
    const bytes_view wanted{into, got.length}, not_wanted = bytes_span{rest}.subspan(tail_bytes, rest_bytes);
    if (auto good = verify_blocks(*header, first_block, wanted, not_wanted); !good) return good.error();
  }
  return got;
}

result<chunk_read_result> segment_chunk_store::read_from_disk(read_source source, bool verify, const chunk_id& id,
                                                              const chunk_location& at, std::uint32_t offset,
                                                              std::uint32_t length, std::byte* into) {
  const auto mode = source == read_source::direct ? open_mode::read_direct : open_mode::read_only;
  const auto opened = readers_.open(at.place.segment, mode);
  if (!opened) return opened.error();
  return read_record(**opened, source, verify, id, at, offset, length, into);
}

result<chunk_location> segment_chunk_store::look_up(const chunk_id& id) {
  auto reader = index_.begin_read();
  if (!reader) return reader.error();
  return chunk_index::find(**reader, id);
}

result<chunk_read_result> segment_chunk_store::read(const chunk_id& id, std::uint32_t offset, std::uint32_t length,
                                                    std::byte* into, bool direct) {
  if (auto may = readable(offset); !may) return may.error();
  const bool on_a_page = reinterpret_cast<std::uintptr_t>(into) % page_bytes == 0;
  const auto source = direct && on_a_page ? read_source::direct : read_source::from_disk;
  const auto pin = pins_.enter();
  const auto known = cache_.find(id);
  if (known.location) {
    auto outcome = read_from_disk(source, options_.verify_reads, id, *known.location, offset, length, into);
    // The cached location may be stale: look it up in the index.
    if (outcome || (outcome.error() != errc::corrupt && outcome.error() != errc::not_found)) return outcome;
  }
  const auto location = look_up(id);
  if (!location) return location.error();
  cache_.offer(id, *location, known.ticket);
  auto outcome = read_from_disk(source, options_.verify_reads, id, *location, offset, length, into);
  if (outcome) return outcome;
  auto reason = outcome.error();
  if (reason == errc::not_found)
    reason.code = errc::corrupt; // the index has the chunk, but its segment file is missing
  return at_chunk(reason, id, location->place);
}

result<chunk_read_result> segment_chunk_store::read_cached(const chunk_id& id, std::uint32_t offset,
                                                           std::uint32_t length, std::byte* into) {
  if (auto may = readable(offset); !may) return may.error();
  const auto pin = pins_.enter();
  const auto known = cache_.find(id);
  const auto opened = known.location ? readers_.find_open(known.location->place.segment) : nullptr;
  if (!opened) return error{errc::would_block, {}};
  auto outcome =
      read_record(*opened, read_source::from_memory, options_.verify_reads, id, *known.location, offset, length, into);
  if (outcome) return outcome;
  return error{errc::would_block, {}}; // any error: `read` finds the cause, and may block
}

result<std::vector<chunk_id>> segment_chunk_store::list(const std::optional<chunk_id>& after, std::size_t max) {
  if (auto may = readable(0); !may) return may.error();
  std::vector<chunk_id> ids;
  auto reader = index_.begin_read();
  if (!reader) return reader.error();
  const auto cursor = (*reader)->cursor(chunk_index::chunks);
  // The smallest key after `after`: all keys have the same length, so appending a byte gives it.
  const auto from = after ? chunk_index::chunk_key(*after) + '\0' : std::string{};
  for (auto row = cursor->seek(from); row && ids.size() < max; row = cursor->next()) {
    const auto entry = chunk_index::decode_chunk(*row);
    if (!entry) return entry.error();
    ids.push_back(entry->id);
  }
  if (auto read = (*reader)->status(); !read) return read.error();
  return ids;
}

result<std::vector<chunk_id>> segment_chunk_store::missing(std::span<const chunk_id> ids) {
  if (auto may = readable(0); !may) return may.error();
  auto reader = index_.begin_read();
  if (!reader) return reader.error();
  std::vector<chunk_id> absent;
  for (const auto& id : ids) {
    const auto found = chunk_index::find(**reader, id);
    if (!found && found.error() != errc::not_found) return found.error();
    if (!found) absent.push_back(id);
  }
  return absent;
}

chunk_store_stats segment_chunk_store::stats() const {
  const std::lock_guard guard{stats_mutex_};
  auto now = stats_;
  now.state = state_.load();
  return now;
}

void segment_chunk_store::quarantine() {
  if (state_.exchange(disk_state::quarantined) == disk_state::quarantined) return;
  const auto disk = cairn::to_string(identity_.id);
  log::error("disk quarantined", {{"disk", disk}, {"directory", options_.directory}});
  if (auto marked = mark_quarantined(files_, options_.directory, "the index could not be read"); !marked)
    log::error("quarantine marker not written", {{"disk", disk}, {"error", to_string(marked.error())}});
}

} // namespace cairn::storage

#include "storage/chunks/chunk_store_impl.hpp"

#include "base/log.hpp"

#include <algorithm>
#include <array>
#include <unordered_map>
#include <utility>

namespace cairn::storage {

namespace {

struct alignas(page_bytes) page { // aligned for O_DIRECT
  std::array<std::byte, page_bytes> bytes{};
};

std::uint64_t minus(std::uint64_t a, std::uint64_t b) {
  return a > b ? a - b : 0;
}

} // namespace

chunk_index::segment_row* segment_chunk_store::row_changes::of(std::uint64_t segment) {
  const auto changed = changed_.find(segment);
  if (changed != changed_.end()) return &changed->second;
  const auto known = rows_.find(segment);
  return known == rows_.end() ? nullptr : &changed_.emplace(*known).first->second;
}

void segment_chunk_store::row_changes::retire(kv_writer& writer, std::uint64_t generation,
                                              const chunk_location& location) {
  const auto bytes = record_bytes(location.length);
  chunk_index::put(writer, chunk_index::punch_row{generation, location.place, bytes});
  auto* row = of(location.place.segment);
  if (row == nullptr) return; // the index is damaged: a chunk's segment has no row
  row->live_bytes = minus(row->live_bytes, bytes);
  row->live_chunks = minus(row->live_chunks, 1);
  ++row->to_punch;
}

void segment_chunk_store::row_changes::put(kv_writer& writer) const {
  for (const auto& [segment, row] : changed_) chunk_index::put(writer, segment, row);
}

void segment_chunk_store::row_changes::apply(segment_rows& rows, std::uint64_t& live_bytes) const {
  for (const auto& [segment, row] : changed_) {
    auto& known = rows[segment];
    live_bytes = minus(live_bytes + row.live_bytes, known.live_bytes);
    known = row;
  }
}

result<void> segment_chunk_store::writable() const {
  switch (state_.load()) {
    case disk_state::read_only:
      return error{errc::read_only, "disk " + cairn::to_string(identity_.id) + ": an earlier flush failed"};
    case disk_state::quarantined: return error{errc::quarantined, "disk " + cairn::to_string(identity_.id)};
    case disk_state::healthy: break;
  }
  return {};
}

void segment_chunk_store::turn_read_only(const error& reason) {
  auto expected = disk_state::healthy;
  if (!state_.compare_exchange_strong(expected, disk_state::read_only)) return;
  log::error(
      "disk turned read-only",
      {{"disk", cairn::to_string(identity_.id)}, {"directory", options_.directory}, {"error", to_string(reason)}});
}

result<void> segment_chunk_store::flushed(result<void> outcome, const char* what) {
  if (outcome || outcome.error() == errc::busy) return outcome; // busy: it was not tried
  const error reason{errc::io_error, std::string{what} + ": " + outcome.error().text};
  turn_read_only(reason);
  return reason;
}

result<void> segment_chunk_store::commit(kv_writer& writer) {
  auto outcome = writer.commit();
  if (!outcome && outcome.error() != errc::no_space && outcome.error() != errc::quarantined)
    turn_read_only(outcome.error());
  return outcome;
}

std::vector<result<void>> segment_chunk_store::write(std::span<const chunk_write> batch) {
  if (auto may = writable(); !may) return std::vector<result<void>>(batch.size(), may);
  std::vector<result<void>> answers(batch.size(), result<void>{error{errc::io_error, "not written"}});
  std::vector<repeated_write> repeated;
  const auto wanted = prepare(batch, answers, repeated);

  for (std::span<const pending_write> left{wanted}; !left.empty();) {
    const auto next = left.front().position;
    const auto record = record_bytes(static_cast<std::uint32_t>(batch[next].payload.size()));
    if (auto room = make_room(record); !room) {
      note_room(room, record);
      answers[next] = room;
      left = left.subspan(1);
      continue;
    }
    const auto group = left.first(how_many_fit(batch, left));
    const auto outcome = append(batch, group);
    note_room(outcome, record);
    for (const auto& p : group) answers[p.position] = outcome;
    left = left.subspan(group.size());
  }
  for (const auto& r : repeated) {
    const auto a = batch[r.position].payload, b = batch[r.first].payload;
    if (std::equal(a.begin(), a.end(), b.begin(), b.end()))
      answers[r.position] = answers[r.first];
    else
      answers[r.position] = error{errc::content_mismatch, "chunk " + to_string(batch[r.position].id)};
  }
  refresh_space();
  publish();
  return answers;
}

// Fills in the answers of chunks that need no writing, and returns the others.
std::vector<segment_chunk_store::pending_write> segment_chunk_store::prepare(std::span<const chunk_write> batch,
                                                                             std::vector<result<void>>& answers,
                                                                             std::vector<repeated_write>& repeated) {
  std::vector<pending_write> wanted;
  std::unordered_map<chunk_id, std::size_t> seen;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    const auto& [id, payload] = batch[i];
    if (payload.empty() || payload.size() > chunk_bytes_max) {
      answers[i] =
          error{errc::invalid_argument, "chunk " + to_string(id) + ": the payload is empty or larger than 16 MiB"};
      continue;
    }
    if (const auto [first, fresh] = seen.try_emplace(id, i); !fresh) {
      repeated.push_back({i, first->second});
      continue;
    }
    const auto known = look_up(id);
    if (!known) {
      if (known.error() == errc::not_found)
        wanted.push_back({i, std::nullopt});
      else
        answers[i] = known.error();
      continue;
    }
    const auto same = holds(id, *known, payload);
    if (!same && same.error() == errc::corrupt)
      wanted.push_back({i, *known});
    else if (!same)
      answers[i] = same.error();
    else if (*same)
      answers[i] = result<void>{};
    else
      answers[i] = error{errc::content_mismatch, "chunk " + to_string(id)};
  }
  return wanted;
}

// Whether exactly these bytes are stored. Reads and verifies all of them, because success means that the chunk is
// intact. corrupt: the record is damaged or cannot be read.
result<bool> segment_chunk_store::holds(const chunk_id& id, const chunk_location& at, bytes_view payload) {
  std::vector<std::byte> stored(at.length);
  const auto got = read_from_disk(read_source::from_disk, true, id, at, 0, at.length, stored.data());
  if (!got) {
    const bool gone = got.error() == errc::not_found || got.error() == errc::io_error;
    return error{gone ? errc::corrupt : got.error().code, got.error().text};
  }
  return std::equal(stored.begin(), stored.end(), payload.begin(), payload.end());
}

std::size_t segment_chunk_store::how_many_fit(std::span<const chunk_write> batch,
                                              std::span<const pending_write> wanted) const {
  auto end = rows_.at(active_->id).data_end;
  std::size_t count = 0;
  for (const auto& p : wanted) {
    end += record_bytes(static_cast<std::uint32_t>(batch[p.position].payload.size()));
    if (end + footer_bytes(active_->records + count + 1) > active_->capacity) break;
    ++count;
  }
  CAIRN_ASSERT(count > 0); // guaranteed by make_room
  return count;
}

result<void> segment_chunk_store::write_records(std::span<const chunk_write> batch,
                                                std::span<const pending_write> group,
                                                std::vector<segment_entry>& placed) {
  const auto begin = rows_.at(active_->id).data_end;
  auto offset = begin;
  std::vector<page> headers(group.size()), tails(group.size());
  std::vector<bytes_view> views;
  views.reserve(group.size() * 3);
  for (std::size_t i = 0; i < group.size(); ++i) {
    const auto& [id, payload] = batch[group[i].position];
    const auto length = static_cast<std::uint32_t>(payload.size());
    const record_place place{active_->id, offset};
    encode_record_header(headers[i].bytes, identity_.header_key, place, id, payload);
    views.push_back(headers[i].bytes);
    const auto tail = payload.last(length % page_bytes);
    views.push_back(payload.first(length - tail.size()));
    if (!tail.empty()) {
      std::ranges::copy(tail, tails[i].bytes.begin());
      views.push_back(tails[i].bytes);
    }
    placed.push_back({id, {place, length}});
    offset += record_bytes(length);
  }
  return active_->opened->write(begin, views);
}

result<void> segment_chunk_store::append(std::span<const chunk_write> batch, std::span<const pending_write> group) {
  if (auto may = writable(); !may) return may; // the flush of an earlier group of this batch may have failed
  std::vector<segment_entry> placed;
  if (auto written = write_records(batch, group, placed); !written) return written;
  if (auto durable = flushed(active_->opened->flush(), "flush of records"); !durable) return durable;

  auto writer = index_.begin_write();
  if (!writer) return writer.error();
  row_changes changes{rows_};
  std::uint64_t replaced = 0;
  for (std::size_t i = 0; i < group.size(); ++i) {
    const auto& [id, location] = placed[i];
    if (group[i].damaged) {
      changes.retire(**writer, pins_.generation(), *group[i].damaged);
      ++replaced;
    }
    chunk_index::put(**writer, id, location);
    chunk_index::put_tail(**writer, placed[i]);
    auto* row = changes.of(active_->id);
    row->data_end = location.place.offset + record_bytes(location.length);
    row->live_bytes += record_bytes(location.length);
    ++row->live_chunks;
  }
  changes.put(**writer);
  if (auto durable = commit(**writer); !durable) return durable;

  changes.apply(rows_, used_bytes_);
  active_->records += group.size();
  chunks_ += group.size() - replaced;
  to_punch_ += replaced;
  for (const auto& [id, location] : placed) cache_.put(id, location);
  return {};
}

void segment_chunk_store::refresh_space() {
  const auto now = files_.space_of(options_.directory);
  if (now)
    space_ = *now;
  else if (!std::exchange(space_unknown_, true)) // logged once, not for each batch
    log::warn("free space of a disk is unknown",
              {{"directory", options_.directory}, {"error", to_string(now.error())}});
}

std::uint64_t segment_chunk_store::usable_bytes() const {
  return minus(space_.available, reserve_bytes_);
}

// Smaller records may still fit into the active segment.
void segment_chunk_store::note_room(const result<void>& outcome, std::uint64_t record) {
  const bool was_full = refused_record_ != 0;
  if (outcome ? record >= refused_record_ : outcome.error() == errc::no_space) refused_record_ = outcome ? 0 : record;
  if (was_full == (refused_record_ != 0)) return;
  if (was_full)
    log::info("disk has room again", {{"directory", options_.directory}});
  else
    log::warn("disk has no room for writes",
              {{"directory", options_.directory}, {"error", to_string(outcome.error())}});
}

void segment_chunk_store::try_room() {
  if (refused_record_ == 0) return;
  auto room = make_room(refused_record_);
  if (room) {
    auto writer = index_.begin_write();
    if (writer) chunk_index::put_next_segment(**writer, next_segment_); // as it is
    room = writer ? commit(**writer) : result<void>{writer.error()};
  }
  note_room(room, refused_record_);
  refresh_space();
  publish();
}

void segment_chunk_store::publish() {
  const std::lock_guard guard{stats_mutex_};
  stats_.chunks = chunks_;
  stats_.segments = rows_.size();
  stats_.to_punch = to_punch_;
  stats_.used_bytes = used_bytes_;
  stats_.disk = space_;
  stats_.reserve_bytes = reserve_bytes_;
  stats_.sealing = !full_.empty() || sealed_tails_;
  stats_.full = refused_record_ != 0;
}

} // namespace cairn::storage

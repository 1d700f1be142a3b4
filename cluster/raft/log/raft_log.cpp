#include "cluster/raft/log/raft_log.hpp"

#include "base/log.hpp"
#include "cluster/raft/log/log_marker.hpp"

#include <algorithm>

namespace cairn::cluster::raft {

raft_log::raft_log(file_system& files, std::string directory, random_source& random, log_options options)
    : files_(files),
      directory_(std::move(directory)),
      random_(random),
      options_(std::move(options)),
      vote_file_(files, directory_) {}

error raft_log::damaged(const std::string& what) const {
  if (options_.damage) options_.damage->report(what);
  return {errc::corrupt, "consensus log: " + what};
}

// ── opening ──

result<void> raft_log::open() {
  if (open_) return {};
  const std::lock_guard owner{owner_};
  return open_ ? result<void>{} : reopen();
}

result<void> raft_log::reopen(index_t applied) {
  open_ = false;
  if (auto made = files_.make_directories(directory_); !made) return made;
  const auto names = files_.list(directory_);
  if (!names) return names.error();
  if (auto opened = open_vote(*names); !opened) return opened;
  auto found = log_recovery{files_, directory_}.run(*names, applied);
  if (!found) return found.error() == errc::corrupt ? damaged(found.error().text) : found.error();
  const std::lock_guard guard{contents_};
  log_ = std::move(*found);
  failed_ = false;
  open_ = true;
  return {};
}

// A new directory gets its vote first: a log without one has lost it.
result<void> raft_log::open_vote(const std::vector<std::string>& names) {
  const auto marker = options_.converts ? log_marker::absent : read_log_marker(files_, directory_);
  if (!marker) return marker.error();
  if (*marker == log_marker::older_log)
    return error{errc::unsupported, directory_ + " has the log of an older build, which was not converted"};
  if (*marker == log_marker::absent && segment_numbers(names).empty() &&
      !std::ranges::binary_search(names, std::string{"vote"}))
    if (auto made = vote_file_.create({}); !made) return made;
  auto vote = vote_file_.open();
  if (!vote && vote.error() == errc::not_found) return damaged("the vote is missing in " + directory_);
  if (!vote) return vote.error() == errc::corrupt ? damaged(vote.error().text) : vote.error();
  vote_ = *vote;
  if (*marker == log_marker::present || options_.converts) return {};
  return write_log_marker(files_, directory_);
}

// ── reading ──

result<entry> raft_log::read_entry(cairn::file& file, index_t index, const log_entry_place& place) const {
  const auto bytes = read_bytes(file, place.at, place.bytes);
  if (!bytes) return bytes.error();
  std::string_view left{*bytes};
  const auto record = take_record(left);
  if (!record || record->index != index || record->term != place.term || record->kind != place.kind)
    return damaged("entry " + std::to_string(index) + " in " + segment_path(directory_, place.segment));
  return entry{record->term, static_cast<entry_kind>(record->kind), share(std::string{record->data})};
}

result<stored_state> raft_log::load(index_t applied) {
  const std::lock_guard owner{owner_};
  if (auto opened = reopen(applied); !opened) return opened.error();
  return load_entries(applied);
}

result<stored_state> raft_log::load_what_is_there() {
  const std::lock_guard owner{owner_};
  if (auto opened = reopen(); !opened) return opened.error();
  return load_entries(~index_t{0});
}

result<stored_state> raft_log::load_entries(index_t applied) const {
  const auto& contents = log_.contents;
  stored_state out{vote_, contents.snapshot(), contents.first(), {}};
  for (index_t index = out.first; index <= contents.last(); ++index) {
    const auto& place = *contents.find(index);
    entry e{place.term, static_cast<entry_kind>(place.kind), nullptr};
    if (index > applied || e.kind != entry_kind::command) {
      auto read = read_entry(*segment(place.segment).file, index, place);
      if (!read) return read.error();
      e = std::move(*read);
    }
    out.entries.push_back(std::move(e));
    if (!out.snapshot || index > out.snapshot->index) out.bytes += stored_bytes(place.bytes - record_header_bytes);
  }
  return out;
}

result<std::vector<entry>> raft_log::read(index_t first, std::size_t count, std::size_t bytes_max) {
  if (auto opened = open(); !opened) return opened.error();
  std::vector<std::pair<log_entry_place, std::shared_ptr<cairn::file>>> places;
  {
    const std::lock_guard guard{contents_};
    std::size_t bytes = 0;
    for (auto index = first; places.size() < count; ++index) {
      const auto* const place = log_.contents.find(index);
      if (!place) break;
      bytes += place->bytes; // at least what it takes in a message
      if (!places.empty() && bytes > bytes_max) break;
      places.emplace_back(*place, segment(place->segment).file);
    }
  }
  std::vector<entry> out;
  for (const auto& [place, file] : places) {
    auto e = read_entry(*file, first + out.size(), place);
    if (!e) return e.error();
    out.push_back(std::move(*e));
  }
  return out;
}

result<std::vector<log_segment>> raft_log::segments() {
  if (auto opened = open(); !opened) return opened.error();
  const std::lock_guard guard{contents_};
  return std::vector<log_segment>{log_.segments.begin(), log_.segments.end()};
}

result<void> raft_log::check_vote() {
  if (auto opened = open(); !opened) return opened;
  const std::lock_guard owner{owner_}; // a write in progress would look torn
  auto good = vote_file_.check();
  return good || good.error() != errc::corrupt ? good : damaged(good.error().text);
}

// ── writing ──

result<void> raft_log::begin(const stored_state& first) {
  if (auto opened = open(); !opened) return opened;
  const std::lock_guard owner{owner_};
  const auto& contents = log_.contents;
  const bool voted = vote_.term != 0 && (vote_.term != first.vote.term || vote_.vote != first.vote.vote);
  if (contents.snapshot() || contents.last() >= contents.first() || voted)
    return error{errc::invalid_argument, "a consensus log already exists"};
  failed_ = true;
  if (auto written = vote_file_.write(first.vote); !written) return written;
  vote_ = first.vote;
  for (const auto& s : log_.segments) // of an interrupted attempt: without a batch
    if (auto removed = files_.remove(segment_path(directory_, s.header.number)); !removed) return removed;
  {
    const std::lock_guard guard{contents_};
    log_ = {{}, log_contents{segment_header{.next = first.first, .first = first.first}}, 1};
  }
  batch_writer batch;
  if (auto added = add(batch, first.first, first.entries); !added) return added;
  if (first.snapshot) batch.add(compaction{*first.snapshot, first.first});
  if (auto appended = append(batch); !appended) return appended;
  failed_ = false;
  return {};
}

result<void> raft_log::write(std::span<const log_write> batch) {
  if (auto opened = open(); !opened) return opened;
  const std::lock_guard owner{owner_};
  if (failed_) return error{errc::read_only, "an earlier write of the consensus log failed"};
  failed_ = true;
  if (auto written = write_all(batch); !written) return written;
  failed_ = false;
  return {};
}

result<void> raft_log::write_all(std::span<const log_write> batch) {
  std::optional<vote_record> vote;
  for (const auto& w : batch)
    if (w.vote) vote = w.vote;
  if (vote) {
    if (auto written = vote_file_.write(*vote); !written) return written;
    vote_ = *vote;
  }
  batch_writer records;
  for (const auto& w : batch) {
    if (w.snapshot) records.add(*w.snapshot);
    if (auto added = add(records, w.first, w.entries); !added) return added;
    if (w.compaction) records.add(*w.compaction);
  }
  if (auto appended = append(records); !appended) return appended;
  remove_unneeded();
  return {};
}

// A part of the entries may be written before the rest: a log that ends with it is a prefix, too.
result<void> raft_log::add(batch_writer& batch, index_t first, std::span<const entry> entries) {
  for (const auto& e : entries) {
    if (!batch.empty() && batch.size() + record_header_bytes + e.view().size() > options_.batch_bytes)
      if (auto appended = append(batch); !appended) return appended;
    batch.add(e, first++);
  }
  return {};
}

result<void> raft_log::append(batch_writer& batch) {
  if (batch.empty()) return {};
  const auto size = whole_pages(batch.size());
  if (log_.segments.empty() || log_.segments.back().size < log_.segments.back().end + size)
    if (auto added = add_segment(size); !added) return added;
  auto& s = log_.segments.back();
  const auto stored = batch.finish(s.header.salt, log_.next_batch, s.end);
  if (auto written = write_bytes(*s.file, s.end, stored.bytes); !written) return written;
  if (auto flushed = s.file->flush(); !flushed) return flushed;
  const std::lock_guard guard{contents_};
  for (const auto& item : stored.records) {
    const log_entry_place place{s.header.number, static_cast<std::uint32_t>(item.at), item.bytes};
    const char* const wrong = log_.contents.apply(item.record, place);
    CAIRN_ASSERT(wrong == nullptr);
  }
  s.end = stored.next;
  ++log_.next_batch;
  return {};
}

result<void> raft_log::add_segment(std::uint64_t batch_bytes) {
  segment_header h;
  h.salt = random_.next();
  h.number = log_.segments.empty() ? 1 : log_.segments.back().header.number + 1;
  h.first_batch = log_.next_batch;
  h.next = log_.contents.last() + 1;
  h.first = log_.contents.first();
  h.snapshot = log_.contents.snapshot();
  // A disk that is nearly full gets smaller ones.
  const auto least = log_page_bytes + batch_bytes;
  for (auto size = std::max(options_.segment_bytes, least);; size = std::max(whole_pages(size / 2), least)) {
    auto made = create_segment(files_, directory_, h, size);
    if (!made && made.error() == errc::no_space && size > least) continue;
    if (!made) return made.error();
    const std::lock_guard guard{contents_};
    log_.segments.push_back(std::move(*made));
    return {};
  }
}

// Without a flush of the directory: a segment that is back after a crash changes nothing.
void raft_log::remove_unneeded() {
  while (log_.segments.size() > 1) {
    const auto number = log_.first_number();
    if (number >= log_.contents.first_segment().value_or(log_.segments.back().header.number)) return;
    if (auto removed = files_.remove(segment_path(directory_, number));
        !removed && removed.error() != errc::not_found) {
      log::warn("a segment of the consensus log could not be removed", {{"error", to_string(removed.error())}});
      return; // again with the next write
    }
    const std::lock_guard guard{contents_};
    log_.segments.pop_front();
  }
}

} // namespace cairn::cluster::raft

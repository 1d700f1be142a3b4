#include "cluster/raft/log/log_recovery.hpp"

#include "base/log.hpp"

namespace cairn::cluster::raft {

error log_recovery::damaged(std::uint64_t segment, const std::string& what) const {
  return {errc::corrupt, segment_path(directory_, segment) + ": " + what};
}

result<recovered_log> log_recovery::run(const std::vector<std::string>& names, index_t applied) {
  const auto numbers = segment_numbers(names);
  for (const auto number : numbers) {
    auto s = open_segment(files_, directory_, number, open_mode::read_write);
    if (!s && s.error() == errc::corrupt && number == numbers.back()) {
      const auto unfinished = is_unfinished(number);
      if (!unfinished) return unfinished.error();
      if (*unfinished) {
        if (auto removed = files_.remove(segment_path(directory_, number)); !removed) return removed.error();
        break;
      }
    }
    if (!s) return s.error();
    if (auto read = read_segment(std::move(*s)); !read) return read.error();
  }
  if (const char* wrong = out_.contents.what_is_missing()) return damaged(out_.first_number(), wrong);
  if (!out_.segments.empty())
    if (auto cut = cut_tail(out_.segments.back(), applied); !cut) return cut.error();
  if (auto written = write_last_again(); !written) return written.error();
  if (auto flushed = files_.flush_directory(directory_); !flushed) return flushed.error();
  return std::move(out_);
}

// A crash while it was made: then nothing was written to it.
result<bool> log_recovery::is_unfinished(std::uint64_t number) const {
  const auto file = files_.open(segment_path(directory_, number), open_mode::read_only);
  if (!file) return file.error();
  const auto tail = read_tail(**file, std::nullopt, log_page_bytes);
  if (!tail) return tail.error();
  return !tail->has_batch;
}

result<void> log_recovery::read_segment(log_segment s) {
  const auto& header = s.header;
  // Segments before a gap were removed in part.
  if (!out_.segments.empty() && header.number != out_.segments.back().header.number + 1) out_.segments.clear();
  if (out_.segments.empty()) {
    out_.contents = log_contents{header};
    out_.next_batch = header.first_batch;
  } else if (header.first_batch != out_.next_batch) {
    return damaged(out_.segments.back().header.number, "a batch is damaged, and later ones are not");
  }
  while (true) {
    const auto batch = read_batch(s, s.end, out_.next_batch);
    if (!batch) return batch.error();
    if (!*batch) break;
    for (const auto& item : (*batch)->records) {
      const log_entry_place place{header.number, static_cast<std::uint32_t>(item.at), item.bytes};
      if (const char* wrong = out_.contents.apply(item.record, place)) return damaged(header.number, wrong);
    }
    last_ = {s.file, s.end, (*batch)->next};
    s.end = (*batch)->next;
    ++out_.next_batch;
  }
  out_.segments.push_back(std::move(s));
  return {};
}

// What is behind the last batch must read as zeros, so that the remains of an interrupted write are never taken for
// what follows a later one.
result<void> log_recovery::cut_tail(log_segment& last, index_t applied) {
  const auto begin = read_bytes(*last.file, last.end, log_page_bytes);
  if (!begin) return begin.error();
  const auto rest = read_tail(*last.file, last.header.salt, last.end + log_page_bytes);
  if (!rest) return rest.error();
  if (rest->has_batch) return damaged(last.header.number, "a batch is damaged, and later ones are not");
  if (is_zero(*begin) && rest->is_zero) return {};
  if (out_.contents.last() < applied) return damaged(last.header.number, "a batch that the state contains is damaged");
  log::info("an interrupted write at the end of the consensus log was cut off",
            {{"segment", segment_path(directory_, last.header.number)}, {"at", last.end}});
  if (auto cut = last.file->truncate(last.end); !cut) return cut;
  if (auto flushed = last.file->flush(); !flushed) return flushed;
  auto allocated = last.file->preallocate(last.size);
  if (!allocated && allocated.error() == errc::unsupported) allocated = last.file->truncate(last.size);
  if (!allocated && allocated.error() == errc::no_space) {
    last.size = last.end; // the next batch goes to another segment
    return {};
  }
  return allocated ? last.file->flush() : allocated;
}

// The last batch, or the header of a segment without one, may have reached the file but not the disk: the process ended
// before the flush, or the flush failed. Likewise the names of files.
result<void> log_recovery::write_last_again() const {
  const auto again = [](cairn::file& file, std::uint64_t at, std::uint64_t end) -> result<void> {
    const auto bytes = read_bytes(file, at, end - at);
    if (!bytes) return bytes.error();
    if (auto written = write_bytes(file, at, *bytes); !written) return written;
    return file.flush();
  };
  if (last_.file)
    if (auto done = again(*last_.file, last_.at, last_.end); !done) return done;
  if (out_.segments.empty() || out_.segments.back().end != log_page_bytes) return {};
  return again(*out_.segments.back().file, 0, log_page_bytes);
}

} // namespace cairn::cluster::raft

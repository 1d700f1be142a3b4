// The contents of the log by its records: its entries, their places, and its snapshot record. The same steps rebuild it
// at a start and keep it up to date while the log is written. No disk; one owner at a time.
//
// An entry at or before the last one replaces the entries from there on. Of two records of an index the later one
// counts: only their order tells which suffix was replaced; a batch counts as a whole or not at all.
#pragma once

#include "cluster/raft/log/log_format.hpp"

#include <deque>

namespace cairn::cluster::raft {

struct log_entry_place {
  std::uint64_t segment = 0;
  std::uint32_t at = 0, bytes = 0; // of its record
  term_t term = 0;
  record_kind kind{};
};

class log_contents {
public:
  // As a segment's header says: the log before its first record.
  explicit log_contents(const segment_header& begins = {})
      : begin_(begins.next), first_(begins.first), snapshot_(begins.snapshot) {}

  // Null, or what is wrong with the record.
  const char* apply(const log_record& r, log_entry_place place);
  const char* what_is_missing() const; // null: it has every entry from first() on

  index_t first() const { return first_; } // of the log; last() + 1 when it is empty
  index_t last() const { return std::max(begin_ + places_.size(), first_) - 1; }
  const std::optional<snapshot_record>& snapshot() const { return snapshot_; }
  const log_entry_place* find(index_t index) const {
    return index < std::max(begin_, first_) || index > last() ? nullptr : &places_[index - begin_];
  }
  // Segments before this one hold nothing that is needed. nullopt: none does.
  std::optional<std::uint64_t> first_segment() const {
    return places_.empty() ? std::nullopt : std::optional{places_.front().segment};
  }

private:
  void drop_before(index_t index);
  std::deque<log_entry_place> places_; // from begin_ on
  index_t begin_, first_;
  std::optional<snapshot_record> snapshot_;
};

} // namespace cairn::cluster::raft

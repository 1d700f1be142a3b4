#include "cluster/raft/log/log_contents.hpp"

namespace cairn::cluster::raft {

const char* log_contents::apply(const log_record& r, log_entry_place place) {
  if (r.kind == record_kind::snapshot) {
    auto s = snapshot_of(r);
    if (!s) return "a snapshot record does not decode";
    places_.clear();
    begin_ = first_ = s->index + 1;
    snapshot_ = std::move(*s);
    return nullptr;
  }
  if (r.kind == record_kind::compaction) {
    auto c = compaction_of(r);
    if (!c) return "a compaction record does not decode";
    if (c->keep > last() + 1) return "a compaction removes more than there is";
    snapshot_ = std::move(c->record);
    first_ = std::max(first_, c->keep);
    drop_before(first_);
    return nullptr;
  }
  if (r.index < first_) return "an entry is before the beginning of the log";
  if (r.index > begin_ + places_.size()) return "entries are missing";
  if (r.index < begin_) {
    places_.clear();
    begin_ = r.index;
  }
  places_.resize(r.index - begin_);
  place.term = r.term;
  place.kind = r.kind;
  places_.push_back(place);
  return nullptr;
}

const char* log_contents::what_is_missing() const {
  return begin_ > first_ ? "the oldest entries are missing" : nullptr;
}

void log_contents::drop_before(index_t index) {
  while (begin_ < index && !places_.empty()) {
    places_.pop_front();
    ++begin_;
  }
  if (places_.empty()) begin_ = std::max(begin_, index);
}

} // namespace cairn::cluster::raft

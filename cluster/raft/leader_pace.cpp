#include "cluster/raft/leader_pace.hpp"

#include <algorithm>

namespace cairn::cluster::raft {

namespace {

constexpr std::size_t marks_max = 4096;

} // namespace

void leader_pace::reset() {
  term_ = 0;
  marks_.clear();
  others_.clear();
  slow_since_.reset();
  slow_at_.reset();
}

time_ms leader_pace::waits(index_t stored, time_ms now) const {
  const auto oldest = std::ranges::upper_bound(marks_, stored, {}, &mark::index);
  return oldest == marks_.end() ? 0 : now - oldest->at;
}

void leader_pace::observe(time_ms now, term_t term, index_t last, index_t stored, std::span<const voter> voters) {
  if (term != term_) {
    reset();
    term_ = term;
    last_ = last; // entries from before the election say nothing about this disk
  }
  // Entries appended at the same time share a mark. When marks_max is reached, the newest entries share the last mark.
  if (last > last_) {
    if (!marks_.empty() && (marks_.back().at == now || marks_.size() >= marks_max))
      marks_.back().index = last;
    else
      marks_.push_back({last, now});
    last_ = last;
  }
  std::map<server_id, other> known;
  index_t all = stored;
  for (const auto& v : voters) {
    auto& o = known[v.id];
    if (const auto before = others_.find(v.id); before != others_.end()) o = before->second;
    o.stored = v.stored;
    if (2 * waits(v.stored, now) >= options_.slow_ms) o.slow_at = now;
    all = std::min(all, v.stored);
  }
  others_ = std::move(known);
  if (waits(stored, now) >= options_.slow_ms) {
    slow_at_ = now;
    if (!slow_since_) slow_since_ = now;
  } else if (slow_at_ && now - *slow_at_ > options_.forget_ms) {
    slow_since_.reset();
    slow_at_.reset();
  }
  while (!marks_.empty() && marks_.front().index <= all) marks_.pop_front();
}

std::optional<server_id> leader_pace::successor(time_ms now) const {
  if (!slow_since_ || *slow_at_ - *slow_since_ < options_.patience_ms || now < quiet_until_) return std::nullopt;
  if (now - *slow_at_ > 2 * options_.slow_ms) return std::nullopt; // it may be fast again
  std::optional<server_id> best;
  index_t has = 0;
  std::size_t quick = 0;
  for (const auto& [id, o] : others_) {
    if (o.slow_at && *o.slow_at >= *slow_since_) continue;
    ++quick;
    if (best && o.stored <= has) continue;
    best = id;
    has = o.stored;
  }
  const std::size_t voters = others_.size() + 1;
  if (quick <= voters / 2) return std::nullopt;
  return best;
}

} // namespace cairn::cluster::raft

#include "cluster/raft/leader_pace.hpp"

#include <algorithm>

namespace cairn::cluster::raft {

namespace {

constexpr std::size_t marks_max = 4096;

} // namespace

void waiting_entries::begin(index_t reached) {
  marks_.clear();
  reached_ = reached;
}

// Entries of the same time share a mark. When marks_max is reached, the oldest mark is dropped: only a server that is
// behind all others needs it, and the next mark shows that it is slow as well.
void waiting_entries::add(index_t reached, time_ms now) {
  if (reached <= reached_) return;
  if (!marks_.empty() && marks_.back().at == now)
    marks_.back().index = reached;
  else
    marks_.push_back({reached, now});
  if (marks_.size() > marks_max) marks_.pop_front();
  reached_ = reached;
}

time_ms waiting_entries::waits(index_t done, time_ms now) const {
  const auto oldest = std::ranges::upper_bound(marks_, done, {}, &mark::index);
  return oldest == marks_.end() || oldest->at > now ? 0 : now - oldest->at;
}

void waiting_entries::forget(index_t done) {
  while (!marks_.empty() && marks_.front().index <= done) marks_.pop_front();
}

void leader_pace::reset() {
  term_ = 0;
  others_.clear();
  slow_since_.reset();
  slow_at_.reset();
}

bool leader_pace::is_slow(const voter& v, time_ms now) const {
  if (2 * to_store_.waits(v.stored, now) >= options_.slow_ms) return true;
  return v.reported && 2 * to_apply_.waits(v.reported->applied, v.reported->at) >= options_.slow_ms;
}

void leader_pace::observe(time_ms now, term_t term, const progress& own, std::span<const voter> voters) {
  if (term != term_) {
    reset();
    term_ = term;
    to_store_.begin(own.last); // entries from before the election say nothing about this disk
    to_apply_.begin(own.commit);
  }
  to_store_.add(own.last, now);
  to_apply_.add(own.commit, now);
  std::map<server_id, other> known;
  index_t stored_by_all = own.stored, applied_by_all = own.applied;
  for (const auto& v : voters) {
    auto& o = known[v.id];
    if (const auto before = others_.find(v.id); before != others_.end()) o = before->second;
    o.stored = v.stored;
    if (is_slow(v, now)) o.slow_at = now;
    stored_by_all = std::min(stored_by_all, v.stored);
    if (v.reported) applied_by_all = std::min(applied_by_all, v.reported->applied);
  }
  others_ = std::move(known);
  if (std::max(to_store_.waits(own.stored, now), to_apply_.waits(own.applied, now)) >= options_.slow_ms) {
    slow_at_ = now;
    if (!slow_since_) slow_since_ = now;
  } else if (slow_at_ && now - *slow_at_ > options_.forget_ms) {
    slow_since_.reset();
    slow_at_.reset();
  }
  to_store_.forget(stored_by_all);
  to_apply_.forget(applied_by_all);
}

std::optional<server_id> leader_pace::successor(time_ms now) const {
  if (!slow_since_ || *slow_at_ - *slow_since_ < options_.patience_ms || now < quiet_until_) return std::nullopt;
  if (now - *slow_at_ > 2 * options_.slow_ms) return std::nullopt; // it may be fast again
  std::optional<server_id> best;
  index_t has = 0;
  std::size_t quick = 0;
  for (const auto& [id, o] : others_) {
    if (o.slow_at && *o.slow_at >= *slow_since_ && now - *o.slow_at <= options_.forget_ms) continue;
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

#include "cluster/raft/raft_core_impl.hpp"

namespace cairn::cluster::raft {

void core::begin(stored_state&& stored, index_t applied) {
  const auto& snapshot = stored.snapshot;
  vote_ = stored.vote;
  applied_ = applied;
  history_.reset(snapshot ? snapshot->servers_index : 0, snapshot ? snapshot->servers : raft::configuration{});
  for (std::size_t i = 0; i < stored.entries.size(); ++i) {
    const auto& e = stored.entries[i];
    const index_t index = stored.first + i;
    if (e.kind == entry_kind::change && (!snapshot || index > snapshot->servers_index))
      history_.add(index, decode_configuration(e.view()).value());
  }
  configuration_ = history_.at(number_max).servers;
  // A sole voter elects itself at once. The library would let it lead a second time in the same term.
  if (is_sole_voter()) vote_ = {vote_.term + 1, r_.id};
  const bool bumped = vote_.term != stored.vote.term;

  raft_snapshot_metadata metadata{};
  raft_event e{};
  e.type = RAFT_START;
  e.start.term = vote_.term;
  e.start.voted_for = vote_.vote;
  if (snapshot) {
    metadata = {snapshot->index, snapshot->term, to_library(snapshot->servers), snapshot->servers_index};
    e.start.metadata = &metadata;
  }
  auto entries = to_library(stored.entries);
  e.start.start_index = stored.first;
  e.start.entries = entries.empty() ? nullptr : entries.data();
  e.start.n_entries = static_cast<unsigned>(entries.size());
  const index_t from = std::max(applied, snapshot ? snapshot->index : 0) + 1;
  cache_.reset(std::max(from, stored.first));
  for (index_t i = cache_.first(); i < stored.first + stored.entries.size(); ++i)
    cache_.push(std::move(stored.entries[i - stored.first]));
  if (bumped) {
    to_store_.push_back({++writes_, vote_, std::nullopt, 0, {}});
    waiting_.emplace_back();
    held_until_ = writes_;
  }
  step(e);
  if (!entries.empty()) raft_free(entries.front().batch);
  // The library starts with the snapshot's index, or 1, as its commit index. Applied entries are committed.
  r_.commit_index = std::max<raft_index>(r_.commit_index, applied);
  take_commit();
}

void core::receive(server_id from, message m, time_ms now) {
  at(now);
  if (failure_) return;
  if (from == 0 || from == r_.id || what_is_wrong(m, r_.current_term) != nullptr) return;
  std::visit([&](auto& body) { on(from, std::move(body)); }, m);
}

void core::on(server_id from, append_request&& m) {
  // The library's answer to a message of an older term has an uninitialized index. The receiver may lead the newer term
  // by then and would accept that index.
  if (m.term < r_.current_term) return send(from, append_answer{r_.current_term, rejected_as_stale, 0});
  // Two leaders of one term are impossible; the library would abort the process.
  if (m.term == r_.current_term && r_.state == RAFT_LEADER) return;
  // Back-pressure: no new entries while the state machine is behind. Only when committed entries wait to be applied;
  // otherwise the next commit may need the new entries.
  const bool full = applied_ < commit_ && waiting_bytes() > options_.waiting_bytes_max;
  if (r_.snapshot.installing || full) {
    std::size_t known = 0;
    while (full && known < m.entries.size() && term_at(m.previous + known + 1) == m.entries[known].term) ++known;
    m.entries.resize(known);
  }
  // The library records a configuration at the first index of its batch, so a change is delivered in a batch of its
  // own.
  while (true) {
    const auto is_change = [](const entry& e) { return e.kind == entry_kind::change; };
    auto end = std::ranges::find_if(m.entries, is_change);
    if (end == m.entries.begin() && end != m.entries.end()) ++end;
    append_request part{m.term, m.previous, m.previous_term, m.commit, {m.entries.begin(), end}};
    m.previous += part.entries.size();
    if (!part.entries.empty()) m.previous_term = part.entries.back().term;
    m.entries.erase(m.entries.begin(), end);
    deliver_append(from, std::move(part));
    if (failure_ || m.entries.empty()) return;
  }
}

void core::deliver_append(server_id from, append_request&& m) {
  // Changes are made one at a time. So when another change follows in the leader's log, an earlier one that is
  // uncommitted here is committed. The library would forget the earlier one, and on a truncation return to a still
  // older configuration.
  const index_t open = r_.configuration_uncommitted_index;
  if (open != 0 && !m.entries.empty() && m.entries.front().kind == entry_kind::change && open <= m.previous &&
      term_at(m.previous) == m.previous_term) {
    if (const auto* c = history_.change_at(open)) commit_configuration(open, raft::configuration{*c});
  }
  // The entry before the first one may be compacted here. Everything up to our snapshot is committed, so the leader has
  // the same entries: skip them.
  const index_t snapshot = r_.trail.snapshot.index;
  if (snapshot != 0 && m.previous < snapshot && m.previous <= r_.trail.offset) {
    const auto known = std::min<std::size_t>(m.entries.size(), snapshot - m.previous);
    m.entries.erase(m.entries.begin(), m.entries.begin() + static_cast<std::ptrdiff_t>(known));
    m.previous = snapshot;
    m.previous_term = r_.trail.snapshot.term;
  }
  // The library sets its commit index to the smaller of the leader's and the last entry of the message: it could
  // decrease.
  if (m.commit > r_.commit_index && m.previous + m.entries.size() < r_.commit_index) m.commit = r_.commit_index;

  auto entries = to_library(m.entries);
  raft_message l{};
  l.type = RAFT_APPEND_ENTRIES;
  l.append_entries.term = m.term;
  l.append_entries.prev_log_index = m.previous;
  l.append_entries.prev_log_term = m.previous_term;
  l.append_entries.leader_commit = m.commit;
  l.append_entries.entries = entries.empty() ? nullptr : entries.data();
  l.append_entries.n_entries = static_cast<unsigned>(entries.size());
  offered_ = &m.entries;
  offered_first_ = m.previous + 1;
  deliver(from, l);
  offered_ = nullptr;
  leader_ = from;
  leader_term_ = r_.current_term;
}

void core::on(server_id from, const append_answer& m) {
  append_answer a = m;
  if (a.term <= r_.current_term && a.rejected == rejected_as_stale) return;
  // A late rejection, in the leader's term, of an index that has matched since makes the library abort the process, or
  // without assertions never send to the follower again.
  raft_index match = 0;
  if (r_.state == RAFT_LEADER && a.term == r_.current_term && a.rejected != 0 &&
      raft_match_index(&r_, from, &match) == 0) {
    if (a.rejected <= match) return;
    a.last = std::max<index_t>(a.last, match);
  }
  raft_message l{};
  l.type = RAFT_APPEND_ENTRIES_RESULT;
  l.append_entries_result.term = a.term;
  l.append_entries_result.rejected = a.rejected;
  l.append_entries_result.last_log_index = a.last;
  deliver(from, l);
}

void core::on(server_id from, const vote_request& m) {
  // A server that is no voter in its newest configuration must vote nevertheless: the change that promoted it may be
  // only in the candidate's log, and the candidate may need this vote to replicate that change.
  raft_server* self = nullptr;
  for (unsigned i = 0; i < r_.configuration.n; ++i)
    if (r_.configuration.servers[i].id == r_.id) self = &r_.configuration.servers[i];
  const int own_role = self != nullptr ? self->role : RAFT_VOTER;
  if (self != nullptr) self->role = RAFT_VOTER;
  raft_message l{};
  l.type = RAFT_REQUEST_VOTE;
  l.request_vote.version = 2;
  l.request_vote.term = m.term;
  l.request_vote.candidate_id = from;
  l.request_vote.last_log_index = m.last_index;
  l.request_vote.last_log_term = m.last_term;
  l.request_vote.disrupt_leader = m.disrupt_leader;
  l.request_vote.pre_vote = m.pre_vote;
  deliver(from, l);
  if (self != nullptr) self->role = own_role;
}

void core::on(server_id from, const vote_answer& m) {
  if (r_.state != RAFT_CANDIDATE) return; // the library would read the candidate's member of a union
  const term_t asked = r_.current_term + (r_.candidate_state.in_pre_vote ? 1 : 0);
  if (m.granted && m.term > asked) return; // no vote was requested for this term; the library would abort the process
  raft_message l{};
  l.type = RAFT_REQUEST_VOTE_RESULT;
  l.request_vote_result.version = 2;
  l.request_vote_result.term = m.term;
  l.request_vote_result.vote_granted = m.granted;
  l.request_vote_result.pre_vote = m.pre_vote;
  deliver(from, l);
}

// The offer is not given to the library, which would accept no entries until the state has been fetched. `install`
// gives it the snapshot once that is staged.
void core::on(server_id from, const snapshot_offer& m) {
  if (m.term < r_.current_term) return send(from, append_answer{r_.current_term, rejected_as_stale, 0});
  if (r_.state == RAFT_LEADER || m.index <= commit_) return;
  offer_ = envelope{from, r_.id, m};
}

void core::on(server_id from, const timeout_now& m) {
  if (is_sole_voter()) return; // it elects itself, see tick
  raft_message l{};
  l.type = RAFT_TIMEOUT_NOW;
  l.timeout_now.term = m.term;
  l.timeout_now.last_log_index = m.last_index;
  l.timeout_now.last_log_term = m.last_term;
  deliver(from, l);
}

void core::tick(time_ms now) {
  at(now);
  if (failure_ || now_ < deadline()) return;
  if (r_.state == RAFT_FOLLOWER && now_ >= raft_timeout(&r_)) {
    forget_leader();
    begin_new_term_if_sole_voter();
  }
  raft_event e{};
  e.type = RAFT_TIMEOUT;
  step(e);
  earliest_tick_ = now_ + 1;
}

// In the library, a follower that cannot become a candidate (a standby, or one with unstored writes) keeps its leader
// for ever, and because of it refuses its vote to every other server.
void core::forget_leader() {
  raft_free(r_.follower_state.current_leader.address);
  r_.follower_state.current_leader.address = nullptr;
  r_.follower_state.current_leader.id = 0;
  leader_ = 0;
}

// The library lets a sole voter lead without a new term. If a change has just made it the sole voter, it would be a
// second leader of that term.
void core::begin_new_term_if_sole_voter() {
  if (!is_sole_voter() || r_.snapshot.installing || r_.last_stored < last_index()) return;
  ++r_.current_term;
  r_.voted_for = r_.id;
}

void core::stored(std::uint64_t write, time_ms now) {
  at(now);
  while (stored_writes_ < write && !failure_) {
    CAIRN_ASSERT(!waiting_.empty());
    const waiting_write w = waiting_.front();
    waiting_.pop_front();
    ++stored_writes_;
    raft_event e{};
    if (w.snapshot) {
      e.type = RAFT_PERSISTED_SNAPSHOT;
      e.persisted_snapshot.metadata = *w.snapshot;
      e.persisted_snapshot.last = true;
      applied_ = std::max<index_t>(applied_, w.snapshot->index);
      step(e);
      continue;
    }
    if (w.first == 0 || r_.snapshot.installing) continue;
    // A later write replaces the log from its first entry on, so only the entries before that are reported as stored.
    index_t good = w.last;
    for (const auto& later : waiting_)
      if (later.first != 0) good = std::min(good, later.first - 1);
    if (good <= r_.last_stored) continue;
    e.type = RAFT_PERSISTED_ENTRIES;
    e.persisted_entries.index = good;
    step(e);
  }
  cache_.evict(std::min(applied_, last_stored()), options_.cache_bytes);
}

step_outcome core::submit_entry(entry e) {
  const index_t before = last_index();
  const std::size_t messages_before = held_.size();
  const std::vector<entry> one{std::move(e)};
  auto entries = to_library(one);
  offered_ = &one;
  offered_first_ = last_index() + 1;
  raft_event event{};
  event.type = RAFT_SUBMIT;
  event.submit.entries = entries.data();
  event.submit.n = 1;
  const auto outcome = step(event);
  offered_ = nullptr;
  if (outcome.code != 0) raft_free(entries.front().batch);
  if (outcome.code == 0 && one.front().kind != entry_kind::change) send_at_once(before, messages_before, one.front());
  return outcome;
}

// The library stops sending entries as they come when a follower has not answered between two of its ticks, which may
// be a millisecond apart, and then sends a new entry only with the next heartbeat. A follower that has the whole log
// gets it at once; its answer makes the library send as before.
void core::send_at_once(index_t before, std::size_t messages_before, const entry& e) {
  for (const auto& s : configuration_.servers) {
    if (s.id == r_.id || match(s.id) != before || (before != 0 && term_at(before) == 0)) continue;
    const auto sent = held_.begin() + static_cast<std::ptrdiff_t>(messages_before);
    if (std::any_of(sent, held_.end(), [&](const held& h) { return h.what.to == s.id; })) continue;
    send(s.id, append_request{r_.current_term, before, term_at(before), commit_, {e}});
  }
}

accepted core::submit(std::shared_ptr<const std::string> command, time_ms now) {
  at(now);
  CAIRN_ASSERT(command && command->size() <= entry_bytes_max);
  if (failure_ || r_.state != RAFT_LEADER) return accepted::not_leader;
  if (transferring() || waiting_bytes() > options_.waiting_bytes_max) return accepted::busy;
  return submit_entry({r_.current_term, entry_kind::command, std::move(command)}).code == 0 ? accepted::yes
                                                                                            : accepted::busy;
}

accepted core::change(server_id id, change_kind kind, time_ms now) {
  at(now);
  if (failure_ || r_.state != RAFT_LEADER) return accepted::not_leader;
  // Before an entry of its term is committed, a leader does not know whether the previous change is committed (Ongaro's
  // correction of single-server changes, 2015).
  if (!leads() || transferring() || r_.configuration_uncommitted_index != 0) return accepted::busy;
  if (id == r_.id) return accepted::invalid; // leadership is transferred first
  const auto next = changed(configuration_, id, kind);
  if (!next) return accepted::invalid;
  if (kind == change_kind::promote) {
    // The server must have at least the change that added it, because it will be asked for its vote.
    const index_t has = match(id).value_or(0);
    if (has < r_.configuration_committed_index || has + promotion_lag_max < last_index()) return accepted::behind;
  }
  const auto outcome = submit_entry({r_.current_term, entry_kind::change, share(encode(*next))});
  return outcome.code == 0 ? accepted::yes : accepted::busy;
}

accepted core::transfer(server_id to, time_ms now) {
  at(now);
  if (failure_ || r_.state != RAFT_LEADER) return accepted::not_leader;
  if (transferring() || !leads()) return accepted::busy;
  if (to == r_.id || !configuration_.is_voter(to)) return accepted::invalid;
  raft_event e{};
  e.type = RAFT_TRANSFER;
  e.transfer.server_id = to;
  return step(e).code == 0 ? accepted::yes : accepted::invalid;
}

bool core::compact(index_t index, index_t keep, time_ms now) {
  at(now);
  if (failure_ || r_.snapshot.installing || index <= snapshot_index() || index > applied_ || index > last_stored())
    return false;
  const snapshot_record record = snapshot_at(index);
  raft_event e{};
  e.type = RAFT_SNAPSHOT;
  e.snapshot.metadata = {record.index, record.term, to_library(record.servers), record.servers_index};
  e.snapshot.trailing = static_cast<unsigned>(index - std::clamp(keep, first_kept(), index + 1) + 1);
  step(e);
  history_.forget_before(index);
  cache_.evict(std::min<index_t>(r_.trail.offset, applied_), 0);
  log_write w;
  w.number = ++writes_;
  w.compaction = compaction{record, first_kept()};
  waiting_.emplace_back();
  to_store_.push_back(std::move(w));
  return true;
}

install_answer core::install(const snapshot_record& record, time_ms now) {
  at(now);
  if (record.index <= commit_ || record.index <= applied_) return install_answer::not_needed;
  if (failure_ || r_.state != RAFT_FOLLOWER || r_.snapshot.installing || r_.follower_state.current_leader.id == 0 ||
      leader() == 0 || record.term > r_.current_term)
    return install_answer::not_now;
  raft_message l{};
  l.type = RAFT_INSTALL_SNAPSHOT;
  l.install_snapshot.term = r_.current_term;
  l.install_snapshot.last_index = record.index;
  l.install_snapshot.last_term = record.term;
  l.install_snapshot.conf = to_library(record.servers);
  l.install_snapshot.conf_index = record.servers_index;
  l.install_snapshot.data = {raft_malloc(1), 1};
  deliver(r_.follower_state.current_leader.id, l);
  return r_.snapshot.installing ? install_answer::begun : install_answer::not_needed;
}

void core::filled(catch_up&& read, std::vector<entry> entries) {
  // Only if this server still leads in the same term: a leader never replaces entries of its log, a former leader may.
  if (failure_ || r_.state != RAFT_LEADER || read.head.term != r_.current_term || entries.empty()) return;
  read.head.entries = std::move(entries);
  for (auto& part : split(std::move(read.head))) send(read.to, std::move(part));
}

core_update core::take() {
  core_update out;
  if (failure_) return out;
  out.writes = std::exchange(to_store_, {});
  out.offer = std::exchange(offer_, {});
  std::size_t kept = 0;
  for (auto& h : held_) {
    if (h.after > stored_writes_) {
      held_[kept++] = std::move(h);
      continue;
    }
    auto* const append = std::get_if<append_request>(&h.what.body);
    if (h.from_log != 0) {
      out.reads.push_back({h.what.to, std::move(*append), h.from_log});
    } else if (append != nullptr && append->entries.size() > 1) {
      for (auto& part : split(std::move(*append))) out.messages.push_back({r_.id, h.what.to, std::move(part)});
    } else {
      out.messages.push_back(std::move(h.what));
    }
  }
  held_.erase(held_.begin() + static_cast<std::ptrdiff_t>(kept), held_.end());
  return out;
}

stored_state raft_core::first_state(server_id id, index_t applied) {
  stored_state s;
  s.vote = {1, 0};
  if (applied > 0) {
    s.snapshot = snapshot_record{applied, 1, {{{id, server_role::voter}}}, applied};
    s.first = applied + 1;
    return s;
  }
  s.entries.push_back({1, entry_kind::change, share(encode(raft::configuration{{{id, server_role::voter}}}))});
  return s;
}

namespace {

const char* contradiction(const stored_state& s, index_t applied) {
  const index_t last = s.first + s.entries.size() - 1;
  const index_t snapshot = s.snapshot ? s.snapshot->index : 0;
  if (s.first == 0 || s.first > snapshot + 1) return "the log begins after its snapshot";
  if (last < snapshot) return "the log ends before its snapshot";
  if (applied < snapshot) return "the state is older than the log's snapshot";
  if (applied > std::max(last, snapshot)) return "the state is newer than the log";
  if (s.vote.term == 0 && (last != 0 || snapshot != 0 || s.vote.vote != 0)) return "the log has no term";
  if (!s.snapshot && last != 0 && s.entries.front().kind != entry_kind::change)
    return "the log does not begin with a configuration";
  term_t before = 0;
  for (std::size_t i = 0; i < s.entries.size(); ++i) {
    const auto& e = s.entries[i];
    if (e.term == 0 || e.term < before || e.term > s.vote.term) return "an entry's term is out of order";
    before = e.term;
    if (e.kind == entry_kind::change && !decode_configuration(e.view())) return "a configuration does not decode";
    if (!e.bytes && s.first + i > applied) return "an entry's bytes are missing";
  }
  return nullptr;
}

} // namespace

result<std::unique_ptr<raft_core>> raft_core::start(const core_options& options, stored_state stored, index_t applied,
                                                    time_ms now) {
  if (const char* wrong = contradiction(stored, applied))
    return error{errc::corrupt, std::string{"consensus log: "} + wrong};
  auto made = std::make_unique<core>(options, now);
  made->begin(std::move(stored), applied);
  if (made->failure()) return *made->failure();
  return std::unique_ptr<raft_core>{std::move(made)};
}

} // namespace cairn::cluster::raft

#include "cluster/raft/raft_node.hpp"

#include "base/codec.hpp"

#include <algorithm>

namespace cairn::cluster::raft {

namespace {

constexpr std::size_t rounds_max = 4; // in flight

} // namespace

result<std::unique_ptr<raft_node>> raft_node::start(const node_options& options, stored_state stored, index_t applied,
                                                    time_ms now) {
  auto core = raft_core::start(options.core, std::move(stored), applied, now);
  if (!core) return core.error();
  std::unique_ptr<raft_node> node{new raft_node{options, std::move(*core), applied}};
  node->after_event(now);
  return node;
}

void raft_node::submit(std::vector<ticketed_command> commands, time_ms now) {
  for (auto& c : commands) {
    CAIRN_ASSERT(!c.bytes.empty() && c.bytes.size() + 16 <= entry_bytes_max);
    if (core_->role() != role::leader || core_->failure()) {
      answers_.push_back({c.from, outcome::not_leader, core_->leader(), 0});
    } else if (core_->transferring() || queue_bytes_ + c.bytes.size() > options_.queue_bytes_max) {
      answers_.push_back({c.from, outcome::busy, core_->leader(), 0});
    } else {
      queue_bytes_ += c.bytes.size();
      commands_.push_back(std::move(c));
    }
  }
  after_event(now);
}

void raft_node::read(ticket t, time_ms now) {
  if (core_->role() != role::leader || core_->failure()) {
    answers_.push_back({t, outcome::not_leader, core_->leader(), 0});
  } else if (reads_waiting_ >= options_.reads_max) {
    answers_.push_back({t, outcome::busy, core_->leader(), 0});
  } else {
    ++reads_waiting_;
    reads_.push_back(t);
    after_event(now);
  }
}

accepted raft_node::change(server_id id, change_kind kind, time_ms now) {
  const auto answer = core_->change(id, kind, now);
  after_event(now);
  return answer;
}

accepted raft_node::transfer(server_id to, time_ms now) {
  const auto answer = core_->transfer(to, now);
  after_event(now);
  return answer;
}

bool raft_node::compact(index_t index, index_t keep, time_ms now) {
  return index <= applied_ && core_->compact(index, keep, now);
}

install_answer raft_node::install(const snapshot_record& record, time_ms now) {
  const auto answer = core_->install(record, now);
  after_event(now);
  return answer;
}

void raft_node::receive(server_id from, message m, time_ms now) {
  if (const auto* asked = std::get_if<read_round>(&m)) {
    // Echoed only in the same term: a later leader cannot commit without a majority that has a later term.
    if (asked->term == core_->term() && asked->term != 0)
      envelopes_.push_back({core_->id(), from, read_echo{asked->term, asked->sequence}});
    return;
  }
  if (const auto* echo = std::get_if<read_echo>(&m)) {
    if (leading_ == 0 || echo->term != leading_ || echo->sequence > sequence_) return;
    auto& known = echoes_[from];
    known = std::max(known, echo->sequence);
  } else {
    core_->receive(from, std::move(m), now);
  }
  after_event(now);
}

void raft_node::tick(time_ms now) {
  core_->tick(now);
  if (!rounds_.empty() && now >= round_sent_ + options_.core.heartbeat_ms) {
    round_sent_ = now;
    send_round(); // the messages may have been lost
  }
  after_event(now);
}

void raft_node::stored(std::uint64_t write, time_ms now) {
  const bool was_installing = core_->installing();
  core_->stored(write, now);
  if (was_installing && !core_->installing() && !core_->failure())
    applied_ = queued_ = std::max(queued_, core_->snapshot_index());
  apply_commit_hint(now); // the entry may have arrived only now
  after_event(now);
}

void raft_node::applied(index_t index, time_ms now) {
  CAIRN_ASSERT(index <= queued_);
  if (index <= applied_) return;
  applied_ = index;
  core_->applied(index);
  after_event(now);
}

// Has the effect of an empty append request of the leader. An entry of the leader's term at `index` is the same entry
// in the leader's log, and so are all entries before it (the log matching property).
void raft_node::learn_commit(server_id leader, term_t term, index_t index, time_ms now) {
  commit_hint_ = {leader, term, index};
  apply_commit_hint(now);
  after_event(now);
}

void raft_node::apply_commit_hint(time_ms now) {
  const auto [leader, term, index] = commit_hint_;
  if (term == 0 || term != core_->term() || core_->role() == role::leader || core_->leader() != leader) return;
  if (index <= core_->commit() || core_->last_stored() < index || core_->term_at(index) != term) return;
  core_->receive(leader, append_request{term, index, term, index, {}}, now);
}

time_ms raft_node::deadline() const {
  const time_ms engine = core_->deadline();
  return rounds_.empty() ? engine : std::min(engine, round_sent_ + options_.core.heartbeat_ms);
}

node_update raft_node::take() {
  node_update out;
  static_cast<core_update&>(out) = core_->take();
  if (core_->failure()) fail_waiting();
  out.answers = std::exchange(answers_, {});
  if (core_->failure()) return out;
  out.to_apply = std::exchange(to_apply_, {});
  out.messages.insert(out.messages.end(), std::make_move_iterator(envelopes_.begin()),
                      std::make_move_iterator(envelopes_.end()));
  envelopes_.clear();
  return out;
}

void raft_node::after_event(time_ms now) {
  queue_committed();
  const term_t leads = core_->role() == role::leader && !core_->failure() ? core_->term() : 0;
  if (leads != leading_) {
    fail_waiting();
    leading_ = leads;
    sequence_ = 0;
    echoes_.clear();
  }
  if (leading_ != 0) {
    pack(now);
    finish_rounds();
    begin_round(now);
  }
  answer_reads();
}

// An entry is applied when it is committed and stored on this disk, so that the log never ends before the state.
void raft_node::queue_committed() {
  if (core_->failure() || core_->installing()) return;
  const index_t up_to = std::min(core_->commit(), core_->last_stored());
  while (queued_ < up_to) {
    const entry* const next = core_->cached(queued_ + 1);
    CAIRN_ASSERT(next != nullptr);
    committed c{++queued_, *next, {}};
    const auto found = packed_.find(c.index);
    if (found != packed_.end() && found->second.term == c.content.term) {
      c.tickets = std::move(found->second.tickets);
      packed_.erase(found);
    }
    to_apply_.push_back(std::move(c));
  }
}

void raft_node::fail_waiting() {
  const server_id leader = core_->role() == role::leader ? 0 : core_->leader();
  for (const auto& [index, p] : packed_)
    for (const ticket t : p.tickets) answers_.push_back({t, outcome::unknown, leader, 0});
  for (const auto& c : commands_) answers_.push_back({c.from, outcome::not_leader, leader, 0});
  for (const auto& r : rounds_)
    for (const ticket t : r.tickets) answers_.push_back({t, outcome::not_leader, leader, 0});
  for (const ticket t : reads_) answers_.push_back({t, outcome::not_leader, leader, 0});
  reads_waiting_ -= reads_.size();
  for (const auto& r : rounds_) reads_waiting_ -= r.tickets.size();
  packed_.clear();
  commands_.clear();
  queue_bytes_ = 0;
  rounds_.clear();
  reads_.clear();
}

void raft_node::pack(time_ms now) {
  while (!commands_.empty() && core_->last_index() - core_->last_stored() < options_.unstored_entries_max) {
    std::size_t count = 0, bytes = 0;
    for (const auto& c : commands_) {
      if (count > 0 && (bytes + c.bytes.size() > options_.entry_bytes || count == options_.entry_commands_max)) break;
      bytes += c.bytes.size();
      ++count;
    }
    byte_writer w{bytes + count * 4 + 8};
    w.varint(count);
    for (std::size_t i = 0; i < count; ++i) w.string(commands_[i].bytes);
    if (core_->submit(share(w.take()), now) != accepted::yes)
      return; // a transfer is in progress, or too many entries wait: later
    packed p{core_->term(), {}};
    for (std::size_t i = 0; i < count; ++i) {
      p.tickets.push_back(commands_.front().from);
      commands_.pop_front();
    }
    queue_bytes_ -= bytes;
    packed_[core_->last_index()] = std::move(p);
  }
}

void raft_node::begin_round(time_ms now) {
  if (reads_.empty() || rounds_.size() >= rounds_max || !core_->leads()) return;
  rounds_.push_back({++sequence_, core_->commit(), std::exchange(reads_, {})});
  round_sent_ = now;
  send_round();
  finish_rounds(); // a sole voter needs no answer
}

void raft_node::send_round() {
  for (const auto& s : core_->configuration().servers) {
    if (s.role != server_role::voter || s.id == core_->id() || echoes_[s.id] >= sequence_) continue;
    envelopes_.push_back({core_->id(), s.id, read_round{leading_, sequence_}});
  }
}

bool raft_node::confirmed(std::uint64_t sequence) const {
  std::size_t yes = 0;
  for (const auto& s : core_->configuration().servers) {
    if (s.role != server_role::voter) continue;
    const auto echo = echoes_.find(s.id);
    if (s.id == core_->id() || (echo != echoes_.end() && echo->second >= sequence)) ++yes;
  }
  return yes > core_->configuration().voters() / 2;
}

void raft_node::finish_rounds() {
  while (!rounds_.empty() && confirmed(rounds_.front().sequence)) {
    for (const ticket t : rounds_.front().tickets) confirmed_.emplace(rounds_.front().index, t);
    rounds_.pop_front();
  }
}

void raft_node::answer_reads() {
  while (!confirmed_.empty() && confirmed_.begin()->first <= applied_) {
    answers_.push_back({confirmed_.begin()->second, outcome::read, core_->id(), confirmed_.begin()->first});
    confirmed_.erase(confirmed_.begin());
    --reads_waiting_;
  }
}

} // namespace cairn::cluster::raft

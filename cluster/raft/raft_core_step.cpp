#include "cluster/raft/raft_core_impl.hpp"

namespace cairn::cluster::raft {

namespace {

int role_of(server_role r) {
  return r == server_role::voter ? RAFT_VOTER : RAFT_STANDBY;
}

configuration from_library(const raft_configuration& c) {
  configuration out;
  for (unsigned i = 0; i < c.n; ++i)
    out.servers.push_back(
        {c.servers[i].id, c.servers[i].role == RAFT_VOTER ? server_role::voter : server_role::standby});
  return out;
}

} // namespace

raft_configuration to_library(const configuration& c) {
  raft_configuration out;
  raft_configuration_init(&out);
  for (const auto& s : c.servers) {
    const int failed = raft_configuration_add(&out, s.id, std::to_string(s.id).c_str(), role_of(s.role));
    CAIRN_ASSERT(failed == 0);
  }
  return out;
}

std::vector<raft_entry> to_library(const std::vector<entry>& entries) {
  std::vector<raft_entry> out(entries.size());
  std::vector<raft_buffer> changes(entries.size(), raft_buffer{nullptr, 0});
  std::size_t bytes = 1;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (entries[i].kind != entry_kind::change) continue;
    raft_configuration c = to_library(decode_configuration(entries[i].view()).value());
    const int failed = raft_configuration_encode(&c, &changes[i]);
    CAIRN_ASSERT(failed == 0);
    raft_configuration_close(&c);
    bytes += changes[i].len;
  }
  if (entries.empty()) return out;
  char* const batch = static_cast<char*>(raft_malloc(bytes));
  CAIRN_ASSERT(batch != nullptr);
  std::size_t at = 0;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    out[i].term = entries[i].term;
    out[i].type = static_cast<raft_entry_type>(entries[i].kind);
    out[i].buf = {batch + at, changes[i].len};
    out[i].batch = batch;
    if (changes[i].base == nullptr) continue;
    std::copy_n(static_cast<const char*>(changes[i].base), changes[i].len, batch + at);
    at += changes[i].len;
    raft_free(changes[i].base);
  }
  return out;
}

step_outcome core::step(raft_event& e) {
  if (failure_) return {RAFT_SHUTDOWN, 0};
  e.time = now_;
  e.capacity = 1024; // no back-pressure by the library: its threshold stays 0
  raft_update u{};
  const int code = raft_step(&r_, &e, &u);
  const bool may_refuse = e.type == RAFT_SUBMIT || e.type == RAFT_TRANSFER;
  if (code != 0 && !may_refuse) {
    fail("event " + std::to_string(e.type) + ": " + raft_strerror(code));
    return {code, 0};
  }
  if (code == 0) after_step(u);
  return {code, u.flags};
}

void core::after_step(const raft_update& u) {
  log_write w;
  waiting_write waits;
  if (r_.current_term != vote_.term || r_.voted_for != vote_.vote) {
    vote_ = {r_.current_term, r_.voted_for};
    w.vote = vote_;
  }
  if (u.flags & (RAFT_UPDATE_ENTRIES)) {
    take_entries(u, w);
    waits.first = w.first;
    waits.last = w.first + w.entries.size() - 1;
  }
  if (u.flags & (RAFT_UPDATE_SNAPSHOT)) {
    const auto& m = u.snapshot.metadata;
    w.snapshot = snapshot_record{m.index, m.term, from_library(m.configuration), m.configuration_index};
    waits.snapshot = m;
    raft_free(u.snapshot.chunk.base);
    cache_.reset(m.index + 1);
    history_.reset(m.configuration_index, w.snapshot->servers);
  }
  if (w.snapshot || !w.entries.empty()) configuration_ = history_.at(number_max).servers;
  if (w.vote || w.snapshot || !w.entries.empty()) {
    w.number = ++writes_;
    // A leader stores a change of configuration before it sends it. Otherwise the leader could lose the change in a
    // crash while other servers hold it: if it demotes them, they could not be elected, and their votes may be needed.
    const bool changes = std::ranges::any_of(w.entries, [](const entry& e) { return e.kind == entry_kind::change; });
    if (w.vote || (changes && r_.state == RAFT_LEADER)) held_until_ = writes_;
    waiting_.push_back(waits);
    to_store_.push_back(std::move(w));
  }
  if (u.flags & (RAFT_UPDATE_MESSAGES)) take_messages(u);
  const bool elected = r_.state == RAFT_LEADER && state_ != RAFT_LEADER;
  state_ = r_.state;
  if (u.flags & (RAFT_UPDATE_COMMIT_INDEX)) take_commit();
  // The library begins a term with a barrier entry only if there are uncommitted entries and other voters. Reads and
  // changes need a committed entry of the term, so one is always appended.
  if (elected && r_.state == RAFT_LEADER && term_at(last_index()) != r_.current_term)
    submit_entry({r_.current_term, entry_kind::barrier, share({})});
}

void core::take_entries(const raft_update& u, log_write& w) {
  w.first = u.entries.index;
  if (w.first <= applied_) fail("the leader replaces entry " + std::to_string(w.first) + ", which is already applied");
  for (unsigned i = 0; i < u.entries.n; ++i) {
    const index_t index = w.first + i;
    const bool ours = offered_ != nullptr && index >= offered_first_ && index - offered_first_ < offered_->size();
    if (ours)
      w.entries.push_back((*offered_)[index - offered_first_]);
    else
      w.entries.push_back({u.entries.batch[i].term, entry_kind::barrier, share({})});
  }
  raft_free(u.entries.batch[0].batch);
  cache_.truncate(w.first);
  history_.truncate(w.first);
  for (std::size_t i = 0; i < w.entries.size(); ++i) {
    cache_.push(w.entries[i]);
    if (w.entries[i].kind == entry_kind::change)
      history_.add(w.first + i, decode_configuration(w.entries[i].view()).value());
  }
}

void core::take_messages(const raft_update& u) {
  for (unsigned i = 0; i < u.messages.n; ++i) {
    const raft_message& m = u.messages.batch[i];
    switch (m.type) {
      case RAFT_REQUEST_VOTE: {
        const auto& v = m.request_vote;
        send(m.server_id, vote_request{v.term, v.last_log_index, v.last_log_term, v.disrupt_leader, v.pre_vote});
        break;
      }
      case RAFT_REQUEST_VOTE_RESULT: {
        const auto& v = m.request_vote_result;
        send(m.server_id, vote_answer{v.term, v.vote_granted, v.pre_vote});
        break;
      }
      case RAFT_APPEND_ENTRIES: {
        const auto& a = m.append_entries;
        append_request head{a.term, a.prev_log_index, a.prev_log_term, a.leader_commit, {}};
        std::size_t from_log = 0;
        if (a.n_entries != 0 && cache_.find(a.prev_log_index + 1) == nullptr) {
          from_log = a.n_entries;
        } else {
          for (unsigned k = 0; k < a.n_entries; ++k) head.entries.push_back(*cache_.find(a.prev_log_index + 1 + k));
        }
        send(m.server_id, std::move(head), from_log);
        break;
      }
      case RAFT_APPEND_ENTRIES_RESULT: {
        const auto& a = m.append_entries_result;
        send(m.server_id, append_answer{a.term, a.rejected, a.last_log_index});
        break;
      }
      case RAFT_INSTALL_SNAPSHOT: {
        const auto& s = m.install_snapshot;
        send(m.server_id, snapshot_offer{s.term, s.last_index, s.last_term});
        break;
      }
      case RAFT_TIMEOUT_NOW: {
        const auto& t = m.timeout_now;
        send(m.server_id, timeout_now{t.term, t.last_log_index, t.last_log_term});
        break;
      }
    }
  }
}

void core::take_commit() {
  const index_t before = commit_;
  commit_ = std::max<index_t>(commit_, r_.commit_index);
  for (const auto& [index, servers] : history_.between(before, commit_)) commit_configuration(index, servers);
}

void core::commit_configuration(index_t index, const raft::configuration& c) {
  raft_event e{};
  e.type = RAFT_CONFIGURATION;
  e.configuration.index = index;
  e.configuration.conf = to_library(c); // the library takes ownership
  step(e);
}

int core::deliver(server_id from, raft_message& m) {
  const std::string address = std::to_string(from);
  m.server_id = from;
  m.server_address = address.c_str();
  raft_event e{};
  e.type = RAFT_RECEIVE;
  e.receive.message = &m;
  return step(e).code;
}

} // namespace cairn::cluster::raft

// The terms and votes that servers have sent: a server votes for one candidate per term and its term never falls,
// whatever it forgot in a crash. Checked when messages are sent, and again against the disk of a restarted server, so
// that a vote that was not persisted is noticed even if no other candidate asks for it.
#pragma once

#include "cluster/raft/raft_types.hpp"
#include "sim/world/checks.hpp"

#include <algorithm>
#include <map>

namespace cairn::sim {

class raft_votes {
public:
  explicit raft_votes(checks& problems) : problems_(problems) {}

  // True: the message grants or requests a vote, so the sender's disk must contain it.
  bool sent(const cluster::raft::envelope& envelope) {
    using namespace cluster::raft;
    if (const auto* v = std::get_if<vote_request>(&envelope.body); v && !v->pre_vote)
      return given(envelope.from, v->term, envelope.from);
    if (const auto* v = std::get_if<vote_answer>(&envelope.body); v && !v->pre_vote && v->granted)
      return given(envelope.from, v->term, envelope.to);
    if (const auto* a = std::get_if<append_answer>(&envelope.body)) known(envelope.from, a->term);
    return false;
  }
  void started(cluster::raft::server_id id, const cluster::raft::vote_record& stored) {
    const auto term = terms_.find(id);
    if (term == terms_.end()) return;
    if (stored.term < term->second)
      return problems_.fail("server " + std::to_string(id) + " starts in term " + std::to_string(stored.term) +
                            ", but has sent term " + std::to_string(term->second));
    const auto vote = votes_.find({id, stored.term});
    if (vote != votes_.end() && vote->second != stored.vote)
      problems_.fail("server " + std::to_string(id) + " does not remember its vote of term " +
                     std::to_string(stored.term));
  }

private:
  bool given(cluster::raft::server_id voter, cluster::raft::term_t term, cluster::raft::server_id candidate) {
    known(voter, term);
    const auto [vote, fresh] = votes_.try_emplace({voter, term}, candidate);
    if (!fresh && vote->second != candidate)
      problems_.fail("server " + std::to_string(voter) + " voted twice in term " + std::to_string(term));
    return true;
  }
  void known(cluster::raft::server_id id, cluster::raft::term_t term) {
    auto& newest = terms_[id];
    newest = std::max(newest, term);
  }

  checks& problems_;
  std::map<std::pair<cluster::raft::server_id, cluster::raft::term_t>, cluster::raft::server_id> votes_;
  std::map<cluster::raft::server_id, cluster::raft::term_t> terms_; // the newest term that each server has sent
};

} // namespace cairn::sim

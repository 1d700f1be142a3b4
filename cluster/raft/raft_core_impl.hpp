// The engine's class, shared by the files that implement it, and the only place that includes the library's header.
// raft_core.cpp: events and their guards; raft_core_step.cpp: one step of the library and its results.
#pragma once

#include "cluster/raft/raft_cache.hpp"
#include "cluster/raft/raft_core.hpp"
#include "cluster/raft/raft_membership.hpp"
#include "cluster/raft/raft_message.hpp"

extern "C" {
#include <raft.h>
// Internal functions of the library: its trail has the terms of all entries.
raft_term TrailTermOf(const struct raft_trail* t, raft_index index);
raft_index TrailLastIndex(const struct raft_trail* t);
}

#include <algorithm>
#include <deque>

namespace cairn::cluster::raft {

static_assert(RAFT_VERSION_NUMBER == 2201, "the guards are written for raft 0.22.1 and read its fields");

raft_configuration to_library(const configuration& c); // the caller closes it, unless the library takes ownership
// Entries in the library's form. The library reads only the bytes of configurations, so the bytes of other entries are
// left out. One allocation (the batch) holds all bytes; the library frees it or returns it in its update. The caller
// owns the array.
std::vector<raft_entry> to_library(const std::vector<entry>& entries);

constexpr index_t promotion_lag_max = 32; // entries

struct step_outcome {
  int code = 0;
  unsigned flags = 0;
};

class core final : public raft_core {
public:
  core(const core_options& options, time_ms now) : options_(options), now_(now) {
    CAIRN_ASSERT(options.id != 0);
    const int failed = raft_init(&r_, nullptr, nullptr, options.id, std::to_string(options.id).c_str());
    CAIRN_ASSERT(failed == 0);
    r_.tracer = nullptr; // not thread-safe: it formats into one static buffer
    raft_seed(&r_, options.seed);
    raft_set_election_timeout(&r_, options.election_ms);
    raft_set_heartbeat_timeout(&r_, options.heartbeat_ms);
    raft_set_install_snapshot_timeout(&r_, options.offer_ms);
    raft_set_pre_vote(&r_, true);
  }
  core(const core&) = delete;
  core& operator=(const core&) = delete;
  ~core() override {
    for (auto& w : waiting_)
      if (w.snapshot) raft_configuration_close(&w.snapshot->configuration);
    raft_close(&r_, nullptr);
  }

  void begin(stored_state&& stored, index_t applied);

  void receive(server_id from, message m, time_ms now) override;
  void tick(time_ms now) override;
  void stored(std::uint64_t write, time_ms now) override;
  void applied(index_t index) override {
    CAIRN_ASSERT(index >= applied_);
    applied_ = index;
    cache_.evict(std::min(applied_, last_stored()), options_.cache_bytes);
  }
  accepted submit(std::shared_ptr<const std::string> command, time_ms now) override;
  accepted change(server_id id, change_kind kind, time_ms now) override;
  accepted transfer(server_id to, time_ms now) override;
  bool compact(index_t index, index_t keep, time_ms now) override;
  install_answer install(const snapshot_record& record, time_ms now) override;
  void filled(catch_up&& read, std::vector<entry> entries) override;
  core_update take() override;

  const std::optional<error>& failure() const override { return failure_; }
  server_id id() const override { return r_.id; }
  raft::role role() const override {
    return r_.state == RAFT_LEADER      ? raft::role::leader
           : r_.state == RAFT_CANDIDATE ? raft::role::candidate
                                        : raft::role::follower;
  }
  term_t term() const override { return r_.current_term; }
  server_id leader() const override {
    if (r_.state == RAFT_LEADER) return r_.id;
    return leader_term_ == r_.current_term ? leader_ : 0;
  }
  index_t commit() const override { return commit_; }
  index_t last_index() const override { return TrailLastIndex(&r_.trail); }
  index_t last_stored() const override { return r_.last_stored; }
  index_t first_kept() const override { return r_.trail.offset + 1; }
  index_t snapshot_index() const override { return r_.trail.snapshot.index; }
  bool leads() const override { return r_.state == RAFT_LEADER && commit_ != 0 && term_at(commit_) == r_.current_term; }
  bool installing() const override { return r_.snapshot.installing; }
  bool transferring() const override { return raft_transferee(&r_) != 0; }
  time_ms deadline() const override { return std::max<time_ms>(raft_timeout(&r_), earliest_tick_); }
  const raft::configuration& configuration() const override { return configuration_; }
  raft::configuration committed_configuration() const override { return history_.at(commit_).servers; }
  term_t term_at(index_t index) const override { return index == 0 ? 0 : TrailTermOf(&r_.trail, index); }
  const entry* cached(index_t index) const override { return cache_.find(index); }
  std::size_t waiting_bytes() const override { return applied_ >= cache_.last() ? 0 : cache_.bytes(); }
  std::optional<index_t> match(server_id id) const override {
    raft_index index = 0;
    if (raft_match_index(&r_, id, &index) != 0) return std::nullopt;
    return index;
  }
  snapshot_record snapshot_at(index_t index) const override {
    CAIRN_ASSERT(index >= snapshot_index() && index <= commit_ && term_at(index) != 0);
    auto known = history_.at(index);
    return {index, term_at(index), std::move(known.servers), known.index};
  }

private:
  struct waiting_write {
    index_t first = 0, last = 0; // of its entries; 0: none
    std::optional<raft_snapshot_metadata> snapshot;
  };
  struct held {
    std::uint64_t after; // the write that must be stored first
    raft::envelope what;
    std::size_t from_log = 0; // entries of an append request that are not in memory
  };

  void at(time_ms now) { now_ = std::max(now_, now); }
  void fail(std::string text) {
    if (!failure_) failure_ = error{errc::corrupt, "consensus: " + std::move(text)};
  }
  step_outcome step(raft_event& e);
  int deliver(server_id from, raft_message& m);
  void after_step(const raft_update& u);
  void take_entries(const raft_update& u, log_write& w);
  void take_messages(const raft_update& u);
  void take_commit();
  void send(server_id to, message body, std::size_t from_log = 0) {
    held_.push_back({held_until_, {r_.id, to, std::move(body)}, from_log});
  }
  void commit_configuration(index_t index, const raft::configuration& c);
  void begin_new_term_if_sole_voter();
  void forget_leader();
  bool is_sole_voter() const { return configuration_.is_voter(r_.id) && configuration_.voters() == 1; }
  step_outcome submit_entry(entry e);
  void send_at_once(index_t before, std::size_t messages_before, const entry& e);

  void on(server_id from, append_request&& m);
  void on(server_id from, const append_answer& m);
  void on(server_id from, const vote_request& m);
  void on(server_id from, const vote_answer& m);
  void on(server_id from, const snapshot_offer& m);
  void on(server_id from, const timeout_now& m);
  void on(server_id, const read_round&) {} // handled by raft_node
  void on(server_id, const read_echo&) {}
  void deliver_append(server_id from, append_request&& m);

  core_options options_;
  ::raft r_{};
  time_ms now_, earliest_tick_ = 0;
  std::optional<error> failure_;

  entry_cache cache_;
  configuration_history history_;
  raft::configuration configuration_; // a copy of the library's
  index_t commit_ = 0, applied_ = 0;
  vote_record vote_; // as last returned by `take` to be stored
  server_id leader_ = 0;
  term_t leader_term_ = 0;
  unsigned short state_ = RAFT_FOLLOWER;

  const std::vector<entry>* offered_ = nullptr; // entries that the running step may append, from offered_first_ on
  index_t offered_first_ = 0;

  std::uint64_t writes_ = 0, stored_writes_ = 0; // number of the newest write, and of the newest stored one
  std::uint64_t held_until_ = 0;                 // new messages are held until this write is stored
  std::deque<waiting_write> waiting_;            // the writes from stored_writes_ + 1 on
  std::vector<log_write> to_store_;
  std::vector<held> held_;
  std::optional<envelope> offer_;
};

} // namespace cairn::cluster::raft

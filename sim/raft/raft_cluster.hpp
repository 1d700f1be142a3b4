// A cluster of consensus servers under a hostile simulation: the real raft_node and raft_log over disks in memory; the
// network, the disks, the clocks and the state machine are drawn from one seed. The oracle records what was
// acknowledged.
//
// The state machine is a hash over the entries in order, which shows any lost, doubled or reordered entry. It is
// committed now and then; a crash loses what was applied since, and the log has it. A crash may
// lose the power, also in the middle of a write: what was not flushed is kept, lost or torn. A failed write stops the
// server. Bits of a stopped server's log flip: its start must refuse such a log, and change nothing of it. A frozen
// server's process does not run: events wait, and its clock has advanced when it resumes.
#pragma once

#include "base/files/memory_file_system.hpp"
#include "cluster/raft/log/raft_log.hpp"
#include "cluster/raft/raft_node.hpp"
#include "sim/raft/raft_votes.hpp"
#include "sim/world/checks.hpp"
#include "sim/world/dice.hpp"

#include <functional>
#include <map>
#include <queue>
#include <set>

namespace cairn::sim {

namespace raft = cairn::cluster::raft;

struct raft_options {
  unsigned servers = 3, voters = 3; // at the beginning; further servers may be added
  bool membership = false, transfers = false, storage_errors = false, grows = false;
  double loss = 0.05, doubled = 0.04;
  unsigned delay_ms = 25, disk_ms = 12, compact_every = 20;
  double crashes_voting = 0; // probability that a voter crashes right after a vote and restarts at once
  bool freezes = false;
  raft::node_options node;
};

class raft_cluster {
public:
  raft_cluster(const raft_options& options, dice& d, run_digest& digest, checks& problems);
  ~raft_cluster();

  void run(raft::time_ms span);
  void start(raft::server_id id);
  void crash(raft::server_id id);
  void freeze(raft::server_id id, raft::time_ms span); // a suspended process or a paused machine
  void submit(raft::server_id id);
  void read(raft::server_id id);
  void cut(raft::server_id from, raft::server_id to) { cuts_.insert({from, to}); }
  void heal();
  void calm() { calm_ = true; } // no loss, no errors, no slow disks from now on
  bool up(raft::server_id id) const;
  raft::server_id leader() const; // of the highest term; 0: none
  raft::raft_node* node(raft::server_id id);
  raft::time_ms local_time(raft::server_id id) const;
  void change(raft::server_id leader, raft::server_id id, raft::change_kind kind);
  void transfer(raft::server_id leader, raft::server_id to);
  std::size_t servers() const { return servers_.size(); }

  void check_converged();
  std::string summary() const;
  std::string standing() const;

private:
  struct machine {
    raft::index_t applied = 0;
    std::uint64_t hash = 0;
  };
  struct staged_state {
    raft::snapshot_record record;
    machine state;
  };
  struct server {
    raft::server_id id = 0;
    std::unique_ptr<memory_file_system> files = std::make_unique<memory_file_system>();
    std::unique_ptr<raft::raft_log> log;
    machine state;                      // with what is applied in the open transaction
    machine committed;                  // durable: a crash loses the open transaction
    std::optional<staged_state> staged; // durable
    std::unique_ptr<raft::raft_node> node;
    std::uint64_t life = 0;
    bool storing = false, applying = false, fetching = false;
    std::vector<raft::log_write> to_store;
    std::vector<raft::log_write> in_store;
    std::deque<raft::committed> to_apply;
    raft::index_t commit = 0;
    raft::time_ms clock_offset = 0;
    unsigned clock_rate = 1000; // per thousand
    bool frozen = false;
    std::deque<std::function<void()>> delayed; // events that wait until the server is thawed
  };
  struct event {
    raft::time_ms at;
    std::uint64_t order;
    std::function<void()> run;
    bool operator<(const event& other) const { return at != other.at ? at > other.at : order > other.order; }
  };
  struct asked_read {
    raft::index_t seen = 0; // the highest index that any client knew when the read began
  };

  // The dice as a source for the log.
  class dice_random final : public random_source {
  public:
    explicit dice_random(dice& d) : dice_(d) {}
    std::uint64_t next() override { return dice_.next(); }

  private:
    dice& dice_;
  };

  server& of(raft::server_id id) { return *servers_[id - 1]; }
  const server& of(raft::server_id id) const { return *servers_[id - 1]; }
  void after(raft::time_ms delay, std::function<void()> what) {
    events_.push({now_ + delay, ++order_, std::move(what)});
  }
  // Runs `what` unless the server has crashed or restarted before.
  template <class F>
  void after_alive(server& s, raft::time_ms delay, F what) {
    after(delay, [this, &s, life = s.life, what] { run_alive(s, life, what); });
  }
  template <class F>
  void run_alive(server& s, std::uint64_t life, F what) {
    if (!s.node || s.life != life) return;
    if (!s.frozen) return what();
    s.delayed.push_back([this, &s, life, what] { run_alive(s, life, what); });
  }
  void open_log(server& s);
  void rot(server& s);
  void interrupt_write(server& s);
  void thaw(server& s);
  void crash_after_vote(const raft::envelope& envelope);
  void pump(server& s);
  void store_next(server& s);
  void apply_next(server& s);
  void fetch(server& s, raft::server_id from);
  void install(server& s, unsigned tries);
  void post(const raft::envelope& envelope);
  void observe(server& s);
  void take_answers(server& s, const std::vector<raft::answer>& answers);
  void acknowledge(server& s, const raft::committed& c);
  bool durable_on_majority(const server& s, const raft::committed& c);
  raft::time_ms disk_delay() { return 1 + dice_.below(options_.disk_ms) + (slow() ? dice_.below(1500) : 0); }
  bool slow() { return !calm_ && dice_.chance(0.02); }

  const raft_options options_;
  dice& dice_;
  dice_random random_{dice_};
  run_digest& digest_;
  checks& problems_;
  raft::time_ms now_ = 0;
  std::uint64_t order_ = 0;
  std::priority_queue<event> events_;
  std::vector<std::unique_ptr<server>> servers_;
  std::set<std::pair<raft::server_id, raft::server_id>> cuts_;
  bool calm_ = false;

  // --- the oracle
  struct known_entry {
    raft::term_t term = 0;
    std::string bytes;
  };
  std::map<raft::index_t, known_entry> ledger_;
  std::map<raft::index_t, std::uint64_t> hashes_;
  std::map<raft::term_t, raft::server_id> leaders_;
  raft_votes votes_{problems_};
  std::set<raft::ticket> commands_, acknowledged_;
  std::map<raft::ticket, asked_read> reads_;
  raft::index_t seen_ = 0; // the highest index that any client was told of
  raft::ticket last_ticket_ = 0;
  std::uint64_t answers_[4] = {}, installs_ = 0, compactions_ = 0, changes_ = 0, catch_ups_ = 0, reads_served_ = 0,
                freezes_ = 0, dead_voters_ = 0, torn_ = 0, rotten_ = 0;
};

} // namespace cairn::sim

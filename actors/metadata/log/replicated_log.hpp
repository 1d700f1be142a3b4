// The metadata's log on a member of a cluster: drives the consensus engine (cluster/raft/raft_node.hpp), sends commands
// to the leader, applies committed entries, and tells when this node's own state may serve a linearizable read. Every
// member holds the whole metadata; some of them vote.
//
// A plain class of the metadata actor, called on that actor only. Disk work goes to executors, messages go to `peers`;
// both return through `post`. Nothing here blocks.
//
// - submit: the commands reach the leader's log, in this order. They are answered when the leader has applied them,
//   which may be before this node has; those of members, upkeep and operators when the leader's readers see them. While
//   the outcome is unknown they are sent again until the deadline, so applying a command twice must do no harm:
//   commands of clients carry a stamp. An outcome that is unknown at the deadline is `timeout` (the command may still
//   be applied); `no_leader` means that it was not applied and will not be.
// - barrier: answered when this node's state contains everything that was acknowledged on any node before the call:
//   when it is visible to readers, or when it is applied, for a read that knows by itself which rows are not visible
//   yet. All waiting barriers share one round. no_leader at the deadline.
// - Entries are applied in the state's open transaction (replicated_log_apply.cpp). What is durable in the state is
//   what is visible: compaction, dumps and everything that this node tells others goes by that index.
// - A leader whose log or state is much slower than those of the others transfers leadership
//   (cluster/raft/leader_pace.hpp).
// - A node that lacks entries which the leader no longer has fetches the state
//   (actors/metadata/log/snapshot_transfer.hpp). While that state replaces the node's own, nothing is applied.
// - When the disk of the log or of the state fails, this node leaves the consensus: `failure` has the reason, a leader
//   transfers leadership to the voter that has most of its log, reads are refused, and commands are sent to the current
//   leader. After no_space, when nothing was written, the log is reopened as soon as there is room, and the node
//   follows again as after a crash. The same applies to a disk that has not answered for hung_after_ticks, once it
//   answers. A damaged state is replaced by another member's. Any other failure is final until the node is restarted:
//   after a failed flush the content of the disk is unknown.
#pragma once

#include "actors/link/peer_service.hpp"
#include "actors/link/peers.hpp"
#include "actors/metadata/log/commit_pace.hpp"
#include "actors/metadata/log/leader_client.hpp"
#include "actors/metadata/log/snapshot_transfer.hpp"
#include "actors/metadata/log/state_repair.hpp"
#include "actors/protocol/cluster_messages.hpp"
#include "actors/protocol/cluster_state.hpp"
#include "base/execution/executor.hpp"
#include "cluster/raft/leader_pace.hpp"
#include "cluster/raft/log/raft_log.hpp"
#include "cluster/raft/log_witness.hpp"
#include "cluster/raft/raft_node.hpp"
#include "storage/kv/kv_damage.hpp"
#include "storage/metadata/store.hpp"

#include <deque>
#include <map>

namespace cairn::actors {

constexpr std::chrono::seconds disk_time{60}; // the deadline of one job of the log or the state

struct log_member {
  node_number number = 0;
  peer_address at;
};

// The log as read from its disk.
struct opened_log {
  std::unique_ptr<cluster::raft::raft_node> node; // started
  log_index applied = 0;                          // index that the state has applied
  std::uint64_t bytes = 0;                        // in the log since its last compaction
};

// Created by start-up code; all of it outlives the actor and the executors' jobs.
struct replicated_log_services {
  std::shared_ptr<cluster::raft::raft_log> log;
  std::unique_ptr<cluster::raft::raft_node> node; // started
  executor* log_writes = nullptr;                 // one thread
  executor* log_reads = nullptr;
  peers* network = nullptr;
  log_index applied = 0; // index that the state has applied
  std::optional<storage::metadata::create_cluster>
      found;                           // set when the state has no cluster yet and this node founds it
  std::vector<log_member> members;     // known at start, until the layout has more; without this node
  snapshot_transfer_services transfer; // without an engine: no snapshot transfers
  // The log is compacted when this much was applied since the last compaction. The entries since that compaction, at
  // most entries_kept, stay for followers that are a little behind; a follower that needs older entries fetches the
  // state.
  std::uint64_t compact_after_bytes = 64 << 20, compact_after_entries = 200'000;
  log_index entries_kept = 20'000;
  std::uint64_t log_bytes = 0; // in the log since its last compaction
  // Reopens the log after a transient failure; no_space while there is still no room. Blocking; no other job uses log
  // or state meanwhile. Empty: every failure is final.
  std::function<result<opened_log>()> reopen;
  // What the other members last said to have applied, while this node leads; cheap. May be empty.
  std::function<cluster_state::applied_reports()> reported;
  // The damage that was found in the files of the state and of the log; may be null.
  std::shared_ptr<storage::kv_damage> damage, log_damage;
  // Replaces a damaged state by the staged one (actors/metadata/log/state_repair.hpp). Blocking, as `reopen`. Empty:
  // damage is not repaired.
  std::function<result<void>(const cluster::raft::snapshot_record&)> repair;
};

struct log_status {
  bool leads = false; // leads and may serve
  node_number self = 0;
  std::optional<node_number> leader;
  std::uint64_t term = 0;
  log_index commit = 0, applied = 0, last = 0;
  cluster::raft::configuration servers;      // the newest, committed or not
  cluster::raft::configuration committed;    // the newest committed one
  std::map<node_number, log_index> match;    // on a leader: how much of the log each member has
  std::map<node_number, std::uint64_t> lost; // on a leader: starts that lack acknowledged entries
  std::optional<error> failure;
  log_index oldest_hold = 0;      // no read of this node, running or future, needs a blob buried at or before it
  std::uint8_t feature_level = 0; // of the commands that the log may contain
};

class replicated_log {
public:
  using results = std::vector<storage::metadata::command_result>; // `refused` may also be no_leader or timeout
  using submitted = std::function<void(results)>;
  using reached = std::function<void(result<log_index>)>;

  struct host_services {
    std::function<void(std::function<void()>)> post; // runs a function on the actor, from any thread
    std::function<void(std::chrono::milliseconds, std::function<void()>)> after; // on the actor
    const cairn::clock* clock = nullptr;
    storage::metadata::store* store = nullptr;
    executor* applies = nullptr; // one thread
    // Called on the actor before commands are applied, and when readers see them; the index is the visible one. If the
    // log fails in between, they are not visible, and are applied again when it is back.
    std::function<void(std::span<const storage::metadata::command>)> applying;
    std::function<void(std::span<const storage::metadata::command>, log_index)> applied;
    // Called before and after the whole state is replaced by that of another node.
    std::function<void()> replacing;
    std::function<void(log_index)> replaced;
    // The log has failed, or (nullopt) is in service again. May be empty.
    std::function<void(const std::optional<error>&)> failed;
  };

  replicated_log(replicated_log_services services, host_services host, log_index applied);
  ~replicated_log();
  replicated_log(const replicated_log&) = delete;
  replicated_log& operator=(const replicated_log&) = delete;

  void start();
  void tick(); // each second: answers commands and reads whose deadline has passed
  void stop(); // answers everything that waits with `stopping`

  void submit(std::vector<storage::metadata::command> commands, steady_time deadline, submitted done);
  enum class needs : std::uint8_t { applied, visible };
  // Whether this node's state is in service and contains this entry: a read that needs this index needs no barrier
  // then.
  bool has_applied(log_index index) const { return !stopped_ && !failure_ && !replacing_ && applied_ >= index; }
  void barrier(steady_time deadline, reached done) { barrier(deadline, needs::visible, std::move(done)); }
  void barrier(steady_time deadline, needs what, reached done);
  // `index` is applied: answered when it is visible.
  void when_visible(log_index index, steady_time deadline, reached done);
  cluster::raft::accepted change(node_number node, cluster::raft::change_kind kind);
  cluster::raft::accepted transfer(node_number to);

  // consensus, submit, barrier, snapshot
  void serve(peer_request kind, const link::incoming_request& request);
  void set_members(const std::vector<log_member>& members); // from the layout, with the removed ones
  bool holds_log(node_number node) const;                   // voter or standby, as far as this node knows
  log_status status() const;
  log_index applied() const { return applied_; }
  log_index visible() const { return visible_; } // and durable
  const std::optional<error>& failure() const { return failure_; }
  error unavailable() const; // what requests are answered while there is a failure

private:
  using server_id = cluster::raft::server_id;
  using time_ms = cluster::raft::time_ms;
  using ticket = cluster::raft::ticket;

  struct submission {
    std::vector<storage::metadata::command> commands;
    command_outcomes outcomes;
    steady_time deadline;
    submitted done;
    std::function<void(const command_outcomes&)> served; // of another node's request: tried once
    std::size_t open = 0;                                // unanswered tickets of this try
    std::vector<std::size_t> sent;                       // indexes of the commands of this try at another node
    bool uncertain = false;                              // a command of an earlier try may still be applied
    bool over = false;
  };
  using submission_ptr = std::shared_ptr<submission>;
  struct waiting_read {
    steady_time deadline;
    reached done;
    std::function<void(result<log_index>)>
        served; // of another node's request: answered with the index, without waiting for the state
    needs what = needs::visible;
  };
  using read_group = std::vector<waiting_read>;
  // A running disk job. Its time is counted in ticks, so that a process that was suspended does not suspect its disk.
  struct disk_job {
    bool running = false;
    unsigned ticks = 0;
    void begin() { *this = {true, 0}; }
    void end() { running = false; }
    void tick() { ticks += running; }
    bool hangs() const { return running && ticks > hung_after_ticks; }
  };
  static constexpr time_ms reopen_pause_min = 1000;
  static constexpr unsigned hung_after_ticks = 8; // less than the time that clients wait, so that they get an answer

  void drop_reads(const error& why);
  time_ms now() const { return ms_of(host_.clock->now()); }
  static time_ms ms_of(steady_time t);
  void pump();
  void arm_timer();

  void receive(const link::peer& from, std::string_view bytes);
  void check_leader_pace();
  void fail(error why);
  void note_late_failure(const error& why);
  void log_failure(bool repairs) const;
  bool stops(const error& why) const;
  void check_hung_disk();
  void transfer_leadership();
  void flush_messages();
  void drop_tickets();
  void serve_failed(peer_request kind, const link::incoming_request& request);
  void note_leader(server_id from, const cluster::raft::message& m);
  server_id recent_leader() const; // 0: this node has received nothing from a leader lately
  void reopen_later();
  void try_reopen();
  void reopened(result<opened_log> log);

  bool can_repair() const;
  repair_view view_for_repair() const;
  void look_for_damage();
  void repair_later();
  void repair();
  void fetched_for_repair(result<cluster::raft::snapshot_record> staged);
  void return_damaged();

  void store_next();
  void stored(std::uint64_t write, const result<void>& outcome);
  void store_snapshot(cluster::raft::log_write write);
  void replace_state(std::uint64_t write, log_index index);
  void replaced(std::uint64_t write, log_index index, const result<void>& outcome);
  void offered(const cluster::raft::envelope& envelope);
  void drop_unapplied();
  void serve_barrier(const link::incoming_request& request);
  void serve_submit(const link::incoming_request& request);
  void apply_next();
  struct apply_job;
  void applied_job(apply_job& job, result<std::vector<storage::metadata::applied_batch>> outcome);
  void answer_tickets(const cluster::raft::committed& entry, const std::vector<storage::metadata::command>& commands,
                      const storage::metadata::applied_batch& batch);
  void commit_open();
  void committed_open(const result<void>& outcome);
  void commit_later();
  void note_open(std::vector<storage::metadata::command>& commands);
  void end_open();
  void drop_open();
  void failed_to_apply(const std::optional<error>& why);
  void compact_if_long();
  void read_for(cluster::raft::catch_up wanted);
  void send(const cluster::raft::envelope& envelope);
  void take_answers(const std::vector<cluster::raft::answer>& answers);

  leader_client<submission>::services submit_route();
  leader_place leader() const;
  void follow_leader();
  void submit_locally(const submission_ptr& s);
  static std::string open_commands(submission& s);
  void submitted_there(const submission_ptr& s, const result<link::answer>& a);
  void resolve(const submission_ptr& s, std::size_t index, std::optional<storage::metadata::command_result> outcome);
  void tried(const submission_ptr& s);
  void finish(const submission_ptr& s);

  void begin_round();
  void round_done(read_group group, result<log_index> index);
  void serve_reads();

  const uuid* uuid_of(server_id id) const;
  std::optional<server_id> id_of(const uuid& node) const;

  replicated_log_services s_;
  host_services host_;
  std::unique_ptr<cluster::raft::raft_node> node_;
  std::unique_ptr<snapshot_transfer> transfer_;
  std::map<server_id, uuid> members_;
  log_index applied_, visible_; // visible_ ≤ applied_: in the state's file
  bool stopped_ = false;
  std::optional<time_ms> timer_at_;
  cluster::raft::log_witness witness_;

  cluster::raft::leader_pace pace_;
  std::map<server_id, cluster::raft::leader_pace::report> reported_; // as of the last tick

  std::optional<error> failure_;
  bool reopens_ = false, replacing_ = false;
  std::size_t repair_tries_ = 0; // since it failed
  std::optional<time_ms> damaged_since_;
  time_ms repair_at_ = 0, return_for_ = 0; // end and length of a return to service without repair
  bool entries_unreadable_ = false;        // of its log, and another member needs them
  bool returns_damaged_ = false;           // its damage does not keep it from following
  time_ms reopened_at_ = 0, reopen_pause_ = 0;
  // The leader, as learned from its messages while this node's own log has failed.
  server_id last_leader_ = 0;
  cluster::raft::term_t last_leader_term_ = 0;
  time_ms last_leader_at_ = 0;

  std::vector<cluster::raft::log_write> to_store_;
  bool storing_ = false;
  // A write of the log; an apply or a commit of the state. Not the install of a whole state, which may take long.
  disk_job flush_, apply_;
  std::deque<cluster::raft::committed> to_apply_;
  bool applying_ = false;                        // a job of the state is running
  std::vector<storage::metadata::command> open_; // of the entries that are applied and not visible
  struct late_answer {
    submission_ptr to;
    std::size_t index = 0;
    storage::metadata::command_result result;
  };
  std::vector<late_answer> late_answers_; // when visible
  commit_pace pace_of_commits_;
  bool commit_armed_ = false;
  std::uint64_t bytes_since_compaction_ = 0, bytes_held_ = 0; // held: kept for nodes that fetch the state

  ticket next_ticket_ = 1;
  std::map<ticket, std::pair<submission_ptr, std::size_t>> commands_;
  std::vector<submission_ptr> submissions_; // all unfinished ones
  std::optional<leader_client<submission>> submits_;
  server_id followed_ = 0; // the last known leader

  read_group reads_; // wait for the next round
  std::map<ticket, read_group> rounds_;
  std::optional<std::pair<uuid, link::request_number>> round_call_; // the latest round at another node
  std::size_t rounds_out_ = 0;
  bool round_pause_ = false;
  std::multimap<log_index, waiting_read> reads_at_, visible_at_; // wait until the index is applied; visible
};

} // namespace cairn::actors

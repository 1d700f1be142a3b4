// The metadata's log when the node is a member of a cluster: drives the consensus engine (cluster/raft/raft_node.hpp),
// carries commands to the leader wherever it is, applies what was committed, and tells when a linearizable read may be
// served from this node's own state. Every member holds the whole metadata; some of them vote.
//
// A plain class of the metadata actor: it is called on that actor only. Disk work goes to executors, messages to
// `peers`; both come back through `post`. Nothing here waits.
//
// - submit: the commands reach the leader's log, in this order; answered when the leader has applied them, which may be
//   before this node has. While that is not certain they are sent again until the deadline, so they must be such that a
//   second time does no harm: what clients ask for carries a stamp. What is not known at the deadline is answered
//   `timeout` (it may yet be applied) or `no_leader` (it was not, and will not be).
// - barrier: answered when this node's state shows everything that was acknowledged anywhere before the call. All who
//   wait share one round. no_leader at the deadline.
// - A leader whose disk is much slower than those of the others hands over (cluster/raft/leader_pace.hpp).
// - A node whose log lacks what the leader no longer has fetches the state (actors/metadata/log/snapshot_transfer.hpp);
//   while it takes the place of its own, nothing is applied.
// - When the disk of the log or of the state fails, this node leaves the consensus: `failure` says why, a leader hands
//   over to the voter that has the most of its log, reads are refused, and commands go to whoever leads now. After a
//   disk without room, where nothing was written, the log is opened anew as soon as there is room and this node follows
//   again, as after a crash. So it is with a disk that has not answered for hung_after_ticks, once it does. A state
//   that is damaged is replaced by another member's. Any other failure is final until the node is restarted: after a
//   failed flush nobody knows what the disk holds.
#pragma once

#include "actors/link/peer_service.hpp"
#include "actors/link/peers.hpp"
#include "actors/metadata/log/snapshot_transfer.hpp"
#include "actors/protocol/cluster_messages.hpp"
#include "base/executor.hpp"
#include "cluster/raft/leader_pace.hpp"
#include "cluster/raft/raft_log.hpp"
#include "cluster/raft/raft_node.hpp"
#include "storage/kv/kv_damage.hpp"
#include "storage/metadata/store.hpp"

#include <deque>
#include <map>

namespace cairn::actors {

constexpr std::chrono::seconds disk_time{60}; // for one job of the log or the state

struct log_member {
  storage::node_number number = 0;
  peer_address at;
};

// The log as its disk has it.
struct opened_log {
  std::unique_ptr<cluster::raft::raft_node> node; // started
  storage::log_index applied = 0;                 // by the state
  std::uint64_t bytes = 0;                        // in the log since its last compaction
};

// Made by start-up code; all of it outlives the actor and the executors' jobs.
struct replicated_log_services {
  std::shared_ptr<cluster::raft::raft_log> log;
  std::unique_ptr<cluster::raft::raft_node> node; // started
  storage::executor* log_writes = nullptr;        // one thread
  storage::executor* log_reads = nullptr;
  peers* network = nullptr;
  storage::log_index applied = 0;                         // by the state
  std::optional<storage::metadata::create_cluster> found; // the state has no cluster yet, and this node is its first
  std::vector<log_member> members;                        // until the layout says more; without this node
  snapshot_transfer_services transfer;                    // without an engine: the state is neither served nor fetched
  // The log is compacted when this much was applied since the last time. A follower that lacks more than that fetches
  // the state; one that lacks no more than entries_kept and was there at the last compaction gets entries.
  std::uint64_t compact_after_bytes = 64 << 20, compact_after_entries = 200'000;
  storage::log_index entries_kept = 20'000;
  std::uint64_t log_bytes = 0; // in the log since its last compaction
  // Opens the log anew after a failure that passes: no_space while there is still no room. Blocking; nothing else is at
  // work on log and state meanwhile. Empty: every failure is final.
  std::function<result<opened_log>()> reopen;
  // What is damaged in the files of the state and of the log; may be null.
  std::shared_ptr<storage::kv_damage> damage, log_damage;
  // The staged state takes the place of a damaged one (actors/metadata/log/state_repair.hpp). As `reopen`. Empty:
  // damage stays.
  std::function<result<void>(const cluster::raft::snapshot_record&)> repair;
};

struct log_status {
  bool leads = false; // and may serve
  storage::node_number self = 0;
  std::optional<storage::node_number> leader;
  std::uint64_t term = 0;
  storage::log_index commit = 0, applied = 0, last = 0;
  cluster::raft::configuration servers;                     // the newest, committed or not
  cluster::raft::configuration committed;                   // the newest that is
  std::map<storage::node_number, storage::log_index> match; // a leader's knowledge of the others' logs
  std::optional<error> failure;
  storage::log_index oldest_hold = 0; // no read of this node, running or to come, needs what was buried up to it
  std::uint8_t feature_level = 0;     // of the commands that the log may hold
};

class replicated_log {
public:
  using results = std::vector<storage::metadata::command_result>; // `refused` also tells no_leader and timeout
  using submitted = std::function<void(results)>;
  using reached = std::function<void(result<storage::log_index>)>;

  struct environment {
    std::function<void(std::function<void()>)> post;                             // to the actor, from any thread
    std::function<void(std::chrono::milliseconds, std::function<void()>)> after; // on the actor
    const storage::clock* clock = nullptr;
    storage::metadata::store* store = nullptr;
    storage::executor* applies = nullptr; // one thread
    // Around the application of commands, on the actor.
    std::function<void(std::span<const storage::metadata::command>)> applying;
    std::function<void(std::span<const storage::metadata::command>, storage::log_index)> applied;
    // Around the replacement of the whole state by that of another node.
    std::function<void()> replacing;
    std::function<void(storage::log_index)> replaced;
    // The log has failed, or (nothing) goes on. May be empty.
    std::function<void(const std::optional<error>&)> failed;
  };

  replicated_log(replicated_log_services services, environment env, storage::log_index applied);
  ~replicated_log();
  replicated_log(const replicated_log&) = delete;
  replicated_log& operator=(const replicated_log&) = delete;

  void start();
  void tick(); // each second: answers commands whose time is over
  void stop(); // everything that waits is answered `stopping`

  void submit(std::vector<storage::metadata::command> commands, storage::steady_time deadline, submitted done);
  // Whether the state here, whole and in service, has this entry: then a reader that was told of it needs no barrier.
  bool shows(storage::log_index index) const { return !stopped_ && !failure_ && !replacing_ && applied_ >= index; }
  void barrier(storage::steady_time deadline, reached done);
  cluster::raft::accepted change(storage::node_number node, cluster::raft::change_kind kind);
  cluster::raft::accepted transfer(storage::node_number to);

  // consensus, submit, barrier, snapshot
  void serve(peer_request kind, const link::incoming_request& request);
  void set_members(const std::vector<log_member>& members); // who may talk to this node: from the layout
  bool holds_log(storage::node_number node) const;          // voter or standby, as far as this node knows
  log_status status() const;
  storage::log_index applied() const { return applied_; }
  const std::optional<error>& failure() const { return failure_; }

private:
  using server_id = cluster::raft::server_id;
  using time_ms = cluster::raft::time_ms;
  using ticket = cluster::raft::ticket;

  struct submission {
    std::vector<storage::metadata::command> commands;
    command_outcomes outcomes;
    storage::steady_time deadline;
    submitted done;
    std::function<void(const command_outcomes&)> served; // for another node: tried once
    std::size_t open = 0;                                // tickets of this try
    bool uncertain = false;                              // an earlier try may yet be applied
    bool over = false;
  };
  using submission_ptr = std::shared_ptr<submission>;
  struct waiting_read {
    storage::steady_time deadline;
    reached done;
    std::function<void(result<storage::log_index>)> served; // for another node: answered by the index, not its state
  };
  using read_group = std::vector<waiting_read>;
  // A job of a disk. Its time is counted in ticks, so that a process that was frozen does not blame its disk.
  struct disk_job {
    bool running = false;
    unsigned ticks = 0;
    void begin() { *this = {true, 0}; }
    void end() { running = false; }
    void tick() { ticks += running; }
    bool hangs() const { return running && ticks > hung_after_ticks; }
  };
  static constexpr unsigned hung_after_ticks = 8; // shorter than clients wait, so that they are told before

  void drop_reads(const error& why);
  time_ms now() const;
  void pump();
  void arm_timer();

  void look_at_pace();
  void fail(error why);
  void fail_late(const error& why);
  void tell_failure(bool repairs) const;
  bool stops(const error& why) const;
  void look_for_hung_disk();
  void transfer_leadership();
  void send_what_is_left();
  void drop_tickets();
  error unavailable() const;
  void serve_failed(peer_request kind, const link::incoming_request& request);
  void note_leader(server_id from, const cluster::raft::message& m);
  server_id heard_leader() const; // 0: nobody leads, as far as this node hears
  void reopen_later();
  void try_reopen();
  void reopened(result<opened_log> log);

  bool can_repair() const;
  bool spared() const;
  void look_for_damage();
  void repair_later();
  void repair();
  void fetched_for_repair(result<cluster::raft::snapshot_record> staged);

  void store_next();
  void stored(std::uint64_t write, const result<void>& outcome);
  void store_snapshot(cluster::raft::log_write write);
  void replace_state(std::uint64_t write, storage::log_index index);
  void replaced(std::uint64_t write, storage::log_index index, const result<void>& outcome);
  void offered(const cluster::raft::envelope& envelope);
  void drop_what_waits_to_be_applied();
  void serve_barrier(const link::incoming_request& request);
  void serve_submit(const link::incoming_request& request);
  void apply_next();
  struct apply_job;
  void applied_job(apply_job& job, result<std::vector<storage::metadata::applied_batch>> outcome);
  void answer_tickets(const cluster::raft::committed& entry, const storage::metadata::applied_batch& batch);
  void compact_if_long();
  void read_for(cluster::raft::catch_up wanted);
  void send(const cluster::raft::envelope& envelope);
  void take_answers(const std::vector<cluster::raft::answer>& answers);

  void try_submit(const submission_ptr& s);
  void submit_here(const submission_ptr& s);
  void submit_there(const submission_ptr& s, const storage::uuid& leader);
  void resolve(const submission_ptr& s, std::size_t index, std::optional<storage::metadata::command_result> outcome);
  void tried(const submission_ptr& s);
  void finish(const submission_ptr& s);

  void begin_round();
  void round_done(read_group group, result<storage::log_index> index);
  void serve_reads();

  const storage::uuid* uuid_of(server_id id) const;
  std::optional<server_id> id_of(const storage::uuid& node) const;

  replicated_log_services s_;
  environment env_;
  std::unique_ptr<cluster::raft::raft_node> node_;
  std::unique_ptr<snapshot_transfer> transfer_;
  std::map<server_id, storage::uuid> members_;
  storage::log_index applied_;
  bool stopped_ = false;
  std::optional<time_ms> timer_at_;

  cluster::raft::leader_pace pace_;

  std::optional<error> failure_;
  bool reopens_ = false, replacing_ = false;
  std::size_t repair_tries_ = 0;
  time_ms reopened_at_ = 0, reopen_pause_ = 0;
  // Who leads, as this node hears while its own log has failed.
  server_id heard_leader_ = 0;
  cluster::raft::term_t heard_term_ = 0;
  time_ms heard_at_ = 0;

  std::vector<cluster::raft::log_write> to_store_;
  bool storing_ = false;
  disk_job flush_, apply_; // of the log, and of entries to the state; not of whole states, which take their time
  std::deque<cluster::raft::committed> to_apply_;
  bool applying_ = false;
  std::uint64_t bytes_since_compaction_ = 0, bytes_held_ = 0; // for those who fetch the state

  ticket next_ticket_ = 1;
  std::map<ticket, std::pair<submission_ptr, std::size_t>> commands_;
  std::vector<submission_ptr> submissions_; // all that are not over

  read_group reads_; // wait for a round to begin
  std::map<ticket, read_group> rounds_;
  std::size_t rounds_out_ = 0;
  bool round_pause_ = false;
  std::multimap<storage::log_index, waiting_read> reads_at_; // wait for the state
};

} // namespace cairn::actors

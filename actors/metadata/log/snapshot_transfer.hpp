// Transfers the metadata's whole state to a node that needs log entries which the leader no longer has: a dump
// (storage/metadata/read/dump.hpp) is fetched in pieces, staged, verified as a whole, and then replaces the node's
// state.
//
// Serving: one dump serves all nodes that ask, until none has asked for a while; the log keeps the entries after the
// dump meanwhile (`holds_from`). Fetching: one transfer at a time, started by a leader's offer and, after a failure, by
// the next offer. It resumes where it stopped if the same source still has the same dump. Memory: one piece per request
// in flight. Crashes: a file has its final name only when it is complete; `finish_install` picks up a staged state.
//
// A plain class of the metadata actor; disk work goes to an executor. Files, all in `folder`: served, arriving, staged.
#pragma once

#include "actors/link/peer_service.hpp"
#include "actors/link/peers.hpp"
#include "actors/protocol/cluster_messages.hpp"
#include "base/execution/executor.hpp"
#include "base/file_system.hpp"
#include "cluster/raft/raft_core.hpp"
#include "storage/kv/kv.hpp"

#include <functional>
#include <memory>

namespace cairn::actors {

struct snapshot_transfer_services {
  storage::kv_engine* engine = nullptr; // of the state; null: no transfers
  file_system* files = nullptr;
  std::string folder;       // exists
  executor* work = nullptr; // one thread: jobs run in order
  std::size_t piece_bytes = 256 << 10;
};

// Replaces the node's state by the staged one in one step. The old state, which may be damaged, is not read. Memory:
// one step of writing the new file, not a whole state. Errors: those of rebuild_from_dump; corrupt when the staged
// state is of another index.
result<void> install_staged(const snapshot_transfer_services& s, log_index index);
void remove_staged(const snapshot_transfer_services& s); // if this fails, the next start removes it
// `snapshot`: the index of the log's snapshot record; `applied`: the index of the state. When a crash or a failure came
// between the log's record and the state, the staged state is installed now. Errors: those of install_staged.
result<void> complete_install(const snapshot_transfer_services& s, log_index snapshot, log_index applied);
// The same at start-up; then empties the folder.
result<void> finish_install(const snapshot_transfer_services& s, log_index snapshot, log_index applied);

class snapshot_transfer {
public:
  struct host_services {
    std::function<void(std::function<void()>)> post;
    std::function<void(std::chrono::milliseconds, std::function<void()>)> after;
    const cairn::clock* clock = nullptr;
    peers* network = nullptr;
    // The log's snapshot record for the state at this index; nullopt when the log does not have the index.
    std::function<std::optional<cluster::raft::snapshot_record>(log_index)> record_at;
    std::function<log_index()> first_kept; // the oldest entry in the log
    // Called when a state is staged durably. Unless it returns `begun`, the staged state is not used.
    std::function<cluster::raft::install_answer(const cluster::raft::snapshot_record&)> install;
  };
  snapshot_transfer(snapshot_transfer_services services, host_services host)
      : s_(std::move(services)), host_(std::move(host)) {}
  snapshot_transfer(const snapshot_transfer&) = delete;
  snapshot_transfer& operator=(const snapshot_transfer&) = delete;

  void serve(const link::incoming_request& request);
  bool making() const { return making_; } // a dump is being written; the log must not be compacted beyond its index
  // The first index that nodes which fetch the dump still need from the log.
  std::optional<log_index> holds_from() const;
  void stop_serving(); // the log can't be kept any longer

  // The leader `from` no longer has the entries up to `index`.
  void offered(const uuid& from, log_index index);
  void installed(); // after `begun`: the state was replaced
  // For a repair, while the log is out of service: fetches the state of `from`, whatever this node has. `staged` is
  // called when the state is staged, complete and durable, or with an error; fetch() may then be called again.
  void fetch(const uuid& from, std::function<void(result<cluster::raft::snapshot_record>)> staged);
  // The log was reopened, with a state at `applied`: a begun install has been completed or abandoned.
  void interrupted(log_index applied);
  const snapshot_transfer_services& services() const { return s_; }

private:
  struct served_dump {
    std::uint64_t bytes = 0;
    cluster::raft::snapshot_record record;
  };
  struct arriving_dump {
    uuid from{};
    log_index index = 0;               // 0: any
    std::uint64_t next = 0, total = 0; // bytes
    cluster::raft::snapshot_record record;
  };
  using arriving_ptr = std::shared_ptr<arriving_dump>;

  void make_dump();
  void dump_made(const result<std::pair<log_index, std::uint64_t>>& made);
  void send_piece(const link::responder& respond, std::uint64_t offset);
  void watch_served();
  void remove(std::string path);

  void begin_fetch(const uuid& from);
  void ask();
  void arrived(result<link::answer> a);
  void kept(const result<void>& outcome);
  void failed(const error& why);
  void try_install();

  snapshot_transfer_services s_;
  host_services host_;

  std::optional<served_dump> served_;
  bool making_ = false, watching_ = false;
  steady_time last_asked_;
  std::vector<link::responder> waiting_; // waiting for the dump

  bool fetching_ = false, installing_ = false;
  arriving_ptr arriving_; // while fetching, and after a failure
  std::optional<cluster::raft::snapshot_record> staged_;
  std::function<void(result<cluster::raft::snapshot_record>)> repair_; // a repair that waits for the state
};

} // namespace cairn::actors

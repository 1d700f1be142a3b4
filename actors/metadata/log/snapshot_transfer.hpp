// The metadata's whole state on its way to a node whose log lacks entries that the leader no longer has: a dump
// (storage/metadata/read/dump.hpp), fetched in pieces, staged whole and verified, then put in the place of the node's
// state.
//
// Serving: one dump is kept for all who ask, until nobody has asked for a while; the log keeps what follows it
// meanwhile (`holds_from`). Fetching: one at a time, begun by a leader's offer, and again by the next one after a
// failure; it goes on where it broke off when the same source still has the same dump. Memory: a piece for each request
// under way. Crashes: a file is under its name only when it is whole; `finish_install` picks up what was staged.
//
// A plain class of the metadata actor; disk work goes to an executor. Files, all in `folder`: served, arriving, staged.
#pragma once

#include "actors/link/peer_service.hpp"
#include "actors/link/peers.hpp"
#include "actors/protocol/cluster_messages.hpp"
#include "base/executor.hpp"
#include "base/file_system.hpp"
#include "cluster/raft/raft_core.hpp"
#include "storage/kv/kv.hpp"

#include <functional>
#include <memory>

namespace cairn::actors {

struct snapshot_transfer_services {
  storage::kv_engine* engine = nullptr; // of the state; null: no transfers
  storage::file_system* files = nullptr;
  std::string folder;                // exists
  storage::executor* work = nullptr; // one thread: the calls follow each other
  std::size_t piece_bytes = 256 << 10;
};

// The staged state takes the place of the node's, at once: what the node had, which may be damaged, is not looked at.
// Memory: a step of the new file, not a whole state. Errors: those of rebuild_from_dump; corrupt when another index
// than this one is staged.
result<void> install_staged(const snapshot_transfer_services& s, storage::log_index index);
void remove_staged(const snapshot_transfer_services& s); // should it fail, the next start does it
// The log's snapshot is at `snapshot`, the state at `applied`. When a crash or a failure came between the log's record
// and the state, the staged one is installed now. Errors: those of install_staged.
result<void> complete_install(const snapshot_transfer_services& s, storage::log_index snapshot,
                              storage::log_index applied);
// The same at a start; then the folder is emptied.
result<void> finish_install(const snapshot_transfer_services& s, storage::log_index snapshot,
                            storage::log_index applied);

class snapshot_transfer {
public:
  struct environment {
    std::function<void(std::function<void()>)> post;
    std::function<void(std::chrono::milliseconds, std::function<void()>)> after;
    const storage::clock* clock = nullptr;
    peers* network = nullptr;
    // What the log says of the state at this index; nothing when it has no such place.
    std::function<std::optional<cluster::raft::snapshot_record>(storage::log_index)> record_at;
    std::function<storage::log_index()> first_kept; // the oldest entry in the log
    // A state is staged durably. Unless it answers `begun`, nothing happens with it.
    std::function<cluster::raft::install_answer(const cluster::raft::snapshot_record&)> install;
  };
  snapshot_transfer(snapshot_transfer_services services, environment env)
      : s_(std::move(services)), env_(std::move(env)) {}
  snapshot_transfer(const snapshot_transfer&) = delete;
  snapshot_transfer& operator=(const snapshot_transfer&) = delete;

  void serve(const link::incoming_request& request);
  bool making() const { return making_; } // a dump; the log must not be compacted beyond what it will show
  // Entries from here on are needed by those who fetch.
  std::optional<storage::log_index> holds_from() const;
  void stop_serving(); // the log can't wait any longer

  // The leader `from` no longer has the entries up to `index`.
  void offered(const storage::uuid& from, storage::log_index index);
  void installed(); // after `begun`: the state is in its place
  // For a repair, while the log is out of service: the state that `from` has, whatever this node had. `staged` is
  // called when it lies here, whole and durable, or with why not: then it may be asked again.
  void fetch(const storage::uuid& from, std::function<void(result<cluster::raft::snapshot_record>)> staged);
  // The log was opened anew, with a state at `applied`: what `begun` is over, one way or the other.
  void interrupted(storage::log_index applied);
  const snapshot_transfer_services& services() const { return s_; }

private:
  struct served_dump {
    std::uint64_t bytes = 0;
    cluster::raft::snapshot_record record;
  };
  struct arriving_dump {
    storage::uuid from{};
    storage::log_index index = 0;      // 0: whatever the source has
    std::uint64_t next = 0, total = 0; // bytes
    cluster::raft::snapshot_record record;
  };
  using arriving_ptr = std::shared_ptr<arriving_dump>;

  void make_dump();
  void dump_made(const result<std::pair<storage::log_index, std::uint64_t>>& made);
  void send_piece(const link::responder& respond, std::uint64_t offset);
  void watch_served();
  void remove(std::string path);

  void begin_fetch(const storage::uuid& from);
  void ask();
  void arrived(result<link::answer> a);
  void kept(const result<void>& outcome);
  void failed(const error& why);
  void try_install();

  snapshot_transfer_services s_;
  environment env_;

  std::optional<served_dump> served_;
  bool making_ = false, watching_ = false;
  storage::steady_time last_asked_;
  std::vector<link::responder> waiting_; // for the dump

  bool fetching_ = false, installing_ = false;
  arriving_ptr arriving_; // while fetching, and after a failure
  std::optional<cluster::raft::snapshot_record> staged_;
  std::function<void(result<cluster::raft::snapshot_record>)> repair_; // waits for the state
};

} // namespace cairn::actors

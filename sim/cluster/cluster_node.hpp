// One member of a simulated cluster: the production actors and their wiring (actors/runtime/member_wiring.hpp) over
// simulated disks and links, in its own process (machine.hpp). Its durable parts survive `crash`: flushed chunk
// segments, the commits of the key-value engines, its identity in the cluster. Everything else is destroyed with the
// process.
#pragma once

#include "actors/members/membership.hpp"
#include "actors/members/survivor.hpp"
#include "actors/metadata/metadata_fault.hpp"
#include "actors/protocol/cluster_state.hpp"
#include "actors/protocol/read_holds.hpp"
#include "actors/runtime/member_wiring.hpp"
#include "actors/upkeep/backfill.hpp"
#include "actors/upkeep/lifecycle.hpp"
#include "actors/upkeep/reaper.hpp"
#include "base/files/memory_file_system.hpp"
#include "sim/cluster/sim_network.hpp"
#include "sim/world/checks.hpp"
#include "sim/world/faulty_kv.hpp"
#include "sim/world/virtual_executor.hpp"

namespace cairn::sim {

inline const std::string cluster_name = "simulated", transfer_folder = "/transfer";

struct member_plan {
  std::size_t disks = 1;
  std::uint64_t memory_bytes = 64 << 20, cache_bytes = 0;
  std::uint32_t chunk_size = 64 << 10, inline_max = 4096;
  std::uint32_t window_min = 2, window_max = 4, upload_window = 4;
  std::uint8_t replicas = 3, write_quorum = 0;
  job_times disk_times, metadata_times, digest_times;
  machine::clock_faults clock;
  cluster::controller_options controller;
  bool scrubs = false;
  std::uint32_t feature_level = storage::metadata::feature_level; // the level of its build until it is upgraded
  std::chrono::minutes walk_every{60};                            // interval of the reaper's walk over all chunks
  std::optional<actors::lifecycle_options> lifecycle;             // nullopt: no walks
  // Of the metadata's log. Small values make nodes fall behind it.
  std::uint64_t compact_after_entries = 200'000;
  log_index entries_kept = 20'000;
};

class cluster_node {
public:
  // `number`: for texts; the cluster assigns its own node number.
  cluster_node(world& w, checks& c, sim_network& n, member_plan plan, std::size_t number);
  ~cluster_node();
  cluster_node(const cluster_node&) = delete;
  cluster_node& operator=(const cluster_node&) = delete;

  // Starts a process. The first start founds a cluster, or joins the one whose members are `known`, however long that
  // takes.
  void start(const std::vector<uuid>& known = {});
  void crash(bool power_lost);
  // Freezes the process: it runs nothing, and its peers receive nothing from it.
  void freeze();
  void thaw();
  bool frozen() const noexcept { return running() && process_->host.frozen(); }
  void jump_clock(std::chrono::milliseconds by) { // the wall clock of the running process
    if (running()) process_->host.jump_wall(by);
  }
  wall_ms wall() const { return process_->host.wall(); } // running nodes only
  void slow_down(std::uint32_t factor);                  // slows its disks down, also after restarts; 1: as planned
  // For the injection of disk faults.
  std::size_t disks() const noexcept { return disks_.size(); }
  memory_file_system& files(std::size_t disk) { return *disks_[disk].files; }
  faulty_kv& index(std::size_t disk) { return *disks_[disk].index; }
  faulty_kv& state() { return *metadata_.state; }
  memory_file_system& log_files() { return *metadata_.log_files; }
  void fail_log() { log_failed_ = true; } // a write of its log failed: the process must be restarted
  bool disks_are_healthy() const;         // running nodes only: all disks take writes
  bool running() const noexcept { return process_ != nullptr; }
  void upgrade() { feature_level_ = storage::metadata::feature_level; } // takes effect at its next start
  bool is_old() const noexcept { return feature_level_ < storage::metadata::feature_level; }
  bool joined() const noexcept { return identity_.has_value(); }
  bool ready() const noexcept; // takes writes
  bool refused() const;        // by the cluster, permanently, or by itself: its metadata is an older image
  bool leads() const noexcept;

  const uuid& id() const noexcept { return id_; }
  std::size_t number() const noexcept { return number_; }
  std::uint64_t lives() const noexcept { return incarnation_; }
  const actors::services& handles() const; // running members only
  bool serves() const noexcept;            // handles() may be used
  std::optional<node_number> member_number() const;
  actors::layout_ptr layout() const;
  log_index applied() const;
  std::chrono::nanoseconds longest_job() const;          // that runs now on an executor for the metadata
  std::unique_ptr<storage::metadata::view> view() const; // running nodes only; null: it can't be read
  bool has(const chunk_id& chunk) const;                 // on one of its disks; running nodes only
  bool good(const chunk_id& chunk) const;                // likewise, undamaged
  std::vector<chunk_id> chunks() const;                  // on all its disks
  void rot(const chunk_id& chunk, std::uint64_t where);  // flips a bit of the chunk on its disk
  void read_alone(const chunk_id& chunk); // reads from its own disk, as a request would, and drops the answer
  void look_for_damage();                 // as an operator's `repair` does
  void replace_disks();                   // by empty ones; stopped nodes only
  // An image of a chunk disk, as a backup takes it, and its restoration, which consumes it. Stopped nodes only.
  void keep_disk_image(std::size_t disk);
  bool has_disk_image() const noexcept { return disk_image_.has_value(); }
  void restore_disk();
  // Likewise of a member's metadata: log, state, and states that are being transferred.
  void keep_metadata_image();
  bool has_metadata_image() const noexcept { return metadata_image_.has_value(); }
  void restore_metadata();
  // An operator's rescue commands (docs/recovery.md). Stopped members only.
  log_index log_end();      // `cairn cluster recover`
  void recover(uuid fresh); // with --majority-lost: the only voter of a new cluster
  void rejoin();            // its next start joins with the chunks on its disks

  // The members of the metadata's log as this node knows them; filled in after some messages.
  std::shared_ptr<const std::vector<node_number>> ask_log_members() const;
  std::string leftovers() const; // of a running member without requests: buffers, holds and the like; empty: none
  std::string standing() const;  // its state as text

private:
  struct sim_disk {
    std::unique_ptr<memory_file_system> files;
    std::unique_ptr<faulty_kv> index;
  };
  struct sim_metadata {
    std::unique_ptr<faulty_kv> state;
    std::unique_ptr<memory_file_system> log_files, files; // files: of state transfers
  };
  struct open_disk {
    std::unique_ptr<storage::chunk_store> store;
    std::unique_ptr<virtual_executor> reads, writes;
    std::shared_ptr<actors::disk> shared;
    std::vector<actors::chunk_store_actor> actors;
  };
  // Everything that is destroyed with the process.
  struct process {
    process(world& w, machine::clock_faults faults) : host(w.now(), w.begun(), faults) {}
    machine host;
    node_metrics metrics;
    std::unique_ptr<storage::metadata::store> store;
    std::vector<std::unique_ptr<virtual_executor>> executors;
    std::vector<open_disk> disks;
    std::shared_ptr<actors::read_holds> holds;
    std::shared_ptr<std::atomic<bool>> session_began = std::make_shared<std::atomic<bool>>(false);
    std::shared_ptr<actors::metadata_fault> fault = std::make_shared<actors::metadata_fault>();
    std::shared_ptr<virtual_executor> digests;
    std::shared_ptr<sim_peers> network;
    std::shared_ptr<actors::peer_service> service = std::make_shared<actors::peer_service>();
    std::shared_ptr<actors::layout_holder> layout;
    std::shared_ptr<actors::cluster_state> state = std::make_shared<actors::cluster_state>();
    std::shared_ptr<buffer_pool> peer_buffers, backfill_buffers;
    std::shared_ptr<actors::damaged_chunks> damaged = std::make_shared<actors::damaged_chunks>();
    actors::member_chunks chunks;
    actors::services services;
    actors::membership_actor membership;
    actors::reaper_actor reaper;
    actors::lifecycle_actor lifecycle;
    actors::backfill_actor backfill;
    bool member = false;
  };

  virtual_executor* executor(const job_times& times, std::size_t lanes, std::size_t queue_max);
  void open_disks();
  void make_disks();
  void make_metadata();
  result<actors::survivor_metadata> open_survivor();
  std::unique_ptr<cluster::raft::raft_log> make_log();
  void open_metadata();
  void ask_to_join(const std::vector<uuid>& known);
  enum class log_disk : bool { works, may_fail }; // while the log is opened
  void become_member(log_disk its = log_disk::works);
  void spawn_backfill();
  void spawn_metadata(std::shared_ptr<actors::replicated_log_services> log);
  storage::metadata::new_node self() const;

  world& w_;
  checks& checks_;
  sim_network& network_;
  const member_plan plan_;
  const std::size_t number_;
  uuid id_{};
  std::uint64_t incarnation_ = 0;
  std::uint32_t slowness_ = 1, feature_level_;
  steady_time frozen_since_{};
  std::optional<cluster::cluster_identity> identity_;
  std::vector<cluster::known_member> remembered_members_; // as in DATA_DIR/cluster; empty: as at its join
  log_index applied_record_ = 0;                          // as in DATA_DIR/applied
  bool outdated_ = false;                                 // by that record
  std::vector<sim_disk> disks_;
  sim_metadata metadata_;
  std::unique_ptr<cluster::raft::raft_log> survivors_log_;
  bool log_failed_ = false;
  std::optional<std::pair<std::size_t, sim_disk>> disk_image_;
  std::optional<sim_metadata> metadata_image_;
  std::unique_ptr<process> process_;
  std::vector<std::unique_ptr<process>> dead_; // kept, because timers of the world may still refer to their actors
};

} // namespace cairn::sim

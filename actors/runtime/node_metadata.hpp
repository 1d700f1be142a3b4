// A storage node's copy of the metadata: its files, the executors on which the metadata actor works, the room that its
// disk has, and why it is out of service. The storage node owns one. Everything but open(), spawn() and stop() may be
// called on any thread.
#pragma once

#include "actors/metadata/metadata_fault.hpp"
#include "actors/metadata/metadata_files.hpp"
#include "actors/runtime/cluster_member.hpp"
#include "actors/runtime/room_probe.hpp"

namespace cairn::actors {

class node_metadata {
public:
  node_metadata(file_system& files, const cairn::clock& clock, random_source& random, node_metrics& metrics)
      : files_(files), clock_(clock), random_(random), metrics_(metrics) {}

  // Errors: those of open_metadata_files.
  result<void> open(const config::settings& settings);
  // `member` is null on a standalone node.
  metadata_actor spawn(caf::actor_system& system, const node_identity& self,
                       std::shared_ptr<const secrets::key_ring> sealing, cluster_member* member);

  storage::kv_engine& engine() { return *opened_.engine; }
  storage::metadata::store& store() { return *opened_.store; }
  executor& reads() { return *reads_; }
  const std::shared_ptr<storage::kv_damage>& damage() const { return opened_.damage; }
  bool is_new() const { return opened_.is_new; }

  std::string fault() const; // why it is out of service; empty: it is not
  bool has_room() const { return room_->has_room(); }
  bool session_began() const { return session_began_->load(); } // commits are possible
  std::size_t queued_reads() const { return reads_->queued(); }
  std::size_t queued_writes() const { return writes_->queued(); }
  space disk_space() const; // 0 when the file system doesn't say

  void stop(); // the executors

private:
  file_system& files_;
  const cairn::clock& clock_;
  random_source& random_;
  node_metrics& metrics_;
  std::string directory_;
  metadata_files opened_;
  std::unique_ptr<executor> reads_, writes_;
  std::unique_ptr<room_probe> room_;
  std::shared_ptr<std::atomic<bool>> session_began_ = std::make_shared<std::atomic<bool>>(false);
  std::shared_ptr<metadata_fault> fault_ = std::make_shared<metadata_fault>();
};

} // namespace cairn::actors

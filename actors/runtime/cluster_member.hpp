// The parts of a storage node that make it a member of a cluster, in the order of their start: its identity in the
// cluster (founded, joined, or stored by an earlier start), its links, its copy of the metadata's log, the layout, the
// membership actor and the admin service. The storage node owns one (actors/runtime/storage_node.cpp); the caller runs
// the io_contexts.
#pragma once

#include "actors/chunks/chunk_router.hpp"
#include "actors/chunks/chunk_service.hpp"
#include "actors/link/link_peers.hpp"
#include "actors/link/peer_service.hpp"
#include "actors/members/membership.hpp"
#include "actors/metadata/log/replicated_log.hpp"
#include "actors/protocol/actor_slot.hpp"
#include "actors/protocol/cluster_state.hpp"
#include "actors/protocol/layout_holder.hpp"
#include "base/file_system.hpp"
#include "base/files/node_identity.hpp"
#include "cluster/cluster_identity.hpp"
#include "config/config.hpp"

#include <atomic>
#include <map>

namespace cairn::actors {

struct member_services {
  const config::settings* settings = nullptr;
  node_identity node;
  std::vector<boost::asio::io_context*> contexts;
  file_system* files = nullptr;
  storage::kv_engine* engine = nullptr;       // the metadata's state
  std::shared_ptr<storage::kv_damage> damage; // in the state's files
  node_metrics* metrics = nullptr;
  storage::metadata::store* store = nullptr;
  const cairn::clock* clock = nullptr;
  random_source* random = nullptr;
  std::function<void()> refused{}; // of storage_node::open
};

class cluster_member {
public:
  // Founds or joins on the first start. Joining asks the configured members one after the other, for some minutes, and
  // as long as one of them answers that it waits for an operator. Errors: invalid_argument and precondition_failed
  // (another cluster's name, an identity that the cluster refuses, a node that already stores data, unusable TLS
  // files), no_leader (no member answered), io_error, corrupt, no_space, locked.
  static result<std::unique_ptr<cluster_member>> open(member_services services);
  ~cluster_member();

  cluster::raft::raft_log& log_files() { return *log_files_; }
  // Serves this node's chunks to its peers, `servers` actors, and reaches theirs. `buffers` are the gateway's; what
  // peers send and read has a pool of its own.
  std::shared_ptr<const chunk_router> serve_chunks(caf::actor_system& system, std::shared_ptr<const store_router> local,
                                                   std::shared_ptr<buffer_pool> buffers, std::size_t servers,
                                                   bool disk_closed);
  // For the metadata actor; call once.
  std::shared_ptr<replicated_log_services> log_services();
  // Spawns the membership actor and the admin service; serves peers from now on.
  result<void> start(caf::actor_system& system, membership_services services, const metadata_actor& metadata);
  // On the leader: transfers leadership to another voter and waits a little for it. Any thread but the contexts'.
  void transfer_leadership(caf::actor_system& system);
  // SIGHUP: reads the certificate again, for new links. invalid_argument, not_found, io_error: the old one stays in
  // use.
  result<void> reload_certificate(const config::cluster_tls_settings& files);
  wall_ms certificate_end() const { return certificate_end_->load(); } // 0: none
  // Stops the chunk service and ends the links.
  void stop();

  const std::shared_ptr<layout_holder>& layout() const { return layout_; }
  const std::shared_ptr<cluster_state>& state() const { return state_; }
  storage::metadata::new_node self() const;
  admin_service_actor admin_service() const { return admin_service_->get(); } // null before start() and after stop()

private:
  explicit cluster_member(member_services services) : services_(std::move(services)) {}
  result<void> check_refusal() const;
  void remember_refusal(const std::string& why) const;
  std::optional<std::string> refused_by_peers() const;
  result<void> open_links();
  result<std::shared_ptr<link::tls_identity>> read_identity(const config::cluster_tls_settings& files) const;
  result<void> find_cluster();
  result<void> check_that_it_is_new();
  result<void> found();
  result<void> join();
  result<join_answer> ask_to_join();
  std::string log_directory() const;
  result<void> open_log_files();
  result<void> open_log();
  result<void> remember_members();
  error unreadable(const error& why) const;

  member_services services_;
  cluster::cluster_identity identity_;
  std::shared_ptr<local_handshake> hello_;
  std::shared_ptr<link::tls_identity> tls_; // null: plaintext
  std::shared_ptr<std::atomic<wall_ms>> certificate_end_ = std::make_shared<std::atomic<wall_ms>>(0);
  std::shared_ptr<peer_service> service_ = std::make_shared<peer_service>();
  std::shared_ptr<link_peers> links_;
  std::map<char, std::size_t> configured_asked_; // by kind of request; used by the membership actor only
  std::shared_ptr<layout_holder> layout_;
  std::shared_ptr<cluster_state> state_ = std::make_shared<cluster_state>();
  std::shared_ptr<cluster::raft::raft_log> log_files_;
  std::shared_ptr<storage::kv_damage> log_damage_;
  std::unique_ptr<executor> log_writes_, log_reads_, transfers_;
  std::shared_ptr<replicated_log_services> log_;
  std::unique_ptr<chunk_service> chunk_service_;
  actor_slot_ptr<metadata_actor> metadata_ = slot_of(metadata_actor{});
  actor_slot_ptr<membership_actor> membership_ = slot_of(membership_actor{});
  actor_slot_ptr<admin_service_actor> admin_service_ = slot_of(admin_service_actor{});
};

} // namespace cairn::actors

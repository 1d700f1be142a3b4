// Where chunks are read and written, for the gateway's actors. On a standalone node: the local disks
// (store_router.hpp). In a cluster: the owners of the chunk's partition by the newest layout that this node knows; this
// node by its own disks, the other owners by remote stores, which are created on first use.
//
//   read:  the places of the chunk in the order to ask them. The local disks come first when this node is an owner, and
//          last when it is none (it may have been an owner before). The other owners are ranked: up before down, then
//          not suspect before suspect, then current before target owners, then the faster ones. Owners whose typical
//          times differ by less than a factor of two are a tie and keep the partition's own order, so that reads
//          spread.
//   write: the owners by cluster::route_write, and the store of each owner.
//
// Thread-safe, shared by all downloads and uploads of a node. Everything that it returns lives as long as the router.
#pragma once

#include "actors/chunks/read_budget.hpp"
#include "actors/chunks/remote_store.hpp"
#include "actors/chunks/store_router.hpp"
#include "actors/protocol/layout_holder.hpp"

#include <shared_mutex>

namespace cairn::actors {

struct remote_node {
  node_number number = 0;
  uuid id{};
  remote_store handle;
};

// An owner that is not this node, with the facts that rank its reads.
struct read_candidate {
  const remote_node* node = nullptr;
  bool up = false, suspect = false, current = false;
  std::uint64_t typical_us = 0;
};
void rank_candidates(std::span<read_candidate> owners); // best first

class read_route {
public:
  struct place {
    const chunk_store_actor& store;
    const peer_health* health; // null: a disk of this node
  };
  std::size_t places() const noexcept { return disks_ + remotes_; }
  place at(std::size_t n) const; // n < places()
  bool remote(std::size_t n) const noexcept { return n - first_remote_ < remotes_; }
  node_number node(std::size_t n) const noexcept { return remote(n) ? nodes_[n - first_remote_]->number : self_; }
  // Whether place n may get a hedge: a remote owner that is up and not suspect.
  bool may_hedge_to(std::size_t n) const noexcept { return n < places() && remote(n) && n - first_remote_ < steady_; }
  bool in_cluster() const noexcept { return in_cluster_; }

private:
  friend class chunk_router;
  static constexpr std::size_t remotes_max = 2 * storage::metadata::owners_max;
  chunk_id chunk_;
  const store_router* local_ = nullptr;
  std::size_t disks_ = 0, first_remote_ = 0, remotes_ = 0, steady_ = 0; // steady: up and not suspect
  bool in_cluster_ = false;
  node_number self_ = 0;
  std::array<const remote_node*, remotes_max> nodes_{}; // the first remotes_
};

struct routed_write {
  cluster::write_route route; // standalone: one owner, number 0
  layout_epoch epoch = 0;
};

class chunk_router {
public:
  struct cluster_services {
    std::shared_ptr<layout_holder> layouts;
    std::shared_ptr<peers> network;
    std::function<remote_store(const uuid& peer)> make;
  };

  explicit chunk_router(std::shared_ptr<const store_router> local); // a standalone node
  chunk_router(std::shared_ptr<const store_router> local, cluster_services services);
  ~chunk_router(); // stop()
  chunk_router(const chunk_router&) = delete;
  chunk_router& operator=(const chunk_router&) = delete;

  // Ends the remote stores; their requests in flight are answered with stopping.
  void stop() const;

  const store_router& local() const noexcept { return *local_; }
  bool in_cluster() const noexcept { return services_.layouts != nullptr; }
  layout_holder* layouts() const noexcept { return services_.layouts.get(); } // null: standalone
  read_budget& budget() const noexcept { return budget_; }
  bool is_local(node_number owner) const { return !in_cluster() || owner == services_.layouts->self(); }

  read_route route_read(const chunk_id& chunk) const;
  // no_leader: this node does not know the layout yet.
  result<routed_write> route_write(const chunk_id& chunk) const;
  // The store that writes a new chunk on this owner; null: no local disk takes writes, or there is no such node.
  const chunk_store_actor* writer(const chunk_id& chunk, node_number owner) const;
  // The remote store of a member; null for this node, removed ones and numbers that the layout does not have.
  const remote_node* peer(node_number number) const;

private:
  const remote_node* peer_of(const cluster::layout& layout, node_number number) const;

  const std::shared_ptr<const store_router> local_;
  const cluster_services services_;
  mutable read_budget budget_;
  mutable std::shared_mutex mutex_;
  mutable std::vector<std::unique_ptr<remote_node>> remotes_; // by number
};

} // namespace cairn::actors

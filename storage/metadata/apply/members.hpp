// Nodes, partition owners and the layout's epoch within a batch: checks the commands of cluster_commands.hpp against
// the rows and applies them.
#pragma once

#include "storage/metadata/apply/batch.hpp"

namespace cairn::storage::metadata {

class member_ledger {
public:
  explicit member_ledger(batch& b) : b_(b) {}

  command_result create(const create_cluster& c);
  // Gives the cluster the id and name of `c`. The first node of `c` becomes an active member (added if it is none);
  // every other active node is taken out until it comes back; the epoch is incremented. Returns the node's number in
  // `more`. Without a cluster the same as `create`. precondition_failed: the node was removed.
  command_result refound(const create_cluster& c);
  command_result add(const add_node& c);
  command_result invite(const invite_node& c);
  command_result set(const set_node& c);
  // `removed` is set to the node's id if this command removes it.
  command_result remove(const remove_node& c, std::optional<uuid>& removed);
  command_result set_targets(const metadata::set_targets& c);
  command_result move(const moved& c);
  command_result note(const note_down& c);
  command_result note(const note_up& c);

  // Whether a write quorum of its current owners has confirmed each chunk. The gateway counted owners of the layout at
  // the time of the write; since then targets may have become current, and reads and repairs use only the current
  // owners.
  bool durable(const written_blob& written);

  layout_epoch epoch(); // 0: there is no cluster
  bool is_removed(const uuid& id);
  // Records the incarnation with which a member begins a session. False: it is older than one recorded before.
  bool note_start(const uuid& id, std::uint64_t incarnation);
  // False for numbers that were never assigned and for removed nodes.
  bool may_own(node_number n);

private:
  std::optional<cluster_row> cluster();
  std::optional<node_row> node(node_number n);
  std::optional<node_number> number_of(const uuid& id);
  // The node that a command changes; nullopt with `refused` set if there is no such node or it was removed.
  std::optional<node_row> find(node_number n, command_result& refused);
  void put(const node_row& row);
  command_result raise_epoch(cluster_row& row);
  command_result unchanged();
  std::optional<error> member_limit_error(const cluster_row& row); // why no member can be added
  std::optional<error> consume(const used_invitation& by, const uuid& node);

  std::optional<owners_page> load_page(std::uint16_t page);
  bool owns_something(node_number n);
  // Calls `change(owners, item)` for each item, in ascending order of partitions, and writes the owners for which it
  // returns true. Returns whether there were any.
  template <class Items, class Partition, class Change>
  bool change_owners(const Items& items, Partition partition_of_item, Change change);
  layout_epoch acknowledged();

  batch& b_;
};

} // namespace cairn::storage::metadata

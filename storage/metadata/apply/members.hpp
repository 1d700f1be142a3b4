// Nodes, partition owners and the layout's epoch within a batch: checks the commands of cluster_commands.hpp against
// the rows and writes what they say.
#pragma once

#include "storage/metadata/apply/batch.hpp"

namespace cairn::storage::metadata {

class member_ledger {
public:
  explicit member_ledger(batch& b) : b_(b) {}

  command_result create(const create_cluster& c);
  // The cluster gets the id and name of `c`, its first node is a member (added when it is none, back in when it was
  // taken out), all others are taken out until they come back, and the epoch rises. Answers the node's number in
  // `more`. Without a cluster the same as `create`. precondition_failed: the node was removed.
  command_result refound(const create_cluster& c);
  command_result add(const add_node& c);
  command_result invite(const invite_node& c);
  command_result set(const set_node& c);
  // `removed`: the node's id, when it was removed just now.
  command_result remove(const remove_node& c, std::optional<uuid>& removed);
  command_result set_targets(const metadata::set_targets& c);
  command_result move(const moved& c);
  command_result note(const note_down& c);
  command_result note(const note_up& c);

  // Whether a write quorum of its current owners confirmed each chunk. A gateway counts by the layout that it wrote by;
  // since then targets may have become current, and reads and repairs ask only them.
  bool durable(const written_blob& written);

  layout_epoch epoch(); // 0: there is no cluster
  bool is_removed(const uuid& id);
  // A member writes as this start from now on: none that is older is believed any more. False: it is an older one.
  bool note_start(const uuid& id, std::uint64_t incarnation);
  // False for numbers that were never given and for removed nodes.
  bool may_own(node_number n);

private:
  std::optional<cluster_row> cluster();
  std::optional<node_row> node(node_number n);
  std::optional<node_number> number_of(const uuid& id);
  // The node of a command that changes it; else `refused` says why not.
  std::optional<node_row> find(node_number n, command_result& refused);
  void put(const node_row& row);
  command_result raise_epoch(cluster_row& row);
  command_result unchanged();
  std::optional<error> why_not_more(const cluster_row& row); // members
  std::optional<error> consume(const used_invitation& by, const uuid& node);

  std::optional<owners_page> load_page(std::uint16_t page);
  bool owns_something(node_number n);
  // For each partition of the rising list that `partition_of_item` reads, `change(owners, item)`; true: write it back.
  template <class Items, class Partition, class Change>
  bool change_owners(const Items& items, Partition partition_of_item, Change change);
  layout_epoch acknowledged();

  batch& b_;
};

} // namespace cairn::storage::metadata

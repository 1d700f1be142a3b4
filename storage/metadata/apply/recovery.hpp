// A state that goes on without those who shared it: the majority of a cluster is lost for good, or a backup is put in
// the place of what was lost. It becomes the state of a new cluster with one node that knows everything; the id is a
// new one, so that members of the old cluster that come back are refused instead of deciding something of their own.
//
// What the state does not know may be on the disks: commits that were lost with the majority, or made after the backup.
// So numbers (of writer sessions among others) are not given again, and deletion is held until the operator says so
// (hold_deletions). Writer sessions end: their nodes begin new ones. The other nodes stay members, but are out: this
// one takes writes alone, until they come back.
#pragma once

#include "storage/kv/kv.hpp"
#include "storage/metadata/commands/commands.hpp"

namespace cairn::storage::metadata {

struct refounded {
  node_number self = 0;
  log_index applied = 0; // of the state, this change included
};

// As a batch of the group in the caller's transaction, which he commits. `c.first` is the node that goes on; replicas,
// quorum and the node's weight count only where the state has no cluster or does not know the node. Errors:
// precondition_failed (the node was removed from the cluster), invalid_argument, corrupt, io_error.
result<refounded> refound_cluster(kv_writer& writer, group_id group, const create_cluster& c);

} // namespace cairn::storage::metadata

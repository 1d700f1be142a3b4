// Disaster recovery: makes the state the state of a new cluster, after the majority of the old cluster is lost for
// good, or when a backup replaces a lost state. The new cluster has one active node. It has a new id, so that returning
// members of the old cluster are refused and cannot form a second majority.
//
// The disks may have chunks that the state does not know: of commits that were lost with the majority, or made after
// the backup. So ids (for example of writer sessions) are skipped and not assigned again, and deletion is held until
// the operator releases it (hold_deletions). All writer sessions end; their nodes begin new ones. The other nodes stay
// members, but are out or draining: this node alone accepts writes until they come back. It holds chunks even if it was
// drained or had no weight before.
#pragma once

#include "storage/kv/kv.hpp"
#include "storage/metadata/commands/commands.hpp"

namespace cairn::storage::metadata {

struct refounded {
  node_number self = 0;
  log_index applied = 0; // of the state, including this change
};

// Applied as a batch of the group in the caller's transaction, which the caller commits. `c.first` is the active node;
// replicas and quorum are used only if the state has no cluster, the weight only if the node has none there. Errors:
// precondition_failed (the node was removed from the cluster), invalid_argument, corrupt, io_error.
result<refounded> refound_cluster(kv_writer& writer, group_id group, const create_cluster& c);

} // namespace cairn::storage::metadata

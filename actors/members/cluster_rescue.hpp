// Operations on the metadata files of a node, called by the command line: back up, restore a cluster from a backup,
// recover a cluster from a surviving member, and prepare another survivor to rejoin. The node must be stopped, except
// for a backup.
//
// After restore and recover the node is the only voter of a new cluster with a new id, so that remaining nodes of the
// old cluster cannot affect it; deletions are held (storage/metadata/apply/recovery.hpp). The old members keep their
// chunks: after `rejoin` they join the new cluster with their disks unchanged.
//
// After a crash within one of these operations the node refuses to start until the operation is run again. Nothing is
// lost: files are moved aside, never deleted. Errors: not_found (no metadata, no such file), locked (the node runs),
// precondition_failed (see the functions), corrupt, unsupported, io_error, no_space.
#pragma once

#include "base/seams.hpp"
#include "config/config.hpp"
#include "storage/metadata/read/dump.hpp"

namespace cairn::actors {

struct cluster_founded {
  uuid cluster{};
  std::string name;
  node_number self = 0;
  log_index applied = 0;
};

// Backs up the state of a running or stopped node. Replaces `path` once the backup is complete.
result<storage::metadata::dump_info> back_up_metadata(const config::settings& settings, const std::string& path);

// The node must not have metadata of its own: precondition_failed.
result<cluster_founded> restore_cluster(const config::settings& settings, const std::string& backup,
                                        random_source& random, const cairn::clock& clock);

// All entries of this node's log count as committed. not_found: the node is not in a cluster.
struct survivor {
  std::string name;
  log_index applied = 0, last = 0;  // indexes of the log
  std::vector<std::string> members; // number, id, address
};
result<survivor> inspect_survivor(const config::settings& settings);
result<cluster_founded> recover_cluster(const config::settings& settings, random_source& random,
                                        const cairn::clock& clock);

// Removes the node's cluster identity and metadata, keeps its chunks. Answers the folder into which the metadata was
// moved; empty: there was no metadata.
result<std::string> leave_for_rejoin(const config::settings& settings);

} // namespace cairn::actors

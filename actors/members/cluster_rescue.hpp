// What an operator does to the files of a node about its cluster's metadata: a backup, a new cluster from a backup, a
// new cluster from a survivor, and a survivor's return to it. The command line calls these (cli); nothing else runs
// but, beside a backup, the node itself.
//
// After restore and recover the node is the only voter of a new cluster with a new id, so that what is left of the old
// one can't decide anything any more; deletion is held (storage/metadata/apply/recovery.hpp). The old members' chunks
// stay theirs: after `rejoin` they join with their disks as they are.
//
// After a crash within one of them the node refuses to start until it was run again, and nothing is lost: files are set
// aside, never deleted. Errors: not_found (no metadata, no such file), locked (the node runs), precondition_failed (see
// there), corrupt, unsupported, io_error, no_space.
#pragma once

#include "base/seams.hpp"
#include "config/config.hpp"
#include "storage/metadata/read/dump.hpp"

namespace cairn::actors {

struct cluster_founded {
  storage::uuid cluster{};
  std::string name;
  storage::node_number self = 0;
  storage::log_index applied = 0;
};

// Of a node that runs or of one that does not: the state that it has. Replaces `path` when that is whole.
result<storage::metadata::dump_info> back_up_metadata(const config::settings& settings, const std::string& path);

// The node must not have metadata of its own: precondition_failed.
result<cluster_founded> restore_cluster(const config::settings& settings, const std::string& backup,
                                        storage::random_source& random, const storage::clock& clock);

// Everything that is in this node's log counts as committed. not_found: it is in no cluster.
struct survivor {
  std::string name;
  storage::log_index applied = 0, last = 0; // of the log
  std::vector<std::string> members;         // number, id, address
};
result<survivor> inspect_survivor(const config::settings& settings);
result<cluster_founded> recover_cluster(const config::settings& settings, storage::random_source& random,
                                        const storage::clock& clock);

// Forgets the cluster and its metadata, keeps the chunks. Answers where the metadata was set aside; empty: there was
// none.
result<std::string> leave_for_rejoin(const config::settings& settings);

} // namespace cairn::actors

// The members in the node's cluster file (cluster/cluster_identity.hpp). The node uses them to reach other members when
// its metadata is unreadable or out of date. A plain class; one owner.
#pragma once

#include "cluster/cluster_identity.hpp"
#include "storage/metadata/rows/cluster_rows.hpp"

#include <optional>
#include <span>
#include <vector>

namespace cairn::cluster {

class remembered_members {
public:
  explicit remembered_members(std::vector<known_member> on_disk) : on_disk_(std::move(on_disk)) {}

  // `members`: of the newest layout. Returns the content with which to replace the file, or nullopt if it is up to
  // date; the same content until `written` is called. An address in the file is kept until the layout's address
  // changes: an operator may have corrected it, and the layout may still have the old one. Removed members are dropped.
  std::optional<std::vector<known_member>> observe(std::span<const storage::metadata::node_row> members);
  void written(std::vector<known_member> members) { on_disk_ = std::move(members); }

private:
  std::vector<known_member> on_disk_, seen_; // seen_: of the last layout
  std::vector<known_member> wanted_;
};

} // namespace cairn::cluster

// What a node's file of its cluster (cluster/cluster_identity.hpp) says of the members: by it the node finds the others
// when its metadata can't be read, or tells of a time when they were others. A plain class of one actor.
#pragma once

#include "cluster/cluster_identity.hpp"
#include "storage/metadata/rows/cluster_rows.hpp"

#include <optional>
#include <span>
#include <vector>

namespace cairn::cluster {

class remembered_members {
public:
  explicit remembered_members(std::vector<storage::known_member> on_disk) : on_disk_(std::move(on_disk)) {}

  // The members of the newest layout; what the file must be replaced with, if anything, until `written` says that it
  // was. An address on the disk stays until the layout's changes: an operator may have corrected it, and a layout
  // from before that knows only the old one. Removed members go.
  std::optional<std::vector<storage::known_member>> observe(std::span<const storage::metadata::node_row> members);
  void written(std::vector<storage::known_member> members) { on_disk_ = std::move(members); }

private:
  std::vector<storage::known_member> on_disk_, seen_; // seen_: of the last layout
  std::vector<storage::known_member> wanted_;
};

} // namespace cairn::cluster

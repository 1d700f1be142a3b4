// The layout as this node knows it, for everybody who routes chunks, and which layouts running uploads have used. The
// metadata actor sets it when the log changed it; the node's writer session acknowledges an epoch when no upload that
// began under an older one still runs, so that a partition never counts as moved while somebody writes past its new
// owners. Thread-safe; shared.
#pragma once

#include "cluster/cluster_identity.hpp"
#include "cluster/layout/layout.hpp"

#include <map>
#include <memory>
#include <mutex>

namespace cairn::actors {

using layout_ptr = std::shared_ptr<const cluster::layout>;

class layout_holder : public std::enable_shared_from_this<layout_holder> {
public:
  // `self`: this node's number in the layout. Owned by a shared_ptr.
  explicit layout_holder(storage::node_number self) : self_(self) {}

  storage::node_number self() const noexcept { return self_; }
  layout_ptr get() const; // null until the first set()
  // One of an older epoch is passed over. What is known of the members changes within an epoch: callers hand layouts in
  // in the order of their log indexes.
  void set(layout_ptr fresh);

  // Members that others know, for a node that was away while they changed: those behind the layout's last number are
  // the news, and one of them may lead.
  using members_ptr = std::shared_ptr<const std::vector<storage::known_member>>;
  void learn(std::vector<storage::known_member> members);
  members_ptr learned() const; // null until the first learn()

  // An upload: the layout when it began, kept as "in use" until the last copy goes. It may write by newer layouts too.
  using use = std::shared_ptr<const cluster::layout>;
  use begin_upload();
  // The newest epoch of which it is true that no running upload began under an older one; 0 without a layout.
  storage::layout_epoch settled_epoch() const;

private:
  void end_upload(storage::layout_epoch epoch);

  const storage::node_number self_;
  mutable std::mutex mutex_;
  layout_ptr layout_;
  members_ptr learned_;
  std::map<storage::layout_epoch, std::size_t> uploads_;
};

} // namespace cairn::actors

// The layout as this node knows it, for all code that routes chunks, and the layouts that running uploads use. The
// metadata actor sets the layout when the log changed it. The node's writer session acknowledges an epoch once no
// running upload began under an older one, so a move is never complete while an upload still writes to the old owners
// only. Thread-safe; shared.
#pragma once

#include "base/seams.hpp"
#include "cluster/cluster_identity.hpp"
#include "cluster/layout/layout.hpp"

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

namespace cairn::actors {

using layout_ptr = std::shared_ptr<const cluster::layout>;

class layout_holder : public std::enable_shared_from_this<layout_holder> {
public:
  // `self`: this node's number in the layout. Owned by a shared_ptr.
  explicit layout_holder(node_number self) : self_(self) {}

  node_number self() const noexcept { return self_; }
  layout_ptr get() const; // null until the first set()
  // A layout of an older epoch is ignored. Facts about members change within an epoch: call set() in the order of the
  // layouts' log indexes.
  void set(layout_ptr fresh);

  // Members that other nodes know, for a node that was away while the membership changed: members beyond the layout's
  // last number are new to it, and one of them may lead.
  using members_ptr = std::shared_ptr<const std::vector<cluster::known_member>>;
  void learn(std::vector<cluster::known_member> members);
  members_ptr learned() const;      // null until the first learn()
  std::vector<uuid> others() const; // the members of the layout, and what this node has learned

  // Addresses that the layout does not have yet: reported by the members themselves to a node that leads or knows no
  // leader, or told by a member to a node that cannot reach its leader. A leader commits them to the layout. A node
  // that reaches its leader at such an address needs it until it has fetched that layout, so it forgets them only when
  // it has followed a leader for a while.
  using addresses = std::map<node_number, std::string>;
  using addresses_ptr = std::shared_ptr<const addresses>;
  void note_address(const uuid& member, const std::string& reported);
  void age_addresses(bool has_leader, steady_time now); // `has_leader`: another node leads
  addresses_ptr moved() const;                          // not null

  // Begins an upload: the layout at its begin, counted as in use until the last copy of `use` is destroyed. The upload
  // may write by newer layouts too.
  using use = std::shared_ptr<const cluster::layout>;
  use begin_upload();
  // The newest epoch such that no running upload began under an older one; 0 without a layout.
  layout_epoch settled_epoch() const;

  static constexpr std::chrono::seconds addresses_kept{30};

private:
  void end_upload(layout_epoch epoch);

  const node_number self_;
  mutable std::mutex mutex_;
  layout_ptr layout_;
  members_ptr learned_;
  addresses_ptr moved_ = std::make_shared<const addresses>();
  std::optional<steady_time> followed_since_;
  std::map<layout_epoch, std::size_t> uploads_;
};

} // namespace cairn::actors

#include "cluster/layout/comparisons.hpp"

namespace cairn::cluster {

namespace {

void add(comparisons::round& r, partition_id p) {
  r.partitions[p] = true;
  ++r.count;
}

comparisons::round empty_round(const layout& l) {
  const std::vector<bool> none(partition_count);
  return {.epoch = l.epoch, .partitions = none, .read = none, .count = 0};
}

} // namespace

const std::vector<partition_id>& comparisons::incoming(const layout& l, member_index self) {
  if (l.epoch == incoming_epoch_ && self == incoming_self_) return incoming_;
  incoming_.clear();
  for (std::size_t p = 0; p < l.partitions.size(); ++p) {
    const auto& owners = l.partitions[p];
    if (owners.target.contains(self) && (!owners.current.contains(self) || only_shrinks(owners)))
      incoming_.push_back(partition_id(p));
  }
  incoming_epoch_ = l.epoch;
  incoming_self_ = self;
  return incoming_;
}

comparisons::round comparisons::next(const layout& l, member_index self, layout_epoch acknowledged) {
  auto r = empty_round(l);
  for (const auto p : incoming(l, self)) {
    const auto& owners = l.partitions[p];
    if (owners.epoch > acknowledged || compared_[p] >= owners.epoch) continue;
    add(r, p);
    r.read[p] = leaves_single_owner(owners);
  }
  return r;
}

comparisons::round comparisons::everything(const layout& l, member_index self) {
  auto r = empty_round(l);
  for (std::size_t p = 0; p < l.partitions.size(); ++p)
    if (read_owners(l, partition_id(p)).contains(self)) add(r, partition_id(p));
  return r;
}

void comparisons::finished(const round& done, const std::vector<bool>& failed) {
  for (std::size_t p = 0; p < compared_.size(); ++p)
    if (done.partitions[p] && !failed[p]) compared_[p] = done.epoch;
}

std::vector<partition_id> comparisons::complete(const layout& l, member_index self) {
  std::vector<partition_id> all;
  for (const auto p : incoming(l, self))
    if (compared_[p] >= l.partitions[p].epoch) all.push_back(p);
  return all;
}

} // namespace cairn::cluster

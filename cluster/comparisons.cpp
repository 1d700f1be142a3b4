#include "cluster/comparisons.hpp"

namespace cairn::cluster {

namespace {

bool is_incoming(const partition_owners& owners, member_index self) {
  return owners.target.contains(self) && !owners.current.contains(self);
}

template <class Wanted>
comparisons::round round_of(const layout& l, Wanted wanted) {
  comparisons::round r{.epoch = l.epoch, .partitions = std::vector<bool>(storage::partition_count), .count = 0};
  for (std::size_t p = 0; p < l.partitions.size(); ++p) {
    if (!wanted(partition_id(p))) continue;
    r.partitions[p] = true;
    ++r.count;
  }
  return r;
}

} // namespace

comparisons::round comparisons::next(const layout& l, member_index self, layout_epoch acknowledged) const {
  return round_of(l, [&](partition_id p) {
    const auto& owners = l.partitions[p];
    return is_incoming(owners, self) && owners.epoch <= acknowledged && compared_[p] < owners.epoch;
  });
}

comparisons::round comparisons::everything(const layout& l, member_index self) {
  return round_of(l, [&](partition_id p) { return read_owners(l, p).contains(self); });
}

void comparisons::finished(const round& done, const std::vector<bool>& failed) {
  for (std::size_t p = 0; p < compared_.size(); ++p)
    if (done.partitions[p] && !failed[p]) compared_[p] = done.epoch;
}

std::vector<partition_id> comparisons::complete(const layout& l, member_index self) const {
  std::vector<partition_id> all;
  for (std::size_t p = 0; p < l.partitions.size(); ++p)
    if (is_incoming(l.partitions[p], self) && compared_[p] >= l.partitions[p].epoch) all.push_back(partition_id(p));
  return all;
}

} // namespace cairn::cluster

#include "actors/chunks/store_router.hpp"

namespace cairn::actors {

namespace {

cluster::placement placement_of(const std::vector<store_router::member>& members) {
  std::vector<cluster::placement_member> places;
  places.reserve(members.size());
  for (const auto& m : members) places.push_back(m.place);
  return cluster::placement{places};
}

} // namespace

store_router::store_router(std::vector<member> disks) : members_(std::move(disks)), placement_(placement_of(members_)) {
  for (const auto& m : members_) CAIRN_ASSERT(!m.actors.empty());
}

const chunk_store_actor& store_router::reader(const chunk_id& chunk, std::size_t rank) const {
  const auto& actors = members_[placement_.ranked(partition_of(chunk))[rank]].actors;
  return actors[(chunk.index + chunk.blob.number) % actors.size()]; // successive chunks go to different actors
}

const chunk_store_actor* store_router::writer(const chunk_id& chunk) const {
  const chunk_store_actor* full = nullptr; // the first one
  for (const auto number : placement_.ranked(partition_of(chunk))) {
    const auto& m = members_[number];
    if (m.state && !m.state->takes_writes()) continue;
    if (!m.state || m.state->has_room()) return &m.actors.front();
    if (full == nullptr) full = &m.actors.front();
  }
  return full;
}

} // namespace cairn::actors

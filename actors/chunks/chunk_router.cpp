#include "actors/chunks/chunk_router.hpp"

#include <algorithm>
#include <bit>

namespace cairn::actors {

void rank_candidates(std::span<read_candidate> owners) {
  const auto key = [](const read_candidate& c) {
    return std::tuple{!c.up, c.suspect, !c.current, std::bit_width(c.typical_us)};
  };
  std::stable_sort(owners.begin(), owners.end(), [&](const auto& a, const auto& b) { return key(a) < key(b); });
}

read_route::place read_route::at(std::size_t n) const {
  if (remote(n)) {
    const auto& handle = nodes_[n - first_remote_]->handle;
    return {handle.store, handle.health.get()};
  }
  return {local_->reader(chunk_, n < first_remote_ ? n : n - remotes_), nullptr};
}

chunk_router::chunk_router(std::shared_ptr<const store_router> local) : local_(std::move(local)) {}

chunk_router::chunk_router(std::shared_ptr<const store_router> local, cluster_services services)
    : local_(std::move(local)), services_(std::move(services)) {
  CAIRN_ASSERT(services_.layouts && services_.network && services_.make);
}

chunk_router::~chunk_router() {
  stop();
}

void chunk_router::stop() const {
  const std::unique_lock lock{mutex_};
  for (const auto& r : remotes_)
    if (r) caf::anon_send_exit(r->handle.store, caf::exit_reason::user_shutdown);
}

read_route chunk_router::route_read(const chunk_id& chunk) const {
  read_route r;
  r.chunk_ = chunk;
  r.local_ = local_.get();
  r.disks_ = r.first_remote_ = local_->disks();
  if (!in_cluster()) return r;
  r.in_cluster_ = true;
  r.self_ = services_.layouts->self();
  const auto layout = services_.layouts->get();
  if (!layout || layout->partitions.empty()) return r;
  const auto& owners = layout->partitions[partition_of(chunk)];
  std::array<read_candidate, read_route::remotes_max> found;
  bool own = false;
  for (const auto number : cluster::read_owners(*layout, partition_of(chunk))) {
    own = own || number == services_.layouts->self();
    const auto* node = peer_of(*layout, number);
    if (!node) continue;
    const auto& health = *node->handle.health;
    const bool up = services_.network->up(node->id);
    found[r.remotes_++] = {node, up, health.suspect(), owners.current.contains(number), health.typical_us()};
    r.steady_ += up && !health.suspect();
  }
  rank_candidates(std::span{found}.first(r.remotes_));
  for (std::size_t i = 0; i < r.remotes_; ++i) r.nodes_[i] = found[i].node;
  if (!own) r.first_remote_ = 0;
  return r;
}

result<routed_write> chunk_router::route_write(const chunk_id& chunk) const {
  if (!in_cluster()) return routed_write{{{0}, 1, 1}, 0};
  const auto layout = services_.layouts->get();
  if (!layout || layout->partitions.empty()) return error{errc::no_leader, "this node knows no layout yet"};
  return routed_write{cluster::route_write(*layout, partition_of(chunk)), layout->epoch};
}

const chunk_store_actor* chunk_router::writer(const chunk_id& chunk, node_number owner) const {
  if (is_local(owner)) return local_->writer(chunk);
  const auto* node = peer(owner);
  return node ? &node->handle.store : nullptr;
}

const remote_node* chunk_router::peer(node_number number) const {
  const auto layout = in_cluster() ? services_.layouts->get() : nullptr;
  return layout ? peer_of(*layout, number) : nullptr;
}

const remote_node* chunk_router::peer_of(const cluster::layout& layout, node_number number) const {
  if (number == services_.layouts->self() || number >= layout.members.size()) return nullptr;
  const auto& member = layout.members[number];
  if (member.state == cluster::member_state::removed) return nullptr;
  {
    const std::shared_lock lock{mutex_};
    if (number < remotes_.size() && remotes_[number]) return remotes_[number].get();
  }
  const std::unique_lock lock{mutex_};
  if (number >= remotes_.size()) remotes_.resize(number + 1u);
  auto& made = remotes_[number];
  if (!made) made = std::make_unique<remote_node>(remote_node{number, member.id, services_.make(member.id)});
  return made.get();
}

} // namespace cairn::actors

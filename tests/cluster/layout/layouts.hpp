// Layouts for tests: clusters of random members, and counts on layouts.
#pragma once

#include "cluster/layout/layout_plan.hpp"

#include <gtest/gtest.h>

#include <random>
#include <set>
#include <span>

namespace cairn::cluster {

inline uuid random_uuid(std::mt19937_64& draw) {
  uuid id;
  for (auto& byte : id) byte = std::uint8_t(draw());
  return id;
}

inline storage::metadata::new_node random_node(std::mt19937_64& draw, std::uint32_t weight = 100,
                                               const std::string& zone = "") {
  return {.id = random_uuid(draw), .address = "node:7000", .zone = zone, .weight = weight};
}

// What create_cluster makes: a cluster of one member, which owns everything.
inline layout found_cluster(const storage::metadata::create_cluster& command) {
  layout l{.cluster = command.id, .epoch = 1, .replicas = command.replicas, .write_quorum = command.write_quorum};
  l.members.push_back({.id = command.first.id,
                       .address = command.first.address,
                       .zone = command.first.zone,
                       .weight = command.first.weight,
                       .incarnation = command.first.incarnation});
  l.partitions.assign(partition_count, {.epoch = 1, .current = {0}, .target = {0}});
  return l;
}

inline layout_plan planned(const layout& l, const layout_change& c) {
  auto plan = plan_change(l, c);
  EXPECT_TRUE(plan) << plan.error().text;
  return std::move(*plan);
}

// The effect of metadata::moved: the targets of these partitions become current, and the epoch is incremented.
inline void mark_moved(layout& l, std::span<const partition_id> partitions) {
  bool any = false;
  for (const partition_id p : partitions) {
    CAIRN_ASSERT(p < l.partitions.size());
    partition_owners& owners = l.partitions[p];
    if (owners.current == owners.target) continue;
    owners.current = owners.target;
    owners.epoch = l.epoch + 1;
    any = true;
  }
  if (any) ++l.epoch;
}

inline void move_everything(layout& l) {
  std::vector<partition_id> all;
  for (std::uint32_t p = 0; p < partition_count; ++p) all.push_back(partition_id(p));
  mark_moved(l, all);
}

// A cluster without pending moves, of members with these weights; the i-th is in zone i modulo `zones`.
inline layout cluster_of(const std::vector<std::uint32_t>& weights, std::size_t zones = 1, std::uint64_t seed = 1,
                         std::uint8_t replicas = 3) {
  std::mt19937_64 draw{seed};
  const auto zone = [&](std::size_t i) { return "zone-" + std::to_string(i % zones); };
  layout l = found_cluster(
      {.id = random_uuid(draw), .name = "test", .replicas = replicas, .first = random_node(draw, weights[0], zone(0))});
  for (std::size_t i = 1; i < weights.size(); ++i) {
    const auto n = random_node(draw, weights[i], zone(i));
    l.members.push_back(
        {.number = member_index(i), .id = n.id, .address = n.address, .zone = n.zone, .weight = n.weight});
  }
  l = planned(l, change::retarget{}).after;
  move_everything(l);
  return l;
}

inline std::vector<std::uint32_t> equal_weights(std::size_t count) {
  return std::vector<std::uint32_t>(count, 100);
}

// Copies that differ between the targets of two layouts.
inline std::size_t copies_moved(const layout& before, const layout& after) {
  std::size_t moved = 0;
  for (std::size_t p = 0; p < partition_count; ++p)
    for (const auto n : after.partitions[p].target) moved += !before.partitions[p].target.contains(n);
  return moved;
}

} // namespace cairn::cluster

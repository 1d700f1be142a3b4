#include "sim/cluster/cluster_node.hpp"

// What an operator does to a member's disks while it does not run.

namespace cairn::sim {

void cluster_node::replace_disks() {
  CAIRN_ASSERT(!running());
  make_disks();
}

void cluster_node::keep_disk_image(std::size_t disk) {
  CAIRN_ASSERT(!running());
  disk_image_.emplace(disk, sim_disk{disks_[disk].files->image(), disks_[disk].index->image()});
}

void cluster_node::restore_disk() {
  CAIRN_ASSERT(!running());
  disks_[disk_image_->first] = std::move(disk_image_->second);
  disk_image_.reset();
}

void cluster_node::keep_metadata_image() {
  CAIRN_ASSERT(!running());
  metadata_image_ = sim_metadata{metadata_.state->image(), metadata_.log_files->image(), metadata_.files->image()};
}

void cluster_node::restore_metadata() {
  CAIRN_ASSERT(!running());
  survivors_log_.reset();
  metadata_ = std::move(*metadata_image_);
  metadata_image_.reset();
}

result<actors::survivor_metadata> cluster_node::open_survivor() {
  CAIRN_ASSERT(!running());
  metadata_.state->reopen();
  survivors_log_ = make_log();
  return actors::survivor_metadata::open(
      {metadata_.state.get(), survivors_log_.get(), metadata_.files.get(), transfer_folder});
}

log_index cluster_node::log_end() {
  const auto survivor = open_survivor();
  if (survivor) return survivor->last();
  checks_.fail("a survivor's metadata: " + to_string(survivor.error()));
  return 0;
}

void cluster_node::recover(uuid fresh) {
  ++incarnation_;
  auto survivor = open_survivor();
  if (!survivor) return checks_.fail("a survivor's metadata: " + to_string(survivor.error()));
  const auto now =
      survivor->refound({fresh, cluster_name, plan_.replicas, plan_.write_quorum, w_.clock().wall(), self()});
  if (!now) return checks_.fail("a recovery: " + to_string(now.error()));
  survivors_log_.reset();
  metadata_.log_files = std::make_unique<memory_file_system>();
  metadata_.files = std::make_unique<memory_file_system>();
  if (const auto begun = actors::begin_new_log(*make_log(), *now); !begun)
    return checks_.fail("a recovery: " + to_string(begun.error()));
  identity_ = cluster::cluster_identity{fresh, cluster_name, now->self, {}};
  applied_record_ = 0; // of the old cluster
  remembered_members_.clear();
}

void cluster_node::rejoin() {
  CAIRN_ASSERT(!running());
  make_metadata();
  applied_record_ = 0;
  identity_.reset();
  remembered_members_.clear();
}

std::chrono::nanoseconds cluster_node::longest_job() const {
  std::chrono::nanoseconds longest{0};
  if (running())
    for (const auto& e : process_->executors) longest = std::max(longest, e->longest_running());
  return longest;
}

} // namespace cairn::sim

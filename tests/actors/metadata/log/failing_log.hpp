// A consensus log on a disk in memory that fails and rots on request.
#pragma once

#include "base/files/memory_file_system.hpp"
#include "cluster/raft/log/raft_log.hpp"
#include "tests/base/seeded_random.hpp"

#include <gtest/gtest.h>

namespace cairn::actors {

class failing_log {
public:
  failing_log() : failing_log(std::make_unique<memory_file_system>()) {}

  // As a new process opens it. Jobs that still hold the log may outlive this object.
  std::shared_ptr<cluster::raft::raft_log> open() {
    const auto held = std::make_shared<holder>(disk_, damage);
    log_ = {held, &held->log};
    return log_;
  }
  const std::shared_ptr<cluster::raft::raft_log>& log() { return log_ ? log_ : (open(), log_); }
  errc& failing() { return disk_->failing; } // what every write meets
  void lose_power(random_source& random) {
    log_.reset();
    disk_->files->crash(random);
  }
  // A copy of what it has, as a backup of the disk takes it.
  std::unique_ptr<failing_log> image() const {
    return std::unique_ptr<failing_log>{new failing_log{disk_->files->image()}};
  }
  // A bit of each batch.
  void rot() {
    const auto segments = log()->segments().value();
    for (const auto& s : segments) {
      auto number = s.header.first_batch;
      std::vector<std::uint64_t> places;
      for (auto at = cluster::raft::log_page_bytes; at < s.end; ++number) {
        places.push_back(at + cluster::raft::batch_header_bytes + 20);
        at = cluster::raft::read_batch(s, at, number).value()->next;
      }
      for (const auto at : places)
        disk_->files->flip_bit(cluster::raft::segment_path(folder, s.header.number), at * 8 + 2);
    }
  }

  const std::shared_ptr<storage::kv_damage> damage = std::make_shared<storage::kv_damage>("test");

private:
  static constexpr const char* folder = "/log";
  struct disk {
    std::unique_ptr<memory_file_system> files;
    seeded_random random{1};
    errc failing{};
  };
  struct holder {
    holder(std::shared_ptr<disk> on, std::shared_ptr<storage::kv_damage> found)
        : of(std::move(on)), log(*of->files, folder, of->random, options(std::move(found))) {}
    static cluster::raft::log_options options(std::shared_ptr<storage::kv_damage> found) {
      return {.segment_bytes = 256 << 10, .damage = std::move(found)};
    }
    std::shared_ptr<disk> of;
    cluster::raft::raft_log log;
  };

  explicit failing_log(std::unique_ptr<memory_file_system> files) : disk_(std::make_shared<disk>()) {
    disk_->files = std::move(files);
    disk_->files->set_fault([d = disk_.get()](disk_operation o, const std::string&) -> std::optional<error> {
      const bool writes = o == disk_operation::write || o == disk_operation::flush || o == disk_operation::preallocate;
      if (d->failing == errc{} || !writes) return std::nullopt;
      return error{d->failing, "as the test wants it"};
    });
  }

  std::shared_ptr<disk> disk_;
  std::shared_ptr<cluster::raft::raft_log> log_;
};

} // namespace cairn::actors

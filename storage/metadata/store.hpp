// The metadata state machine over a kv engine: `apply` turns a batch of commands into one durable transaction; `view`
// reads a snapshot. In a cluster each entry of the log is one batch. Otherwise these tables are written only as a
// whole, by loading a dump (read/dump.hpp), or to found a cluster anew (apply/recovery.hpp).
//
// After a crash: the state is that after some whole batch, and every batch whose apply returned is in it.
// Blocking: on the metadata executors only. One apply at a time; views from any thread.
#pragma once

#include "storage/kv/kv.hpp"
#include "storage/metadata/commands/commands.hpp"
#include "storage/metadata/read/view.hpp"
#include "storage/metadata/rows/names.hpp"

#include <memory>
#include <span>

namespace cairn::storage::metadata {

constexpr group_id default_group = 0;
extern const table_id table_count; // for open_lmdb / make_memory_kv

struct applied_batch {
  log_index index = 0; // of this batch
  std::vector<command_result> results;
};

class store {
public:
  // Checks the format version. corrupt, unsupported, io_error.
  static result<std::unique_ptr<store>> open(kv_engine& engine, group_id group = default_group);
  // Without a look at it: of an engine that is damaged, and whose contents are to be replaced.
  static std::unique_ptr<store> over(kv_engine& engine, group_id group = default_group);
  virtual ~store() = default;
  // All or nothing: an error means that nothing was applied (no_space, io_error, read_only after a commit failed with
  // io_error, corrupt, quarantined).
  result<applied_batch> apply(std::span<const command> batch) {
    auto applied = apply_all({&batch, 1});
    if (!applied) return applied.error();
    return std::move(applied->front());
  }
  // Several batches, each with an index of its own, in one transaction.
  virtual result<std::vector<applied_batch>> apply_all(std::span<const std::span<const command>> batches) = 0;
  virtual result<std::unique_ptr<view>> read() = 0;
};

} // namespace cairn::storage::metadata

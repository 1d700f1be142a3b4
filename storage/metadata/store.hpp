// The metadata state machine on a kv engine: `apply` executes a batch of commands as one durable transaction; `read`
// opens a snapshot. In a cluster each entry of the log is one batch; entries are applied in the open transaction, whose
// results are known at once, and which becomes durable and visible with `commit_open`: the log has its entries until
// then. Other writers of these tables: loading a dump (read/dump.hpp) and making a new cluster of the state
// (apply/recovery.hpp).
//
// After a crash the state has the effect of a prefix of the batches, which includes every batch whose apply or
// commit_open returned. Blocking: only on the metadata executors. One writer at a time; views from any thread. The
// open transaction belongs to one thread: it waits for no other writer, and every other writer waits for it.
#pragma once

#include "storage/kv/kv.hpp"
#include "storage/metadata/commands/commands.hpp"
#include "storage/metadata/read/view.hpp"
#include "storage/metadata/rows/names.hpp"

#include <memory>
#include <span>

namespace cairn::storage::metadata {

constexpr group_id default_group = 0;
extern const table_id table_count, page_values;     // for make_memory_kv / make_checked_kv
lmdb_options engine_options(std::string directory); // for open_lmdb

struct applied_batch {
  log_index index = 0; // of this batch
  std::vector<command_result> results;
};

class store {
public:
  // Checks the format version. corrupt, unsupported, io_error.
  static result<std::unique_ptr<store>> open(kv_engine& engine, group_id group = default_group);
  // Without reading the engine: for a damaged engine whose contents will be replaced.
  static std::unique_ptr<store> over(kv_engine& engine, group_id group = default_group);
  virtual ~store() = default;
  // All or nothing: on an error nothing was applied (no_space, io_error, read_only after a commit failed with io_error,
  // corrupt, quarantined).
  result<applied_batch> apply(std::span<const command> batch) {
    auto applied = apply_all({&batch, 1});
    if (!applied) return applied.error();
    return std::move(applied->front());
  }
  // Several batches, each with its own index, in one transaction.
  virtual result<std::vector<applied_batch>> apply_all(std::span<const std::span<const command>> batches) = 0;

  // Several batches in the open transaction, which begins with them if there is none. On an error the transaction is
  // dropped: what was applied in it since the last commit is not there any more. Errors as above; stopping.
  virtual result<std::vector<applied_batch>> apply_open(std::span<const std::span<const command>> batches) = 0;
  // On an error the transaction is dropped. Nothing to do when there is none.
  virtual result<void> commit_open() = 0;
  virtual void drop_open() = 0;
  // Commits the open transaction; none begins afterwards. On the thread of the open transaction, before it ends.
  virtual result<void> close_open() = 0;
  virtual result<std::unique_ptr<view>> read() = 0;
};

} // namespace cairn::storage::metadata

// The scrub of the metadata: reads all rows of an engine in small steps, so that damage is found before a row is
// needed. The engine reports damage to its `kv_damage`. At a damaged row the rest of the table is skipped; its other
// rows are checked when they are read.
//
// A plain value; the engine outlives it. Each step reads a snapshot of its own; rows may be added and removed between
// two steps. Blocking: on an executor.
#pragma once

#include "storage/kv/kv.hpp"

namespace cairn::storage {

struct kv_checked {
  std::uint64_t rows = 0;
  bool done = false;           // all tables were read; the next step begins again with the first
  std::optional<error> damage; // in this step
};

class kv_check {
public:
  kv_check(kv_engine& engine, table_id tables) : engine_(engine), tables_(tables) {}

  // Reads at most `rows` (1 or more) rows of one table. If a step reads a whole table, the number of rows is compared
  // with the table's own count.
  kv_checked step(std::size_t rows);

private:
  kv_engine& engine_;
  const table_id tables_;
  table_id table_ = 0;
  std::string last_; // the last key read of the table; empty: none yet
};

} // namespace cairn::storage

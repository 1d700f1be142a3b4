// Reads all rows of an engine, a little at a time, so that damage is found before somebody needs the row: the scrub of
// the metadata. The engine reports what it finds to its `kv_damage`. Behind a damaged row a table is not read on: its
// other rows are checked when they are asked for.
//
// A plain value over an engine that outlives it. Each step is a snapshot of its own; rows that come and go between two
// steps do no harm. Blocking: on an executor.
#pragma once

#include "storage/kv/kv.hpp"

namespace cairn::storage {

struct kv_checked {
  std::uint64_t rows = 0;
  bool done = false;           // all tables were read: the next step begins anew
  std::optional<error> damage; // in this step
};

class kv_check {
public:
  kv_check(kv_engine& engine, table_id tables) : engine_(engine), tables_(tables) {}

  // At most `rows` (1 or more) rows of one table. A table that is read in one step must have as many rows as it says.
  kv_checked step(std::size_t rows);

private:
  kv_engine& engine_;
  const table_id tables_;
  table_id table_ = 0;
  std::string last_; // of the table; empty: from its beginning
};

} // namespace cairn::storage

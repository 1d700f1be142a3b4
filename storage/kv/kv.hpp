// The key-value seam: ordered byte keys in numbered tables, serialisable single-writer transactions, snapshot readers.
// Engines: LMDB (storage/kv/lmdb_kv.cpp) and memory (storage/kv/memory_kv.cpp, for tests and simulation: same order,
// same transactions, not durable). One test suite runs on both.
//
// Errors are sticky: a failing call marks its transaction, later calls return nothing, and commit() and status() return
// the first error, so that a caller checks once. Errors: io_error, no_space, corrupt, quarantined, busy (too many
// readers), too_large (too many changes in one transaction), invalid_argument (a key of 0 or more than 511 bytes; seek
// accepts an empty key for the first pair). After a commit that failed with io_error, begin_write returns read_only
// until the engine is opened anew or replaced: a flush is never retried. `corrupt` concerns the rows that the
// transaction used; other transactions are not affected.
//
// A view returned by get is valid until the next write in the same transaction or its end; one returned by a cursor
// also only until the cursor's next call. A cursor stays valid after writes: next continues after the last key it
// returned. A transaction belongs to one thread. Blocking: never call it on a socket thread.
#pragma once

#include "base/error.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace cairn::storage {

class kv_damage;
using table_id = std::uint8_t; // below the engine's table count

constexpr std::size_t kv_key_bytes_max = 511;

struct kv_pair {
  std::string_view key, value;
};

class kv_cursor {
public:
  virtual ~kv_cursor() = default;
  virtual std::optional<kv_pair> seek(std::string_view key) = 0; // first pair with key ≥ `key`
  virtual std::optional<kv_pair> next() = 0;                     // after seek or next; nullopt at the end
  // The last pair with a key < `key`. Afterwards the cursor has no position: next returns nullopt.
  virtual std::optional<kv_pair> before(std::string_view key);
};

class kv_reader {
public:
  virtual ~kv_reader() = default; // ends the snapshot
  virtual std::optional<std::string_view> get(table_id table, std::string_view key) = 0;
  virtual std::unique_ptr<kv_cursor> cursor(table_id table) = 0; // must not outlive the transaction
  virtual std::uint64_t entries(table_id table) = 0;
  virtual result<void> status() const = 0;
  // While it is on, cursors pass over damaged rows (seek and next; not over damaged pages) instead of failing. They are
  // reported all the same. Only for walks that treat each row by itself: a missing row may be a damaged one.
  virtual void skip_damaged_rows(bool) {}
  virtual bool has_skipped_rows() const { return false; } // since it was turned on
};

class kv_writer : public kv_reader {
public:
  virtual void put(table_id table, std::string_view key, std::string_view value) = 0;
  virtual bool erase(table_id table, std::string_view key) = 0; // false: the key does not exist
  virtual result<void> commit() = 0; // durable and visible when it returns success; destruction without it aborts
};

class kv_engine {
public:
  virtual ~kv_engine() = default;
  virtual result<std::unique_ptr<kv_reader>> begin_read() = 0;
  virtual result<std::unique_ptr<kv_writer>> begin_write() = 0; // waits for the current writer to end
  // Replaces all contents by the rows that `fill` puts into empty tables. The LMDB engine writes them to a new file,
  // since the old one may be damaged. Waits for the current writer; open snapshots keep the old contents. After a crash
  // the old or the new contents are there. An engine that was quarantined or read-only is usable again. On an error,
  // also one of `fill`, nothing has changed. `fill` may only call put; memory use does not depend on the number of
  // rows.
  virtual result<void> replace(const std::function<result<void>(kv_writer&)>& fill);
};

struct lmdb_options {
  std::string directory; // created if missing, and flushed with its parent
  table_id tables = 1;
  std::uint64_t map_bytes = 256ull << 30; // address space, not disk
  // Called once, on the thread that hit the fault, when the map cannot be read (SIGBUS): from then on every call
  // returns `quarantined`, and the engine never accesses the map again.
  std::function<void()> on_quarantine;
  std::shared_ptr<kv_damage> damage;   // null: the engine makes its own
  bool reads_only = false;             // next to a writing process: creates and converts nothing, refuses writes
  std::optional<table_id> page_values; // the table whose values fill pages (storage/kv/checked_kv.hpp)
  // A file that is too damaged to be opened is no error of open; every call returns `corrupt` until it is replaced.
  bool opens_damaged = false;
};
// With checksums of rows (storage/kv/checked_kv.hpp); a directory without them is converted gradually.
result<std::unique_ptr<kv_engine>> open_lmdb(const lmdb_options& options);
// The engine without checksums; a non-empty `extra_table` is an additional, last table.
result<std::unique_ptr<kv_engine>> open_plain_lmdb(const lmdb_options& options, const std::string& extra_table = {});
std::unique_ptr<kv_engine> make_memory_kv(table_id tables);

} // namespace cairn::storage

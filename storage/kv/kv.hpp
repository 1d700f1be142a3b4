// The key-value seam: ordered byte keys in numbered tables, serialisable single-writer transactions, snapshot readers.
// Engines: LMDB (storage/kv/lmdb_kv.cpp) and memory (storage/kv/memory_kv.cpp, for
// simulation: same order, same transactions, may lose what was not committed). One test suite runs over both.
//
// Errors are sticky: a failing call marks its transaction, later calls answer "nothing", and commit()/status() tells
// the first error, so that code reads straight on and checks once. Errors: io_error, no_space, corrupt, quarantined,
// invalid_argument (key of 0 or more than 511 bytes; seek takes an empty key for the first pair). After a commit that
// failed with io_error begin_write answers read_only for good: a flush is never retried. `corrupt` is about what the
// transaction asked for; others may go on.
//
// Views returned by get are valid until the next write in the same transaction or its end, those of a cursor also only
// until its next seek or next. A cursor survives writes: next goes on behind the last key it showed. Transactions
// belong to one thread. Blocking: never on socket threads.
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
  virtual std::optional<kv_pair> next() = 0;                     // after seek or next; nothing at the end
  // The last pair with a key < `key`. Afterwards the cursor has no place.
  virtual std::optional<kv_pair> before(std::string_view key);
};

class kv_reader {
public:
  virtual ~kv_reader() = default; // ends the snapshot
  virtual std::optional<std::string_view> get(table_id table, std::string_view key) = 0;
  virtual std::unique_ptr<kv_cursor> cursor(table_id table) = 0; // must not outlive the transaction
  virtual std::uint64_t entries(table_id table) = 0;
  virtual result<void> status() const = 0;
};

class kv_writer : public kv_reader {
public:
  virtual void put(table_id table, std::string_view key, std::string_view value) = 0;
  virtual bool erase(table_id table, std::string_view key) = 0; // false: was not there
  virtual result<void> commit() = 0; // durable and visible when it returns success; destruction without it aborts
};

class kv_engine {
public:
  virtual ~kv_engine() = default;
  virtual result<std::unique_ptr<kv_reader>> begin_read() = 0;
  virtual result<std::unique_ptr<kv_writer>> begin_write() = 0; // waits for the current writer to end
  // Everything is replaced by what `fill` writes into empty tables: a damaged file cannot be trusted with that. Waits
  // for the current writer; open snapshots stay what they were. After a crash the old contents or the new ones are
  // there. An engine that was quarantined or took no writes starts anew. Its error, or one of `fill`: nothing has
  // changed. `fill` only puts; its memory is bounded, however much that is.
  virtual result<void> replace(const std::function<result<void>(kv_writer&)>& fill);
};

struct lmdb_options {
  std::string directory; // made when missing, flushed with its parent
  table_id tables = 1;
  std::uint64_t map_bytes = 256ull << 30; // address space, not disk
  // Called once, from the thread that met it, when the map cannot be read (SIGBUS): the engine then answers
  // `quarantined` to everything and never touches the map again.
  std::function<void()> on_quarantine;
  std::shared_ptr<kv_damage> damage; // null: one of the engine's own
  bool reads_only = false;           // beside a process that writes: nothing is made or converted, writes are refused
  // A file that is too damaged to be opened answers `corrupt` to everything, until it is replaced.
  bool opens_damaged = false;
};
// Rows carry checksums (storage/kv/checked_kv.hpp); a directory without them gets them little by little.
result<std::unique_ptr<kv_engine>> open_lmdb(const lmdb_options& options);
// The engine below, with `extra_table` behind the others when it has a name.
result<std::unique_ptr<kv_engine>> open_plain_lmdb(const lmdb_options& options, const std::string& extra_table = {});
std::unique_ptr<kv_engine> make_memory_kv(table_id tables);

} // namespace cairn::storage

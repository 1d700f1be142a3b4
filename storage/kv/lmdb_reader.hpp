// A snapshot of an LMDB file for readers, by the checked walk of lmdb_pages.hpp: LMDB's own code only holds the
// snapshot. Damage answers `corrupt`, names the table and the key, and leaves the rest of the file readable.
#pragma once

#include "storage/kv/kv.hpp"
#include "storage/kv/lmdb_pages.hpp"
#include "storage/kv/scratch.hpp"

#include <vector>

namespace cairn::storage {

// Keeps the snapshot's pages in place while it lives.
class lmdb_snapshot {
public:
  virtual ~lmdb_snapshot() = default;
  virtual bool guarded(void (*work)(void*), void* context) = 0; // false: the map can't be read
  virtual error unreadable() const = 0;
  virtual error damaged(const std::string& what) = 0; // counts it
  virtual const std::vector<std::string>& table_names() const = 0;

  lmdb_pages::file file;
  lmdb_pages::meta meta;
};

std::unique_ptr<kv_reader> make_lmdb_reader(std::unique_ptr<lmdb_snapshot> snapshot);

} // namespace cairn::storage

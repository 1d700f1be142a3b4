// A snapshot of an LMDB file for readers, with the checked traversal of lmdb_pages.hpp: LMDB's own code only holds the
// snapshot. Damage is `corrupt`, with the table and the key in the text; the rest of the file stays readable.
#pragma once

#include "storage/kv/kv.hpp"
#include "storage/kv/lmdb_pages.hpp"
#include "storage/kv/scratch.hpp"

#include <vector>

namespace cairn::storage {

// While it exists, LMDB does not reuse the snapshot's pages.
class lmdb_snapshot {
public:
  virtual ~lmdb_snapshot() = default;
  virtual bool guarded(void (*work)(void*), void* context) = 0; // false: the map cannot be read
  virtual error unreadable() const = 0;
  virtual error damaged(const std::string& what) = 0; // also reports it to kv_damage
  virtual const std::vector<std::string>& table_names() const = 0;

  lmdb_pages::file file;
  lmdb_pages::meta meta;
};

std::unique_ptr<kv_reader> make_lmdb_reader(std::unique_ptr<lmdb_snapshot> snapshot);

} // namespace cairn::storage

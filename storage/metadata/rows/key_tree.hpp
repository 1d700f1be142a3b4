// Rows with keys that may be longer than the engine accepts, in byte order of the whole keys (memcmp, shorter first).
//
// A key is split into pieces of 400 bytes. A tree has nodes; each node is a range of keys in one table:
//   g node:u64 piece           → the row of the key that ends with this piece, shorter than 400 bytes
//   g node:u64 piece(400) 0    → the row of the key that ends with this full piece
//   g node:u64 piece(400) 1    → child node:u64; it has the keys that continue after this piece, without the piece
// g is the metadata group (u16). The number of a root is the id of its owner (a bucket), that of a child is a new id;
// both come from the same counter, so numbers are unique. A child without rows is removed. The suffix follows only full
// pieces of 400 bytes, so it orders a key before its extensions and is never compared with a byte of another key.
//
// Plain values on a transaction. Errors: those of the transaction, and corrupt.
#pragma once

#include "base/ids.hpp"
#include "storage/kv/kv.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cairn::storage::metadata {

class key_tree {
public:
  static constexpr std::size_t piece_bytes = 400;

  key_tree(table_id table, group_id group, std::uint64_t root) : table_(table), group_(group), root_(root) {}

  // The row, valid as long as any view of the transaction; nullopt if there is none.
  result<std::optional<std::string_view>> find(kv_reader& kv, std::string_view key) const;
  // Inserts or replaces. `new_id` is called for each child node that is created.
  result<void> put(kv_writer& kv, std::string_view key, std::string_view row,
                   const std::function<std::uint64_t()>& new_id) const;
  // Removes the row and the child nodes that become empty. False: there is no such row.
  result<bool> erase(kv_writer& kv, std::string_view key) const;
  result<bool> empty(kv_reader& kv) const;

private:
  friend class key_tree_cursor;
  table_id table_;
  group_id group_;
  std::uint64_t root_;
};

// Iterates over a tree in key order. One engine seek per step within a node, two more for each child entered or left.
class key_tree_cursor {
public:
  key_tree_cursor(kv_reader& kv, const key_tree& tree);

  // Moves to the first key ≥ `key` (> if `after`). False at the end and on an error: see status().
  bool seek(std::string_view key, bool after = false);
  bool next();
  // Moves to the first key after all keys that begin with `prefix`, without reading them.
  bool seek_past(std::string_view prefix);

  // Valid after a call that returned true, until the next call.
  std::string_view key() const { return key_; }
  std::string_view row() const { return row_; }
  result<void> status() const;

private:
  bool to_row(std::optional<kv_pair> found);
  bool enter(std::string_view piece, std::string_view child);
  std::optional<kv_pair> leave();

  kv_reader& kv_;
  key_tree tree_;
  std::unique_ptr<kv_cursor> cursor_;
  std::vector<std::uint64_t> nodes_; // the path; empty at the end
  std::string key_;                  // the pieces of the path, then the last one
  std::string_view row_;
  std::optional<error> failure_;
};

} // namespace cairn::storage::metadata

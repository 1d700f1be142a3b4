// Rows under keys longer than the engine takes, in the order of the whole keys' bytes (memcmp, shorter first).
//
// A key is cut into pieces of 400 bytes; a tree is a node, every node a range of one table:
//   g node:u64 piece           → the row of the key that ends with this piece, shorter than 400 bytes
//   g node:u64 piece(400) 0    → the row of the key that ends with this full piece
//   g node:u64 piece(400) 1    → child node:u64; the keys that go on after this piece are there, without it
// g is the metadata group (u16). A root's number is its owner's id (a bucket), a child's a fresh id; both are drawn
// from the same counter, so nodes never collide. A child without rows does not exist. The suffix stands where all
// pieces have 400 bytes, so it orders a key before its extensions and never compares with a byte of another key.
//
// Plain values over a transaction; errors: the transaction's own, and corrupt.
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

  // The row, valid as long as any view of the transaction; nothing when there is none.
  result<std::optional<std::string_view>> find(kv_reader& kv, std::string_view key) const;
  // Inserts or replaces. `new_id` is called for each child node that it makes.
  result<void> put(kv_writer& kv, std::string_view key, std::string_view row,
                   const std::function<std::uint64_t()>& new_id) const;
  // Removes the row and the children that it leaves empty. False: there was none.
  result<bool> erase(kv_writer& kv, std::string_view key) const;
  result<bool> empty(kv_reader& kv) const;

private:
  friend class key_tree_cursor;
  table_id table_;
  group_id group_;
  std::uint64_t root_;
};

// Walks a tree in key order. One engine seek a step within a node, two more for each child entered or left.
class key_tree_cursor {
public:
  key_tree_cursor(kv_reader& kv, const key_tree& tree);

  // To the first key ≥ `key` (> when `after`). False at the end and on an error: ask status().
  bool seek(std::string_view key, bool after = false);
  bool next();
  // To the first key behind all that begin with `prefix`, without walking them.
  bool seek_past(std::string_view prefix);

  // Valid after true was answered, until the next step.
  std::string_view key() const { return key_; }
  std::string_view row() const { return row_; }
  result<void> status() const;

private:
  bool settle(std::optional<kv_pair> found);
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

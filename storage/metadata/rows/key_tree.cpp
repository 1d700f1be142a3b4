#include "storage/metadata/rows/key_tree.hpp"

#include "base/codec.hpp"

namespace cairn::storage::metadata {

namespace {

constexpr std::size_t piece_bytes = key_tree::piece_bytes;
constexpr std::size_t prefix_bytes = sizeof(group_id) + sizeof(std::uint64_t);
constexpr std::size_t depth_max = 8; // more than any key needs; detects a cycle
constexpr std::uint8_t row_suffix = 0, child_suffix = 1;
static_assert(prefix_bytes + piece_bytes + 1 <= kv_key_bytes_max);

std::string prefix_of(group_id group, std::uint64_t node) {
  return byte_writer{prefix_bytes}.u16(group).u64(node).take();
}

std::string row_key(group_id group, std::uint64_t node, std::string_view piece) {
  byte_writer w{prefix_bytes + piece.size() + 1};
  w.u16(group).u64(node).raw(piece);
  if (piece.size() == piece_bytes) w.u8(row_suffix);
  return w.take();
}

std::string child_key(group_id group, std::uint64_t node, std::string_view piece) {
  return byte_writer{prefix_bytes + piece.size() + 1}.u16(group).u64(node).raw(piece).u8(child_suffix).take();
}

error bad_child() {
  return {errc::corrupt, "child of a key tree does not follow its grammar"};
}

std::optional<std::uint64_t> read_child(std::string_view value) {
  byte_reader r{value};
  const std::uint64_t node = r.u64();
  if (!r.finished()) return std::nullopt;
  return node;
}

} // namespace

result<std::optional<std::string_view>> key_tree::find(kv_reader& kv, std::string_view key) const {
  std::uint64_t node = root_;
  for (; key.size() > piece_bytes; key.remove_prefix(piece_bytes)) {
    const auto entry = kv.get(table_, child_key(group_, node, key.substr(0, piece_bytes)));
    if (!entry) break;
    const auto child = read_child(*entry);
    if (!child) return bad_child();
    node = *child;
  }
  std::optional<std::string_view> row;
  if (key.size() <= piece_bytes) row = kv.get(table_, row_key(group_, node, key));
  if (auto good = kv.status(); !good) return good.error();
  return row;
}

result<void> key_tree::put(kv_writer& kv, std::string_view key, std::string_view row,
                           const std::function<std::uint64_t()>& new_id) const {
  std::uint64_t node = root_;
  for (; key.size() > piece_bytes; key.remove_prefix(piece_bytes)) {
    const std::string entry_key = child_key(group_, node, key.substr(0, piece_bytes));
    if (const auto entry = kv.get(table_, entry_key)) {
      const auto child = read_child(*entry);
      if (!child) return bad_child();
      node = *child;
    } else {
      if (auto good = kv.status(); !good) return good.error();
      node = new_id();
      kv.put(table_, entry_key, byte_writer{8}.u64(node).view());
    }
  }
  kv.put(table_, row_key(group_, node, key), row);
  return kv.status();
}

result<bool> key_tree::erase(kv_writer& kv, std::string_view key) const {
  std::vector<std::string> entries; // of the children on the path
  std::uint64_t node = root_;
  for (; key.size() > piece_bytes; key.remove_prefix(piece_bytes)) {
    entries.push_back(child_key(group_, node, key.substr(0, piece_bytes)));
    const auto entry = kv.get(table_, entries.back());
    if (!entry) break;
    const auto child = read_child(*entry);
    if (!child) return bad_child();
    node = *child;
  }
  const bool erased = key.size() <= piece_bytes && kv.erase(table_, row_key(group_, node, key));
  if (auto good = kv.status(); !good) return good.error();
  if (!erased) return false;
  for (; !entries.empty(); entries.pop_back()) {
    auto is_empty = key_tree{table_, group_, node}.empty(kv);
    if (!is_empty) return is_empty;
    if (!*is_empty) break;
    kv.erase(table_, entries.back());
    byte_reader parent{entries.back()};
    parent.u16();
    node = parent.u64();
  }
  if (auto good = kv.status(); !good) return good.error();
  return true;
}

result<bool> key_tree::empty(kv_reader& kv) const {
  const std::string prefix = prefix_of(group_, root_);
  const auto cursor = kv.cursor(table_);
  const auto first = cursor->seek(prefix);
  if (auto good = kv.status(); !good) return good.error();
  return !first || !first->key.starts_with(prefix);
}

key_tree_cursor::key_tree_cursor(kv_reader& kv, const key_tree& tree)
    : kv_(kv), tree_(tree), cursor_(kv.cursor(tree.table_)) {}

bool key_tree_cursor::seek(std::string_view key, bool after) {
  nodes_.assign(1, tree_.root_);
  key_.clear();
  for (; key.size() > piece_bytes; key.remove_prefix(piece_bytes)) {
    const std::string_view piece = key.substr(0, piece_bytes);
    const std::string entry = child_key(tree_.group_, nodes_.back(), piece);
    const auto found = cursor_->seek(entry);
    if (!found || found->key != entry) return to_row(found);
    if (!enter(piece, found->value)) return false;
  }
  const std::string target = row_key(tree_.group_, nodes_.back(), key);
  auto found = cursor_->seek(target);
  if (after && found && found->key == target) found = cursor_->next();
  return to_row(found);
}

bool key_tree_cursor::next() {
  return !nodes_.empty() && to_row(cursor_->next());
}

bool key_tree_cursor::seek_past(std::string_view prefix) {
  while (prefix.ends_with('\xff')) prefix.remove_suffix(1);
  if (prefix.empty()) {
    nodes_.clear();
    return false;
  }
  std::string first_behind{prefix};
  first_behind.back() = static_cast<char>(static_cast<unsigned char>(first_behind.back()) + 1);
  return seek(first_behind);
}

result<void> key_tree_cursor::status() const {
  if (failure_) return *failure_;
  return kv_.status();
}

// Moves from the engine's pair to the first row at or after it: enters children, and leaves nodes at their end.
bool key_tree_cursor::to_row(std::optional<kv_pair> found) {
  for (;;) {
    if (!found || !found->key.starts_with(prefix_of(tree_.group_, nodes_.back()))) {
      if (nodes_.size() == 1) break;
      found = leave();
      continue;
    }
    const std::string_view piece = found->key.substr(prefix_bytes);
    if (piece.size() < piece_bytes || (piece.size() == piece_bytes + 1 && piece.back() == char{row_suffix})) {
      key_.resize((nodes_.size() - 1) * piece_bytes);
      key_.append(piece.substr(0, piece_bytes));
      row_ = found->value;
      return true;
    }
    if (piece.size() != piece_bytes + 1 || piece.back() != char{child_suffix}) {
      failure_ = error{errc::corrupt, "entry of a key tree does not follow its grammar"};
      break;
    }
    if (!enter(piece.substr(0, piece_bytes), found->value)) break;
    found = cursor_->seek(prefix_of(tree_.group_, nodes_.back()));
  }
  nodes_.clear();
  return false;
}

bool key_tree_cursor::enter(std::string_view piece, std::string_view child) {
  const auto node = read_child(child);
  if (!node || nodes_.size() == depth_max) {
    failure_ = bad_child();
    nodes_.clear();
    return false;
  }
  key_.resize((nodes_.size() - 1) * piece_bytes);
  key_.append(piece);
  nodes_.push_back(*node);
  return true;
}

std::optional<kv_pair> key_tree_cursor::leave() {
  nodes_.pop_back();
  const std::string piece = key_.substr((nodes_.size() - 1) * piece_bytes, piece_bytes);
  std::string behind = child_key(tree_.group_, nodes_.back(), piece);
  behind.back() = char{child_suffix + 1};
  return cursor_->seek(behind);
}

} // namespace cairn::storage::metadata

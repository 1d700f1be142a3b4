#include "storage/kv/lmdb_pages.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

namespace cairn::storage::lmdb_pages {

namespace {

constexpr std::size_t header_bytes = 16, node_header_bytes = 8, tree_bytes = 48;
constexpr std::size_t key_bytes_max = 511, value_bytes_max = 1u << 30;
constexpr std::uint16_t branch_flag = 1, leaf_flag = 2, overflow_flag = 4; // of pages
constexpr std::uint16_t big_flag = 1, tree_flag = 2;                       // of nodes
constexpr std::uint16_t integer_keys = 8, order_flags = 0x7e;              // of trees: orders of keys and of duplicates
constexpr std::uint32_t magic = 0xBEEFC0DE, version = 1;
constexpr std::size_t meta_trees = header_bytes + 24, meta_last = meta_trees + 2 * tree_bytes;
static_assert(meta_last + 16 == meta_bytes);
constexpr std::uint64_t first_data_page = 2;
constexpr std::uint32_t page_bytes_min = 256, page_bytes_max = 64 << 10;

template <class Integer>
Integer load_of(const char* at) {
  Integer v;
  std::memcpy(&v, at, sizeof v);
  return v;
}

bool is_meta(const char* page) {
  return load_of<std::uint32_t>(page + header_bytes) == magic &&
         load_of<std::uint32_t>(page + header_bytes + 4) == version;
}

std::size_t even(std::size_t bytes) {
  return (bytes + 1) & ~std::size_t{1};
}

} // namespace

bool read_tree(std::string_view value, tree& out) {
  if (value.size() != tree_bytes) return false;
  const auto flags = load_of<std::uint16_t>(value.data() + 4);
  out.depth = load_of<std::uint16_t>(value.data() + 6);
  out.entries = load_of<std::uint64_t>(value.data() + 32);
  out.root = load_of<std::uint64_t>(value.data() + 40);
  return flags == 0 && out.depth <= depth_max && (out.root == no_page) == (out.depth == 0) &&
         (out.depth == 0) == (out.entries == 0);
}

std::uint32_t page_bytes_of(std::string_view meta) {
  return load_of<std::uint32_t>(meta.data() + meta_trees);
}

bool may_open(std::string_view first, std::string_view second, std::uint64_t map_bytes) {
  if (!is_meta(first.data())) return true;
  const auto bytes = page_bytes_of(first);
  if (bytes < page_bytes_min || bytes > page_bytes_max || !std::has_single_bit(bytes)) return false;
  if (second.size() < meta_bytes || !is_meta(second.data())) return true;
  const auto number = [](std::string_view meta, std::size_t at) { return load_of<std::uint64_t>(meta.data() + at); };
  const auto transaction_at = meta_last + sizeof(std::uint64_t);
  const auto used = number(second, transaction_at) > number(first, transaction_at) ? second : first;
  return page_bytes_of(used) == bytes && number(used, meta_last) < map_bytes / bytes;
}

bool read_meta(const char* map, std::size_t page_bytes, std::uint64_t transaction, meta& out) {
  const char* const at = map + (transaction & 1) * page_bytes;
  if (!is_meta(at)) return false;
  const char* const trees = at + meta_trees;
  const auto plain = [](const char* from, std::uint16_t flags, tree& t) {
    if ((load_of<std::uint16_t>(from + 4) & order_flags) != flags) return false;
    t.depth = load_of<std::uint16_t>(from + 6);
    t.entries = load_of<std::uint64_t>(from + 32);
    t.root = load_of<std::uint64_t>(from + 40);
    return t.depth <= depth_max && (t.root == no_page) == (t.depth == 0);
  };
  out.transaction = transaction;
  out.page_bytes = load_of<std::uint32_t>(trees);
  const bool good = plain(trees, integer_keys, out.free_pages) && plain(trees + tree_bytes, 0, out.tables);
  out.pages = load_of<std::uint64_t>(at + meta_last) + 1;
  return load_of<std::uint64_t>(at + meta_last + 8) == transaction && good && out.page_bytes == page_bytes;
}

int cursor::compare(std::string_view a, std::string_view b) const {
  if (order_ == key_order::bytes) return a.compare(b);
  const auto x = load_of<std::uint64_t>(a.data()), y = load_of<std::uint64_t>(b.data());
  return x < y ? -1 : x > y ? 1 : 0;
}

bool cursor::fail(const char* what) {
  fault_ = what;
  return false;
}

bool cursor::load(std::uint64_t number, bool leaf, page_view& out) {
  if (number < first_data_page || number >= file_.pages) return fail("page number out of range");
  const char* const at = file_.map + number * file_.page_bytes;
  if (load_of<std::uint64_t>(at) != number) return fail("page with another number");
  if (load_of<std::uint16_t>(at + 10) != (leaf ? leaf_flag : branch_flag)) return fail("page of the wrong kind");
  const std::size_t lower = load_of<std::uint16_t>(at + 12), upper = load_of<std::uint16_t>(at + 14);
  if (lower < header_bytes || lower % 2 != 0 || upper < lower || upper > file_.page_bytes)
    return fail("page with invalid bounds");
  out = {at, number, static_cast<unsigned>((lower - header_bytes) / 2), static_cast<unsigned>(upper), leaf};
  return out.count > 0 || fail("page without rows");
}

bool cursor::node_of(const page_view& page, unsigned index, node_view& out) {
  const std::size_t offset = load_of<std::uint16_t>(page.at + header_bytes + 2 * index);
  if (offset < page.upper || offset % 2 != 0 || offset + node_header_bytes > file_.page_bytes)
    return fail("row outside of its page");
  const char* const at = page.at + offset;
  const auto low = load_of<std::uint32_t>(at);
  out.flags = load_of<std::uint16_t>(at + 4);
  const std::size_t key_bytes = load_of<std::uint16_t>(at + 6);
  out.bytes = node_header_bytes + key_bytes;
  if (page.leaf) {
    if ((out.flags & ~(big_flag | tree_flag)) != 0 || low > value_bytes_max)
      return fail("row with invalid flags or size");
    out.data = at + node_header_bytes + key_bytes;
    out.data_bytes = low;
    out.bytes += (out.flags & big_flag) != 0 ? sizeof(std::uint64_t) : low;
  } else {
    out.child = std::uint64_t{out.flags} << 32 | low;
  }
  if (key_bytes > key_bytes_max || offset + out.bytes > file_.page_bytes) return fail("row with an invalid size");
  if (order_ == key_order::integers && key_bytes != sizeof(std::uint64_t) && (page.leaf || index > 0))
    return fail("key with an invalid size");
  out.key = {at + node_header_bytes, key_bytes};
  return true;
}

// The key in the levels above `depth` that bounds the keys of the page at `depth`, from below or above.
bool cursor::bound(unsigned depth, bool upper, std::string_view& out, bool& there) {
  there = false;
  for (unsigned d = depth; d-- > 0;) {
    const level& l = levels_[d];
    if (upper ? l.index + 1 >= l.page.count : l.index == 0) continue;
    node_view node;
    if (!node_of(l.page, upper ? l.index + 1 : l.index, node)) return false;
    out = node.key;
    there = true;
    return true;
  }
  return true;
}

bool cursor::check_page(const page_view& page, unsigned depth) {
  if (is_remembered(page.number)) return true;
  std::string_view low, high, last;
  bool bounded_below = false, bounded_above = false;
  if (!bound(depth, false, low, bounded_below) || !bound(depth, true, high, bounded_above)) return false;
  std::size_t used = 0;
  // The first key of a branch is not used: its child has all keys below the second one.
  for (unsigned i = 0; i < page.count; ++i) {
    node_view node;
    if (!node_of(page, i, node)) return false;
    used += even(node.bytes);
    if (!page.leaf && i == 0) continue;
    if (page.leaf && node.key.empty()) return fail("key with an invalid size");
    if (i > (page.leaf ? 0u : 1u) && compare(last, node.key) >= 0) return fail("keys are not ascending");
    if ((bounded_below && compare(node.key, low) < 0) || (bounded_above && compare(node.key, high) >= 0))
      return fail("keys outside of the page's range");
    last = node.key;
  }
  if (used != file_.page_bytes - page.upper) return fail("rows do not fill their page");
  if (!memory_.slots.empty()) memory_.add(page.number);
  return true;
}

// The number of the page to which the index of the level above points.
bool cursor::child(unsigned depth, std::uint64_t& number) {
  number = tree_.root;
  if (depth == 0) return true;
  node_view node;
  const level& above = levels_[depth - 1];
  if (!node_of(above.page, above.index, node)) return false;
  number = node.child;
  return true;
}

bool cursor::enter(unsigned depth, bool whole) {
  std::uint64_t number = 0;
  if (!child(depth, number)) return false;
  level& l = levels_[depth];
  l.index = 0;
  return load(number, depth + 1 == tree_.depth, l.page) && (!whole || check_page(l.page, depth));
}

// In a leaf finds the first key ≥ `key`, in a branch the child whose range includes `key`.
bool cursor::search(level& l, std::string_view key, bool& equal) {
  unsigned low = l.page.leaf ? 0 : 1, high = l.page.count;
  equal = false;
  while (low < high) {
    const unsigned middle = (low + high) / 2;
    node_view node;
    if (!node_of(l.page, middle, node)) return false;
    const int order = compare(node.key, key);
    equal = equal || order == 0;
    if (order < 0 || (order == 0 && !l.page.leaf))
      low = middle + 1;
    else
      high = middle;
  }
  l.index = l.page.leaf ? low : low - 1;
  return true;
}

outcome cursor::descend(std::string_view key, bool whole, bool& equal) {
  if (tree_.root == no_page) return outcome::none;
  for (unsigned d = 0; d < tree_.depth; ++d)
    if (!enter(d, whole) || !search(levels_[d], key, equal)) return outcome::damaged;
  return outcome::found;
}

bool cursor::overflow(const node_view& node) {
  const auto number = load_of<std::uint64_t>(node.data);
  if (number < first_data_page || number >= file_.pages) return fail("overflow page number out of range");
  const char* const at = file_.map + number * file_.page_bytes;
  const std::uint64_t count = load_of<std::uint32_t>(at + 12);
  const std::uint64_t needed = (header_bytes - 1 + node.data_bytes) / file_.page_bytes + 1;
  if (load_of<std::uint64_t>(at) != number || load_of<std::uint16_t>(at + 10) != overflow_flag || count < needed ||
      number + count > file_.pages)
    return fail("invalid overflow page");
  value_ = {at + header_bytes, node.data_bytes};
  return true;
}

bool cursor::show() {
  const level& l = levels_[tree_.depth - 1];
  node_view node;
  if (!node_of(l.page, l.index, node)) return false;
  key_ = node.key;
  is_tree_ = (node.flags & tree_flag) != 0;
  if ((node.flags & big_flag) != 0) return overflow(node);
  value_ = {node.data, node.data_bytes};
  return true;
}

outcome cursor::find(std::string_view key) {
  bool equal = false;
  auto got = descend(key, false, equal);
  if (got == outcome::found && equal) return show() ? outcome::found : outcome::damaged;
  if (got == outcome::found) got = descend(key, true, equal);
  if (got != outcome::found) return got;
  return equal ? (fail("page changed between two reads"), outcome::damaged) : outcome::none;
}

// Descends from `depth` to a leaf, along the first or the last children.
bool cursor::down(unsigned depth, bool to_the_end) {
  for (unsigned d = depth; d < tree_.depth; ++d) {
    if (!enter(d, true)) return false;
    if (to_the_end) levels_[d].index = levels_[d].page.count - 1;
  }
  return true;
}

outcome cursor::step(bool forward) {
  for (unsigned d = tree_.depth; d-- > 0;) {
    level& l = levels_[d];
    if (forward ? l.index + 1 >= l.page.count : l.index == 0) continue;
    l.index += forward ? 1 : -1;
    return down(d + 1, !forward) && show() ? outcome::found : outcome::damaged;
  }
  return outcome::none;
}

outcome cursor::first() {
  if (tree_.root == no_page) return outcome::none;
  return down(0, false) && show() ? outcome::found : outcome::damaged;
}

outcome cursor::next() {
  return tree_.root == no_page ? outcome::none : step(true);
}

outcome cursor::seek(std::string_view key) {
  bool equal = false;
  if (const auto got = descend(key, true, equal); got != outcome::found) return got;
  level& l = levels_[tree_.depth - 1];
  if (l.index < l.page.count) return show() ? outcome::found : outcome::damaged;
  l.index = l.page.count - 1;
  return step(true);
}

outcome cursor::before(std::string_view key) {
  bool equal = false;
  if (const auto got = descend(key, true, equal); got != outcome::found) return got;
  return step(false); // the leaf's index may be past its end; one less is its last row
}

// Checks the page at `depth` to which the index of the level above would point.
bool cursor::check_neighbour(unsigned depth, unsigned index) {
  level& parent = levels_[depth - 1];
  const auto here = std::exchange(parent.index, index);
  std::uint64_t number = 0;
  bool good = child(depth, number);
  if (good && !is_remembered(number)) {
    const level kept = levels_[depth];
    good = enter(depth, true);
    levels_[depth] = kept;
  }
  parent.index = here;
  return good;
}

outcome cursor::check_around(std::string_view key) {
  bool equal = false;
  if (const auto got = descend(key, true, equal); got != outcome::found) return got;
  if (equal && !show()) return outcome::damaged;
  for (unsigned d = 1; d < tree_.depth; ++d) {
    const auto [parent, index] = levels_[d - 1];
    if (index > 0 && !check_neighbour(d, index - 1)) return outcome::damaged;
    if (index + 1 < parent.count && !check_neighbour(d, index + 1)) return outcome::damaged;
  }
  return equal ? outcome::found : outcome::none;
}

// A row has the count of its pages, then their numbers, descending. It may have unused space at its end.
bool check_free_pages(const file& f, const meta& m, std::span<const std::uint64_t> roots, std::uint64_t& pages) {
  cursor c{f, m.free_pages, {}, key_order::integers};
  std::uint64_t rows = 0;
  pages = 0;
  for (auto got = c.first();; got = c.next(), ++rows) {
    if (got == outcome::none) break;
    if (got == outcome::damaged) return false;
    const std::string_view v = c.value();
    if (c.is_tree() || v.size() < 8 || load_of<std::uint64_t>(c.key().data()) > m.transaction) return false;
    const auto count = load_of<std::uint64_t>(v.data());
    if (count > v.size() / 8 - 1) return false;
    std::uint64_t above = f.pages;
    std::size_t root = 0;
    for (std::uint64_t i = 1; i <= count; ++i) {
      const auto number = load_of<std::uint64_t>(v.data() + i * 8);
      if (number < first_data_page || number >= above) return false;
      above = number;
      while (root < roots.size() && roots[root] > number) ++root;
      if (root < roots.size() && roots[root] == number) return false;
    }
    pages += count;
  }
  return rows == m.free_pages.entries;
}

} // namespace cairn::storage::lmdb_pages

// The pages of an LMDB 0.9 file (lmdb.h version 0.9.24, mdb.c "Page header", "Header for a single key/data pair",
// "Information about a single database"), read and checked without LMDB: LMDB does not verify its pages, so a flipped
// bit can make it miss rows, loop or access memory outside the map. Integers are in the machine's byte order.
//
//   page      number:u64 pad:u16 flags:u16 lower:u16 upper:u16 offsets:u16[]   16 bytes, then one offset per node;
//             an overflow page has count:u32 (of pages) instead of lower and upper, then bytes
//   node      u16[2]: bytes of the value (leaf) or, with flags, 48 bits of the child's page (branch); flags:u16
//             key bytes:u16, key, value; nodes fill the page from its end without gaps, each an even number of bytes
//   tree      pad:u32 flags:u16 depth:u16 branch, leaf, overflow pages:u64 entries:u64 root:u64 (all ones: none)
//   meta      page header, magic:u32 version:u32 address:u64 map bytes:u64, tree of free pages (its pad: bytes of a
//             page), tree of tables, last page:u64 transaction:u64; transaction n is in page n mod 2
//
// This code neither accesses memory outside the snapshot's pages nor loops: depths are bounded. A page is damaged if it
// has another number than its parent says, if its nodes do not fill it, if its keys are not ascending, or if they are
// outside the range that its parents give. Only a successful `find` checks less: the caller verifies the row.
//
// Plain values without destructors, for code that runs under map_guard.hpp; views refer to the map.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace cairn::storage::lmdb_pages {

constexpr std::uint64_t no_page = ~std::uint64_t{0};
constexpr unsigned depth_max = 16; // LMDB's bound is 32; with 511-byte keys no file is that deep

struct tree {
  std::uint64_t root = no_page, entries = 0;
  unsigned depth = 0;
  friend bool operator==(const tree&, const tree&) = default;
};
struct file {
  const char* map = nullptr;
  std::size_t page_bytes = 0;
  std::uint64_t pages = 0; // of the snapshot
};
struct meta {
  std::uint64_t transaction = 0, pages = 0;
  std::size_t page_bytes = 0;
  tree free_pages, tables;
  friend bool operator==(const meta&, const meta&) = default;
};

constexpr std::size_t meta_bytes = 16 + 24 + 2 * 48 + 16;
std::uint32_t page_bytes_of(std::string_view meta); // as the meta page says; `meta`: its first meta_bytes
// Whether LMDB may open a file with these meta pages. It uses the page of the later transaction, and checks neither its
// size of a page, by which it divides and finds the second meta page, nor its last page, up to which it maps the file.
// A shorter `second` and pages that LMDB refuses are not judged.
bool may_open(std::string_view first, std::string_view second, std::uint64_t map_bytes);

// Reads the meta page of a committed transaction. False: a later transaction has overwritten it, or it is damaged.
bool read_meta(const char* map, std::size_t page_bytes, std::uint64_t transaction, meta& out);
// The value of a table's row in meta.tables.
bool read_tree(std::string_view value, tree& out);

// Remembers which pages of one snapshot were checked completely: each in the slot of its number, the newest.
struct checked_pages {
  std::span<std::uint64_t> slots;

  bool contains(std::uint64_t page) const { return slots[page % slots.size()] == page; }
  void add(std::uint64_t page) const { slots[page % slots.size()] = page; }
};

enum class outcome : std::uint8_t { found, none, damaged };
enum class key_order : std::uint8_t { bytes, integers };

class cursor {
public:
  cursor() = default;
  cursor(const file& f, const tree& t, checked_pages memory = {}, key_order order = key_order::bytes)
      : file_(f), tree_(t), memory_(memory), order_(order) {}

  outcome find(std::string_view key);   // exactly this key
  outcome seek(std::string_view key);   // the first ≥ `key`
  outcome before(std::string_view key); // the last < `key`
  outcome first();
  outcome next();
  // Checks the pages that LMDB uses when it puts or erases `key`: the path to it, and their neighbours.
  outcome check_around(std::string_view key);

  std::string_view key() const { return key_; }
  std::string_view value() const { return value_; }
  bool is_tree() const { return is_tree_; } // the value describes a table
  const char* fault() const { return fault_; }

private:
  struct page_view {
    const char* at = nullptr;
    std::uint64_t number = 0;
    unsigned count = 0, upper = 0;
    bool leaf = false;
  };
  struct node_view {
    std::string_view key;
    std::uint64_t child = 0;    // of a branch
    const char* data = nullptr; // of a leaf
    std::uint32_t data_bytes = 0;
    std::uint16_t flags = 0;
    std::size_t bytes = 0; // in the page
  };
  struct level {
    page_view page;
    unsigned index = 0;
  };

  int compare(std::string_view a, std::string_view b) const;
  bool is_remembered(std::uint64_t page) const { return !memory_.slots.empty() && memory_.contains(page); }
  bool fail(const char* what);
  bool load(std::uint64_t number, bool leaf, page_view& out);
  bool node_of(const page_view& page, unsigned index, node_view& out);
  bool check_page(const page_view& page, unsigned depth);
  bool bound(unsigned depth, bool upper, std::string_view& out, bool& there);
  bool child(unsigned depth, std::uint64_t& number);
  bool enter(unsigned depth, bool whole);
  bool check_neighbour(unsigned depth, unsigned index);
  bool search(level& l, std::string_view key, bool& equal);
  outcome descend(std::string_view key, bool whole, bool& equal);
  bool down(unsigned depth, bool to_the_end);
  outcome step(bool forward);
  bool show();
  bool overflow(const node_view& node);

  file file_;
  tree tree_;
  checked_pages memory_; // without slots: none
  key_order order_ = key_order::bytes;
  level levels_[depth_max];
  std::string_view key_, value_;
  bool is_tree_ = false;
  const char* fault_ = "";
};

// Checks the whole list of free pages and counts them. It must not contain any of `roots` (descending), the roots of
// the trees.
bool check_free_pages(const file& f, const meta& m, std::span<const std::uint64_t> roots, std::uint64_t& pages);

} // namespace cairn::storage::lmdb_pages

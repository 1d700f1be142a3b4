// The rows of membership and data placement: the cluster, its nodes, the owners of each partition, and the chunks that
// a node has not confirmed. cluster/layout/layout.hpp describes their meaning. They are part of the replicated state.
// Encodings (version byte, grammar) are in cluster_rows.cpp, keys in tables.hpp.
//
// Node numbers are assigned by the metadata, from 0 without gaps, and never reused: a removed node keeps its row, so
// that its certificate and its old disks stay refused.
#pragma once

#include "storage/metadata/rows/rows.hpp"

#include <algorithm>
#include <array>
#include <span>

namespace cairn::storage::metadata {

constexpr std::size_t owners_max = 8;   // replicas of a chunk
constexpr std::size_t nodes_max = 4096; // ever added to one cluster
constexpr std::size_t members_max = 64; // at the same time: each has links to all others and a copy of the metadata
constexpr std::uint32_t node_weight_max = 1'000'000'000;
constexpr std::size_t node_address_bytes_max = 262; // a DNS name, a colon and a port
constexpr std::size_t node_zone_bytes_max = 64, cluster_name_bytes_max = 64;

// Distinct nodes in order; does not allocate.
template <std::size_t Max>
class node_list {
public:
  node_list() = default;
  node_list(std::initializer_list<node_number> nodes) {
    for (const node_number n : nodes) add(n);
  }

  // False: the node is in the list already, or the list is full; nothing changes.
  bool add(node_number node) {
    if (size_ == Max || contains(node)) return false;
    nodes_[size_++] = node;
    return true;
  }
  bool contains(node_number node) const { return std::find(begin(), end(), node) != end(); }

  const node_number* begin() const { return nodes_.data(); }
  const node_number* end() const { return nodes_.data() + size_; }
  node_number operator[](std::size_t i) const { return nodes_[i]; }
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  friend bool operator==(const node_list& a, const node_list& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end());
  }

private:
  std::array<node_number, Max> nodes_{};
  std::uint8_t size_ = 0;
};
using owner_list = node_list<owners_max>; // in order of preference

template <std::size_t A, std::size_t B>
bool same_nodes(const node_list<A>& a, const node_list<B>& b) { // in any order
  return a.size() == b.size() && std::all_of(a.begin(), a.end(), [&](node_number n) { return b.contains(n); });
}

// The number of confirmations that a write needs from `owners` current owners (1 or more). `configured` 0: a majority.
constexpr std::size_t write_quorum(std::size_t owners, std::size_t configured) {
  CAIRN_ASSERT(owners > 0);
  return configured == 0 ? owners / 2 + 1 : std::min(configured, owners);
}

enum class node_state : std::uint8_t {
  active = 1, // owns its share of the partitions
  draining,   // gets no partitions; keeps its chunks until other owners have them
  out,        // was down for too long and is presumed lost: other owners take over
  removed,    // permanent
};

struct node_row {
  node_number number = 0;
  uuid id{};
  std::string address;      // host:port of its node link
  std::string zone;         // failure domain; replicas are placed in distinct zones as far as there are enough
  std::uint32_t weight = 1; // share of the data, relative to the other nodes; 0: serves clients, holds no chunks
  node_state state = node_state::active;
  std::uint64_t incarnation = 0; // of its last known start (base/files/node_identity.hpp)
  wall_ms down_since = 0;        // 0: up
  friend bool operator==(const node_row&, const node_row&) = default;
};

struct cluster_row {
  uuid id{};
  std::string name;
  std::uint8_t replicas = 3;     // 1 to owners_max
  std::uint8_t write_quorum = 0; // confirmations that a write needs; 0: a majority
  layout_epoch epoch = 0;        // from 1, incremented by every change of nodes or owners
  std::uint32_t nodes = 0;       // numbers assigned so far
  wall_ms created = 0;
  friend bool operator==(const cluster_row&, const cluster_row&) = default;
};

// An invitation admits one node, once, until it expires: a node that proves that it has the token with this hash, or
// the named node, if its certificate proves the identity. The command that adds the node consumes the invitation.
using token_hash = std::array<std::uint8_t, 32>; // SHA-256
struct invitation {
  token_hash token{};  // all zero: an approval of the node below, without a token
  uuid node{};         // all zero: for any node that was never a member
  wall_ms expires = 0; // invalid from this time on
  friend bool operator==(const invitation&, const invitation&) = default;
};
constexpr std::size_t invitations_max = 64; // that have not expired

struct partition_owners {
  layout_epoch epoch = 0;     // in which these owners last changed
  owner_list current, target; // current owners have all chunks; targets are to get them. Equal when nothing has to move
  friend bool operator==(const partition_owners&, const partition_owners&) = default;
};

constexpr std::uint32_t owners_page_partitions = 64;
constexpr std::uint16_t owners_page_count = partition_count / owners_page_partitions;
static_assert(owners_page_count * owners_page_partitions == partition_count);
using owners_page = std::array<partition_owners, owners_page_partitions>;

// A node that has not confirmed chunks [first, first + count) of a blob: it may or may not have them.
struct missing_chunks {
  node_number node = 0;
  std::uint32_t first = 0, count = 0;
  friend auto operator<=>(const missing_chunks&, const missing_chunks&) = default;
};
constexpr std::size_t missing_chunks_max = 256; // per commit; a commit with more ranges names whole blobs instead

// The node of a repair for chunks that no node has any more and that were given up. The row is kept until the blob is
// reaped. Nothing waits for these chunks; a node that has a copy after all may serve it.
constexpr node_number nobody = 0xFFFF;
static_assert(nobody >= nodes_max);

struct repair_row {
  blob_id blob;
  missing_chunks missing;
  friend auto operator<=>(const repair_row&, const repair_row&) = default;
};

// A writer session of a node (begin_session: storage/metadata/commands/commands.hpp).
struct session_row {
  session_id id = 0;
  uuid node{};
  std::uint64_t incarnation = 0;
  bool ended = false;
  std::uint64_t acknowledged_below = 0; // the results of lower sequences were received; they are never applied again
  layout_epoch acknowledged_epoch = 0;  // its uncommitted writes were all made under this layout or a later one
};

std::string encode(const node_row& row);
std::string encode(const cluster_row& row);
std::string encode(const owners_page& page);
std::string encode(const invitation& row);
std::string encode(const session_row& row);

result<node_row> decode_node(std::string_view bytes);
result<cluster_row> decode_cluster(std::string_view bytes);
result<owners_page> decode_owners(std::string_view bytes);
result<invitation> decode_invitation(std::string_view bytes);
result<session_row> decode_session(std::string_view bytes);

// Encodings of fields that rows and commands share.
void write_nodes(byte_writer& w, const owner_list& nodes); // without their count
owner_list read_nodes(byte_reader& r, std::size_t count);
void write_owners(byte_writer& w, const partition_owners& owners);
partition_owners read_owners(byte_reader& r);
void write_node(byte_writer& w, const node_row& row);
node_row read_node(byte_reader& r);
void write_missing(byte_writer& w, const missing_chunks& missing);
missing_chunks read_missing(byte_reader& r);
void write_invitation(byte_writer& w, const invitation& i);
invitation read_invitation(byte_reader& r);
constexpr std::size_t missing_bytes_min = 3;

} // namespace cairn::storage::metadata

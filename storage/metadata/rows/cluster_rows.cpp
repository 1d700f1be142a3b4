// Encodings of the rows of membership and placement (notation: rows.cpp).
//
//   cluster_row  1 id:16 name:s replicas:u8 write_quorum:u8 epoch:v nodes:v created:u64
//   node_row     1 node
//   node         number:v id:16 address:s zone:s weight:v state:u8 incarnation:u64 down_since:u64
//   owners_page  1 owners{64}
//   owners       counts:u8 epoch:v current:(number:v)* target:(number:v)*
//                counts: low 4 bits: number of current owners, 1 to 8; high 4 bits: number of targets, 0 if the targets
//                equal the current owners
//   missing      node:v first:v count:v
//   invitation   1 token:32 node:16 expires:u64    one of token and node may be zero, not both
//   session_row  1 id:v node:16 incarnation:u64 ended:u8 acknowledged_below:v
//                2 (the same) acknowledged_epoch:v     if it is not 0
#include "storage/metadata/rows/cluster_rows.hpp"

#include "storage/metadata/rows/row_version.hpp"

namespace cairn::storage::metadata {

namespace {

constexpr std::uint8_t session_version_with_epoch = 2;

// Reads the version byte and then the row.
template <class Read>
auto decode_row(std::string_view bytes, const std::string& what, Read read)
    -> result<decltype(read(std::declval<byte_reader&>()))> {
  byte_reader r{bytes};
  const std::uint8_t version = r.u8();
  if (r.ok() && version > row_version)
    return error{errc::unsupported, what + " row of version " + std::to_string(version)};
  if (version != row_version) r.fail();
  auto row = read(r);
  if (!r.finished()) return error{errc::corrupt, what + " row does not follow its grammar"};
  return row;
}

node_number read_member_number(byte_reader& r) {
  return static_cast<node_number>(r.varint(nodes_max - 1));
}

cluster_row read_cluster(byte_reader& r) {
  cluster_row row;
  r.raw(row.id);
  row.name = r.string();
  row.replicas = r.u8();
  row.write_quorum = r.u8();
  row.epoch = r.varint();
  row.nodes = static_cast<std::uint32_t>(r.varint(nodes_max));
  row.created = static_cast<wall_ms>(r.u64());
  if (row.replicas == 0 || row.replicas > owners_max || row.write_quorum > row.replicas) r.fail();
  return row;
}

owners_page read_page(byte_reader& r) {
  owners_page page;
  for (partition_owners& owners : page) owners = read_owners(r);
  return page;
}

} // namespace

void write_nodes(byte_writer& w, const owner_list& nodes) {
  for (const node_number n : nodes) w.varint(n);
}

owner_list read_nodes(byte_reader& r, std::size_t count) {
  owner_list nodes;
  for (std::size_t i = 0; i < count && r.ok(); ++i)
    if (!nodes.add(read_member_number(r))) r.fail();
  return nodes;
}

void write_owners(byte_writer& w, const partition_owners& owners) {
  const bool moves = !(owners.target == owners.current);
  w.u8(static_cast<std::uint8_t>(owners.current.size() | (moves ? owners.target.size() << 4 : 0))).varint(owners.epoch);
  write_nodes(w, owners.current);
  if (moves) write_nodes(w, owners.target);
}

partition_owners read_owners(byte_reader& r) {
  const std::uint8_t counts = r.u8();
  const std::size_t current = counts & 15, target = counts >> 4;
  if (current == 0 || current > owners_max || target > owners_max) r.fail();
  partition_owners owners;
  owners.epoch = r.varint();
  owners.current = read_nodes(r, current);
  owners.target = target == 0 ? owners.current : read_nodes(r, target);
  if (target > 0 && owners.target == owners.current) r.fail();
  return owners;
}

void write_node(byte_writer& w, const node_row& row) {
  w.varint(row.number).raw(row.id).string(row.address).string(row.zone).varint(row.weight);
  w.u8(static_cast<std::uint8_t>(row.state)).u64(row.incarnation).u64(static_cast<std::uint64_t>(row.down_since));
}

node_row read_node(byte_reader& r) {
  node_row row;
  row.number = read_member_number(r);
  r.raw(row.id);
  row.address = r.string();
  row.zone = r.string();
  row.weight = static_cast<std::uint32_t>(r.varint(node_weight_max));
  row.state = static_cast<node_state>(r.u8());
  row.incarnation = r.u64();
  row.down_since = static_cast<wall_ms>(r.u64());
  if (row.state < node_state::active || row.state > node_state::removed) r.fail();
  return row;
}

void write_missing(byte_writer& w, const missing_chunks& missing) {
  w.varint(missing.node).varint(missing.first).varint(missing.count);
}

missing_chunks read_missing(byte_reader& r) {
  missing_chunks missing;
  missing.node = read_member_number(r);
  missing.first = r.varint32();
  missing.count = r.varint32();
  return missing;
}

void write_invitation(byte_writer& w, const invitation& i) {
  w.raw(i.token).raw(i.node).u64(static_cast<std::uint64_t>(i.expires));
}

invitation read_invitation(byte_reader& r) {
  invitation i;
  r.raw(i.token);
  r.raw(i.node);
  i.expires = static_cast<wall_ms>(r.u64());
  if (i.token == token_hash{} && i.node == uuid{}) r.fail();
  return i;
}

std::string encode(const cluster_row& row) {
  byte_writer w{128};
  w.u8(row_version).raw(row.id).string(row.name).u8(row.replicas).u8(row.write_quorum);
  return w.varint(row.epoch).varint(row.nodes).u64(static_cast<std::uint64_t>(row.created)).take();
}

std::string encode(const node_row& row) {
  byte_writer w{128};
  w.u8(row_version);
  write_node(w, row);
  return w.take();
}

std::string encode(const owners_page& page) {
  byte_writer w{owners_page_partitions * 8};
  w.u8(row_version);
  for (const partition_owners& owners : page) write_owners(w, owners);
  return w.take();
}

std::string encode(const invitation& row) {
  byte_writer w{64};
  w.u8(row_version);
  write_invitation(w, row);
  return w.take();
}

result<cluster_row> decode_cluster(std::string_view bytes) {
  return decode_row(bytes, "cluster", read_cluster);
}

result<node_row> decode_node(std::string_view bytes) {
  return decode_row(bytes, "node", read_node);
}

result<owners_page> decode_owners(std::string_view bytes) {
  return decode_row(bytes, "owners", read_page);
}

result<invitation> decode_invitation(std::string_view bytes) {
  return decode_row(bytes, "invitation", read_invitation);
}

std::string encode(const session_row& row) {
  byte_writer w{64};
  w.u8(row.acknowledged_epoch == 0 ? row_version : session_version_with_epoch);
  w.varint(row.id).raw(row.node).u64(row.incarnation).boolean(row.ended).varint(row.acknowledged_below);
  if (row.acknowledged_epoch != 0) w.varint(row.acknowledged_epoch);
  return w.take();
}

result<session_row> decode_session(std::string_view bytes) {
  byte_reader r{bytes};
  const bool with_epoch = bytes.starts_with(static_cast<char>(session_version_with_epoch));
  if (auto bad = check_version(r, "session", {session_version_with_epoch})) return *bad;
  session_row row;
  row.id = r.varint();
  r.raw(row.node);
  row.incarnation = r.u64();
  row.ended = r.boolean();
  row.acknowledged_below = r.varint();
  if (with_epoch) row.acknowledged_epoch = r.varint();
  if (with_epoch && row.acknowledged_epoch == 0) r.fail();
  if (!r.finished()) return bad_row("session");
  return row;
}

} // namespace cairn::storage::metadata

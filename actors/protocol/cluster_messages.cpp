#include "actors/protocol/cluster_messages.hpp"

#include "actors/protocol/message_codec.hpp"
#include "base/checksum.hpp"
#include "base/codec.hpp"
#include "cluster/raft/raft_message.hpp"

namespace cairn::actors {

namespace {

namespace meta = storage::metadata;

constexpr std::uint8_t cluster_version = 1, version_of_proofs = 2;
constexpr std::size_t text_bytes_max = 1024, outcomes_max = 4096;

void write(byte_writer& w, const meta::new_node& n) {
  w.raw(n.id).string(n.address).string(n.zone).varint(n.weight).u64(n.incarnation);
}

void read(byte_reader& r, meta::new_node& n) {
  r.raw(n.id);
  n.address = r.string(text_bytes_max);
  n.zone = r.string(text_bytes_max);
  n.weight = r.varint32();
  n.incarnation = r.u64();
}

void write(byte_writer& w, const known_members& members) {
  w.varint(members.size());
  for (const auto& m : members) w.u16(m.number).raw(m.id).string(m.address);
}

void read(byte_reader& r, known_members& members) {
  members.resize(r.count(19));
  for (auto& m : members) {
    m.number = r.u16();
    r.raw(m.id);
    m.address = r.string(text_bytes_max);
  }
}

} // namespace

std::string encode_submit(std::span<const meta::command> batch) {
  return begin_message(cluster_version).raw(meta::encode(batch)).take();
}

result<std::vector<meta::command>> decode_submit(std::string_view bytes) {
  byte_reader r{bytes};
  if (auto good = open_message(r, cluster_version); !good) return good.error();
  return meta::decode_batch(r.rest());
}

std::string encode_outcomes(const command_outcomes& outcomes) {
  auto w = begin_message(cluster_version);
  w.varint(outcomes.size());
  for (const auto& o : outcomes) {
    w.boolean(o.has_value());
    if (o) w.string(meta::encode(*o));
  }
  return w.take();
}

result<command_outcomes> decode_outcomes(std::string_view bytes) {
  byte_reader r{bytes};
  if (auto good = open_message(r, cluster_version); !good) return good.error();
  command_outcomes out(std::min(r.count(1), outcomes_max));
  for (auto& o : out) {
    if (!r.boolean()) continue;
    auto one = meta::decode_result(r.string());
    if (!one) return one.error();
    o = std::move(*one);
  }
  if (!r.finished()) return broken_message("the outcome of commands");
  return out;
}

std::string encode_barrier() {
  return begin_message(cluster_version).take();
}

result<void> decode_barrier(std::string_view bytes) {
  byte_reader r{bytes};
  if (auto good = open_message(r, cluster_version); !good) return good;
  if (!r.finished()) return broken_message("a barrier request");
  return {};
}

std::string encode(const read_index& i) {
  auto w = begin_message(cluster_version);
  w.varint(i.index);
  if (i.term != 0) w.varint(i.term);
  return w.take();
}

result<read_index> decode_read_index(std::string_view bytes) {
  byte_reader r{bytes};
  if (auto good = open_message(r, cluster_version); !good) return good.error();
  read_index out{r.varint()};
  const bool with_term = r.ok() && !r.rest().empty();
  if (with_term) out.term = r.varint();
  if (!r.finished() || (with_term && out.term == 0)) return broken_message("a log index");
  return out;
}

std::string encode(const snapshot_request& wanted) {
  return begin_message(cluster_version).u64(wanted.index).u64(wanted.offset).take();
}

result<snapshot_request> decode_snapshot_request(std::string_view bytes) {
  byte_reader r{bytes};
  if (auto good = open_message(r, cluster_version); !good) return good.error();
  snapshot_request out;
  out.index = r.u64();
  out.offset = r.u64();
  if (!r.finished()) return broken_message("a snapshot request");
  return out;
}

std::string encode(const snapshot_piece& p) {
  auto w = begin_message(cluster_version, p.bytes.size() + 128);
  w.u64(p.record.index).u64(p.record.term).u64(p.record.servers_index).string(cluster::raft::encode(p.record.servers));
  w.u64(p.total).u32(crc32c(std::as_bytes(std::span{p.bytes}))).raw(p.bytes);
  return w.take();
}

result<snapshot_piece> decode_snapshot_piece(std::string_view bytes) {
  byte_reader r{bytes};
  if (auto good = open_message(r, cluster_version); !good) return good.error();
  snapshot_piece p;
  p.record.index = r.u64();
  p.record.term = r.u64();
  p.record.servers_index = r.u64();
  auto servers = cluster::raft::decode_configuration(r.string());
  p.total = r.u64();
  const auto checksum = r.u32();
  if (!r.ok() || !servers) return broken_message("a piece of a snapshot");
  p.record.servers = std::move(*servers);
  p.bytes = r.rest();
  if (crc32c(std::as_bytes(std::span{p.bytes})) != checksum)
    return broken_message("the checksum of a snapshot's piece");
  return p;
}

std::string encode(const join_request& j) {
  byte_writer w{128};
  w.u8(j.proof ? version_of_proofs : cluster_version);
  write(w, j.node);
  w.string(j.cluster_name);
  if (j.proof) w.raw(*j.proof);
  return w.take();
}

result<join_request> decode_join(std::string_view bytes) {
  byte_reader r{bytes};
  const bool proves = !bytes.empty() && std::uint8_t(bytes.front()) == version_of_proofs;
  if (proves)
    r.u8();
  else if (auto good = open_message(r, cluster_version); !good)
    return good.error();
  join_request out;
  read(r, out.node);
  out.cluster_name = r.string(text_bytes_max);
  if (proves) r.raw(out.proof.emplace());
  if (!r.finished()) return broken_message("a join request");
  return out;
}

std::string encode(const join_answer& j) {
  auto w = begin_message(cluster_version);
  w.raw(j.cluster).string(j.name).u16(j.number);
  write(w, j.members);
  return w.take();
}

result<join_answer> decode_join_answer(std::string_view bytes) {
  byte_reader r{bytes};
  if (auto good = open_message(r, cluster_version); !good) return good.error();
  join_answer out;
  r.raw(out.cluster);
  out.name = r.string(text_bytes_max);
  out.number = r.u16();
  read(r, out.members);
  if (!r.finished()) return broken_message("the answer to a join request");
  return out;
}

std::string encode(const known_members& members) {
  auto w = begin_message(cluster_version);
  write(w, members);
  return w.take();
}

result<known_members> decode_members(std::string_view bytes) {
  byte_reader r{bytes};
  if (auto good = open_message(r, cluster_version); !good) return good.error();
  known_members out;
  read(r, out);
  if (!r.finished()) return broken_message("a list of members");
  return out;
}

std::string encode(const node_report& n) {
  auto w = begin_message(cluster_version, 128 + 2 * n.complete.size());
  write(w, n.node);
  w.u64(n.oldest_hold).u64(n.settled).u64(n.applied).u64(n.used_bytes).u64(n.capacity_bytes).u64(n.data_bytes);
  w.boolean(n.takes_writes);
  w.u64(n.complete_epoch).varint(n.complete.size());
  for (const auto p : n.complete) w.u16(p);
  w.varint(n.lost_count).varint(n.lost.size());
  for (const auto& id : n.lost) w.u64(id.blob.session).u64(id.blob.number).u32(id.index);
  if (n.fault.empty() && n.closed_disks == 0 && n.certificate_end == 0 && n.wall == 0) return w.take();
  w.string(n.fault.substr(0, text_bytes_max)).varint(n.closed_disks).u64(std::uint64_t(n.certificate_end));
  if (n.wall != 0) w.u64(std::uint64_t(n.wall));
  return w.take();
}

result<node_report> decode_report(std::string_view bytes) {
  byte_reader r{bytes};
  if (auto good = open_message(r, cluster_version); !good) return good.error();
  node_report out;
  read(r, out.node);
  out.oldest_hold = r.u64();
  out.settled = r.u64();
  out.applied = r.u64();
  out.used_bytes = r.u64();
  out.capacity_bytes = r.u64();
  out.data_bytes = r.u64();
  out.takes_writes = r.boolean();
  out.complete_epoch = r.u64();
  out.complete.resize(r.count(2));
  for (auto& p : out.complete) p = r.u16();
  out.lost_count = r.varint();
  out.lost.resize(r.count(20));
  for (auto& id : out.lost) {
    id.blob.session = r.u64();
    id.blob.number = r.u64();
    id.index = r.u32();
  }
  if (r.ok() && !r.rest().empty()) {
    out.fault = r.string(text_bytes_max);
    out.closed_disks = r.varint();
    out.certificate_end = wall_ms(r.u64());
  }
  if (r.ok() && !r.rest().empty()) out.wall = wall_ms(r.u64());
  if (!r.finished()) return broken_message("the report");
  return out;
}

} // namespace cairn::actors

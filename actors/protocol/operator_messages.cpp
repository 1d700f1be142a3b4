#include "actors/protocol/operator_messages.hpp"

#include "actors/protocol/message_codec.hpp"
#include "base/codec.hpp"

#include <algorithm>

namespace cairn::actors {

namespace {

constexpr std::uint8_t operator_version = 1, version_of_names = 2;
constexpr std::size_t operator_text_bytes_max = 4096, done_bytes_max = 128 << 10, node_bytes_min = 38,
                      waiting_bytes_min = 17;
enum class what : std::uint8_t { status = 1, command, repair_scan };

bool has_fault(const cluster_node_status& n) {
  return !n.fault.empty() || n.closed_disks > 0;
}

using node_numbers = std::vector<node_number>;

void write(byte_writer& w, const node_numbers& nodes) {
  w.varint(nodes.size());
  for (const auto n : nodes) w.u16(n);
}

node_numbers read_numbers(byte_reader& r) {
  node_numbers out(r.count(2));
  for (auto& n : out) n = r.u16();
  return out;
}

void write(byte_writer& w, const cluster_node_status& n) {
  w.u16(n.number).raw(n.id).string(n.address).string(n.zone).varint(n.weight).u8(std::uint8_t(n.state)).boolean(n.up);
  w.u64(std::uint64_t(n.since)).u8(std::uint8_t(n.role)).varint(n.partitions_owned).varint(n.partitions_incoming);
  w.varint(n.used_bytes).varint(n.capacity_bytes).varint(n.data_bytes).varint(n.applied_index);
}

void read(byte_reader& r, cluster_node_status& n) {
  n.number = r.u16();
  r.raw(n.id);
  n.address = r.string(operator_text_bytes_max);
  n.zone = r.string(operator_text_bytes_max);
  n.weight = r.varint32();
  const auto state = r.u8();
  if (state < std::uint8_t(storage::metadata::node_state::active) ||
      state > std::uint8_t(storage::metadata::node_state::removed))
    r.fail();
  n.state = storage::metadata::node_state(state);
  n.up = r.boolean();
  n.since = wall_ms(r.u64());
  const auto role = r.u8();
  if (role > std::uint8_t(metadata_role::voter)) r.fail();
  n.role = metadata_role(role);
  n.partitions_owned = r.varint32();
  n.partitions_incoming = r.varint32();
  n.used_bytes = r.varint();
  n.capacity_bytes = r.varint();
  n.data_bytes = r.varint();
  n.applied_index = r.varint();
}

} // namespace

namespace {

admin_command read_command(byte_reader& r, bool has_names) {
  admin_command c;
  c.kind = admin_verb(r.u8());
  const auto* verb = find_verb(c.kind);
  if (!verb || (has_names && verb->subject == verb_subject::cluster)) r.fail();
  c.node = r.u16();
  c.number = r.u32();
  c.zone = r.string(operator_text_bytes_max);
  c.nodes = read_numbers(r);
  if (c.kind == admin_verb::add) {
    r.raw(c.invited);
    r.raw(c.token);
  }
  if (!has_names) return c;
  c.repeated = r.boolean();
  c.names.resize(r.count(1));
  for (auto& name : c.names) name = r.string(operator_text_bytes_max);
  const bool one = verb && verb->subject == verb_subject::node;
  if (c.names.empty() || (one && c.names.size() > 1)) r.fail();
  return c;
}

} // namespace

std::string encode(const admin_request& request) {
  const auto* named = std::get_if<admin_command>(&request);
  const bool has_names = named && !named->names.empty();
  auto w = begin_message(has_names ? version_of_names : operator_version);
  if (std::holds_alternative<status_request>(request)) return w.u8(std::uint8_t(what::status)).take();
  if (std::holds_alternative<repair_scan_request>(request)) return w.u8(std::uint8_t(what::repair_scan)).take();
  const auto& c = std::get<admin_command>(request);
  w.u8(std::uint8_t(what::command)).u8(std::uint8_t(c.kind)).u16(c.node).u32(c.number).string(c.zone);
  write(w, c.nodes);
  if (c.kind == admin_verb::add) w.raw(c.invited).raw(c.token);
  if (!has_names) return w.take();
  w.boolean(c.repeated).varint(c.names.size());
  for (const auto& name : c.names) w.string(name);
  return w.take();
}

result<admin_request> decode_admin_request(std::string_view bytes) {
  byte_reader r{bytes};
  const bool has_names = !bytes.empty() && std::uint8_t(bytes.front()) == version_of_names;
  if (auto good = open_message(r, has_names ? version_of_names : operator_version); !good) return good.error();
  admin_request out;
  const auto kind = what(r.u8());
  if (kind == what::command)
    out = read_command(r, has_names);
  else if (kind == what::repair_scan && !has_names)
    out = repair_scan_request{};
  else if (kind != what::status || has_names)
    r.fail();
  if (!r.finished()) return broken_message("an admin command");
  return out;
}

std::string encode(const cluster_status& s) {
  auto w = begin_message(operator_version);
  w.string(s.name).raw(s.id).u8(s.replicas).u8(s.write_quorum).boolean(s.deletions_held).varint(s.epoch);
  w.varint(s.leader ? std::uint64_t{*s.leader} + 1 : 0).varint(s.term).u16(s.self).u64(std::uint64_t(s.now));
  w.varint(s.repairs_waiting).varint(s.bytes_to_move).varint(s.partitions_under_replicated).varint(s.nodes.size());
  for (const auto& n : s.nodes) write(w, n);
  write(w, s.voters);
  w.varint(s.chunks_lost);
  write(w, s.voters_next);
  w.u8(std::uint8_t(s.auto_out.paused));
  write(w, s.auto_out.waiting);
  write(w, s.auto_out.because);
  const auto faults = std::ranges::count_if(s.nodes, [](const auto& n) { return has_fault(n); });
  const bool ends = std::ranges::any_of(s.nodes, [](const auto& n) { return n.certificate_end != 0; });
  if (faults == 0 && s.waiting.empty() && !ends) return w.take();
  w.varint(std::uint64_t(faults));
  for (const auto& n : s.nodes)
    if (has_fault(n)) w.u16(n.number).string(n.fault.substr(0, operator_text_bytes_max)).varint(n.closed_disks);
  w.varint(s.waiting.size());
  for (const auto& n : s.waiting) w.raw(n.id).string(n.address);
  w.varint(ends ? s.nodes.size() : 0);
  if (ends)
    for (const auto& n : s.nodes) w.u64(std::uint64_t(n.certificate_end));
  return w.take();
}

namespace {

void read_rest(byte_reader& r, cluster_status& s) {
  for (auto faults = r.count(4); faults > 0; --faults) {
    const auto number = r.u16();
    std::string fault{r.string(operator_text_bytes_max)};
    const auto n = std::ranges::find(s.nodes, number, &cluster_node_status::number);
    const auto closed = r.varint();
    if (n == s.nodes.end()) continue;
    n->fault = std::move(fault);
    n->closed_disks = closed;
  }
  s.waiting.resize(r.count(waiting_bytes_min));
  for (auto& n : s.waiting) {
    r.raw(n.id);
    n.address = r.string(operator_text_bytes_max);
  }
  const auto ends = r.count(sizeof(std::uint64_t));
  if (ends != 0 && ends != s.nodes.size()) return r.fail();
  for (std::size_t i = 0; i < ends; ++i) s.nodes[i].certificate_end = wall_ms(r.u64());
}

} // namespace

result<cluster_status> decode_cluster_status(std::string_view bytes) {
  byte_reader r{bytes};
  if (auto good = open_message(r, operator_version); !good) return good.error();
  cluster_status s;
  s.name = r.string(operator_text_bytes_max);
  r.raw(s.id);
  s.replicas = r.u8();
  s.write_quorum = r.u8();
  s.deletions_held = r.boolean();
  s.epoch = r.varint();
  if (const auto leader = r.varint(UINT16_MAX + 1); leader != 0) s.leader = node_number(leader - 1);
  s.term = r.varint();
  s.self = r.u16();
  s.now = wall_ms(r.u64());
  s.repairs_waiting = r.varint();
  s.bytes_to_move = r.varint();
  s.partitions_under_replicated = r.varint();
  s.nodes.resize(r.count(node_bytes_min));
  for (auto& n : s.nodes) read(r, n);
  s.voters = read_numbers(r);
  s.chunks_lost = r.varint();
  s.voters_next = read_numbers(r);
  const auto pause = r.u8();
  if (pause > std::uint8_t(cluster::out_pause::no_room)) r.fail();
  s.auto_out.paused = cluster::out_pause(pause);
  s.auto_out.waiting = read_numbers(r);
  s.auto_out.because = read_numbers(r);
  if (r.ok() && !r.finished()) read_rest(r, s);
  if (!r.finished()) return broken_message("the cluster's status");
  return s;
}

std::string encode_done(std::string_view text) {
  return begin_message(operator_version).string(text).take();
}

result<std::string> decode_done(std::string_view bytes) {
  byte_reader r{bytes};
  if (auto good = open_message(r, operator_version); !good) return good.error();
  std::string text{r.string(done_bytes_max)};
  if (!r.finished()) return broken_message("an answer to an operator");
  return text;
}

} // namespace cairn::actors

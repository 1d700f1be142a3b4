// Encodings of the commands of membership and placement: their fields, which follow level and kind (commands.cpp;
// notation: rows.cpp).
//
//    9 create_cluster     id:16 name:s replicas:u8 write_quorum:u8 now:u64 new_node
//   10 add_node           new_node [token:32 node:16 now:u64]    with an invitation
//   11 set_node           node:v fields:u8 [address:s] [zone:s] [weight:v] [state:u8]
//                         fields: 1 address, 2 zone, 4 weight, 8 state
//   12 remove_node        node:v
//   13 set_targets        epoch:v count:v (gap:v owners:u8 (number:v){owners})*
//   14 moved              epoch:v count:v (gap:v)*
//                         gap: number of partitions skipped since the previous one
//   15 confirm_replicas   count:v (blob missing)*
//   16 note_down          node:v now:u64
//   17 note_up            node:v incarnation:u64
//   18 acknowledge_epoch  session:v epoch:v
//   27 hold_deletions     held:u8
//   31 raise_feature_level level:u8
//   32 give_up_chunks     count:v (blob first:v count:v)*
//   33 invite_node        token:32 node:16 expires:u64 now:u64
//   new_node              id:16 address:s zone:s weight:v incarnation:u64
#include "storage/metadata/commands/cluster_commands.hpp"

#include "storage/metadata/commands/command_parts.hpp"

namespace cairn::storage::metadata {

namespace {

constexpr std::uint8_t has_address = 1, has_zone = 2, has_weight = 4, has_state = 8;
constexpr std::size_t target_bytes_min = 3, gap_bytes_min = 1, repair_bytes_min = 16 + missing_bytes_min,
                      lost_bytes_min = 18;

void write_number(byte_writer& w, node_number node) {
  w.varint(node);
}
node_number read_number(byte_reader& r) {
  return static_cast<node_number>(r.varint(nodes_max - 1));
}

void write_new_node(byte_writer& w, const new_node& n) {
  w.raw(n.id).string(n.address).string(n.zone).varint(n.weight).u64(n.incarnation);
}
new_node read_new_node(byte_reader& r) {
  new_node n;
  r.raw(n.id);
  n.address = r.string();
  n.zone = r.string();
  n.weight = r.varint32();
  n.incarnation = r.u64();
  return n;
}

// Ascending partitions, encoded as the gaps between them: the encoding is unique and the order need not be checked.
class gaps {
public:
  std::uint64_t before(partition_id partition) { return partition - std::exchange(next_, partition + 1u); }
  partition_id read(byte_reader& r) {
    if (next_ == partition_count) r.fail();
    const std::uint64_t gap = r.varint(r.ok() ? partition_count - 1 - next_ : 0);
    if (!r.ok()) return 0;
    const auto partition = static_cast<partition_id>(next_ + gap);
    next_ = partition + 1u;
    return partition;
  }

private:
  std::uint32_t next_ = 0;
};

} // namespace

void write(byte_writer& w, const create_cluster& c) {
  w.raw(c.id).string(c.name).u8(c.replicas).u8(c.write_quorum);
  write_time(w, c.now);
  write_new_node(w, c.first);
}
void read(byte_reader& r, create_cluster& c) {
  r.raw(c.id);
  c.name = r.string();
  c.replicas = r.u8();
  c.write_quorum = r.u8();
  c.now = read_time(r);
  c.first = read_new_node(r);
}

void write(byte_writer& w, const add_node& c) {
  write_new_node(w, c.node);
  if (!c.invited) return;
  w.raw(c.invited->token).raw(c.invited->node);
  write_time(w, c.invited->now);
}
void read(byte_reader& r, add_node& c) {
  c.node = read_new_node(r);
  if (!r.ok() || r.finished()) return;
  c.invited.emplace();
  r.raw(c.invited->token);
  r.raw(c.invited->node);
  c.invited->now = read_time(r);
}

void write(byte_writer& w, const set_node& c) {
  write_number(w, c.node);
  w.u8(static_cast<std::uint8_t>((c.address ? has_address : 0) | (c.zone ? has_zone : 0) | (c.weight ? has_weight : 0) |
                                 (c.state ? has_state : 0)));
  if (c.address) w.string(*c.address);
  if (c.zone) w.string(*c.zone);
  if (c.weight) w.varint(*c.weight);
  if (c.state) w.u8(static_cast<std::uint8_t>(*c.state));
}
void read(byte_reader& r, set_node& c) {
  c.node = read_number(r);
  const std::uint8_t fields = r.u8();
  if ((fields & ~(has_address | has_zone | has_weight | has_state)) != 0) r.fail();
  if ((fields & has_address) != 0) c.address = std::string{r.string()};
  if ((fields & has_zone) != 0) c.zone = std::string{r.string()};
  if ((fields & has_weight) != 0) c.weight = r.varint32();
  if ((fields & has_state) != 0) c.state = static_cast<node_state>(r.u8());
}

void write(byte_writer& w, const remove_node& c) {
  write_number(w, c.node);
}
void read(byte_reader& r, remove_node& c) {
  c.node = read_number(r);
}

void write(byte_writer& w, const set_targets& c) {
  w.varint(c.epoch).varint(c.targets.size());
  gaps g;
  for (const partition_target& t : c.targets) {
    w.varint(g.before(t.partition)).u8(static_cast<std::uint8_t>(t.target.size()));
    write_nodes(w, t.target);
  }
}
void read(byte_reader& r, set_targets& c) {
  c.epoch = r.varint();
  const std::size_t count = r.count(target_bytes_min);
  gaps g;
  for (std::size_t i = 0; i < count && r.ok(); ++i) {
    partition_target t;
    t.partition = g.read(r);
    const std::uint8_t owners = r.u8();
    if (owners == 0 || owners > owners_max) r.fail();
    t.target = read_nodes(r, owners);
    c.targets.push_back(t);
  }
}

void write(byte_writer& w, const moved& c) {
  w.varint(c.epoch).varint(c.partitions.size());
  gaps g;
  for (const partition_id p : c.partitions) w.varint(g.before(p));
}
void read(byte_reader& r, moved& c) {
  c.epoch = r.varint();
  const std::size_t count = r.count(gap_bytes_min);
  gaps g;
  for (std::size_t i = 0; i < count && r.ok(); ++i) c.partitions.push_back(g.read(r));
}

void write(byte_writer& w, const confirm_replicas& c) {
  w.varint(c.repairs.size());
  for (const repair_row& repair : c.repairs) {
    write_blob_id(w, repair.blob);
    write_missing(w, repair.missing);
  }
}
void read(byte_reader& r, confirm_replicas& c) {
  c.repairs.resize(r.count(repair_bytes_min));
  for (repair_row& repair : c.repairs) {
    repair.blob = read_blob_id(r);
    repair.missing = read_missing(r);
  }
}

void write(byte_writer& w, const note_down& c) {
  write_number(w, c.node);
  write_time(w, c.now);
}
void read(byte_reader& r, note_down& c) {
  c.node = read_number(r);
  c.now = read_time(r);
}

void write(byte_writer& w, const note_up& c) {
  write_number(w, c.node);
  w.u64(c.incarnation);
}
void read(byte_reader& r, note_up& c) {
  c.node = read_number(r);
  c.incarnation = r.u64();
}

void write(byte_writer& w, const acknowledge_epoch& c) {
  w.varint(c.session).varint(c.epoch);
}
void read(byte_reader& r, acknowledge_epoch& c) {
  c.session = r.varint();
  c.epoch = r.varint();
}

void write(byte_writer& w, const hold_deletions& c) {
  w.boolean(c.held);
}
void read(byte_reader& r, hold_deletions& c) {
  c.held = r.boolean();
}

void write(byte_writer& w, const raise_feature_level& c) {
  w.u8(c.level);
}
void read(byte_reader& r, raise_feature_level& c) {
  c.level = r.u8();
}

void write(byte_writer& w, const give_up_chunks& c) {
  w.varint(c.chunks.size());
  for (const lost_chunks& lost : c.chunks) {
    write_blob_id(w, lost.blob);
    w.varint(lost.first).varint(lost.count);
  }
}
void read(byte_reader& r, give_up_chunks& c) {
  c.chunks.resize(r.count(lost_bytes_min));
  for (lost_chunks& lost : c.chunks) {
    lost.blob = read_blob_id(r);
    lost.first = r.varint32();
    lost.count = r.varint32();
  }
}

void write(byte_writer& w, const invite_node& c) {
  write_invitation(w, c.what);
  write_time(w, c.now);
}
void read(byte_reader& r, invite_node& c) {
  c.what = read_invitation(r);
  c.now = read_time(r);
}

} // namespace cairn::storage::metadata

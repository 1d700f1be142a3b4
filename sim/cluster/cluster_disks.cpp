#include "sim/cluster/cluster_disks.hpp"

#include "storage/metadata/rows/tables.hpp"

#include <algorithm>
#include <array>

namespace cairn::sim {

namespace {

constexpr std::uint64_t disks_salt = 0x6508FF172CC663ACull;
constexpr std::uint64_t operations_max = 60;
constexpr std::size_t blobs_max = 200;

bool changes(disk_operation o) {
  return o != disk_operation::read && o != disk_operation::read_cached && o != disk_operation::space_of &&
         o != disk_operation::list;
}

bool needs_room(disk_operation o) {
  return o == disk_operation::write || o == disk_operation::preallocate;
}

} // namespace

disk_fault_plan draw_disk_faults(std::uint64_t seed) {
  dice d{seed ^ disks_salt};
  disk_fault_plan p;
  if (!d.chance(0.35)) return p;
  if (d.chance(0.4)) p.read_errors = d.pick(std::vector<double>{0.002, 0.02});
  if (d.chance(0.4)) p.write_errors = d.pick(std::vector<double>{0.002, 0.02});
  if (d.chance(0.25)) p.flush_errors = d.pick(std::vector<double>{0.002, 0.01});
  p.fills_up = d.chance(0.3);
  p.loses_power_midway = d.chance(0.5);
  if (d.chance(0.3)) p.metadata_errors = d.pick(std::vector<double>{0.002, 0.01});
  return p;
}

void cluster_disks::open(cluster_node& n) {
  for (std::size_t i = 0; i < n.disks(); ++i) {
    n.files(i).set_fault({});
    n.index(i).set_fault({});
  }
  n.state().set_fault({});
  n.log_files().set_fault({});
}

void cluster_disks::begin(cluster_node& n) {
  if (plan_.any()) set_faults(n, nullptr);
}

// `operations_left`: the number of operations until the power fails.
void cluster_disks::set_faults(cluster_node& n, std::shared_ptr<std::uint64_t> operations_left) {
  const auto powerless = [left = std::move(operations_left)](bool counts) {
    if (!left) return false;
    if (*left > 0 && counts) --*left;
    return *left == 0;
  };
  const auto file = [this, &n, powerless](disk_operation o, const std::string&) -> std::optional<error> {
    if (powerless(changes(o))) return error{errc::io_error, "the power has failed"};
    if (over_) return std::nullopt;
    if (full_ == &n && needs_room(o)) return error{errc::no_space, "planned"};
    const double chance = o == disk_operation::read    ? plan_.read_errors
                          : o == disk_operation::flush ? plan_.flush_errors
                          : needs_room(o)              ? plan_.write_errors
                                                       : 0;
    if (chance == 0 || !w_.draw.chance(chance)) return std::nullopt;
    ++errors_;
    return error{errc::io_error, "planned"};
  };
  using fault = faulty_kv::fault;
  const auto last_commit = [this] { return w_.draw.chance(0.5) ? fault::flush_kept : fault::flush_lost; };
  for (std::size_t i = 0; i < n.disks(); ++i) {
    n.files(i).set_fault(file);
    n.index(i).set_fault([this, &n, powerless, last_commit] {
      if (powerless(true)) return last_commit();
      return !over_ && full_ == &n ? fault::no_space : fault::none;
    });
  }
  n.state().set_fault([this, powerless, last_commit] {
    if (powerless(true)) return last_commit();
    if (over_ || plan_.metadata_errors == 0 || !w_.draw.chance(plan_.metadata_errors)) return fault::none;
    ++errors_;
    return w_.draw.chance(0.5) ? fault::no_space : last_commit();
  });
  n.log_files().set_fault([this, &n, powerless](disk_operation o, const std::string&) -> std::optional<error> {
    if (powerless(changes(o))) return error{errc::io_error, "the power has failed"};
    const bool fails = needs_room(o) || o == disk_operation::flush;
    if (over_ || !fails || plan_.metadata_errors == 0 || !w_.draw.chance(plan_.metadata_errors)) return std::nullopt;
    ++errors_;
    if (needs_room(o) && w_.draw.chance(0.7)) return error{errc::no_space, "planned"};
    n.fail_log();
    return error{errc::io_error, "planned"};
  });
}

void cluster_disks::act() {
  if (!plan_.fills_up) return;
  auto& d = w_.draw;
  if (full_ && d.chance(0.3)) {
    full_ = nullptr; // an operator has made room
  } else if (!full_ && d.chance(0.3)) {
    full_ = d.pick(nodes_).get();
    ++filled_;
  }
}

cluster_node* cluster_disks::lose_power() {
  if (!plan_.loses_power_midway || !w_.draw.chance(0.25)) return nullptr;
  auto& n = *w_.draw.pick(nodes_);
  if (!n.running() || n.frozen()) return nullptr;
  const auto left = std::make_shared<std::uint64_t>(w_.draw.between(1, operations_max));
  set_faults(n, left);
  w_.run_until([&] { return *left == 0 || !n.running(); }, std::chrono::seconds{2});
  ++power_losses_;
  return n.running() ? &n : nullptr;
}

bool cluster_disks::has_failed_disk(const cluster_node& n) const {
  return n.running() && !n.disks_are_healthy();
}

void cluster_disks::end() {
  over_ = true;
  full_ = nullptr;
}

std::string cluster_disks::options() const {
  return (plan_.errors() ? ", disk errors " + std::to_string(errors_) : "") +
         (plan_.fills_up ? ", full disks " + std::to_string(filled_) : "") +
         (plan_.loses_power_midway ? ", power lost midway " + std::to_string(power_losses_) : "");
}

// ── bits that rot ──

cluster_node* bit_rot::running(std::size_t number) const {
  const auto at = std::ranges::find(nodes_, number, [](const auto& n) { return n->number(); });
  return at != nodes_.end() && (*at)->serves() ? at->get() : nullptr;
}

// Whether another owner has a good copy, if that owner and `but` agree on the owners.
bool bit_rot::has_good_copy(const cluster_node& but, const chunk_id& id) const {
  const auto layout = but.layout();
  if (!layout) return false;
  const auto& owners = layout->partitions[partition_of(id)].current;
  return std::ranges::any_of(nodes_, [&](const auto& n) {
    return n.get() != &but && n->serves() && owners.contains(*n->member_number()) && n->layout() &&
           n->layout()->epoch == layout->epoch && n->good(id);
  });
}

void bit_rot::flip() {
  auto& node = *w_.draw.pick(nodes_);
  const auto view = node.serves() ? node.view() : nullptr;
  if (!view) return;
  const auto live = view->blobs(std::nullopt, blobs_max);
  if (!live || live->blobs.empty()) return;
  const auto& blob = w_.draw.pick(live->blobs);
  const chunk_id id{blob.blob, std::uint32_t(w_.draw.below(blob.chunks))};
  if (const auto before = rotten_.find(id); before != rotten_.end()) {
    const auto* const there = running(before->second);
    if (!there || !there->good(id)) return; // not repaired yet, as far as can be seen
  }
  if (!node.good(id) || !has_good_copy(node, id)) return;
  node.rot(id, w_.draw.next());
  rotten_[id] = node.number();
  ++flipped_;
}

void bit_rot::read_damaged(bool as_a_scrub) {
  for (const auto& [id, number] : rotten_) {
    auto* const node = running(number);
    if (!node || !node->has(id) || node->good(id)) continue;
    if (as_a_scrub)
      node->look_for_damage();
    else
      node->read_alone(id);
  }
}

// The node may be down or partitioned; it then finds the damage later.
void bit_rot::flip_row() {
  using storage::metadata::table;
  static constexpr std::array tables{table::buckets,   table::current, table::versions, table::inline_data,
                                     table::manifests, table::blobs,   table::sessions, table::outcomes,
                                     table::nodes,     table::owners};
  if (nodes_.size() < 3 ||
      !std::ranges::all_of(nodes_, [](const auto& n) { return n->serves() && n->state().whole(); }))
    return;
  auto& node = *w_.draw.pick(nodes_);
  const auto table = storage::metadata::id_of(tables[w_.draw.below(tables.size())]);
  const std::string key{char(0), char(0), char(w_.draw.below(2)), char(w_.draw.below(256))};
  rows_ += node.state().rot(table, key, w_.draw.next());
}

bool bit_rot::metadata_is_whole() {
  bool good = true;
  for (const auto& n : nodes_) good = n->state().whole() && good;
  return good;
}

} // namespace cairn::sim

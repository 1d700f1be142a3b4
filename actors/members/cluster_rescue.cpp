#include "actors/members/cluster_rescue.hpp"

#include "actors/members/survivor.hpp"
#include "base/files/node_identity.hpp"
#include "cluster/cluster_identity.hpp"
#include "cluster/raft/log/older_log.hpp"
#include "storage/metadata/apply/recovery.hpp"
#include "storage/metadata/store.hpp"

#include <algorithm>
#include <optional>

namespace cairn::actors {

namespace {

namespace meta = storage::metadata;
namespace raft = cluster::raft;

file_system& files() {
  return posix_file_system();
}

std::string log_folder(const config::settings& s) {
  return s.metadata_dir() + "/log";
}

result<bool> exists(const std::string& folder, const std::string& name) {
  const auto names = files().list(folder);
  if (!names && names.error().code == errc::not_found) return false;
  if (!names) return names.error();
  return std::ranges::binary_search(*names, name);
}

// Checks first that the engine exists, because opening would create it.
result<std::unique_ptr<storage::kv_engine>> open_state(const config::settings& s, bool reads_only = false) {
  const auto folder = s.metadata_dir();
  const auto there = exists(folder, "data.mdb");
  if (!there) return there.error();
  if (!*there) return error{errc::not_found, "there is no metadata in " + folder};
  auto options = meta::engine_options(folder);
  options.reads_only = reads_only;
  return storage::open_lmdb(options);
}

result<log_index> applied_of(meta::store& store) {
  auto view = store.read();
  if (!view) return view.error();
  return (*view)->applied();
}

meta::new_node self_of(const config::settings& s, const node_identity& node) {
  const auto address = s.cluster.advertise.empty() ? config::format(s.cluster.listen) : s.cluster.advertise;
  return {node.id, address, s.node.zone, std::max(1u, s.node.weight), node.incarnation};
}

meta::create_cluster founding(const config::settings& s, const node_identity& node, random_source& random,
                              const cairn::clock& clock) {
  return {make_uuid(random), s.cluster.name,  std::uint8_t(s.cluster.replicas), std::uint8_t(s.cluster.write_quorum),
          clock.wall(),      self_of(s, node)};
}

result<void> needs_listen(const config::settings& s) {
  if (!s.cluster.listen.host.empty()) return {};
  return error{errc::invalid_argument, "cluster.listen must say where the others will reach this node"};
}

// Moves the given files, as far as they exist, from the metadata folder into a new subfolder. Answers its path; empty:
// no file exists.
result<std::string> set_aside(const config::settings& s, const std::vector<std::string>& names) {
  const auto dir = s.metadata_dir();
  std::vector<std::string> present;
  for (const auto& name : names) {
    const auto there = exists(dir, name);
    if (!there) return there.error();
    if (*there) present.push_back(name);
  }
  std::string aside;
  if (present.empty()) return aside;
  for (int n = 1;; ++n) {
    const auto name = "set-aside-" + std::to_string(n);
    const auto taken = exists(dir, name);
    if (!taken) return taken.error();
    aside = dir + "/" + name;
    if (!*taken) break;
  }
  if (auto made = files().make_directories(aside); !made) return made.error();
  for (const auto& name : present)
    if (auto moved = files().rename(dir + "/" + name, aside + "/" + name); !moved) return moved.error();
  if (auto flushed = files().flush_directory(aside); !flushed) return flushed.error();
  if (auto flushed = files().flush_directory(dir); !flushed) return flushed.error();
  return aside;
}

// The state is already that of the new cluster. Saves its identity, then creates a log that begins at the state's
// index.
result<cluster_founded> begin_anew(const config::settings& s, const meta::create_cluster& c,
                                   const meta::refounded& now) {
  if (auto saved = cluster::save_cluster_identity(files(), s.node.data_dir, {c.id, c.name, now.self, {}}); !saved)
    return saved.error();
  if (auto aside = set_aside(s, {"log", "transfer"}); !aside) return aside.error();
  raft::raft_log log{files(), log_folder(s), system_random()};
  if (auto begun = begin_new_log(log, now); !begun) return begun.error();
  return cluster_founded{c.id, c.name, now.self, now.applied};
}

// ── the survivor ──

struct open_survivor {
  std::unique_ptr<storage::kv_engine> state;
  std::unique_ptr<raft::raft_log> log; // null: it does not exist
  std::optional<survivor_metadata> metadata;
};

result<open_survivor> open_all(const config::settings& s) {
  open_survivor out;
  auto state = open_state(s);
  if (!state) return state.error();
  out.state = std::move(*state);
  const auto has_log = exists(log_folder(s), "data.mdb");
  if (!has_log) return has_log.error();
  if (*has_log) { // else an earlier try has set it aside
    auto& random = system_random();
    if (auto converted = raft::convert_older_log(files(), log_folder(s), random); !converted) return converted.error();
    out.log = std::make_unique<raft::raft_log>(files(), log_folder(s), random);
  }
  auto opened = survivor_metadata::open({out.state.get(), out.log.get(), &files(), s.metadata_dir() + "/transfer"});
  if (!opened) return opened.error();
  out.metadata.emplace(std::move(*opened));
  return out;
}

} // namespace

result<meta::dump_info> back_up_metadata(const config::settings& settings, const std::string& path) {
  // Takes no lock: the engine allows other processes to read while one writes.
  auto engine = open_state(settings, true);
  if (!engine) return engine.error();
  auto kv = (*engine)->begin_read();
  if (!kv) return kv.error();
  return meta::write_dump(**kv, meta::default_group, files(), path);
}

result<cluster_founded> restore_cluster(const config::settings& settings, const std::string& backup,
                                        random_source& random, const cairn::clock& clock) {
  if (auto good = needs_listen(settings); !good) return good.error();
  if (auto verified = meta::verify_dump(files(), backup); !verified) return verified.error();
  const auto& data_dir = settings.node.data_dir;
  if (auto made = files().make_directories(data_dir); !made) return made.error();
  const auto lock = files().lock(data_dir);
  if (!lock) return lock.error();
  const auto identity = cluster::load_cluster_identity(files(), data_dir);
  if (!identity) return identity.error();
  const error taken{errc::precondition_failed, "this node has metadata of its own: set it aside with `cairn cluster "
                                               "rejoin`, or take another node; an interrupted "
                                               "restore is completed by `cairn cluster recover --majority-lost`"};
  if (*identity) return taken;
  auto engine = storage::open_lmdb(meta::engine_options(settings.metadata_dir()));
  if (!engine) return engine.error();
  {
    auto store = meta::store::open(**engine);
    if (!store) return store.error();
    const auto applied = applied_of(**store);
    if (!applied) return applied.error();
    if (*applied != 0) return taken;
  }
  const auto node = begin_node_start(files(), data_dir, random);
  if (!node) return node.error();
  const auto c = founding(settings, *node, random, clock);
  meta::refounded now;
  const auto loaded = meta::load_dump(**engine, files(), backup, [&](storage::kv_writer& writer) -> result<void> {
    auto done = meta::refound_cluster(writer, meta::default_group, c);
    if (!done) return done.error();
    now = *done;
    return {};
  });
  if (!loaded) return loaded.error();
  return begin_anew(settings, c, now);
}

result<survivor> inspect_survivor(const config::settings& settings) {
  const auto lock = files().lock(settings.node.data_dir);
  if (!lock) return lock.error();
  auto node = open_all(settings);
  if (!node) return node.error();
  auto view = node->metadata->store().read();
  if (!view) return view.error();
  const auto row = (*view)->cluster();
  if (!row) return row.error();
  const auto nodes = (*view)->nodes();
  if (!nodes) return nodes.error();
  survivor out{row->name, node->metadata->applied(), node->metadata->last(), {}};
  for (const auto& n : *nodes)
    if (n.state != meta::node_state::removed)
      out.members.push_back(std::to_string(n.number) + "  " + cairn::to_string(n.id) + "  " + n.address);
  return out;
}

result<cluster_founded> recover_cluster(const config::settings& settings, random_source& random,
                                        const cairn::clock& clock) {
  if (auto good = needs_listen(settings); !good) return good.error();
  const auto lock = files().lock(settings.node.data_dir);
  if (!lock) return lock.error();
  auto c = meta::create_cluster{};
  meta::refounded now;
  {
    auto node = open_all(settings);
    if (!node) return node.error();
    {
      auto view = node->metadata->store().read();
      if (!view) return view.error();
      if (const auto row = (*view)->cluster(); !row) return row.error();
    }
    const auto self = begin_node_start(files(), settings.node.data_dir, random);
    if (!self) return self.error();
    c = founding(settings, *self, random, clock);
    auto done = node->metadata->refound(c);
    if (!done) return done.error();
    now = *done;
  }
  return begin_anew(settings, c, now);
}

result<std::string> leave_for_rejoin(const config::settings& settings) {
  const auto lock = files().lock(settings.node.data_dir);
  if (!lock) return lock.error();
  // The identity is removed last, so that an interrupted run can be repeated.
  auto aside = set_aside(settings, {"data.mdb", "lock.mdb", "log", "transfer"});
  if (!aside) return aside.error();
  const auto& dir = settings.node.data_dir;
  for (const auto* name : {"/refused", "/applied", "/cluster"})
    if (auto gone = files().remove(dir + name); !gone && gone.error().code != errc::not_found) return gone.error();
  if (auto flushed = files().flush_directory(dir); !flushed) return flushed.error();
  return aside;
}

} // namespace cairn::actors

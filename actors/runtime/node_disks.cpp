#include "actors/runtime/node_disks.hpp"

#include "actors/runtime/known_disks.hpp"
#include "base/log.hpp"
#include "cluster/cluster_identity.hpp"
#include "storage/chunks/disk_identity.hpp"

#include <algorithm>

namespace cairn::actors {

namespace {

constexpr std::size_t read_queue_max = 4096, write_queue_max = 64;

} // namespace

// The members are in the order of construction: later ones use earlier ones.
struct node_disks::open_disk {
  config::disk_settings settings;
  std::unique_ptr<storage::kv_engine> index;
  std::unique_ptr<storage::chunk_store> store;
  std::unique_ptr<executor> reads, writes;
  std::shared_ptr<disk> shared;
  std::vector<chunk_store_actor> actors;
};

node_disks::node_disks(file_system& files, const cairn::clock& clock, random_source& random, node_metrics& metrics)
    : files_(files), clock_(clock), random_(random), metrics_(metrics) {}

node_disks::~node_disks() = default;

result<void> node_disks::open_store(open_disk& d, const config::settings& settings) {
  const std::string& path = d.settings.path;
  if (std::ranges::find(missing_, path) != missing_.end()) return missing_disk(path, settings.node.data_dir);
  if (auto made = files_.make_directories(path); !made) return made;
  // Checked before the index is opened: nothing on a quarantined disk is touched.
  const auto quarantined = storage::quarantine_reason(files_, path);
  if (!quarantined) return quarantined.error();
  if (*quarantined) return error{errc::quarantined, path + ": " + **quarantined};
  storage::lmdb_options index;
  index.directory = storage::index_directory(path);
  index.tables = storage::chunk_index_tables;
  index.on_quarantine = [this, &d] {
    if (d.store) return d.store->quarantine();
    if (auto marked = storage::mark_quarantined(files_, d.settings.path, "its index could not be read"); !marked)
      log::error("the quarantine of a disk could not be recorded",
                 {{"disk", d.settings.path}, {"error", to_string(marked.error())}});
  };
  auto engine = storage::open_lmdb(index);
  if (!engine) return engine.error();
  d.index = std::move(*engine);
  storage::chunk_store_options options;
  options.directory = path;
  options.segment_size_bytes = settings.storage.segment_size.bytes;
  options.reserve_bytes = settings.storage.reserve.bytes;
  const bool clustered = !settings.cluster.listen.host.empty();
  options.verify_reads = settings.storage.verify_reads || clustered;
  options.bytes_punched = &metrics_.bytes_punched;
  auto store = storage::chunk_store::open(options, files_, *d.index, random_);
  if (!store) return store.error();
  d.store = std::move(*store);
  return {};
}

result<void> node_disks::find_missing(const config::settings& settings,
                                      const std::function<result<bool>()>& refers_to_chunks) {
  auto known = load_known_disks(files_, settings.node.data_dir);
  if (!known) return known.error();
  std::vector<std::string> wanted;
  for (const auto& one : settings.disk_list()) wanted.push_back(one.path);
  auto missing = missing_disks(files_, *known, wanted, refers_to_chunks);
  if (!missing) return missing.error();
  missing_ = std::move(*missing);
  known_ = std::move(*known).value_or(std::vector<std::string>{});
  return {};
}

// Those that are open, and those that are known and may be opened again later.
void node_disks::keep_known(const std::string& data_dir) const {
  std::vector<std::string> known;
  for (const auto& d : disks_) known.push_back(d->settings.path);
  for (const auto& path : closed_)
    if (std::ranges::find(known_, path) != known_.end()) known.push_back(path);
  std::ranges::sort(known);
  if (auto kept = keep_known_disks(files_, data_dir, known); !kept)
    log::warn("the list of known disks could not be written", {{"error", to_string(kept.error())}});
}

result<void> node_disks::open(const config::settings& settings, const std::function<result<bool>()>& refers_to_chunks) {
  const bool standalone = settings.cluster.listen.host.empty();
  if (standalone)
    if (auto found = find_missing(settings, refers_to_chunks); !found) return found;
  std::optional<error> last;
  for (const auto& wanted : settings.disk_list()) {
    auto d = std::make_unique<open_disk>();
    d->settings = wanted;
    if (auto opened = open_store(*d, settings); !opened) {
      log::error("disk not opened", {{"disk", wanted.path}, {"error", to_string(opened.error())}});
      closed_.push_back(wanted.path);
      last = opened.error();
      if (last->code == errc::locked) return *last;
      continue;
    }
    const std::string name = "disk" + std::to_string(disks_.size());
    d->reads = make_thread_executor(name + "-read", settings.storage.io_threads, read_queue_max);
    d->writes = make_thread_executor(name + "-write", 1, write_queue_max);
    d->shared = std::make_shared<disk>(*d->store, *d->reads, *d->writes, metrics_, clock_);
    d->shared->damaged = damaged_;
    disks_.push_back(std::move(d));
  }
  if (standalone && !disks_.empty()) keep_known(settings.node.data_dir);
  if (!disks_.empty()) return {};
  if (!last) return error{errc::invalid_argument, "no disk is configured"};
  // An existing member keeps its vote and serves clients from the other members' chunks. A new one does not start
  // without a disk.
  const auto known = cluster::load_cluster_identity(files_, settings.node.data_dir);
  if (standalone || !known || !*known) return *last;
  log::error("no disk of this node is open: it serves requests without local chunks", {});
  return {};
}

std::shared_ptr<const store_router> node_disks::spawn(caf::actor_system& system, const uuid& node,
                                                      std::size_t readers) {
  std::vector<store_router::member> members;
  for (auto& d : disks_) {
    d->actors = spawn_chunk_stores(system, d->shared, readers);
    members.push_back({{d->store->disk_uuid(), d->settings.weight}, d->actors, d->shared});
  }
  if (members.empty()) {
    closed_store_ = spawn_closed_store(system);
    members.push_back({{node, 1}, {closed_store_}, nullptr});
  }
  return std::make_shared<store_router>(std::move(members));
}

bool node_disks::takes_writes() const {
  return std::ranges::any_of(disks_, [](const auto& d) { return d->shared->takes_writes(); });
}

bool node_disks::has_room() const {
  return std::ranges::any_of(disks_, [](const auto& d) { return d->shared->takes_writes() && d->shared->has_room(); });
}

std::vector<storage::chunk_store*> node_disks::stores() const {
  std::vector<storage::chunk_store*> out;
  for (const auto& d : disks_) out.push_back(d->store.get());
  return out;
}

std::vector<disk_status> node_disks::status() const {
  std::vector<disk_status> out;
  for (const auto& d : disks_)
    out.push_back({d->settings.path, d->store->stats(), d->reads->queued(), d->writes->queued(), true});
  for (const auto& path : closed_) out.push_back({path, {}, 0, 0, false});
  return out;
}

disk_use node_disks::use() const {
  disk_use out{.takes_writes = has_room(), .closed = closed_.size()};
  for (const auto& d : disks_) {
    const auto stats = d->store->stats();
    out.capacity_bytes += stats.disk.total;
    out.data_bytes += stats.used_bytes;
    out.used_bytes += stats.disk.total - std::min(stats.disk.total, stats.disk.available);
    out.closed += stats.state == storage::disk_state::quarantined;
  }
  return out;
}

void node_disks::delay_reads(std::chrono::microseconds delay) {
  for (auto& d : disks_) d->shared->read_delay_us.store(delay.count());
}

void node_disks::stop() {
  for (auto& d : disks_) {
    d->reads->stop();
    d->writes->stop();
  }
}

void node_disks::release() {
  for (auto& d : disks_) {
    for (auto& a : d->actors) caf::anon_send_exit(a, caf::exit_reason::user_shutdown);
    d->actors.clear();
  }
  if (closed_store_) caf::anon_send_exit(closed_store_, caf::exit_reason::user_shutdown);
  closed_store_ = nullptr;
}

} // namespace cairn::actors

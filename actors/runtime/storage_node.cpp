#include "actors/runtime/storage_node.hpp"

#include "actors/metadata/metadata.hpp"
#include "actors/metadata/metadata_files.hpp"
#include "actors/runtime/cluster_member.hpp"
#include "actors/runtime/member_wiring.hpp"
#include "actors/runtime/room_probe.hpp"
#include "actors/upkeep/backfill.hpp"
#include "actors/upkeep/lifecycle.hpp"
#include "actors/upkeep/metadata_scrub.hpp"
#include "actors/upkeep/reaper.hpp"
#include "actors/upkeep/scrubber.hpp"
#include "base/files/node_identity.hpp"
#include "base/log.hpp"
#include "cluster/raft/raft_log.hpp"
#include "storage/chunks/disk_identity.hpp"

#include <algorithm>
#include <thread>

namespace cairn::actors {

namespace {

constexpr std::size_t read_queue_max = 4096, write_queue_max = 64, backfill_queue_max = 16, metadata_queue_max = 16384,
                      digest_queue_max = 65536; // one job per upload
constexpr std::size_t metadata_read_threads = 2;
constexpr std::uint64_t peers_share = 4;     // peers get this part of limits.memory: one divided by it
constexpr std::uint64_t backfill_share = 16; // likewise for chunks that are fetched to repair and to rebalance
constexpr std::uint64_t backfill_bytes_min = 16 << 20;
constexpr std::chrono::seconds cluster_commit_timeout{10}; // then a write without a leader is answered 503

// A disk that opened. The members are in the order of construction: later ones use earlier ones.
struct open_disk {
  config::disk_settings settings;
  std::unique_ptr<storage::kv_engine> index;
  std::unique_ptr<storage::chunk_store> store;
  std::unique_ptr<storage::executor> reads, writes;
  std::shared_ptr<disk> shared;
  std::vector<chunk_store_actor> actors;
};

class storage_node_impl final : public storage_node {
public:
  storage_node_impl(caf::actor_system& system, storage::node_metrics& metrics,
                    std::vector<boost::asio::io_context*> contexts)
      : system_(system),
        metrics_(metrics),
        contexts_(std::move(contexts)),
        files_(storage::posix_file_system()),
        clock_(storage::system_clock()),
        random_(storage::system_random()) {}
  ~storage_node_impl() override { CAIRN_ASSERT(stopped_ || !services_.metadata); }

  result<void> start(const config::settings& settings);
  const services& handles() const override { return services_; }
  node_status status() const override;
  bool is_new() const override { return is_new_; }
  void ask_cluster(std::function<void(result<cluster_status>)> done) const override;
  void run_admin_command(admin_command c, std::function<void(result<std::string>)> done) const override;
  void transfer_leadership() override;
  result<void> apply(const config::settings& settings) override;
  void apply_limits(const config::settings& settings);
  void stop() override;

private:
  result<void> open_metadata(const config::settings& settings);
  result<void> open_disks(const config::settings& settings);
  result<void> open_disk_store(open_disk& d, const config::settings& settings);
  void spawn_actors(const config::settings& settings);

  result<void> open_cluster(const config::settings& settings);
  void spawn_chunk_service(const config::settings& settings, std::shared_ptr<const store_router> local);
  void spawn_backfill_actor(const config::settings& settings);
  void spawn_scrubber_actor(const config::settings& settings); // standalone node
  membership_services membership_parts() const;
  disk_use disks_in_use() const;

  caf::actor_system& system_;
  storage::node_metrics& metrics_;
  const std::vector<boost::asio::io_context*> contexts_;
  storage::file_system& files_;
  const storage::clock& clock_;
  storage::random_source& random_;

  std::shared_ptr<void> lock_;
  storage::node_identity self_;
  std::string metadata_dir_;
  std::unique_ptr<storage::kv_engine> metadata_engine_;
  std::unique_ptr<storage::metadata::store> metadata_store_;
  std::unique_ptr<storage::executor> metadata_reads_, metadata_writes_;
  std::unique_ptr<room_probe> metadata_room_;
  std::shared_ptr<storage::kv_damage> metadata_damage_;
  std::shared_ptr<std::atomic<bool>> session_began_ = std::make_shared<std::atomic<bool>>(false);
  std::shared_ptr<metadata_fault> metadata_fault_ = std::make_shared<metadata_fault>();
  std::vector<std::unique_ptr<open_disk>> disks_;
  std::shared_ptr<damaged_chunks> damaged_ = std::make_shared<damaged_chunks>();
  std::vector<std::string> closed_disks_; // paths
  chunk_store_actor closed_store_;        // set when no disk opened
  services services_;
  reaper_actor reaper_;
  lifecycle_actor lifecycle_;
  std::unique_ptr<storage::executor> backfill_work_;
  std::shared_ptr<storage::buffer_pool> backfill_buffers_;
  std::shared_ptr<std::atomic<std::uint64_t>> move_bandwidth_ = std::make_shared<std::atomic<std::uint64_t>>(0);
  backfill_actor backfill_;
  scrubber_actor scrubber_, metadata_scrub_;
  std::unique_ptr<cluster_member> member_; // null: standalone node
  std::shared_ptr<storage::buffer_pool> peer_buffers_;
  std::unique_ptr<chunk_service> chunk_service_;
  bool is_new_ = false, stopped_ = false;
};

result<void> storage_node_impl::start(const config::settings& settings) {
  if (auto made = files_.make_directories(settings.node.data_dir); !made) return made;
  auto lock = files_.lock(settings.node.data_dir);
  if (!lock) return lock.error();
  lock_ = *lock;
  const auto self = storage::begin_node_start(files_, settings.node.data_dir, random_);
  if (!self) return self.error();
  self_ = *self;
  self_.incarnation = storage::drawn_incarnation(self->incarnation, random_);
  if (auto opened = open_metadata(settings); !opened) return opened;
  if (auto opened = open_disks(settings); !opened) return opened;
  if (auto opened = open_cluster(settings); !opened) return opened;
  spawn_actors(settings);
  return member_ ? member_->start(system_, membership_parts(), services_.metadata) : result<void>{};
}

result<void> storage_node_impl::open_cluster(const config::settings& settings) {
  if (settings.cluster.listen.host.empty()) {
    const auto known = storage::load_cluster_identity(files_, settings.node.data_dir);
    if (!known) return known.error();
    if (*known)
      return error{errc::invalid_argument, "this node is a member of the cluster \"" + (*known)->name +
                                               "\": set cluster.listen to the address at which its peers reach it"};
    return {};
  }
  member_services env;
  env.settings = &settings;
  env.node = self_;
  env.contexts = contexts_;
  env.files = &files_;
  env.engine = metadata_engine_.get();
  env.damage = metadata_damage_;
  env.metrics = &metrics_;
  env.store = metadata_store_.get();
  env.clock = &clock_;
  env.random = &random_;
  auto member = cluster_member::open(std::move(env));
  if (!member) return member.error();
  member_ = std::move(*member);
  return {};
}

membership_services storage_node_impl::membership_parts() const {
  membership_services m;
  m.store = metadata_store_.get();
  m.reads = metadata_reads_.get();
  m.clock = &clock_;
  m.disks = [this] { return disks_in_use(); };
  return m;
}

disk_use storage_node_impl::disks_in_use() const {
  disk_use out{.takes_writes = false, .closed = closed_disks_.size()};
  for (const auto& d : disks_) {
    const auto stats = d->store->stats();
    out.capacity_bytes += stats.disk.total;
    out.data_bytes += stats.used_bytes;
    out.used_bytes += stats.disk.total - std::min(stats.disk.total, stats.disk.available);
    out.takes_writes = out.takes_writes || d->shared->takes_writes();
    out.closed += stats.state == storage::disk_state::quarantined;
  }
  return out;
}

result<void> storage_node_impl::open_metadata(const config::settings& settings) {
  metadata_dir_ = settings.metadata_dir();
  auto opened = open_metadata_files(settings, files_, metrics_);
  if (!opened) return opened.error();
  metadata_damage_ = std::move(opened->damage);
  metadata_engine_ = std::move(opened->engine);
  metadata_store_ = std::move(opened->store);
  is_new_ = opened->is_new;
  metadata_room_ = std::make_unique<room_probe>(files_, clock_, metadata_dir_, settings.storage.reserve.bytes);
  metadata_reads_ = storage::make_thread_executor("metadata-read", metadata_read_threads, metadata_queue_max);
  metadata_writes_ = storage::make_thread_executor("metadata-write", 1, write_queue_max);
  return {};
}

result<void> storage_node_impl::open_disk_store(open_disk& d, const config::settings& settings) {
  const std::string& path = d.settings.path;
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

result<void> storage_node_impl::open_disks(const config::settings& settings) {
  std::optional<error> last;
  for (const auto& wanted : settings.disk_list()) {
    auto d = std::make_unique<open_disk>();
    d->settings = wanted;
    if (auto opened = open_disk_store(*d, settings); !opened) {
      log::error("disk not opened", {{"disk", wanted.path}, {"error", to_string(opened.error())}});
      closed_disks_.push_back(wanted.path);
      last = opened.error();
      if (last->code == errc::locked) return *last;
      continue;
    }
    const std::string name = "disk" + std::to_string(disks_.size());
    d->reads = storage::make_thread_executor(name + "-read", settings.storage.io_threads, read_queue_max);
    d->writes = storage::make_thread_executor(name + "-write", 1, write_queue_max);
    d->shared = std::make_shared<disk>(*d->store, *d->reads, *d->writes, metrics_, clock_);
    d->shared->damaged = damaged_;
    disks_.push_back(std::move(d));
  }
  if (!disks_.empty()) return {};
  if (!last) return error{errc::invalid_argument, "no disk is configured"};
  // A member that was admitted before votes and serves clients without its own chunks, which the other members have. A
  // node without any disk does not become a new member.
  const auto known = storage::load_cluster_identity(files_, settings.node.data_dir);
  if (settings.cluster.listen.host.empty() || !known || !*known) return *last;
  log::error("no disk of this node is open: it serves requests without local chunks", {});
  return {};
}

void storage_node_impl::spawn_actors(const config::settings& settings) {
  const auto cores = std::max<std::size_t>(1, std::thread::hardware_concurrency());
  const auto readers = std::max<std::size_t>(2, cores); // verify on every core
  std::vector<store_router::member> members;
  for (auto& d : disks_) {
    d->actors = spawn_chunk_stores(system_, d->shared, readers);
    members.push_back({{d->store->disk_uuid(), d->settings.weight}, d->actors, d->shared});
  }
  if (members.empty()) {
    closed_store_ = spawn_closed_store(system_);
    members.push_back({{self_.id, 1}, {closed_store_}, nullptr});
  }
  metadata_services m;
  m.store = metadata_store_.get();
  m.reads = metadata_reads_.get();
  m.writes = metadata_writes_.get();
  m.metrics = &metrics_;
  m.clock = &clock_;
  m.random = &random_;
  m.holds = std::make_shared<read_holds>(clock_);
  m.node = self_.id;
  m.incarnation = self_.incarnation;
  m.has_room = [this] { return metadata_room_->has_room(); };
  m.session_began = session_began_;
  m.fault = metadata_fault_;
  if (member_) {
    m.log = member_->log_services();
    m.layout = member_->layout();
    m.others_oldest_hold = [state = member_->state()] { return state->others_oldest_hold.load(); };
    m.commit_timeout = cluster_commit_timeout;
  }

  services_.system = &system_;
  services_.metrics = &metrics_;
  services_.clock = &clock_;
  services_.buffers = std::make_shared<storage::buffer_pool>(settings.limits.memory.bytes);
  services_.digests = storage::make_thread_executor("digest", cores, digest_queue_max);
  auto local = std::make_shared<store_router>(std::move(members));
  if (member_) {
    spawn_chunk_service(settings, local);
  } else {
    services_.stores = std::make_shared<chunk_router>(std::move(local));
  }
  services_.metadata = spawn_metadata(system_, std::move(m));
  services_.chunk_size = static_cast<std::uint32_t>(settings.storage.chunk_size.bytes);
  services_.inline_max = static_cast<std::uint32_t>(settings.storage.inline_max.bytes);
  services_.upload_window = settings.upload.window;
  services_.window_min = settings.download.window_min;
  services_.window_max = settings.download.window_max;
  services_.object_size_max = settings.limits.object_size.bytes;
  reaper_ = spawn_reaper(system_, services_);
  lifecycle_options lifecycle;
  lifecycle.day = std::chrono::duration_cast<std::chrono::milliseconds>(settings.debug.lifecycle_day);
  lifecycle.upload_age_max = std::chrono::duration_cast<std::chrono::milliseconds>(settings.limits.upload_age_max);
  lifecycle.walk_every = std::min(lifecycle.walk_every, lifecycle.day);
  lifecycle_ = spawn_lifecycle(system_, services_, lifecycle);
  backfill_work_ = storage::make_thread_executor(member_ ? "backfill" : "scrub", 1, backfill_queue_max);
  if (!member_)
    spawn_scrubber_actor(settings);
  else if (!disks_.empty()) // without a disk nothing can be stored here
    spawn_backfill_actor(settings);
  std::vector<storage::kv_check> checks{{*metadata_engine_, storage::metadata::table_count}};
  if (member_) checks.emplace_back(member_->log_engine(), cluster::raft::raft_log_tables);
  metadata_scrub_ =
      spawn_metadata_scrub(system_, {std::move(checks), backfill_work_.get(), &metrics_, &clock_,
                                     std::chrono::duration_cast<std::chrono::seconds>(settings.storage.scrub_period)});
  apply_limits(settings);
}

// In a cluster: serves this node's chunks to its peers, and creates the router to theirs.
void storage_node_impl::spawn_chunk_service(const config::settings& settings,
                                            std::shared_ptr<const store_router> local) {
  member_chunk_services parts;
  parts.local = std::move(local);
  parts.layouts = member_->layout();
  parts.network = member_->network();
  parts.buffers = services_.buffers;
  parts.peer_buffers = peer_buffers_ =
      std::make_shared<storage::buffer_pool>(settings.limits.memory.bytes / peers_share);
  parts.metrics = &metrics_;
  parts.clock = &clock_;
  parts.disk_closed = !closed_disks_.empty();
  parts.servers = std::max<std::size_t>(2, std::thread::hardware_concurrency());
  member_->service().count_in(metrics_);
  auto chunks = open_member_chunks(system_, parts, member_->service());
  chunk_service_ = std::move(chunks.service);
  services_.stores = std::move(chunks.router);
}

void storage_node_impl::spawn_backfill_actor(const config::settings& settings) {
  backfill_buffers_ = std::make_shared<storage::buffer_pool>(
      std::max<std::uint64_t>(backfill_bytes_min, settings.limits.memory.bytes / backfill_share));
  backfill_services b;
  b.node = services_;
  b.node.buffers = backfill_buffers_;
  b.store = metadata_store_.get();
  b.work = backfill_work_.get();
  b.state = member_->state();
  b.bandwidth = move_bandwidth_;
  b.damaged = damaged_;
  for (const auto& d : disks_) b.scrubbed.push_back(d->store.get());
  b.own = chunks_on(b.scrubbed);
  b.disk_closed = !closed_disks_.empty();
  backfill_options options;
  options.scrub_period = std::chrono::duration_cast<std::chrono::seconds>(settings.storage.scrub_period);
  backfill_ = spawn_backfill(system_, std::move(b), options);
}

void storage_node_impl::spawn_scrubber_actor(const config::settings& settings) {
  scrubber_services s;
  s.store = metadata_store_.get();
  s.work = backfill_work_.get();
  for (const auto& d : disks_) s.disks.push_back(d->store.get());
  s.metrics = &metrics_;
  s.clock = &clock_;
  s.period = std::chrono::duration_cast<std::chrono::seconds>(settings.storage.scrub_period);
  scrubber_ = spawn_scrubber(system_, std::move(s));
}

node_status storage_node_impl::status() const {
  node_status out;
  bool takes_writes = false;
  for (const auto& d : disks_) {
    out.disks.push_back({d->settings.path, d->store->stats(), d->reads->queued(), d->writes->queued(), true});
    takes_writes = takes_writes || d->shared->takes_writes();
  }
  for (const auto& path : closed_disks_) out.disks.push_back({path, {}, 0, 0, false});
  out.queued_metadata_reads = metadata_reads_->queued();
  out.queued_metadata_writes = metadata_writes_->queued();
  if (const auto space = files_.space_of(metadata_dir_)) out.metadata_disk = *space;
  out.buffer_bytes = services_.buffers->in_use_bytes();
  out.buffer_limit_bytes = services_.buffers->limit_bytes();
  out.buffer_waiters = services_.buffers->waiting();
  const auto refusal = member_ ? member_->state()->refusal() : std::string{};
  out.cluster = member_ ? member_->state()->status() : nullptr;
  if (const auto ends = member_ ? member_->certificate_end() : 0; ends != 0)
    out.certificates.push_back({"cluster", ends});
  if (metadata_damage_->is_unreadable())
    out.metadata_fault = "it can't be read";
  else
    out.metadata_fault = metadata_fault_->text();
  if (!out.metadata_fault.empty())
    out.reason = "the metadata has failed: " + out.metadata_fault;
  else if (!metadata_room_->has_room())
    out.reason = "the metadata's disk is full up to its reserve";
  else if (!refusal.empty())
    out.reason = "the cluster refuses this node: " + refusal;
  else if (out.cluster && !out.cluster->leader)
    out.reason = "the cluster's leader is not reachable";
  else if (!session_began_->load())
    out.reason = "the writer session has not begun";
  else if (!takes_writes && !member_)
    out.reason = "no disk takes writes";
  out.ready = out.reason.empty();
  return out;
}

namespace {

// As ask_metadata, for another actor.
template <class Answer, class Actor, class... Message>
void ask(caf::actor_system& system, const Actor& whom, std::function<void(result<Answer>)> done, Message... message) {
  system.spawn([=](caf::event_based_actor* self) {
    self->request(whom, caf::infinite, message...)
        .then([done](const Answer& a) { done(a); }, [done](const caf::error& e) { done(from_caf(e)); });
  });
}

const error no_cluster{errc::unsupported, "this is a standalone node"};

} // namespace

void storage_node_impl::ask_cluster(std::function<void(result<cluster_status>)> done) const {
  const auto admin_service = member_ ? member_->admin_service() : admin_service_actor{};
  if (!admin_service) return done(no_cluster);
  ask<cluster_status_ptr>(
      system_, admin_service,
      [done](const result<cluster_status_ptr>& s) { done(s ? result<cluster_status>{**s} : s.error()); },
      status_atom_v);
}

void storage_node_impl::run_admin_command(admin_command c, std::function<void(result<std::string>)> done) const {
  const auto admin_service = member_ ? member_->admin_service() : admin_service_actor{};
  if (!admin_service) return done(no_cluster);
  ask<std::string>(system_, admin_service, std::move(done), admin_command_atom_v, std::move(c));
}

void storage_node_impl::transfer_leadership() {
  if (member_) member_->transfer_leadership(system_);
}

result<void> storage_node_impl::apply(const config::settings& settings) {
  apply_limits(settings);
  return member_ ? member_->reload_certificate(settings.cluster.tls) : result<void>{};
}

void storage_node_impl::apply_limits(const config::settings& settings) {
  services_.buffers->set_limit(settings.limits.memory.bytes);
  move_bandwidth_->store(settings.cluster.move_bandwidth.bytes);
  for (auto& d : disks_) d->shared->read_delay_us.store(settings.debug.read_delay.count());
}

void storage_node_impl::stop() {
  if (stopped_) return;
  stopped_ = true;
  caf::anon_send_exit(reaper_, caf::exit_reason::user_shutdown);
  caf::anon_send_exit(lifecycle_, caf::exit_reason::user_shutdown);
  if (backfill_) caf::anon_send_exit(backfill_, caf::exit_reason::user_shutdown);
  if (scrubber_) caf::anon_send_exit(scrubber_, caf::exit_reason::user_shutdown);
  if (metadata_scrub_) caf::anon_send_exit(metadata_scrub_, caf::exit_reason::user_shutdown);
  if (backfill_work_) backfill_work_->stop();
  if (services_.stores) services_.stores->stop();
  if (chunk_service_) chunk_service_->stop();
  if (member_) member_->stop();
  for (auto& d : disks_) {
    d->reads->stop();
    d->writes->stop();
  }
  metadata_reads_->stop();
  metadata_writes_->stop();
  services_.digests->stop();
  caf::anon_send_exit(services_.metadata, caf::exit_reason::user_shutdown);
  for (auto& d : disks_)
    for (auto& a : d->actors) caf::anon_send_exit(a, caf::exit_reason::user_shutdown);
  if (closed_store_) caf::anon_send_exit(closed_store_, caf::exit_reason::user_shutdown);
  closed_store_ = nullptr;
  services_.metadata = nullptr;
  services_.stores.reset();
  for (auto& d : disks_) d->actors.clear();
  reaper_ = nullptr;
  lifecycle_ = nullptr;
  backfill_ = nullptr;
  scrubber_ = nullptr;
  metadata_scrub_ = nullptr;
  system_.await_all_actors_done();
}

} // namespace

result<std::unique_ptr<storage_node>> storage_node::open(const config::settings& settings, caf::actor_system& system,
                                                         storage::node_metrics& metrics,
                                                         std::vector<boost::asio::io_context*> contexts) {
  auto node = std::make_unique<storage_node_impl>(system, metrics, std::move(contexts));
  if (auto started = node->start(settings); !started) return started.error();
  return std::unique_ptr<storage_node>{std::move(node)};
}

} // namespace cairn::actors

#include "actors/runtime/storage_node.hpp"

#include "actors/chunks/chunk_cache.hpp"
#include "actors/runtime/cluster_member.hpp"
#include "actors/runtime/node_disks.hpp"
#include "actors/runtime/node_metadata.hpp"
#include "actors/runtime/node_upkeep.hpp"
#include "actors/runtime/sealing_keys.hpp"
#include "base/files/node_identity.hpp"
#include "base/log.hpp"
#include "base/memory/machine_memory.hpp"

#include <algorithm>
#include <thread>

namespace cairn::actors {

namespace {

constexpr std::size_t digest_queue_max = 65536;                         // one job per upload
constexpr std::uint64_t cache_share = 4, cache_bytes_max = 64ull << 30; // limits.cache = "auto"

class storage_node_impl final : public storage_node {
public:
  storage_node_impl(caf::actor_system& system, node_metrics& metrics, std::vector<boost::asio::io_context*> contexts,
                    std::function<void()> refused)
      : system_(system),
        metrics_(metrics),
        contexts_(std::move(contexts)),
        refused_(std::move(refused)),
        files_(posix_file_system()),
        clock_(system_clock()),
        random_(system_random()) {}
  ~storage_node_impl() override { CAIRN_ASSERT(stopped_ || !services_.metadata); }

  result<void> start(const config::settings& settings);
  const services& handles() const override { return services_; }
  node_status status() const override;
  bool is_new() const override { return metadata_.is_new(); }
  admin_service_actor admin_service() const override;
  void transfer_leadership() override;
  result<void> apply(const config::settings& settings) override;
  void stop() override;

private:
  result<void> check_that_metadata_is_there(const config::settings& settings) const;
  result<bool> refers_to_chunks();
  result<void> load_keys(const config::settings& settings);
  result<void> open_member(const config::settings& settings);
  void spawn_actors(const config::settings& settings);
  void apply_limits(const config::settings& settings);

  caf::actor_system& system_;
  node_metrics& metrics_;
  const std::vector<boost::asio::io_context*> contexts_;
  const std::function<void()> refused_;
  file_system& files_;
  const clock& clock_;
  random_source& random_;

  // In the order of construction: later ones use earlier ones.
  std::shared_ptr<void> lock_;
  node_identity self_;
  node_metadata metadata_{files_, clock_, random_, metrics_};
  node_disks disks_{files_, clock_, random_, metrics_};
  services services_;
  std::unique_ptr<cluster_member> member_; // null: a standalone node
  node_upkeep upkeep_;
  bool stopped_ = false;
};

result<void> storage_node_impl::start(const config::settings& settings) {
  if (auto made = files_.make_directories(settings.node.data_dir); !made) return made;
  auto lock = files_.lock(settings.node.data_dir);
  if (!lock) return lock.error();
  lock_ = *lock;
  const auto self = begin_node_start(files_, settings.node.data_dir, random_);
  if (!self) return self.error();
  self_ = *self;
  self_.incarnation = drawn_incarnation(self->incarnation, random_);
  if (auto loaded = load_keys(settings); !loaded) return loaded;
  if (auto opened = metadata_.open(settings); !opened) return opened;
  if (auto opened = disks_.open(settings, [this] { return refers_to_chunks(); }); !opened) return opened;
  if (auto fits = check_that_metadata_is_there(settings); !fits) return fits;
  if (auto opened = open_member(settings); !opened) return opened;
  spawn_actors(settings);
  if (!member_) return {};
  membership_services m;
  m.store = &metadata_.store();
  m.reads = &metadata_.reads();
  m.clock = &clock_;
  m.disks = [this] { return disks_.use(); };
  return member_->start(system_, std::move(m), services_.metadata);
}

result<void> storage_node_impl::load_keys(const config::settings& settings) {
  auto keys = load_sealing_keys(files_, settings.auth);
  if (!keys) return keys.error();
  services_.sealing = std::move(*keys);
  if (services_.sealing)
    log::info("secrets of new access keys are sealed", {{"key", services_.sealing->id()}});
  else
    log::info("secrets of access keys are stored in clear: set auth.sealing_key_file");
  return {};
}

// Metadata on a file system that is not mounted, for example, of a standalone node, or of one that would found a
// cluster: all chunks would be garbage. Other members of a cluster get their metadata from each other.
result<void> storage_node_impl::check_that_metadata_is_there(const config::settings& settings) const {
  if (!metadata_.is_new()) return {};
  if (!settings.cluster.listen.host.empty()) {
    if (!settings.cluster.join.empty()) return {};
    const auto known = cluster::load_cluster_identity(files_, settings.node.data_dir);
    if (!known) return known.error();
    if (*known) return {};
  }
  const auto stores = disks_.stores();
  if (std::ranges::none_of(stores, [](const auto* store) { return store->stats().chunks > 0; })) return {};
  return error{errc::corrupt, "the metadata in " + settings.metadata_dir() +
                                  " is missing, but the disks have data: mount it, put it back, or restore a backup"};
}

result<void> storage_node_impl::open_member(const config::settings& settings) {
  if (settings.cluster.listen.host.empty()) {
    const auto known = cluster::load_cluster_identity(files_, settings.node.data_dir);
    if (!known) return known.error();
    if (*known)
      return error{errc::invalid_argument, "this node is a member of the cluster \"" + (*known)->name +
                                               "\": set cluster.listen to the address at which its peers reach it"};
    return {};
  }
  auto member = cluster_member::open({.settings = &settings,
                                      .node = self_,
                                      .contexts = contexts_,
                                      .files = &files_,
                                      .engine = &metadata_.engine(),
                                      .damage = metadata_.damage(),
                                      .metrics = &metrics_,
                                      .store = &metadata_.store(),
                                      .clock = &clock_,
                                      .random = &random_,
                                      .refused = refused_});
  if (!member) return member.error();
  member_ = std::move(*member);
  return {};
}

// Whether there is an object with chunks.
result<bool> storage_node_impl::refers_to_chunks() {
  constexpr std::size_t page_blobs = 1000;
  const auto view = metadata_.store().read();
  if (!view) return view.error();
  std::optional<blob_id> after;
  do {
    const auto page = (*view)->blobs(after, page_blobs);
    if (!page) return page.error();
    if (std::ranges::any_of(page->blobs, [](const auto& blob) { return !blob.buried; })) return true;
    after = page->next;
  } while (after);
  return false;
}

void storage_node_impl::spawn_actors(const config::settings& settings) {
  const auto cores = std::max<std::size_t>(1, std::thread::hardware_concurrency());
  const auto servers = std::max<std::size_t>(2, cores); // verify on every core
  services_.system = &system_;
  services_.metrics = &metrics_;
  services_.clock = &clock_;
  services_.buffers = std::make_shared<buffer_pool>(settings.limits.memory.bytes);
  services_.cache = std::make_shared<chunk_cache>(cache_bytes(settings.limits), cache_shards(cores));
  services_.digests = make_thread_executor("digest", cores, digest_queue_max);
  services_.chunk_size = static_cast<std::uint32_t>(settings.storage.chunk_size.bytes);
  services_.inline_max = static_cast<std::uint32_t>(settings.storage.inline_max.bytes);
  services_.upload_window = settings.upload.window;
  services_.window_min = settings.download.window_min;
  services_.window_max = settings.download.window_max;
  services_.object_size_max = settings.limits.object_size.bytes;
  auto local = disks_.spawn(system_, self_.id, servers);
  if (member_)
    services_.stores =
        member_->serve_chunks(system_, std::move(local), services_.buffers, servers, disks_.has_closed());
  else
    services_.stores = std::make_shared<chunk_router>(std::move(local));
  services_.metadata = metadata_.spawn(system_, self_, services_.sealing, member_.get());
  upkeep_.start(settings, services_, metadata_, disks_, member_.get());
  apply_limits(settings);
}

node_status storage_node_impl::status() const {
  node_status out;
  out.disks = disks_.status();
  out.queued_metadata_reads = metadata_.queued_reads();
  out.queued_metadata_writes = metadata_.queued_writes();
  out.metadata_disk = metadata_.disk_space();
  out.buffer_bytes = services_.buffers->in_use_bytes();
  out.buffer_limit_bytes = services_.buffers->limit_bytes();
  out.buffer_waiters = services_.buffers->waiting();
  out.cache = services_.cache->stats();
  const auto refusal = member_ ? member_->state()->refusal() : std::string{};
  out.cluster = member_ ? member_->state()->status() : nullptr;
  if (const auto ends = member_ ? member_->certificate_end() : 0; ends != 0)
    out.certificates.push_back({"cluster", ends});
  out.metadata_fault = metadata_.fault();
  if (!out.metadata_fault.empty())
    out.reason = "the metadata has failed: " + out.metadata_fault;
  else if (!metadata_.has_room())
    out.reason = "the metadata's disk is full up to its reserve";
  else if (!refusal.empty())
    out.reason =
        "the cluster refuses this node permanently: " + refusal + ". Start with an empty data directory, as a new node";
  else if (out.cluster && !out.cluster->leader)
    out.reason = "the cluster's leader is not reachable";
  else if (!metadata_.session_began())
    out.reason = "the writer session has not begun";
  else if (!member_ && !disks_.takes_writes())
    out.reason = "no disk takes writes";
  else if (!member_ && !disks_.has_room())
    out.reason = "no disk has room for writes";
  out.ready = out.reason.empty();
  return out;
}

admin_service_actor storage_node_impl::admin_service() const {
  return member_ ? member_->admin_service() : admin_service_actor{};
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
  services_.cache->set_limit(cache_bytes(settings.limits));
  upkeep_.set_bandwidth(settings.cluster.move_bandwidth.bytes);
  disks_.delay_reads(settings.debug.read_delay);
}

void storage_node_impl::stop() {
  if (stopped_) return;
  stopped_ = true;
  upkeep_.stop();
  if (services_.stores) services_.stores->stop();
  if (member_) member_->stop();
  disks_.stop();
  metadata_.stop();
  services_.digests->stop();
  caf::anon_send_exit(services_.metadata, caf::exit_reason::user_shutdown);
  services_.metadata = nullptr;
  services_.stores.reset();
  disks_.release();
  system_.await_all_actors_done();
}

} // namespace

std::size_t cache_bytes(const config::limit_settings& limits) {
  if (limits.cache) return limits.cache->bytes;
  return std::min(usable_memory_bytes() / cache_share, cache_bytes_max);
}

result<std::unique_ptr<storage_node>> storage_node::open(const config::settings& settings, caf::actor_system& system,
                                                         node_metrics& metrics,
                                                         std::vector<boost::asio::io_context*> contexts,
                                                         std::function<void()> refused) {
  auto node = std::make_unique<storage_node_impl>(system, metrics, std::move(contexts), std::move(refused));
  if (auto started = node->start(settings); !started) return started.error();
  return std::unique_ptr<storage_node>{std::move(node)};
}

} // namespace cairn::actors

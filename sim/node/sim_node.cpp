#include "sim/node/sim_node.hpp"

namespace cairn::sim {

namespace {

constexpr std::size_t disk_read_queue_max = 4096, write_queue_max = 64, metadata_queue_max = 4096;
constexpr uuid node_id{0xCA, 0x1C};

} // namespace

sim_node::sim_node(world& w, checks& c, node_plan plan) : w_(w), checks_(c), plan_(plan) {
  metadata_engine_ = storage::make_memory_kv(storage::metadata::table_count);
  for (std::size_t i = 0; i < plan_.disks; ++i) {
    auto d = std::make_unique<sim_disk>();
    d->files = std::make_unique<memory_file_system>(plan_.disk_bytes);
    d->index = storage::make_memory_kv(storage::chunk_index_tables);
    disks_.push_back(std::move(d));
  }
}

sim_node::~sim_node() {
  if (running_) crash(false);
}

bool sim_node::open_disk(sim_disk& d) {
  if (auto made = d.files->make_directories("/disk"); !made) {
    checks_.fail("disk directory: " + to_string(made.error()));
    return false;
  }
  storage::chunk_store_options options;
  options.directory = "/disk";
  options.segment_size_bytes = plan_.segment_bytes;
  options.reserve_bytes = plan_.reserve_bytes;
  auto store = storage::chunk_store::open(options, *d.files, *d.index, w_.random());
  if (!store) {
    checks_.fail("a disk does not open: " + to_string(store.error()));
    return false;
  }
  d.store = std::move(*store);
  d.reads = std::make_unique<virtual_executor>(w_, plan_.disk_times, 4, disk_read_queue_max);
  d.writes = std::make_unique<virtual_executor>(w_, plan_.disk_times, 1, write_queue_max);
  d.shared = std::make_shared<actors::disk>(*d.store, *d.reads, *d.writes, *metrics_, w_.clock());
  d.actors = actors::spawn_chunk_stores(w_.system(), d.shared, plan_.actors_a_disk);
  return true;
}

void sim_node::spawn_metadata() {
  auto store = storage::metadata::store::open(*metadata_engine_);
  if (!store) return checks_.fail("the metadata does not open: " + to_string(store.error()));
  metadata_store_ = std::move(*store);
  metadata_reads_ = std::make_unique<virtual_executor>(w_, plan_.metadata_times, 2, metadata_queue_max);
  metadata_writes_ = std::make_unique<virtual_executor>(w_, plan_.metadata_times, 1, write_queue_max);
  holds_ = std::make_shared<actors::read_holds>(w_.clock());
  actors::metadata_services m;
  m.store = metadata_store_.get();
  m.reads = metadata_reads_.get();
  m.writes = metadata_writes_.get();
  m.metrics = metrics_.get();
  m.clock = &w_.clock();
  m.random = &w_.random();
  m.holds = holds_;
  m.node = node_id;
  m.incarnation = w_.draw.next();
  m.row_cache_bytes = 64 << 10;
  services_.metadata = actors::spawn_metadata(w_.system(), std::move(m));
}

void sim_node::start() {
  CAIRN_ASSERT(!running_);
  std::vector<actors::store_router::member> members;
  for (auto& d : disks_) {
    if (!open_disk(*d)) return;
    members.push_back({{d->store->disk_uuid(), 1.0}, d->actors, d->shared});
  }
  spawn_metadata();
  if (checks_.failed()) return;
  services_.system = &w_.system();
  services_.stores = std::make_shared<actors::chunk_router>(std::make_shared<actors::store_router>(std::move(members)));
  services_.buffers = std::make_shared<buffer_pool>(plan_.memory_bytes);
  services_.cache = std::make_shared<actors::chunk_cache>(plan_.cache_bytes, 1);
  digests_ = std::make_shared<virtual_executor>(w_, plan_.digest_times, 2, metadata_queue_max);
  services_.digests = digests_;
  services_.metrics = metrics_.get();
  services_.clock = &w_.clock();
  services_.window_min = plan_.window_min;
  services_.window_max = plan_.window_max;
  services_.upload_window = plan_.upload_window;
  services_.chunk_size = plan_.chunk_size;
  services_.inline_max = plan_.inline_max;
  reaper_ = actors::spawn_reaper(w_.system(), services_);
  running_ = true;
}

void sim_node::crash(bool power_lost) {
  running_ = false;
  for (auto& d : disks_) {
    if (d->reads) d->reads->crash();
    if (d->writes) d->writes->crash();
    for (auto& a : d->actors) caf::anon_send_exit(a, caf::exit_reason::user_shutdown);
  }
  if (metadata_reads_) metadata_reads_->crash();
  if (metadata_writes_) metadata_writes_->crash();
  if (digests_) digests_->crash();
  if (services_.metadata) caf::anon_send_exit(services_.metadata, caf::exit_reason::user_shutdown);
  if (reaper_) caf::anon_send_exit(reaper_, caf::exit_reason::user_shutdown);
  w_.forget_everything();
  reaper_ = nullptr;
  auto pool = std::move(services_.buffers);
  auto cache = std::move(services_.cache);
  services_ = {};
  if (pool && pool->in_use_bytes() != 0) {
    checks_.fail("a crash left " + std::to_string(pool->in_use_bytes()) + " bytes of buffers behind");
    new std::shared_ptr<buffer_pool>(pool); // destroying it would end the process before the seed is printed
  }
  if (cache) cache->set_limit(0);
  if (cache && cache->stats().bytes > 0) {
    checks_.fail("a crash left " + std::to_string(cache->stats().bytes) + " bytes of the cache behind");
    new std::shared_ptr<actors::chunk_cache>(cache);
  }
  for (auto& d : disks_) {
    d->actors.clear();
    d->shared.reset();
    d->store.reset();
    if (power_lost) d->files->crash(w_.random());
  }
  metadata_store_.reset();
  w_.digest.add(power_lost);
}

std::size_t sim_node::actors() const {
  std::size_t n = 2; // metadata, reaper
  for (const auto& d : disks_) n += d->actors.size();
  return n;
}

sim_node::leftovers sim_node::left() const {
  leftovers out;
  for (const auto& d : disks_) {
    const auto stats = d->store->stats();
    out.chunks += stats.chunks;
    out.to_punch += stats.to_punch;
  }
  if (auto view = metadata_store_->read()) {
    if (auto buried = (*view)->buried(1000)) out.buried = buried->size();
    out.manifests = (*view)->manifests_to_free();
  }
  return out;
}

std::string sim_node::left_text() const {
  const auto l = left();
  return std::to_string(l.chunks) + " chunks, " + std::to_string(l.to_punch) + " to punch, " +
         std::to_string(l.buried) + " buried blobs, " + std::to_string(l.manifests) + " manifests";
}

} // namespace cairn::sim

#include "sim/cluster/cluster_node.hpp"

#include "actors/chunks/chunk_cache.hpp"
#include "actors/chunks/chunk_store.hpp"
#include "actors/metadata/metadata.hpp"
#include "actors/protocol/cluster_messages.hpp"
#include "base/files/applied_record.hpp"
#include "cluster/raft/log/raft_log.hpp"
#include "storage/chunks/chunk_index.hpp"
#include "storage/chunks/record.hpp"
#include "storage/chunks/segment.hpp"

#include <algorithm>

namespace cairn::sim {

namespace {

namespace meta = storage::metadata;

constexpr std::size_t read_queue_max = 4096, write_queue_max = 64, metadata_queue_max = 16384;
constexpr std::uint64_t disk_bytes = 1ull << 30, segment_bytes = 4 << 20, reserve_bytes = 1 << 20;
constexpr std::uint64_t log_segment_bytes = 256 << 10; // small, so that logs have several
constexpr std::uint64_t peers_share = 4, backfill_bytes = 16 << 20;
constexpr std::size_t backfill_queue_max = 16;
constexpr std::chrono::milliseconds join_pause{1000};

} // namespace

cluster_node::cluster_node(world& w, checks& c, sim_network& n, member_plan plan, std::size_t number)
    : w_(w), checks_(c), network_(n), plan_(plan), number_(number), feature_level_(plan.feature_level) {
  id_.fill(std::uint8_t(0x10 + number));
  make_metadata();
  make_disks();
}

void cluster_node::make_metadata() {
  survivors_log_.reset();
  metadata_ = {std::make_unique<faulty_kv>(meta::table_count, meta::page_values),
               std::make_unique<memory_file_system>(), std::make_unique<memory_file_system>()};
}

std::unique_ptr<cluster::raft::raft_log> cluster_node::make_log() {
  return std::make_unique<cluster::raft::raft_log>(*metadata_.log_files, "/log", w_.random(),
                                                   cluster::raft::log_options{.segment_bytes = log_segment_bytes});
}

void cluster_node::make_disks() {
  disks_.clear();
  for (std::size_t i = 0; i < plan_.disks; ++i)
    disks_.push_back(
        {std::make_unique<memory_file_system>(disk_bytes), std::make_unique<faulty_kv>(storage::chunk_index_tables)});
}

cluster_node::~cluster_node() {
  if (running()) crash(false);
  w_.forget_everything();
}

meta::new_node cluster_node::self() const {
  return {id_, "node-" + std::to_string(number_) + ":1", {}, 1, incarnation_};
}

virtual_executor* cluster_node::executor(const job_times& times, std::size_t lanes, std::size_t queue_max) {
  process_->executors.push_back(std::make_unique<virtual_executor>(w_, times, lanes, queue_max, &process_->host));
  process_->executors.back()->slow_down(slowness_);
  return process_->executors.back().get();
}

void cluster_node::start(const std::vector<uuid>& known) {
  CAIRN_ASSERT(!running());
  ++incarnation_;
  for (auto& d : disks_) d.index->reopen();
  metadata_.state->reopen();
  log_failed_ = false;
  process_ = std::make_unique<process>(w_, plan_.clock);
  auto& p = *process_;
  w_.add(p.host);
  open_disks();
  open_metadata();
  if (checks_.failed()) return;
  p.network =
      std::make_shared<sim_peers>(network_, sim_peers::identity{id_, incarnation_, feature_level_}, p.service, p.host);
  if (identity_ && !remembered_members_.empty()) identity_->members = remembered_members_; // as in DATA_DIR/cluster
  if (identity_) return become_member();
  if (!known.empty()) return ask_to_join(known);
  uuid cluster{};
  cluster.fill(0xCA);
  identity_ = cluster::cluster_identity{cluster, cluster_name, 0, {}};
  become_member();
}

void cluster_node::open_disks() {
  auto& p = *process_;
  for (auto& d : disks_) {
    if (auto made = d.files->make_directories("/disk"); !made)
      return checks_.fail("disk directory: " + to_string(made.error()));
    storage::chunk_store_options options;
    options.directory = "/disk";
    options.segment_size_bytes = segment_bytes;
    options.reserve_bytes = reserve_bytes;
    auto store = storage::chunk_store::open(options, *d.files, *d.index, w_.random());
    if (!store) return checks_.fail("a disk does not open: " + to_string(store.error()));
    auto& o = p.disks.emplace_back();
    o.store = std::move(*store);
    o.reads = std::make_unique<virtual_executor>(w_, plan_.disk_times, 4, read_queue_max, &p.host);
    o.writes = std::make_unique<virtual_executor>(w_, plan_.disk_times, 1, write_queue_max, &p.host);
    for (auto* e : {o.reads.get(), o.writes.get()}) e->slow_down(slowness_);
    o.shared = std::make_shared<actors::disk>(*o.store, *o.reads, *o.writes, p.metrics, p.host);
    o.shared->damaged = p.damaged;
    o.actors = actors::spawn_chunk_stores(p.host.system(), o.shared, 2);
  }
}

void cluster_node::open_metadata() {
  auto store = meta::store::open(*metadata_.state);
  if (!store) return checks_.fail("the metadata does not open: " + to_string(store.error()));
  process_->store = std::move(*store);
}

void cluster_node::ask_to_join(const std::vector<uuid>& known) {
  std::string bytes(1, char(actors::peer_request::join));
  bytes += encode(actors::join_request{self(), cluster_name, {}});
  const auto& whom = w_.draw.pick(known);
  const auto again = [this, life = incarnation_, known] {
    if (running() && life == incarnation_ && !joined()) ask_to_join(known);
  };
  const auto asked = std::make_shared<bool>(true); // at most one answer counts; the timeout counts as one
  w_.after(std::chrono::seconds{10}, [asked, again] {
    if (std::exchange(*asked, false)) again();
  });
  network_.ask(process_->network, whom, std::move(bytes), [this, asked, again](result<actors::link::answer> a) {
    if (!std::exchange(*asked, false)) return;
    if (!a) {
      if (a.error().code == errc::invalid_argument || a.error().code == errc::precondition_failed)
        return checks_.fail("a node was refused to join: " + to_string(a.error()));
      return w_.after(join_pause, again);
    }
    auto answer = actors::decode_join_answer(a->bytes);
    if (!answer) return checks_.fail("an answer to join: " + to_string(answer.error()));
    identity_ = cluster::cluster_identity{answer->cluster, answer->name, answer->number, std::move(answer->members)};
    become_member(log_disk::may_fail);
  });
}

void cluster_node::become_member(log_disk its) {
  auto& p = *process_;
  p.network->set_cluster(identity_->id);
  p.layout = std::make_shared<actors::layout_holder>(identity_->self);
  p.layout->learn(identity_->members);
  actors::member_log_services log;
  log.log = make_log();
  log.store = p.store.get();
  log.identity = &*identity_;
  log.self = self();
  log.replicas = plan_.replicas;
  log.write_quorum = plan_.write_quorum;
  log.writes = executor(plan_.metadata_times, 1, write_queue_max);
  log.reads = executor(plan_.metadata_times, 1, read_queue_max);
  log.transfer = {metadata_.state.get(), metadata_.files.get(), transfer_folder,
                  executor(plan_.metadata_times, 1, read_queue_max)};
  log.network = p.network.get();
  log.clock = &p.host;
  log.random = &w_.random();
  log.damage = metadata_.state->damage();
  log.state = p.state;
  log.applied_before = applied_record_;
  auto opened = actors::open_member_log(log);
  outdated_ = !opened && opened.error() == errc::precondition_failed; // it ends; an operator sees why
  if (outdated_) return;
  if (!opened && its == log_disk::may_fail && (opened.error() == errc::io_error || opened.error() == errc::no_space))
    return fail_log(); // the process ends, and is started again
  if (!opened) return checks_.fail("the log does not open: " + to_string(opened.error()));
  applied_record_ = std::max(applied_record_, (*opened)->applied);
  (*opened)->compact_after_entries = plan_.compact_after_entries;
  (*opened)->entries_kept = plan_.entries_kept;

  std::vector<actors::store_router::member> disks;
  for (auto& d : p.disks) disks.push_back({{d.store->disk_uuid(), 1.0}, d.actors, d.shared});
  auto& s = p.services;
  s.system = &p.host.system();
  s.metrics = &p.metrics;
  s.clock = &p.host;
  s.buffers = std::make_shared<buffer_pool>(plan_.memory_bytes);
  s.cache = std::make_shared<actors::chunk_cache>(plan_.cache_bytes, 1);
  s.digests = p.digests = std::make_shared<virtual_executor>(w_, plan_.digest_times, 2, metadata_queue_max, &p.host);
  actors::member_chunk_services chunks;
  chunks.local = std::make_shared<actors::store_router>(std::move(disks));
  chunks.layouts = p.layout;
  chunks.network = p.network;
  chunks.buffers = s.buffers;
  chunks.peer_buffers = p.peer_buffers = std::make_shared<buffer_pool>(plan_.memory_bytes / peers_share);
  chunks.metrics = &p.metrics;
  chunks.clock = &p.host;
  p.chunks = actors::open_member_chunks(p.host.system(), chunks, *p.service);
  s.stores = p.chunks.router;
  spawn_metadata(std::move(*opened));
  s.chunk_size = plan_.chunk_size;
  s.inline_max = plan_.inline_max;
  s.upload_window = plan_.upload_window;
  s.window_min = plan_.window_min;
  s.window_max = plan_.window_max;
  p.reaper = actors::spawn_reaper(p.host.system(), s, {.walk_every = plan_.walk_every});
  if (plan_.lifecycle) p.lifecycle = actors::spawn_lifecycle(p.host.system(), s, *plan_.lifecycle);
  spawn_backfill();
  p.member = true;
  p.network->begin();
}

void cluster_node::spawn_backfill() {
  auto& p = *process_;
  actors::backfill_services b;
  b.node = p.services;
  b.node.buffers = p.backfill_buffers = std::make_shared<buffer_pool>(backfill_bytes);
  b.store = p.store.get();
  b.work = executor(plan_.metadata_times, 1, backfill_queue_max);
  b.state = p.state;
  b.bandwidth = std::make_shared<std::atomic<std::uint64_t>>(100 << 20);
  std::vector<storage::chunk_store*> disks;
  for (const auto& d : p.disks) disks.push_back(d.store.get());
  b.own = actors::chunks_on(disks);
  b.damaged = p.damaged;
  if (plan_.scrubs) b.scrubbed = std::move(disks);
  p.backfill = actors::spawn_backfill(p.host.system(), std::move(b));
}

void cluster_node::spawn_metadata(std::shared_ptr<actors::replicated_log_services> log) {
  auto& p = *process_;
  actors::metadata_services m;
  m.store = p.store.get();
  m.reads = executor(plan_.metadata_times, 2, metadata_queue_max);
  m.writes = executor(plan_.metadata_times, 1, write_queue_max);
  m.metrics = &p.metrics;
  m.clock = &p.host;
  m.random = &w_.random();
  m.holds = p.holds = std::make_shared<actors::read_holds>(p.host);
  m.node = id_;
  m.incarnation = incarnation_;
  m.session_began = p.session_began;
  m.fault = p.fault;
  m.row_cache_bytes = 64 << 10;
  m.commit_timeout = std::chrono::seconds{10};
  m.log = std::move(log);
  m.layout = p.layout;
  m.others_oldest_hold = [state = p.state] { return state->others_oldest_hold.load(); };
  actors::membership_services members;
  members.store = p.store.get();
  members.reads = m.reads;
  members.layout = p.layout;
  members.state = p.state;
  members.network = p.network.get();
  members.clock = &p.host;
  members.self = self();
  members.remembered = identity_->members;
  members.remember_applied = [this, pace = applied_record_pace{0}](log_index applied) mutable {
    if (pace.due(applied, process_->host.now())) applied_record_ = std::max(applied_record_, applied);
  };
  members.remember_members = [this](const std::vector<cluster::known_member>& now) {
    remembered_members_ = now;
    return result<void>{};
  };
  members.refusal = [network = p.network.get()] { return network->refusal(); };
  members.cluster_name = cluster_name;
  members.disks = [this] {
    actors::disk_use use;
    for (const auto& d : process_->disks) {
      const auto disk = d.store->stats().disk;
      use.capacity_bytes += disk.total;
      use.used_bytes += disk.total - std::min(disk.total, disk.available);
    }
    return use;
  };
  members.controller = plan_.controller;
  members.founding = {std::chrono::hours{24}, 64};
  members.metadata = p.services.metadata = actors::spawn_metadata(p.host.system(), std::move(m));
  p.membership = actors::spawn_membership(p.host.system(), std::move(members));
  actors::serve_members(*p.service, actors::slot_of(p.services.metadata), actors::slot_of(p.membership));
}

void cluster_node::crash(bool power_lost) {
  auto& p = *process_;
  for (auto& e : p.executors) e->crash();
  for (auto& d : p.disks) {
    d.reads->crash();
    d.writes->crash();
  }
  if (p.digests) p.digests->crash();
  if (p.network) p.network->shut_down(!power_lost);
  if (p.services.stores) p.services.stores->stop();
  if (p.chunks.service) p.chunks.service->stop();
  for (auto& d : p.disks)
    for (auto& a : d.actors) caf::anon_send_exit(a, caf::exit_reason::user_shutdown);
  if (p.services.metadata) caf::anon_send_exit(p.services.metadata, caf::exit_reason::user_shutdown);
  if (p.lifecycle) caf::anon_send_exit(p.lifecycle, caf::exit_reason::user_shutdown);
  if (p.reaper) caf::anon_send_exit(p.reaper, caf::exit_reason::user_shutdown);
  if (p.membership) caf::anon_send_exit(p.membership, caf::exit_reason::user_shutdown);
  if (p.backfill) caf::anon_send_exit(p.backfill, caf::exit_reason::user_shutdown);
  p.host.forget_everything();
  w_.take_out(p.host);
  p.reaper = nullptr;
  p.lifecycle = nullptr;
  p.backfill = nullptr;
  p.membership = nullptr;
  const auto left = p.host.live_actors();
  const auto gateway = std::move(p.services.buffers);
  const auto cache = std::move(p.services.cache);
  p.services = {};
  p.chunks = {};
  p.service.reset();
  p.network.reset();
  for (const auto& pool : {gateway, p.peer_buffers, p.backfill_buffers}) {
    if (!pool || pool->in_use_bytes() == 0) continue;
    checks_.fail("a crash left " + std::to_string(pool->in_use_bytes()) + " bytes of buffers behind");
    new std::shared_ptr<buffer_pool>(pool); // destroying it would end the process before the seed is printed
  }
  if (cache) cache->set_limit(0);
  if (cache && cache->stats().bytes > 0) {
    checks_.fail("a crash left " + std::to_string(cache->stats().bytes) + " bytes of the cache behind");
    new std::shared_ptr<actors::chunk_cache>(cache);
  }
  p.peer_buffers.reset();
  p.backfill_buffers.reset();
  if (left > 0) checks_.fail("a crash left " + std::to_string(left) + " actors behind");
  p.disks.clear();
  p.store.reset();
  for (auto& d : disks_)
    if (power_lost) d.files->crash(w_.random());
  if (power_lost) {
    metadata_.files->crash(w_.random());
    metadata_.log_files->crash(w_.random());
  }
  w_.digest.add(number_ * 2 + power_lost);
  dead_.push_back(std::move(process_));
}

void cluster_node::freeze() {
  if (!running() || process_->host.frozen()) return;
  frozen_since_ = w_.now();
  process_->host.freeze();
  w_.digest.add(number_);
}

void cluster_node::thaw() {
  if (!frozen()) return;
  process_->host.thaw();
  network_.thawed(id_, frozen_since_);
}

void cluster_node::slow_down(std::uint32_t factor) {
  slowness_ = factor;
  if (!running()) return;
  for (auto& e : process_->executors) e->slow_down(factor);
  for (auto& d : process_->disks)
    for (auto* e : {d.reads.get(), d.writes.get()}) e->slow_down(factor);
}

bool cluster_node::serves() const noexcept {
  return running() && process_->member;
}

bool cluster_node::ready() const noexcept {
  return serves() && process_->session_began->load() && process_->fault->text().empty();
}

bool cluster_node::refused() const {
  return outdated_ || (serves() && !process_->state->refusal().empty());
}

bool cluster_node::leads() const noexcept {
  return serves() && process_->state->leads.load();
}

const actors::services& cluster_node::handles() const {
  CAIRN_ASSERT(serves());
  return process_->services;
}

std::optional<node_number> cluster_node::member_number() const {
  return identity_ ? std::optional{identity_->self} : std::nullopt;
}

actors::layout_ptr cluster_node::layout() const {
  return serves() ? process_->layout->get() : nullptr;
}

std::unique_ptr<meta::view> cluster_node::view() const {
  if (!running() || !process_->store) return nullptr;
  auto view = process_->store->read();
  return view ? std::move(*view) : nullptr;
}

log_index cluster_node::applied() const {
  const auto shown = view();
  return shown ? shown->applied() : 0;
}

bool cluster_node::disks_are_healthy() const {
  return !metadata_.state->broken() && !log_failed_ && std::ranges::all_of(process_->disks, [](const auto& d) {
    return d.store->stats().state == storage::disk_state::healthy;
  });
}

bool cluster_node::has(const chunk_id& chunk) const {
  return std::ranges::any_of(process_->disks, [&](const open_disk& d) {
    const auto missing = d.store->missing({&chunk, 1});
    return missing && missing->empty();
  });
}

bool cluster_node::good(const chunk_id& chunk) const {
  std::vector<std::byte> bytes(plan_.chunk_size);
  return std::ranges::any_of(process_->disks, [&](const open_disk& d) {
    return bool(d.store->read(chunk, 0, std::uint32_t(bytes.size()), bytes.data()));
  });
}

std::vector<chunk_id> cluster_node::chunks() const {
  constexpr std::size_t page_max = 10'000;
  std::vector<chunk_id> all;
  if (!running()) return all;
  for (const auto& d : process_->disks)
    if (const auto page = d.store->list(std::nullopt, page_max)) all.insert(all.end(), page->begin(), page->end());
  return all;
}

void cluster_node::rot(const chunk_id& chunk, std::uint64_t where) {
  for (auto& d : disks_) {
    const auto rows = d.index->begin_read();
    const auto at = rows ? storage::chunk_index::find(**rows, chunk) : result<storage::chunk_location>{rows.error()};
    if (!at) continue;
    const auto payload = at->place.offset + storage::page_bytes;
    d.files->flip_bit("/disk/segments/" + storage::segment_file_name(at->place.segment),
                      payload * 8 + where % (std::uint64_t{at->length} * 8));
    w_.digest.add(where);
    return;
  }
}

void cluster_node::read_alone(const chunk_id& chunk) {
  auto buffer = process_->services.buffers->try_acquire(plan_.chunk_size, reservation::minimum);
  if (!buffer) return;
  for (auto& d : process_->disks) {
    const auto missing = d.store->missing({&chunk, 1});
    if (!missing || !missing->empty()) continue;
    const actors::chunk_read read{chunk, 0, plan_.chunk_size, std::move(buffer)};
    process_->host.system().spawn([store = d.actors.front(), read](caf::event_based_actor* self) {
      self->request(store, caf::infinite, actors::read_atom_v, read)
          .then([](const actors::chunk_data&) {}, [](const caf::error&) {});
    });
    return;
  }
}

void cluster_node::look_for_damage() {
  process_->state->scans_requested.fetch_add(1);
}

std::shared_ptr<const std::vector<node_number>> cluster_node::ask_log_members() const {
  auto out = std::make_shared<std::vector<node_number>>();
  actors::ask_metadata<actors::log_status_ptr>(
      handles(),
      [out](const result<actors::log_status_ptr>& status) {
        if (!status) return;
        // The committed configuration, as an operator sees it.
        for (const auto& s : (*status)->committed.servers) out->push_back(node_number(s.id - 1));
      },
      actors::status_atom_v);
  return out;
}

std::string cluster_node::leftovers() const {
  const auto& p = *process_;
  const auto name = "node " + std::to_string(number_) + ": ";
  if (const auto used = p.services.buffers->in_use_bytes(); used > 0)
    return name + std::to_string(used) + " bytes of buffers are left";
  if (p.services.buffers->waiting() > 0) return name + "a wait for memory is left";
  if (const auto used = p.peer_buffers->in_use_bytes(); used > 0)
    return name + std::to_string(used) + " bytes of the peers' buffers are left";
  if (const auto used = p.backfill_buffers->in_use_bytes(); used > 0)
    return name + std::to_string(used) + " bytes of the backfill's buffers are left";
  const auto cache = p.services.cache->stats();
  if (cache.shared_reads > 0) return name + "a read for the cache is left";
  if (cache.bytes > cache.limit_bytes) return name + "the cache uses more than its limit";
  if (p.holds->size() > 0) return name + "a read hold is left";
  if (p.metrics.window_slices != 0) return name + "window_slices is not zero";
  return {};
}

std::string cluster_node::standing() const {
  std::string out = "node " + std::to_string(number_) + (running() ? "" : " down") + (ready() ? " ready" : "") +
                    (leads() ? " leads" : "");
  if (const auto l = layout()) out += " epoch " + std::to_string(l->epoch);
  return out + " applied " + std::to_string(applied());
}

} // namespace cairn::sim

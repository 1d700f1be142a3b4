#include "actors/runtime/node_metadata.hpp"

#include "base/log.hpp"

#include "actors/metadata/metadata.hpp"

namespace cairn::actors {

namespace {

constexpr std::size_t metadata_read_queue_max = 16384, metadata_write_queue_max = 64, read_threads = 2;
constexpr std::chrono::seconds close_time{3600};
constexpr std::chrono::seconds cluster_commit_timeout{10}; // then a write without a leader is answered 503

} // namespace

result<void> node_metadata::open(const config::settings& settings) {
  directory_ = settings.metadata_dir();
  auto opened = open_metadata_files(settings, files_, metrics_);
  if (!opened) return opened.error();
  opened_ = std::move(*opened);
  room_ = std::make_unique<room_probe>(files_, clock_, directory_, settings.storage.reserve.bytes);
  reads_ = make_thread_executor("metadata-read", read_threads, metadata_read_queue_max);
  writes_ = make_thread_executor("metadata-write", 1, metadata_write_queue_max);
  return {};
}

metadata_actor node_metadata::spawn(caf::actor_system& system, const node_identity& self,
                                    std::shared_ptr<const secrets::key_ring> sealing, cluster_member* member) {
  metadata_services m;
  m.store = opened_.store.get();
  m.reads = reads_.get();
  m.writes = writes_.get();
  m.metrics = &metrics_;
  m.clock = &clock_;
  m.random = &random_;
  m.holds = std::make_shared<read_holds>(clock_);
  m.node = self.id;
  m.incarnation = self.incarnation;
  m.sealing = std::move(sealing);
  m.has_room = [this] { return room_->has_room(); };
  m.session_began = session_began_;
  m.fault = fault_;
  if (member) {
    m.log = member->log_services();
    m.layout = member->layout();
    m.others_oldest_hold = [state = member->state()] { return state->others_oldest_hold.load(); };
    m.commit_timeout = cluster_commit_timeout;
  }
  return spawn_metadata(system, std::move(m));
}

std::string node_metadata::fault() const {
  return opened_.damage->is_unreadable() ? "it can't be read" : fault_->text();
}

cairn::space node_metadata::disk_space() const {
  const auto space = files_.space_of(directory_);
  return space ? *space : cairn::space{};
}

void node_metadata::stop() {
  // The open transaction ends on its thread. It is committed for those who read the files of a stopped node; if that
  // fails, its entries are applied again from the log.
  (void)writes_->post(clock_.now() + close_time, [store = opened_.store.get()](bool) {
    if (const auto closed = store->close_open(); !closed)
      log::warn("the metadata's open transaction was not committed at the stop",
                {{"error", to_string(closed.error())}});
  });
  reads_->stop();
  writes_->stop();
}

} // namespace cairn::actors

#include "actors/runtime/node_upkeep.hpp"

#include "actors/upkeep/metadata_scrub.hpp"
#include "actors/upkeep/reaper.hpp"
#include "actors/upkeep/scrubber.hpp"
#include "cluster/raft/log/log_check.hpp"

#include <algorithm>

namespace cairn::actors {

namespace {

using std::chrono::duration_cast;

constexpr std::size_t work_queue_max = 16;
constexpr std::uint64_t backfill_share = 16; // of limits.memory, for chunks fetched to repair and to rebalance
constexpr std::uint64_t backfill_bytes_min = 16 << 20;

lifecycle_options lifecycle_of(const config::settings& settings) {
  lifecycle_options out;
  out.day = duration_cast<std::chrono::milliseconds>(settings.debug.lifecycle_day);
  out.upload_age_max = duration_cast<std::chrono::milliseconds>(settings.limits.upload_age_max);
  out.walk_every = std::min(out.walk_every, out.day);
  return out;
}

} // namespace

void node_upkeep::start(const config::settings& settings, const services& node, node_metadata& metadata,
                        const node_disks& disks, cluster_member* member) {
  auto& system = *node.system;
  const auto scrub_period = duration_cast<std::chrono::seconds>(settings.storage.scrub_period);
  reaper_ = spawn_reaper(system, node);
  lifecycle_ = spawn_lifecycle(system, node, lifecycle_of(settings));
  work_ = make_thread_executor(member ? "backfill" : "scrub", 1, work_queue_max);
  if (!member)
    scrubber_ = spawn_scrubber(system, {.store = &metadata.store(),
                                        .work = work_.get(),
                                        .disks = disks.stores(),
                                        .metrics = node.metrics,
                                        .clock = node.clock,
                                        .period = scrub_period});
  else if (!disks.is_empty()) // without a disk there is nowhere to backfill to
    spawn_backfill_actor(settings, node, metadata.store(), disks, *member);
  const auto steps_of = [](auto check) { return [check](std::size_t rows) mutable { return check.step(rows); }; };
  std::vector<metadata_check> checks{steps_of(storage::kv_check{metadata.engine(), storage::metadata::table_count})};
  if (member) checks.emplace_back(steps_of(cluster::raft::log_check{member->log_files()}));
  metadata_scrub_ =
      spawn_metadata_scrub(system, {std::move(checks), work_.get(), node.metrics, node.clock, scrub_period});
}

void node_upkeep::spawn_backfill_actor(const config::settings& settings, const services& node,
                                       storage::metadata::store& store, const node_disks& disks,
                                       cluster_member& member) {
  backfill_buffers_ = std::make_shared<buffer_pool>(
      std::max<std::uint64_t>(backfill_bytes_min, settings.limits.memory.bytes / backfill_share));
  backfill_services b;
  b.node = node;
  b.node.buffers = backfill_buffers_;
  b.store = &store;
  b.work = work_.get();
  b.state = member.state();
  b.bandwidth = bandwidth_;
  b.damaged = disks.damaged();
  b.scrubbed = disks.stores();
  b.own = chunks_on(b.scrubbed);
  b.disk_closed = disks.has_closed();
  backfill_options options;
  options.scrub_period = duration_cast<std::chrono::seconds>(settings.storage.scrub_period);
  backfill_ = spawn_backfill(*node.system, std::move(b), options);
}

void node_upkeep::stop() {
  const auto end = [](auto& actor) {
    if (actor) caf::anon_send_exit(actor, caf::exit_reason::user_shutdown);
    actor = nullptr;
  };
  end(reaper_);
  end(lifecycle_);
  end(backfill_);
  end(scrubber_);
  end(metadata_scrub_);
  if (work_) work_->stop();
}

} // namespace cairn::actors

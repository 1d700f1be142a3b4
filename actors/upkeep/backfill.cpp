#include "actors/protocol/errors.hpp"
#include "actors/upkeep/backfill_state.hpp"
#include "base/log.hpp"

namespace cairn::actors {

namespace meta = storage::metadata;

namespace {

constexpr std::uint32_t drop_page_chunks = 1024;

} // namespace

void backfill_state::start(backfill_services services, const backfill_options& options) {
  s_ = std::move(services);
  options_ = options;
  walk_.emplace(s_.scrubbed.size(), options_.scrub_period, now());
  self_->delayed_send(self_, options_.interval, tick_atom_v);
}

void backfill_state::tick() {
  self_->delayed_send(self_, options_.interval, tick_atom_v);
  const auto known = layout();
  if (!known || known->partitions.empty()) return; // this node has not caught up so far
  note_failed_disks();
  s_.state->set_complete(known->epoch, compared_.complete(*known, own_number()));
  if (const auto requested = s_.state->scans_requested.load(); std::exchange(scans_seen_, requested) != requested) {
    next_check_.reset();
    next_round_ = now();
    walk_->begin(now());
  }
  if (busy_ || now() < next_round_) return;
  busy_ = true;
  begin_round();
}

// A disk was quarantined: comparisons may have relied on it, and its chunks must be fetched again.
void backfill_state::note_failed_disks() {
  const auto failed = failed_disks();
  if (std::exchange(failed_disks_, failed) == failed) return;
  compared_.forget();
  if (comparing_) failed_partitions_.assign(partition_count, true);
  next_check_.reset();
  next_round_ = now();
}

void backfill_state::commit(meta::command c, const steps& then) {
  auto box = std::make_shared<const meta::command>(std::move(c));
  self_->request(s_.node.metadata, caf::infinite, commit_atom_v, command_box{std::move(box)})
      .then([then](const committed&) { then(); },
            [this, then](caf::error& e) {
              ++failures_;
              log::warn("repair rows could not be confirmed and stay", {{"error", to_string(from_caf(e))}});
              then();
            });
}

// ── a round ──

void backfill_state::begin_round() {
  failures_ = 0;
  auto proceed = [this] { repair_damaged([this] { repair({}, [this] { begin_comparison(); }); }); };
  if (!lost_.empty()) return check_lost(std::move(proceed));
  s_.state->set_lost({});
  proceed();
}

// Fetches the chunks that readers found damaged, as it fetches those that a scrub finds.
void backfill_state::repair_damaged(const steps& then) {
  using chunks = std::vector<wanted_chunk>;
  auto damaged = s_.damaged ? s_.damaged->take(wanted_max) : chunk_ids{};
  if (damaged.empty()) return then();
  const auto known = layout();
  std::erase_if(damaged, [&](const auto& id) {
    return !known || !cluster::read_owners(*known, partition_of(id)).contains(own_number());
  });
  look<chunks>([damaged](meta::view& view) { return still_live(view, damaged); },
               [this, then](result<chunks> live) {
                 fetch(live ? std::move(*live) : chunks{}, [this, then] {
                   const auto repaired = std::ranges::count(batch_.failed, false);
                   count(s_.node.metrics->damage_repaired, std::uint64_t(repaired));
                   if (repaired > 0) log::info("damaged chunks were repaired", {{"chunks", std::size_t(repaired)}});
                   s_.damaged->settled();
                   then();
                 });
               });
}

void backfill_state::repair(std::optional<meta::repair_row> after, const steps& then) {
  repaired_at_ = now();
  auto known = layout();
  look<repair_page>([own = s_.own, known, self = own_number(),
                     after](meta::view& view) { return next_repairs(view, own, *known, self, after); },
                    [this, after, then](result<repair_page> page) {
                      if (!page) {
                        ++failures_;
                        log::warn("repair rows could not be listed", {{"error", to_string(page.error())}});
                        return then();
                      }
                      auto shared = std::make_shared<repair_page>(std::move(*page));
                      fetch(shared->missing, [this, shared, after, then] { settle(*shared, after, then); });
                    });
}

void backfill_state::settle(const repair_page& page, std::optional<meta::repair_row> after, const steps& then) {
  meta::confirm_replicas confirmed;
  bool progress = false;
  for (const auto& row : page.rows) {
    bool all = row.whole;
    for (auto i = row.first; i < row.end; ++i) {
      all = all && !batch_.failed[i];
      progress = progress || !batch_.failed[i];
    }
    if (all) confirmed.repairs.push_back(row.repair);
    if (row.whole || !progress) after = row.repair; // the rest of a long row comes next, unless nothing was fetched
  }
  auto proceed = [this, after, then, last = page.last] { last ? then() : repair(after, then); };
  if (confirmed.repairs.empty()) return proceed();
  commit(std::move(confirmed), std::move(proceed));
}

void backfill_state::begin_comparison() {
  look<layout_epoch>([](meta::view& view) { return view.acknowledged_epoch(); },
                     [this](result<layout_epoch> acknowledged) {
                       const auto known = layout();
                       if (!acknowledged || !known) return scrub();
                       auto round = compared_.next(*known, own_number(), *acknowledged);
                       // Partitions that cannot become complete must not prevent the daily check.
                       const bool due = !next_check_ || *next_check_ <= now();
                       checking_ = due && (round.count == 0 || compared_last_);
                       compared_last_ = !checking_;
                       if (checking_) {
                         next_check_ = now() + options_.check_every;
                         round = cluster::comparisons::everything(*known, own_number());
                       }
                       if (round.count == 0) return scrub();
                       failed_partitions_.assign(partition_count, false);
                       comparing_ = std::move(round);
                       s_.node.metrics->partitions_comparing.store(comparing_->count, std::memory_order_relaxed);
                       compare({});
                     });
}

void backfill_state::compare(blob_place from) {
  if (now() - repaired_at_ > options_.repair_pause)
    return repair_damaged([this, from] { repair({}, [this, from] { compare(from); }); }); // comparing may take hours
  look<compared_page>(
      [own = s_.own, round = *comparing_, from](meta::view& view) { return compare_page(view, own, round, from); },
      [this](result<compared_page> page) {
        if (!page) {
          log::warn("comparing the metadata with the disks failed", {{"error", to_string(page.error())}});
          return end_comparison(false);
        }
        auto shared = std::make_shared<compared_page>(std::move(*page));
        fetch(shared->missing, [this, shared] {
          note_failures();
          if (shared->last) return end_comparison(true);
          at_pace(shared->bytes_read, [this, shared] { compare(shared->reached); });
        });
      });
}

void backfill_state::note_failures() {
  for (std::size_t i = 0; i < batch_.chunks.size(); ++i)
    if (batch_.failed[i]) failed_partitions_[partition_of(batch_.chunks[i].id)] = true;
}

void backfill_state::end_comparison(bool reached_the_end) {
  if (reached_the_end && !checking_) {
    compared_.finished(*comparing_, failed_partitions_);
    const auto failed = std::ranges::count(failed_partitions_, true);
    log::info("partitions compared", {{"partitions", comparing_->count}, {"incomplete", std::size_t(failed)}});
    if (const auto known = layout()) s_.state->set_complete(known->epoch, compared_.complete(*known, own_number()));
  }
  if (!reached_the_end) ++failures_;
  comparing_.reset();
  s_.node.metrics->partitions_comparing.store(0, std::memory_order_relaxed);
  scrub();
}

void backfill_state::scrub() {
  if (!walk_->due(now())) return end_round();
  std::uint64_t used = 0;
  for (const auto* disk : s_.scrubbed) used += disk->stats().used_bytes;
  look<scrubbed_page>(
      [disk = s_.scrubbed[walk_->disk()], after = walk_->after(),
       bytes = walk_->step_bytes(used, now())](meta::view& view) { return scrub_page_of(view, *disk, after, bytes); },
      [this](result<scrubbed_page> page) {
        walk_->reached(page ? page->reached : std::nullopt);
        if (!page) return end_round(); // the disk is quarantined
        count(s_.node.metrics->scrubbed_bytes, page->bytes);
        count(s_.node.metrics->scrub_damaged, page->damaged.size());
        for (const auto& w : page->damaged) log::error("the scrub found a damaged chunk", {{"chunk", to_string(w.id)}});
        fetch(std::move(page->damaged), [this] { end_round(); });
      });
}

void backfill_state::end_round() {
  next_round_ = failures_ > 0 ? now() + options_.retry_pause : now();
  const auto known = layout();
  if (!known || known->epoch <= dropped_under_ || now() < next_drop_) {
    busy_ = false;
    return;
  }
  next_drop_ = now() + options_.drop_pause;
  begin_drop();
}

// ── dropping ──

// By the cluster's current state, read behind a barrier. Metadata that was put back from an older image does not name
// this node as an owner of the partitions that have moved to it since.
void backfill_state::begin_drop() {
  self_->request(s_.node.metadata, caf::infinite, access_atom_v, access_query{})
      .then(
          [this](const found_access&) {
            dropped_under_ = layout()->epoch;
            drop_needless_repairs();
          },
          [this](caf::error&) { busy_ = false; }); // again after a pause
}

void backfill_state::drop_needless_repairs() {
  if (!s_.state->leads.load()) return drop(0, {});
  using rows = std::vector<meta::repair_row>;
  look<rows>([known = layout()](meta::view& view) { return needless_repairs(view, *known); },
             [this](result<rows> needless) {
               if (!needless || needless->empty()) return drop(0, {});
               dropped_under_ = 0; // there may be more needless rows
               commit(meta::confirm_replicas{std::move(*needless)}, [this] { drop(0, {}); });
             });
}

void backfill_state::drop(std::size_t disk, std::optional<chunk_id> after) {
  const auto& local = s_.node.stores->local();
  if (disk >= local.disks()) {
    busy_ = false;
    return;
  }
  self_->request(local.disk_writer(disk), caf::infinite, list_atom_v, chunk_list_query{after, drop_page_chunks})
      .then([this, disk](const chunk_ids& page) { drop_page(disk, page); },
            [this, disk](caf::error&) {
              dropped_under_ = 0;
              drop(disk + 1, {});
            });
}

void backfill_state::drop_page(std::size_t disk, const chunk_ids& page) {
  if (page.empty()) return drop(disk + 1, {});
  const auto proceed = [this, disk, last = page.back()] { drop(disk, last); };
  look<droppable_chunks>(
      [page, known = layout(), self = own_number()](meta::view& view) { return droppable(view, *known, self, page); },
      [this, disk, proceed](result<droppable_chunks> chunks) {
        if (!chunks || chunks->later) dropped_under_ = 0;
        if (!chunks || chunks->now.empty()) return proceed();
        self_->request(s_.node.stores->local().disk_writer(disk), caf::infinite, drop_atom_v, std::move(chunks->now))
            .then(
                [this, proceed](std::uint64_t erased) {
                  count(s_.node.metrics->chunks_moved_away, erased);
                  proceed();
                },
                [this, proceed](caf::error&) {
                  dropped_under_ = 0;
                  proceed();
                });
      });
}

namespace {

backfill_actor::behavior_type backfill(backfill_actor::stateful_pointer<backfill_state> self,
                                       backfill_services services, const backfill_options& options) {
  auto* state = &self->state;
  state->start(std::move(services), options);
  return {
      [](completion& c) { c.run(); },
      [state](tick_atom) { state->tick(); },
  };
}

} // namespace

backfill_actor spawn_backfill(caf::actor_system& system, backfill_services services, backfill_options options) {
  return system.spawn(backfill, std::move(services), options);
}

} // namespace cairn::actors

#include "actors/upkeep/reaper.hpp"

#include "actors/chunks/chunk_router.hpp"
#include "actors/protocol/errors.hpp"
#include "actors/upkeep/erase_plan.hpp"
#include "base/log.hpp"

namespace cairn::actors {

namespace {

namespace meta = storage::metadata;

constexpr std::uint32_t blobs_a_round = 256;

bool passes_by_itself(errc code) {
  return code == errc::busy || code == errc::timeout || code == errc::stopping;
}

struct disk_walk {
  std::size_t disk = 0;
  std::optional<chunk_id> after, page_last;
  bool page_full = false, on_its_way = false;
};

class reaper_state {
public:
  explicit reaper_state(reaper_actor::pointer self) : self_(self) {}
  void start(const services& s, const reaper_options& options);
  void tick();

private:
  void begin_round();
  void free_manifests(log_index released_up_to);
  void count_usage();
  void reap(std::vector<meta::buried_blob> blobs);
  std::vector<chunk_store_actor> erasers() const;
  void erase_page();
  void page_erased(std::size_t disk, const error* why);
  void page_done();
  void end_round(bool more);
  void walk_page();
  bool page_again(const error& why);
  void walked(const chunk_ids& page);
  void erase_dead(chunk_ids ids);
  void next_walk_page();
  void next_walk_disk();
  void count(std::uint64_t erased) { s_.metrics->chunks_reaped.fetch_add(erased, std::memory_order_relaxed); }

  reaper_actor::pointer self_;
  services s_;
  reaper_options options_;
  bool session_asked_ = false, session_began_ = false;

  bool in_round_ = false, page_failed_ = false, counting_ = false;
  std::optional<erase_plan> plan_;
  std::size_t disks_to_answer_ = 0;
  bool round_was_full_ = false;
  std::optional<disk_walk> walk_;
  std::optional<steady_time> next_walk_;
  std::size_t walk_pages_left_ = 0;
};
static_assert(!std::is_aggregate_v<reaper_state>);

void reaper_state::start(const services& s, const reaper_options& options) {
  s_ = s;
  options_ = options;
  self_->delayed_send(self_, options_.interval, tick_atom_v);
}

void reaper_state::tick() {
  self_->delayed_send(self_, options_.interval, tick_atom_v);
  if (!session_began_) {
    // This request is answered once this start's writer session exists; by then the log has ended the previous session.
    if (std::exchange(session_asked_, true)) return;
    self_->request(s_.metadata, caf::infinite, new_blob_atom_v)
        .then([this](const blob_id&) { session_began_ = true; }, [this](caf::error&) { session_asked_ = false; });
    return;
  }
  if (!in_round_) begin_round();
  const auto now = s_.clock->now();
  if (!walk_ && (!next_walk_ || *next_walk_ <= now)) {
    walk_.emplace();
    next_walk_ = now + options_.walk_every;
  }
  walk_pages_left_ = options_.walk_pages;
  if (walk_ && !walk_->on_its_way) walk_page();
}

void reaper_state::begin_round() {
  in_round_ = true;
  self_->request(s_.metadata, caf::infinite, buried_atom_v, blobs_a_round)
      .then(
          [this](buried_list& found) {
            if (found.manifests_to_free > 0) free_manifests(found.released_up_to);
            if (found.uncounted && !counting_) count_usage();
            round_was_full_ = found.blobs.size() == blobs_a_round;
            reap(std::move(found.blobs));
          },
          [this](caf::error& e) { // the next tick tries again
            log::warn("buried blobs could not be listed", {{"error", to_string(from_caf(e))}});
            end_round(false);
          });
}

void reaper_state::free_manifests(log_index released_up_to) {
  auto box = std::make_shared<const meta::command>(meta::free_manifests{.released_up_to = released_up_to});
  self_->request(s_.metadata, caf::infinite, commit_atom_v, command_box{std::move(box)})
      .then(
          [this, released_up_to](const committed& c) {
            if (c.result.more > 0) free_manifests(released_up_to);
          },
          [](caf::error& e) {
            log::warn("freeing manifests failed", {{"error", to_string(from_caf(e))}});
          });
}

// One step after the other: each is a commit beside those of clients.
void reaper_state::count_usage() {
  counting_ = true;
  auto box = std::make_shared<const meta::command>(meta::count_usage{});
  self_->request(s_.metadata, caf::infinite, commit_atom_v, command_box{std::move(box)})
      .then(
          [this](const committed& c) {
            counting_ = false;
            if (c.result.more > 0) count_usage();
          },
          [this](caf::error& e) { // the next round tries again
            counting_ = false;
            log::warn("counting what buckets hold failed", {{"error", to_string(from_caf(e))}});
          });
}

void reaper_state::reap(std::vector<meta::buried_blob> blobs) {
  if (blobs.empty()) return end_round(false);
  plan_.emplace(std::move(blobs), options_.page_chunks);
  erase_page();
}

// Every place that may have chunks: the disks of this node and, in a cluster, every other member. A member that is away
// keeps its chunks until its own walk finds them.
std::vector<chunk_store_actor> reaper_state::erasers() const {
  std::vector<chunk_store_actor> out;
  const auto& local = s_.stores->local();
  for (std::size_t disk = 0; disk < local.disks(); ++disk) out.push_back(local.disk_writer(disk));
  const auto layout = s_.stores->in_cluster() ? s_.stores->layouts()->get() : nullptr;
  if (!layout) return out;
  for (const auto& m : layout->members)
    if (const auto* peer = s_.stores->peer(m.number)) out.push_back(peer->handle.store);
  return out;
}

void reaper_state::erase_page() {
  const auto page = plan_->next_page();
  page_failed_ = false;
  if (page.empty()) return page_done();
  const auto targets = erasers();
  disks_to_answer_ = targets.size();
  for (std::size_t disk = 0; disk < targets.size(); ++disk) {
    self_->request(targets[disk], caf::infinite, erase_atom_v, page)
        .then(
            [this, disk](std::uint64_t erased) {
              count(erased);
              page_erased(disk, nullptr);
            },
            [this, disk](caf::error& e) {
              const auto why = from_caf(e);
              page_erased(disk, &why);
            });
  }
}

void reaper_state::page_erased(std::size_t disk, const error* why) {
  if (why && passes_by_itself(why->code))
    page_failed_ = true;
  else if (why)
    log::warn("a disk failed to erase chunks; its next walk finds them", {{"disk", disk}, {"error", to_string(*why)}});
  if (--disks_to_answer_ == 0) page_done();
}

void reaper_state::page_done() {
  if (!page_failed_ && !plan_->done()) return erase_page();
  // The failed page may contain chunks of the last blobs that are complete by the plan: all of them wait for the next
  // round.
  if (page_failed_) return end_round(false);
  auto box = std::make_shared<const meta::command>(meta::reap{plan_->complete()});
  self_->request(s_.metadata, caf::infinite, commit_atom_v, command_box{std::move(box)})
      .then([this](const committed&) { end_round(round_was_full_); },
            [this](caf::error& e) {
              log::warn("reaped blobs could not be removed from the list", {{"error", to_string(from_caf(e))}});
              end_round(false);
            });
}

void reaper_state::end_round(bool more) {
  plan_.reset();
  in_round_ = false;
  if (more) begin_round();
}

void reaper_state::walk_page() {
  if (walk_pages_left_ == 0) return;
  --walk_pages_left_;
  walk_->on_its_way = true;
  const chunk_list_query query{walk_->after, std::uint32_t(options_.page_chunks)};
  self_->request(s_.stores->local().disk_writer(walk_->disk), caf::infinite, list_atom_v, query)
      .then([this](const chunk_ids& page) { walked(page); },
            [this](caf::error& e) {
              if (!page_again(from_caf(e))) next_walk_disk();
            });
}

// A page that failed for a transient reason is walked again with the next tick. False: the failure is not transient.
bool reaper_state::page_again(const error& why) {
  log::warn("walking a disk's chunks failed", {{"disk", walk_->disk}, {"error", to_string(why)}});
  if (!passes_by_itself(why.code)) return false;
  walk_->on_its_way = false;
  return true;
}

void reaper_state::walked(const chunk_ids& page) {
  if (page.empty()) return next_walk_disk();
  walk_->page_last = page.back();
  walk_->page_full = page.size() == options_.page_chunks;
  self_->request(s_.metadata, caf::infinite, dead_atom_v, page)
      .then([this](chunk_ids& dead) { erase_dead(std::move(dead)); },
            [this](caf::error& e) {
              if (!page_again(from_caf(e))) next_walk_disk();
            });
}

void reaper_state::erase_dead(chunk_ids ids) {
  if (ids.empty()) return next_walk_page();
  log::info("erasing dead chunks that a walk found", {{"disk", walk_->disk}, {"chunks", ids.size()}});
  self_->request(s_.stores->local().disk_writer(walk_->disk), caf::infinite, erase_atom_v, std::move(ids))
      .then(
          [this](std::uint64_t erased) {
            count(erased);
            next_walk_page();
          },
          [this](caf::error& e) {
            if (!page_again(from_caf(e))) next_walk_disk();
          });
}

void reaper_state::next_walk_page() {
  walk_->after = walk_->page_last;
  if (!walk_->page_full) return next_walk_disk();
  walk_->on_its_way = false;
  walk_page();
}

void reaper_state::next_walk_disk() {
  walk_->on_its_way = false;
  walk_->after.reset();
  if (++walk_->disk >= s_.stores->local().disks())
    walk_.reset();
  else
    walk_page();
}

reaper_actor::behavior_type reaper(reaper_actor::stateful_pointer<reaper_state> self, const services& s,
                                   const reaper_options& options) {
  auto* state = &self->state;
  state->start(s, options);
  return {[state](tick_atom) { state->tick(); }};
}

} // namespace

reaper_actor spawn_reaper(caf::actor_system& system, const services& s, reaper_options options) {
  return system.spawn(reaper, s, options);
}

} // namespace cairn::actors

#include "actors/backfill.hpp"

#include "actors/byte_pace.hpp"
#include "actors/chunk_router.hpp"
#include "actors/errors.hpp"
#include "actors/lost_chunks.hpp"
#include "actors/scrub_walk.hpp"
#include "cluster/comparisons.hpp"
#include "storage/log.hpp"

#include <set>

namespace cairn::actors {

namespace {

namespace meta = storage::metadata;
using namespace std::chrono_literals;

constexpr std::chrono::seconds page_time = 60s;
constexpr std::uint32_t drop_page_chunks = 1024;

// A batch of chunks on their way to this node's disks.
struct fetching {
  struct item {
    wanted_chunk chunk;
    read_route route;
    std::size_t place = 0;
    bool nobody_has_it = true; // by the word of all that were asked
    storage::buffer_ptr buffer;
  };
  std::vector<wanted_chunk> chunks;
  std::vector<bool> failed; // by number in `chunks`
  std::vector<storage::chunk_id> absent;
  std::size_t next = 0, on_their_way = 0;
  std::function<void()> done;
};

class backfill_state {
public:
  explicit backfill_state(backfill_actor::pointer self) : self_(self) {}
  void start(backfill_services services, const backfill_options& options);
  void tick();

private:
  using steps = std::function<void()>;

  storage::steady_time now() const { return s_.node.clock->now(); }
  layout_ptr layout() const { return s_.node.stores->layouts()->get(); }
  storage::node_number own_number() const { return s_.node.stores->layouts()->self(); }
  template <class Page, class Look>
  void look(Look what, std::function<void(result<Page>)> then);
  void commit(meta::command c, const steps& then);
  void count(std::atomic<std::uint64_t>& counter, std::uint64_t n) { counter.fetch_add(n, std::memory_order_relaxed); }

  void fetch(std::vector<wanted_chunk> chunks, steps done);
  void fetch_more();
  void get_buffer(std::size_t number, std::shared_ptr<fetching::item> item);
  void ask(std::size_t number, std::shared_ptr<fetching::item> item);
  void arrived(std::size_t number, const std::shared_ptr<fetching::item>& item, chunk_data& data);
  void ask_next(std::size_t number, const std::shared_ptr<fetching::item>& item, const error& why);
  void ended(std::size_t number, bool good);
  void fetched();
  bool disk_is_away() const;
  void note_lost(const storage::chunk_id& id);
  void look_at_lost(const steps& then);

  void begin_round();
  void repair(std::optional<meta::repair_row> after, const steps& then);
  void settle(const repair_page& page, std::optional<meta::repair_row> after, const steps& then);
  void begin_comparison();
  void compare(blob_place from);
  void note_failures();
  void end_comparison(bool reached_the_end);
  void scrub();
  void end_round();
  void drop_needless_repairs();
  void drop(std::size_t disk, std::optional<storage::chunk_id> after);
  void drop_page(std::size_t disk, const chunk_ids& page);

  backfill_actor::pointer self_;
  backfill_services s_;
  backfill_options options_;
  bool busy_ = false;
  byte_pace pace_;
  fetching batch_;
  std::size_t failures_ = 0; // of this round

  cluster::comparisons compared_;
  std::optional<cluster::comparisons::round> comparing_; // what the round compares
  bool checking_ = false;                                // it is the daily check
  std::vector<bool> failed_partitions_;
  std::optional<storage::steady_time> next_check_;
  std::uint64_t looks_seen_ = 0; // wishes of operators for a check
  std::optional<scrub_walk> walk_;
  storage::steady_time scrubbed_at_;
  std::set<storage::chunk_id> lost_; // by the word of all that could have them
  storage::steady_time next_round_{}, next_drop_{}, repaired_at_{};
  storage::layout_epoch dropped_under_ = 0;
};
static_assert(!std::is_aggregate_v<backfill_state>);

void backfill_state::start(backfill_services services, const backfill_options& options) {
  s_ = std::move(services);
  options_ = options;
  walk_.emplace(s_.scrubbed.size(), options_.scrub_period);
  scrubbed_at_ = now();
  self_->delayed_send(self_, options_.interval, tick_atom_v);
}

void backfill_state::tick() {
  self_->delayed_send(self_, options_.interval, tick_atom_v);
  const auto known = layout();
  if (!known || known->partitions.empty()) return;
  s_.state->set_complete(known->epoch, compared_.complete(*known, own_number()));
  if (const auto wished = s_.state->looks_wished.load(); std::exchange(looks_seen_, wished) != wished) {
    next_check_.reset();
    next_round_ = now();
  }
  if (busy_ || now() < next_round_) return;
  busy_ = true;
  begin_round();
}

// `what` looks at a fresh view on the executor, `then` runs here.
template <class Page, class Look>
void backfill_state::look(Look what, std::function<void(result<Page>)> then) {
  auto job = [store = s_.store, what = std::move(what), then, me = backfill_actor{self_}](bool expired) {
    result<Page> page = error{errc::timeout, "not reached in time"};
    if (!expired) {
      auto view = store->read();
      page = view ? what(**view) : result<Page>{view.error()};
    }
    caf::anon_send(me, completion{[then, page = std::move(page)]() mutable { then(std::move(page)); }});
  };
  if (auto posted = s_.work->post(now() + page_time, std::move(job)); !posted) then(posted.error());
}

void backfill_state::commit(meta::command c, const steps& then) {
  auto box = std::make_shared<const meta::command>(std::move(c));
  self_->request(s_.node.metadata, caf::infinite, commit_atom_v, command_box{std::move(box)})
      .then([then](const committed&) { then(); },
            [this, then](caf::error& e) {
              ++failures_;
              log::warn("repaired chunks stay listed", {{"error", to_string(from_caf(e))}});
              then();
            });
}

// ── fetching ──

void backfill_state::fetch(std::vector<wanted_chunk> chunks, steps done) {
  batch_ = {};
  batch_.chunks = std::move(chunks);
  batch_.failed.assign(batch_.chunks.size(), false);
  batch_.done = std::move(done);
  if (batch_.chunks.empty()) return batch_.done();
  fetch_more();
}

void backfill_state::fetch_more() {
  while (batch_.on_their_way < options_.parallel && batch_.next < batch_.chunks.size()) {
    const auto number = batch_.next++;
    ++batch_.on_their_way;
    auto item = std::make_shared<fetching::item>();
    item->chunk = batch_.chunks[number];
    item->route = s_.node.stores->route_read(item->chunk.id);
    const auto at = pace_.book(now(), item->chunk.length, s_.bandwidth->load(std::memory_order_relaxed));
    if (at <= now())
      get_buffer(number, std::move(item));
    else
      self_->delayed_send(self_, at - now(), completion{[this, number, item] { get_buffer(number, item); }});
  }
}

void backfill_state::get_buffer(std::size_t number, std::shared_ptr<fetching::item> item) {
  s_.node.buffers->wait(item->chunk.length, [this, number, item, me = backfill_actor{self_}](storage::buffer_ptr b) {
    caf::anon_send(me, completion{[this, number, item, b = std::move(b)]() mutable {
                     item->buffer = std::move(b);
                     ask(number, std::move(item));
                   }});
  });
}

// A disk that is closed or quarantined may have what the others have not.
bool backfill_state::disk_is_away() const {
  return s_.disk_closed || std::ranges::any_of(s_.scrubbed, [](const auto* disk) {
           return disk->stats().state == storage::disk_state::quarantined;
         });
}

void backfill_state::ask(std::size_t number, std::shared_ptr<fetching::item> item) {
  while (item->place < item->route.places() && !item->route.remote(item->place)) ++item->place;
  if (item->place >= item->route.places()) {
    if (item->nobody_has_it && !disk_is_away()) batch_.absent.push_back(item->chunk.id);
    return ended(number, false);
  }
  const chunk_read read{item->chunk.id, 0, item->chunk.length, item->buffer};
  self_->request(item->route.at(item->place).store, caf::infinite, read_atom_v, read)
      .then([this, number, item](chunk_data& data) { arrived(number, item, data); },
            [this, number, item](caf::error& e) { ask_next(number, item, from_caf(e)); });
}

void backfill_state::arrived(std::size_t number, const std::shared_ptr<fetching::item>& item, chunk_data& data) {
  if (data.bytes.length != item->chunk.length || data.chunk_length != item->chunk.length)
    return ask_next(number, item, {errc::corrupt, "a chunk of another length than the metadata says"});
  item->buffer.reset();
  const auto* const writer = s_.node.stores->local().writer(item->chunk.id);
  if (!writer) return ended(number, false);
  self_->request(*writer, caf::infinite, write_atom_v, chunk_payload{item->chunk.id, std::move(data.bytes), 0})
      .then(
          [this, number, bytes = item->chunk.length](done_atom) {
            count(s_.node.metrics->chunks_backfilled, 1);
            count(s_.node.metrics->backfilled_bytes, bytes);
            ended(number, true);
          },
          [this, number](caf::error& e) {
            log::warn("a fetched chunk was not written", {{"error", to_string(from_caf(e))}});
            ended(number, false);
          });
}

void backfill_state::ask_next(std::size_t number, const std::shared_ptr<fetching::item>& item, const error& why) {
  if (why.code != errc::not_found && why.code != errc::corrupt) item->nobody_has_it = false;
  ++item->place;
  item->buffer.reset(); // the link may still write into it
  get_buffer(number, item);
}

void backfill_state::ended(std::size_t number, bool good) {
  batch_.failed[number] = !good;
  --batch_.on_their_way;
  if (batch_.on_their_way > 0 || batch_.next < batch_.chunks.size()) return fetch_more();
  for (std::size_t i = 0; i < batch_.chunks.size() && !lost_.empty(); ++i)
    if (!batch_.failed[i]) lost_.erase(batch_.chunks[i].id);
  if (batch_.absent.empty()) return fetched();
  // Nobody has them: their objects were deleted meanwhile, or they are lost.
  auto absent = batch_.absent;
  using chunks = std::vector<wanted_chunk>;
  look<chunks>([absent](meta::view& view) { return still_live(view, absent); },
               [this](const result<chunks>& live) {
                 for (std::size_t i = 0; live && i < batch_.chunks.size(); ++i) {
                   const auto& id = batch_.chunks[i].id;
                   if (std::ranges::find(batch_.absent, id) == batch_.absent.end()) continue;
                   batch_.failed[i] = std::ranges::find(*live, id, &wanted_chunk::id) != live->end();
                   if (!batch_.failed[i]) continue;
                   note_lost(id);
                 }
                 fetched();
               });
}

void backfill_state::note_lost(const storage::chunk_id& id) {
  count(s_.node.metrics->chunks_unrecoverable, 1);
  if (lost_.contains(id) || lost_.size() >= lost_remembered_max) return;
  lost_.insert(id);
  log::error("no owner has a chunk that an object needs", {{"chunk", to_string(id)}});
}

// What was deleted or given up meanwhile, or is others' to have now, is no loss of this node; the rest is asked for
// again: a disk may have come back.
void backfill_state::look_at_lost(const steps& then) {
  using chunks = std::vector<wanted_chunk>;
  chunk_ids own;
  const auto known = layout();
  for (const auto& id : lost_)
    if (known && cluster::read_owners(*known, storage::partition_of(id)).contains(own_number())) own.push_back(id);
  look<chunks>([own](meta::view& view) { return still_live(view, own); },
               [this, then](result<chunks> live) {
                 if (!live) return then();
                 lost_.clear();
                 chunk_ids rising;
                 for (const auto& w : *live) rising.push_back(*lost_.insert(w.id).first);
                 s_.state->set_lost(std::move(rising));
                 fetch(std::move(*live), then);
               });
}

void backfill_state::fetched() {
  failures_ += std::size_t(std::ranges::count(batch_.failed, true));
  auto done = std::exchange(batch_.done, {});
  done();
}

// ── a round ──

void backfill_state::begin_round() {
  failures_ = 0;
  auto go_on = [this] { repair({}, [this] { begin_comparison(); }); };
  if (!lost_.empty()) return look_at_lost(std::move(go_on));
  s_.state->set_lost({});
  go_on();
}

void backfill_state::repair(std::optional<meta::repair_row> after, const steps& then) {
  repaired_at_ = now();
  auto known = layout();
  look<repair_page>([missing = s_.missing, known, self = own_number(),
                     after](meta::view& view) { return next_repairs(view, missing, *known, self, after); },
                    [this, after, then](result<repair_page> page) {
                      if (!page) {
                        ++failures_;
                        log::warn("repairs not listed", {{"error", to_string(page.error())}});
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
    if (row.whole || !progress) after = row.repair; // what is left of a long row comes next, unless nothing arrives
  }
  auto go_on = [this, after, then, last = page.last] { last ? then() : repair(after, then); };
  if (confirmed.repairs.empty()) return go_on();
  commit(std::move(confirmed), std::move(go_on));
}

void backfill_state::begin_comparison() {
  look<storage::layout_epoch>([](meta::view& view) { return view.acknowledged_epoch(); },
                              [this](result<storage::layout_epoch> acknowledged) {
                                const auto known = layout();
                                if (!acknowledged || !known) return scrub();
                                auto round = compared_.next(*known, own_number(), *acknowledged);
                                checking_ = round.count == 0 && (!next_check_ || *next_check_ <= now());
                                if (checking_) {
                                  next_check_ = now() + options_.check_every;
                                  round = cluster::comparisons::everything(*known, own_number());
                                }
                                if (round.count == 0) return scrub();
                                failed_partitions_.assign(storage::partition_count, false);
                                comparing_ = std::move(round);
                                s_.node.metrics->partitions_comparing.store(comparing_->count,
                                                                            std::memory_order_relaxed);
                                compare({});
                              });
}

void backfill_state::compare(blob_place from) {
  if (now() - repaired_at_ > options_.repair_pause)
    return repair({}, [this, from] { compare(from); }); // a comparison may take hours
  look<compared_page>([missing = s_.missing, partitions = comparing_->partitions,
                       from](meta::view& view) { return compare_page(view, missing, partitions, from); },
                      [this](result<compared_page> page) {
                        if (!page) {
                          log::warn("metadata not compared with the disks", {{"error", to_string(page.error())}});
                          return end_comparison(false);
                        }
                        auto shared = std::make_shared<compared_page>(std::move(*page));
                        fetch(shared->missing, [this, shared] {
                          note_failures();
                          shared->last ? end_comparison(true) : compare(shared->reached);
                        });
                      });
}

void backfill_state::note_failures() {
  for (std::size_t i = 0; i < batch_.chunks.size(); ++i)
    if (batch_.failed[i]) failed_partitions_[storage::partition_of(batch_.chunks[i].id)] = true;
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
  if (s_.scrubbed.empty()) return end_round();
  std::uint64_t used = 0;
  for (const auto* disk : s_.scrubbed) used += disk->stats().used_bytes;
  const auto since = std::chrono::duration_cast<std::chrono::milliseconds>(now() - std::exchange(scrubbed_at_, now()));
  look<scrubbed_page>(
      [disk = s_.scrubbed[walk_->disk()], after = walk_->after(),
       bytes = walk_->step_bytes(used, since)](meta::view& view) { return scrub_page_of(view, *disk, after, bytes); },
      [this](result<scrubbed_page> page) {
        walk_->reached(page ? page->reached : std::nullopt);
        if (!page) return end_round(); // a disk that is quarantined
        count(s_.node.metrics->scrubbed_bytes, page->bytes);
        count(s_.node.metrics->scrub_damaged, page->damaged.size());
        for (const auto& w : page->damaged) log::error("a damaged chunk was found", {{"chunk", to_string(w.id)}});
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
  dropped_under_ = known->epoch;
  drop_needless_repairs();
}

// ── dropping ──

void backfill_state::drop_needless_repairs() {
  if (!s_.state->leads.load()) return drop(0, {});
  using rows = std::vector<meta::repair_row>;
  look<rows>([known = layout()](meta::view& view) { return needless_repairs(view, *known); },
             [this](result<rows> needless) {
               if (!needless || needless->empty()) return drop(0, {});
               dropped_under_ = 0; // there may be more
               commit(meta::confirm_replicas{std::move(*needless)}, [this] { drop(0, {}); });
             });
}

void backfill_state::drop(std::size_t disk, std::optional<storage::chunk_id> after) {
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
  const auto go_on = [this, disk, last = page.back()] { drop(disk, last); };
  look<chunk_ids>(
      [page, known = layout(), self = own_number()](meta::view& view) { return droppable(view, *known, self, page); },
      [this, disk, go_on](result<chunk_ids> ids) {
        if (!ids) dropped_under_ = 0;
        if (!ids || ids->empty()) return go_on();
        self_->request(s_.node.stores->local().disk_writer(disk), caf::infinite, erase_atom_v, std::move(*ids))
            .then(
                [this, go_on](std::uint64_t erased) {
                  count(s_.node.metrics->chunks_moved_away, erased);
                  go_on();
                },
                [this, go_on](caf::error&) {
                  dropped_under_ = 0;
                  go_on();
                });
      });
}

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

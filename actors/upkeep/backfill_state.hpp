// The backfill actor's state: see backfill.hpp. Fetching is in backfill_fetch.cpp, the decisions what to fetch in
// backfill.cpp.
#pragma once

#include "actors/chunks/chunk_router.hpp"
#include "actors/upkeep/backfill.hpp"
#include "actors/upkeep/byte_pace.hpp"
#include "actors/upkeep/scrub_walk.hpp"
#include "cluster/layout/comparisons.hpp"

#include <set>

namespace cairn::actors {

// A batch of chunks that are being fetched to this node's disks.
struct fetching {
  struct item {
    wanted_chunk chunk;
    read_route route;
    std::size_t place = 0;
    bool absent_everywhere = true; // every owner that was asked has answered so
    buffer_ptr buffer;
  };
  std::vector<wanted_chunk> chunks;
  std::vector<bool> failed; // by number in `chunks`
  std::vector<chunk_id> absent;
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

  steady_time now() const { return s_.node.clock->now(); }
  layout_ptr layout() const { return s_.node.stores->layouts()->get(); }
  node_number own_number() const { return s_.node.stores->layouts()->self(); }
  template <class Page, class Look>
  void look(Look what, std::function<void(result<Page>)> then);
  void commit(storage::metadata::command c, const steps& then);
  void count(std::atomic<std::uint64_t>& counter, std::uint64_t n) { counter.fetch_add(n, std::memory_order_relaxed); }

  void fetch(std::vector<wanted_chunk> chunks, steps done);
  void fetch_more();
  void at_pace(std::uint64_t bytes, steps then);
  void get_buffer(std::size_t number, std::shared_ptr<fetching::item> item);
  void ask(std::size_t number, std::shared_ptr<fetching::item> item);
  void arrived(std::size_t number, const std::shared_ptr<fetching::item>& item, chunk_data& data);
  void ask_next(std::size_t number, const std::shared_ptr<fetching::item>& item, const error& why);
  void ended(std::size_t number, bool good);
  void fetched();
  bool disk_unavailable() const;
  std::size_t failed_disks() const;
  void note_failed_disks();
  void note_lost(const chunk_id& id);
  void check_lost(const steps& then);
  void repair_damaged(const steps& then);

  void begin_round();
  void repair(std::optional<storage::metadata::repair_row> after, const steps& then);
  void settle(const repair_page& page, std::optional<storage::metadata::repair_row> after, const steps& then);
  void begin_comparison();
  void compare(blob_place from);
  void note_failures();
  void end_comparison(bool reached_the_end);
  void scrub();
  void end_round();
  void begin_drop();
  void drop_needless_repairs();
  void drop(std::size_t disk, std::optional<chunk_id> after);
  void drop_page(std::size_t disk, const chunk_ids& page);

  static constexpr std::chrono::seconds page_time{60};

  backfill_actor::pointer self_;
  backfill_services s_;
  backfill_options options_;
  bool busy_ = false;
  byte_pace pace_;
  fetching batch_;
  std::size_t failures_ = 0; // in this round

  cluster::comparisons compared_;
  std::optional<cluster::comparisons::round> comparing_; // what the current comparison covers
  bool checking_ = false;                                // the current comparison is the daily check
  bool compared_last_ = false;   // the last round compared partitions: a due check comes first now
  std::size_t failed_disks_ = 0; // number of disks known to be quarantined
  std::vector<bool> failed_partitions_;
  std::optional<steady_time> next_check_;
  std::uint64_t scans_seen_ = 0; // value of scans_requested at the last tick
  std::optional<scrub_walk> walk_;
  std::set<chunk_id> lost_; // chunks that no owner has
  steady_time next_round_{}, next_drop_{}, repaired_at_{};
  layout_epoch dropped_under_ = 0;
};
static_assert(!std::is_aggregate_v<backfill_state>);

// Runs `what` with a new view on the executor, then `then` on the actor.
template <class Page, class Look>
void backfill_state::look(Look what, std::function<void(result<Page>)> then) {
  auto job = [store = s_.store, what = std::move(what), then, me = backfill_actor{self_}](bool expired) {
    result<Page> page = error{errc::timeout, "expired in the executor's queue"};
    if (!expired) {
      auto view = store->read();
      page = view ? what(**view) : result<Page>{view.error()};
    }
    caf::anon_send(me, completion{[then, page = std::move(page)]() mutable { then(std::move(page)); }});
  };
  if (auto posted = s_.work->post(now() + page_time, std::move(job)); !posted) then(posted.error());
}

} // namespace cairn::actors

#include "actors/download/sequencer.hpp"

#include "actors/chunks/chunk_cache.hpp"
#include "actors/chunks/chunk_router.hpp"
#include "actors/chunks/retry_policy.hpp"
#include "actors/download/download_window.hpp"
#include "actors/download/slice_planner.hpp"
#include "actors/protocol/errors.hpp"

#include <map>

namespace cairn::actors {

namespace {

constexpr std::uint32_t block_bytes = block_size_bytes;
constexpr std::uint32_t chunk_bytes_max = 16 << 20;
// When a read is late enough to be hedged: after its replica's 95th percentile, but never so early that a busy
// processor looks like a slow peer; and the time to use while no percentile is known.
constexpr std::chrono::milliseconds hedge_after_min{10}, hedge_after_unknown{100};
constexpr int no_token_pause_factor = 8; // a further round without a token waits longer by this factor
constexpr std::chrono::milliseconds buffer_pause{50};

class sequencer_state {
public:
  explicit sequencer_state(sequencer_actor::pointer self) : self_(self) {}
  ~sequencer_state();
  sequencer_state(const sequencer_state&) = delete;
  sequencer_state& operator=(const sequencer_state&) = delete;

  void start(const services& s, download_range_list what, streamer_actor owner);
  void credit(std::uint32_t count, bool starving);
  void parts(part_list page);
  void buffer(buffer_ptr granted);
  void shared_read_ended(shared_read_end end);
  void tick();
  void cancel() { self_->quit(); }

private:
  // One request to one place.
  struct attempt {
    std::uint32_t number = 0; // 0: no request is in flight
    std::size_t place = 0;
    buffer_ptr buffer;
    bool is_hedge = false;
    steady_time sent{}; // of a traced download
  };
  struct read {
    planned_slice slice;
    read_route route;
    retry_policy retry;
    steady_time since;
    attempt first, hedge{};
    std::unique_ptr<cache_fill> fill{}; // the cache keeps what arrives; null: it does not
    std::uint32_t attempts = 0;
    std::optional<attempt> hedge_failed{}; // retry gets its error when it comes to that place
    error hedge_error{};
    std::optional<steady_time> again_at{}, hedge_at{}; // the end of the pause; when the read is late enough to hedge
  };

  // A slice that another download reads, for the cache.
  struct joined_read {
    planned_slice slice;
    steady_time since;
  };

  steady_time now() const { return s_.clock->now(); }
  void pump();
  bool begin_next();
  bool begin_cached(const planned_slice& slice);
  chunk_cache::answer find_cached(std::uint64_t index, const planned_slice& slice, bool may_join);
  void proceed(std::uint64_t index, const planned_slice& slice, chunk_cache::answer found);
  void wait_for_block();
  void begin(const planned_slice& slice, buffer_ptr into);
  void read_slice(std::uint64_t index, const planned_slice& slice, buffer_ptr into, std::unique_ptr<cache_fill> fill);
  void deliver(std::uint64_t index, const planned_slice& slice, cairn::slice bytes, steady_time since);
  void ask(std::uint64_t index);
  void send(std::uint64_t index, const read& r, attempt& a);
  void record(const read& r, const attempt& a, errc outcome) const;
  void record_cached(const planned_slice& slice, steady_time since) const;
  void arrived(std::uint64_t index, std::uint32_t number, chunk_data& data);
  void failed(std::uint64_t index, std::uint32_t number, error why);
  void first_failed(std::uint64_t index, read& r, error why);
  static error client_error(const read& r);
  bool has_buffer(read& r);
  void plan_hedge(read& r);
  void hedge(std::uint64_t index, read& r);
  void wake_at(steady_time when);
  void give_up(error why, std::string what);
  void count_window();

  sequencer_actor::pointer self_;
  services s_;
  streamer_actor owner_;
  account_ptr payer_;
  trace_scope trace_;
  std::optional<slice_planner> planner_;
  std::optional<download_window> window_;
  std::map<std::uint64_t, read> reads_; // in flight or pausing, by index
  std::map<std::uint64_t, joined_read> joined_;
  std::uint32_t counted_window_ = 0;
  bool parts_asked_ = false, ended_ = false;
  std::optional<steady_time> wakes_at_;
  struct memory_wait {
    std::uint64_t ticket;
    steady_time until;
  };
  std::optional<memory_wait> waiting_;
};
static_assert(!std::is_aggregate_v<sequencer_state>);

sequencer_state::~sequencer_state() {
  if (waiting_ && waiting_->ticket != 0) s_.buffers->cancel_wait(waiting_->ticket);
  if (s_.metrics) s_.metrics->window_slices.fetch_sub(counted_window_, std::memory_order_relaxed);
}

void sequencer_state::start(const services& s, download_range_list what, streamer_actor owner) {
  s_ = s;
  owner_ = std::move(owner);
  payer_ = std::move(what.payer);
  trace_ = std::move(what.trace);
  planner_.emplace(std::move(what.ranges), std::move(what.first_parts));
  window_.emplace(s_.window_min, s_.window_max);
  count_window();
  pump();
}

void sequencer_state::count_window() {
  const auto grown = std::uint64_t{window_->size()} - counted_window_; // modulo 2^64: adding it may shrink the sum
  s_.metrics->window_slices.fetch_add(grown, std::memory_order_relaxed);
  counted_window_ = window_->size();
}

void sequencer_state::pump() {
  while (!ended_ && !waiting_ && !planner_->done() && window_->may_begin()) {
    if (const auto from = planner_->needs_parts_from()) {
      if (!parts_asked_) self_->send(owner_, parts_atom_v, *from);
      parts_asked_ = true;
      return;
    }
    if (!begin_next()) return;
  }
}

// Reads a whole chunk if its buffer can be had, else one block if no other slice is outstanding.
bool sequencer_state::begin_next() {
  const bool alone = window_->all_credited();
  const auto whole = planner_->peek(chunk_bytes_max);
  if (s_.cache && begin_cached(whole)) return true;
  if (whole.read_length > block_bytes || !alone) {
    if (auto into = s_.buffers->try_acquire(whole.read_length, reservation::growth, payer_)) {
      begin(whole, std::move(into));
      return true;
    }
  }
  if (!alone) return false; // a later credit continues
  if (auto into = s_.buffers->try_acquire(block_bytes, reservation::minimum, payer_)) {
    begin(planner_->peek(block_bytes), std::move(into));
    return true;
  }
  wait_for_block();
  return false;
}

// False: the cache has no memory for the slice, or is off.
bool sequencer_state::begin_cached(const planned_slice& slice) {
  auto found = find_cached(window_->next(), slice, true);
  if (!found.bytes && !found.joined && !found.fill) return false;
  planner_->take(slice);
  proceed(window_->begin(), slice, std::move(found));
  return true;
}

chunk_cache::answer sequencer_state::find_cached(std::uint64_t index, const planned_slice& slice, bool may_join) {
  std::function<chunk_cache::waker()> make_waker;
  if (may_join)
    make_waker = [this, index]() -> chunk_cache::waker {
      return [me = sequencer_actor{self_}, index](fill_outcome got) {
        caf::anon_send(me, shared_read_end{index, std::move(got.bytes), got.cancelled});
      };
    };
  return s_.cache->find({{slice.chunk, slice.read_offset}, slice.read_length, slice.trim + slice.length}, make_waker);
}

// A read without a buffer waits for one.
void sequencer_state::proceed(std::uint64_t index, const planned_slice& slice, chunk_cache::answer found) {
  if (found.bytes) {
    const auto since = now();
    record_cached(slice, since);
    return deliver(index, slice, std::move(*found.bytes), since);
  }
  if (found.joined) {
    joined_.emplace(index, joined_read{slice, now()});
    return;
  }
  read_slice(index, slice, std::move(found.buffer), std::move(found.fill));
}

void sequencer_state::shared_read_ended(shared_read_end end) {
  if (ended_) return;
  const auto at = joined_.find(end.index);
  CAIRN_ASSERT(at != joined_.end());
  const auto [slice, since] = at->second;
  joined_.erase(at);
  if (end.bytes) {
    record_cached(slice, since);
    return deliver(end.index, slice, std::move(*end.bytes), since);
  }
  proceed(end.index, slice, find_cached(end.index, slice, end.cancelled));
}

void sequencer_state::wait_for_block() {
  const auto patience = window_->released() == 0 ? s_.memory_wait : s_.memory_wait_midway;
  waiting_ = memory_wait{0, now() + patience};
  waiting_->ticket = s_.buffers->wait(
      block_bytes,
      [me = sequencer_actor{self_}](buffer_ptr granted) {
        caf::anon_send(me, buffer_atom_v, buffer_grant{std::move(granted)});
      },
      payer_);
  self_->delayed_send(self_, patience, tick_atom_v);
}

void sequencer_state::buffer(buffer_ptr granted) {
  if (ended_) return;
  CAIRN_ASSERT(waiting_);
  waiting_.reset();
  begin(planner_->peek(block_bytes), std::move(granted));
  pump();
}

void sequencer_state::begin(const planned_slice& slice, buffer_ptr into) {
  planner_->take(slice);
  read_slice(window_->begin(), slice, std::move(into), nullptr);
}

void sequencer_state::read_slice(std::uint64_t index, const planned_slice& slice, buffer_ptr into,
                                 std::unique_ptr<cache_fill> fill) {
  const auto route = s_.stores->route_read(slice.chunk);
  const auto kind = route.in_cluster() ? retry_policy::kind::replicas : retry_policy::kind::disks;
  if (route.in_cluster()) s_.stores->budget().earn();
  reads_.emplace(index, read{slice, route, retry_policy{route.places(), kind}, now(), attempt{0, 0, std::move(into)},
                             attempt{}, std::move(fill)});
  ask(index);
}

void sequencer_state::ask(std::uint64_t index) {
  if (ended_) return;
  auto& r = reads_.at(index);
  r.again_at.reset();
  if (!has_buffer(r)) {
    if (now() - r.since >= s_.memory_wait_midway)
      give_up({errc::slow_down, "no memory to read a chunk again"}, "buffer");
    return;
  }
  r.first.number = ++r.attempts;
  r.first.place = r.retry.place();
  r.first.is_hedge = false;
  send(index, r, r.first);
  plan_hedge(r);
}

void sequencer_state::send(std::uint64_t index, const read& r, attempt& a) {
  if (trace_) a.sent = now();
  chunk_read wanted{r.slice.chunk, r.slice.read_offset, r.slice.read_length, a.buffer, r.fill != nullptr};
  self_->request(r.route.at(a.place).store, caf::infinite, read_atom_v, std::move(wanted))
      .then([this, index, number = a.number](chunk_data& data) { arrived(index, number, data); },
            [this, index, number = a.number](caf::error& why) { failed(index, number, from_caf(why)); });
}

void sequencer_state::record(const read& r, const attempt& a, errc outcome) const {
  if (!trace_ || a.number == 0) return;
  trace_.add({.name = span_name::read_chunk,
              .start = a.sent,
              .end = now(),
              .outcome = outcome,
              .node = r.route.node(a.place),
              .chunk = r.slice.chunk.index,
              .bytes = r.slice.read_length,
              .hedge = a.is_hedge});
}

void sequencer_state::record_cached(const planned_slice& slice, steady_time since) const {
  if (!trace_) return;
  trace_.add({.name = span_name::read_chunk,
              .start = since,
              .end = now(),
              .chunk = slice.chunk.index,
              .bytes = slice.read_length,
              .cached = true});
}

// The first good answer wins. The losing read's answer is ignored, and its buffer is released with it.
void sequencer_state::arrived(std::uint64_t index, std::uint32_t number, chunk_data& data) {
  if (ended_) return;
  const auto at = reads_.find(index);
  if (at == reads_.end()) return;
  auto& r = at->second;
  if (number != r.first.number && number != r.hedge.number) return;
  const bool hedged = number == r.hedge.number;
  const auto& a = hedged ? r.hedge : r.first;
  const auto slice = r.slice;
  if (data.bytes.owner != a.buffer || data.bytes.length < slice.trim + slice.length) {
    return failed(index, number, {errc::corrupt, "the chunk is shorter than its manifest says"});
  }
  record(r, a, {});
  record(r, hedged ? r.first : r.hedge, errc::cancelled);
  if (hedged) s_.metrics->hedges_won.fetch_add(1, std::memory_order_relaxed);
  auto bytes = r.fill ? r.fill->landed(std::move(data.bytes)) : std::move(data.bytes);
  const auto since = r.since;
  reads_.erase(at);
  deliver(index, slice, std::move(bytes), since);
}

// `bytes`: from the slice's read_offset on.
void sequencer_state::deliver(std::uint64_t index, const planned_slice& slice, cairn::slice bytes, steady_time since) {
  bytes.offset += slice.trim;
  bytes.length = slice.length;
  const auto latency = std::chrono::duration_cast<std::chrono::microseconds>(now() - since);
  window_->arrived(index, std::move(bytes), latency);
  while (auto next = window_->release()) {
    self_->send(owner_, slice_atom_v, window_->released() - 1, std::move(*next));
  }
}

void sequencer_state::failed(std::uint64_t index, std::uint32_t number, error why) {
  if (ended_) return;
  const auto at = reads_.find(index);
  if (at == reads_.end()) return;
  auto& r = at->second;
  if (r.route.in_cluster() && why.code == errc::busy) s_.stores->budget().hedges.drain();
  if (number != r.first.number && number != r.hedge.number) return;
  const bool is_first = number == r.first.number;
  record(r, is_first ? r.first : r.hedge, why.code);
  if (is_first) return first_failed(index, r, std::move(why));
  r.hedge_failed = std::exchange(r.hedge, attempt{});
  r.hedge_failed->buffer.reset();
  r.hedge_error = std::move(why);
}

void sequencer_state::first_failed(std::uint64_t index, read& r, error why) {
  const auto give_up_here = [&] {
    if (r.fill) r.fill->failed();
    give_up(client_error(r), "chunk " + to_string(r.slice.chunk));
  };
  // A timed-out or remote request may still write into its buffer.
  const bool taken = why.code == errc::timeout || (r.route.remote(r.first.place) && why.code != errc::busy);
  const auto patience = window_->released() == 0 ? s_.memory_wait : s_.memory_wait_midway;
  r.first.number = 0;
  r.hedge_at.reset();
  auto from = r.retry.place();
  auto pause = r.retry.failed(std::move(why));
  if (pause && r.hedge_failed && r.retry.place() == r.hedge_failed->place) {
    r.hedge_failed.reset();
    from = r.retry.place();
    pause = r.retry.failed(std::move(r.hedge_error));
  }
  if (!pause || (pause->count() > 0 && r.retry.all_busy() && now() - r.since >= patience)) return give_up_here();
  s_.metrics->chunk_read_retries.fetch_add(1, std::memory_order_relaxed);
  if (r.retry.place() != from && r.route.in_cluster())
    s_.metrics->reads_failed_over.fetch_add(1, std::memory_order_relaxed);
  if (r.hedge.number != 0) { // the hedge already asks the next place
    CAIRN_ASSERT(r.hedge.place == r.retry.place());
    r.first = std::exchange(r.hedge, attempt{});
    return;
  }
  if (taken) r.first.buffer.reset();
  if (pause->count() == 0) return ask(index);
  if (r.route.in_cluster() && !s_.stores->budget().retries.try_take()) *pause *= no_token_pause_factor;
  r.again_at = now() + *pause;
  self_->delayed_send(self_, *pause, tick_atom_v);
}

// The error for the client: lost data is distinguished from data that cannot be read at the moment.
error sequencer_state::client_error(const read& r) {
  const auto& why = r.retry.reason();
  const auto chunk = "chunk " + std::to_string(r.slice.chunk.index) + " of the object's data";
  if (why.code == errc::not_found)
    return {errc::chunk_lost, "Bytes of this object are lost: no node has " + chunk + '.'};
  if (why.code == errc::corrupt)
    return {errc::chunk_lost, "Bytes of this object are damaged: no good copy of " + chunk + " was found."};
  return why;
}

// A read without a buffer waits for one: giving up would waste what the stream has sent already.
bool sequencer_state::has_buffer(read& r) {
  if (!r.first.buffer && r.fill) {
    r.first.buffer = r.fill->buffer();
    if (!r.first.buffer) r.fill.reset(); // those that joined must not wait for this download's memory
  }
  if (!r.first.buffer) r.first.buffer = s_.buffers->try_acquire(r.slice.read_length, reservation::minimum, payer_);
  if (r.first.buffer) return true;
  r.again_at = now() + buffer_pause;
  self_->delayed_send(self_, buffer_pause, tick_atom_v);
  return false;
}

void sequencer_state::plan_hedge(read& r) {
  const auto other = r.retry.alternative();
  if (!other || !r.route.may_hedge_to(*other)) return;
  const auto* health = r.route.at(r.first.place).health;
  const auto p95 = health ? health->p95_us() : 0;
  const auto patience = p95 == 0 ? std::chrono::microseconds{hedge_after_unknown}
                                 : std::max<std::chrono::microseconds>(hedge_after_min, std::chrono::microseconds{p95});
  r.hedge_at = now() + patience;
  wake_at(*r.hedge_at);
}

void sequencer_state::hedge(std::uint64_t index, read& r) {
  r.hedge_at.reset();
  const auto other = r.retry.alternative();
  if (!other || r.first.number == 0 || r.hedge_failed) return;
  auto buffer = r.fill ? r.fill->buffer() : s_.buffers->try_acquire(r.slice.read_length, reservation::growth, payer_);
  if (!buffer || !s_.stores->budget().hedges.try_take()) return;
  r.hedge = attempt{++r.attempts, *other, std::move(buffer), true};
  s_.metrics->reads_hedged.fetch_add(1, std::memory_order_relaxed);
  send(index, r, r.hedge);
}

// One timer for all hedges, so a read that is answered in time leaves no timer behind.
void sequencer_state::wake_at(steady_time when) {
  if (wakes_at_ && *wakes_at_ <= when) return;
  wakes_at_ = when;
  self_->delayed_send(self_, std::max<steady_time::duration>(when - now(), {}), tick_atom_v);
}

void sequencer_state::give_up(error why, std::string what) {
  ended_ = true;
  self_->send(owner_, failed_atom_v, failure{std::move(why), std::move(what)});
  self_->quit();
}

void sequencer_state::credit(std::uint32_t count, bool starving) {
  if (ended_) return;
  const bool released = window_->credit(count, starving);
  CAIRN_ASSERT(released);
  count_window();
  if (planner_->done() && window_->all_credited()) return self_->quit();
  pump();
}

void sequencer_state::parts(part_list page) {
  if (ended_) return;
  parts_asked_ = false;
  if (auto added = planner_->add_parts(std::move(page)); !added) return give_up(added.error(), "manifest");
  pump();
}

void sequencer_state::tick() {
  if (ended_) return;
  if (waiting_ && waiting_->until <= now() && waiting_->ticket != 0 && s_.buffers->cancel_wait(waiting_->ticket)) {
    waiting_.reset();
    return give_up({errc::slow_down, "no memory for a block within the wait"}, "buffer");
  }
  if (wakes_at_ && *wakes_at_ <= now()) wakes_at_.reset();
  std::vector<std::uint64_t> due;
  for (auto& [index, r] : reads_) {
    if (r.again_at && *r.again_at <= now()) due.push_back(index);
    if (!r.hedge_at) continue;
    if (*r.hedge_at <= now())
      hedge(index, r);
    else
      wake_at(*r.hedge_at);
  }
  for (const auto index : due) ask(index);
}

sequencer_actor::behavior_type sequencer(sequencer_actor::stateful_pointer<sequencer_state> self, const services& s,
                                         const download_range_list& what, const streamer_actor& owner) {
  auto* state = &self->state;
  state->start(s, what, owner);
  return {
      [state](credit_atom, std::uint32_t count, bool starving) { state->credit(count, starving); },
      [state](cancel_atom) { state->cancel(); },
      [state](parts_atom, part_list& page) { state->parts(std::move(page)); },
      [state](buffer_atom, buffer_grant& grant) { state->buffer(std::move(grant.buffer)); },
      [state](shared_read_end& end) { state->shared_read_ended(std::move(end)); },
      [state](tick_atom) { state->tick(); },
  };
}

} // namespace

sequencer_actor spawn_sequencer(caf::local_actor* parent, const services& s, download_range_list what,
                                streamer_actor owner) {
  return parent->spawn<caf::linked>(sequencer, s, std::move(what), std::move(owner));
}

} // namespace cairn::actors

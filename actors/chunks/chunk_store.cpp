#include "actors/chunks/chunk_store.hpp"

#include "actors/chunks/erased_blobs.hpp"
#include "actors/protocol/batcher.hpp"
#include "actors/protocol/errors.hpp"
#include "actors/protocol/reply_table.hpp"
#include "base/log.hpp"

namespace cairn::actors {

namespace {

using data_promise = caf::typed_response_promise<chunk_data>;
using done_promise = caf::typed_response_promise<done_atom>;
using microseconds = std::chrono::microseconds;

constexpr std::chrono::seconds tick_interval{1}, room_interval{5};
// A write waits for a step. Punching takes up to 0.2 ms a row and 0.4 ms a MiB, the removal of rows of sealed segments
// less than 1 µs.
constexpr std::size_t punch_rows_max = 32, seal_rows_max = 4096;
constexpr std::uint64_t punch_bytes_max = 8 << 20;
// The pool bounds the buffers of writes; the count bounds the small ones. On a disk of 650 MB/s larger batches than 8
// MiB are 5 % faster at most; those of 2 MiB are a third slower, but nobody's chunk waits for long behind others'
// chunks.
constexpr batch_limits write_limits{.batch_items = 128,
                                    .batch_bytes = 8 << 20,
                                    .shared_batch_bytes = 2 << 20,
                                    .waiting_items = 4096,
                                    .waiting_bytes = std::size_t(1) << 40};

struct store_state {
  struct waiting_read {
    data_promise answer;
    steady_time since;
  };
  struct waiting_write {
    chunk_payload chunk;
    std::uint64_t reply;
    steady_time since;
  };

  explicit store_state(chunk_store_actor::pointer p) : self(p) {}

  chunk_store_actor::pointer self;
  std::shared_ptr<disk> d;
  chunk_store_actor writer; // null: this one

  reply_table<data_promise> reads;
  reply_table<done_promise> writes;
  reply_table<caf::typed_response_promise<std::uint64_t>> erases;
  reply_table<caf::typed_response_promise<chunk_ids>> lists;
  batcher<waiting_write> batches{write_limits};
  erased_blobs erased; // the writer's
  bool punching = false, sealing = false, trying_room = false;
  steady_time room_tried{};

  caf::result<chunk_data> read(chunk_read& r);
  caf::result<chunk_data> read_from_disk(chunk_read& r, steady_time since);
  caf::result<done_atom> write(chunk_payload& chunk);
  caf::result<std::uint64_t> erase_dead(chunk_ids& ids);
  caf::result<std::uint64_t> erase(chunk_ids& ids);
  caf::result<chunk_ids> list(const chunk_list_query& query);
  void tick();
  void stop(const caf::exit_msg& m);

private:
  static caf::error dead() { return to_caf({errc::blob_dead, "its chunks were erased"}); }
  caf::error failed_disk() const { return to_caf({errc::io_error, "the disk is overdue"}); }
  steady_time now() const { return d->clock.now(); }
  void observe_read(const chunk_id& id, const result<storage::chunk_read_result>& outcome, steady_time since);
  void run_writes();
  void wrote(std::vector<waiting_write>& batch, const std::vector<result<void>>& outcomes);
  void punch(std::uint64_t rows);
  void seal();
  void try_room();
  storage::chunk_store_stats take_stats();
  // Runs `run` on this actor, from any thread.
  auto on_actor() const {
    return
        [me = chunk_store_actor{self}](std::function<void()> run) { caf::anon_send(me, completion{std::move(run)}); };
  }
};
static_assert(!std::is_aggregate_v<store_state>);

error expired_in_queue() {
  return {errc::timeout, "expired in the disk's queue"};
}

void store_state::observe_read(const chunk_id& id, const result<storage::chunk_read_result>& outcome,
                               steady_time since) {
  auto& m = d->metrics;
  m.chunk_reads.fetch_add(1, std::memory_order_relaxed);
  m.chunk_read.observe_us(std::uint64_t(std::chrono::duration_cast<microseconds>(now() - since).count()));
  if (outcome) return;
  m.chunk_read_errors.fetch_add(1, std::memory_order_relaxed);
  const auto why = outcome.error().code;
  if (why == errc::corrupt) m.chunks_corrupt.fetch_add(1, std::memory_order_relaxed);
  if (d->damaged && (why == errc::corrupt || why == errc::io_error)) d->damaged->note(id);
}

chunk_data data_of(chunk_read& r, const storage::chunk_read_result& got) {
  return {slice{std::move(r.into), 0, got.length}, got.chunk_length};
}

caf::result<chunk_data> store_state::read(chunk_read& r) {
  CAIRN_ASSERT(r.into && r.into->capacity() >= r.length);
  if (d->overdue.load(std::memory_order_relaxed)) return failed_disk();
  const auto since = now();
  if (d->read_delay_us.load(std::memory_order_relaxed) > 0) return read_from_disk(r, since);
  auto cached = d->store.read_cached(r.id, r.offset, r.length, r.into->data());
  if (!cached && cached.error().code == errc::would_block) return read_from_disk(r, since);
  observe_read(r.id, cached, since);
  if (!cached) return to_caf(cached.error());
  d->metrics.chunk_reads_cached.fetch_add(1, std::memory_order_relaxed);
  return data_of(r, *cached);
}

caf::result<chunk_data> store_state::read_from_disk(chunk_read& r, steady_time since) {
  const microseconds delay{d->read_delay_us.load(std::memory_order_relaxed)};
  const auto deadline = since + d->read_timeout + delay;
  auto promise = self->make_response_promise<chunk_data>();
  const auto id = reads.add(promise, deadline);
  auto job = [this, id, since, delay, shared = d, r, back = on_actor()](bool expired) mutable {
    result<storage::chunk_read_result> got = expired_in_queue();
    if (!expired) got = shared->store.read(r.id, r.offset, r.length, r.into->data(), r.direct);
    auto answer = [this, id, since, r = std::move(r), got = std::move(got)]() mutable {
      observe_read(r.id, got, since);
      auto waiting = reads.take(id);
      if (!waiting) return;
      if (got)
        waiting->deliver(data_of(r, *got));
      else
        waiting->deliver(to_caf(got.error()));
    };
    back([this, delay, since, answer = std::move(answer)]() mutable {
      const auto left = since + delay - now();
      if (left.count() <= 0)
        answer();
      else
        self->delayed_send(self, left, completion{std::move(answer)});
    });
  };
  if (auto posted = d->reads.post(deadline, std::move(job), r.into->payer()); !posted) {
    reads.take(id);
    promise.deliver(to_caf(posted.error()));
  }
  return promise;
}

caf::result<done_atom> store_state::write(chunk_payload& chunk) {
  if (writer) return self->delegate(writer, write_atom_v, std::move(chunk));
  if (d->overdue.load(std::memory_order_relaxed)) return failed_disk();
  if (erased.contains(chunk.id.blob)) return dead();
  auto promise = self->make_response_promise<done_atom>();
  const auto since = now();
  const auto bytes = chunk.bytes.length;
  const party_ptr party = chunk.bytes.owner->payer();
  const auto reply = writes.add(promise, since + d->write_timeout);
  if (!batches.add({std::move(chunk), reply, since}, bytes, party)) {
    writes.take(reply);
    promise.deliver(to_caf({errc::busy, "too many chunks wait for the disk"}));
    return promise;
  }
  run_writes();
  return promise;
}

void store_state::run_writes() {
  auto batch = std::make_shared<std::vector<waiting_write>>(batches.begin(now()));
  if (batch->empty()) return;
  // An erase of the blob came after this write: the chunk must not be stored after it.
  std::erase_if(*batch, [this](const waiting_write& w) {
    const bool is_dead = erased.contains(w.chunk.id.blob);
    if (auto waiting = is_dead ? writes.take(w.reply) : std::nullopt) waiting->deliver(dead());
    return is_dead;
  });
  if (batch->empty()) {
    batches.finished(now());
    return run_writes();
  }
  auto job = [this, batch, shared = d, back = on_actor()](bool expired) {
    std::vector<result<void>> outcomes(batch->size(), expired_in_queue());
    if (!expired) {
      std::vector<storage::chunk_write> chunks;
      for (const auto& w : *batch) chunks.push_back({w.chunk.id, w.chunk.bytes.view()});
      outcomes = shared->store.write(chunks);
    }
    back([this, batch, outcomes = std::move(outcomes)] {
      wrote(*batch, outcomes);
      batches.finished(now());
      run_writes();
    });
  };
  if (auto posted = d->writes.post(now() + d->write_timeout, std::move(job)); !posted) {
    wrote(*batch, std::vector<result<void>>(batch->size(), posted.error()));
    batches.finished(now());
  }
}

void store_state::wrote(std::vector<waiting_write>& batch, const std::vector<result<void>>& outcomes) {
  CAIRN_ASSERT(batch.size() == outcomes.size());
  take_stats(); // before the answers: who asks again asks another disk
  for (std::size_t i = 0; i < batch.size(); ++i) {
    auto& m = d->metrics;
    m.chunk_writes.fetch_add(1, std::memory_order_relaxed);
    m.chunk_write.observe_us(std::uint64_t(std::chrono::duration_cast<microseconds>(now() - batch[i].since).count()));
    if (!outcomes[i]) m.chunk_write_errors.fetch_add(1, std::memory_order_relaxed);
    auto waiting = writes.take(batch[i].reply);
    if (!waiting) continue;
    if (outcomes[i])
      waiting->deliver(done_atom_v);
    else
      waiting->deliver(to_caf(outcomes[i].error()));
  }
  batch.clear(); // releases the buffers now and not with the last copy of the job
}

storage::chunk_store_stats store_state::take_stats() {
  const auto stats = d->store.stats();
  d->state.store(stats.state, std::memory_order_relaxed);
  d->full.store(stats.full, std::memory_order_relaxed);
  return stats;
}

caf::result<std::uint64_t> store_state::erase_dead(chunk_ids& ids) {
  if (writer) return self->delegate(writer, erase_atom_v, std::move(ids));
  erased.note(ids, now());
  return erase(ids);
}

caf::result<std::uint64_t> store_state::erase(chunk_ids& ids) {
  if (writer) return self->delegate(writer, drop_atom_v, std::move(ids));
  if (d->overdue.load(std::memory_order_relaxed)) return failed_disk();
  auto promise = self->make_response_promise<std::uint64_t>();
  const auto deadline = now() + d->write_timeout;
  const auto reply = erases.add(promise, deadline);
  auto job = [this, reply, ids = std::move(ids), shared = d, back = on_actor()](bool expired) {
    result<std::uint64_t> outcome = expired_in_queue();
    if (!expired) outcome = shared->store.erase(ids);
    back([this, reply, outcome] {
      auto waiting = erases.take(reply);
      if (!waiting) return;
      if (outcome)
        waiting->deliver(*outcome);
      else
        waiting->deliver(to_caf(outcome.error()));
    });
  };
  if (auto posted = d->writes.post(deadline, std::move(job)); !posted) {
    erases.take(reply);
    promise.deliver(to_caf(posted.error()));
  }
  return promise;
}

caf::result<chunk_ids> store_state::list(const chunk_list_query& query) {
  if (d->overdue.load(std::memory_order_relaxed)) return failed_disk();
  auto promise = self->make_response_promise<chunk_ids>();
  const auto deadline = now() + d->read_timeout;
  const auto reply = lists.add(promise, deadline);
  auto job = [this, reply, query, shared = d, back = on_actor()](bool expired) {
    result<chunk_ids> page = expired_in_queue();
    if (!expired) page = shared->store.list(query.after, query.max);
    back([this, reply, page = std::move(page)]() mutable {
      auto waiting = lists.take(reply);
      if (!waiting) return;
      if (page)
        waiting->deliver(std::move(*page));
      else
        waiting->deliver(to_caf(page.error()));
    });
  };
  if (auto posted = d->reads.post(deadline, std::move(job)); !posted) {
    lists.take(reply);
    promise.deliver(to_caf(posted.error()));
  }
  return promise;
}

void store_state::tick() {
  reads.fail_overdue(now(), to_caf({errc::timeout, "the disk did not read in time"}));
  writes.fail_overdue(now(), to_caf({errc::timeout, "the disk did not write in time"}));
  erases.fail_overdue(now(), to_caf({errc::timeout, "the disk did not erase in time"}));
  lists.fail_overdue(now(), to_caf({errc::timeout, "the disk did not list in time"}));
  erased.forget(now());
  if (!writer) {
    const auto longest = std::max(d->reads.longest_running(), d->writes.longest_running());
    const bool overdue = longest > disk::overdue_after;
    if (overdue != d->overdue.exchange(overdue)) {
      log::write(overdue ? log::level::error : log::level::info, overdue ? "disk overdue" : "disk answers again",
                 {{"disk", cairn::to_string(d->store.disk_uuid())}});
    }
    const auto stats = take_stats();
    const bool usable = !overdue && stats.state == storage::disk_state::healthy;
    if (usable && stats.to_punch > 0) punch(stats.to_punch);
    if (usable && stats.sealing) seal();
    if (usable && stats.full) try_room();
  }
  self->delayed_send(self, tick_interval, tick_atom_v);
}

// In steps, between which writes that wait are served. Rows that come meanwhile are left to the next tick.
void store_state::punch(std::uint64_t rows) {
  if (punching) return;
  auto job = [this, rows, shared = d, back = on_actor()](bool expired) {
    result<std::uint64_t> done = std::uint64_t{0};
    if (!expired) done = shared->store.punch(punch_rows_max, punch_bytes_max);
    back([this, rows, done] {
      punching = false;
      if (!done) {
        log::warn("punching freed chunks failed",
                  {{"disk", cairn::to_string(d->store.disk_uuid())}, {"error", to_string(done.error())}});
      } else if (*done > 0 && *done < rows) {
        punch(rows - *done);
      }
    });
  };
  punching = bool(d->writes.post(now() + d->write_timeout, std::move(job))); // a full queue: the next tick tries again
}

// One step at a time: writes that wait are served in between.
void store_state::seal() {
  if (sealing) return;
  auto job = [this, shared = d, back = on_actor()](bool expired) {
    const auto more = expired ? result<bool>{false} : shared->store.seal(seal_rows_max);
    if (!more)
      log::warn("sealing of full segments failed",
                {{"disk", cairn::to_string(shared->store.disk_uuid())}, {"error", to_string(more.error())}});
    back([this, goes_on = more && *more] {
      sealing = false;
      if (goes_on) seal();
    });
  };
  sealing = bool(d->writes.post(now() + d->write_timeout, std::move(job))); // a full queue: the next tick tries again
}

void store_state::try_room() {
  if (trying_room || now() - room_tried < room_interval) return;
  room_tried = now();
  auto job = [this, shared = d, back = on_actor()](bool expired) {
    if (!expired) shared->store.try_room();
    back([this] {
      trying_room = false;
      take_stats();
    });
  };
  trying_room = bool(d->writes.post(now() + d->write_timeout, job));
}

void store_state::stop(const caf::exit_msg& m) {
  const auto stopping = to_caf({errc::stopping, "the node stops"});
  reads.fail_all(stopping);
  writes.fail_all(stopping);
  erases.fail_all(stopping);
  lists.fail_all(stopping);
  self->quit(m.reason);
}

chunk_store_actor::behavior_type chunk_store(chunk_store_actor::stateful_pointer<store_state> self,
                                             std::shared_ptr<disk> d, chunk_store_actor writer) {
  auto* state = &self->state;
  state->d = std::move(d);
  state->writer = std::move(writer);
  self->set_exit_handler([state](caf::exit_msg& m) { state->stop(m); });
  self->delayed_send(self, tick_interval, tick_atom_v);
  return {
      [state](read_atom, chunk_read& r) { return state->read(r); },
      [state](write_atom, chunk_payload& chunk) { return state->write(chunk); },
      [state](erase_atom, chunk_ids& ids) { return state->erase_dead(ids); },
      [state](drop_atom, chunk_ids& ids) { return state->erase(ids); },
      [state](list_atom, const chunk_list_query& query) { return state->list(query); },
      [](completion& c) { c.run(); },
      [state](tick_atom) { state->tick(); },
  };
}

chunk_store_actor::behavior_type closed_store() {
  const auto refusal = [] { return to_caf({errc::quarantined, "no disk of this node is open"}); };
  return {
      [refusal](read_atom, chunk_read&) -> caf::result<chunk_data> { return refusal(); },
      [refusal](write_atom, chunk_payload&) -> caf::result<done_atom> { return refusal(); },
      [refusal](erase_atom, chunk_ids&) -> caf::result<std::uint64_t> { return refusal(); },
      [refusal](drop_atom, chunk_ids&) -> caf::result<std::uint64_t> { return refusal(); },
      [refusal](list_atom, const chunk_list_query&) -> caf::result<chunk_ids> { return refusal(); },
      [](completion&) {},
      [](tick_atom) {},
  };
}

} // namespace

chunk_store_actor spawn_closed_store(caf::actor_system& system) {
  return system.spawn(closed_store);
}

std::vector<chunk_store_actor> spawn_chunk_stores(caf::actor_system& system, std::shared_ptr<disk> d,
                                                  std::size_t count) {
  CAIRN_ASSERT(count > 0);
  std::vector<chunk_store_actor> out;
  for (std::size_t i = 0; i < count; ++i) {
    out.push_back(system.spawn(chunk_store, d, i == 0 ? chunk_store_actor{} : out.front()));
  }
  return out;
}

} // namespace cairn::actors

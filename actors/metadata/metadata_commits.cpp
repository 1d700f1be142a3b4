#include "actors/metadata/metadata_state.hpp"

#include "actors/metadata/command_facts.hpp"
#include "base/log.hpp"

namespace cairn::actors {

namespace {

namespace meta = storage::metadata;

constexpr std::chrono::seconds metadata_tick{1}, reads_overdue_after{30}, writes_overdue_after{8};
// The limit for one command, so that it fits into an entry of the log. Commands whose estimate is below `weighed_from`
// are not encoded to check it.
constexpr std::size_t command_bytes_max = cluster::raft::entry_bytes_max - (4 << 10), weighed_from = 256 << 10;

result<meta::applied_batch> apply(meta::store& store, bool expired, std::span<const meta::command> commands) {
  if (expired) return error{errc::timeout, "the commit expired in the metadata's queue"};
  return store.apply(commands);
}

std::uint64_t microseconds_since(steady_time then, steady_time now) {
  return std::uint64_t(std::chrono::duration_cast<std::chrono::microseconds>(now - then).count());
}

} // namespace

void metadata_state::start(metadata_services services) {
  s_ = std::move(services);
  cache_.emplace(s_.row_cache_bytes);
  batches_.emplace(s_.log ? cluster_limits : standalone_limits);
  self_->delayed_send(self_, metadata_tick, tick_atom_v);
  if (s_.log) start_log();
  begin_session();
}

void metadata_state::begin_session() {
  if (session_asked_) return;
  if (log_) return begin_session_in_log();
  session_asked_ = commit_session([this](const result<meta::applied_batch>& outcome) {
    if (!outcome) return session_refused(outcome.error());
    if (outcome->results.front().refused) return session_refused(*outcome->results.front().refused);
    session_begun(outcome->results.front().version);
  });
}

// Of a standalone node. False: it could not be queued.
bool metadata_state::commit_session(std::function<void(const result<meta::applied_batch>&)> then) {
  const meta::command begin = meta::begin_session{s_.node, s_.incarnation};
  auto job = [this, begin, then = std::move(then), store = s_.store, back = on_actor()](bool expired) {
    back([this, then, outcome = apply(*store, expired, {&begin, 1})] {
      if (outcome) applied_ = std::max(applied_, outcome->index);
      then(outcome);
    });
  };
  return bool(s_.writes->post(now() + s_.commit_timeout, std::move(job)));
}

void metadata_state::session_begun(session_id session) {
  session_asked_ = session_failure_logged_ = removed_ = false;
  session_ = session;
  if (s_.session_began) s_.session_began->store(true);
  log::info("writer session began", {{"session", session_}});
  for (auto& asked : waiting<blob_id>().take_all()) asked.deliver(draw_blob());
  run_batch();
}

void metadata_state::session_refused(const error& why) {
  session_asked_ = false;
  if (!session_failure_logged_) log::error("no writer session, nothing can be written", {{"error", to_string(why)}});
  session_failure_logged_ = true; // the tick tries again
  if (why.code != errc::session_ended) return;
  removed_ = true; // permanent: requests do not wait for a session
  const auto refused = to_caf(removal());
  waiting<blob_id>().fail_all(refused);
  waiting<committed>().fail_all(refused);
}

error metadata_state::removal() {
  return {errc::no_leader, "this node was removed from its cluster"};
}

blob_id metadata_state::draw_blob() {
  constexpr std::uint64_t random_bits = 24; // a restored old disk must not draw its former ids again
  return {session_, next_blob_++ << random_bits | (s_.random->next() & ((1 << random_bits) - 1))};
}

bool metadata_state::is_full() const {
  return s_.has_room && !s_.has_room();
}

// Other members may have room: read_only makes clients try another node.
error metadata_state::no_room() const {
  const auto layout = log_ ? s_.layout->get() : nullptr;
  const bool others = layout && std::ranges::any_of(layout->members, [this](const auto& m) {
                        const bool there = m.state == meta::node_state::active || m.state == meta::node_state::draining;
                        return there && m.number != s_.layout->self();
                      });
  return {others ? errc::read_only : errc::no_space, "the metadata's disk is full up to its reserve"};
}

caf::result<blob_id> metadata_state::new_blob() {
  if (session_ != 0) return draw_blob();
  if (removed_) return to_caf(removal());
  if (is_full()) return to_caf(no_room()); // the session does not begin without room
  auto asked = self_->make_response_promise<blob_id>();
  waiting<blob_id>().add(asked, now() + s_.commit_timeout);
  return asked;
}

caf::result<committed> metadata_state::commit(command_box& command) {
  if (removed_) return to_caf(removal());
  if (writes_overdue_) return to_caf({errc::timeout, "the metadata's disk is overdue"});
  if (adds_something(*command) && is_full()) return to_caf(no_room());
  // A body may have taken hours. By the clock of this node, as when the head of the request came.
  if (const auto ends = session_end(*command); ends && s_.clock->wall() >= *ends)
    return to_caf({errc::access_denied, "The temporary credentials have expired."});
  bool is_newer = log_ && meta::level_of(*command) > feature_level_;
  if (is_newer && session_ != 0) {
    auto older = std::make_shared<meta::command>(*command);
    drop_object_owners(*older);
    if (feature_level_ < meta::feature_level_of_object_lock) drop_bypass(*older);
    if (feature_level_ < meta::feature_level_of_policies) drop_asked(*older);
    if (feature_level_ < meta::feature_level_of_authority) drop_authority(*older);
    command = std::move(older);
    is_newer = meta::level_of(*command) > feature_level_;
  }
  if (is_newer && !std::holds_alternative<meta::raise_feature_level>(*command)) {
    // Before its session began a node does not know what the cluster's level is.
    if (session_ == 0) return to_caf({errc::no_leader, "this node has not caught up with the cluster yet"});
    return to_caf({errc::unsupported, "This request, before all nodes of the cluster are upgraded,"});
  }
  const auto bytes = bytes_of(*command);
  if (bytes > weighed_from && meta::encode(*command).size() > command_bytes_max)
    return to_caf({errc::too_large, "This request's settings or headers"});
  auto asked = self_->make_response_promise<committed>();
  const auto since = now();
  const auto reply = waiting<committed>().add(asked, since + s_.commit_timeout);
  if (batches_->add({std::move(command), reply, since}, bytes)) {
    run_batch();
  } else {
    waiting<committed>().take(reply);
    asked.deliver(to_caf({errc::busy, "too many commits wait for the metadata's disk"}));
  }
  return asked;
}

std::shared_ptr<metadata_state::batch> metadata_state::next_batch() {
  while (true) {
    auto out = std::make_shared<batch>();
    out->waiting = batches_->begin(now(), apart_ > 0 ? 1 : SIZE_MAX);
    if (out->waiting.empty()) return nullptr;
    if (apart_ > 0) --apart_;
    // Requests that were answered with timeout already are not executed.
    std::erase_if(out->waiting, [this](const waiting_command& w) { return !waiting<committed>().contains(w.reply); });
    // Chunks that were written in an ended session are dead.
    std::erase_if(out->waiting, [this](const waiting_command& w) {
      const bool over = session_of_chunks(*w.command).value_or(session_) != session_;
      if (over) refuse(w, {errc::session_ended, "the writer session in which the upload began has ended"});
      return over;
    });
    if (!out->waiting.empty()) return out;
    batches_->finished(now());
  }
}

void metadata_state::run_batch() {
  while (session_ != 0) {
    const auto next = next_batch();
    if (!next) return begin_in_time();
    next->first_sequence = next_sequence_;
    const auto acknowledged_below = outstanding_.begin(next_sequence_);
    for (const auto& w : next->waiting) {
      stamp(next->commands.emplace_back(*w.command), session_, next_sequence_, acknowledged_below, feature_level_);
    }
    if (log_)
      run_batch_in_log(next);
    else
      run_batch_in_store(next);
  }
}

// A batch that waits for the clients of the last one begins at the latest when that time is over.
void metadata_state::begin_in_time() {
  const auto until = batches_->gathers_until();
  if (!until || std::exchange(begins_in_time_, true)) return;
  self_->delayed_send(self_, *until - now(), completion{[this] {
                        begins_in_time_ = false;
                        run_batch();
                      }});
}

void metadata_state::run_batch_in_store(const std::shared_ptr<batch>& next) {
  applying(next->commands);
  auto job = [this, next, store = s_.store, back = on_actor()](bool expired) {
    auto outcome = apply(*store, expired, next->commands);
    back([this, next, outcome = std::move(outcome)]() mutable {
      applied(next->commands, outcome ? outcome->index : applied_);
      finished(*next, std::move(outcome));
    });
  };
  if (auto posted = s_.writes->post(now() + s_.commit_timeout, std::move(job)); posted)
    return;
  else {
    applied(next->commands, applied_);
    finished(*next, posted.error());
  }
}

void metadata_state::run_batch_in_log(const std::shared_ptr<batch>& next) {
  log_->submit(next->commands, now() + s_.commit_timeout, [this, next](replicated_log::results all) {
    finished(*next, meta::applied_batch{applied_, std::move(all)});
  });
}

// applying() and applied() surround the application of commands, of this node and of others, until snapshots show them.
void metadata_state::applying(std::span<const meta::command> commands) {
  for (const auto& c : commands) {
    for (const auto& name : changed_rows(c)) cache_->begin_change(name);
    layout_changing_ += changes_layout(c);
  }
}

void metadata_state::applied(std::span<const meta::command> commands, log_index index) {
  for (const auto& c : commands) {
    for (const auto& name : changed_rows(c)) cache_->end_change(name);
    const bool of_layout = changes_layout(c);
    layout_changing_ -= of_layout;
    layout_changed_ = layout_changed_ || of_layout;
  }
  if (index > applied_) { // else the transaction failed
    s_.metrics->commit_batches.fetch_add(1, std::memory_order_relaxed);
    s_.metrics->committed_commands.fetch_add(commands.size(), std::memory_order_relaxed);
  }
  applied_ = index;
  if (log_ && layout_changed_) read_layout();
}

void metadata_state::finished(batch& b, result<meta::applied_batch> outcome) {
  batches_->finished(now());
  outstanding_.answered(b.first_sequence);
  if (outcome) {
    if (!log_) note_commit_fault({});
    CAIRN_ASSERT(outcome->results.size() == b.waiting.size());
    for (std::size_t i = 0; i < b.waiting.size(); ++i) answer(b.waiting[i], outcome->results[i]);
  } else {
    failed(b, outcome.error());
  }
  run_batch();
}

void metadata_state::note_fault(fault_cause cause, std::string text) const {
  if (s_.fault) s_.fault->set(cause, std::move(text));
}

// Of a standalone node: `why` its commits failed; without a code they work again.
void metadata_state::note_commit_fault(const error& why) {
  commit_fault_ = why.code;
  note_fault(fault_cause::damage, why.code == errc::corrupt ? to_string(why) : "");
  note_fault(fault_cause::no_space, why.code == errc::no_space ? "its disk has no space: " + why.text : "");
}

// Whether a commit that changes nothing works: it needs no row of a client, only what all commits need. Beginning the
// session again is such a commit.
void metadata_state::probe_commits() {
  if (session_ == 0 || probing_) return;
  probing_ = commit_session([this](const result<meta::applied_batch>& outcome) {
    probing_ = false;
    if (outcome || outcome.error().code == errc::corrupt || outcome.error().code == errc::no_space)
      note_commit_fault(outcome ? error{} : outcome.error());
  });
}

void metadata_state::check_overdue_reads() {
  const bool overdue = s_.reads->longest_running() > reads_overdue_after;
  if (overdue == std::exchange(reads_overdue_, overdue)) return;
  if (overdue) log::error("the metadata's disk has not answered reads for half a minute; no reads until it does", {});
  note_fault(fault_cause::hung_reads, overdue ? "reads from its disk have not ended for half a minute" : "");
}

void metadata_state::check_hung_disk() {
  if (writes_failed_) return;
  const bool hangs = s_.writes->longest_running() > writes_overdue_after;
  if (hangs == std::exchange(writes_overdue_, hangs)) return;
  if (hangs) log::error("the metadata's disk has not answered for seconds; no writes until it answers", {});
  note_fault(fault_cause::hung_writes, hangs ? "its disk has not answered for seconds" : "");
}

// No command of the batch was applied. After no_space, commands that add data are refused and the others retried:
// deletes make room. Damage is perhaps in the rows of one command only: each is tried by itself.
void metadata_state::failed(batch& b, const error& why) {
  // The store takes no writes until the next start.
  if (why.code == errc::io_error || why.code == errc::read_only || why.code == errc::quarantined) {
    writes_failed_ = true;
    note_fault(fault_cause::failure, to_string(why));
  }
  const bool is_damage = !log_ && why.code == errc::corrupt; // a member fetches its state from others
  if (is_damage && b.waiting.size() > 1) {
    apart_ += b.waiting.size();
    return batches_->put_back(std::move(b.waiting), 0);
  }
  if (is_damage || (!log_ && why.code == errc::no_space)) probe_commits();
  std::vector<waiting_command> again;
  const auto adds = [](const waiting_command& w) { return adds_something(*w.command); };
  const bool apart = why.code == errc::no_space && std::ranges::any_of(b.waiting, adds);
  for (auto& w : b.waiting) {
    if (apart && !adds(w))
      again.push_back(std::move(w));
    else
      refuse(w, why);
  }
  batches_->put_back(std::move(again), 0);
}

void metadata_state::answer(const waiting_command& w, const meta::command_result& r) {
  if (r.refused && r.refused->code == errc::session_ended && log_) lose_session();
  if (r.refused) return refuse(w, *r.refused);
  s_.metrics->commit.observe_us(microseconds_since(w.since, now()));
  if (auto asked = waiting<committed>().take(w.reply)) asked->deliver(committed{r});
}

void metadata_state::refuse(const waiting_command& w, const error& why) {
  if (auto asked = waiting<committed>().take(w.reply)) asked->deliver(to_caf(why));
}

void metadata_state::tick() {
  const auto late = to_caf({errc::timeout, "the metadata's disk did not answer in time"});
  std::apply([&](auto&... tables) { (tables.fail_overdue(now(), late), ...); }, waiting_);
  check_overdue_reads();
  if (!log_) check_hung_disk(); // in a cluster the log does this, and commits go through the leader meanwhile
  if (session_ == 0) begin_session();
  if (commit_fault_ != errc{}) probe_commits(); // clients may not come while the node is not ready
  if (log_) {
    log_->tick();
    acknowledge_layout();
  }
  self_->delayed_send(self_, metadata_tick, tick_atom_v);
}

void metadata_state::stop(const caf::exit_msg& m) {
  const auto stopping = to_caf({errc::stopping, "the node stops"});
  std::apply([&](auto&... tables) { (tables.fail_all(stopping), ...); }, waiting_);
  if (log_) log_->stop();
  self_->quit(m.reason);
}

namespace {

metadata_actor::behavior_type metadata(metadata_actor::stateful_pointer<metadata_state> self,
                                       metadata_services services) {
  auto* state = &self->state;
  self->set_exit_handler([state](caf::exit_msg& m) { state->stop(m); });
  state->start(std::move(services));
  return {
      [state](lookup_atom, const object_name& name) { return state->lookup(name); },
      [state](parts_atom, manifest_id id, std::uint64_t offset) { return state->parts(id, offset); },
      [state](bucket_atom, const bucket_name& name) { return state->bucket(name); },
      [state](list_atom, const meta::buckets_query& query) { return state->bucket_names(query); },
      [state](list_atom, const meta::listing_query& query) { return state->list(query); },
      [state](list_atom, const meta::uploads_query& query) { return state->uploads(query); },
      [state](list_atom, const meta::versions_query& query) { return state->versions(query); },
      [state](parts_atom, const upload_query& query) { return state->upload(query); },
      [state](parts_atom, const object_parts_query& query) { return state->object_parts(query); },
      [state](access_atom, const access_query& query) { return state->access(query); },
      [state](list_atom, const keys_query& query) { return state->keys(query); },
      [state](list_atom, const meta::identity_query& query) { return state->identities(query); },
      [state](commit_atom, command_box& command) { return state->commit(command); },
      [state](new_blob_atom) { return state->new_blob(); },
      [state](buried_atom, std::uint32_t max) { return state->buried(max); },
      [state](dead_atom, const chunk_ids& ids) { return state->dead(ids); },
      [state](peer_atom, const peer_call& call) { state->serve(call); },
      [state](status_atom) { return state->status(); },
      [state](change_atom, const log_change& c) { return state->change(c); },
      [state](transfer_atom, node_number to) { return state->transfer(to); },
      [](completion& c) { c.run(); },
      [state](tick_atom) { state->tick(); },
  };
}

} // namespace

metadata_actor spawn_metadata(caf::actor_system& system, metadata_services services) {
  return system.spawn(metadata, std::move(services));
}

} // namespace cairn::actors

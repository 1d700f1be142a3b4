#include "actors/metadata/log/replicated_log.hpp"

#include "base/log.hpp"
#include "cluster/raft/log_servers.hpp"
#include "cluster/raft/raft_message.hpp"

#include <algorithm>

// The disk of the log or of the state has failed: this node leaves the consensus as if it had crashed, except that a
// leader transfers leadership first. Everything that the node had acknowledged (term, vote, entries) was flushed
// before, so reopening the log is the same as a start. The engine that was running when the disk failed never learns of
// another write as stored.

namespace cairn::actors {

namespace {

namespace raft = cluster::raft;
using namespace std::chrono_literals;

constexpr raft::time_ms pause_max = 30'000, leader_contact_max = 3000;

// Transient failures. no_space: nothing was written, because a transaction that finds no room is referenced by nothing.
// timeout: the job expired before it ran, or the disk has not answered yet. busy: the process has no descriptors left
// to open a file.
bool is_transient(errc code) {
  return code == errc::no_space || code == errc::timeout || code == errc::busy;
}

} // namespace

// When the node stops, the executors stop before this class does, and their waiting jobs expire.
bool replicated_log::stops(const error& why) const {
  if (why.code != errc::timeout) return why.code == errc::stopping;
  const auto probe = s_.log_writes->post(host_.clock->now(), [](bool) {});
  return !probe && probe.error() == errc::stopping;
}

void replicated_log::log_failure(bool repairs) const {
  log::error(repairs                           ? "the metadata is damaged; it is being replaced by another member's"
             : !reopens_                       ? "the metadata's log has failed; check its disk, then restart the node"
             : failure_->code == errc::timeout ? "the metadata's log has failed; it is reopened when its disk answers"
             : failure_->code == errc::busy ? "the metadata's log has failed; it is reopened when files can be opened"
                                            : "the metadata's log has failed; it is reopened when its disk has room",
             {{"error", to_string(*failure_)}});
}

void replicated_log::fail(error why) {
  if (failure_ || stopped_) return;
  if (stops(why)) return stop();
  failure_ = std::move(why);
  reopens_ = s_.reopen && is_transient(failure_->code);
  repair_tries_ = 0;
  const bool repairs = can_repair();
  log_failure(repairs);
  last_leader_ = node_->engine().role() == raft::role::leader ? 0 : node_->engine().leader();
  last_leader_term_ = 0;
  last_leader_at_ = now();
  transfer_leadership();
  to_store_.clear();
  to_apply_.clear();
  drop_reads(unavailable());
  if (!applying_ || apply_.hangs()) drop_tickets(); // else the running apply job answers them
  if (!applying_) drop_open();
  if (host_.failed) host_.failed(failure_);
  if (repairs) return repair_later();
  if (!reopens_) return;
  // Repeated failures back off: each attempt costs a cluster with one voter an election.
  const bool again = reopened_at_ != 0 && now() - reopened_at_ < 2 * pause_max;
  reopen_pause_ = again ? std::min(2 * reopen_pause_, pause_max) : reopen_pause_min;
  reopen_later();
}

// A job that was running when the log failed has failed too, perhaps permanently.
void replicated_log::note_late_failure(const error& why) {
  if (!reopens_ || is_transient(why.code) || why.code == errc::stopping) return;
  reopens_ = false;
  failure_ = why;
  const bool repairs = can_repair();
  log_failure(repairs);
  if (host_.failed) host_.failed(failure_);
  if (repairs) repair_later();
}

// A disk that fails returns an error; a disk that hangs would keep all requests through this node waiting.
void replicated_log::check_hung_disk() {
  flush_.tick();
  apply_.tick();
  if (flush_.hangs() || apply_.hangs())
    fail({errc::timeout, std::string{"the disk of the metadata's "} + (flush_.hangs() ? "log" : "state") +
                             " has not answered for " + std::to_string(hung_after_ticks) + " s"});
}

error replicated_log::unavailable() const {
  return {errc::no_leader, "this node's copy of the metadata has failed: " + to_string(*failure_)};
}

// Transfers leadership at once instead of waiting for the others' election timeout. If the transfer fails, that timeout
// still applies.
void replicated_log::transfer_leadership() {
  const auto& engine = node_->engine();
  if (engine.failure() || engine.role() != raft::role::leader) return;
  server_id best = 0;
  log_index has = 0;
  for (const auto& s : engine.configuration().servers) {
    const auto* node = uuid_of(s.id);
    const auto match = engine.match(s.id);
    if (s.id == engine.id() || s.role != raft::server_role::voter || !node || !match || !s_.network->up(*node))
      continue;
    if (best != 0 && *match <= has) continue;
    best = s.id;
    has = *match;
  }
  if (best != 0 && node_->transfer(best, now()) == raft::accepted::yes)
    log::info("transferring leadership", {{"to", cluster::node_of(best)}});
  flush_messages();
}

// Sends messages only: everything that depends on a write which was not stored stays in the engine.
void replicated_log::flush_messages() {
  auto u = node_->take();
  for (const auto& envelope : u.messages) send(envelope);
  for (auto& wanted : u.reads) read_for(std::move(wanted));
}

void replicated_log::drop_tickets() {
  node_->abandon();
  take_answers(node_->take().answers);
  // The command is committed, but this node does not learn its result.
  for (auto& [number, place] : std::exchange(commands_, {})) {
    place.first->uncertain = true;
    resolve(place.first, place.second, std::nullopt);
  }
}

void replicated_log::serve_failed(peer_request kind, const link::incoming_request& request) {
  if (kind != peer_request::consensus) return request.respond(unavailable());
  request.respond(link::answer{});
  const auto from = id_of(request.from.node);
  auto m = raft::decode_message(request.bytes);
  if (!from || !m) return;
  note_leader(*from, *m);
  // Until another node leads, the transfer may be waiting for the followers' answers.
  if (node_->engine().failure() || node_->engine().role() != raft::role::leader) return;
  node_->receive(*from, std::move(*m), now());
  flush_messages();
}

void replicated_log::note_leader(server_id from, const raft::message& m) {
  const auto* append = std::get_if<raft::append_request>(&m);
  const auto* offer = std::get_if<raft::snapshot_offer>(&m);
  if (!append && !offer) return;
  const auto term = append ? append->term : offer->term;
  if (term < std::max(last_leader_term_, node_->engine().term()) || term > raft::number_max) return;
  last_leader_ = from;
  last_leader_term_ = term;
  last_leader_at_ = now();
}

replicated_log::server_id replicated_log::recent_leader() const {
  return last_leader_ != 0 && now() - last_leader_at_ < leader_contact_max ? last_leader_ : 0;
}

// ── reopening ──

void replicated_log::reopen_later() {
  host_.after(std::chrono::milliseconds(reopen_pause_), [this] { try_reopen(); });
}

void replicated_log::try_reopen() {
  if (stopped_ || !failure_ || !reopens_) return;
  if (storing_ || applying_) return reopen_later(); // an earlier job is still running
  storing_ = applying_ = true;
  auto job = [this, reopen = s_.reopen, post = host_.post](bool expired) {
    auto log = std::make_shared<result<opened_log>>(error{errc::timeout, "the consensus log's disk is overdue"});
    if (!expired) *log = reopen();
    post([this, log] { reopened(std::move(*log)); });
  };
  if (auto posted = s_.log_writes->post(host_.clock->now() + disk_time, std::move(job)); !posted)
    reopened(posted.error());
}

void replicated_log::reopened(result<opened_log> log) {
  storing_ = applying_ = false;
  if (stopped_) return;
  if (!log) {
    if (can_repair()) return repair_later();
    reopens_ = is_transient(log.error().code);
    if (reopens_) return reopen_later();
    log::error("the metadata's log can't be reopened; restart the node", {{"error", to_string(log.error())}});
    failure_ = log.error();
    if (host_.failed) host_.failed(failure_);
    return;
  }
  node_ = std::move(log->node);
  bytes_since_compaction_ = log->bytes;
  failure_.reset();
  returns_damaged_ = false;
  timer_at_.reset();
  last_leader_term_ = 0;
  reopened_at_ = now();
  if (transfer_) transfer_->interrupted(log->applied);
  const bool other_state = log->applied != visible_;
  if (other_state && !replacing_) host_.replacing();
  applied_ = visible_ = log->applied;
  if (std::exchange(replacing_, false) || other_state) host_.replaced(visible_);
  log::info("the metadata's log was reopened", {{"applied", visible_}});
  if (host_.failed) host_.failed(failure_);
  pump();
}

} // namespace cairn::actors

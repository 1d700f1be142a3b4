#include "actors/metadata/log/replicated_log.hpp"

#include "actors/link/peer_claims.hpp"
#include "base/log.hpp"
#include "cluster/raft/log_servers.hpp"
#include "cluster/raft/raft_message.hpp"

#include <algorithm>

namespace cairn::actors {

namespace {

namespace meta = storage::metadata;
namespace raft = cluster::raft;
using namespace std::chrono_literals;

constexpr auto message_time = 2s;

std::string_view name_of(raft::change_kind kind) {
  switch (kind) {
    case raft::change_kind::add_standby: return "add";
    case raft::change_kind::promote: return "promote";
    case raft::change_kind::demote: return "demote";
    case raft::change_kind::remove: break;
  }
  return "remove";
}

} // namespace

replicated_log::replicated_log(replicated_log_services services, host_services host, log_index applied)
    : s_(std::move(services)), host_(std::move(host)), node_(std::move(s_.node)), applied_(applied), visible_(applied) {
  bytes_since_compaction_ = s_.log_bytes;
  submits_.emplace(submit_route());
  set_members(s_.members);
  if (!s_.transfer.engine) return;
  snapshot_transfer::host_services e;
  e.post = host_.post;
  e.after = host_.after;
  e.clock = host_.clock;
  e.network = s_.network;
  e.record_at = [this](log_index index) -> std::optional<raft::snapshot_record> {
    const auto& engine = node_->engine();
    if (index < engine.snapshot_index() || index > engine.commit() || engine.term_at(index) == 0) return std::nullopt;
    return engine.snapshot_at(index);
  };
  e.first_kept = [this] { return node_->engine().first_kept(); };
  e.install = [this](const raft::snapshot_record& record) {
    const auto answer = stopped_ || failure_ ? raft::install_answer::not_now : node_->install(record, now());
    if (answer == raft::install_answer::begun) pump();
    return answer;
  };
  transfer_ = std::make_unique<snapshot_transfer>(s_.transfer, std::move(e));
}

replicated_log::~replicated_log() = default;

replicated_log::time_ms replicated_log::ms_of(steady_time t) {
  return time_ms(std::chrono::duration_cast<std::chrono::milliseconds>(t.time_since_epoch()).count());
}

void replicated_log::start() {
  look_for_damage();
  pump();
}

void replicated_log::set_members(const std::vector<log_member>& members) {
  std::vector<peer_address> others;
  members_.clear();
  for (const auto& m : members) {
    const auto id = cluster::server_of(m.number);
    if (!m.at.removed) members_[id] = m.at.id;
    if (id != node_->engine().id()) others.push_back(m.at);
  }
  s_.network->set_members(others);
}

const cairn::uuid* replicated_log::uuid_of(server_id id) const {
  const auto at = members_.find(id);
  return at == members_.end() ? nullptr : &at->second;
}

std::optional<replicated_log::server_id> replicated_log::id_of(const cairn::uuid& node) const {
  for (const auto& [id, uuid] : members_)
    if (uuid == node) return id;
  return std::nullopt;
}

// ── the engine's updates ──

void replicated_log::pump() {
  if (stopped_ || failure_) return;
  auto u = node_->take();
  if (const auto& broken = node_->engine().failure()) return fail(*broken);
  for (auto& w : u.writes) to_store_.push_back(std::move(w));
  for (auto& c : u.to_apply) to_apply_.push_back(std::move(c));
  for (const auto& envelope : u.messages) send(envelope);
  for (auto& wanted : u.reads) read_for(std::move(wanted));
  if (u.offer) offered(*u.offer);
  if (node_->engine().installing()) drop_unapplied();
  check_leader_pace();
  take_answers(u.answers);
  follow_leader();
  store_next();
  apply_next();
  arm_timer();
}

void replicated_log::check_leader_pace() {
  const auto& engine = node_->engine();
  if (engine.role() != raft::role::leader) return pace_.reset();
  std::vector<raft::leader_pace::voter> others;
  for (const auto& s : engine.configuration().servers) {
    if (s.role != raft::server_role::voter || s.id == engine.id()) continue;
    const auto reported = reported_.find(s.id);
    others.push_back({s.id, engine.match(s.id).value_or(0),
                      reported == reported_.end() ? std::nullopt : std::optional{reported->second}});
  }
  pace_.observe(now(), engine.term(), {engine.last_index(), engine.last_stored(), engine.commit(), visible_}, others);
}

void replicated_log::arm_timer() {
  if (stopped_ || failure_) return;
  const auto due = node_->deadline();
  if (timer_at_ && *timer_at_ <= due) return;
  timer_at_ = due;
  const auto at = now();
  const std::chrono::milliseconds wait{due > at ? std::min<time_ms>(due - at, 60'000) : 0};
  host_.after(wait, [this, due] {
    if (timer_at_ != due || stopped_ || failure_) return; // another timer replaced this one
    timer_at_.reset();
    if (now() >= node_->deadline()) node_->tick(now());
    pump();
  });
}

void replicated_log::send(const raft::envelope& envelope) {
  const auto* to = uuid_of(envelope.to);
  if (!to) return;
  std::string bytes(1, char(peer_request::consensus));
  bytes += raft::encode(envelope.body);
  s_.network->call(*to, std::move(bytes), host_.clock->now() + message_time, [](const result<link::answer>&) {});
}

void replicated_log::store_next() {
  if (storing_ || to_store_.empty() || failure_) return;
  auto end = std::ranges::find_if(to_store_, [](const auto& w) { return w.snapshot.has_value(); });
  if (end == to_store_.begin() && end != to_store_.end()) {
    if (applying_ || pace_of_commits_.open()) return; // the snapshot waits for the open transaction to end
    auto snapshot = std::move(to_store_.front());
    to_store_.erase(to_store_.begin());
    return store_snapshot(std::move(snapshot));
  }
  storing_ = true;
  flush_.begin();
  auto batch = std::make_shared<std::vector<raft::log_write>>(std::make_move_iterator(to_store_.begin()),
                                                              std::make_move_iterator(end));
  to_store_.erase(to_store_.begin(), end);
  const auto last = batch->back().number;
  auto job = [this, batch, last, log = s_.log, post = host_.post](bool expired) {
    const result<void> outcome =
        expired ? result<void>{error{errc::timeout, "the consensus log's disk is overdue"}} : log->write(*batch);
    batch->clear();
    post([this, last, outcome] { stored(last, outcome); });
  };
  if (auto posted = s_.log_writes->post(host_.clock->now() + disk_time, std::move(job)); !posted)
    stored(last, posted.error());
}

void replicated_log::stored(std::uint64_t write, const result<void>& outcome) {
  storing_ = false;
  flush_.end();
  if (stopped_) return;
  if (!outcome) return failure_ ? note_late_failure(outcome.error()) : fail(outcome.error());
  if (failure_) return;
  node_->stored(write, now());
  pump();
}

void replicated_log::read_for(raft::catch_up wanted) {
  auto shared = std::make_shared<raft::catch_up>(std::move(wanted));
  auto job = [this, shared, log = s_.log, post = host_.post](bool expired) {
    if (expired) return;
    auto entries = log->read(shared->head.previous + 1, shared->count);
    if (!entries && entries.error() == errc::corrupt) return post([this] { entries_unreadable_ = true; });
    if (!entries) return;
    post([this, shared, entries = std::move(*entries)]() mutable {
      if (stopped_ || failure_) return;
      node_->filled(std::move(*shared), std::move(entries));
      pump();
    });
  };
  (void)s_.log_reads->post(host_.clock->now() + message_time,
                           std::move(job)); // on failure nothing is sent, and the engine asks again
}

// ── other nodes ──

void replicated_log::serve(peer_request kind, const link::incoming_request& request) {
  if (stopped_) return request.respond(error{errc::stopping, "the node stops"});
  if (failure_) return serve_failed(kind, request);
  if (kind == peer_request::consensus) {
    request.respond(link::answer{});
    return receive(request.from, request.bytes);
  }
  if (kind == peer_request::barrier) return serve_barrier(request);
  if (kind == peer_request::submit) return serve_submit(request);
  if (kind == peer_request::snapshot && transfer_) return transfer_->serve(request);
  request.respond(error{errc::unsupported, "not a request for the metadata's log"});
}

void replicated_log::receive(const link::peer& peer, std::string_view bytes) {
  const auto from = id_of(peer.node);
  auto m = raft::decode_message(bytes);
  if (!from || !m) return;
  const auto& engine = node_->engine();
  const auto* answer = std::get_if<raft::append_answer>(&*m);
  if (engine.role() != raft::role::leader)
    witness_.reset();
  else if (answer && witness_.note(*from, peer.incarnation, engine.term(), engine.match(*from).value_or(0), *answer))
    log::error("a member lost entries that it had acknowledged: its metadata is an older copy, or its disk loses data",
               {{"node", cluster::node_of(*from)}});
  node_->receive(*from, std::move(*m), now());
  pump();
}

void replicated_log::serve_barrier(const link::incoming_request& request) {
  if (auto good = decode_barrier(request.bytes); !good) return request.respond(good.error());
  if (!node_->engine().leads()) return request.respond(error{errc::no_leader, "this node does not lead"});
  read_group one;
  // The term makes the index usable as a commit index on the requester. Older builds do not read the term.
  const auto term = request.from.feature_level >= meta::feature_level_of_read_terms ? node_->engine().term() : 0;
  one.push_back({request.deadline, {}, [respond = request.respond, term](result<log_index> index) {
                   if (index)
                     respond(link::answer{encode(read_index{*index, term}), {}});
                   else
                     respond(index.error());
                 }});
  const auto t = next_ticket_++;
  rounds_.emplace(t, std::move(one));
  node_->read(t, now());
  pump();
}

void replicated_log::serve_submit(const link::incoming_request& request) {
  auto commands = decode_submit(request.bytes);
  if (!commands) return request.respond(commands.error());
  if (node_->engine().role() != raft::role::leader)
    return request.respond(error{errc::no_leader, "this node does not lead"});
  auto s = std::make_shared<submission>();
  s->commands = std::move(*commands);
  s->outcomes.resize(s->commands.size());
  for (std::size_t i = 0; i < s->commands.size(); ++i)
    if (auto may = may_submit(request.from, s->commands[i]); !may)
      s->outcomes[i] = meta::command_result{.refused = may.error()};
  s->deadline = request.deadline;
  s->served = [respond = request.respond](const command_outcomes& outcomes) {
    respond(link::answer{encode_outcomes(outcomes), {}});
  };
  submissions_.push_back(s);
  if (std::ranges::all_of(s->outcomes, [](const auto& o) { return o.has_value(); })) return finish(s);
  submit_locally(s);
}

raft::accepted replicated_log::change(node_number node, raft::change_kind kind) {
  if (stopped_ || failure_) return raft::accepted::not_leader;
  const auto answer = node_->change(cluster::server_of(node), kind, now());
  if (answer == raft::accepted::yes)
    log::info("changing a member's part in the metadata's log", {{"node", node}, {"change", name_of(kind)}});
  pump();
  return answer;
}

raft::accepted replicated_log::transfer(node_number to) {
  if (stopped_ || failure_) return raft::accepted::not_leader;
  const auto answer = node_->transfer(cluster::server_of(to), now());
  pump();
  return answer;
}

bool replicated_log::holds_log(node_number node) const {
  return node_->engine().configuration().find(cluster::server_of(node)) != nullptr;
}

log_status replicated_log::status() const {
  const auto& engine = node_->engine();
  log_status out;
  out.leads = engine.leads() && !failure_;
  out.self = cluster::node_of(engine.id());
  const auto leader = failure_ ? recent_leader() : engine.role() == raft::role::leader ? engine.id() : engine.leader();
  if (leader != 0) out.leader = cluster::node_of(leader);
  out.term = std::max(engine.term(), last_leader_term_);
  out.commit = engine.commit();
  out.applied = visible_;
  out.last = engine.last_index();
  out.servers = engine.configuration();
  out.committed = engine.committed_configuration();
  for (const auto& s : out.servers.servers)
    if (const auto match = engine.match(s.id)) out.match[cluster::node_of(s.id)] = *match;
  if (out.leads)
    for (const auto& [server, incarnation] : witness_.lost()) out.lost[cluster::node_of(server)] = incarnation;
  out.failure = failure_;
  return out;
}

void replicated_log::stop() {
  if (std::exchange(stopped_, true)) return;
  const error why{errc::stopping, "the node stops"};
  for (const auto& s : std::exchange(submissions_, {})) {
    if (std::exchange(s->over, true)) continue;
    if (s->served) {
      s->served(s->outcomes);
    } else {
      results all;
      for (auto& o : s->outcomes) all.push_back(o ? std::move(*o) : meta::command_result{.refused = why});
      s->done(std::move(all));
    }
  }
  drop_reads(why);
  commands_.clear();
  late_answers_.clear();
}

void replicated_log::drop_reads(const error& why) {
  const auto drop = [&](waiting_read& r) { (r.served ? r.served : r.done)(why); };
  for (auto& r : std::exchange(reads_, {})) drop(r);
  for (auto& [t, group] : std::exchange(rounds_, {})) {
    if (!group.front().served) --rounds_out_;
    for (auto& r : group) drop(r);
  }
  for (auto& [index, r] : std::exchange(reads_at_, {})) drop(r);
  for (auto& [index, r] : std::exchange(visible_at_, {})) drop(r);
}

} // namespace cairn::actors

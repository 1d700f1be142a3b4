#include "actors/upload/replica_writer.hpp"

#include "actors/chunks/chunk_router.hpp"
#include "actors/protocol/errors.hpp"

namespace cairn::actors {

using std::chrono::milliseconds;

void replica_writer::start(const services& s, trace_scope trace) {
  stores_ = s.stores;
  clock_ = s.clock;
  trace_ = std::move(trace);
  metrics_ = s.metrics;
}

void replica_writer::write(const chunk_id& id, slice bytes) {
  CAIRN_ASSERT(!stopped_);
  const auto routed = stores_->route_write(id);
  if (!routed) {
    stopped_ = true;
    return user_.write_failed(routed.error());
  }
  auto& c =
      chunks_.emplace(id.index, chunk{std::move(bytes), chunk_replicas{routed->route}, routed->epoch}).first->second;
  ++sent_;
  ++not_durable_;
  for (const auto owner : routed->route.nodes) {
    if (stalled_owners_.contains(owner) && !c.replicas.needs(owner))
      c.replicas.failed(owner);
    else
      send_to(id, c, owner);
    if (stopped_) return;
  }
}

void replica_writer::send_to(const chunk_id& id, chunk& c, node_number owner) {
  const auto* store = stores_->writer(id, owner);
  if (!store) return failed(id, c, owner, {errc::read_only, "no disk takes writes"});
  ++in_flight_;
  const trace_span sent{.name = span_name::write_chunk,
                        .start = trace_ ? clock_->now() : steady_time{},
                        .node = owner,
                        .chunk = id.index,
                        .bytes = c.bytes.length};
  self_->request(*store, caf::infinite, write_atom_v, chunk_payload{id, c.bytes, c.epoch})
      .then(
          [this, id, owner, sent](done_atom) {
            record(sent, {});
            answered(id, owner, nullptr);
          },
          [this, id, owner, sent](caf::error& why) {
            record(sent, from_caf(why).code);
            answered(id, owner, &why);
          });
}

void replica_writer::record(trace_span sent, errc outcome) const {
  if (!trace_) return;
  sent.end = clock_->now();
  sent.outcome = outcome;
  trace_.add(sent);
}

void replica_writer::answered(const chunk_id& id, node_number owner, const caf::error* why) {
  --in_flight_;
  stalled_owners_.erase(owner);
  if (const auto at = chunks_.find(id.index); at != chunks_.end()) {
    auto& c = at->second;
    if (!why) {
      c.replicas.confirmed(owner);
    } else {
      const auto reason = from_caf(*why);
      if (!again(id, c, owner, reason.code))
        failed(id, c, owner, reason);
      else if (!stopped_ && !c.durable && c.replicas.quorum_unreachable())
        fail_upload(id.index, c, reason); // a newer layout removed the owner that the chunk waited for
    }
    evaluate(id.index);
  }
  user_.write_ended();
}

// Whether the owner is asked again, or a newer layout made that unnecessary.
bool replica_writer::again(const chunk_id& id, chunk& c, node_number owner, errc code) {
  if (stopped_) return false;
  if (code == errc::no_space && stores_->is_local(owner) && c.replicas.pending(owner)) {
    if (++c.attempts[owner] >= stores_->local().disks()) return false;
    send_to(id, c, owner); // the disk that is full counts as full by now
    return true;
  }
  if (!stores_->in_cluster() || (code != errc::busy && code != errc::stale_layout)) return false;
  const bool stale = code == errc::stale_layout;
  const auto attempts = ++c.attempts[owner];
  if (attempts >= (stale ? layout_attempts_max : attempts_max)) return false;
  const auto routed = stores_->route_write(id);
  if (!routed || routed->epoch == c.epoch) {
    pause_for(id, owner, stale ? layout_pause : busy_pause * (1 << std::min(attempts - 1, attempts_max)));
    return true;
  }
  c.epoch = routed->epoch;
  const auto fresh = c.replicas.reroute(routed->route);
  for (const auto owner_now : fresh)
    if (!stopped_) send_to(id, c, owner_now);
  if (!stopped_ && c.replicas.pending(owner)) send_to(id, c, owner);
  return true;
}

void replica_writer::pause_for(const chunk_id& id, node_number owner, milliseconds time) {
  pauses_.push_back({clock_->now() + time, id, owner});
  wake_in(time);
}

void replica_writer::failed(const chunk_id& id, chunk& c, node_number owner, const error& why) {
  if (!c.replicas.pending(owner)) return; // not an owner any more
  c.replicas.failed(owner);
  if (stopped_) return;
  if (c.worst != errc::no_space) c.worst = why.code;
  c.failures += (c.failures.empty() ? "node " : ", node ") + std::to_string(owner) + ": " + to_string(why);
  if (c.replicas.quorum_unreachable() && !c.durable) fail_upload(id.index, c, why);
}

void replica_writer::fail_upload(std::uint32_t index, const chunk& c, const error& why) {
  stop();
  if (!stores_->in_cluster()) return user_.write_failed(why);
  const auto& route = c.replicas.route();
  user_.write_failed({c.worst == errc::no_space ? errc::no_space : errc::no_quorum,
                      "chunk " + std::to_string(index) + " needs " + std::to_string(route.quorum) + " of " +
                          std::to_string(route.counted) + " replicas: " + c.failures});
}

// After a change of the chunk's replicas: is the chunk durable, has every owner answered, may its buffer be released?
void replica_writer::evaluate(std::uint32_t index) {
  const auto at = chunks_.find(index);
  if (at == chunks_.end()) return;
  auto& c = at->second;
  const bool was = std::exchange(c.durable, c.durable || c.replicas.durable());
  if (c.durable && !was) {
    c.durable_since = last_durable_ = clock_->now();
    --not_durable_;
    if (!c.replicas.settled()) wake_in(grace);
  }
  const bool over = c.replicas.settled();
  const bool newly_stored = c.durable && over && !std::exchange(c.stored, true);
  if (over) {
    for (const auto owner : c.replicas.owners_without_confirmation()) missing_.add(owner, index);
    chunks_.erase(at);
  }
  if (newly_stored && !stopped_) user_.chunk_stored(index);
}

void replica_writer::tick() {
  const auto now = clock_->now();
  if (wakes_at_ && *wakes_at_ <= now) wakes_at_.reset();
  std::vector<pause> due;
  std::erase_if(pauses_, [&](const pause& p) {
    if (p.until > now) return false;
    due.push_back(p);
    return true;
  });
  for (const auto& p : pauses_) wake_in(std::chrono::ceil<milliseconds>(p.until - now));
  for (const auto& p : due) {
    const auto at = chunks_.find(p.id.index);
    if (stopped_ || at == chunks_.end() || !at->second.replicas.pending(p.owner)) continue;
    send_to(p.id, at->second, p.owner);
    evaluate(p.id.index);
  }
  std::vector<std::uint32_t> overdue;
  for (auto& [index, c] : chunks_) {
    if (!c.durable || c.stored) continue;
    const auto left = c.durable_since + grace - now;
    if (left.count() > 0) {
      wake_in(std::chrono::ceil<milliseconds>(left));
      continue;
    }
    c.stored = true;
    overdue.push_back(index);
    for (const auto owner : c.replicas.owners_without_confirmation())
      if (c.replicas.pending(owner)) stalled_owners_.insert(owner);
  }
  for (const auto index : overdue)
    if (!stopped_) user_.chunk_stored(index);
  if (!due.empty()) user_.write_ended();
}

void replica_writer::stop() {
  stopped_ = true;
  pauses_.clear();
}

unconfirmed_chunks replica_writer::unconfirmed() const {
  auto all = missing_;
  for (const auto& [index, c] : chunks_)
    for (const auto owner : c.replicas.owners_without_confirmation()) all.add(owner, index);
  return all;
}

void replica_writer::wake_in(milliseconds time) {
  const auto when = clock_->now() + time;
  if (wakes_at_ && *wakes_at_ <= when) return;
  wakes_at_ = when;
  self_->delayed_send(self_, time, tick_atom_v);
}

} // namespace cairn::actors

#include "actors/chunks/remote_store.hpp"

#include "actors/protocol/chunk_messages.hpp"
#include "actors/protocol/errors.hpp"
#include "actors/protocol/reply_table.hpp"
#include "base/checksum.hpp"
#include "base/log.hpp"

namespace cairn::actors {

namespace {

using data_promise = caf::typed_response_promise<chunk_data>;
using done_promise = caf::typed_response_promise<done_atom>;
using answered = result<link::answer>;

constexpr std::chrono::milliseconds retry_tick_interval{250}, probe_interval{1000};
constexpr std::uint32_t probe_bytes = 1;

class remote_state {
public:
  explicit remote_state(chunk_store_actor::pointer self) : self_(self) {}
  void start(remote_store_services services, const uuid& peer, std::shared_ptr<peer_health> health);
  caf::result<chunk_data> read(chunk_read& r);
  caf::result<done_atom> write(chunk_payload& chunk);
  caf::result<std::uint64_t> erase(chunk_ids& ids);
  void tick();
  void stop(const caf::exit_msg& m);

private:
  struct reading {
    std::optional<data_promise> answer; // nullopt: a probe
    chunk_read wanted;
    steady_time since;
    bool overdue = false;
  };

  steady_time now() const { return p_.clock->now(); }
  std::uint64_t microseconds_since(steady_time then) const {
    return std::uint64_t(std::chrono::duration_cast<std::chrono::microseconds>(now() - then).count());
  }
  layout_epoch epoch() const;
  void ask(std::optional<data_promise> answer, chunk_read wanted);
  void have_read(std::uint64_t id, const answered& got);
  result<chunk_data> checked(const reading& r, const answered& got) const;
  void note_health(const reading& r, errc failed);
  void probe();
  // Calls `then` on this actor with the answer; the returned callback runs on the link's threads.
  link::reply_callback on_actor(std::function<void(answered)> then) const {
    return [me = chunk_store_actor{self_}, then = std::move(then)](answered got) {
      caf::anon_send(me, completion{[then, got = std::move(got)]() mutable { then(std::move(got)); }});
    };
  }
  // Calls `deliver` with the decoded answer, or answers the request with the error.
  template <class Message, class Table, class Deliver>
  link::reply_callback answering(Table& table, std::uint64_t id, Deliver deliver);

  chunk_store_actor::pointer self_;
  remote_store_services p_;
  uuid peer_{};
  std::shared_ptr<peer_health> health_;
  std::map<std::uint64_t, reading> reads_;
  std::uint64_t next_read_ = 1;
  reply_table<done_promise> writes_;
  reply_table<caf::typed_response_promise<std::uint64_t>> erases_;
  std::optional<chunk_id> overdue_chunk_;
  steady_time next_probe_{};
  bool probing_ = false, was_suspect_ = false;
};
static_assert(!std::is_aggregate_v<remote_state>);

void remote_state::start(remote_store_services services, const uuid& peer, std::shared_ptr<peer_health> health) {
  p_ = std::move(services);
  peer_ = peer;
  health_ = std::move(health);
  self_->delayed_send(self_, retry_tick_interval, tick_atom_v);
}

layout_epoch remote_state::epoch() const {
  const auto layout = p_.layouts ? p_.layouts->get() : nullptr;
  return layout ? layout->epoch : 0;
}

caf::result<chunk_data> remote_state::read(chunk_read& r) {
  CAIRN_ASSERT(r.into && r.into->capacity() >= r.length);
  p_.metrics->remote_reads.fetch_add(1, std::memory_order_relaxed);
  auto promise = self_->make_response_promise<chunk_data>();
  ask(promise, std::move(r));
  return promise;
}

void remote_state::ask(std::optional<data_promise> answer, chunk_read wanted) {
  const auto id = next_read_++;
  auto request = encode(read_chunk_request{epoch(), wanted.id, wanted.offset, wanted.length});
  const slice into{wanted.into, 0, wanted.length};
  const auto since = now();
  reads_.emplace_hint(reads_.end(), id, reading{std::move(answer), std::move(wanted), since, false});
  p_.network->call_bulk(peer_, std::move(request), into, since + p_.read_timeout,
                        on_actor([this, id](const answered& got) { have_read(id, got); }));
}

void remote_state::have_read(std::uint64_t id, const answered& got) {
  auto node = reads_.extract(id);
  if (node.empty()) return;
  auto& r = node.mapped();
  auto data = checked(r, got);
  note_health(r, data ? errc{} : data.error().code);
  if (!r.answer) {
    probing_ = false;
  } else if (data) {
    p_.metrics->remote_read.observe_us(microseconds_since(r.since));
    p_.metrics->remote_read_bytes.fetch_add(data->bytes.length, std::memory_order_relaxed);
    r.answer->deliver(std::move(*data));
  } else {
    r.answer->deliver(to_caf(data.error()));
  }
}

result<chunk_data> remote_state::checked(const reading& r, const answered& got) const {
  if (!got) return got.error();
  const auto m = decode<read_chunk_answer>(got->bytes);
  if (!m) return m.error();
  const auto& w = r.wanted;
  const slice bytes{w.into, 0, got->payload.owner ? got->payload.length : 0};
  const auto left = m->chunk_length - std::min(m->chunk_length, w.offset);
  if (bytes.length != std::min(left, w.length) || crc32c(bytes.view()) != m->checksum) {
    log::warn("a peer's payload does not match its checksum",
              {{"peer", cairn::to_string(peer_)}, {"chunk", to_string(w.id)}});
    return error{errc::corrupt, "the payload was corrupted in transit"};
  }
  return chunk_data{bytes, m->chunk_length};
}

void remote_state::note_health(const reading& r, errc failed) {
  if (failed == errc{}) {
    const auto took = std::chrono::duration_cast<std::chrono::microseconds>(now() - r.since);
    if (took > p_.overdue_after) return; // a suspect peer must answer in time again
    if (r.answer)
      health_->answered(static_cast<std::uint64_t>(took.count()));
    else
      health_->alive();
    return;
  }
  if (failed == errc::timeout) {
    if (!r.overdue) health_->overdue();
    overdue_chunk_ = r.wanted.id;
  } else if (!r.overdue && failed != errc::connection_lost && failed != errc::busy && failed != errc::cancelled) {
    health_->alive();
  }
}

caf::result<done_atom> remote_state::write(chunk_payload& chunk) {
  p_.metrics->remote_writes.fetch_add(1, std::memory_order_relaxed);
  auto promise = self_->make_response_promise<done_atom>();
  const auto deadline = now() + p_.write_timeout;
  const auto id = writes_.add(promise, deadline);
  const auto by = chunk.epoch != 0 ? chunk.epoch : epoch();
  auto request = encode(write_chunk_request{by, chunk.id, crc32c(chunk.bytes.view())});
  p_.network->send_bulk(
      peer_, std::move(request), std::move(chunk.bytes), deadline,
      answering<write_chunk_answer>(writes_, id, [this, since = now()](done_promise& to, const write_chunk_answer&) {
        p_.metrics->remote_write.observe_us(microseconds_since(since));
        to.deliver(done_atom_v);
      }));
  return promise;
}

template <class Message, class Table, class Deliver>
link::reply_callback remote_state::answering(Table& table, std::uint64_t id, Deliver deliver) {
  return on_actor([&table, id, deliver](const answered& got) {
    auto waiting = table.take(id);
    if (!waiting) return;
    auto m = got ? decode<Message>(got->bytes) : result<Message>{got.error()};
    if (m)
      deliver(*waiting, std::move(*m));
    else
      waiting->deliver(to_caf(m.error()));
  });
}

caf::result<std::uint64_t> remote_state::erase(chunk_ids& ids) {
  if (ids.size() > chunk_ids_max) return to_caf({errc::too_large, "too many chunks at once"});
  auto promise = self_->make_response_promise<std::uint64_t>();
  const auto deadline = now() + p_.write_timeout;
  const auto id = erases_.add(promise, deadline);
  p_.network->call(peer_, encode(erase_chunks_request{epoch(), std::move(ids)}), deadline,
                   answering<erase_chunks_answer>(
                       erases_, id, [](auto& to, const erase_chunks_answer& m) { to.deliver(m.erased); }));
  return promise;
}

void remote_state::tick() {
  self_->delayed_send(self_, retry_tick_interval, tick_atom_v);
  for (auto& [id, r] : reads_) {
    if (now() - r.since < p_.overdue_after) break; // reads_ is in the order of time
    if (std::exchange(r.overdue, true)) continue;
    health_->overdue();
    overdue_chunk_ = r.wanted.id;
  }
  const bool suspect = health_->suspect();
  if (suspect != std::exchange(was_suspect_, suspect)) {
    log::write(suspect ? log::level::warn : log::level::info,
               suspect ? "a peer does not answer reads in time" : "a peer answers reads again",
               {{"peer", cairn::to_string(peer_)}});
  }
  if (suspect && !probing_ && next_probe_ <= now() && p_.network->up(peer_)) probe();
}

void remote_state::probe() {
  auto into = overdue_chunk_ ? p_.buffers->try_acquire(probe_bytes, reservation::growth) : nullptr;
  if (!into) return;
  next_probe_ = now() + probe_interval;
  probing_ = true;
  ask(std::nullopt, chunk_read{*overdue_chunk_, 0, probe_bytes, std::move(into)});
}

void remote_state::stop(const caf::exit_msg& m) {
  const auto stopping = to_caf({errc::stopping, "the node stops"});
  for (auto& [id, r] : reads_)
    if (r.answer) r.answer->deliver(stopping);
  reads_.clear();
  writes_.fail_all(stopping);
  erases_.fail_all(stopping);
  self_->quit(m.reason);
}

chunk_store_actor::behavior_type remote_store_behavior(chunk_store_actor::stateful_pointer<remote_state> self,
                                                       const remote_store_services& services, const uuid& peer,
                                                       const std::shared_ptr<peer_health>& health) {
  auto* state = &self->state;
  state->start(services, peer, health);
  self->set_exit_handler([state](caf::exit_msg& m) { state->stop(m); });
  return {
      [state](read_atom, chunk_read& r) { return state->read(r); },
      [state](write_atom, chunk_payload& chunk) { return state->write(chunk); },
      [state](erase_atom, chunk_ids& ids) { return state->erase(ids); },
      [](drop_atom, const chunk_ids&) -> caf::result<std::uint64_t> {
        return to_caf({errc::unsupported, "a node drops its own chunks only"});
      },
      [](list_atom, const chunk_list_query&) -> caf::result<chunk_ids> {
        return to_caf({errc::unsupported, "a node lists its own chunks only"});
      },
      [](completion& c) { c.run(); },
      [state](tick_atom) { state->tick(); },
  };
}

} // namespace

remote_store spawn_remote_store(caf::actor_system& system, remote_store_services services, const uuid& peer) {
  CAIRN_ASSERT(services.network && services.buffers && services.metrics && services.clock);
  auto health = std::make_shared<peer_health>();
  auto store = system.spawn(remote_store_behavior, std::move(services), peer, health);
  return {std::move(store), std::move(health)};
}

} // namespace cairn::actors

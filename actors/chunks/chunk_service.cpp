#include "actors/chunks/chunk_service.hpp"

#include "actors/chunks/retry_policy.hpp"
#include "actors/protocol/chunk_messages.hpp"
#include "actors/protocol/errors.hpp"
#include "base/checksum.hpp"

namespace cairn::actors {

namespace {

using request_ptr = std::shared_ptr<link::incoming_request>;

class server_state {
public:
  explicit server_state(chunk_server_actor::pointer self) : self_(self) {}
  void start(chunk_server_services services) { services_ = std::move(services); }
  void serve(const chunk_call& call);

private:
  struct reading {
    request_ptr request;
    read_chunk_request wanted;
    buffer_ptr into;
    std::size_t rank = 0;
    error worst;
  };
  // An erasure at every disk.
  struct round {
    request_ptr request;
    std::size_t to_answer = 0;
    error worst;
    std::uint64_t erased = 0;

    // True after the last answer.
    bool answered(const caf::error* failed) {
      auto why = failed ? from_caf(*failed) : error{};
      if (weight_of(why.code) > weight_of(worst.code)) worst = std::move(why);
      return --to_answer == 0;
    }
  };

  void read(const request_ptr& request);
  void read_next(const std::shared_ptr<reading>& r);
  void read_failed(const std::shared_ptr<reading>& r, error why);
  void have_read(const reading& r, const chunk_data& data);
  void write(const request_ptr& request);
  result<void> may_write(const write_chunk_request& m, const slice& payload) const;
  void erase(const request_ptr& request);
  std::shared_ptr<round> begin_round(const request_ptr& request) const;
  template <class Message>
  std::optional<Message> decoded(const link::incoming_request& request) const;

  chunk_server_actor::pointer self_;
  chunk_server_services services_;
};
static_assert(!std::is_aggregate_v<server_state>);

void server_state::serve(const chunk_call& call) {
  const auto& request = call.request;
  if (request->respond.cancelled()) return; // the dropped responder answers
  if (request->deadline <= services_.clock->now())
    return request->respond(error{errc::timeout, "the request expired before it was started"});
  switch (call.kind) {
    case peer_request::read_chunk: return read(request);
    case peer_request::write_chunk: return write(request);
    case peer_request::erase_chunks: return erase(request);
    default: CAIRN_ASSERT(!"a request about chunks");
  }
}

template <class Message>
std::optional<Message> server_state::decoded(const link::incoming_request& request) const {
  auto m = decode<Message>(request.bytes);
  if (m) return std::move(*m);
  request.respond(error{errc::invalid_argument, m.error().text});
  return std::nullopt;
}

void server_state::read(const request_ptr& request) {
  const auto m = decoded<read_chunk_request>(*request);
  if (!m) return;
  if (m->length > request->reply_max)
    return request->respond(error{errc::too_large, "the reply would exceed the requester's buffer"});
  auto into =
      services_.buffers->try_acquire(m->length, reservation::minimum, services_.accounts->of(request->from.node));
  if (!into) return request->respond(error{errc::busy, "no buffer for a peer's read"});
  read_next(std::make_shared<reading>(reading{request, *m, std::move(into), 0, {}}));
}

void server_state::read_next(const std::shared_ptr<reading>& r) {
  const auto& m = r->wanted;
  self_
      ->request(services_.stores->reader(m.id, r->rank), caf::infinite, read_atom_v,
                chunk_read{m.id, m.offset, m.length, r->into})
      .then([this, r](const chunk_data& data) { have_read(*r, data); },
            [this, r](caf::error& why) { read_failed(r, from_caf(why)); });
}

void server_state::read_failed(const std::shared_ptr<reading>& r, error why) {
  const auto code = why.code;
  if (weight_of(code) > weight_of(r->worst.code)) r->worst = std::move(why);
  // A disk that timed out may still write into the buffer; the buffer is released when the disk's job has ended.
  const bool again = code != errc::timeout && code != errc::stopping && ++r->rank < services_.stores->disks();
  if (!again && services_.disk_closed && r->worst.code == errc::not_found)
    r->worst = {errc::quarantined, "not on the disks that are open"};
  if (!again || r->request->respond.cancelled()) return r->request->respond(std::move(r->worst));
  read_next(r);
}

void server_state::have_read(const reading& r, const chunk_data& data) {
  link::answer a;
  const auto bytes = data.bytes.view();
  a.bytes = encode(read_chunk_answer{data.chunk_length, crc32c(bytes)});
  if (!bytes.empty()) a.payload = data.bytes;
  services_.metrics->peer_reads.fetch_add(1, std::memory_order_relaxed);
  r.request->respond(std::move(a));
}

result<void> server_state::may_write(const write_chunk_request& m, const slice& payload) const {
  if (!payload.owner || payload.length == 0) return error{errc::invalid_argument, "a chunk without bytes"};
  const auto layout = services_.layouts->get();
  const auto fenced = layout ? cluster::fence(*layout, partition_of(m.id), m.epoch) : cluster::fenced::store_behind;
  switch (fenced) {
    case cluster::fenced::requester_behind:
      return error{errc::stale_layout, "the layout epoch here is " + std::to_string(layout->epoch)};
    case cluster::fenced::store_behind:
      return error{errc::busy, "layout epoch " + std::to_string(m.epoch) + " is not known here yet"};
    case cluster::fenced::serve: break;
  }
  if (crc32c(payload.view()) != m.checksum) return error{errc::corrupt, "the payload was corrupted in transit"};
  return {};
}

void server_state::write(const request_ptr& request) {
  const auto m = decoded<write_chunk_request>(*request);
  if (!m) return;
  if (auto may = may_write(*m, request->payload); !may) return request->respond(may.error());
  const auto* writer = services_.stores->writer(m->id);
  if (!writer) return request->respond(error{errc::read_only, "no disk takes writes"});
  services_.metrics->peer_writes.fetch_add(1, std::memory_order_relaxed);
  self_->request(*writer, caf::infinite, write_atom_v, chunk_payload{m->id, std::move(request->payload), m->epoch})
      .then(
          [request](done_atom) {
            request->respond(link::answer{encode(write_chunk_answer{}), {}});
          },
          [request](caf::error& why) { request->respond(from_caf(why)); });
}

std::shared_ptr<server_state::round> server_state::begin_round(const request_ptr& request) const {
  auto r = std::make_shared<round>();
  r->request = request;
  r->to_answer = services_.stores->disks();
  return r;
}

void server_state::erase(const request_ptr& request) {
  const auto m = decoded<erase_chunks_request>(*request);
  if (!m) return;
  const auto r = begin_round(request);
  const auto finish = [r] {
    if (r->worst.code != errc{}) return r->request->respond(r->worst);
    r->request->respond(link::answer{encode(erase_chunks_answer{r->erased}), {}});
  };
  for (std::size_t disk = 0; disk < services_.stores->disks(); ++disk) {
    self_->request(services_.stores->disk_writer(disk), caf::infinite, erase_atom_v, m->ids)
        .then(
            [r, finish](std::uint64_t erased) {
              r->erased += erased;
              if (r->answered(nullptr)) finish();
            },
            [r, finish](caf::error& why) {
              if (r->answered(&why)) finish();
            });
  }
}

chunk_server_actor::behavior_type chunk_server(chunk_server_actor::stateful_pointer<server_state> self,
                                               const chunk_server_services& services) {
  auto* state = &self->state;
  state->start(services);
  return {[state](const chunk_call& call) { state->serve(call); }};
}

} // namespace

account_ptr peer_accounts::of(const uuid& node) {
  const std::lock_guard lock{mutex_};
  auto& account = accounts_[node];
  if (!account) account = std::make_shared<memory_account>("peer");
  return account;
}

chunk_service::chunk_service(caf::actor_system& system, const chunk_server_services& services, std::size_t actors)
    : buffers_(services.buffers), accounts_(services.accounts) {
  CAIRN_ASSERT(actors > 0 && services.stores && services.layouts && services.buffers && services.metrics &&
               services.clock);
  for (std::size_t i = 0; i < actors; ++i) servers_.push_back(system.spawn(chunk_server, services));
}

void chunk_service::serve_at(peer_service& service) const {
  service.set_allocator([pool = buffers_, accounts = accounts_](const link::peer& from, std::uint32_t bytes) {
    return pool->try_acquire(bytes, reservation::minimum, accounts->of(from.node));
  });
  const auto turn = std::make_shared<std::atomic<std::size_t>>(0);
  for (const auto kind : {peer_request::read_chunk, peer_request::write_chunk, peer_request::erase_chunks}) {
    service.serve(kind, [kind, turn, servers = servers_](link::incoming_request request) {
      const auto& server = servers[turn->fetch_add(1, std::memory_order_relaxed) % servers.size()];
      caf::anon_send(server, chunk_call{kind, std::make_shared<link::incoming_request>(std::move(request))});
    });
  }
}

void chunk_service::stop() {
  for (auto& s : servers_) caf::anon_send_exit(s, caf::exit_reason::user_shutdown);
  servers_.clear();
}

} // namespace cairn::actors

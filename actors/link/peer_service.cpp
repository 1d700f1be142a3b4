#include "actors/link/peer_service.hpp"

namespace cairn::actors {

static_assert(std::tuple_size_v<decltype(node_metrics::peer_requests)> == peer_request_kinds);

std::string_view name_of(peer_request kind) noexcept {
  switch (kind) {
    case peer_request::consensus: return "consensus";
    case peer_request::submit: return "submit";
    case peer_request::barrier: return "barrier";
    case peer_request::snapshot: return "snapshot";
    case peer_request::join: return "join";
    case peer_request::report: return "report";
    case peer_request::membership: return "membership";
    case peer_request::members: return "members";
    case peer_request::read_chunk: return "read_chunk";
    case peer_request::write_chunk: return "write_chunk";
    case peer_request::erase_chunks: return "erase_chunks";
  }
  return {};
}

buffer_ptr peer_service::acquire(const link::peer& from, std::string_view request, std::uint32_t bytes) {
  const bool write = !request.empty() && request.front() == char(peer_request::write_chunk);
  return write && from.member && allocator_ ? allocator_(from, bytes) : nullptr;
}

void peer_service::on_request(link::incoming_request request) {
  const std::size_t kind = request.bytes.empty() ? 0 : std::uint8_t(request.bytes.front());
  if (kind >= handlers_.size() || !handlers_[kind]) {
    return request.respond(error{errc::unsupported, "unknown request kind " + std::to_string(kind)});
  }
  if (!request.from.member && kind != std::size_t(peer_request::join)) {
    return request.respond(error{errc::invalid_argument, "only members of the cluster may send this request"});
  }
  if (metrics_) metrics_->peer_requests[kind].fetch_add(1, std::memory_order_relaxed);
  request.bytes.erase(0, 1);
  handlers_[kind](std::move(request));
}

} // namespace cairn::actors

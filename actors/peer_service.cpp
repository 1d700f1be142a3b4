#include "actors/peer_service.hpp"

namespace cairn::actors {

storage::buffer_ptr peer_service::acquire(const link::peer& from, std::string_view request, std::uint32_t bytes) {
  const bool write = !request.empty() && request.front() == char(peer_request::write_chunk);
  return write && from.member && allocator_ ? allocator_(from, bytes) : nullptr;
}

void peer_service::on_request(link::incoming_request request) {
  const std::size_t kind = request.bytes.empty() ? 0 : std::uint8_t(request.bytes.front());
  if (kind >= handlers_.size() || !handlers_[kind]) {
    return request.respond(error{errc::unsupported, "a request of kind " + std::to_string(kind)});
  }
  if (!request.from.member && kind != std::size_t(peer_request::join)) {
    return request.respond(error{errc::invalid_argument, "only members of the cluster may ask for that"});
  }
  request.bytes.erase(0, 1);
  handlers_[kind](std::move(request));
}

} // namespace cairn::actors

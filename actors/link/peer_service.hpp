// The requests that this node serves to its peers: the first byte of a request is its kind, and each kind has one
// handler. Handlers are set before the link server starts. They are called on the connections' strands, from several
// threads at once, and must not block.
#pragma once

#include "actors/link/service.hpp"
#include "base/metrics.hpp"

#include <array>
#include <string_view>

namespace cairn::actors {

// The first byte of a request; the values are part of the protocol between nodes. The grammar of the rest: membership
// in actors/protocol/operator_messages.hpp, chunks in actors/protocol/chunk_messages.hpp, the others in
// actors/protocol/cluster_messages.hpp.
enum class peer_request : std::uint8_t {
  consensus = 1,   // a message of the consensus core → empty, at once
  submit = 2,      // commands for the leader → their results
  barrier = 3,     // → the log index that a linearizable read waits for
  snapshot = 4,    // → a piece of the state, for a node that is far behind
  join = 5,        // a node that is not a member asks to become one
  report = 6,      // the state of a node, to the leader, each second
  membership = 7,  // an operator's request, forwarded to the leader, or by the leader to all
  members = 8,     // → the members that this node knows, for a node that was away
  read_chunk = 16, // → payload
  write_chunk = 17,
  erase_chunks = 18,
};
constexpr std::size_t peer_request_kinds = 32;
// The name of the kind in metrics ("read_chunk"); empty: no such kind.
std::string_view name_of(peer_request kind) noexcept;

class peer_service final : public link::link_service {
public:
  using handler = std::function<void(link::incoming_request)>; // request.bytes without the first byte
  using allocator = std::function<buffer_ptr(const link::peer& from, std::uint32_t bytes)>;

  // Strangers (nodes without a cluster) may send `join` only.
  void serve(peer_request kind, handler h) { handlers_[std::size_t(kind)] = std::move(h); }
  void count_in(node_metrics& metrics) { metrics_ = &metrics; }
  void set_allocator(allocator a) { allocator_ = std::move(a); } // for payloads of write_chunk

  buffer_ptr acquire(const link::peer& from, std::string_view request, std::uint32_t bytes) override;
  void on_request(link::incoming_request request) override;

private:
  std::array<handler, peer_request_kinds> handlers_;
  allocator allocator_;
  node_metrics* metrics_ = nullptr;
};

} // namespace cairn::actors

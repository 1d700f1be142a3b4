// What this node serves to its peers: a request's first byte says its kind, each kind has one handler. Handlers are set
// before the link server starts; they are called on the connections' strands, from several threads at once, and must
// not block.
#pragma once

#include "actors/link/service.hpp"
#include "base/metrics.hpp"

#include <array>
#include <string_view>

namespace cairn::actors {

// The first byte of a request. The numbers are part of the protocol between nodes. The rest of each is described where
// it is written: membership in actors/protocol/operator_messages.hpp, chunks in actors/protocol/chunk_messages.hpp,
// the others in actors/protocol/cluster_messages.hpp.
enum class peer_request : std::uint8_t {
  consensus = 1,   // a message of the consensus core; answered at once, empty
  submit = 2,      // commands for the leader → their results
  barrier = 3,     // → the log index that a linearizable read waits for
  snapshot = 4,    // a piece of the state, for a node that is far behind
  join = 5,        // a node that is no member yet asks to become one
  report = 6,      // how a node is, to the leader, each second
  membership = 7,  // what an operator asks, passed on to the leader, or by it to all
  members = 8,     // → whom this node knows, for one that was away while they changed
  read_chunk = 16, // → payload
  write_chunk = 17,
  erase_chunks = 18,
};
constexpr std::size_t peer_request_kinds = 32;
// As metrics name it ("read_chunk"); empty: there is no such kind.
std::string_view name_of(peer_request kind) noexcept;

class peer_service final : public link::link_service {
public:
  using handler = std::function<void(link::incoming_request)>; // request.bytes without the first byte
  using allocator = std::function<storage::buffer_ptr(const link::peer& from, std::uint32_t bytes)>;

  // Strangers (nodes that are of no cluster yet) get to `join` only.
  void serve(peer_request kind, handler h) { handlers_[std::size_t(kind)] = std::move(h); }
  void count_in(storage::node_metrics& metrics) { metrics_ = &metrics; }
  void set_allocator(allocator a) { allocator_ = std::move(a); } // for payloads of write_chunk

  storage::buffer_ptr acquire(const link::peer& from, std::string_view request, std::uint32_t bytes) override;
  void on_request(link::incoming_request request) override;

private:
  std::array<handler, peer_request_kinds> handlers_;
  allocator allocator_;
  storage::node_metrics* metrics_ = nullptr;
};

} // namespace cairn::actors

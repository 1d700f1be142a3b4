// The first frames of a connection: who speaks, for which cluster, and whether the two may talk.
//
//   hello = protocol_oldest:u16 protocol_newest:u16 cluster:16 cluster_name:string node:16 incarnation:u64
//           feature_level:u32 feature_active:u32 lane:u8 link:u64 credit_bytes:u64 rest
//
// `rest` is empty up to the protocol of this release and ignored when the sender also speaks a newer one. Names are
// length-prefixed as in base/codec.hpp. Errors: corrupt (not a hello), unsupported (no common protocol or features),
// invalid_argument (another cluster or identity than it may be); each text says what the operator has to look at.
#pragma once

#include "actors/link/wire/frame.hpp"
#include "base/ids.hpp"

#include <optional>
#include <string>

namespace cairn::actors::link {

constexpr std::uint16_t protocol_oldest = 1, protocol_newest = 1;
constexpr std::size_t cluster_name_bytes_max = 255;

struct hello {
  std::uint16_t oldest = protocol_oldest, newest = protocol_newest;
  storage::uuid cluster{}; // all zero: not a member of any cluster yet
  std::string cluster_name;
  storage::uuid node{};
  std::uint64_t incarnation = 0;
  std::uint32_t feature_level = 0;  // the newest commands that the node understands
  std::uint32_t feature_active = 0; // those that its cluster uses already
  link::lane lane{};
  std::uint64_t link = 0;         // random; the connections of one link share it
  std::uint64_t credit_bytes = 0; // welcome: what the dialer may have outstanding in payloads, both ways together
  friend bool operator==(const hello&, const hello&) = default;
};

std::string encode(const hello& h);
result<hello> decode_hello(std::string_view bytes);

// The other end of an open connection.
struct peer {
  storage::uuid node{};
  std::uint64_t incarnation = 0, link = 0;
  std::uint32_t feature_level = 0;
  std::uint16_t protocol = 0; // the newest that both speak
  link::lane lane{};
  bool member = false;    // both are of the same cluster; else one of them is about to join
  bool certified = false; // its certificate names `node`; false on plaintext connections
};

// Greetings that end so are news for operators: they do not pass by themselves.
constexpr bool is_refusal(errc code) {
  return code == errc::invalid_argument || code == errc::unsupported || code == errc::precondition_failed;
}

struct hello_rules {
  hello own;
  std::optional<storage::uuid> expected; // whom the dialer wants to reach, when it knows
  bool strangers = true;                 // nodes that are of no cluster may connect, to ask to join

  // `certified`: the node that the peer's certificate names; nothing on a plaintext connection.
  result<peer> judge(const hello& theirs, const std::optional<storage::uuid>& certified) const;

private:
  result<bool> judge_cluster(const hello& theirs) const; // true: the same
  result<void> judge_identity(const hello& theirs, const std::optional<storage::uuid>& certified) const;
};

} // namespace cairn::actors::link

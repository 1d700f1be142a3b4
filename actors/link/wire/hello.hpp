// The first frames of a connection: identity and cluster of the sender, and the rules whether two nodes may connect.
//
//   hello = protocol_oldest:u16 protocol_newest:u16 cluster:16 cluster_name:string node:16 incarnation:u64
//           feature_level:u32 feature_active:u32 lane:u8 link:u64 credit_bytes:u64 rest
//
// `rest` is empty in this release's protocol, and is ignored when the sender also speaks a newer one. Names are
// length-prefixed as in base/codec.hpp. Errors: corrupt (not a hello), unsupported (no common protocol or features),
// invalid_argument (an unexpected cluster or identity); each text is for the operator.
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
  uuid cluster{}; // all zero: not a member of any cluster yet
  std::string cluster_name;
  uuid node{};
  std::uint64_t incarnation = 0;
  std::uint32_t feature_level = 0;  // the newest feature level that the node supports
  std::uint32_t feature_active = 0; // the feature level that its cluster uses
  link::lane lane{};
  std::uint64_t link = 0;         // random; the connections of one link share it
  std::uint64_t credit_bytes = 0; // welcome: the payload bytes that the dialer may have outstanding
  friend bool operator==(const hello&, const hello&) = default;
};

std::string encode(const hello& h);
result<hello> decode_hello(std::string_view bytes);

// The other end of an open connection.
struct peer {
  uuid node{};
  std::uint64_t incarnation = 0, link = 0;
  std::uint32_t feature_level = 0;
  std::uint16_t protocol = 0; // the newest that both support
  link::lane lane{};
  bool member = false;    // both are in the same cluster; false: one of them is about to join
  bool certified = false; // its certificate names `node`; false on plaintext connections
};

// Hellos that end with such an error are logged for the operator: they need an operator's action.
constexpr bool is_refusal(errc code) {
  return code == errc::invalid_argument || code == errc::unsupported || code == errc::precondition_failed;
}

struct hello_rules {
  hello own;
  std::optional<uuid> expected; // the node that the dialer wants to reach, if known
  bool strangers = true;        // nodes without a cluster may connect, to ask to join

  // `certified`: the node that the peer's certificate names; nullopt on a plaintext connection.
  result<peer> judge(const hello& theirs, const std::optional<uuid>& certified) const;

private:
  result<bool> judge_cluster(const hello& theirs) const; // true: the same cluster
  result<void> judge_identity(const hello& theirs, const std::optional<uuid>& certified) const;
};

} // namespace cairn::actors::link

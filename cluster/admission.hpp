// Who may join the cluster. A certificate of the cluster's CA is not enough: a joining node needs an invitation that an
// operator made (`cairn cluster add`); each invitation admits one node, once.
//
// - Join token: the metadata keeps its SHA-256. The joining node proves possession for its own identity with
//   HMAC-SHA256(key = SHA-256(token), "cairn join " node:16), so the token is never sent, and an eavesdropper cannot
//   use the proof for another node.
// - Approval: names a node. Only a certificate proves the node's identity, so an approval counts only on TLS links.
// - Founding: a new cluster admits nodes without an invitation for `window` after its first start, until its first
//   invitation or removal, and up to `nodes_max` node numbers. A plaintext link, which is restricted to loopback unless
//   cluster.insecure is set, loses nothing by that: whoever reaches it can claim to be a member anyway.
//
// A member needs no invitation to reconnect. A removed identity is refused for ever. Pure functions.
#pragma once

#include "base/seams.hpp"
#include "cluster/layout/layout.hpp"
#include "storage/metadata/read/view.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace cairn::cluster {

using storage::metadata::invitation;
using storage::metadata::token_hash;
using join_proof = std::array<std::uint8_t, 32>;

constexpr std::string_view join_token_prefix = "cairn-join-"; // then 40 lower-case hexadecimal digits

std::string make_join_token(random_source& random);
token_hash hash_of_token(std::string_view token);
join_proof prove_token(const token_hash& token, const uuid& node);

struct founding_rules {
  std::chrono::milliseconds window{600'000};
  std::size_t nodes_max = 16;
};

struct join_claim {
  uuid node{};
  bool certified = false; // the connection's certificate names the node
  std::optional<join_proof> proof;
};

struct admission {
  enum class verdict : std::uint8_t { known, founding, invited, wait, refused };
  verdict what{};
  invitation by{}; // invited
  error why{};     // wait, refused: for the joining node and its operator
};

// `rows`: the metadata's admission rows; `level`: the feature level of the commands that the log may hold.
admission judge_join(const join_claim& claim, const layout& now, const storage::metadata::admission_rows& rows,
                     const founding_rules& rules, std::uint8_t level, wall_ms wall);

} // namespace cairn::cluster

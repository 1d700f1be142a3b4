// Who may become a member of the cluster. A certificate of the cluster's CA is not enough: whoever asks needs an
// invitation that an operator made (`cairn cluster add`), which lets one node in, once.
//
// - A join token: the log keeps its SHA-256, the newcomer proves that it has the token for its own identity,
//   HMAC-SHA256(key = SHA-256(token), "cairn join " node:16), so that the token never travels and what is overheard
//   lets nobody else in.
// - An approval names a node; only a certificate proves that it is that node, so it counts on TLS links alone.
// - While a cluster is founded, nodes need neither: for `window` after its first start, until its first invitation or
//   removal, and up to `nodes_max` numbers. On a plaintext link, which does not leave the machine unless
//   cluster.insecure says so, that gives nothing away: who reaches it can say that it is a member.
//
// A node that is a member already needs no invitation to come back, a removed identity never does. Pure functions.
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

std::string make_join_token(storage::random_source& random);
token_hash hash_of_token(std::string_view token);
join_proof prove_token(const token_hash& token, const storage::uuid& node);

struct founding_rules {
  std::chrono::milliseconds window{600'000};
  std::size_t nodes_max = 16;
};

struct join_claim {
  storage::uuid node{};
  bool certified = false; // the connection's certificate names the node
  std::optional<join_proof> proof;
};

struct admission {
  enum class verdict : std::uint8_t { known, founding, invited, wait, refused };
  verdict what{};
  invitation by{}; // invited
  error why{};     // wait, refused: for the newcomer and its operator
};

// `rows`: what the log knows; `level`: the commands that the log may hold.
admission judge_join(const join_claim& claim, const layout& now, const storage::metadata::admission_rows& rows,
                     const founding_rules& rules, std::uint8_t level, storage::wall_ms wall);

} // namespace cairn::cluster

#include "cluster/admission.hpp"

#include "base/codec.hpp"
#include "base/digest.hpp"

#include <algorithm>
#include <cstdlib>

namespace cairn::cluster {

namespace {

namespace meta = storage::metadata;

constexpr std::size_t token_random_bytes = 20;
constexpr std::string_view proof_label = "cairn join ";

bytes_view bytes_of(std::string_view text) {
  return std::as_bytes(std::span{text.data(), text.size()});
}

admission with(admission::verdict what, errc code, std::string text) {
  return {what, {}, {code, std::move(text)}};
}

bool is_founding(const layout& now, const meta::admission_rows& rows, const founding_rules& rules, wall_ms wall) {
  const bool anybody_removed =
      std::ranges::any_of(now.members, [](const member& m) { return m.state == member_state::removed; });
  const auto age = std::abs(wall - rows.created); // negative when this leader's clock is behind the founder's
  return !rows.founded && !anybody_removed && age < rules.window.count() && now.members.size() < rules.nodes_max;
}

const invitation* proven(const join_claim& claim, const meta::admission_rows& rows, wall_ms wall) {
  const invitation* found = nullptr;
  for (const auto& i : rows.invitations) {
    if (i.token == token_hash{} || i.expires <= wall || (i.node != uuid{} && i.node != claim.node)) continue;
    const auto wanted = prove_token(i.token, claim.node);
    if (equal_in_constant_time(std::as_bytes(std::span{wanted}), std::as_bytes(std::span{*claim.proof}))) found = &i;
  }
  return found;
}

} // namespace

std::string make_join_token(random_source& random) {
  std::string out{join_token_prefix};
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < token_random_bytes; ++i, word >>= 8) {
    if (i % sizeof word == 0) word = random.next();
    out += hex_of(word & 0xff, 2);
  }
  return out;
}

token_hash hash_of_token(std::string_view token) {
  return sha256_of(bytes_of(token));
}

join_proof prove_token(const token_hash& token, const uuid& node) {
  std::string message{proof_label};
  message.append(reinterpret_cast<const char*>(node.data()), node.size());
  return hmac_sha256(std::as_bytes(std::span{token}), bytes_of(message));
}

admission judge_join(const join_claim& claim, const layout& now, const meta::admission_rows& rows,
                     const founding_rules& rules, std::uint8_t level, wall_ms wall) {
  using verdict = admission::verdict;
  const auto name = cairn::to_string(claim.node);
  const auto known = std::ranges::find(now.members, claim.node, &member::id);
  if (known != now.members.end() && known->state == member_state::removed)
    return with(verdict::refused, errc::precondition_failed,
                "node " + name + " was removed from the cluster: its identity is refused for ever");
  if (known != now.members.end()) return {verdict::known, {}, {}};
  if (claim.proof) {
    if (const auto* by = proven(claim, rows, wall)) return {verdict::invited, *by, {}};
    return with(verdict::refused, errc::invalid_argument,
                "the join token of node " + name +
                    " is not known: it was used before, has expired, or is another cluster's. `cairn cluster add` on a "
                    "member makes one");
  }
  if (claim.certified)
    for (const auto& i : rows.invitations)
      if (i.token == token_hash{} && i.node == claim.node && i.expires > wall) return {verdict::invited, i, {}};
  if (is_founding(now, rows, rules, wall)) return {verdict::founding, {}, {}};
  if (level < meta::feature_level_of_invitations)
    return with(verdict::wait, errc::busy, "nodes can be added once all members run this version");
  if (claim.certified)
    return with(verdict::wait, errc::busy,
                "node " + name + " waits for an operator: `cairn cluster add " + name + "` on a member lets it in");
  return with(verdict::refused, errc::invalid_argument,
              "without TLS a node needs cluster.join_token to join: `cairn cluster add` on a member makes one");
}

} // namespace cairn::cluster

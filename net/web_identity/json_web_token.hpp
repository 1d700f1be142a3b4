// A token of an OpenID Connect issuer, as anybody may send it: a JSON Web Token in compact form (RFC 7519, 7515), and
// whether its claims let it in. Pure: whether it was signed is json_web_keys.hpp's question. Errors are STS's.
#pragma once

#include "base/seams.hpp"
#include "config/config.hpp"
#include "net/s3/xml/s3_errors.hpp"
#include "net/web_identity/json_web_keys.hpp"
#include "storage/policy/request.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace cairn::net {

struct web_token {
  std::string text;
  signature_header header;
  std::string issuer, subject;
  std::vector<std::string> audiences;              // at least one
  std::vector<std::string> methods;                // amr
  std::string authorized_party;                    // azp; empty: none
  wall_ms expires = 0, not_before = 0, issued = 0; // the last two: 0: not said
  // Of the session, as the claim https://aws.amazon.com/tags has them; not judged.
  storage::policy::tag_pairs tags{};
  std::vector<std::string> transitive_tag_keys{};
};

constexpr std::size_t web_token_bytes_max = 20'000; // as AWS's

// InvalidIdentityToken. A member that comes twice, an algorithm that is none of is_signature_algorithm, and a header
// with extensions that must be understood (`crit`) are refused.
std::variant<web_token, s3_error> read_web_token(std::string_view text);

// Whether the claims let the token in at this issuer: InvalidIdentityToken (another issuer or audience),
// ExpiredTokenException, IDPRejectedClaim (its time has not come). Clocks may differ by a minute.
std::optional<s3_error> refused_claims(const web_token& token, const config::oidc_issuer& issuer, wall_ms now);

// Of the audiences the one for which the token was let in.
std::string_view audience_of(const web_token& token, const config::oidc_issuer& issuer);

// What the token adds to the condition keys of its sender.
storage::policy::context with_claims(storage::policy::context with, const web_token& token);

s3_error invalid_identity_token(std::string message); // 400

} // namespace cairn::net

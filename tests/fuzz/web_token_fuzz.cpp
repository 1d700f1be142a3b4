// A token of a web identity, as anybody may send it, and the documents of an issuer: never a crash, and what is let in
// keeps the bounds. No input is signed by the known key but the known token, also with some of its bytes changed.
#include "net/web_identity/identity_provider.hpp"
#include "net/web_identity/json_web_token.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

namespace {

using namespace cairn;

// RFC 7515, A.3.
constexpr std::string_view known_keys =
    R"({"keys":[{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",)"
    R"("y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]})";
constexpr std::string_view known_token =
    "eyJhbGciOiJFUzI1NiJ9."
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ."
    "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";

void check_claims(const net::web_token& token) {
  const config::oidc_issuer issuer{"https://idp.example.org", {"cairn", "x"}, {}, {}};
  constexpr wall_ms now = 1'800'000'000'000, minute = 60'000;
  if (!net::is_signature_algorithm(token.header.algorithm) || token.subject.empty() || token.subject.size() > 255 ||
      token.audiences.empty() || token.audiences.size() > 16 ||
      std::count(token.text.begin(), token.text.end(), '.') != 2)
    std::abort();
  if (net::refused_claims(token, issuer, now)) return;
  const auto audience = net::audience_of(token, issuer);
  const auto has = [audience](const auto& list) { return std::find(list.begin(), list.end(), audience) != list.end(); };
  if (token.issuer != issuer.issuer || !has(issuer.audiences) || !has(token.audiences)) std::abort();
  if (token.audiences.size() > 1 && token.authorized_party != audience) std::abort();
  if (token.expires <= now - minute || token.not_before > now + minute || token.issued > now + minute) std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view sent{reinterpret_cast<const char*>(data), size};
  const auto read = net::read_web_token(sent);
  if (const auto* token = std::get_if<net::web_token>(&read)) check_claims(*token);

  static const auto keys = net::json_web_keys::read(known_keys).value();
  const net::signature_header header{"ES256", {}};
  const auto& key = *keys.find(header);
  if (net::has_signed(key, header, sent) != (sent == known_token)) std::abort();
  std::string changed{known_token};
  for (std::size_t i = 0; i + 1 < size && i < 16; i += 2) {
    auto& byte = changed[data[i] % changed.size()];
    byte = static_cast<char>(byte ^ data[i + 1]);
  }
  if (net::has_signed(key, header, changed) != (changed == known_token)) std::abort();

  const auto others = net::json_web_keys::read(sent);
  if (others && others->size() > net::json_web_keys::keys_max) std::abort();
  for (const auto* algorithm : {"RS256", "ES384"})
    if (const auto* found = others ? others->find({algorithm, {}}) : nullptr; found && found->signature_bytes > 1024)
      std::abort();
  const auto url = net::read_discovery(sent, "https://idp.example.org");
  if (url && !url->starts_with("https://")) std::abort();
  return 0;
}

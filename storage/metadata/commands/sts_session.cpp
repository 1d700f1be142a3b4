#include "storage/metadata/commands/sts_session.hpp"

#include "storage/metadata/rows/rows.hpp"

#include <algorithm>

namespace cairn::storage::metadata {

namespace {

constexpr std::uint8_t token_version = 1;
constexpr wall_ms second = 1000, minute = 60 * second, one_day = 24 * 60 * minute;
constexpr wall_ms key_used_for = 30 * one_day;
// Before a key is replaced because of how it is sealed: nodes that are configured differently would replace each
// other's, and the oldest keys go with the tokens that they have sealed.
constexpr wall_ms key_used_at_least = 10 * minute;
constexpr std::string_view bound_to = "token key";
// Tokens of a key are made as long as no later one is there, by clocks that may differ.
constexpr wall_ms key_kept_for = user_session_seconds_max * second + one_day;
static_assert(token_nonce_bytes == secrets::nonce_bytes && token_key_bytes == secrets::key_bytes);

// `for_sealing`: the successor is sealed in another way.
bool is_replaced(const token_key& newest, bool for_sealing, wall_ms now) {
  return now - newest.created >= (for_sealing ? key_used_at_least : key_used_for);
}

error no_token() {
  return {errc::access_denied, "not a token of these keys"};
}

result<secrets::sealing_key> open_key(const token_key& key, const secrets::key_ring* sealing) {
  const auto id = secrets::key_id_of(key.bytes);
  std::string bytes = key.bytes;
  if (!id.empty()) {
    if (sealing == nullptr || !sealing->has(id))
      return error{errc::secret_sealed, "a key of temporary credentials is sealed with the key " + id +
                                            ", which this node does not have (auth.sealing_key_file)"};
    auto opened = sealing->open(key.bytes, bound_to);
    if (!opened) return error{errc::secret_sealed, "a key of temporary credentials: " + opened.error().text};
    bytes = std::move(*opened);
  }
  if (bytes.size() != secrets::key_bytes)
    return error{errc::corrupt, "a key of temporary credentials has another size"};
  return secrets::sealing_key{std::as_bytes(std::span{bytes}).first<secrets::key_bytes>()};
}

} // namespace

bool valid_session_name(std::string_view name) {
  return name.size() >= session_name_bytes_min && valid_identity_name(name, session_name_bytes_max);
}

void write_session(byte_writer& w, const sts_session& s) {
  w.boolean(s.of_role).string(s.name).string(s.id).string(s.session);
  write_time(w, s.issued);
  write_time(w, s.expires);
  w.string(s.policy);
}

sts_session read_session(byte_reader& r) {
  sts_session s;
  s.of_role = r.boolean();
  s.name = r.string();
  s.id = r.string();
  s.session = r.string();
  s.issued = read_time(r);
  s.expires = read_time(r);
  s.policy = r.string();
  const bool named = s.of_role ? valid_session_name(s.session) : s.session.empty();
  if (!named || !valid_identity_name(s.name) || s.id.empty() || s.id.size() > identity_id_bytes_max ||
      s.policy.size() > session_policy_bytes_max)
    r.fail();
  return s;
}

result<std::string> seal_token(const token_key& key, const secrets::key_ring* sealing, std::string_view access_key,
                               const opened_token& contents, std::span<const std::byte, token_nonce_bytes> nonce) {
  const auto with = open_key(key, sealing);
  if (!with) return with.error();
  byte_writer w{256};
  w.u8(token_version).string(contents.secret);
  write_session(w, contents.session);
  return secrets::seal(*with, w.view(), access_key, nonce);
}

result<opened_token> open_token(const token_keys& keys, const secrets::key_ring* sealing, std::string_view access_key,
                                std::string_view token) {
  if (token.size() > token_bytes_max) return no_token();
  const auto id = secrets::key_id_of(token);
  if (id.empty()) return no_token();
  error refused = no_token();
  for (const auto& one : keys) {
    const auto key = open_key(one, sealing);
    if (!key) refused = key.error();
    if (!key || key->id() != id) continue;
    const auto plain = secrets::open(*key, token, access_key);
    if (!plain) return no_token();
    byte_reader r{*plain};
    opened_token contents;
    if (r.u8() != token_version) r.fail();
    contents.secret = r.string();
    contents.session = read_session(r);
    if (!r.finished() || contents.secret.empty()) return no_token();
    return contents;
  }
  return refused;
}

std::string stored_token_key(std::string bytes, const secrets::key_ring* sealing, random_source& random) {
  return sealing == nullptr ? std::move(bytes) : sealing->seal(bytes, bound_to, random);
}

bool wants_token_key(const token_keys& keys, const secrets::key_ring* sealing, wall_ms now) {
  if (keys.empty()) return true;
  const auto id = secrets::key_id_of(keys.back().bytes);
  return is_replaced(keys.back(), sealing != nullptr && (id.empty() || !sealing->has(id)), now);
}

bool add_token_key(token_keys& keys, std::string bytes, wall_ms now) {
  const auto id = secrets::key_id_of(bytes);
  if (!keys.empty() && !is_replaced(keys.back(), !id.empty() && id != secrets::key_id_of(keys.back().bytes), now))
    return false;
  keys.push_back({std::move(bytes), now});
  const auto is_over = [now](const token_key& successor) { return now - successor.created >= key_kept_for; };
  while (keys.size() > 1 && (is_over(keys[1]) || keys.size() > token_keys_max)) keys.erase(keys.begin());
  return true;
}

} // namespace cairn::storage::metadata

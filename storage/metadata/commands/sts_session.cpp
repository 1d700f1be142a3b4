#include "storage/metadata/commands/sts_session.hpp"

#include "base/secrets/sealing.hpp"
#include "storage/metadata/rows/rows.hpp"

#include <algorithm>

namespace cairn::storage::metadata {

namespace {

constexpr std::uint8_t token_version = 1;
constexpr std::size_t key_id_bytes = 8;
constexpr wall_ms second = 1000, day = 24 * 3600 * second;
constexpr wall_ms key_used_for = 30 * day;
// Tokens of a key are made as long as no later one is there, by clocks that may differ.
constexpr wall_ms key_kept_for = user_session_seconds_max * second + day;
static_assert(token_nonce_bytes == secrets::nonce_bytes && token_key_bytes == secrets::sealing_key::bytes);

error no_token() {
  return {errc::access_denied, "not a token of these keys"};
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

std::string seal_token(const token_key& key, std::string_view access_key, const opened_token& contents,
                       std::span<const std::byte, token_nonce_bytes> nonce) {
  const auto with = secrets::sealing_key::read(key.bytes);
  CAIRN_ASSERT(with.has_value());
  byte_writer w{256};
  w.u8(token_version).string(contents.secret);
  write_session(w, contents.session);
  return with->id() + secrets::seal(*with, w.view(), access_key, nonce);
}

result<opened_token> open_token(const token_keys& keys, std::string_view access_key, std::string_view token) {
  if (token.size() < key_id_bytes || token.size() > token_bytes_max) return no_token();
  for (const auto& one : keys) {
    const auto key = secrets::sealing_key::read(one.bytes);
    if (!key || key->id() != token.substr(0, key_id_bytes)) continue;
    const auto plain = secrets::open(*key, token.substr(key_id_bytes), access_key);
    if (!plain) continue;
    byte_reader r{*plain};
    opened_token contents;
    if (r.u8() != token_version) r.fail();
    contents.secret = r.string();
    contents.session = read_session(r);
    if (!r.finished() || contents.secret.empty()) return no_token();
    return contents;
  }
  return no_token();
}

bool wants_token_key(const token_keys& keys, wall_ms now) {
  return keys.empty() || now - keys.back().created >= key_used_for;
}

bool add_token_key(token_keys& keys, std::string bytes, wall_ms now) {
  if (!wants_token_key(keys, now)) return false;
  keys.push_back({std::move(bytes), now});
  const auto is_over = [now](const token_key& successor) { return now - successor.created >= key_kept_for; };
  while (keys.size() > 1 && (is_over(keys[1]) || keys.size() > token_keys_max)) keys.erase(keys.begin());
  return true;
}

} // namespace cairn::storage::metadata

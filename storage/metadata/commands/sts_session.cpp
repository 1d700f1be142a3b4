#include "storage/metadata/commands/sts_session.hpp"

#include "storage/metadata/rows/names.hpp"
#include "storage/metadata/rows/rows.hpp"

#include <algorithm>

namespace cairn::storage::metadata {

namespace {

constexpr std::uint8_t token_version = 1, token_version_with_tags = 2;
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

// Characters of a text in UTF-8.
std::size_t characters_in(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

bool valid_tag_part(std::string_view text, std::size_t characters_max) {
  constexpr std::string_view others = " _.:/=+-@";
  return valid_utf8(text) && characters_in(text) <= characters_max &&
         std::all_of(text.begin(), text.end(), [&](char c) {
           const char low = policy::lower_letter(c);
           return static_cast<unsigned char>(c) >= 0x80 || (c >= '0' && c <= '9') || (low >= 'a' && low <= 'z') ||
                  others.find(c) != others.npos;
         });
}

void write_tags(byte_writer& w, const session_tags& tags) {
  w.varint(tags.size());
  for (const auto& tag : tags) w.string(tag.key).string(tag.value).boolean(tag.transitive);
}

session_tags read_tags(byte_reader& r) {
  constexpr std::size_t tag_bytes_min = 3;
  session_tags tags;
  const std::size_t count = r.count(tag_bytes_min);
  if (count > session_tags_max) r.fail();
  for (std::size_t i = 0; i < count && r.ok(); ++i) {
    session_tag tag;
    tag.key = r.string();
    tag.value = r.string();
    tag.transitive = r.boolean();
    if (!valid_session_tag(tag.key, tag.value) || find_tag(tags, tag.key) != nullptr) r.fail();
    tags.push_back(std::move(tag));
  }
  return tags;
}

} // namespace

bool valid_session_tag(std::string_view key, std::string_view value) {
  constexpr std::string_view reserved = "aws:";
  return !key.empty() && !policy::same_word(key.substr(0, reserved.size()), reserved) &&
         valid_tag_part(key, tag_name_bytes_max) && valid_tag_part(value, tag_value_bytes_max);
}

const session_tag* find_tag(const session_tags& tags, std::string_view key) {
  const auto found =
      std::find_if(tags.begin(), tags.end(), [key](const auto& tag) { return policy::same_word(tag.key, key); });
  return found == tags.end() ? nullptr : &*found;
}

std::size_t packed_bytes(std::string_view policy, const session_tags& tags) {
  std::size_t sum = policy.size();
  for (const auto& tag : tags) sum += tag.key.size() + tag.value.size();
  return sum;
}

void override_tags(policy::tag_pairs& of_role, const session_tags& by) {
  for (const auto& tag : by) {
    bool is_there = false;
    for (auto& [key, value] : of_role) {
      if (!policy::same_word(key, tag.key)) continue;
      value = tag.value;
      is_there = is_there || key == tag.key;
    }
    if (!is_there) of_role.emplace_back(tag.key, tag.value);
  }
}

bool valid_session_name(std::string_view name) {
  return name.size() >= session_name_bytes_min && valid_identity_name(name, session_name_bytes_max);
}

void write_session(byte_writer& w, const sts_session& s, bool with_tags) {
  w.boolean(s.of_role).string(s.name).string(s.id).string(s.session);
  write_time(w, s.issued);
  write_time(w, s.expires);
  w.string(s.policy);
  if (with_tags) write_tags(w, s.tags);
}

sts_session read_session(byte_reader& r, bool with_tags) {
  sts_session s;
  s.of_role = r.boolean();
  s.name = r.string();
  s.id = r.string();
  s.session = r.string();
  s.issued = read_time(r);
  s.expires = read_time(r);
  s.policy = r.string();
  if (with_tags) s.tags = read_tags(r);
  const bool named = s.of_role ? valid_session_name(s.session) : s.session.empty();
  if (!named || !valid_identity_name(s.name) || s.id.empty() || s.id.size() > identity_id_bytes_max ||
      s.policy.size() > session_policy_bytes_max || (!s.of_role && !s.tags.empty()) ||
      packed_bytes(s.policy, s.tags) > session_packed_bytes_max)
    r.fail();
  return s;
}

result<std::string> seal_token(const token_key& key, const secrets::key_ring* sealing, std::string_view access_key,
                               const opened_token& contents, std::span<const std::byte, token_nonce_bytes> nonce) {
  const auto with = open_key(key, sealing);
  if (!with) return with.error();
  byte_writer w{256};
  const bool has_tags = !contents.session.tags.empty();
  w.u8(has_tags ? token_version_with_tags : token_version).string(contents.secret);
  write_session(w, contents.session, has_tags);
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
    const std::uint8_t version = r.u8();
    const bool has_tags = version == token_version_with_tags;
    if (version != token_version && !has_tags) r.fail();
    contents.secret = r.string();
    contents.session = read_session(r, has_tags);
    if (!r.finished() || contents.secret.empty() || has_tags == contents.session.tags.empty()) return no_token();
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

// Encoding of users, groups, roles, managed policies, identity providers and token keys (notation: rows.cpp).
//
//   user_row    1 name:s id:s path:s created:u64 list(tags) policies list(groups) list(keys)
//   group_row   1 name:s id:s path:s created:u64 policies members:v
//   policy_row  1 name:s id:s path:s description:s created:u64 updated:u64 default:v last:v attachments:v
//               count:v (number:v created:u64 text:s)*
//   role_row    1 name:s id:s path:s created:u64 description:s trust:s session_seconds_max:v list(tags) policies
//   provider_row 1 name:s created:u64 list(client_ids) list(thumbprints) list(tags)
//   token_keys  1 count:v (bytes:s created:u64)*
//   policies    list(attached) count:v (name:s text:s)*
//   list        count:v (s)*; of tags: pairs
#include "storage/metadata/rows/identity_rows.hpp"

#include "base/secrets/sealing.hpp"
#include "base/units.hpp"

#include "storage/metadata/rows/row_version.hpp"

#include <algorithm>

namespace cairn::storage::metadata {

namespace {

void write_policies(byte_writer& w, const held_policies& p) {
  write_texts(w, p.attached);
  w.varint(p.own.size());
  for (const auto& one : p.own) w.string(one.name).string(one.text);
}

held_policies read_policies(byte_reader& r) {
  held_policies p;
  p.attached = read_texts(r);
  p.own.resize(r.count(2));
  for (auto& one : p.own) {
    one.name = r.string();
    one.text = r.string();
  }
  return p;
}

} // namespace

std::size_t held_policies::own_bytes() const {
  std::size_t sum = 0;
  for (const auto& one : own) sum += one.text.size();
  return sum;
}

bool held_policies::has(std::string_view name) const {
  return std::find(attached.begin(), attached.end(), name) != attached.end();
}

const policy_version* policy_row::find(std::uint32_t number) const {
  const auto at =
      std::find_if(versions.begin(), versions.end(), [number](const auto& v) { return v.number == number; });
  return at == versions.end() ? nullptr : &*at;
}

bool valid_identity_name(std::string_view name, std::size_t bytes_max) {
  constexpr std::string_view others = "_+=,.@-";
  return !name.empty() && name.size() <= bytes_max && std::all_of(name.begin(), name.end(), [&](char c) {
    const char low = policy::lower_letter(c);
    return (c >= '0' && c <= '9') || (low >= 'a' && low <= 'z') || others.find(c) != others.npos;
  });
}

bool valid_identity_path(std::string_view path) {
  return path.size() <= identity_path_bytes_max && path.starts_with('/') && path.ends_with('/') &&
         std::all_of(path.begin(), path.end(), [](char c) { return c >= 0x21 && c <= 0x7e; });
}

std::string identity_key(std::string_view name) {
  return policy::lower_case(name);
}

std::string resource_of(const user_row& row) {
  return "user/" + row.who.path_and_name();
}
std::string resource_of(const group_row& row) {
  return "group" + row.path + row.name;
}
std::string resource_of(const role_row& row) {
  return "role/" + row.who.path_and_name();
}
std::string resource_of(const policy_row& row) {
  return "policy" + row.path + row.name;
}

std::string resource_of(const provider_row& row) {
  return "oidc-provider/" + row.name;
}

bool valid_client_id(std::string_view text) {
  return !text.empty() && text.size() <= client_id_bytes_max &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c <= 0x7e; });
}

bool valid_thumbprint(std::string_view text) {
  return text.size() == thumbprint_digits && text.find_first_not_of("0123456789abcdef") == text.npos;
}

std::string without_space(std::string_view json) {
  std::string out;
  out.reserve(json.size());
  bool inside = false, escaped = false;
  for (const char c : json) {
    if (!inside && (c == ' ' || c == '\t' || c == '\n' || c == '\r')) continue;
    if (c == '"' && !escaped) inside = !inside;
    escaped = inside && c == '\\' && !escaped;
    out.push_back(c);
  }
  return out;
}

std::string encode(const user_row& row) {
  byte_writer w{256};
  w.u8(row_version).string(row.who.name).string(row.who.id).string(row.who.path);
  write_time(w, row.created);
  write_pairs(w, row.who.tags);
  write_policies(w, row.policies);
  write_texts(w, row.groups);
  write_texts(w, row.keys);
  return w.take();
}

std::string encode(const group_row& row) {
  byte_writer w{256};
  w.u8(row_version).string(row.name).string(row.id).string(row.path);
  write_time(w, row.created);
  write_policies(w, row.policies);
  return w.varint(row.members).take();
}

std::string encode(const role_row& row) {
  byte_writer w{512};
  w.u8(row_version).string(row.who.name).string(row.who.id).string(row.who.path);
  write_time(w, row.created);
  w.string(row.description).string(row.trust).varint(row.session_seconds_max);
  write_pairs(w, row.who.tags);
  write_policies(w, row.policies);
  return w.take();
}

std::string encode(const provider_row& row) {
  byte_writer w{256};
  w.u8(row_version).string(row.name);
  write_time(w, row.created);
  write_texts(w, row.client_ids);
  write_texts(w, row.thumbprints);
  write_pairs(w, row.tags);
  return w.take();
}

std::string encode(const token_keys& row) {
  byte_writer w{128};
  w.u8(row_version).varint(row.size());
  for (const auto& one : row) {
    w.string(one.bytes);
    write_time(w, one.created);
  }
  return w.take();
}

std::string encode(const policy_row& row) {
  byte_writer w{512};
  w.u8(row_version).string(row.name).string(row.id).string(row.path).string(row.description);
  write_time(w, row.created);
  write_time(w, row.updated);
  w.varint(row.default_version).varint(row.last_version).varint(row.attachments).varint(row.versions.size());
  for (const auto& v : row.versions) {
    w.varint(v.number);
    write_time(w, v.created);
    w.string(v.text);
  }
  return w.take();
}

result<user_row> decode_user(std::string_view bytes) {
  byte_reader r{bytes};
  if (auto unknown = check_version(r, "user")) return *unknown;
  user_row row;
  row.who.name = r.string();
  row.who.id = r.string();
  row.who.path = r.string();
  row.created = read_time(r);
  row.who.tags = read_pairs(r);
  row.policies = read_policies(r);
  row.groups = read_texts(r);
  row.keys = read_texts(r);
  if (!r.finished() || !valid_identity_name(row.who.name) || !valid_identity_path(row.who.path)) return bad_row("user");
  return row;
}

result<listed_user> decode_listed_user(std::string_view bytes) {
  byte_reader r{bytes};
  if (auto unknown = check_version(r, "user")) return *unknown;
  listed_user row;
  row.name = r.string();
  row.id = r.string();
  if (!r.ok()) return bad_row("user");
  return row;
}

result<group_row> decode_group(std::string_view bytes) {
  byte_reader r{bytes};
  if (auto unknown = check_version(r, "group")) return *unknown;
  group_row row;
  row.name = r.string();
  row.id = r.string();
  row.path = r.string();
  row.created = read_time(r);
  row.policies = read_policies(r);
  row.members = r.varint32();
  if (!r.finished() || !valid_identity_name(row.name) || !valid_identity_path(row.path)) return bad_row("group");
  return row;
}

result<role_row> decode_role(std::string_view bytes) {
  byte_reader r{bytes};
  if (auto unknown = check_version(r, "role")) return *unknown;
  role_row row;
  row.who.name = r.string();
  row.who.id = r.string();
  row.who.path = r.string();
  row.created = read_time(r);
  row.description = r.string();
  row.trust = r.string();
  row.session_seconds_max = r.varint32();
  row.who.tags = read_pairs(r);
  row.policies = read_policies(r);
  if (!r.finished() || !valid_session_time(row.session_seconds_max) || !valid_identity_name(row.who.name) ||
      !valid_identity_path(row.who.path))
    return bad_row("role");
  return row;
}

result<provider_row> decode_provider(std::string_view bytes) {
  byte_reader r{bytes};
  if (auto unknown = check_version(r, "identity provider")) return *unknown;
  provider_row row;
  row.name = r.string();
  row.created = read_time(r);
  row.client_ids = read_texts(r);
  row.thumbprints = read_texts(r);
  row.tags = read_pairs(r);
  if (!r.finished() || !config::is_provider_name(row.name)) return bad_row("identity provider");
  return row;
}

bool valid_token_key(std::string_view bytes) {
  if (bytes.size() == token_key_bytes) return true;
  return bytes.size() == token_key_bytes + secrets::sealing_overhead_bytes && !secrets::key_id_of(bytes).empty();
}

result<token_keys> decode_token_keys(std::string_view bytes) {
  constexpr std::size_t key_bytes_min = 9;
  byte_reader r{bytes};
  if (auto unknown = check_version(r, "token keys")) return *unknown;
  token_keys row(r.count(key_bytes_min));
  for (auto& one : row) {
    one.bytes = r.string();
    one.created = read_time(r);
    if (!valid_token_key(one.bytes)) r.fail();
  }
  if (!r.finished() || row.size() > token_keys_max) return bad_row("token keys");
  return row;
}

result<policy_row> decode_managed_policy(std::string_view bytes) {
  constexpr std::size_t version_bytes_min = 10;
  byte_reader r{bytes};
  if (auto unknown = check_version(r, "policy")) return *unknown;
  policy_row row;
  row.name = r.string();
  row.id = r.string();
  row.path = r.string();
  row.description = r.string();
  row.created = read_time(r);
  row.updated = read_time(r);
  row.default_version = r.varint32();
  row.last_version = r.varint32();
  row.attachments = r.varint32();
  row.versions.resize(r.count(version_bytes_min));
  std::uint32_t last = 0;
  for (auto& v : row.versions) {
    v.number = r.varint32();
    v.created = read_time(r);
    v.text = r.string();
    if (v.number <= last || v.number > row.last_version) r.fail();
    last = v.number;
  }
  const bool named = valid_identity_name(row.name) && valid_identity_path(row.path);
  if (!r.finished() || !named || row.find(row.default_version) == nullptr) return bad_row("policy");
  return row;
}

} // namespace cairn::storage::metadata

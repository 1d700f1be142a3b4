#include "storage/metadata/apply/apply.hpp"
#include "storage/metadata/rows/names.hpp"

#include <algorithm>

// The commands about access keys and identities, and the grants of buckets that are created and deleted.

namespace cairn::storage::metadata {

namespace {

void grant(access_key_row& key, bucket_id bucket, std::uint8_t allowed, std::uint8_t denied) {
  auto at = std::lower_bound(key.grants.begin(), key.grants.end(), bucket,
                             [](const bucket_grant& g, bucket_id b) { return g.bucket < b; });
  if (at == key.grants.end() || at->bucket != bucket) at = key.grants.insert(at, {bucket, 0});
  at->rights = static_cast<std::uint8_t>((at->rights | allowed) & ~denied);
  if (at->rights == 0) key.grants.erase(at);
}

bool valid_label(std::string_view label) {
  const auto printable = [](char c) { return static_cast<unsigned char>(c) >= 0x20 && c != 0x7f; };
  return label.size() <= key_label_bytes_max && valid_utf8(label) && std::all_of(label.begin(), label.end(), printable);
}

} // namespace

std::optional<access_key_row> command_applier::find_key(const std::string& id) {
  const access_key_row* const row = b_.access_key(id);
  return row == nullptr ? std::nullopt : std::optional{*row};
}

std::optional<error> command_applier::create(const create_key& c) {
  if (!valid_access_key(c.id)) return error{errc::invalid_argument, "not a valid access key"};
  if (!valid_secret(c.secret, c.sealed)) return error{errc::invalid_argument, "not a valid secret"};
  if (!valid_label(c.label)) return error{errc::invalid_argument, "not a valid label"};
  if (find_key(c.id)) return error{errc::invalid_argument, "there is an access key of this id"};
  if (identities_.has_user(c.id)) return error{errc::invalid_argument, "there is a user of this name"};
  if (b_.count_rows(table::access_keys, b_.keys.all()) >= access_keys_max)
    return error{errc::too_large, "there are as many access keys as there may be"};
  b_.put_access_key({.id = c.id,
                     .secret = c.secret,
                     .label = c.label,
                     .created = c.now,
                     .creates_buckets = c.creates_buckets,
                     .sealed = c.sealed});
  return std::nullopt;
}

std::optional<error> command_applier::change(const change_key& c) {
  auto key = find_key(c.id);
  if (!key) return error{errc::no_such_access_key};
  if (!key->user.empty())
    return error{errc::invalid_argument,
                 "the key belongs to the user " + key->user + ", whose policies say what it may do"};
  if (!c.bucket.empty()) {
    const bucket_row* const bucket = b_.bucket(c.bucket);
    if (bucket == nullptr) return error{errc::no_such_bucket};
    grant(*key, bucket->id, c.allowed, c.denied);
    if (key->grants.size() > key_grants_max) return error{errc::too_large, "the key has as many grants as it may"};
  }
  if (c.creates_buckets) key->creates_buckets = *c.creates_buckets;
  b_.put_access_key(*key);
  return std::nullopt;
}

command_result command_applier::run(const create_key& c) {
  bool may_bury = false;
  if (auto answer = answered(c.stamp, may_bury)) return *answer;
  return remember(c.stamp, {.version = b_.index(), .refused = create(c)});
}

command_result command_applier::run(const change_key& c) {
  bool may_bury = false;
  if (auto answer = answered(c.stamp, may_bury)) return *answer;
  return remember(c.stamp, {.version = b_.index(), .refused = change(c)});
}

command_result command_applier::run(const delete_key& c) {
  bool may_bury = false;
  if (auto answer = answered(c.stamp, may_bury)) return *answer;
  const auto key = find_key(c.id);
  if (!b_.erase_access_key(c.id)) return remember(c.stamp, {.refused = error{errc::no_such_access_key}});
  identities_.forget_key(*key);
  if (key->user.empty()) b_.usage_rows().drop_quota(key->id);
  return remember(c.stamp, {.version = b_.index()});
}

command_result command_applier::run(const seal_keys& c) {
  bool may_bury = false;
  if (auto answer = answered(c.stamp, may_bury)) return *answer;
  const auto valid = [](const auto& key) { return valid_secret(key.secret, true); };
  if (c.keys.size() > sealed_keys_max || !std::all_of(c.keys.begin(), c.keys.end(), valid))
    return remember(c.stamp, {.refused = error{errc::invalid_argument, "not valid secrets"}});
  std::uint64_t changed = 0;
  for (const auto& sealed : c.keys) {
    auto key = find_key(sealed.id);
    if (!key) continue;
    key->secret = sealed.secret;
    key->sealed = true;
    b_.put_access_key(*key);
    ++changed;
  }
  return remember(c.stamp, {.version = b_.index(), .more = changed});
}

command_result command_applier::run(const change_identity& c) {
  bool may_bury = false;
  if (auto answer = answered(c.stamp, may_bury)) return *answer;
  std::uint64_t number = 0;
  auto refused = identities_.change(c, number);
  if (refused) return remember(c.stamp, {.refused = std::move(refused)});
  return remember(c.stamp, {.version = b_.index(), .more = number});
}

command_result command_applier::run(const renew_token_key& c) {
  bool may_bury = false;
  if (auto answer = answered(c.stamp, may_bury)) return *answer;
  if (!valid_token_key(c.key))
    return remember(c.stamp, {.refused = error{errc::invalid_argument, "not a valid token key"}});
  const auto key = b_.keys.token_key_list();
  auto present = b_.load<token_keys>(table::identities, key, decode_token_keys).value_or(token_keys{});
  if (add_token_key(present, c.key, c.now)) b_.put_identity(key, encode(present));
  return remember(c.stamp, {.version = b_.index()});
}

// Gives the key all rights on the bucket; or the reason why that is not possible.
std::optional<error> command_applier::give_bucket(const std::string& key_id, bucket_id bucket) {
  auto key = find_key(key_id);
  if (!key) return error{errc::no_such_access_key};
  if (!key->user.empty()) return std::nullopt; // policies say what its user may do
  if (key->grants.size() >= key_grants_max) return error{errc::too_large, "the key has as many grants as it may"};
  grant(*key, bucket, rights::all, 0);
  b_.put_access_key(*key);
  return std::nullopt;
}

// Removes the grants of a deleted bucket. Dangling grants would be harmless: bucket ids are never reused.
void command_applier::drop_grants(bucket_id bucket) {
  const std::string group = b_.keys.all();
  const auto cursor = b_.kv.cursor(id_of(table::access_keys));
  std::vector<access_key_row> changed;
  for (auto row = cursor->seek(group); row && row->key.starts_with(group); row = cursor->next()) {
    auto key = b_.unwrap(decode_access_key(row->value));
    if (!key) return;
    if (key->rights_on(bucket) == 0) continue;
    grant(*key, bucket, 0, rights::all);
    changed.push_back(std::move(*key));
  }
  for (const access_key_row& key : changed) b_.put_access_key(key);
}

} // namespace cairn::storage::metadata

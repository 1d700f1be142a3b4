#include "storage/metadata/apply/batch.hpp"

#include "storage/metadata/commands/identity.hpp"
#include "storage/metadata/rows/names.hpp"

#include <algorithm>

namespace cairn::storage::metadata {

batch::batch(kv_writer& writer, group_id group)
    : kv(writer),
      keys(group),
      group_(group),
      index_(meta(meta_field::applied) + 1),
      last_id_(meta(meta_field::last_id)),
      free_waiting_(meta(meta_field::free_waiting)),
      repairs_(meta(meta_field::repairs)),
      repairs_before_(repairs_),
      given_up_(meta(meta_field::given_up)),
      given_up_before_(given_up_) {
  usage_.begin();
}

void batch::fail(error e) {
  if (!failure_) failure_ = std::move(e);
}

// The engine's error has priority: a row that it could not read looks like a missing row.
result<void> batch::status() const {
  if (auto good = kv.status(); !good || !failure_) return good;
  return *failure_;
}

const bucket_row* batch::bucket(const std::string& name) {
  if (!valid_bucket_name(name)) return nullptr; // could exceed the engine's key size
  auto found = buckets_.find(name);
  if (found == buckets_.end())
    found = buckets_.emplace(name, load<bucket_row>(table::buckets, keys.bucket(name), decode_bucket)).first;
  return found->second ? &*found->second : nullptr;
}

void batch::put_bucket(const bucket_row& row) {
  put(table::buckets, keys.bucket(row.name), encode(row));
  buckets_[row.name] = row;
}

void batch::erase_bucket(const std::string& name) {
  erase(table::buckets, keys.bucket(name));
  buckets_[name] = std::nullopt;
}

const access_key_row* batch::access_key(const std::string& id) {
  if (!valid_access_key(id)) return nullptr; // could exceed the engine's key size
  auto found = access_keys_.find(id);
  if (found == access_keys_.end()) {
    auto row = load<access_key_row>(table::access_keys, keys.access_key(id), decode_access_key);
    if (row && !row->user.empty())
      row->of_user = unwrap(read_identity(kv, keys, row->user)).value_or(std::make_shared<const identity>());
    found = access_keys_.emplace(id, std::move(row)).first;
  }
  return found->second ? &*found->second : nullptr;
}

const access_key_row* batch::sender(const authority& by) {
  if (!by.session) return access_key(by.key);
  // The time of the request, and that of the cluster as far as it keeps one: a member's own clock must not decide.
  if (by.session->expires <= std::max(lock_time(), by.asked ? by.asked->with.time : 0)) return nullptr;
  const auto is_same = [&by](const access_key_row& row) { return *row.of_user->session == *by.session; };
  auto found = temporary_keys_.find(by.key);
  if (found == temporary_keys_.end() || (found->second && !is_same(*found->second))) {
    std::optional<access_key_row> row;
    if (auto of = unwrap(read_identity(kv, keys, by.session)).value_or(nullptr))
      row = temporary_key(by.key, {}, std::move(of));
    found = temporary_keys_.insert_or_assign(by.key, std::move(row)).first;
  }
  return found->second ? &*found->second : nullptr;
}

void batch::put_access_key(const access_key_row& row) {
  put(table::access_keys, keys.access_key(row.id), encode(row));
  access_keys_.erase(row.id); // of a user's key the policies are read anew
}

bool batch::erase_access_key(const std::string& id) {
  if (access_key(id) == nullptr) return false;
  access_keys_[id] = std::nullopt;
  return erase(table::access_keys, keys.access_key(id));
}

void batch::put_identity(const std::string& key, std::string_view row) {
  put(table::identities, key, row);
  access_keys_.clear();
  temporary_keys_.clear();
}

void batch::erase_identity(const std::string& key) {
  erase(table::identities, key);
  access_keys_.clear();
  temporary_keys_.clear();
}

std::size_t batch::count_rows(table t, const std::string& prefix) {
  std::size_t rows = 0;
  const auto cursor = kv.cursor(id_of(t));
  for (auto row = cursor->seek(prefix); row && row->key.starts_with(prefix); row = cursor->next()) ++rows;
  return rows;
}

session_row* batch::session(session_id id) {
  auto found = sessions_.find(id);
  if (found == sessions_.end())
    found = sessions_.emplace(id, load<session_row>(table::sessions, keys.session(id), decode_session)).first;
  return found->second ? &*found->second : nullptr;
}

session_row* batch::add_session(const session_row& row) {
  put_u64(table::sessions, keys.live_session(row.node), row.id);
  return &*(sessions_[row.id] = row);
}

void batch::queue_to_free(free_kind kind, std::uint64_t id) {
  put(table::free_queue, keys.to_free(index_, kind, id), presence);
  ++free_waiting_;
}

void batch::unqueue(const std::string& key) {
  if (!erase(table::free_queue, key)) return;
  if (free_waiting_ == 0) return fail({errc::corrupt, "the count of the free queue is too low"});
  --free_waiting_;
}

void batch::hold_deletions(bool held) {
  if (held)
    put_u64(table::meta, keys.meta(meta_field::held), 1);
  else
    erase(table::meta, keys.meta(meta_field::held));
}

void batch::raise_feature_level(std::uint8_t level) {
  if (level > meta(meta_field::feature)) put_u64(table::meta, keys.meta(meta_field::feature), level);
}

bool batch::has_effects_of(std::uint8_t level) {
  const auto raised = feature_level(); // 0: not set, as on a standalone node
  return raised >= level || (raised == 0 && !has(table::cluster, keys.cluster()));
}

void batch::advance_lock_time(wall_ms time) {
  const std::string key = keys.meta(meta_field::lock_time);
  if (!has(table::meta, key) || time > lock_time())
    put_u64(table::meta, key, static_cast<std::uint64_t>(std::max<wall_ms>(time, 0)));
}

void batch::count_repair(node_number node, bool more) {
  if (!more && (repairs_ == 0 || (node == nobody && given_up_ == 0)))
    return fail({errc::corrupt, "the count of repairs is too low"});
  repairs_ += more ? 1 : -1;
  if (node == nobody) given_up_ += more ? 1 : -1;
}

std::optional<std::uint64_t> batch::load_u64(table t, const std::string& key) {
  const auto bytes = kv.get(id_of(t), key);
  if (!bytes) return std::nullopt;
  byte_reader r{*bytes};
  const std::uint64_t value = r.u64();
  if (r.finished()) return value;
  fail({errc::corrupt, "number of a metadata row does not follow its grammar"});
  return std::nullopt;
}

std::uint64_t batch::meta(meta_field field) {
  return load_u64(table::meta, keys.meta(field)).value_or(0);
}

void batch::put_u64(table t, const std::string& key, std::uint64_t value) {
  put(t, key, byte_writer{8}.u64(value).view());
}

result<void> batch::finish() {
  for (const auto& [id, row] : sessions_)
    if (row) put(table::sessions, keys.session(id), encode(*row));
  put_u64(table::meta, keys.meta(meta_field::applied), index_);
  put_u64(table::meta, keys.meta(meta_field::last_id), last_id_);
  put_u64(table::meta, keys.meta(meta_field::free_waiting), free_waiting_);
  if (repairs_ != repairs_before_) put_u64(table::meta, keys.meta(meta_field::repairs), repairs_);
  usage_.finish();
  if (given_up_ != given_up_before_) put_u64(table::meta, keys.meta(meta_field::given_up), given_up_);
  return status();
}

} // namespace cairn::storage::metadata

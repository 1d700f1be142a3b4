// A batch of commands while it is applied: the write transaction, the group's counters, and a cache of the rows that
// many commands of a batch use (buckets, access keys, sessions). Exists on the stack of store::apply.
//
// Errors are sticky, as in the transaction: after the first error loads return nothing, and `finish` returns the error,
// so that the whole batch is dropped. The code that applies commands need not check in between.
#pragma once

#include "storage/metadata/apply/usage.hpp"
#include "storage/metadata/commands/commands.hpp"
#include "storage/metadata/rows/key_tree.hpp"
#include "storage/metadata/rows/tables.hpp"

#include <functional>
#include <map>
#include <optional>
#include <string>

namespace cairn::storage::metadata {

inline command_result refuse(errc code, std::string text = {}) {
  return {.refused = error{code, std::move(text)}};
}

class batch {
public:
  batch(kv_writer& writer, group_id group);
  batch(const batch&) = delete;
  batch& operator=(const batch&) = delete;

  kv_writer& kv;
  const key_maker keys;

  log_index index() const { return index_; } // of this batch
  std::uint64_t new_id() { return ++last_id_; }
  void hold_deletions(bool held);
  void raise_feature_level(std::uint8_t level);
  std::uint64_t feature_level() { return meta(meta_field::feature); }
  // Whether commands have the effects that came with this level: in a cluster from this level on, because all voters
  // must write the same rows; on a standalone node always.
  bool has_effects_of(std::uint8_t level);
  wall_ms lock_time() { return static_cast<wall_ms>(meta(meta_field::lock_time)); }
  void advance_lock_time(wall_ms time); // never goes back; also begins it
  void skip_ids(std::uint64_t count) { last_id_ += count; }
  key_tree tree(table t, std::uint64_t root) const { return {id_of(t), group_, root}; }

  void fail(error e);
  result<void> status() const;

  // Null if it does not exist. Valid until the next change of a bucket.
  const bucket_row* bucket(const std::string& name);
  void put_bucket(const bucket_row& row);
  void erase_bucket(const std::string& name);

  // Null if it does not exist. Of a user's key with the user's policies. Valid until the next change of an access key
  // or an identity.
  const access_key_row* access_key(const std::string& id);
  // The access key that signed a client's command, likewise. Of temporary credentials: null if they have expired, or
  // if their role or user does not exist any more.
  const access_key_row* sender(const authority& by);
  void put_access_key(const access_key_row& row);
  bool erase_access_key(const std::string& id);                    // false if it does not exist
  void put_identity(const std::string& key, std::string_view row); // a row of table::identities
  void erase_identity(const std::string& key);
  std::size_t count_rows(table t, const std::string& prefix);

  // Null if the metadata does not know the session. Valid as long as the batch; `finish` writes changes of the row.
  session_row* session(session_id id);
  session_row* add_session(const session_row& row);

  usage_ledger& usage_rows() { return usage_; }

  void queue_to_free(free_kind kind, std::uint64_t id);
  void unqueue(const std::string& key); // `key` of a row in free_queue
  std::uint64_t free_waiting() const { return free_waiting_; }
  void count_repair(node_number node, bool more);
  std::uint64_t repairs() const { return repairs_; }

  std::optional<std::uint64_t> load_u64(table t, const std::string& key);
  template <class Row>
  std::optional<Row> load(table t, const std::string& key, result<Row> (*decode)(std::string_view)) {
    const auto bytes = kv.get(id_of(t), key);
    if (!bytes) return std::nullopt;
    return unwrap(decode(*bytes));
  }
  template <class Row>
  std::optional<Row> unwrap(result<Row> decoded) {
    if (decoded) return std::move(*decoded);
    fail(decoded.error());
    return std::nullopt;
  }
  bool has(table t, const std::string& key) { return kv.get(id_of(t), key).has_value(); }
  void put(table t, const std::string& key, std::string_view row) { kv.put(id_of(t), key, row); }
  bool erase(table t, const std::string& key) { return kv.erase(id_of(t), key); }

  // Writes sessions and counters. Returns the first error of the batch.
  result<void> finish();

private:
  std::uint64_t meta(meta_field field);
  void put_u64(table t, const std::string& key, std::uint64_t value);

  group_id group_;
  std::optional<error> failure_; // declared before the members whose initializers may fail
  log_index index_;
  std::uint64_t last_id_, free_waiting_, repairs_, repairs_before_, given_up_, given_up_before_;
  std::map<std::string, std::optional<bucket_row>, std::less<>> buckets_;
  std::map<std::string, std::optional<access_key_row>, std::less<>> access_keys_;
  std::map<std::string, std::optional<access_key_row>, std::less<>> temporary_keys_; // of unexpired credentials
  std::map<session_id, std::optional<session_row>> sessions_;
  usage_ledger usage_{*this};
};

} // namespace cairn::storage::metadata

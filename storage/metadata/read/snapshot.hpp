// The view of one group on a read transaction of the engine.
#pragma once

#include "storage/metadata/read/view.hpp"
#include "storage/metadata/rows/key_tree.hpp"
#include "storage/metadata/rows/tables.hpp"

#include <map>
#include <memory>

namespace cairn::storage::metadata {

// The common prefix of `key` in a listing with this prefix and delimiter: up to and including the first delimiter after
// the prefix; empty if there is none.
std::string_view common_prefix_of(std::string_view key, std::string_view prefix, std::string_view delimiter);

// A page of the keys in `tree`, with the bounds and the order of view::list.
result<listing> list_tree(kv_reader& kv, const key_tree& tree, const listing_query& query);

class snapshot final : public view {
public:
  snapshot(std::unique_ptr<kv_reader> kv, group_id group) : kv_(std::move(kv)), keys_(group), group_(group) {}

  log_index applied() override;
  result<bucket_row> bucket(std::string_view name) override;
  result<std::vector<bucket_row>> buckets() override;
  result<buckets_page> buckets(const buckets_query& query) override;
  result<std::optional<usage>> usage_of(bucket_id bucket) override;
  result<usage_totals> total_usage() override;
  result<object_row> object(std::string_view bucket, std::string_view key) override;
  result<object_row> object(std::string_view bucket, std::string_view key, const version_id& id) override;
  result<versions_page> versions(const versions_query& query) override;
  result<std::string> inline_bytes(const object_row& row) override;
  result<std::vector<manifest_part>> parts(manifest_id id, std::uint64_t object_offset, std::size_t max) override;
  result<listing> list(const listing_query& query) override;
  result<std::vector<object_part>> object_parts(manifest_id id, std::uint32_t after, std::size_t max) override;
  result<upload_row> upload(const upload_name& name) override;
  result<std::vector<uploaded_part>> upload_parts(upload_id id, std::uint32_t after, std::size_t max) override;
  result<uploads_page> uploads(const uploads_query& query) override;
  result<std::vector<buried_blob>> buried(std::size_t max) override;
  std::uint64_t manifests_to_free() override;
  bool deletions_held() override;
  std::uint8_t feature_level() override;
  std::optional<wall_ms> lock_time() override;
  result<kept_blobs> blobs(const std::optional<blob_id>& after, std::size_t max) override;
  result<std::optional<kept_blob>> kept(const blob_id& blob) override;
  result<bool> is_dead(const blob_id& blob) override;
  result<std::vector<session_row>> sessions() override;
  result<access_key_row> access_key(std::string_view id) override;
  result<access_key_row> temporary_key(std::string_view id, std::string_view token,
                                       const secrets::key_ring* sealing) override;
  result<std::vector<access_key_row>> access_keys(std::string_view after, std::size_t max) override;
  result<std::vector<std::string>> user_ids() override;
  result<identity_page> identities(const identity_query& query) override;

  result<cluster_row> cluster() override;
  result<std::vector<node_row>> nodes() override;
  result<admission_rows> admission() override;
  result<node_row> node(const uuid& id) override;
  result<owners_page> owners(std::uint16_t page) override;
  result<std::vector<repair_row>> repairs(node_number node, const std::optional<repair_row>& after,
                                          std::size_t max) override;
  result<std::vector<repair_row>> repairs_of(const blob_id& blob, std::size_t max) override;
  std::uint64_t repairs_waiting() override;
  result<layout_epoch> acknowledged_epoch() override;

private:
  // Cursors pass over damaged rows during a listing that asked for it.
  class passing {
  public:
    passing(kv_reader& kv, bool on) : kv_(kv) { kv_.skip_damaged_rows(on); }
    ~passing() { kv_.skip_damaged_rows(false); }
    passing(const passing&) = delete;
    passing& operator=(const passing&) = delete;

  private:
    kv_reader& kv_;
  };

  std::uint64_t meta(meta_field field);
  std::uint64_t level_in_force();                         // as batch::has_effects_of
  result<std::optional<usage_state>> counting();          // nullopt: the state does not count
  result<std::optional<usage_state>> complete_counting(); // nullopt: not all buckets are counted
  result<std::string> owner_of(bucket_id bucket);         // usage_row::owner
  result<std::map<std::string, std::string>> names_of_owners(const std::vector<std::string>& ids);
  static bucket_owner described(std::string id, const bucket_owner_row& row,
                                const std::optional<usage_state>& complete);
  result<void> add_owners(const identity_query& query, identity_page& page);
  result<void> add_owner(const std::string& name, const std::optional<usage_state>& complete, identity_page& page);
  result<std::uint64_t> owners_near_quota();
  result<manifest_part> part(manifest_id id, std::uint32_t index);
  bool has_intact(table t, const std::string& key);
  template <class Row>
  result<void> add_row(table t, const std::string& key, result<Row> (*decode)(std::string_view), error missing,
                       std::vector<Row>& into); // as `load`
  result<void> add_identity(const identity_query& query, identity_page& page);
  result<token_keys> token_keys_row();
  result<void> add_attached(const held_policies& held, identity_page& page);
  template <class Row, class Fits>
  result<void> add_identities(const identity_query& query, result<Row> (*decode)(std::string_view), const Fits& fits,
                              std::vector<Row>& into, bool& truncated);
  result<bucket_row> judged_bucket(std::string_view name, bucket_id judged);
  error hidden_key(bucket_id bucket, std::string_view key);
  result<std::vector<listed_version>> versions_of(const std::string& key, const std::optional<object_row>& live,
                                                  const std::optional<name_row>& name,
                                                  const std::optional<version_id>& marker, std::size_t max);

  // Returns the row, `missing` if there is none, or the transaction's error.
  template <class Row>
  result<Row> load(table t, const std::string& key, result<Row> (*decode)(std::string_view), error missing) {
    const auto bytes = kv_->get(id_of(t), key);
    if (bytes) return decode(*bytes);
    if (auto good = kv_->status(); !good) return good.error();
    return missing;
  }
  // At most `max` rows of a table whose keys begin with `prefix`, from the key `from` on. `decode` gets the key without
  // the prefix, and the value.
  template <class Row, class Decode>
  result<std::vector<Row>> scan(table t, const std::string& prefix, const std::string& from, std::size_t max,
                                Decode decode) {
    std::vector<Row> rows;
    const auto cursor = kv_->cursor(id_of(t));
    auto found = max > 0 ? cursor->seek(from) : std::nullopt;
    for (; found && found->key.starts_with(prefix) && rows.size() < max; found = cursor->next()) {
      result<Row> row = decode(found->key.substr(prefix.size()), found->value);
      if (!row) return row.error();
      rows.push_back(std::move(*row));
    }
    if (auto good = kv_->status(); !good) return good.error();
    return rows;
  }
  // All rows whose keys begin with `prefix`.
  template <class Row>
  result<std::vector<Row>> scan(table t, const std::string& prefix, result<Row> (*decode)(std::string_view)) {
    return scan<Row>(t, prefix, prefix, ~std::size_t{0},
                     [decode](std::string_view, std::string_view value) { return decode(value); });
  }

  std::unique_ptr<kv_reader> kv_;
  key_maker keys_;
  group_id group_;
  std::optional<std::optional<usage_state>> counting_; // once it was read
};

} // namespace cairn::storage::metadata

#include "storage/metadata/read/snapshot.hpp"

#include <algorithm>

namespace cairn::storage::metadata {

namespace {

// The union of the keys of two trees, in order.
class both_trees {
public:
  both_trees(kv_reader& kv, const key_tree& current, const key_tree& names)
      : current_(kv, current), names_(kv, names) {}

  bool seek(std::string_view key, bool after) { return set_more(current_.seek(key, after), names_.seek(key, after)); }
  bool seek_past(std::string_view prefix) { return set_more(current_.seek_past(prefix), names_.seek_past(prefix)); }
  bool next() {
    const bool live = is_live(), named = is_named();
    return set_more(live ? current_.next() : more_current_, named ? names_.next() : more_names_);
  }

  std::string_view key() const {
    if (!more_names_) return current_.key();
    if (!more_current_) return names_.key();
    return std::min(current_.key(), names_.key());
  }
  bool is_live() const { return more_current_ && current_.key() == key(); }
  bool is_named() const { return more_names_ && names_.key() == key(); }
  std::string_view live() const { return current_.row(); }
  std::string_view name() const { return names_.row(); }
  result<void> status() const {
    if (auto good = current_.status(); !good) return good;
    return names_.status();
  }

private:
  bool set_more(bool more_current, bool more_names) {
    more_current_ = more_current;
    more_names_ = more_names;
    return more_current || more_names;
  }

  key_tree_cursor current_, names_;
  bool more_current_ = false, more_names_ = false;
};

bool seek_first(both_trees& at, const versions_query& query) {
  if (query.key_marker.empty() || query.key_marker < query.prefix) return at.seek(query.prefix, false);
  if (const auto passed = common_prefix_of(query.key_marker, query.prefix, query.delimiter); !passed.empty())
    return at.seek_past(passed);
  return at.seek(query.key_marker, !query.version_marker);
}

listed_version listed(std::string key, const object_row& row, bool latest) {
  return {.key = std::move(key),
          .id = id_of(row),
          .place = place_of(row),
          .latest = latest,
          .delete_marker = row.content == content_kind::delete_marker,
          .size = row.size,
          .etag = row.etag,
          .modified = row.modified,
          .tags = row.extras.tags,
          .lock = row.extras.lock,
          .owner = row.extras.owner};
}

} // namespace

result<object_row> snapshot::object(std::string_view bucket_name, std::string_view key, const version_id& id) {
  const auto in = bucket(bucket_name);
  if (!in) return in.error();
  const auto bytes = key_tree{id_of(table::current), group_, in->id}.find(*kv_, key);
  if (!bytes) return bytes.error();
  if (*bytes) {
    auto live = decode_object(**bytes);
    if (!live || id_of(*live) == id) return live;
  }
  const auto named = key_tree{id_of(table::names), group_, in->id}.find(*kv_, key);
  if (!named) return named.error();
  if (!*named) return error{*bytes ? errc::no_such_version : errc::no_such_key};
  const auto name = decode_name(**named);
  if (!name) return name.error();
  const auto place = id.place ? id.place : name->null;
  if (!place) return error{errc::no_such_version};
  auto row =
      load<object_row>(table::versions, keys_.version(name->row_id, *place), decode_object, {errc::no_such_version});
  if (row && id_of(*row) != id) return error{errc::no_such_version};
  return row;
}

// At most `max` versions of one key after `marker`, newest first.
result<std::vector<listed_version>> snapshot::versions_of(const std::string& key, const std::optional<object_row>& live,
                                                          const std::optional<name_row>& name,
                                                          const std::optional<version_id>& marker, std::size_t max) {
  std::vector<listed_version> found;
  std::optional<version_place> after;
  if (marker) {
    after = marker->place;
    if (!after && live && live->null_version) after = place_of(*live);
    if (!after && name) after = name->null;
  }
  if (live && (!after || place_of(*live) < *after) && max > 0) found.push_back(listed(key, *live, true));
  if (!name) return found;
  const std::string prefix = keys_.versions_of(name->row_id);
  // The smallest key after the marker's: one more byte.
  const std::string from = after ? keys_.version(name->row_id, *after) + '\0' : prefix;
  const auto kept = scan<object_row>(table::versions, prefix, from, max - found.size(),
                                     [](std::string_view, std::string_view value) { return decode_object(value); });
  if (!kept) return kept.error();
  for (const auto& row : *kept) found.push_back(listed(key, row, !live && !after && found.empty()));
  return found;
}

result<versions_page> snapshot::versions(const versions_query& query) {
  const auto in = judged_bucket(query.bucket, query.judged.bucket);
  if (!in) return in.error();
  versions_page page;
  const passing over{*kv_, query.skips_damage};
  both_trees at{*kv_, key_tree{id_of(table::current), group_, in->id}, key_tree{id_of(table::names), group_, in->id}};
  std::size_t left = query.versions_max;
  for (bool more = left > 0 && seek_first(at, query); more && at.key().starts_with(query.prefix);) {
    if (const auto common = common_prefix_of(at.key(), query.prefix, query.delimiter); !common.empty()) {
      if (left-- == 0) {
        page.truncated = true;
        break;
      }
      page.next_key_marker = page.common_prefixes.emplace_back(common);
      page.next_version_marker.reset();
      more = at.seek_past(page.next_key_marker);
      continue;
    }
    const std::string key{at.key()};
    std::optional<object_row> live;
    std::optional<name_row> name;
    if (at.is_live()) {
      auto row = decode_object(at.live());
      if (!row) return row.error();
      live = std::move(*row);
    }
    if (at.is_named()) {
      const auto row = decode_name(at.name());
      if (!row) return row.error();
      name = *row;
    }
    const auto marker = key == query.key_marker ? query.version_marker : std::nullopt;
    auto found = versions_of(key, live, name, marker, left + 1);
    if (!found) return found.error();
    page.truncated = found->size() > left;
    if (page.truncated) found->pop_back();
    left -= found->size();
    for (auto& version : *found) {
      page.next_key_marker = version.key;
      page.next_version_marker = version.id;
      page.versions.push_back(std::move(version));
    }
    if (page.truncated) break;
    more = at.next();
  }
  if (auto good = at.status(); !good) return good.error();
  page.skipped = kv_->has_skipped_rows();
  return page;
}

} // namespace cairn::storage::metadata

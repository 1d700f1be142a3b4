#include "storage/metadata/read/snapshot.hpp"

#include <algorithm>

namespace cairn::storage::metadata {

namespace {

constexpr std::size_t name_suffix_bytes = 9; // NUL, id

// Decodes the key of a row of upload_names.
std::optional<listed_upload> read_name(std::string_view name) {
  if (name.size() < name_suffix_bytes) return std::nullopt;
  listed_upload upload{.key = std::string{name.substr(0, name.size() - name_suffix_bytes)}};
  byte_reader r{name.substr(name.size() - name_suffix_bytes + 1)};
  upload.id = r.u64();
  return upload;
}

bool seek_first(key_tree_cursor& at, const uploads_query& query) {
  if (query.key_marker.empty() || query.key_marker < query.prefix) return at.seek(query.prefix);
  if (const auto passed = common_prefix_of(query.key_marker, query.prefix, query.delimiter); !passed.empty())
    return at.seek_past(passed);
  const std::string key = query.key_marker + '\0';
  if (query.upload_marker == 0) return at.seek_past(key);
  return at.seek(key + byte_writer{8}.u64(query.upload_marker).take(), true);
}

} // namespace

result<upload_row> snapshot::upload(const upload_name& name) {
  const auto in = bucket(name.bucket);
  if (!in) return in.error();
  auto row = load<upload_row>(table::uploads, keys_.upload(name.id), decode_upload, {errc::no_such_upload});
  if (row && (row->nonce != name.nonce || row->bucket != in->id || row->key != name.key))
    return error{errc::no_such_upload};
  return row;
}

result<std::vector<uploaded_part>> snapshot::upload_parts(upload_id id, std::uint32_t after, std::size_t max) {
  return scan<uploaded_part>(table::uploads, keys_.upload(id), keys_.upload_part(id, after + 1), max,
                             [](std::string_view, std::string_view value) { return decode_uploaded_part(value); });
}

// While damaged rows are skipped.
bool snapshot::has_intact(table t, const std::string& key) {
  const auto cursor = kv_->cursor(id_of(t));
  const auto found = cursor->seek(key);
  return found && found->key == key;
}

result<uploads_page> snapshot::uploads(const uploads_query& query) {
  const auto in = judged_bucket(query.bucket, query.judged.bucket);
  if (!in) return in.error();
  uploads_page page;
  const passing over{*kv_, query.skips_damage};
  key_tree_cursor at{*kv_, key_tree{id_of(table::upload_names), group_, in->id}};
  bool more = query.uploads_max > 0 && seek_first(at, query);
  while (more && at.key().starts_with(query.prefix)) {
    if (page.uploads.size() + page.common_prefixes.size() == query.uploads_max) {
      page.truncated = true;
      break;
    }
    auto listed = read_name(at.key());
    if (!listed) return error{errc::corrupt, "the name of an upload does not follow its grammar"};
    if (const auto common = common_prefix_of(listed->key, query.prefix, query.delimiter); !common.empty()) {
      page.next_key_marker = page.common_prefixes.emplace_back(common);
      page.next_upload_marker = page.next_upload_nonce = 0;
      more = at.seek_past(page.next_key_marker);
      continue;
    }
    if (query.skips_damage && !has_intact(table::uploads, keys_.upload(listed->id))) {
      more = at.next();
      continue;
    }
    const auto row = load<upload_row>(table::uploads, keys_.upload(listed->id), decode_upload,
                                      {errc::corrupt, "upload " + std::to_string(listed->id) + " has no row"});
    if (!row) return row.error();
    listed->nonce = row->nonce;
    listed->begun = row->begun;
    listed->owner = row->extras.owner;
    page.next_key_marker = listed->key;
    page.next_upload_marker = listed->id;
    page.next_upload_nonce = listed->nonce;
    page.uploads.push_back(std::move(*listed));
    more = at.next();
  }
  if (auto good = at.status(); !good) return good.error();
  page.skipped = kv_->has_skipped_rows();
  return page;
}

result<std::vector<object_part>> snapshot::object_parts(manifest_id id, std::uint32_t after, std::size_t max) {
  const auto header = load<manifest_row>(table::manifests, keys_.manifest(id), decode_manifest,
                                         {errc::corrupt, "manifest " + std::to_string(id) + " is missing"});
  if (!header) return header.error();
  std::uint32_t low = 1, high = header->parts + 1; // the first index whose number is greater
  while (low < high) {
    const std::uint32_t middle = low + (high - low) / 2;
    const auto probe = part(id, middle);
    if (!probe) return probe.error();
    if (probe->number <= after)
      low = middle + 1;
    else
      high = middle;
  }
  std::vector<object_part> found;
  for (; low <= header->parts; ++low) {
    const auto piece = part(id, low);
    if (!piece) return piece.error();
    if (found.empty() || found.back().number != piece->number) {
      if (found.size() == max) break;
      found.push_back({piece->number, piece->object_offset, 0, piece->part_checksum});
    }
    found.back().length += piece->length;
  }
  return found;
}

} // namespace cairn::storage::metadata

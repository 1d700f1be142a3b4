#include "storage/metadata/read/snapshot.hpp"

#include <algorithm>

namespace cairn::storage::metadata {

std::string_view common_prefix_of(std::string_view key, std::string_view prefix, std::string_view delimiter) {
  if (delimiter.empty() || !key.starts_with(prefix)) return {};
  const std::size_t at = key.find(delimiter, prefix.size());
  return at == std::string_view::npos ? std::string_view{} : key.substr(0, at + delimiter.size());
}

namespace {

// Moves to the first key of the page. False: there is none.
bool seek_first(key_tree_cursor& at, const listing_query& query) {
  if (query.start_after < query.prefix || query.start_after.empty()) return at.seek(query.prefix);
  const std::string_view passed =
      query.passes_group ? common_prefix_of(query.start_after, query.prefix, query.delimiter) : std::string_view{};
  return passed.empty() ? at.seek(query.start_after, true) : at.seek_past(passed);
}

} // namespace

result<listing> list_tree(kv_reader& kv, const key_tree& tree, const listing_query& query) {
  listing page;
  if (query.keys_max == 0) return page;
  page.objects.reserve(std::min<std::size_t>(query.keys_max, 1000));
  key_tree_cursor at{kv, tree};
  // Every row that is examined is returned, gives a common prefix, or is the first one after the page. So the page size
  // bounds the number of rows examined.
  bool more = seek_first(at, query);
  for (std::uint32_t returned = 0; more && at.key().starts_with(query.prefix); ++returned) {
    if (returned == query.keys_max) {
      page.truncated = true;
      break;
    }
    if (const std::string_view common = common_prefix_of(at.key(), query.prefix, query.delimiter); !common.empty()) {
      page.last = page.common_prefixes.emplace_back(common);
      more = at.seek_past(page.last);
      continue;
    }
    const auto fields = decode_listed(at.row());
    if (!fields) return fields.error();
    page.objects.push_back({std::string{at.key()}, fields->size, fields->etag, fields->modified, fields->owner});
    more = at.next();
  }
  if (auto good = at.status(); !good) return good.error();
  // So far `last` is the last common prefix; the page may end with an object.
  if (!page.objects.empty() && page.objects.back().key > page.last) page.last = page.objects.back().key;
  return page;
}

} // namespace cairn::storage::metadata

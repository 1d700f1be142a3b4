#include "storage/metadata/read/snapshot.hpp"

#include <algorithm>

namespace cairn::storage::metadata {

namespace {

// The common prefix of `key`: up to and including the first delimiter after the query's prefix; empty if there is none.
std::string_view rolled_up(std::string_view key, const listing_query& query) {
  if (query.delimiter.empty() || !key.starts_with(query.prefix)) return {};
  const std::size_t at = key.find(query.delimiter, query.prefix.size());
  return at == std::string_view::npos ? std::string_view{} : key.substr(0, at + query.delimiter.size());
}

// Moves to the first key of the page. False: there is none.
bool seek_first(key_tree_cursor& at, const listing_query& query) {
  if (query.start_after < query.prefix || query.start_after.empty()) return at.seek(query.prefix);
  const std::string_view passed = query.passes_group ? rolled_up(query.start_after, query) : std::string_view{};
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
    if (const std::string_view common = rolled_up(at.key(), query); !common.empty()) {
      page.last = page.common_prefixes.emplace_back(common);
      more = at.seek_past(page.last);
      continue;
    }
    const auto fields = decode_listed(at.row());
    if (!fields) return fields.error();
    page.objects.push_back({std::string{at.key()}, fields->size, fields->etag, fields->modified});
    more = at.next();
  }
  if (auto good = at.status(); !good) return good.error();
  // So far `last` is the last common prefix; the page may end with an object.
  if (!page.objects.empty() && page.objects.back().key > page.last) page.last = page.objects.back().key;
  return page;
}

} // namespace cairn::storage::metadata

#include "cli/sync/remote_tree.hpp"

#include "cli/transfer/retry.hpp"

namespace cairn::cli {

result<void> remote_tree::fetch() {
  auto page = with_retries([&] { return request_list_page(*client_, query_, page_.next_token); });
  if (!page) return page.error();
  page_ = std::move(*page);
  next_ = 0;
  began_ = true;
  return page_.next_token.empty() ? result<void>{} : progress_.page(page_.next_token, page_.has_entries());
}

result<bool> remote_tree::holds_anything() {
  if (auto fetched = fetch(); !fetched) return fetched.error();
  return !page_.objects.empty();
}

result<std::optional<listed_item>> remote_tree::next() {
  for (;;) {
    if (next_ == page_.objects.size()) {
      if (began_ && page_.next_token.empty()) return std::optional<listed_item>{};
      if (auto fetched = fetch(); !fetched) return fetched.error();
      continue;
    }
    const auto& entry = page_.objects[next_++];
    if (!entry.key.starts_with(query_.prefix) || (!last_key_.empty() && entry.key <= last_key_))
      return error{errc::corrupt,
                   "the server does not list the keys of " + query_.bucket + " in the order of their bytes"};
    last_key_ = entry.key;
    if (entry.key.size() == query_.prefix.size() || (entry.key.ends_with('/') && entry.size_bytes == 0)) continue;
    listed_item item;
    item.name = entry.key.substr(query_.prefix.size());
    item.size_bytes = entry.size_bytes;
    item.changed_at = parse_listed_time(entry.modified).value_or(0);
    item.etag = entry.etag;
    return std::optional(std::move(item));
  }
}

} // namespace cairn::cli

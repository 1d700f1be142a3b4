#include "cli/import/version_listing.hpp"

#include <algorithm>

namespace cairn::cli {

version_listing::query version_listing::next_query() const {
  query out{{what_ == scope::all_versions ? "versions" : "list-type", what_ == scope::all_versions ? "" : "2"},
            {"encoding-type", "url"}};
  if (!prefix_.empty()) out.emplace_back("prefix", prefix_);
  if (!began_) return out;
  if (what_ == scope::current_objects) {
    out.emplace_back("continuation-token", page_.next_key);
    return out;
  }
  out.emplace_back("key-marker", page_.next_key);
  if (!page_.next_version.empty()) out.emplace_back("version-id-marker", page_.next_version);
  return out;
}

result<void> version_listing::fetch() {
  if (stops_()) return error{errc::cancelled, "the listing was stopped"};
  const auto xml = ask_(next_query());
  if (!xml) return xml.error();
  auto page = what_ == scope::all_versions ? parse_version_page(*xml) : page_of_objects(*xml);
  if (!page) return page.error();
  if (page->truncated)
    if (auto goes_on = progress_.page(page->next_key + '\0' + page->next_version, !page->entries.empty()); !goes_on)
      return goes_on;
  page_ = std::move(*page);
  next_ = 0;
  began_ = true;
  return {};
}

result<std::optional<key_history>> version_listing::next() {
  key_history out;
  for (;;) {
    if (next_ == page_.entries.size()) {
      if (began_ && !page_.truncated) break;
      if (auto fetched = fetch(); !fetched) return fetched.error();
      continue;
    }
    auto& entry = page_.entries[next_];
    if (out.versions.empty())
      out.key = entry.key;
    else if (entry.key != out.key)
      break;
    if (out.versions.size() == versions_max_)
      return error{errc::too_large, out.key + " has more than " + std::to_string(versions_max_) + " versions"};
    out.versions.push_back(std::move(entry.version));
    ++next_;
  }
  if (out.versions.empty()) return std::optional<key_history>{};
  std::reverse(out.versions.begin(), out.versions.end());
  return std::optional(std::move(out));
}

} // namespace cairn::cli

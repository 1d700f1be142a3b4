#include "cli/import/version_page.hpp"

#include "cli/client/command_support.hpp"
#include "cli/client/object_path.hpp"

#include <algorithm>

namespace cairn::cli {

namespace {

struct listed {
  version_page::entry entry;
  bool latest = false;
};

bool precedes(const listed& marker, const listed& version) {
  if (marker.entry.key != version.entry.key) return marker.entry.key < version.entry.key;
  const auto a = marker.entry.version.stored_at, b = version.entry.version.stored_at;
  return a != b ? a > b : marker.latest;
}

// Both are in the order of the listing each.
std::vector<listed> merged(std::vector<listed> versions, std::vector<listed> markers) {
  std::vector<listed> all;
  auto next = markers.begin();
  for (auto& version : versions) {
    while (next != markers.end() && precedes(*next, version)) all.push_back(std::move(*next++));
    all.push_back(std::move(version));
  }
  std::move(next, markers.end(), std::back_inserter(all));
  return all;
}

result<listed> read_entry(const net::xml_element& element, bool encoded) {
  listed out;
  const auto key = element.text_of("Key");
  out.entry.key = encoded ? percent_decode(key) : std::string(key);
  out.latest = element.text_of("IsLatest") == "true";
  auto& version = out.entry.version;
  version.id = element.text_of("VersionId");
  version.stored_at = parse_listed_time(element.text_of("LastModified")).value_or(0);
  version.delete_marker = element.name == "DeleteMarker";
  if (out.entry.key.empty() || version.id.empty()) return error{errc::corrupt, "a version without its key or id"};
  if (version.delete_marker) return out;
  version.etag = etag_text(element.text_of("ETag"));
  const auto* size = element.child("Size");
  const auto bytes = size ? net::xml_number(*size) : std::nullopt;
  if (!bytes) return error{errc::corrupt, "a version without its size"};
  version.size_bytes = *bytes;
  return out;
}

} // namespace

result<version_page> parse_version_page(std::string_view xml) {
  const auto root = read_answer(xml, "ListVersionsResult");
  if (!root) return root.error();
  const bool encoded = root->text_of("EncodingType") == "url";
  std::vector<listed> all, markers;
  bool grouped = true; // no version after a delete marker
  for (const auto& inside : root->children) {
    if (inside.name != "Version" && inside.name != "DeleteMarker") continue;
    auto one = read_entry(inside, encoded);
    if (!one) return one.error();
    const bool marker = one->entry.version.delete_marker;
    if (!marker && !markers.empty()) {
      grouped = false;
      std::move(markers.begin(), markers.end(), std::back_inserter(all));
      markers.clear();
    }
    (marker ? markers : all).push_back(std::move(*one));
  }
  if (grouped)
    all = merged(std::move(all), std::move(markers));
  else
    std::move(markers.begin(), markers.end(), std::back_inserter(all));
  version_page page;
  for (auto& one : all) page.entries.push_back(std::move(one.entry));
  page.truncated = root->text_of("IsTruncated") == "true";
  if (!page.truncated) return page;
  const auto next = root->text_of("NextKeyMarker");
  page.next_key = encoded ? percent_decode(next) : std::string(next);
  page.next_version = root->text_of("NextVersionIdMarker");
  if (page.next_key.empty()) return error{errc::corrupt, "a truncated listing without the key that it ends at"};
  return page;
}

result<version_page> page_of_objects(std::string_view xml) {
  auto objects = parse_list_page(xml);
  if (!objects) return objects.error();
  version_page page;
  for (auto& object : objects->objects)
    page.entries.push_back(
        {std::move(object.key),
         {{}, std::move(object.etag), object.size_bytes, parse_listed_time(object.modified).value_or(0)}});
  page.next_key = std::move(objects->next_token);
  page.truncated = !page.next_key.empty();
  return page;
}

} // namespace cairn::cli

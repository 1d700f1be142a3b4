#include "actors/upkeep/lost_chunks.hpp"

#include <algorithm>
#include <set>

namespace cairn::actors {

namespace meta = storage::metadata;

namespace {

constexpr std::size_t parts_a_page = 256, keys_a_page = 1000;

result<bool> needs_one(meta::view& view, const meta::object_row& row, const std::set<blob_id>& blobs) {
  if (row.content != meta::content_kind::manifest) return false;
  for (std::uint64_t offset = 0;;) {
    const auto parts = view.parts(row.manifest, offset, parts_a_page);
    if (!parts) return parts.error();
    for (const auto& p : *parts)
      if (blobs.contains(p.blob)) return true;
    if (parts->size() < parts_a_page) return false;
    offset = parts->back().object_offset + parts->back().length;
    if (offset >= row.size) return false;
  }
}

} // namespace

meta::give_up_chunks give_up(std::span<const chunk_id> rising) {
  meta::give_up_chunks out;
  for (const auto& id : rising) {
    if (!out.chunks.empty()) {
      auto& last = out.chunks.back();
      if (last.blob == id.blob && last.first + last.count == id.index) {
        ++last.count;
        continue;
      }
    }
    out.chunks.push_back({id.blob, id.index, 1});
  }
  return out;
}

result<affected_objects> objects_with(meta::view& view, std::span<const chunk_id> chunks, std::size_t names_max,
                                      std::size_t rows_max) {
  std::set<blob_id> blobs;
  for (const auto& id : chunks) blobs.insert(id.blob);
  affected_objects out;
  if (blobs.empty()) return out;
  const auto buckets = view.buckets();
  if (!buckets) return buckets.error();
  std::size_t rows = 0;
  for (const auto& bucket : *buckets) {
    for (meta::listing_query query{
             .bucket = bucket.name, .prefix = {}, .delimiter = {}, .start_after = {}, .keys_max = keys_a_page};
         ;) {
      const auto page = view.list(query);
      if (!page) return page.error();
      for (const auto& listed : page->objects) {
        if (out.names.size() >= names_max || ++rows > rows_max) {
          out.all_searched = false;
          return out;
        }
        const auto row = view.object(bucket.name, listed.key);
        const auto hit = row ? needs_one(view, *row, blobs) : result<bool>{row.error()};
        if (!hit) return hit.error();
        if (*hit) out.names.push_back(bucket.name + '/' + listed.key);
      }
      if (!page->truncated) break;
      query.start_after = page->last;
    }
  }
  return out;
}

std::string describe_lost(std::size_t chunks, const affected_objects& objects) {
  if (chunks == 0) return "no chunk is known to be lost";
  std::string out = std::to_string(chunks) + (chunks == 1 ? " chunk has" : " chunks have") +
                    " no good replica on any node that could have one. Objects that need them:\n";
  for (const auto& name : objects.names) out += "  " + name + '\n';
  if (objects.names.empty()) out += objects.all_searched ? "  none: only uploads in progress\n" : "  none so far\n";
  if (!objects.all_searched) out += "  … there may be more\n";
  return out + "Reads of these bytes fail. When no disk with them will come back: delete the objects, or "
               "`cairn cluster forget-lost`, after which nothing waits for the chunks any more";
}

} // namespace cairn::actors

#include "actors/backfill_pages.hpp"

#include <algorithm>

namespace cairn::actors {

namespace {

namespace meta = storage::metadata;

constexpr std::size_t blobs_a_page = 256, chunks_a_page = 16384, rows_a_page = 64;
constexpr std::size_t repairs_of_a_blob_max = 4096;

std::uint32_t length_of(const meta::kept_blob& blob, std::uint32_t index) {
  const auto left = blob.length - std::uint64_t{index} * blob.chunk_size;
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(left, blob.chunk_size));
}

bool owns(const cluster::layout& l, storage::node_number node, const storage::chunk_id& id) {
  return cluster::read_owners(l, storage::partition_of(id)).contains(node);
}

// Of `blob`, from `from` on: adds what is missing to `page`, and says up to where it looked.
result<std::uint32_t> compare_blob(compared_page& page, const missing_locally& missing,
                                   const std::vector<bool>& partitions, const meta::kept_blob& blob,
                                   std::uint32_t from) {
  std::vector<storage::chunk_id> own;
  std::uint32_t index = from;
  for (; index < blob.chunks && page.chunks < chunks_a_page && page.missing.size() + own.size() < wanted_max; ++index) {
    ++page.chunks;
    const storage::chunk_id id{blob.blob, index};
    if (partitions[storage::partition_of(id)]) own.push_back(id);
  }
  if (own.empty()) return index;
  const auto absent = missing(own);
  if (!absent) return absent.error();
  for (const auto& id : *absent) page.missing.push_back({id, length_of(blob, id.index)});
  return index;
}

} // namespace

result<compared_page> compare_page(meta::view& view, const missing_locally& missing,
                                   const std::vector<bool>& partitions, blob_place from) {
  compared_page page;
  page.reached = from;
  auto& at = page.reached;
  const auto full = [&] { return page.chunks >= chunks_a_page || page.missing.size() >= wanted_max; };
  const auto look_at = [&](const meta::kept_blob& blob) -> result<void> {
    const auto reached = compare_blob(page, missing, partitions, blob, at.next);
    if (!reached) return reached.error();
    at.begun = *reached < blob.chunks ? std::optional{blob} : std::nullopt;
    at.next = at.begun ? *reached : 0;
    if (!at.begun) at.after = blob.blob;
    return {};
  };
  while (at.begun && !full())
    if (auto good = look_at(meta::kept_blob{*at.begun}); !good) return good.error();
  if (full()) return page;
  const auto blobs = view.blobs(at.after, blobs_a_page);
  if (!blobs) return blobs.error();
  for (const auto& blob : blobs->blobs) {
    while (!full() && at.after != blob.blob)
      if (auto good = look_at(blob); !good) return good.error();
    if (full()) return page;
  }
  if (blobs->next) at.after = blobs->next;
  page.last = !blobs->next;
  return page;
}

result<repair_page> next_repairs(meta::view& view, const missing_locally& missing, const cluster::layout& layout,
                                 storage::node_number self, const std::optional<meta::repair_row>& after) {
  const auto rows = view.repairs(self, after, rows_a_page);
  if (!rows) return rows.error();
  repair_page page;
  page.last = rows->size() < rows_a_page;
  for (const auto& repair : *rows) {
    const auto blob = view.kept(repair.blob);
    if (!blob) return blob.error();
    repair_page::row row{repair, page.missing.size(), 0, true};
    if (*blob) {
      std::vector<storage::chunk_id> own;
      const auto end =
          std::min<std::uint64_t>(std::uint64_t{repair.missing.first} + repair.missing.count, (*blob)->chunks);
      for (std::uint64_t i = repair.missing.first; i < end; ++i)
        if (const storage::chunk_id id{repair.blob, std::uint32_t(i)}; owns(layout, self, id)) own.push_back(id);
      const auto absent = missing(own);
      if (!absent) return absent.error();
      for (const auto& id : *absent) {
        row.whole = page.missing.size() < wanted_max;
        if (!row.whole) break;
        page.missing.push_back({id, length_of(**blob, id.index)});
      }
    }
    row.end = page.missing.size();
    page.rows.push_back(row);
    if (page.missing.size() >= wanted_max) {
      page.last = page.last && repair == rows->back() && row.whole;
      break;
    }
  }
  return page;
}

result<std::vector<meta::repair_row>> needless_repairs(meta::view& view, const cluster::layout& layout) {
  std::vector<meta::repair_row> needless;
  for (const auto& m : layout.members) {
    if (m.state != cluster::member_state::removed && m.state != cluster::member_state::out) continue;
    const auto rows = view.repairs(m.number, std::nullopt, rows_a_page);
    if (!rows) return rows.error();
    for (const auto& row : *rows) {
      bool needed = false;
      for (std::uint32_t i = 0; i < row.missing.count && !needed; ++i)
        needed = owns(layout, m.number, {row.blob, row.missing.first + i});
      if (!needed) needless.push_back(row);
    }
  }
  return needless;
}

result<std::vector<storage::chunk_id>> droppable(meta::view& view, const cluster::layout& layout,
                                                 storage::node_number self,
                                                 std::span<const storage::chunk_id> present) {
  if (view.deletions_held()) return std::vector<storage::chunk_id>{};
  const auto acknowledged = view.acknowledged_epoch();
  if (!acknowledged) return acknowledged.error();
  std::vector<storage::chunk_id> out;
  std::optional<storage::blob_id> known;
  std::vector<meta::repair_row> repairs;
  for (const auto& id : present) {
    if (!cluster::may_drop(layout, storage::partition_of(id), self, *acknowledged)) continue;
    if (known != id.blob) {
      auto rows = view.repairs_of(id.blob, repairs_of_a_blob_max);
      if (!rows) return rows.error();
      repairs = std::move(*rows);
      known = id.blob;
    }
    const bool needed =
        repairs.size() == repairs_of_a_blob_max || std::ranges::any_of(repairs, [&](const meta::repair_row& r) {
          return id.index - r.missing.first < r.missing.count;
        });
    if (!needed) out.push_back(id);
  }
  return out;
}

result<std::vector<wanted_chunk>> still_live(meta::view& view, std::span<const storage::chunk_id> chunks) {
  std::vector<wanted_chunk> out;
  for (const auto& id : chunks) {
    const auto blob = view.kept(id.blob);
    if (!blob) return blob.error();
    if (!*blob || (*blob)->buried || id.index >= (*blob)->chunks) continue;
    const auto rows = view.repairs_of(id.blob, repairs_of_a_blob_max);
    if (!rows) return rows.error();
    const bool given_up = std::ranges::any_of(*rows, [&](const meta::repair_row& r) {
      return r.missing.node == meta::nobody && id.index - r.missing.first < r.missing.count;
    });
    if (!given_up) out.push_back({id, length_of(**blob, id.index)});
  }
  return out;
}

result<scrubbed_page> scrub_page_of(meta::view& view, storage::chunk_store& disk,
                                    const std::optional<storage::chunk_id>& after, std::uint64_t bytes) {
  auto page = disk.scrub(after, bytes);
  if (!page) return page.error();
  auto ids = std::move(page->corrupt);
  ids.insert(ids.end(), page->unreadable.begin(), page->unreadable.end());
  auto damaged = still_live(view, ids);
  if (!damaged) return damaged.error();
  return scrubbed_page{std::move(*damaged), page->reached, page->bytes};
}

} // namespace cairn::actors

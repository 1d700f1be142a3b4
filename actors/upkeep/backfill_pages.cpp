#include "actors/upkeep/backfill_pages.hpp"

#include "actors/protocol/messages.hpp"

#include <algorithm>

namespace cairn::actors {

namespace {

namespace meta = storage::metadata;

constexpr std::size_t blobs_a_page = 256, chunks_a_page = 16384, rows_a_page = 64;
constexpr std::size_t repairs_of_a_blob_max = 4096;
constexpr std::uint64_t read_a_page = 64 << 20; // bytes

std::uint32_t length_of(const meta::kept_blob& blob, std::uint32_t index) {
  const auto left = blob.length - std::uint64_t{index} * blob.chunk_size;
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(left, blob.chunk_size));
}

bool owns(const cluster::layout& l, node_number node, const chunk_id& id) {
  return cluster::read_owners(l, partition_of(id)).contains(node);
}

bool is_full(const compared_page& page, std::size_t more = 0) {
  return page.chunks >= chunks_a_page || page.missing.size() + more >= wanted_max || page.bytes_read >= read_a_page;
}

// Compares the chunks of `blob` from index `from` on: adds missing ones to `page`, returns the index that it reached.
result<std::uint32_t> compare_blob(compared_page& page, const local_chunks& own,
                                   const cluster::comparisons::round& round, const meta::kept_blob& blob,
                                   std::uint32_t from) {
  chunk_ids looked_up, read;
  std::uint32_t index = from;
  for (; index < blob.chunks && !is_full(page, looked_up.size() + read.size()); ++index) {
    ++page.chunks;
    const chunk_id id{blob.blob, index};
    const auto partition = partition_of(id);
    if (!round.partitions[partition]) continue;
    (round.read[partition] ? read : looked_up).push_back(id);
    if (round.read[partition]) page.bytes_read += length_of(blob, index);
  }
  for (const auto& [ids, lookup] : {std::pair{&looked_up, &own.missing}, std::pair{&read, &own.not_whole}}) {
    if (ids->empty()) continue;
    const auto wanted = (*lookup)(*ids);
    if (!wanted) return wanted.error();
    for (const auto& id : *wanted) page.missing.push_back({id, length_of(blob, id.index)});
  }
  return index;
}

// The chunks that no disk has, according to `lacks`: each disk is asked about the chunks that the disks before it lack.
template <class Lacks>
local_chunks::lookup on_no_disk(std::vector<storage::chunk_store*> disks, Lacks lacks) {
  return [disks = std::move(disks), lacks](std::span<const chunk_id> ids) -> result<chunk_ids> {
    chunk_ids left{ids.begin(), ids.end()};
    for (auto* const disk : disks) {
      if (left.empty()) break;
      auto lacking = lacks(*disk, left);
      if (!lacking && lacking.error().code != errc::quarantined) return lacking;
      if (lacking) left = std::move(*lacking);
    }
    return left;
  };
}

result<chunk_ids> not_whole_on(storage::chunk_store& disk, const chunk_ids& ids) {
  auto lacking = disk.missing(ids);
  if (!lacking) return lacking;
  const auto read = disk.verify(ids);
  if (!read) return read.error();
  for (const auto* const bad : {&read->corrupt, &read->unreadable})
    lacking->insert(lacking->end(), bad->begin(), bad->end());
  return lacking;
}

} // namespace

local_chunks chunks_on(const std::vector<storage::chunk_store*>& disks) {
  return {.missing = on_no_disk(disks, [](auto& disk, const auto& ids) { return disk.missing(ids); }),
          .not_whole = on_no_disk(disks, not_whole_on)};
}

result<compared_page> compare_page(meta::view& view, const local_chunks& own, const cluster::comparisons::round& round,
                                   blob_place from) {
  compared_page page;
  page.reached = from;
  auto& at = page.reached;
  const auto examine = [&](const meta::kept_blob& blob) -> result<void> {
    const auto reached = compare_blob(page, own, round, blob, at.next);
    if (!reached) return reached.error();
    at.begun = *reached < blob.chunks ? std::optional{blob} : std::nullopt;
    at.next = at.begun ? *reached : 0;
    if (!at.begun) at.after = blob.blob;
    return {};
  };
  while (at.begun && !is_full(page))
    if (auto good = examine(meta::kept_blob{*at.begun}); !good) return good.error();
  if (is_full(page)) return page;
  const auto blobs = view.blobs(at.after, blobs_a_page);
  if (!blobs) return blobs.error();
  for (const auto& blob : blobs->blobs) {
    while (!is_full(page) && at.after != blob.blob)
      if (auto good = examine(blob); !good) return good.error();
    if (is_full(page)) return page;
  }
  if (blobs->next) at.after = blobs->next;
  page.last = !blobs->next;
  return page;
}

result<repair_page> next_repairs(meta::view& view, const local_chunks& own, const cluster::layout& layout,
                                 node_number self, const std::optional<meta::repair_row>& after) {
  const auto rows = view.repairs(self, after, rows_a_page);
  if (!rows) return rows.error();
  repair_page page;
  page.last = rows->size() < rows_a_page;
  for (const auto& repair : *rows) {
    const auto blob = view.kept(repair.blob);
    if (!blob) return blob.error();
    repair_page::row row{repair, page.missing.size(), 0, true};
    if (*blob) {
      std::vector<chunk_id> owned;
      const auto end =
          std::min<std::uint64_t>(std::uint64_t{repair.missing.first} + repair.missing.count, (*blob)->chunks);
      for (std::uint64_t i = repair.missing.first; i < end; ++i)
        if (const chunk_id id{repair.blob, std::uint32_t(i)}; owns(layout, self, id)) owned.push_back(id);
      const auto absent = own.missing(owned);
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

result<droppable_chunks> droppable(meta::view& view, const cluster::layout& layout, node_number self,
                                   std::span<const chunk_id> present) {
  if (view.deletions_held()) return droppable_chunks{.now = {}, .later = true};
  const auto acknowledged = view.acknowledged_epoch();
  if (!acknowledged) return acknowledged.error();
  droppable_chunks out;
  std::optional<blob_id> known;
  std::vector<meta::repair_row> repairs;
  for (const auto& id : present) {
    const auto partition = partition_of(id);
    if (cluster::read_owners(layout, partition).contains(self)) continue;
    if (!cluster::may_drop(layout, partition, self, *acknowledged)) {
      out.later = true;
      continue;
    }
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
    if (needed)
      out.later = true;
    else
      out.now.push_back(id);
  }
  return out;
}

result<std::vector<wanted_chunk>> still_live(meta::view& view, std::span<const chunk_id> chunks) {
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

result<scrubbed_page> scrub_page_of(meta::view& view, storage::chunk_store& disk, const std::optional<chunk_id>& after,
                                    std::uint64_t bytes) {
  auto page = disk.scrub(after, bytes);
  if (!page) return page.error();
  auto ids = std::move(page->corrupt);
  ids.insert(ids.end(), page->unreadable.begin(), page->unreadable.end());
  auto damaged = still_live(view, ids);
  if (!damaged) return damaged.error();
  return scrubbed_page{std::move(*damaged), page->reached, page->bytes};
}

} // namespace cairn::actors

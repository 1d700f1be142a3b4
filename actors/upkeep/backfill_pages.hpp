// The look-ups of the backfill actor, page by page: blocking reads of the metadata and of the disks' indexes, on an
// executor. Each call looks at a bounded number of rows and chunks and returns the place that it reached.
#pragma once

#include "cluster/layout/comparisons.hpp"
#include "storage/chunks/chunk_store.hpp"
#include "storage/metadata/read/view.hpp"

#include <functional>
#include <optional>
#include <span>
#include <vector>

namespace cairn::actors {

// The chunks on this node's disks. A quarantined disk counts as empty.
struct local_chunks {
  using lookup = std::function<result<std::vector<chunk_id>>(std::span<const chunk_id>)>;
  lookup missing;   // the chunks among these that no disk has, by the indexes
  lookup not_whole; // the chunks among these that no disk has undamaged; reads them
};
local_chunks chunks_on(const std::vector<storage::chunk_store*>& disks);

struct wanted_chunk {
  chunk_id id;
  std::uint32_t length = 0; // bytes
};
constexpr std::size_t wanted_max = 256; // chunks in a page

// ── comparison of live blobs with the disks ──

struct blob_place {
  std::optional<blob_id> after;                      // all blobs up to this one are compared
  std::optional<storage::metadata::kept_blob> begun; // compared next, from chunk `next` on
  std::uint32_t next = 0;
};
struct compared_page {
  std::vector<wanted_chunk> missing; // missing, and damaged where the round reads
  blob_place reached;
  bool last = false;
  std::uint64_t chunks = 0, bytes_read = 0; // compared; verified
};
result<compared_page> compare_page(storage::metadata::view& view, const local_chunks& own,
                                   const cluster::comparisons::round& round, blob_place from);

// ── repair rows of this node ──

struct repair_page {
  struct row {
    storage::metadata::repair_row repair;
    std::size_t first = 0, end = 0; // range in `missing`: once these are stored, the row can be confirmed
    bool whole = true;              // false: more chunks are missing than fit into this page
  };
  std::vector<row> rows;
  std::vector<wanted_chunk> missing;
  bool last = false;
};
result<repair_page> next_repairs(storage::metadata::view& view, const local_chunks& own, const cluster::layout& layout,
                                 node_number self, const std::optional<storage::metadata::repair_row>& after);

// Repair rows of nodes that no longer own any chunk of the row: these rows can be removed.
result<std::vector<storage::metadata::repair_row>> needless_repairs(storage::metadata::view& view,
                                                                    const cluster::layout& layout);

// ── drops ──

// This node's chunks that it does not own any more and that no repair needs.
struct droppable_chunks {
  std::vector<chunk_id> now;
  bool later = false; // further chunks must wait until a session acknowledges the layout or a repair ends
};
result<droppable_chunks> droppable(storage::metadata::view& view, const cluster::layout& layout, node_number self,
                                   std::span<const chunk_id> present);

// The chunks among these that an object still needs and that no operator has given up.
result<std::vector<wanted_chunk>> still_live(storage::metadata::view& view, std::span<const chunk_id> chunks);

// ── scrubbing ──

struct scrubbed_page {
  std::vector<wanted_chunk> damaged; // among the chunks that an object needs
  std::optional<chunk_id> reached;
  std::uint64_t bytes = 0; // read
};
result<scrubbed_page> scrub_page_of(storage::metadata::view& view, storage::chunk_store& disk,
                                    const std::optional<chunk_id>& after, std::uint64_t bytes);

} // namespace cairn::actors

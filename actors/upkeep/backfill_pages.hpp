// What the backfill actor looks up page by page: blocking reads of the metadata and of the disks' indexes, for an
// executor. Each call looks at a bounded number of rows and chunks and says where it got to.
#pragma once

#include "cluster/layout/comparisons.hpp"
#include "storage/chunks/chunk_store.hpp"
#include "storage/metadata/read/view.hpp"

#include <functional>
#include <optional>
#include <span>
#include <vector>

namespace cairn::actors {

// What this node's disks have; one that is quarantined has nothing.
struct local_chunks {
  using lookup = std::function<result<std::vector<storage::chunk_id>>(std::span<const storage::chunk_id>)>;
  lookup missing;   // those of the chunks that no disk has, by the indexes
  lookup not_whole; // those that no disk has undamaged: reads what is there
};
local_chunks chunks_on(const std::vector<storage::chunk_store*>& disks);

struct wanted_chunk {
  storage::chunk_id id;
  std::uint32_t length = 0; // bytes
};
constexpr std::size_t wanted_max = 256; // of a page

// ── live blobs against the disks ──

struct blob_place {
  std::optional<storage::blob_id> after;             // blobs up to this one are done
  std::optional<storage::metadata::kept_blob> begun; // then this one, from chunk `next` on
  std::uint32_t next = 0;
};
struct compared_page {
  std::vector<wanted_chunk> missing; // or damaged, where the round reads
  blob_place reached;
  bool last = false;
  std::uint64_t chunks = 0, bytes_read = 0; // looked at
};
result<compared_page> compare_page(storage::metadata::view& view, const local_chunks& own,
                                   const cluster::comparisons::round& round, blob_place from);

// ── repair rows of this node ──

struct repair_page {
  struct row {
    storage::metadata::repair_row repair;
    std::size_t first = 0, end = 0; // of `missing`: when those are there, the row is settled
    bool whole = true;              // false: more is missing than this page took
  };
  std::vector<row> rows;
  std::vector<wanted_chunk> missing;
  bool last = false;
};
result<repair_page> next_repairs(storage::metadata::view& view, const local_chunks& own, const cluster::layout& layout,
                                 storage::node_number self, const std::optional<storage::metadata::repair_row>& after);

// Rows of nodes that own nothing of what the row names any more: nobody has to make up for it.
result<std::vector<storage::metadata::repair_row>> needless_repairs(storage::metadata::view& view,
                                                                    const cluster::layout& layout);

// ── what may go ──

// Those of this node's chunks that it does not own any more and that no repair needs.
struct droppable_chunks {
  std::vector<storage::chunk_id> now;
  bool later = false; // others must wait: for a session to acknowledge the layout, or for a repair
};
result<droppable_chunks> droppable(storage::metadata::view& view, const cluster::layout& layout,
                                   storage::node_number self, std::span<const storage::chunk_id> present);

// Those of the chunks that some object still needs and that nobody has given up.
result<std::vector<wanted_chunk>> still_live(storage::metadata::view& view, std::span<const storage::chunk_id> chunks);

// ── scrubbing ──

struct scrubbed_page {
  std::vector<wanted_chunk> damaged; // of those that some object needs
  std::optional<storage::chunk_id> reached;
  std::uint64_t bytes = 0; // read
};
result<scrubbed_page> scrub_page_of(storage::metadata::view& view, storage::chunk_store& disk,
                                    const std::optional<storage::chunk_id>& after, std::uint64_t bytes);

} // namespace cairn::actors

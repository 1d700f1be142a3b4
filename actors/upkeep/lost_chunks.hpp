// Chunks that no node has: what an operator is told about them, and what giving them up means for the metadata. A chunk
// counts as lost when every current and target owner of its partition has answered that it has no good bytes of it; an
// owner that is away, or one of whose disks is closed, has not answered. Blocking reads of the metadata, bounded.
#pragma once

#include "storage/metadata/read/view.hpp"

#include <span>
#include <string>
#include <vector>

namespace cairn::actors {

constexpr std::size_t lost_reported_max = 256; // chunks in one report of a node
constexpr std::size_t lost_remembered_max = 1024;

// The command that gives these up: neighbours of one blob in one row. `rising`, without repetition.
storage::metadata::give_up_chunks give_up(std::span<const storage::chunk_id> rising);

struct affected_objects {
  std::vector<std::string> names; // bucket/key, in order
  bool all_looked_at = true;      // else there may be more
};
// The present objects that need one of these chunks' blobs, at most `names_max`, among the first `rows_max` rows.
result<affected_objects> objects_with(storage::metadata::view& view, std::span<const storage::chunk_id> chunks,
                                      std::size_t names_max, std::size_t rows_max);

// For people: how many, of which objects, what to do.
std::string describe_lost(std::size_t chunks, const affected_objects& objects);

} // namespace cairn::actors

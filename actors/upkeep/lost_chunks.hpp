// Chunks that no node has: what an operator is told about them, and the command that gives them up. A chunk is lost
// when every current and target owner of its partition has answered that it has no good copy of it; an owner that is
// away, or that has a closed disk, does not give that answer. Blocking reads of the metadata, bounded.
#pragma once

#include "storage/metadata/read/view.hpp"

#include <span>
#include <string>
#include <vector>

namespace cairn::actors {

constexpr std::size_t lost_reported_max = 256; // in one report of a node
constexpr std::size_t lost_remembered_max = 1024;

// The command that gives these chunks up: consecutive chunks of a blob form one row. `rising`, without repetition.
storage::metadata::give_up_chunks give_up(std::span<const chunk_id> rising);

struct affected_objects {
  std::vector<std::string> names; // bucket/key, in order
  bool all_searched = true;       // false: there may be more
};
// The live objects that need a blob of one of these chunks, at most `names_max`, among the first `rows_max` rows.
result<affected_objects> objects_with(storage::metadata::view& view, std::span<const chunk_id> chunks,
                                      std::size_t names_max, std::size_t rows_max);

// The text for the operator: how many chunks, which objects, what to do.
std::string describe_lost(std::size_t chunks, const affected_objects& objects);

} // namespace cairn::actors

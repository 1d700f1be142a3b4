// Object ranges × manifest parts → the chunk reads that serve them, in order. A slice never crosses a chunk, a part or
// a range. A read begins at a 64 KiB block and ends at one (or at the chunk's end), because a checksum covers a block;
// `trim` and `length` tell which of the bytes read belong to the object.
//
// A plain class, used by the sequencer. Holds one page of the manifest's parts, and asks for the page that it needs,
// forwards or backwards (ranges come in any order). Offsets and lengths in bytes.
#pragma once

#include "actors/protocol/messages.hpp"
#include "actors/protocol/ports.hpp"

#include <optional>

namespace cairn::actors {

struct planned_slice {
  chunk_id chunk;
  std::uint32_t read_offset = 0,
                read_length = 0;      // within the chunk; the chunk may end earlier, but not before trim + length
  std::uint32_t trim = 0, length = 0; // within the bytes read
};

class slice_planner {
public:
  slice_planner(std::vector<byte_range> ranges, part_list first_parts);

  bool done() const noexcept { return range_ == ranges_.size(); }
  // Set while the next slice lies outside the known parts: parts from this object offset on are needed.
  std::optional<std::uint64_t> needs_parts_from() const;
  // The page that was asked for. corrupt when it does not cover the offset or contradicts itself.
  result<void> add_parts(part_list page);

  // The next slice, reading at most bytes_max (a multiple of 64 KiB). Only when not done and no parts are needed.
  planned_slice peek(std::uint32_t bytes_max) const;
  void take(const planned_slice& slice); // the slice that peek returned

private:
  const storage::metadata::manifest_part* part_at(std::uint64_t offset) const;
  void skip_empty_ranges();

  std::vector<byte_range> ranges_;
  std::size_t range_ = 0;
  std::uint64_t done_of_range_ = 0;
  part_list parts_;
};

} // namespace cairn::actors

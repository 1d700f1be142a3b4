#include "actors/download/slice_planner.hpp"

#include <algorithm>

namespace cairn::actors {

namespace {

constexpr std::uint64_t block = block_size_bytes;

constexpr std::uint64_t round_up(std::uint64_t n) {
  return (n + block - 1) / block * block;
}

bool plausible(const storage::metadata::manifest_part& part) {
  const auto last_chunk = part.chunk_size == 0 ? 0 : (part.blob_offset + part.length) / part.chunk_size;
  return part.length > 0 && part.chunk_size >= block && part.chunk_size % block == 0 && last_chunk <= 0xFFFFFFFF &&
         part.object_offset + part.length > part.object_offset && part.blob_offset + part.length > part.blob_offset;
}

} // namespace

slice_planner::slice_planner(std::vector<byte_range> ranges, part_list first_parts)
    : ranges_(std::move(ranges)), parts_(std::move(first_parts)) {
  skip_empty_ranges();
}

void slice_planner::skip_empty_ranges() {
  while (range_ < ranges_.size() && done_of_range_ == ranges_[range_].length) {
    ++range_;
    done_of_range_ = 0;
  }
}

const storage::metadata::manifest_part* slice_planner::part_at(std::uint64_t offset) const {
  if (!parts_) return nullptr;
  const auto after = std::ranges::upper_bound(*parts_, offset, {}, &storage::metadata::manifest_part::object_offset);
  if (after == parts_->begin()) return nullptr;
  const auto& part = *std::prev(after);
  return offset - part.object_offset < part.length && plausible(part) ? &part : nullptr;
}

std::optional<std::uint64_t> slice_planner::needs_parts_from() const {
  if (done()) return std::nullopt;
  const auto offset = ranges_[range_].offset + done_of_range_;
  if (part_at(offset)) return std::nullopt;
  return offset;
}

result<void> slice_planner::add_parts(part_list page) {
  parts_ = std::move(page);
  if (const auto missing = needs_parts_from()) {
    return error{errc::corrupt, "the manifest has no valid part at offset " + std::to_string(*missing)};
  }
  return {};
}

planned_slice slice_planner::peek(std::uint32_t bytes_max) const {
  CAIRN_ASSERT(!done() && bytes_max >= block && bytes_max % block == 0);
  const auto& range = ranges_[range_];
  const auto offset = range.offset + done_of_range_;
  const auto* part = part_at(offset);
  CAIRN_ASSERT(part);
  const auto in_part = offset - part->object_offset;
  const auto in_blob = part->blob_offset + in_part;
  const auto in_chunk = in_blob % part->chunk_size;

  planned_slice out;
  out.chunk = {part->blob, std::uint32_t(in_blob / part->chunk_size)};
  out.read_offset = std::uint32_t(in_chunk / block * block);
  out.trim = std::uint32_t(in_chunk - out.read_offset);
  const std::uint64_t wanted =
      std::min({range.length - done_of_range_, part->length - in_part, part->chunk_size - in_chunk});
  out.length = std::uint32_t(std::min<std::uint64_t>(wanted, bytes_max - out.trim));
  out.read_length =
      std::uint32_t(std::min<std::uint64_t>(round_up(out.trim + out.length), part->chunk_size - out.read_offset));
  return out;
}

void slice_planner::take(const planned_slice& slice) {
  CAIRN_ASSERT(!done() && slice.length <= ranges_[range_].length - done_of_range_);
  done_of_range_ += slice.length;
  skip_empty_ranges();
}

} // namespace cairn::actors

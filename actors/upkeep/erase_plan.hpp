// Cuts buried blobs into pages of chunk ids to erase: small blobs share a page, a large blob takes many pages. Tells
// which blobs are complete after each page. A plain class of the reaper.
#pragma once

#include "actors/protocol/messages.hpp"

namespace cairn::actors {

class erase_plan {
public:
  erase_plan(std::vector<storage::metadata::buried_blob> blobs, std::size_t page_chunks)
      : blobs_(std::move(blobs)), page_chunks_(page_chunks) {}

  bool done() const noexcept { return blob_ == blobs_.size(); }
  // The next ids, at most page_chunks; empty only for blobs without chunks. Only when not done.
  chunk_ids next_page() {
    chunk_ids page;
    for (; blob_ < blobs_.size(); ++blob_, chunk_ = 0) {
      const auto& b = blobs_[blob_];
      while (chunk_ < b.chunks && page.size() < page_chunks_) page.push_back({b.blob, chunk_++});
      if (chunk_ < b.chunks) break;
    }
    return page;
  }
  // The blobs whose chunks were all in the pages so far.
  std::vector<storage::metadata::buried_blob> complete() const {
    return {blobs_.begin(), blobs_.begin() + std::ptrdiff_t(blob_)};
  }

private:
  std::vector<storage::metadata::buried_blob> blobs_;
  std::size_t page_chunks_, blob_ = 0;
  std::uint32_t chunk_ = 0;
};

} // namespace cairn::actors

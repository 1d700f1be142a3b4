// Disks and metadata that answer from a plan and not from storage: late, in any order, wrongly. For runs of sequencer
// and streamer alone. Every read is checked: block-aligned, within its chunk, into its own buffer that is large enough,
// never more reads than the window.
#pragma once

#include "actors/chunks/chunk_router.hpp"
#include "actors/chunks/retry_policy.hpp"
#include "sim/world/checks.hpp"
#include "sim/world/world.hpp"

#include <map>
#include <set>

namespace cairn::sim {

struct fake_disk_plan {
  microseconds read_min{10}, read_max{300};
  double slow = 0; // probability that a read takes up to slow_max longer
  microseconds slow_max{0};
  double transient_failures =
      0; // probability of a transient failure (busy, io_error, timeout); never often enough to be fatal
  double late_garbage = 0; // probability that a read that timed out writes garbage into its buffer later
  double misplaced = 0;    // probability that a chunk is on a disk of lower rank
  double corrupt = 0, lost = 0, unreadable = 0, short_chunks = 0; // probability per chunk, fatal
};

// A blob as the stores know it; its bytes are pattern(blob.number, offset).
struct fake_blob {
  std::uint64_t length = 0;
  std::uint32_t chunk_size = 0;
};

class fake_stores {
public:
  fake_stores(world& w, checks& c, fake_disk_plan plan, std::size_t disks, std::size_t window_max);
  void stop(); // ends the actors; the object stays until the world has run them
  fake_stores(const fake_stores&) = delete;
  fake_stores& operator=(const fake_stores&) = delete;

  std::map<blob_id, fake_blob> blobs;
  // The number of slices at the client that are not credited yet: they count against the window.
  std::function<std::size_t()> queued_elsewhere = [] { return std::size_t{0}; };

  std::shared_ptr<const actors::chunk_router> router() const { return router_; }
  std::size_t reading() const noexcept { return reading_.size(); }
  std::uint64_t reads() const noexcept { return reads_; }
  // The codes with which a download may end, given the answers so far.
  const std::set<errc>& fatal() const noexcept { return fatal_; }

private:
  struct chunk_facts {
    std::size_t rank = 0; // rank of the disk that has the chunk
    std::optional<errc> fault;
    bool is_short = false;
    std::map<std::size_t, std::uint32_t> transient_failures; // consecutive transient failures, by rank
  };
  struct answer {
    std::optional<error> failure;
    actors::chunk_data data;
    microseconds delay{0};
  };
  chunk_facts& facts_of(const chunk_id& id);
  answer read(std::size_t disk, const actors::chunk_read& r);
  std::optional<error> failure_of(std::size_t disk, const actors::chunk_read& r, microseconds& delay);
  microseconds draw_delay();

  world& w_;
  checks& checks_;
  const fake_disk_plan plan_;
  const std::size_t disks_, window_max_;
  std::vector<actors::chunk_store_actor> actors_;
  std::shared_ptr<const actors::chunk_router> router_;
  std::map<chunk_id, chunk_facts> facts_;
  std::set<const buffer*> reading_;
  std::set<errc> fatal_;
  std::uint64_t reads_ = 0;
};

// Answers the look-ups of one object.
struct fake_object {
  storage::metadata::object_row row;
  std::string inline_bytes;
  std::vector<storage::metadata::manifest_part> parts;
  std::size_t first_parts = 16, page_parts = 16;
  std::optional<errc> lookup_fault, parts_fault;
  microseconds answer_max{200};
};
actors::metadata_actor spawn_fake_metadata(world& w, checks& c, std::shared_ptr<const fake_object> object,
                                           std::shared_ptr<void> hold);

} // namespace cairn::sim

// What a synchronization does with each name: one pass over the two listings, which are both in the order of their
// names' bytes. Names that the filter excludes are treated as absent from both. Nothing is deleted that the source may
// have: below a folder that could not be read, or where the source has something that was skipped. Pure.
#pragma once

#include "cli/sync/listing.hpp"
#include "cli/sync/name_filter.hpp"

namespace cairn::cli {

struct sync_step {
  enum class kind : std::uint8_t {
    transfer, // the target lacks it, or has it in another size
    compare,  // both have it in the same size
    remove,   // only the target has it
    failed,   // cannot be read; on the target this matters only where something may have to be deleted
    skipped,  // of the source: not transferred, its `why` says why
  };
  kind what;
  listed_item source, target; // one may be unset
};

class sync_merge {
public:
  // `target` may be null: then everything is transferred. Both outlive the merge.
  sync_merge(item_listing& source, item_listing* target, const name_filter& filter, bool remove)
      : source_(source), target_(target), filter_(filter), remove_(remove) {}
  result<std::optional<sync_step>> next(); // nullopt: the end

private:
  result<std::optional<listed_item>> taken(item_listing& from) const;
  result<void> fill();
  bool is_held(const std::string& name) const;

  item_listing& source_;
  item_listing* target_;
  const name_filter& filter_;
  bool remove_;
  bool source_ended_ = false, target_ended_ = false;
  std::optional<listed_item> source_item_, target_item_;
  std::string held_; // a folder of the source that could not be read
};

} // namespace cairn::cli

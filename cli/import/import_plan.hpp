// What an import does with one key, from the versions that source and target have of it. Nothing is remembered between
// runs: what the target has already is recognized by its size and ETag. An ETag that the target can't have too (that of
// an encrypted object, or of parts whose sizes the source does not tell) is kept in the copy's metadata as
// `origin_etag_header`. Versions have other ids in the target, so their order is what is compared. Pure.
#pragma once

#include "cli/import/version_page.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace cairn::cli {

constexpr std::string_view origin_etag_header = "x-amz-meta-cairn-origin-etag";

struct import_plan {
  enum class kind : std::uint8_t {
    same,
    copy,          // the source's versions from `first` on are missing
    compare_heads, // the same bytes, but stored at the source after they were copied: metadata may have changed
    conflict,      // the target has something newer that the source never had
  };
  kind what = kind::same;
  std::size_t first = 0;
  std::size_t target_only = 0; // versions that only the target has
};

struct plan_rules {
  time_ns target_ahead = 0; // what the target's clock shows more than the source's
  bool overwrite = false;   // the source's newest version counts, whatever the target has
};

// Both oldest first; `source` is not empty.
import_plan plan_import(std::span<const stored_version> source, std::span<const stored_version> target,
                        const plan_rules& rules);

// The versions, by their places in both, that are the same.
std::vector<std::pair<std::size_t, std::size_t>> paired_versions(std::span<const stored_version> source,
                                                                 std::span<const stored_version> target);

// Whether some version of the target may be a copy under another ETag, so that its `origin_etag` should be read first:
// only such have the size of a version of the source, and the ETag of none.
bool may_be_renamed_copy(std::span<const stored_version> source, const stored_version& of_target);

} // namespace cairn::cli

#include "cli/import/import_plan.hpp"

#include <algorithm>

namespace cairn::cli {

namespace {

// Servers list whole seconds, and their clocks are compared by whole seconds.
constexpr time_ns clock_error = 2'000'000'000;

bool is_copy(const stored_version& source, const stored_version& target) {
  if (source.delete_marker || target.delete_marker) return source.delete_marker == target.delete_marker;
  return source.size_bytes == target.size_bytes &&
         (source.etag == target.etag || (!target.origin_etag.empty() && source.etag == target.origin_etag));
}

// How many of the source's versions, from the oldest on, the target has in this order: all of them, and of those the
// most whose last one is the target's newest (nothing: that is none of them).
struct common_history {
  std::size_t any = 0, up_to_newest = 0;
};

common_history compare(std::span<const stored_version> source, std::span<const stored_version> target) {
  common_history found;
  std::size_t used = 0; // of the target, by the versions found so far
  for (const auto& version : source) {
    if (used < target.size() && is_copy(version, target.back())) found.up_to_newest = found.any + 1;
    while (used < target.size() && !is_copy(version, target[used])) ++used;
    if (used == target.size()) break;
    ++used;
    ++found.any;
  }
  return found;
}

bool stored_later(const stored_version& source, const stored_version& target, time_ns target_ahead) {
  return source.stored_at + target_ahead + clock_error >= target.stored_at;
}

} // namespace

import_plan plan_import(std::span<const stored_version> source, std::span<const stored_version> target,
                        const plan_rules& rules) {
  import_plan plan;
  if (target.empty()) {
    plan.what = import_plan::kind::copy;
    return plan;
  }
  const auto common = compare(source, target);
  const bool later = rules.overwrite || stored_later(source.back(), target.back(), rules.target_ahead);
  plan.first = common.up_to_newest > 0 ? common.up_to_newest : common.any;
  plan.target_only = target.size() - std::min(target.size(), plan.first);
  if (common.up_to_newest == source.size()) {
    const bool rewritten =
        !source.back().delete_marker && stored_later(source.back(), target.back(), rules.target_ahead);
    plan.what = rewritten ? import_plan::kind::compare_heads : import_plan::kind::same;
  } else if (common.up_to_newest > 0) {
    plan.what = import_plan::kind::copy;
  } else if (later) {
    // Of versions that the target has all, with a newer one behind them, the newest is copied again.
    plan.first = std::min(plan.first, source.size() - 1);
    plan.what = import_plan::kind::copy;
  } else {
    plan.what = import_plan::kind::conflict;
  }
  return plan;
}

std::vector<std::pair<std::size_t, std::size_t>> paired_versions(std::span<const stored_version> source,
                                                                 std::span<const stored_version> target) {
  std::vector<std::pair<std::size_t, std::size_t>> pairs;
  const auto newest = target.empty() ? 0 : compare(source, target).up_to_newest;
  std::size_t used = 0;
  for (std::size_t i = 0; i < source.size() && used < target.size(); ++i) {
    if (i + 1 == newest) used = target.size() - 1; // is the target's newest, of which there may be older copies, too
    while (used < target.size() && !is_copy(source[i], target[used])) ++used;
    if (used < target.size()) pairs.emplace_back(i, used++);
  }
  return pairs;
}

bool may_be_renamed_copy(std::span<const stored_version> source, const stored_version& of_target) {
  bool same_size = false;
  for (const auto& version : source) {
    if (version.delete_marker || version.size_bytes != of_target.size_bytes) continue;
    if (version.etag == of_target.etag) return false;
    same_size = true;
  }
  return same_size && !of_target.delete_marker;
}

} // namespace cairn::cli

// Which versions and uploads of a bucket its lifecycle rules expire at a given time. A plain class without clock, actor
// or store: actors/upkeep/lifecycle.hpp walks the bucket and calls it. As in S3 ("Managing the lifecycle of objects"),
// an action is due at the first midnight (UTC) after the given number of days since the version was written or
// displaced. A version that object lock protects is kept until it no longer does.
#pragma once

#include "storage/metadata/read/view.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cairn::storage::metadata {

enum class lifecycle_action : std::uint8_t {
  keep,
  expire, // delete the live version, as DELETE of its key does
  remove, // delete this version permanently
};

// When the live version of an object expires, or an upload is aborted, and by which rule.
struct expiry {
  wall_ms at = 0;
  std::string rule;
};
// The earliest expiry by the rules, in real days (not in days of debug.lifecycle_day); nullopt: no rule expires it.
std::optional<expiry> expiry_of(const std::vector<lifecycle_rule>& rules, const listed_version& version);

// When an upload that began at that time is aborted, in the same way.
std::optional<expiry> abort_of(const std::vector<lifecycle_rule>& rules, std::string_view key, wall_ms begun);

class lifecycle_rules {
public:
  // `day`: the length of a day; with another length than 24 h, for experiments, times are not rounded up to midnight.
  // `upload_age_max`: uploads that are older are aborted without a rule; 0: no limit.
  lifecycle_rules(std::vector<lifecycle_rule> rules, std::chrono::milliseconds day,
                  std::chrono::milliseconds upload_age_max = {})
      : rules_(std::move(rules)), day_(day), upload_age_max_(upload_age_max) {}

  bool wants_versions() const; // some rule may delete versions: they must be walked
  bool wants_uploads() const;  // some rule may abort uploads

  // Called for each version of the bucket, in the order of view::versions: by key, newest first. `last`: no further
  // version of this key follows.
  lifecycle_action next(const listed_version& version, bool last, wall_ms now);
  bool aborts(const listed_upload& upload, wall_ms now) const;

private:
  bool is_due(wall_ms since, std::uint32_t days, wall_ms now) const;
  bool expires(const listed_version& version, wall_ms now) const;
  bool removes_displaced(const listed_version& version, wall_ms now) const;

  std::vector<lifecycle_rule> rules_;
  std::chrono::milliseconds day_, upload_age_max_;
  // The state of the walk through one key's versions.
  std::optional<std::string> key_;
  wall_ms displaced_at_ = 0;    // when the next version was displaced
  std::uint32_t displaced_ = 0; // number of noncurrent versions so far
};

} // namespace cairn::storage::metadata

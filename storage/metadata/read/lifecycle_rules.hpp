// What a bucket's lifecycle rules want of its versions and uploads at a time. A plain class without clock, actor or
// store: the walker (actors/upkeep/lifecycle.hpp) brings what it found. As in S3 ("Managing the lifecycle of objects"),
// days are counted from when a version was written, or displaced, to the next midnight (UTC) after so many of them.
#pragma once

#include "storage/metadata/read/view.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace cairn::actors {

enum class lifecycle_action : std::uint8_t {
  keep,
  expire, // the live version: as a DELETE of its key
  remove, // this version, for good
};

// When the live version of an object goes, and by which rule.
struct expiry {
  storage::wall_ms at = 0;
  std::string rule;
};
// The earliest that the rules say of it; by real days, whatever an experiment counts as one. Nothing: none says so.
std::optional<expiry> expiry_of(const std::vector<storage::metadata::lifecycle_rule>& rules,
                                const storage::metadata::listed_version& version);

class lifecycle_rules {
public:
  // `day`: how long a day is; anything but a real one, for experiments, has no midnights. `upload_age_max`: of uploads,
  // whatever the rules say; 0: any.
  lifecycle_rules(std::vector<storage::metadata::lifecycle_rule> rules, std::chrono::milliseconds day,
                  std::chrono::milliseconds upload_age_max = {})
      : rules_(std::move(rules)), day_(day), upload_age_max_(upload_age_max) {}

  bool wants_versions() const; // some may have to go, now or later
  bool wants_uploads() const;

  // The versions of a bucket, one call each in the order of view::versions: by key, then the newest first. `last`: no
  // further version of this key follows.
  lifecycle_action next(const storage::metadata::listed_version& version, bool last, storage::wall_ms now);
  bool aborts(const storage::metadata::listed_upload& upload, storage::wall_ms now) const;

private:
  bool is_due(storage::wall_ms since, std::uint32_t days, storage::wall_ms now) const;
  bool expires(const storage::metadata::listed_version& version, storage::wall_ms now) const;
  bool removes_displaced(const storage::metadata::listed_version& version, storage::wall_ms now) const;

  std::vector<storage::metadata::lifecycle_rule> rules_;
  std::chrono::milliseconds day_, upload_age_max_;
  // Of the key that is being walked.
  std::optional<std::string> key_;
  storage::wall_ms displaced_at_ = 0; // when the version was, that comes next
  std::uint32_t displaced_ = 0;       // versions that are not the latest, before it
};

} // namespace cairn::actors

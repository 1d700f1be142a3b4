#include "storage/metadata/read/lifecycle_rules.hpp"

#include <algorithm>

namespace cairn::storage::metadata {

namespace {

constexpr std::chrono::milliseconds real_day = std::chrono::hours{24};

wall_ms due_time(wall_ms since, std::uint32_t days, std::chrono::milliseconds day_length) {
  auto due = since + static_cast<wall_ms>(days) * day_length.count();
  if (day_length == real_day) due += (day_length.count() - due % day_length.count()) % day_length.count();
  return due;
}

bool fits(const lifecycle_rule& rule, const listed_version& version) {
  if (!rule.enabled || !version.key.starts_with(rule.prefix)) return false;
  if (rule.size_above && version.size <= *rule.size_above) return false;
  if (rule.size_below && version.size >= *rule.size_below) return false;
  return std::all_of(rule.tags.begin(), rule.tags.end(), [&](const auto& tag) {
    return std::find(version.tags.begin(), version.tags.end(), tag) != version.tags.end();
  });
}

bool aborts_uploads_of(const lifecycle_rule& rule, std::string_view key) {
  return rule.enabled && rule.abort_days > 0 && key.starts_with(rule.prefix);
}

} // namespace

std::optional<expiry> expiry_of(const std::vector<lifecycle_rule>& rules, const listed_version& version) {
  std::optional<expiry> first;
  for (const auto& rule : rules) {
    if ((rule.expire_days == 0 && rule.expire_at == 0) || !fits(rule, version)) continue;
    const auto at = rule.expire_at != 0 ? rule.expire_at : due_time(version.modified, rule.expire_days, real_day);
    if (!first || at < first->at) first = expiry{at, rule.id};
  }
  return first;
}

std::optional<expiry> abort_of(const std::vector<lifecycle_rule>& rules, std::string_view key, wall_ms begun) {
  std::optional<expiry> first;
  for (const auto& rule : rules) {
    if (!aborts_uploads_of(rule, key)) continue;
    const auto at = due_time(begun, rule.abort_days, real_day);
    if (!first || at < first->at) first = expiry{at, rule.id};
  }
  return first;
}

bool lifecycle_rules::wants_versions() const {
  return std::any_of(rules_.begin(), rules_.end(), [](const auto& rule) {
    return rule.enabled &&
           (rule.expire_days > 0 || rule.expire_at != 0 || rule.expire_markers || rule.noncurrent_days > 0);
  });
}

bool lifecycle_rules::wants_uploads() const {
  return upload_age_max_.count() > 0 || std::any_of(rules_.begin(), rules_.end(), [](const auto& rule) {
           return rule.enabled && rule.abort_days > 0;
         });
}

bool lifecycle_rules::is_due(wall_ms since, std::uint32_t days, wall_ms now) const {
  return now >= due_time(since, days, day_);
}

bool lifecycle_rules::expires(const listed_version& version, wall_ms now) const {
  return std::any_of(rules_.begin(), rules_.end(), [&](const lifecycle_rule& rule) {
    if (!fits(rule, version)) return false;
    if (rule.expire_at != 0 && now >= rule.expire_at) return true;
    return rule.expire_days > 0 && is_due(version.modified, rule.expire_days, now);
  });
}

bool lifecycle_rules::removes_displaced(const listed_version& version, wall_ms now) const {
  return std::any_of(rules_.begin(), rules_.end(), [&](const lifecycle_rule& rule) {
    return fits(rule, version) && rule.noncurrent_days > 0 && displaced_ >= rule.noncurrent_kept &&
           is_due(displaced_at_, rule.noncurrent_days, now);
  });
}

lifecycle_action lifecycle_rules::next(const listed_version& version, bool last, wall_ms now) {
  const bool first = key_ != version.key;
  if (first) {
    key_ = version.key;
    displaced_ = 0;
  }
  auto action = lifecycle_action::keep;
  if (!first) {
    if (removes_displaced(version, now) && !is_protected(version.lock, now)) action = lifecycle_action::remove;
    ++displaced_;
  } else if (version.delete_marker) {
    // A delete marker without versions behind it; it also expires like an object.
    const auto rule = std::find_if(rules_.begin(), rules_.end(), [&](const lifecycle_rule& r) {
      return r.enabled && r.expire_markers && version.key.starts_with(r.prefix);
    });
    if (last && (rule != rules_.end() || expires(version, now))) action = lifecycle_action::remove;
  } else if (expires(version, now)) {
    action = lifecycle_action::expire;
  }
  displaced_at_ = version.modified;
  return action;
}

bool lifecycle_rules::aborts(const listed_upload& upload, wall_ms now) const {
  if (upload_age_max_.count() > 0 && now - upload.begun >= upload_age_max_.count()) return true;
  return std::any_of(rules_.begin(), rules_.end(), [&](const lifecycle_rule& rule) {
    return aborts_uploads_of(rule, upload.key) && is_due(upload.begun, rule.abort_days, now);
  });
}

} // namespace cairn::storage::metadata

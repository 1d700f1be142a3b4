#include "cli/import/import_report.hpp"

#include "cli/client/progress.hpp"
#include "cli/transfer/retry.hpp"

#include <algorithm>

namespace cairn::cli {

namespace {

std::string_view name_of(setting_outcome::kind what) {
  switch (what) {
    case setting_outcome::kind::carried: return "carried over";
    case setting_outcome::kind::left_behind: return "not carried over";
    case setting_outcome::kind::unreadable: return "not readable";
    case setting_outcome::kind::refused: return "refused by the target";
  }
  return {};
}

void append_remarks(std::string& to, const char* kind, const std::vector<identity_remark>& remarks) {
  for (const auto& one : remarks) to += std::string(kind) + ": " + one.what + ": " + one.why + "\n";
}

json_array remarks_json(const std::vector<identity_remark>& remarks) {
  json_array out;
  for (const auto& one : remarks) out.push_back(json_object{{"what", one.what}, {"why", one.why}});
  return out;
}

std::string identities_text(const identity_result& identities, std::uint64_t steps) {
  std::string text;
  append_remarks(text, "not carried over", identities.left);
  append_remarks(text, "differs", identities.differences);
  append_remarks(text, "failed", identities.failures);
  return text + "users, groups and policies: " + counted(steps, "change", "changes") + ", " +
         std::to_string(identities.same) + " the same, " + std::to_string(identities.differences.size()) + " differ, " +
         std::to_string(identities.failures.size()) + " failed\n";
}

std::string bucket_text(const bucket_result& bucket) {
  auto text = "bucket " + bucket.source + (bucket.source == bucket.target ? "" : " → " + bucket.target) +
              ": versioning " + std::string(to_string(bucket.versioning));
  std::string carried;
  for (const auto& one : bucket.settings)
    if (one.what == setting_outcome::kind::carried) carried += (carried.empty() ? "" : ", ") + one.setting;
  text += (carried.empty() ? "" : "; carried over: " + carried) + "\n";
  for (const auto& one : bucket.settings)
    if (one.what != setting_outcome::kind::carried)
      text +=
          "  " + one.setting + ": " + std::string(name_of(one.what)) + (one.why.empty() ? "" : ": " + one.why) + "\n";
  return text;
}

} // namespace

void import_report::begin_pass(pass_kind kind) {
  const std::lock_guard lock(mutex_);
  counts_.differ = 0;
  differences_.clear();
  target_only_.clear();
  walked_.clear();
  unordered_.clear();
  unreachable_in_a_row_ = 0;
  if (kind == pass_kind::compare) return;
  counts_.failed = 0;
  failures_.clear();
}

void import_report::copied_object(std::uint64_t bytes, bool proven) {
  const std::lock_guard lock(mutex_);
  ++counts_.objects;
  counts_.bytes += bytes;
  if (!proven) ++counts_.unproven;
  unreachable_in_a_row_ = 0;
}

void import_report::copied_delete_marker() {
  const std::lock_guard lock(mutex_);
  ++counts_.delete_markers;
  unreachable_in_a_row_ = 0;
}

void import_report::deleted() {
  const std::lock_guard lock(mutex_);
  ++counts_.deleted;
}

void import_report::locked() {
  const std::lock_guard lock(mutex_);
  ++counts_.locks;
}

void import_report::vanished() {
  const std::lock_guard lock(mutex_);
  ++counts_.vanished;
  unreachable_in_a_row_ = 0;
}

void import_report::same(const std::string& source_bucket, std::size_t target_only_versions) {
  const std::lock_guard lock(mutex_);
  auto& bucket = walked_[source_bucket];
  ++bucket.same;
  bucket.target_only_versions += target_only_versions;
}

void import_report::differs(const object_path& source, std::string why) {
  const std::lock_guard lock(mutex_);
  ++counts_.differ;
  if (differences_.size() < lines_max) differences_.push_back({source.bucket, source.key, std::move(why)});
}

void import_report::failed(const std::string& what, const error& why) {
  const std::lock_guard lock(mutex_);
  ++counts_.failed;
  unreachable_in_a_row_ = may_pass(why.code) ? unreachable_in_a_row_ + 1 : 0;
  if (failures_.size() < lines_max) failures_.push_back(what + ": " + why.text);
}

void import_report::only_in_target(const std::string& source_bucket, const object_path& target) {
  const std::lock_guard lock(mutex_);
  ++walked_[source_bucket].target_only_keys;
  if (target_only_.size() < lines_max) target_only_.push_back({target.bucket, target.key, source_bucket});
}

void import_report::without_order(const std::string& source_bucket) {
  const std::lock_guard lock(mutex_);
  unordered_.insert(source_bucket);
  walked_.erase(source_bucket);
  std::erase_if(target_only_, [&](const auto& one) { return one.why == source_bucket; });
}

import_counts import_report::total() const {
  auto out = counts_;
  for (const auto& [name, bucket] : walked_) {
    out.same += bucket.same;
    out.target_only_keys += bucket.target_only_keys;
    out.target_only_versions += bucket.target_only_versions;
  }
  return out;
}

void import_report::lost(const std::string& what) {
  const std::lock_guard lock(mutex_);
  ++lost_[what];
}

void import_report::bucket(bucket_result done) {
  const std::lock_guard lock(mutex_);
  const auto found = std::ranges::find_if(
      buckets_, [&](const auto& old) { return old.source == done.source && old.target == done.target; });
  if (found == buckets_.end())
    buckets_.push_back(std::move(done));
  else
    *found = std::move(done);
}

void import_report::identities(identity_result done) {
  const std::lock_guard lock(mutex_);
  identity_steps_ += done.done;
  identities_ = std::move(done);
}

bool import_report::server_unreachable(unsigned jobs) const {
  const std::lock_guard lock(mutex_);
  return unreachable_in_a_row_ >= 2 * jobs;
}

import_counts import_report::counts() const {
  const std::lock_guard lock(mutex_);
  return total();
}

bool import_report::all_well() const {
  const std::lock_guard lock(mutex_);
  const bool identities_well = !identities_ || (identities_->failures.empty() && identities_->differences.empty());
  return counts_.failed == 0 && counts_.differ == 0 && identities_well;
}

bool import_report::something_left() const {
  const std::lock_guard lock(mutex_);
  const auto is_left = [](const setting_outcome& one) { return one.what != setting_outcome::kind::carried; };
  return !lost_.empty() || (identities_ && !identities_->left.empty()) ||
         std::ranges::any_of(buckets_,
                             [&](const bucket_result& one) { return std::ranges::any_of(one.settings, is_left); });
}

std::string import_report::text(bool dry_run) const {
  const std::lock_guard lock(mutex_);
  const auto counts = total();
  std::string out;
  if (identities_) out += identities_text(*identities_, identity_steps_);
  for (const auto& bucket : buckets_) out += bucket_text(bucket);
  for (const auto& [what, objects] : lost_)
    out += "not carried over: " + what + " (" + counted(objects, "object", "objects") + ")\n";
  for (const auto& one : differences_) out += "differs: " + one.bucket + "/" + one.key + ": " + one.why + "\n";
  if (counts.differ > differences_.size())
    out += "… and " + std::to_string(counts.differ - differences_.size()) + " more that differ\n";
  for (const auto& one : target_only_) out += "only in the target: " + one.bucket + "/" + one.key + "\n";
  if (counts.target_only_keys > target_only_.size())
    out += "… and " + std::to_string(counts.target_only_keys - target_only_.size()) + " more only in the target\n";
  for (const auto& bucket : unordered_)
    out += bucket + ": the source does not list in the order of keys; what only the target has is not known\n";
  for (const auto& text : failures_) out += "failed: " + text + "\n";
  if (counts.failed > failures_.size())
    out += "… and " + std::to_string(counts.failed - failures_.size()) + " more that failed\n";
  out += dry_run ? "dry run, nothing was changed: would copy " : "copied ";
  out += counted(counts.objects, "object", "objects");
  if (counts.delete_markers > 0) out += ", " + counted(counts.delete_markers, "delete marker", "delete markers");
  out += " (" + human_bytes(counts.bytes) + ")";
  if (counts.deleted > 0) out += ", deleted " + std::to_string(counts.deleted);
  if (counts.locks > 0) out += ", locks of " + counted(counts.locks, "older copy", "older copies");
  if (counts.vanished > 0) out += ", " + std::to_string(counts.vanished) + " vanished from the source meanwhile";
  if (counts.unproven > 0)
    out += ", " + std::to_string(counts.unproven) + " without a digest of the source to prove them";
  out += "; " + counted(counts.same, "key is", "keys are") + " the same, " + std::to_string(counts.differ) +
         " differ, " + std::to_string(counts.target_only_keys) + " only in the target, " +
         std::to_string(counts.failed) + " failed\n";
  if (counts.target_only_versions > 0)
    out += counted(counts.target_only_versions, "version is", "versions are") +
           " only in the target, behind what is the same\n";
  return out;
}

json_object import_report::json() const {
  const std::lock_guard lock(mutex_);
  const auto counts = total();
  json_array buckets, differences, target_only, failures, lost, unordered;
  for (const auto& bucket : unordered_) unordered.emplace_back(bucket);
  for (const auto& bucket : buckets_) {
    json_array settings;
    for (const auto& one : bucket.settings) {
      json_object setting{{"setting", one.setting}, {"outcome", name_of(one.what)}};
      if (!one.why.empty()) setting["why"] = one.why;
      settings.push_back(std::move(setting));
    }
    buckets.push_back(json_object{{"source", bucket.source},
                                  {"target", bucket.target},
                                  {"versioning", to_string(bucket.versioning)},
                                  {"settings", std::move(settings)}});
  }
  for (const auto& one : differences_)
    differences.push_back(json_object{{"bucket", one.bucket}, {"key", one.key}, {"why", one.why}});
  for (const auto& one : target_only_) target_only.push_back(json_object{{"bucket", one.bucket}, {"key", one.key}});
  for (const auto& text : failures_) failures.emplace_back(text);
  for (const auto& [what, objects] : lost_) lost.push_back(json_object{{"what", what}, {"objects", objects}});
  json_value identities;
  if (identities_)
    identities = json_object{{"changes", identity_steps_},
                             {"same", identities_->same},
                             {"not_carried_over", remarks_json(identities_->left)},
                             {"differences", remarks_json(identities_->differences)},
                             {"failures", remarks_json(identities_->failures)}};
  return json_object{{"identities", std::move(identities)},
                     {"copied", json_object{{"objects", counts.objects},
                                            {"delete_markers", counts.delete_markers},
                                            {"bytes", counts.bytes},
                                            {"unproven", counts.unproven}}},
                     {"deleted", counts.deleted},
                     {"locks", counts.locks},
                     {"vanished", counts.vanished},
                     {"same", counts.same},
                     {"differ", counts.differ},
                     {"differences", std::move(differences)},
                     {"only_in_target", counts.target_only_keys},
                     {"only_in_target_keys", std::move(target_only)},
                     {"only_in_target_versions", counts.target_only_versions},
                     {"listed_without_order", std::move(unordered)},
                     {"failed", counts.failed},
                     {"failures", std::move(failures)},
                     {"not_carried_over", std::move(lost)},
                     {"buckets", std::move(buckets)}};
}

} // namespace cairn::cli

#include "cli/sync/sync_merge.hpp"

#include <utility>

namespace cairn::cli {

result<std::optional<listed_item>> sync_merge::taken(item_listing& from) const {
  for (;;) {
    auto item = from.next();
    if (!item || !*item || filter_.takes((*item)->name)) return item;
  }
}

result<void> sync_merge::fill() {
  if (!source_item_ && !source_ended_) {
    auto item = taken(source_);
    if (!item) return item.error();
    source_item_ = std::move(*item);
    source_ended_ = !source_item_;
  }
  if (target_ && !target_item_ && !target_ended_) {
    auto item = taken(*target_);
    if (!item) return item.error();
    target_item_ = std::move(*item);
    target_ended_ = !target_item_;
  }
  return {};
}

bool sync_merge::is_held(const std::string& name) const {
  return !held_.empty() && name.starts_with(held_);
}

result<std::optional<sync_step>> sync_merge::next() {
  using kind = sync_step::kind;
  for (;;) {
    if (auto filled = fill(); !filled) return filled.error();
    if (!source_item_ && !target_item_) return std::optional<sync_step>{};
    if (target_item_ && (!source_item_ || target_item_->name < source_item_->name)) {
      auto item = *std::exchange(target_item_, std::nullopt);
      if (!remove_) continue;
      if (item.state == item_state::failed) return std::optional(sync_step{kind::failed, std::move(item), {}});
      if (item.state != item_state::present || is_held(item.name)) continue;
      return std::optional(sync_step{kind::remove, {}, std::move(item)});
    }
    auto item = *std::exchange(source_item_, std::nullopt);
    std::optional<listed_item> other;
    if (target_item_ && target_item_->name == item.name) other = std::exchange(target_item_, std::nullopt);
    if (item.state != item_state::present) {
      if (item.name.ends_with('/')) held_ = item.name;
      const auto what = item.state == item_state::failed ? kind::failed : kind::skipped;
      return std::optional(sync_step{what, std::move(item), {}});
    }
    if (!other) return std::optional(sync_step{kind::transfer, std::move(item), {}});
    const bool same_size = other->state == item_state::present && other->size_bytes == item.size_bytes;
    return std::optional(sync_step{same_size ? kind::compare : kind::transfer, std::move(item), std::move(*other)});
  }
}

} // namespace cairn::cli

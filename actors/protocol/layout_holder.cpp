#include "actors/protocol/layout_holder.hpp"

#include <algorithm>

namespace cairn::actors {

layout_ptr layout_holder::get() const {
  const std::lock_guard lock{mutex_};
  return layout_;
}

void layout_holder::set(layout_ptr fresh) {
  const std::lock_guard lock{mutex_};
  if (!layout_ || fresh->epoch >= layout_->epoch) layout_ = std::move(fresh);
}

void layout_holder::learn(std::vector<cluster::known_member> members) {
  const std::lock_guard lock{mutex_};
  if (!learned_ || *learned_ != members)
    learned_ = std::make_shared<const std::vector<cluster::known_member>>(std::move(members));
}

layout_holder::members_ptr layout_holder::learned() const {
  const std::lock_guard lock{mutex_};
  return learned_;
}

std::vector<uuid> layout_holder::others() const {
  const std::lock_guard lock{mutex_};
  std::vector<uuid> out;
  if (layout_)
    for (const auto& m : layout_->members)
      if (m.number != self_) out.push_back(m.id);
  if (learned_)
    for (const auto& m : *learned_)
      if (m.number != self_) out.push_back(m.id);
  return out;
}

void layout_holder::note_address(const uuid& member, const std::string& reported) {
  const std::lock_guard lock{mutex_};
  if (!layout_) return;
  const auto m = std::ranges::find(layout_->members, member, &cluster::member::id);
  if (m == layout_->members.end() || !cluster::is_member(*m)) return;
  auto fresh = *moved_;
  if (cluster::has_moved(*m, reported))
    fresh[m->number] = reported;
  else
    fresh.erase(m->number);
  if (fresh != *moved_) moved_ = std::make_shared<const addresses>(std::move(fresh));
}

void layout_holder::age_addresses(bool has_leader, steady_time now) {
  const std::lock_guard lock{mutex_};
  if (!has_leader) followed_since_.reset();
  if (!has_leader || moved_->empty()) return;
  if (!followed_since_) followed_since_ = now;
  if (now - *followed_since_ >= addresses_kept) moved_ = std::make_shared<const addresses>();
}

layout_holder::addresses_ptr layout_holder::moved() const {
  const std::lock_guard lock{mutex_};
  return moved_;
}

layout_holder::use layout_holder::begin_upload() {
  const std::lock_guard lock{mutex_};
  if (!layout_) return nullptr;
  const auto epoch = layout_->epoch;
  ++uploads_[epoch];
  return {layout_.get(),
          [me = shared_from_this(), kept = layout_, epoch](const cluster::layout*) { me->end_upload(epoch); }};
}

layout_epoch layout_holder::settled_epoch() const {
  const std::lock_guard lock{mutex_};
  if (!uploads_.empty()) return uploads_.begin()->first;
  return layout_ ? layout_->epoch : 0;
}

void layout_holder::end_upload(layout_epoch epoch) {
  const std::lock_guard lock{mutex_};
  if (const auto at = uploads_.find(epoch); --at->second == 0) uploads_.erase(at);
}

} // namespace cairn::actors

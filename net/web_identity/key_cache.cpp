#include "net/web_identity/key_cache.hpp"

#include <algorithm>

namespace cairn::net {

key_cache::state key_cache::ask(const signature_header& wanted, steady_time now) {
  const bool is_usable = keys_ && now < usable_until_, is_fresh = keys_ && now < fresh_until_;
  const bool is_known = is_usable && keys_->find(wanted) != nullptr;
  if (is_known && is_fresh) return state::known;
  if (fetching_ || !ended_ || now - *ended_ >= limits_.pause) {
    fetching_ = true;
    return state::wait;
  }
  if (is_known) return state::known;
  return is_usable ? state::unknown : state::unreachable;
}

void key_cache::fetched(json_web_keys keys, std::optional<std::chrono::seconds> max_age, steady_time now) {
  keys_ = std::make_shared<const json_web_keys>(std::move(keys));
  fresh_until_ = now + std::clamp(max_age.value_or(limits_.fresh), limits_.fresh_min, limits_.fresh_max);
  usable_until_ = std::max(now + limits_.usable, fresh_until_);
  ended_ = now;
  fetching_ = false;
}

void key_cache::failed(steady_time now) {
  ended_ = now;
  fetching_ = false;
}

} // namespace cairn::net

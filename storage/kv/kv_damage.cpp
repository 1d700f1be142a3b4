#include "storage/kv/kv_damage.hpp"

#include "base/codec.hpp"
#include "base/log.hpp"

namespace cairn::storage {

void kv_damage::report(const std::string& what) {
  {
    const std::lock_guard lock{mutex_};
    if (places_.size() >= places_max || !places_.insert(what).second) return;
    if (first_.empty()) first_ = what;
    count_.fetch_add(1, std::memory_order_relaxed);
    if (counted_ != nullptr) counted_->fetch_add(1, std::memory_order_relaxed);
  }
  log::error("damaged on the disk", {{"directory", where_}, {"what", what}});
}

std::string kv_damage::first() const {
  const std::lock_guard lock{mutex_};
  return first_;
}

void kv_damage::replaced() {
  const std::lock_guard lock{mutex_};
  places_.clear();
  first_.clear();
  unreadable_ = false;
}

void kv_damage::unreadable() {
  unreadable_ = true;
  report("the file cannot be read");
}

std::string describe_row(unsigned table, std::string_view key) {
  constexpr std::size_t shown_max = 64;
  auto out = "table " + std::to_string(table) + ", key " + hex_of(key.substr(0, shown_max));
  if (key.size() > shown_max) out += "...";
  return out;
}

} // namespace cairn::storage

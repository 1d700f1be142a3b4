#include "storage/kv/kv_damage.hpp"

#include "base/log.hpp"

#include <algorithm>

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
  constexpr char digits[] = "0123456789abcdef";
  std::string out = "table " + std::to_string(table) + ", key ";
  for (const char c : key.substr(0, std::min(key.size(), shown_max))) {
    out += digits[static_cast<unsigned char>(c) >> 4];
    out += digits[static_cast<unsigned char>(c) & 15];
  }
  if (key.size() > shown_max) out += "...";
  return out;
}

} // namespace cairn::storage

// Why this node's metadata is out of service (the disk of its log or state failed), for readiness and metrics. Written
// by the metadata actor, read by any thread.
#pragma once

#include <mutex>
#include <string>
#include <string_view>

namespace cairn::actors {

class metadata_fault {
public:
  void set(std::string text) { // empty: it is in service
    const std::lock_guard lock{mutex_};
    text_ = std::move(text);
  }
  // If it is `expected`: another reason stays.
  void replace(std::string_view expected, std::string_view text) {
    const std::lock_guard lock{mutex_};
    if (text_ == expected) text_ = text;
  }
  std::string text() const {
    const std::lock_guard lock{mutex_};
    return text_;
  }

private:
  mutable std::mutex mutex_;
  std::string text_;
};

} // namespace cairn::actors

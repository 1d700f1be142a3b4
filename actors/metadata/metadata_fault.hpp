// Why this node's metadata is out of service (the disk of its log or state failed), for readiness and metrics. Written
// by the metadata actor, read by any thread.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <mutex>
#include <string>
#include <utility>

namespace cairn::actors {

enum class fault_cause : std::uint8_t { failure, damage, no_space, hung_writes, hung_reads, count_ };

class metadata_fault {
public:
  void set(fault_cause cause, std::string text) { // empty: there is none
    const std::lock_guard lock{mutex_};
    texts_.at(std::size_t(cause)) = std::move(text);
  }
  std::string text() const { // of the first cause that there is; empty: it is in service
    const std::lock_guard lock{mutex_};
    const auto at = std::ranges::find_if(texts_, [](const std::string& t) { return !t.empty(); });
    return at == texts_.end() ? std::string{} : *at;
  }

private:
  mutable std::mutex mutex_;
  std::array<std::string, std::size_t(fault_cause::count_)> texts_;
};

} // namespace cairn::actors

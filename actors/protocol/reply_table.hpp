// Requests that wait for an executor, each with a deadline. An answer that comes after the deadline finds no entry and
// is dropped. One tick per actor replaces one timer per request. A plain class of one actor; deadlines are added in
// rising order (all requests of a table have the same time limit).
#pragma once

#include "base/seams.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

namespace cairn::actors {

template <class Promise>
class reply_table {
public:
  std::uint64_t add(Promise promise, steady_time deadline) {
    entries_.emplace_hint(entries_.end(), next_, entry{std::move(promise), deadline});
    return next_++;
  }
  std::optional<Promise> take(std::uint64_t id) {
    auto node = entries_.extract(id);
    if (node.empty()) return std::nullopt;
    return std::move(node.mapped().promise);
  }
  bool contains(std::uint64_t id) const { return entries_.contains(id); }
  std::vector<Promise> take_overdue(steady_time now) {
    std::vector<Promise> out;
    while (!entries_.empty() && entries_.begin()->second.deadline <= now) {
      out.push_back(std::move(entries_.begin()->second.promise));
      entries_.erase(entries_.begin());
    }
    return out;
  }
  std::vector<Promise> take_all() { return take_overdue(steady_time::max()); }
  // Answers the overdue requests with the reason, a CAF error.
  template <class Reason>
  void fail_overdue(steady_time now, const Reason& why) {
    for (auto& promise : take_overdue(now)) promise.deliver(why);
  }
  template <class Reason>
  void fail_all(const Reason& why) {
    for (auto& promise : take_all()) promise.deliver(why);
  }
  std::size_t size() const noexcept { return entries_.size(); }

private:
  struct entry {
    Promise promise;
    steady_time deadline;
  };
  std::map<std::uint64_t, entry> entries_;
  std::uint64_t next_ = 1;
};

} // namespace cairn::actors

#include "net/wire/fair_turns.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace cairn::net {

fair_turns::turn fair_turns::make_turn(const std::string& party) {
  // The pointer's value is never used: its deleter ends the turn.
  return turn{static_cast<void*>(this), [self = shared_from_this(), party](void*) { self->ended(party); }};
}

void fair_turns::take(const std::string& party, std::function<void(turn)> begin) {
  {
    const std::lock_guard lock{mutex_};
    auto& mine = parties_[party];
    if (running_ >= turns_max_ || mine.running >= each_max_) {
      mine.waiters.push_back(std::move(begin));
      ++waiting_;
      if (mine.running < each_max_ && mine.waiters.size() == 1) next_.push_back(party);
      return;
    }
    ++mine.running;
    ++running_;
  }
  begin(make_turn(party));
}

void fair_turns::ended(const std::string& party) {
  std::vector<std::pair<std::string, std::function<void(turn)>>> begun;
  {
    const std::lock_guard lock{mutex_};
    const auto at = parties_.find(party);
    --at->second.running;
    --running_;
    // The party was at its bound and may get another turn now.
    if (!at->second.waiters.empty()) {
      if (std::find(next_.begin(), next_.end(), party) == next_.end()) next_.push_back(party);
    } else if (at->second.running == 0) {
      parties_.erase(at);
    }
    while (running_ < turns_max_ && !next_.empty()) {
      auto name = std::move(next_.front());
      next_.pop_front();
      auto& p = parties_.at(name);
      begun.emplace_back(name, std::move(p.waiters.front()));
      p.waiters.pop_front();
      --waiting_;
      ++p.running;
      ++running_;
      if (!p.waiters.empty() && p.running < each_max_) next_.push_back(std::move(name));
    }
  }
  for (auto& [name, begin] : begun) begin(make_turn(name));
}

std::size_t fair_turns::waiting() const {
  const std::lock_guard lock{mutex_};
  return waiting_;
}

} // namespace cairn::net

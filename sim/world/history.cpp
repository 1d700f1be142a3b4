#include "sim/world/history.hpp"

#include <algorithm>
#include <unordered_set>

namespace cairn::sim {

namespace {

using outcome = operation::outcome;

constexpr std::uint64_t never = ~std::uint64_t{0};

bool holds(const operation& o, content_number now) {
  switch (o.when) {
    case operation::condition::none: return true;
    case operation::condition::if_absent: return now == absent;
    case operation::condition::if_match: return now != absent && (o.match == absent || o.match == now);
  }
  return false;
}

// The content of the key after the operation; nullopt: the operation cannot have had this outcome at this point.
std::optional<content_number> after(const operation& o, content_number now) {
  if (!o.write) return o.value == now ? std::optional{now} : std::nullopt;
  const bool held = holds(o, now);
  if (o.what == outcome::refused) return held ? std::nullopt : std::optional{now};
  return held ? std::optional{o.value} : std::nullopt;
}

class search {
public:
  search(std::vector<operation> all, std::uint64_t steps_max) : all_(std::move(all)), steps_max_(steps_max) {
    std::ranges::sort(all_, {}, &operation::began);
    taken_.assign(all_.size(), '0');
    for (const auto& o : all_) left_ += o.what != outcome::unknown;
  }
  explained run() { return place(absent); }

private:
  // No operation that begins after the earliest end of the remaining ones can come next.
  std::uint64_t first_end() const {
    std::uint64_t end = never;
    for (std::size_t i = first_; i < all_.size() && all_[i].began < end; ++i)
      if (taken_[i] == '0') end = std::min(end, all_[i].ended);
    return end;
  }
  void take(std::size_t i) {
    taken_[i] = '1';
    left_ -= all_[i].what != outcome::unknown;
  }
  void give_back(std::size_t i) {
    taken_[i] = '0';
    left_ += all_[i].what != outcome::unknown;
  }

  explained place(content_number now) {
    std::vector<std::size_t> free_ones; // placed here without branching
    const auto first = first_;
    explained found = explained::no;
    for (bool again = true; again;) {
      again = false;
      while (first_ < all_.size() && taken_[first_] == '1') ++first_;
      const auto end = first_end();
      for (std::size_t i = first_; i < all_.size() && all_[i].began < end; ++i) {
        if (taken_[i] == '1' || all_[i].what == outcome::unknown || after(all_[i], now) != now) continue;
        if (all_[i].write && all_[i].what != outcome::refused) continue;
        take(i);
        free_ones.push_back(i);
        again = true;
      }
    }
    if (left_ == 0)
      found = explained::yes;
    else
      found = choose(now);
    first_ = first;
    for (const auto i : free_ones) give_back(i);
    return found;
  }

  explained choose(content_number now) {
    if (++steps_ > steps_max_) return explained::given_up;
    if (!visited_.insert(taken_ + std::to_string(now)).second) return explained::no;
    const auto end = first_end();
    const auto from = first_;
    for (const bool unknown_ones : {false, true}) {
      for (std::size_t i = from; i < all_.size() && all_[i].began < end; ++i) {
        if (taken_[i] == '1' || (all_[i].what == outcome::unknown) != unknown_ones) continue;
        const auto next = after(all_[i], now);
        if (!next || *next == now) continue;
        take(i);
        const auto found = place(*next);
        give_back(i);
        first_ = from;
        if (found != explained::no) return found;
      }
    }
    // Writes that change nothing (a delete of an absent key) are tried last.
    for (std::size_t i = from; i < all_.size() && all_[i].began < end; ++i) {
      if (taken_[i] == '1' || all_[i].what == outcome::unknown || after(all_[i], now) != now) continue;
      take(i);
      const auto found = place(now);
      give_back(i);
      first_ = from;
      if (found != explained::no) return found;
    }
    return explained::no;
  }

  std::vector<operation> all_;
  const std::uint64_t steps_max_;
  std::string taken_;
  std::size_t first_ = 0, left_ = 0;
  std::uint64_t steps_ = 0;
  std::unordered_set<std::string> visited_;
};

} // namespace

explained explain(std::vector<operation> all, std::uint64_t steps_max) {
  return search{std::move(all), steps_max}.run();
}

std::string to_string(const operation& o) {
  std::string text = "[" + std::to_string(o.began) + "," + (o.ended == never ? "-" : std::to_string(o.ended)) + "] ";
  const std::string value = o.value == absent ? "nothing" : std::to_string(o.value);
  text += o.write ? (o.value == absent ? "delete" : "put " + value) : "saw " + value;
  if (o.when == operation::condition::if_absent) text += " if absent";
  if (o.when == operation::condition::if_match)
    text += o.match == absent ? " if there" : " if " + std::to_string(o.match);
  if (o.what == outcome::refused) text += ": refused";
  if (o.what == outcome::unknown) text += ": unknown";
  return text;
}

history::number history::begin(const std::string& key, operation o) {
  o.began = ++moment_;
  o.ended = never;
  o.what = outcome::open;
  all_.push_back({key, o});
  return all_.size() - 1;
}

void history::done(number n) {
  all_.at(n).o.what = outcome::done;
  all_.at(n).o.ended = ++moment_;
}

void history::seen(number n, content_number value) {
  all_.at(n).o.value = value;
  done(n);
}

void history::refused(number n) {
  all_.at(n).o.what = outcome::refused;
  all_.at(n).o.ended = ++moment_;
}

void history::unknown(number n) {
  auto& it = all_.at(n);
  it.o.what = outcome::unknown;
  it.dropped = !it.o.write;
}

void history::nothing(number n) {
  all_.at(n).o.what = outcome::refused;
  all_.at(n).dropped = true;
}

std::optional<std::string> history::unexplained() const {
  std::map<std::string, std::vector<operation>> by_key;
  for (const auto& it : all_) {
    if (it.dropped) continue;
    auto o = it.o;
    if (o.what == outcome::open) {
      if (!o.write) continue;
      o.what = outcome::unknown;
    }
    by_key[it.key].push_back(o);
  }
  undecided_ = 0;
  for (const auto& [key, all] : by_key) {
    const auto verdict = explain(all, steps_max);
    undecided_ += verdict == explained::given_up;
    if (verdict != explained::no) continue;
    // Show all operations of the key.
    std::string text = "no order of operations explains the answers for " + key + ":";
    for (const auto& o : all) text += "\n    " + to_string(o);
    return text;
  }
  return std::nullopt;
}

} // namespace cairn::sim

// A queue that takes the parties' items in turns, each party's in the order of arrival: an item waits for one of each
// other party and for its own party's, not for all that others have queued. A party is any shared object: the account
// that pays for an item's memory (base/memory/memory_account.hpp). Not thread-safe.
#pragma once

#include "base/error.hpp"

#include <deque>
#include <list>
#include <memory>
#include <unordered_map>
#include <utility>

namespace cairn {

using party_ptr = std::shared_ptr<const void>; // null: the node itself

template <class Item>
class fair_queue {
public:
  bool empty() const noexcept { return size_ == 0; }
  std::size_t size() const noexcept { return size_; }

  // Whether a queue of at most `items_max` takes another item of the party. A party may have seven times as many as
  // places are free, so that some are free for a new party, whatever the others have queued: the rule of the buffer
  // pool (base/memory/memory_account.hpp). The node itself may use all places.
  bool has_room(const party_ptr& party, std::size_t items_max) const {
    if (size_ >= items_max) return false;
    const auto at = party ? places_.find(party.get()) : places_.end();
    return at == places_.end() || at->second->items.size() < 7 * (items_max - size_);
  }

  void push(Item item, const party_ptr& party = nullptr) {
    items_of(party).push_back(std::move(item));
    ++size_;
  }
  // Before the party's other items.
  void push_front(Item item, const party_ptr& party = nullptr) {
    items_of(party).push_front(std::move(item));
    ++size_;
  }
  // The item that pop() takes, and whose it is. Not empty.
  const Item& front() const {
    CAIRN_ASSERT(size_ > 0);
    return turns_.front().items.front();
  }
  const void* front_party() const {
    CAIRN_ASSERT(size_ > 0);
    return turns_.front().party.get();
  }
  Item pop() {
    CAIRN_ASSERT(size_ > 0);
    auto& next = turns_.front();
    auto item = std::move(next.items.front());
    next.items.pop_front();
    --size_;
    if (next.items.empty())
      remove(turns_.begin());
    else
      turns_.splice(turns_.end(), turns_, turns_.begin());
    return item;
  }
  template <class Visitor>
  void visit(const Visitor& visitor) const {
    for (const auto& party : turns_)
      for (const auto& item : party.items) visitor(item);
  }
  // The removed items, each party's in order.
  template <class Predicate>
  std::deque<Item> take_if(const Predicate& predicate) {
    std::deque<Item> taken;
    for (auto at = turns_.begin(); at != turns_.end();) {
      const auto party = at++;
      std::deque<Item> kept;
      for (auto& item : party->items) (predicate(item) ? taken : kept).push_back(std::move(item));
      party->items = std::move(kept);
      if (party->items.empty()) remove(party);
    }
    size_ -= taken.size();
    return taken;
  }

private:
  struct turn {
    party_ptr party;
    std::deque<Item> items; // never empty
  };
  using turns = std::list<turn>;

  std::deque<Item>& items_of(const party_ptr& party) {
    const auto [at, is_new] = places_.try_emplace(party.get());
    if (is_new) at->second = turns_.insert(turns_.end(), turn{party, {}});
    return at->second->items;
  }
  void remove(typename turns::iterator at) {
    places_.erase(at->party.get());
    turns_.erase(at);
  }

  turns turns_; // the parties with items, the next one first
  std::unordered_map<const void*, typename turns::iterator> places_;
  std::size_t size_ = 0;
};

} // namespace cairn

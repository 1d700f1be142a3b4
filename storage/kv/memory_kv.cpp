// The memory engine. A table is a persistent treap (a search tree that is a heap in the priorities; priorities are
// hashes of the keys, so equal contents have equal trees). A snapshot is a reference to the roots. A writer copies the
// nodes on its path once and then changes its copies in place; commit publishes the new roots.
//
// R. Seidel, C. Aragon: Randomized Search Trees (1996). All operations are O(log n) expected.
#include "storage/kv/kv.hpp"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <mutex>
#include <semaphore>
#include <vector>

namespace cairn::storage {

namespace {

struct node;
using tree = std::shared_ptr<node>;

struct entry {
  std::string key, value;
  std::uint64_t priority;
};

struct node {
  std::shared_ptr<const entry> item;
  tree left, right;
  std::uint64_t writer = 0; // the transaction that may change it in place
};

struct state {
  std::vector<tree> roots;
  std::vector<std::uint64_t> entries;
};

bool above(const entry& a, const entry& b) {
  return a.priority != b.priority ? a.priority > b.priority : a.key < b.key;
}

const node* find(const node* at, std::string_view key) {
  while (at != nullptr) {
    const int order = key.compare(at->item->key);
    if (order == 0) return at;
    at = order < 0 ? at->left.get() : at->right.get();
  }
  return nullptr;
}

// The last node with key < `key`.
const node* last_before(const node* at, std::string_view key) {
  const node* best = nullptr;
  while (at != nullptr) {
    if (key.compare(at->item->key) > 0) {
      best = at;
      at = at->right.get();
    } else {
      at = at->left.get();
    }
  }
  return best;
}

// The first node with key ≥ `key` (> when `after`).
const node* lower_bound(const node* at, std::string_view key, bool after) {
  const node* best = nullptr;
  while (at != nullptr) {
    const int order = key.compare(at->item->key);
    if (order < 0 || (order == 0 && !after)) {
      best = at;
      at = at->left.get();
    } else {
      at = at->right.get();
    }
  }
  return best;
}

class tree_editor {
public:
  explicit tree_editor(std::uint64_t writer) : writer_(writer) {}

  // True when the key is new.
  bool put(tree& at, const std::shared_ptr<const entry>& item) {
    if (at == nullptr || (at->item->key != item->key && above(*item, *at->item))) {
      auto [less, equal, greater] = split(std::move(at), item->key);
      at = std::make_shared<node>(node{item, std::move(less), std::move(greater), writer_});
      return !equal;
    }
    own(at);
    const int order = item->key.compare(at->item->key);
    if (order != 0) return put(order < 0 ? at->left : at->right, item);
    at->item = item;
    return false;
  }

  // The key must exist.
  void erase(tree& at, std::string_view key) {
    const int order = key.compare(at->item->key);
    if (order == 0) {
      const tree gone = std::move(at);
      at = join(gone->left, gone->right);
      return;
    }
    own(at);
    erase(order < 0 ? at->left : at->right, key);
  }

private:
  struct parts {
    tree less;
    bool equal = false;
    tree greater;
  };

  void own(tree& at) const {
    if (at->writer != writer_) at = std::make_shared<node>(node{at->item, at->left, at->right, writer_});
  }

  parts split(tree at, std::string_view key) {
    if (at == nullptr) return {};
    const int order = key.compare(at->item->key);
    if (order == 0) return {at->left, true, at->right};
    own(at);
    if (order < 0) {
      parts p = split(std::move(at->left), key);
      at->left = std::move(p.greater);
      return {std::move(p.less), p.equal, std::move(at)};
    }
    parts p = split(std::move(at->right), key);
    at->right = std::move(p.less);
    return {std::move(at), p.equal, std::move(p.greater)};
  }

  tree join(tree a, tree b) {
    if (a == nullptr) return b;
    if (b == nullptr) return a;
    tree& top = above(*a->item, *b->item) ? a : b;
    own(top);
    if (&top == &a)
      a->right = join(std::move(a->right), std::move(b));
    else
      b->left = join(std::move(a), std::move(b->left));
    return top;
  }

  std::uint64_t writer_;
};

// The right to write. No lock: a transaction may end on another thread, and one thread may have those of several
// engines in any order.
struct end_turn {
  void operator()(std::binary_semaphore* free) const { free->release(); }
};
using writer_turn = std::unique_ptr<std::binary_semaphore, end_turn>;

class memory_engine final : public kv_engine {
public:
  explicit memory_engine(table_id tables) {
    published_.roots.resize(tables);
    published_.entries.resize(tables);
  }

  result<std::unique_ptr<kv_reader>> begin_read() override;
  result<std::unique_ptr<kv_writer>> begin_write() override;
  result<void> replace(const std::function<result<void>(kv_writer&)>& fill) override;

  state snapshot() {
    const std::lock_guard lock{mutex_};
    return published_;
  }
  void publish(state next) {
    const std::lock_guard lock{mutex_};
    std::swap(published_, next); // the old state is freed outside the lock
  }

private:
  writer_turn wait_for_turn() {
    free_.acquire();
    return writer_turn{&free_};
  }

  std::mutex mutex_;
  std::binary_semaphore free_{1}; // for a writer
  state published_;
  std::uint64_t last_writer_ = 0; // of the writer's turn
};

class memory_transaction final : public kv_writer {
public:
  memory_transaction(memory_engine& engine, std::uint64_t id, writer_turn turn)
      : engine_(engine), state_(engine.snapshot()), editor_(id), turn_(std::move(turn)) {}

  std::optional<std::string_view> get(table_id table, std::string_view key) override {
    if (!usable(key)) return {};
    const node* const found = find(root(table), key);
    if (found == nullptr) return {};
    return found->item->value;
  }
  std::unique_ptr<kv_cursor> cursor(table_id table) override;
  std::uint64_t entries(table_id table) override {
    CAIRN_ASSERT(!ended_ && table < state_.entries.size());
    return failure_ ? 0 : state_.entries[table];
  }
  result<void> status() const override {
    if (failure_) return *failure_;
    return {};
  }
  void put(table_id table, std::string_view key, std::string_view value) override {
    if (!usable(key)) return;
    auto item =
        std::make_shared<const entry>(entry{std::string{key}, std::string{value}, XXH3_64bits(key.data(), key.size())});
    CAIRN_ASSERT(table < state_.roots.size());
    if (editor_.put(state_.roots[table], item)) ++state_.entries[table];
  }
  bool erase(table_id table, std::string_view key) override {
    if (!usable(key) || find(root(table), key) == nullptr) return false;
    editor_.erase(state_.roots[table], key);
    --state_.entries[table];
    return true;
  }
  result<void> commit() override {
    CAIRN_ASSERT(!ended_);
    ended_ = true;
    if (!failure_) engine_.publish(std::move(state_));
    state_ = {};
    turn_.reset();
    return status();
  }

  void clear() {
    for (auto& root : state_.roots) root.reset();
    for (auto& n : state_.entries) n = 0;
  }

private:
  friend class memory_cursor;

  const node* root(table_id table) const {
    CAIRN_ASSERT(table < state_.roots.size());
    return state_.roots[table].get();
  }
  bool usable(std::string_view key) {
    CAIRN_ASSERT(!ended_);
    if (failure_) return false;
    if (!key.empty() && key.size() <= kv_key_bytes_max) return true;
    failure_ = error{errc::invalid_argument, "a key of " + std::to_string(key.size()) + " bytes"};
    return false;
  }

  memory_engine& engine_;
  state state_;
  tree_editor editor_;
  writer_turn turn_; // null: a reader
  std::optional<error> failure_;
  bool ended_ = false;
};

// Keeps the current pair, not a position in the tree: each step is a new search, so writes do not invalidate the
// cursor.
class memory_cursor final : public kv_cursor {
public:
  memory_cursor(memory_transaction& transaction, table_id table) : transaction_(transaction), table_(table) {}

  std::optional<kv_pair> seek(std::string_view key) override {
    if (!key.empty() && !transaction_.usable(key)) return {};
    return show(key, false);
  }
  std::optional<kv_pair> next() override {
    if (item_ == nullptr) return {};
    return show(item_->key, true);
  }

  std::optional<kv_pair> before(std::string_view key) override {
    if (!transaction_.usable(key)) return {};
    item_ = nullptr;
    const node* const found = last_before(transaction_.root(table_), key);
    if (found == nullptr) return {};
    shown_ = found->item;
    return kv_pair{shown_->key, shown_->value};
  }

private:
  std::optional<kv_pair> show(std::string_view key, bool after) {
    CAIRN_ASSERT(!transaction_.ended_);
    const node* const found = transaction_.failure_ ? nullptr : lower_bound(transaction_.root(table_), key, after);
    item_ = found == nullptr ? nullptr : found->item;
    if (item_ == nullptr) return {};
    return kv_pair{item_->key, item_->value};
  }

  memory_transaction& transaction_;
  table_id table_;
  std::shared_ptr<const entry> item_, shown_;
};

std::unique_ptr<kv_cursor> memory_transaction::cursor(table_id table) {
  return std::make_unique<memory_cursor>(*this, table);
}

result<std::unique_ptr<kv_reader>> memory_engine::begin_read() {
  return std::unique_ptr<kv_reader>{new memory_transaction(*this, 0, {})};
}

result<std::unique_ptr<kv_writer>> memory_engine::begin_write() {
  auto turn = wait_for_turn();
  const std::uint64_t id = ++last_writer_;
  return std::unique_ptr<kv_writer>{new memory_transaction(*this, id, std::move(turn))};
}

result<void> memory_engine::replace(const std::function<result<void>(kv_writer&)>& fill) {
  auto turn = wait_for_turn();
  const std::uint64_t id = ++last_writer_;
  memory_transaction all{*this, id, std::move(turn)};
  all.clear();
  if (auto filled = fill(all); !filled) return filled;
  return all.commit();
}

} // namespace

std::unique_ptr<kv_engine> make_memory_kv(table_id tables) {
  return std::make_unique<memory_engine>(tables);
}

} // namespace cairn::storage

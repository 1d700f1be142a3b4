#include "storage/kv/lmdb_reader.hpp"

#include "storage/kv/kv_damage.hpp"

#include <algorithm>
#include <cstring>

namespace cairn::storage {

namespace {

using lmdb_pages::outcome;

class reader_cursor;

class lmdb_reader final : public kv_reader {
public:
  explicit lmdb_reader(std::unique_ptr<lmdb_snapshot> snapshot)
      : snapshot_(std::move(snapshot)), trees_(snapshot_->table_names().size()) {}

  std::optional<std::string_view> get(table_id table, std::string_view key) override;
  std::unique_ptr<kv_cursor> cursor(table_id table) override;
  std::uint64_t entries(table_id table) override {
    const auto* tree = tree_of(table);
    return tree ? tree->entries : 0;
  }
  result<void> status() const override {
    if (failure_) return *failure_;
    return {};
  }

private:
  friend class reader_cursor;

  template <class Work>
  bool run(Work&& work) {
    if (failure_) return false;
    if (snapshot_->guarded([](void* w) { (*static_cast<std::remove_reference_t<Work>*>(w))(); }, &work)) return true;
    failure_ = snapshot_->unreadable();
    return false;
  }
  bool usable(std::string_view key) {
    if (failure_) return false;
    if (!key.empty() && key.size() <= kv_key_bytes_max) return true;
    failure_ = error{errc::invalid_argument, "a key of " + std::to_string(key.size()) + " bytes"};
    return false;
  }
  // Null after a failure. The table's tree is looked up once.
  const lmdb_pages::tree* tree_of(table_id table);
  void damaged(table_id table, std::string_view key, const char* fault) {
    if (!failure_) failure_ = snapshot_->damaged(describe_row(table, key) + ": " + fault);
  }

  std::unique_ptr<lmdb_snapshot> snapshot_;
  std::vector<std::optional<lmdb_pages::tree>> trees_;
  scratch scratch_;
  std::optional<error> failure_;
};

class reader_cursor final : public kv_cursor {
public:
  reader_cursor(lmdb_reader& reader, table_id table) : reader_(reader), table_(table) {
    if (const auto* tree = reader.tree_of(table)) at_ = {reader.snapshot_->file, *tree};
  }

  std::optional<kv_pair> seek(std::string_view key) override {
    if (!key.empty() && !reader_.usable(key)) return {};
    return step(key, [&] { return key.empty() ? at_.first() : at_.seek(key); });
  }
  std::optional<kv_pair> next() override {
    if (!positioned_) return {};
    return step({buffer_.get(), key_bytes_}, [&] { return at_.next(); });
  }
  std::optional<kv_pair> before(std::string_view key) override {
    if (!reader_.usable(key)) return {};
    const auto found = step(key, [&] { return at_.before(key); });
    positioned_ = false;
    return found;
  }

private:
  template <class Move>
  std::optional<kv_pair> step(std::string_view about, Move move) {
    outcome got = outcome::none;
    positioned_ = false;
    if (!reader_.run([&] { got = move(); }) || got == outcome::none) return {};
    if (got == outcome::damaged) {
      reader_.damaged(table_, about, at_.fault());
      return {};
    }
    return copy_out();
  }
  std::optional<kv_pair> copy_out() {
    const std::string_view key = at_.key(), value = at_.value();
    if (key.size() + value.size() > buffer_bytes_) {
      buffer_bytes_ = std::max<std::size_t>((key.size() + value.size()) * 2, 1024);
      buffer_ = std::make_unique_for_overwrite<char[]>(buffer_bytes_);
    }
    char* const to = buffer_.get();
    positioned_ = reader_.run([&] {
      std::memcpy(to, key.data(), key.size());
      std::memcpy(to + key.size(), value.data(), value.size());
    });
    if (!positioned_) return {};
    key_bytes_ = key.size();
    return kv_pair{{to, key.size()}, {to + key.size(), value.size()}};
  }

  lmdb_reader& reader_;
  const table_id table_;
  lmdb_pages::cursor at_; // empty after a failure
  bool positioned_ = false;
  std::unique_ptr<char[]> buffer_;
  std::size_t buffer_bytes_ = 0, key_bytes_ = 0;
};

const lmdb_pages::tree* lmdb_reader::tree_of(table_id table) {
  CAIRN_ASSERT(table < trees_.size());
  if (failure_) return nullptr;
  if (trees_[table]) return &*trees_[table];
  lmdb_pages::cursor at{snapshot_->file, snapshot_->meta.tables};
  lmdb_pages::tree tree;
  bool good = false;
  const std::string& name = snapshot_->table_names()[table];
  if (!run([&] {
        const auto got = at.find(name);
        // A file of an older build may lack the table, which then is empty.
        good =
            got == outcome::none || (got == outcome::found && at.is_tree() && lmdb_pages::read_tree(at.value(), tree));
      }))
    return nullptr;
  if (!good) {
    failure_ = snapshot_->damaged("table " + name + ": its tree");
    return nullptr;
  }
  trees_[table] = tree;
  return &*trees_[table];
}

std::optional<std::string_view> lmdb_reader::get(table_id table, std::string_view key) {
  if (!usable(key)) return {};
  const auto* tree = tree_of(table);
  if (tree == nullptr) return {};
  lmdb_pages::cursor at{snapshot_->file, *tree};
  outcome got = outcome::none;
  if (!run([&] { got = at.find(key); }) || got == outcome::none) return {};
  if (got == outcome::damaged) {
    damaged(table, key, at.fault());
    return {};
  }
  const std::string_view value = at.value();
  char* const copy = scratch_.allocate(value.size());
  if (!run([&] { std::memcpy(copy, value.data(), value.size()); })) return {};
  return std::string_view{copy, value.size()};
}

std::unique_ptr<kv_cursor> lmdb_reader::cursor(table_id table) {
  return std::make_unique<reader_cursor>(*this, table);
}

} // namespace

std::unique_ptr<kv_reader> make_lmdb_reader(std::unique_ptr<lmdb_snapshot> snapshot) {
  return std::make_unique<lmdb_reader>(std::move(snapshot));
}

} // namespace cairn::storage

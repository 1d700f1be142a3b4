// A write transaction of the LMDB engine (storage/kv/lmdb_kv.cpp): before LMDB searches for a key, the pages around the
// key are checked as of the last commit.
#include "storage/kv/lmdb_impl.hpp"
#include "storage/kv/scratch.hpp"

#include <algorithm>
#include <cstring>

namespace cairn::storage::lmdb {

namespace {

constexpr std::size_t value_bytes_max = 1u << 30;
constexpr std::size_t checked_slots = 2048; // a batch of PUTs in a hundred folders checks some three hundred leaves

MDB_val to_val(std::string_view bytes) {
  return {bytes.size(), const_cast<char*>(bytes.data())};
}
std::string_view to_view(const char* at, std::size_t size) {
  return {at, size};
}

class lmdb_cursor;

class lmdb_transaction final : public kv_writer {
public:
  lmdb_transaction(environment_ptr env, MDB_txn* txn, std::unique_lock<std::mutex> writer, lmdb_pages::file before,
                   std::vector<lmdb_pages::tree> trees)
      : env_(std::move(env)),
        txn_(txn),
        writer_(std::move(writer)),
        before_(before),
        trees_(std::move(trees)),
        checked_(trees_.size()),
        intact_(trees_.size()) {}
  lmdb_transaction(const lmdb_transaction&) = delete;
  lmdb_transaction& operator=(const lmdb_transaction&) = delete;
  ~lmdb_transaction() override { abort(); }

  std::optional<std::string_view> get(table_id table, std::string_view key) override;
  std::unique_ptr<kv_cursor> cursor(table_id table) override;
  std::uint64_t entries(table_id table) override;
  result<void> status() const override {
    if (failure_) return *failure_;
    return {};
  }
  void put(table_id table, std::string_view key, std::string_view value) override;
  bool erase(table_id table, std::string_view key) override;
  result<void> commit() override;

private:
  friend class lmdb_cursor;

  bool usable() const {
    CAIRN_ASSERT(txn_ != nullptr);
    return !failure_;
  }
  bool usable(std::string_view key) {
    if (!usable()) return false;
    if (!key.empty() && key.size() <= kv_key_bytes_max) return true;
    failure_ = error{errc::invalid_argument, "a key of " + std::to_string(key.size()) + " bytes"};
    return false;
  }
  // Whether LMDB may search for the key: the pages around it, as of the last commit, are intact.
  bool path_is_intact(table_id table, std::string_view key);
  // The same for a key that the caller names: a look-up of a row that is absent, and the write of the row, ask about
  // one key several times.
  bool path_is_known_intact(table_id table, std::string_view key) {
    CAIRN_ASSERT(table < intact_.size());
    auto& known = intact_[table];
    if (known && *known == key) return true;
    if (!path_is_intact(table, key)) return false;
    if (known)
      known->assign(key);
    else
      known.emplace(key);
    return true;
  }
  // True on success; false for MDB_NOTFOUND and for errors, which are sticky.
  bool good(int rc, const char* what) {
    if (rc != MDB_SUCCESS && rc != MDB_NOTFOUND && !failure_) failure_ = env_->failure(rc, what);
    return rc == MDB_SUCCESS;
  }
  bool has_valid_size(const MDB_val& value) {
    if (value.mv_size > value_bytes_max && !failure_) failure_ = env_->failure(MDB_CORRUPTED, "size of a value");
    return value.mv_size <= value_bytes_max;
  }
  void wrote() {
    ++writes_;
    scratch_.reset();
  }
  void abort();

  environment_ptr env_;
  MDB_txn* txn_;
  std::unique_lock<std::mutex> writer_;
  const lmdb_pages::file before_; // as of the last commit, with the trees of its tables
  const std::vector<lmdb_pages::tree> trees_;
  std::vector<std::vector<std::uint64_t>> checked_; // by table: the slots of lmdb_pages::checked_pages
  std::vector<std::optional<std::string>> intact_;  // by table: the last key that was found intact
  scratch scratch_;
  std::optional<error> failure_;
  std::uint64_t writes_ = 0;
};

class lmdb_cursor final : public kv_cursor {
public:
  lmdb_cursor(lmdb_transaction& transaction, table_id table, MDB_cursor* cursor)
      : transaction_(transaction), table_(table), cursor_(cursor) {}
  lmdb_cursor(const lmdb_cursor&) = delete;
  lmdb_cursor& operator=(const lmdb_cursor&) = delete;
  ~lmdb_cursor() override;

  std::optional<kv_pair> seek(std::string_view key) override;
  std::optional<kv_pair> next() override;
  std::optional<kv_pair> before(std::string_view key) override;

private:
  std::optional<kv_pair> step(MDB_val key, MDB_cursor_op operation);
  bool copy_out(const MDB_val& key, const MDB_val& value);

  lmdb_transaction& transaction_;
  const table_id table_;
  MDB_cursor* cursor_; // null: could not be opened
  std::unique_ptr<char[]> buffer_;
  std::size_t buffer_bytes_ = 0, key_bytes_ = 0;
  std::uint64_t writes_seen_ = 0;
  bool positioned_ = false;
};

bool lmdb_transaction::path_is_intact(table_id table, std::string_view key) {
  CAIRN_ASSERT(table < trees_.size());
  auto& checked = checked_[table];
  if (checked.empty()) checked.resize(checked_slots);
  const lmdb_pages::checked_pages memory{checked};
  lmdb_pages::cursor at{before_, trees_[table], memory};
  lmdb_pages::outcome got = lmdb_pages::outcome::none;
  const int rc = env_->run([&] {
    got = at.check_around(key);
    return 0;
  });
  if (!good(rc, "check of the pages")) return false;
  if (got != lmdb_pages::outcome::damaged) return true;
  failure_ = env_->damaged(describe_row(table, key) + ": " + at.fault());
  return false;
}

std::optional<std::string_view> lmdb_transaction::get(table_id table, std::string_view key) {
  if (!usable(key) || !path_is_known_intact(table, key)) return {};
  const MDB_dbi dbi = env_->table(table);
  MDB_val k = to_val(key), v{};
  if (!good(env_->run([&] { return mdb_get(txn_, dbi, &k, &v); }), "get") || !has_valid_size(v)) return {};
  char* const copy = scratch_.allocate(v.mv_size);
  const int rc = env_->run([&] {
    std::memcpy(copy, v.mv_data, v.mv_size);
    return 0;
  });
  if (!good(rc, "get")) return {};
  return to_view(copy, v.mv_size);
}

std::unique_ptr<kv_cursor> lmdb_transaction::cursor(table_id table) {
  MDB_cursor* opened = nullptr;
  const MDB_dbi dbi = env_->table(table);
  if (usable()) good(env_->run([&] { return mdb_cursor_open(txn_, dbi, &opened); }), "cursor");
  return std::make_unique<lmdb_cursor>(*this, table, opened);
}

std::uint64_t lmdb_transaction::entries(table_id table) {
  if (!usable()) return 0;
  MDB_stat stat{};
  const MDB_dbi dbi = env_->table(table);
  if (!good(env_->run([&] { return mdb_stat(txn_, dbi, &stat); }), "stat")) return 0;
  return stat.ms_entries;
}

void lmdb_transaction::put(table_id table, std::string_view key, std::string_view value) {
  if (!usable(key) || !path_is_known_intact(table, key)) return;
  const MDB_dbi dbi = env_->table(table);
  MDB_val k = to_val(key), v = to_val(value);
  good(env_->run([&] { return mdb_put(txn_, dbi, &k, &v, 0); }), "put");
  wrote();
}

bool lmdb_transaction::erase(table_id table, std::string_view key) {
  if (!usable(key) || !path_is_known_intact(table, key)) return false;
  const MDB_dbi dbi = env_->table(table);
  MDB_val k = to_val(key);
  const bool was_there = good(env_->run([&] { return mdb_del(txn_, dbi, &k, nullptr); }), "erase");
  wrote();
  return was_there;
}

result<void> lmdb_transaction::commit() {
  CAIRN_ASSERT(txn_ != nullptr);
  if (failure_) {
    abort();
    return *failure_;
  }
  std::uint64_t transaction = 0;
  const int rc = env_->run([&] {
    transaction = mdb_txn_id(txn_);
    return mdb_txn_commit(txn_);
  });
  txn_ = nullptr; // LMDB freed it, also when the commit failed
  if (rc != 0)
    failure_ = env_->commit_failure(rc);
  else if (auto there = env_->check_that_file_is_there(); !there)
    failure_ = there.error();
  else
    env_->committed(transaction);
  if (writer_.owns_lock()) writer_.unlock();
  return status();
}

void lmdb_transaction::abort() {
  if (txn_ == nullptr) return;
  const int rc = env_->run([&] {
    mdb_txn_abort(txn_);
    return 0;
  });
  if (rc != 0) leak(txn_);
  txn_ = nullptr;
  if (writer_.owns_lock()) writer_.unlock();
}

lmdb_cursor::~lmdb_cursor() {
  // The end of a write transaction frees its cursors.
  if (cursor_ == nullptr || transaction_.txn_ == nullptr) return;
  const int rc = transaction_.env_->run([&] {
    mdb_cursor_close(cursor_);
    return 0;
  });
  if (rc != 0) leak(cursor_);
}

std::optional<kv_pair> lmdb_cursor::seek(std::string_view key) {
  if (cursor_ == nullptr || !transaction_.usable()) return {};
  if (!key.empty() && !transaction_.usable(key)) return {};
  if (!transaction_.path_is_known_intact(table_, key)) return {};
  return key.empty() ? step({}, MDB_FIRST) : step(to_val(key), MDB_SET_RANGE);
}

std::optional<kv_pair> lmdb_cursor::next() {
  if (cursor_ == nullptr || !positioned_ || !transaction_.usable()) return {};
  if (writes_seen_ == transaction_.writes_) return step({}, MDB_NEXT);
  const std::string last{buffer_.get(), key_bytes_};
  const auto found = step(to_val(last), MDB_SET_RANGE);
  return found && found->key == last ? step({}, MDB_NEXT) : found;
}

std::optional<kv_pair> lmdb_cursor::before(std::string_view key) {
  if (cursor_ == nullptr || !transaction_.usable(key) || !transaction_.path_is_known_intact(table_, key)) return {};
  MDB_val k = to_val(key), v{};
  const int rc = transaction_.env_->run([&] { return mdb_cursor_get(cursor_, &k, &v, MDB_SET_RANGE); });
  std::optional<kv_pair> found;
  if (rc == 0 || rc == MDB_NOTFOUND)
    found = step({}, rc == 0 ? MDB_PREV : MDB_LAST);
  else
    transaction_.good(rc, "cursor");
  positioned_ = false;
  return found;
}

std::optional<kv_pair> lmdb_cursor::step(MDB_val key, MDB_cursor_op operation) {
  MDB_val value{};
  const int rc = transaction_.env_->run([&] { return mdb_cursor_get(cursor_, &key, &value, operation); });
  positioned_ = transaction_.good(rc, "cursor") && transaction_.has_valid_size(value) && copy_out(key, value);
  writes_seen_ = transaction_.writes_;
  if (!positioned_) return {};
  key_bytes_ = key.mv_size;
  if (!transaction_.path_is_intact(table_, {buffer_.get(), key_bytes_})) return {};
  return kv_pair{to_view(buffer_.get(), key.mv_size), to_view(buffer_.get() + key.mv_size, value.mv_size)};
}

bool lmdb_cursor::copy_out(const MDB_val& key, const MDB_val& value) {
  const std::size_t needed = key.mv_size + value.mv_size;
  if (needed > buffer_bytes_) {
    buffer_bytes_ = std::max<std::size_t>(needed * 2, 1024);
    buffer_ = std::make_unique_for_overwrite<char[]>(buffer_bytes_);
  }
  char* const to = buffer_.get();
  const int rc = transaction_.env_->run([&] {
    std::memcpy(to, key.mv_data, key.mv_size);
    std::memcpy(to + key.mv_size, value.mv_data, value.mv_size);
    return 0;
  });
  return transaction_.good(rc, "cursor");
}

} // namespace

std::unique_ptr<kv_writer> make_writer(environment_ptr env, MDB_txn* txn, std::unique_lock<std::mutex> writer,
                                       lmdb_pages::file before, std::vector<lmdb_pages::tree> trees) {
  return std::make_unique<lmdb_transaction>(std::move(env), txn, std::move(writer), before, std::move(trees));
}

} // namespace cairn::storage::lmdb

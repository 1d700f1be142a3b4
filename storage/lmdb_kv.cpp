// The LMDB engine: the only file that includes lmdb.h. One environment a directory (data.mdb, lock.mdb), table n is the
// named database "tNN". Commits are fully durable: pages, flush, meta page through an O_DSYNC descriptor.
//
// Every call that may touch the map runs under the guard of map_guard.hpp and copies what it found before it leaves it,
// so a read error below the map, or a page that fails LMDB's assertions, quarantines the engine instead of ending the
// process. A quarantined environment is leaked: closing it would touch the map.
#include "storage/file_system.hpp"
#include "storage/kv.hpp"
#include "storage/log.hpp"
#include "storage/map_guard.hpp"
#include "storage/scratch.hpp"

#include <fcntl.h>
#include <lmdb.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <vector>

namespace cairn::storage {

namespace {

constexpr int left_guard = -40000; // beside LMDB's and the system's codes
constexpr unsigned readers_max = 512;
// A process that reads beside this one (a backup, say) and is killed leaves its slot, and no page that it might read
// would be used again. So the slots are looked through from time to time.
constexpr unsigned writes_between_checks = 256;
constexpr off_t lock_file_bytes = 40 * 1024; // room for readers_max slots of 64 bytes and the header
constexpr std::size_t value_bytes_max = 1u << 30;

errc code_of(int rc) {
  switch (rc) {
    case MDB_MAP_FULL:
    case ENOSPC:
    case EDQUOT:
    case EFBIG: return errc::no_space;
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
    case MDB_CURSOR_FULL:
    case MDB_PAGE_FULL:
    case MDB_INVALID: return errc::corrupt;
    case MDB_VERSION_MISMATCH: return errc::unsupported;
    case MDB_BAD_VALSIZE: return errc::invalid_argument;
    case MDB_TXN_FULL: return errc::too_large;
    case MDB_READERS_FULL: return errc::busy;
    default: return errc::io_error;
  }
}

// What a quarantined engine can't free. Kept reachable, so that leak checkers see the intent.
void leak(void* what) {
  static std::mutex mutex;
  static auto* const kept = new std::vector<void*>;
  const std::lock_guard lock{mutex};
  kept->push_back(what);
}

void on_lmdb_assertion(MDB_env*, const char* text) {
  log::error("lmdb assertion failed", {{"text", text}});
  leave_guarded();
}

MDB_val to_val(std::string_view bytes) {
  return {bytes.size(), const_cast<char*>(bytes.data())};
}
std::string_view to_view(const char* at, std::size_t size) {
  return {at, size};
}

class lmdb_engine final : public kv_engine {
public:
  explicit lmdb_engine(const lmdb_options& options)
      : directory_(options.directory), on_quarantine_(options.on_quarantine) {}
  lmdb_engine(const lmdb_engine&) = delete;
  lmdb_engine& operator=(const lmdb_engine&) = delete;
  ~lmdb_engine() override;

  result<void> open(const lmdb_options& options);
  result<std::unique_ptr<kv_reader>> begin_read() override;
  result<std::unique_ptr<kv_writer>> begin_write() override;

  // LMDB's code, or left_guard once the map could not be read. Nothing in `work` may need a destructor.
  template <class Work>
  int run(Work&& work) {
    if (quarantined()) return left_guard;
    int rc = 0;
    auto guarded = [&] { rc = work(); };
    if (run_guarded(guarded)) return rc;
    enter_quarantine();
    return left_guard;
  }

  bool quarantined() const { return quarantined_.load(std::memory_order_acquire); }
  MDB_dbi table(table_id id) const {
    CAIRN_ASSERT(id < tables_.size());
    return tables_[id];
  }
  error failure(int rc, const char* what) const;
  error commit_failure(int rc);

private:
  result<void> prepare_directory() const;
  result<void> make_data_file() const;
  void enter_quarantine();
  bool disk_is_full() const;

  std::string directory_;
  std::function<void()> on_quarantine_;
  MDB_env* env_ = nullptr;
  std::vector<MDB_dbi> tables_;
  std::mutex writer_;
  unsigned writes_begun_ = 0; // under writer_
  std::atomic<bool> quarantined_{false}, read_only_{false};
};

class lmdb_cursor;

class lmdb_transaction final : public kv_writer {
public:
  lmdb_transaction(lmdb_engine& engine, MDB_txn* txn, std::unique_lock<std::mutex> writer)
      : engine_(engine), txn_(txn), writer_(std::move(writer)) {}
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
  // True on success; false for "not there" and for errors, which stick.
  bool good(int rc, const char* what) {
    if (rc != MDB_SUCCESS && rc != MDB_NOTFOUND && !failure_) failure_ = engine_.failure(rc, what);
    return rc == MDB_SUCCESS;
  }
  bool believable(const MDB_val& value) {
    if (value.mv_size > value_bytes_max && !failure_) failure_ = engine_.failure(MDB_CORRUPTED, "size of a value");
    return value.mv_size <= value_bytes_max;
  }
  void wrote() {
    ++writes_;
    scratch_.reset();
  }
  void abort();

  lmdb_engine& engine_;
  MDB_txn* txn_;
  std::unique_lock<std::mutex> writer_; // not locked: a reader
  scratch scratch_;
  std::optional<error> failure_;
  std::uint64_t writes_ = 0;
};

class lmdb_cursor final : public kv_cursor {
public:
  lmdb_cursor(lmdb_transaction& transaction, MDB_cursor* cursor) : transaction_(transaction), cursor_(cursor) {}
  lmdb_cursor(const lmdb_cursor&) = delete;
  lmdb_cursor& operator=(const lmdb_cursor&) = delete;
  ~lmdb_cursor() override;

  std::optional<kv_pair> seek(std::string_view key) override;
  std::optional<kv_pair> next() override;

private:
  std::optional<kv_pair> step(MDB_val key, MDB_cursor_op operation);
  bool copy_out(const MDB_val& key, const MDB_val& value);

  lmdb_transaction& transaction_;
  MDB_cursor* cursor_; // null: could not be opened
  std::unique_ptr<char[]> buffer_;
  std::size_t buffer_bytes_ = 0, key_bytes_ = 0;
  std::uint64_t writes_seen_ = 0;
  bool positioned_ = false;
};

// ── engine ──

result<void> lmdb_engine::prepare_directory() const {
  if (auto made = posix_file_system().make_directories(directory_); !made) return made;
  // LMDB maps the lock file and writes into its holes: on a full disk that would be a SIGBUS. So its blocks are there
  // before. (Not after: closing any descriptor of the file would drop the locks that LMDB holds on it.)
  const std::string path = directory_ + "/lock.mdb";
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return failure(errno, "open of lock.mdb");
  const int rc = ::posix_fallocate(fd, 0, lock_file_bytes);
  ::close(fd);
  if (rc != 0) return failure(rc, "preallocation of lock.mdb");
  return {};
}

// LMDB writes the first two pages of a new file and flushes nothing before the first commit: a power loss in between
// would leave a file that it refuses for ever. So a new file appears whole, under its name only when it is flushed.
result<void> lmdb_engine::make_data_file() const {
  const std::string path = directory_ + "/data.mdb", fresh = directory_ + "/new.mdb";
  if (::access(path.c_str(), F_OK) == 0) return {};
  if (errno != ENOENT) return failure(errno, "look at data.mdb");
  auto& files = posix_file_system();
  if (auto removed = files.remove(fresh); !removed && removed.error() != errc::not_found) return removed;
  MDB_env* env = nullptr;
  int rc = mdb_env_create(&env);
  if (rc != 0) return failure(rc, "mdb_env_create");
  rc = mdb_env_open(env, fresh.c_str(), MDB_NOSUBDIR | MDB_NOLOCK, 0600);
  if (rc == 0) rc = mdb_env_sync(env, 1);
  mdb_env_close(env);
  if (rc != 0) return failure(rc, "making of data.mdb");
  return files.rename(fresh, path); // durable with the directory, when the tables are made
}

result<void> lmdb_engine::open(const lmdb_options& options) {
  if (auto prepared = prepare_directory(); !prepared) return prepared;
  if (auto made = make_data_file(); !made) return made;
  if (const int rc = mdb_env_create(&env_); rc != 0) return failure(rc, "mdb_env_create");
  const int opened = run([&] {
    int rc = mdb_env_set_assert(env_, on_lmdb_assertion);
    if (rc == 0) rc = mdb_env_set_maxdbs(env_, options.tables);
    if (rc == 0) rc = mdb_env_set_mapsize(env_, options.map_bytes);
    if (rc == 0) rc = mdb_env_set_maxreaders(env_, readers_max);
    if (rc == 0) rc = mdb_env_open(env_, directory_.c_str(), MDB_NOTLS | MDB_NORDAHEAD, 0600);
    return rc;
  });
  if (opened != 0) return failure(opened, "open");

  tables_.resize(options.tables);
  std::vector<std::string> names;
  for (unsigned i = 0; i < options.tables; ++i) names.push_back((i < 10 ? "t0" : "t") + std::to_string(i));
  const int made = run([&] {
    MDB_txn* txn = nullptr;
    int rc = mdb_txn_begin(env_, nullptr, 0, &txn);
    if (rc != 0) return rc;
    for (std::size_t i = 0; i < names.size() && rc == 0; ++i)
      rc = mdb_dbi_open(txn, names[i].c_str(), MDB_CREATE, &tables_[i]);
    if (rc == 0) return mdb_txn_commit(txn);
    mdb_txn_abort(txn);
    return rc;
  });
  if (made != 0) return failure(made, "making of the tables");
  return posix_file_system().flush_directory(directory_);
}

lmdb_engine::~lmdb_engine() {
  if (env_ == nullptr) return;
  const int rc = run([&] {
    mdb_env_close(env_);
    return 0;
  });
  if (rc != 0) leak(env_);
}

void lmdb_engine::enter_quarantine() {
  if (quarantined_.exchange(true, std::memory_order_acq_rel)) return;
  log::error("quarantined: the memory map can't be read", {{"directory", directory_}});
  if (on_quarantine_) on_quarantine_();
}

bool lmdb_engine::disk_is_full() const {
  struct statvfs fs {};
  constexpr std::uint64_t write_bytes_max = 16ull << 20; // no single write of LMDB's is larger, with values as ours
  return ::statvfs(directory_.c_str(), &fs) == 0 && std::uint64_t{fs.f_bavail} * fs.f_frsize < write_bytes_max;
}

error lmdb_engine::failure(int rc, const char* what) const {
  if (rc == left_guard) return {errc::quarantined, directory_ + ": " + what + ": the memory map can't be read"};
  // LMDB answers EIO for a write that came out short, and that is how a disk without room shows more often than not.
  if (rc == EIO && disk_is_full()) rc = ENOSPC;
  return {code_of(rc), directory_ + ": " + what + ": " + mdb_strerror(rc)};
}

// After a failed flush nobody knows what the device holds, and a second flush would succeed without writing it: no more
// writes. A commit that found no room is different: its pages are referenced by nothing, later commits write their own.
error lmdb_engine::commit_failure(int rc) {
  error why = failure(rc, "commit");
  if (why == errc::io_error && !read_only_.exchange(true)) log::error("no more writes", {{"error", why.text}});
  return why;
}

result<std::unique_ptr<kv_reader>> lmdb_engine::begin_read() {
  MDB_txn* txn = nullptr;
  const int rc = run([&] { return mdb_txn_begin(env_, nullptr, MDB_RDONLY, &txn); });
  if (rc != 0) return failure(rc, "begin of a read");
  return std::unique_ptr<kv_reader>{new lmdb_transaction(*this, txn, {})};
}

result<std::unique_ptr<kv_writer>> lmdb_engine::begin_write() {
  if (quarantined()) return failure(left_guard, "begin of a write");
  // A lock of our own in front of LMDB's: a writer that left the guard never releases LMDB's.
  std::unique_lock writer{writer_};
  if (read_only_.load()) return error{errc::read_only, directory_ + ": a commit failed before"};
  MDB_txn* txn = nullptr;
  const int rc = run([&] {
    if (++writes_begun_ % writes_between_checks == 0) mdb_reader_check(env_, nullptr);
    return mdb_txn_begin(env_, nullptr, 0, &txn);
  });
  if (rc != 0) return failure(rc, "begin of a write");
  return std::unique_ptr<kv_writer>{new lmdb_transaction(*this, txn, std::move(writer))};
}

// ── transaction ──

std::optional<std::string_view> lmdb_transaction::get(table_id table, std::string_view key) {
  if (!usable(key)) return {};
  const MDB_dbi dbi = engine_.table(table);
  MDB_val k = to_val(key), v{};
  if (!good(engine_.run([&] { return mdb_get(txn_, dbi, &k, &v); }), "get") || !believable(v)) return {};
  char* const copy = scratch_.allocate(v.mv_size);
  const int rc = engine_.run([&] {
    std::memcpy(copy, v.mv_data, v.mv_size);
    return 0;
  });
  if (!good(rc, "get")) return {};
  return to_view(copy, v.mv_size);
}

std::unique_ptr<kv_cursor> lmdb_transaction::cursor(table_id table) {
  MDB_cursor* opened = nullptr;
  const MDB_dbi dbi = engine_.table(table);
  if (usable()) good(engine_.run([&] { return mdb_cursor_open(txn_, dbi, &opened); }), "cursor");
  return std::make_unique<lmdb_cursor>(*this, opened);
}

std::uint64_t lmdb_transaction::entries(table_id table) {
  if (!usable()) return 0;
  MDB_stat stat{};
  const MDB_dbi dbi = engine_.table(table);
  if (!good(engine_.run([&] { return mdb_stat(txn_, dbi, &stat); }), "stat")) return 0;
  return stat.ms_entries;
}

void lmdb_transaction::put(table_id table, std::string_view key, std::string_view value) {
  if (!usable(key)) return;
  const MDB_dbi dbi = engine_.table(table);
  MDB_val k = to_val(key), v = to_val(value);
  good(engine_.run([&] { return mdb_put(txn_, dbi, &k, &v, 0); }), "put");
  wrote();
}

bool lmdb_transaction::erase(table_id table, std::string_view key) {
  if (!usable(key)) return false;
  const MDB_dbi dbi = engine_.table(table);
  MDB_val k = to_val(key);
  const bool was_there = good(engine_.run([&] { return mdb_del(txn_, dbi, &k, nullptr); }), "erase");
  wrote();
  return was_there;
}

result<void> lmdb_transaction::commit() {
  CAIRN_ASSERT(txn_ != nullptr);
  if (failure_) {
    abort();
    return *failure_;
  }
  const int rc = engine_.run([&] { return mdb_txn_commit(txn_); });
  txn_ = nullptr; // LMDB freed it, also when the commit failed
  if (rc != 0) failure_ = engine_.commit_failure(rc);
  if (writer_.owns_lock()) writer_.unlock();
  return status();
}

void lmdb_transaction::abort() {
  if (txn_ == nullptr) return;
  const int rc = engine_.run([&] {
    mdb_txn_abort(txn_);
    return 0;
  });
  if (rc != 0) leak(txn_);
  txn_ = nullptr;
  if (writer_.owns_lock()) writer_.unlock();
}

// ── cursor ──

lmdb_cursor::~lmdb_cursor() {
  // The end of a transaction frees the cursors of a writer; a reader's are ours until then, and its end comes later.
  if (cursor_ == nullptr || transaction_.txn_ == nullptr) return;
  const int rc = transaction_.engine_.run([&] {
    mdb_cursor_close(cursor_);
    return 0;
  });
  if (rc != 0) leak(cursor_);
}

std::optional<kv_pair> lmdb_cursor::seek(std::string_view key) {
  if (cursor_ == nullptr || !transaction_.usable()) return {};
  if (key.empty()) return step({}, MDB_FIRST);
  if (!transaction_.usable(key)) return {};
  return step(to_val(key), MDB_SET_RANGE);
}

std::optional<kv_pair> lmdb_cursor::next() {
  if (cursor_ == nullptr || !positioned_ || !transaction_.usable()) return {};
  if (writes_seen_ == transaction_.writes_) return step({}, MDB_NEXT);
  const std::string last{buffer_.get(), key_bytes_};
  const auto found = step(to_val(last), MDB_SET_RANGE);
  return found && found->key == last ? step({}, MDB_NEXT) : found;
}

std::optional<kv_pair> lmdb_cursor::step(MDB_val key, MDB_cursor_op operation) {
  MDB_val value{};
  const int rc = transaction_.engine_.run([&] { return mdb_cursor_get(cursor_, &key, &value, operation); });
  positioned_ = transaction_.good(rc, "cursor") && transaction_.believable(value) && copy_out(key, value);
  writes_seen_ = transaction_.writes_;
  if (!positioned_) return {};
  key_bytes_ = key.mv_size;
  return kv_pair{to_view(buffer_.get(), key.mv_size), to_view(buffer_.get() + key.mv_size, value.mv_size)};
}

bool lmdb_cursor::copy_out(const MDB_val& key, const MDB_val& value) {
  const std::size_t needed = key.mv_size + value.mv_size;
  if (needed > buffer_bytes_) {
    buffer_bytes_ = std::max<std::size_t>(needed * 2, 1024);
    buffer_ = std::make_unique_for_overwrite<char[]>(buffer_bytes_);
  }
  char* const to = buffer_.get();
  const int rc = transaction_.engine_.run([&] {
    std::memcpy(to, key.mv_data, key.mv_size);
    std::memcpy(to + key.mv_size, value.mv_data, value.mv_size);
    return 0;
  });
  return transaction_.good(rc, "cursor");
}

} // namespace

result<std::unique_ptr<kv_engine>> open_lmdb(const lmdb_options& options) {
  install_map_guard();
  auto engine = std::make_unique<lmdb_engine>(options);
  if (auto opened = engine->open(options); !opened) return opened.error();
  return std::unique_ptr<kv_engine>{std::move(engine)};
}

} // namespace cairn::storage

// The LMDB engine. One environment per directory (data.mdb, lock.mdb); table n is the named database "tNN". Commits are
// fully durable: pages, flush, meta page through an O_DSYNC descriptor.
//
// LMDB does not verify its pages, so a damaged page could give wrong results, crash the process or spread. Readers
// traverse and check the pages with their own code (lmdb_reader.hpp). A writer checks the pages that LMDB is about to
// use, as of the last commit: the path to each key with the neighbouring pages, the tables, and the list of free pages.
// Pages that the transaction itself changed are in memory. Damage is `corrupt`. Not detected: a used page that a
// flipped bit put on the list of free pages, and a page that was replaced by an older version of itself.
//
// In addition, every call that may access a map runs under the guard of map_guard.hpp, so that an unreadable page, or
// one that fails LMDB's assertions, quarantines the environment instead of ending the process. A quarantined
// environment is leaked, because closing it would access the map.
#include "base/file_system.hpp"
#include "base/log.hpp"
#include "storage/kv/lmdb_impl.hpp"
#include "storage/kv/lmdb_reader.hpp"
#include "storage/kv/stepped_writer.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <functional>

namespace cairn::storage {

namespace lmdb {

namespace {

constexpr unsigned readers_max = 512;
// Another process that reads (for example a backup) and is killed leaves its reader slot, and LMDB would never reuse
// the pages of that snapshot. So stale slots are cleared periodically.
constexpr unsigned writes_between_checks = 256;
constexpr off_t lock_file_bytes = 40 * 1024;        // room for readers_max slots of 64 bytes and the header
constexpr std::uint64_t free_pages_always = 32'768; // a list up to this size is checked for each transaction: 0.1 ms
constexpr unsigned begin_tries_max = 64;            // a snapshot's meta page may be overwritten while it begins
constexpr const char* not_readable = "the memory map cannot be read";

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

void on_lmdb_assertion(MDB_env*, const char* text) {
  log::error("lmdb assertion failed", {{"text", text}});
  leave_guarded();
}

class snapshot final : public lmdb_snapshot {
public:
  snapshot(environment_ptr env, MDB_txn* txn) : env_(std::move(env)), txn_(txn) {}
  snapshot(const snapshot&) = delete;
  snapshot& operator=(const snapshot&) = delete;
  ~snapshot() override {
    const int rc = env_->run([&] {
      mdb_txn_abort(txn_);
      return 0;
    });
    if (rc != 0) leak(txn_);
  }
  bool guarded(void (*work)(void*), void* context) override {
    return env_->run([&] {
      work(context);
      return 0;
    }) == 0;
  }
  error unreadable() const override { return env_->failure(left_guard, "read"); }
  error damaged(const std::string& what) override { return env_->damaged(what); }
  const std::vector<std::string>& table_names() const override { return env_->names(); }

private:
  environment_ptr env_;
  MDB_txn* txn_;
};

} // namespace

void leak(void* what) {
  static std::mutex mutex;
  static auto* const kept = new std::vector<void*>;
  const std::lock_guard lock{mutex};
  kept->push_back(what);
}

result<void> environment::prepare(const std::string& folder) const {
  if (auto made = posix_file_system().make_directories(folder); !made) return made;
  // LMDB maps the lock file and writes into its holes, which on a full disk would be a SIGBUS. So its blocks are
  // allocated first. (Before LMDB opens it: closing any descriptor of the file would drop the locks that LMDB holds on
  // it.)
  const std::string path = folder + "/lock.mdb";
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return failure(errno, "open of lock.mdb");
  const int rc = ::posix_fallocate(fd, 0, lock_file_bytes);
  ::close(fd);
  if (rc != 0) return failure(rc, "preallocation of lock.mdb");
  return {};
}

// LMDB writes the first two pages of a new file and flushes nothing before the first commit. A power loss in between
// would leave a file that LMDB refuses for ever. So a new file is written and flushed under another name, and then
// renamed.
result<void> environment::make_data_file(const std::string& folder) {
  const std::string path = folder + "/data.mdb", fresh = folder + "/new.mdb";
  struct stat there {};
  if (::stat(path.c_str(), &there) == 0) {
    // In an empty file LMDB would silently begin a new database.
    return S_ISREG(there.st_mode) && there.st_size == 0 ? result<void>{damaged("data.mdb is empty")} : result<void>{};
  }
  if (errno != ENOENT) return failure(errno, "stat of data.mdb");
  auto& files = posix_file_system();
  if (auto removed = files.remove(fresh); !removed && removed.error() != errc::not_found) return removed;
  MDB_env* env = nullptr;
  int rc = mdb_env_create(&env);
  if (rc != 0) return failure(rc, "mdb_env_create");
  rc = mdb_env_open(env, fresh.c_str(), MDB_NOSUBDIR | MDB_NOLOCK, 0600);
  if (rc == 0) rc = mdb_env_sync(env, 1);
  mdb_env_close(env);
  if (rc != 0) return failure(rc, "making of data.mdb");
  return files.rename(fresh, path); // `open` flushes the directory after creating the tables
}

// A division by zero within LMDB would end the process, because map_guard.hpp handles faults of memory only, and a map
// that is too large for the machine would not be known as damage.
result<void> environment::check_meta_pages(const std::string& folder, std::uint64_t map_bytes) {
  const auto file = posix_file_system().open(folder + "/data.mdb", open_mode::read_only);
  if (!file) return {}; // LMDB says why
  std::array<char, lmdb_pages::meta_bytes> first{}, second{};
  const auto read = [&file](std::uint64_t at, std::span<char> into) -> std::string_view {
    const bytes_span bytes = std::as_writable_bytes(into);
    const auto got = (*file)->read(at, std::span{&bytes, 1});
    return {into.data(), got ? *got : 0};
  };
  const auto meta = read(0, first);
  if (meta.size() < lmdb_pages::meta_bytes) return {};
  const auto other = read(lmdb_pages::page_bytes_of(meta), second);
  return lmdb_pages::may_open(meta, other, map_bytes) ? result<void>{} : damaged("meta page");
}

result<void> environment::open(const std::string& folder, std::uint64_t map_bytes) {
  if (auto prepared = prepare(folder); !prepared) return prepared;
  if (auto made = reads_only_ ? result<void>{} : make_data_file(folder); !made) return made;
  if (auto good = check_meta_pages(folder, map_bytes); !good) return good;
  if (const int rc = mdb_env_create(&env_); rc != 0) return failure(rc, "mdb_env_create");
  const int opened = run([&] {
    int rc = mdb_env_set_assert(env_, on_lmdb_assertion);
    if (rc == 0) rc = mdb_env_set_maxdbs(env_, static_cast<MDB_dbi>(names_.size()));
    if (rc == 0) rc = mdb_env_set_mapsize(env_, map_bytes);
    if (rc == 0) rc = mdb_env_set_maxreaders(env_, readers_max);
    if (rc == 0) rc = mdb_env_open(env_, folder.c_str(), MDB_NOTLS | MDB_NORDAHEAD, 0600);
    return rc;
  });
  if (opened != 0) return failure(opened, "open");
  if (auto mapped = map_file(folder); !mapped) return mapped;
  if (auto made = open_tables(); !made) return made;
  return posix_file_system().flush_directory(folder);
}

result<void> environment::map_file(const std::string& folder) {
  MDB_envinfo info{};
  MDB_stat stat{};
  const int asked = run([&] {
    const int rc = mdb_env_info(env_, &info);
    return rc == 0 ? mdb_env_stat(env_, &stat) : rc;
  });
  if (asked != 0) return failure(asked, "query of the environment");
  page_bytes_ = stat.ms_psize;
  map_bytes_ = info.me_mapsize;
  last_commit_ = info.me_last_txnid;
  const int fd = ::open((folder + "/data.mdb").c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return failure(errno, "open of data.mdb");
  void* const map = ::mmap(nullptr, map_bytes_, PROT_READ, MAP_SHARED | MAP_NORESERVE, fd, 0);
  const int rc = errno;
  ::close(fd);
  if (map == MAP_FAILED) return failure(rc, "map of data.mdb");
  ::madvise(map, map_bytes_, MADV_RANDOM);
  map_ = static_cast<const char*>(map);
  return {};
}

// Checks the tables before LMDB opens them.
result<void> environment::open_tables() {
  lmdb_pages::meta meta;
  if (!read_meta(last_commit_, meta)) return quarantined() ? failure(left_guard, "open") : damaged("meta page");
  if (auto trees = checked_trees({map_, page_bytes_, meta.pages}, meta); !trees) return trees.error();
  if (reads_only_) return {};
  tables_.resize(names_.size());
  std::uint64_t transaction = 0;
  const int made = run([&] {
    MDB_txn* txn = nullptr;
    int rc = mdb_txn_begin(env_, nullptr, 0, &txn);
    if (rc != 0) return rc;
    transaction = mdb_txn_id(txn);
    for (std::size_t i = 0; i < names_.size() && rc == 0; ++i)
      rc = mdb_dbi_open(txn, names_[i].c_str(), MDB_CREATE, &tables_[i]);
    if (rc == 0) return mdb_txn_commit(txn);
    mdb_txn_abort(txn);
    return rc;
  });
  if (made != 0) return failure(made, "making of the tables");
  committed(transaction);
  return {};
}

environment::~environment() {
  if (map_ != nullptr) ::munmap(const_cast<char*>(map_), map_bytes_);
  if (env_ == nullptr) return;
  const int rc = run([&] {
    mdb_env_close(env_);
    return 0;
  });
  if (rc != 0) leak(env_);
}

void environment::enter_quarantine() {
  if (quarantined_.exchange(true, std::memory_order_acq_rel)) return;
  damage_->unreadable();
  log::error("quarantined: the memory map cannot be read", {{"directory", directory_}});
  if (on_quarantine_) on_quarantine_();
}

bool environment::disk_is_full() const {
  struct statvfs fs {};
  constexpr std::uint64_t write_bytes_max = 16ull << 20; // bound of a single write of LMDB, with our sizes of values
  return ::statvfs(directory_.c_str(), &fs) == 0 && std::uint64_t{fs.f_bavail} * fs.f_frsize < write_bytes_max;
}

error environment::failure(int rc, const char* what) const {
  if (rc == left_guard) return {errc::quarantined, directory_ + ": " + what + ": " + not_readable};
  // LMDB returns EIO for a short write, which is the usual symptom of a full disk.
  if (rc == EIO && disk_is_full()) rc = ENOSPC;
  error out{code_of(rc), directory_ + ": " + what + ": " + mdb_strerror(rc)};
  if (out == errc::corrupt) damage_->report(out.text);
  return out;
}

// After a failed flush the state of the device is unknown, and a second flush would succeed without writing. So no more
// writes are accepted. Not after no_space: no meta page references the pages of that commit, and later commits write
// their own.
error environment::refuse_writes(error why) {
  if (why == errc::io_error && !read_only_.exchange(true))
    log::error("commit failed, writes are refused from now on", {{"error", why.text}});
  return why;
}

result<void> environment::check_that_file_is_there() {
  mdb_filehandle_t file{};
  struct stat status {};
  if (mdb_env_get_fd(env_, &file) != 0 || ::fstat(file, &status) != 0 || status.st_nlink > 0) return {};
  return refuse_writes({errc::io_error, directory_ + ": commit: data.mdb was deleted"});
}

bool environment::read_meta(std::uint64_t transaction, lmdb_pages::meta& out) {
  bool good = false;
  const int rc = run([&] {
    good = lmdb_pages::read_meta(map_, page_bytes_, transaction, out);
    return 0;
  });
  return rc == 0 && good && out.pages <= map_bytes_ / page_bytes_;
}

result<std::unique_ptr<kv_reader>> environment::begin_read() {
  for (unsigned i = 0; i < begin_tries_max; ++i) {
    MDB_txn* txn = nullptr;
    std::uint64_t transaction = 0;
    const auto known = last_commit_.load(std::memory_order_acquire);
    const int rc = run([&] {
      const int begun = mdb_txn_begin(env_, nullptr, MDB_RDONLY, &txn);
      if (begun == 0) transaction = mdb_txn_id(txn);
      return begun;
    });
    if (rc != 0) return failure(rc, "begin of a read");
    auto s = std::make_unique<snapshot>(shared_from_this(), txn);
    if (transaction < known || !read_meta(transaction, s->meta)) continue;
    // The transaction after next overwrites this meta page. It cannot begin before the next one is committed, which
    // last_commit_ tells. Commits of another process are not known here, so then the page must read the same twice.
    lmdb_pages::meta again;
    if (last_commit_.load(std::memory_order_acquire) > transaction ||
        (reads_only_ && !(read_meta(transaction, again) && again == s->meta)))
      continue;
    s->file = {map_, page_bytes_, s->meta.pages};
    return make_lmdb_reader(std::move(s));
  }
  return quarantined() ? failure(left_guard, "begin of a read") : damaged("meta page");
}

// The trees of the tables, in the order of their numbers; all empty in a new file.
result<std::vector<lmdb_pages::tree>> environment::checked_trees(const lmdb_pages::file& file,
                                                                 const lmdb_pages::meta& meta) {
  std::vector<lmdb_pages::tree> out(names_.size());
  lmdb_pages::cursor at{file, meta.tables};
  const char* fault = "the number of tables";
  const int rc = run([&] {
    std::uint64_t rows = 0;
    lmdb_pages::outcome got = at.first();
    for (; got == lmdb_pages::outcome::found; got = at.next(), ++rows) {
      lmdb_pages::tree tree;
      if (!at.is_tree() || !lmdb_pages::read_tree(at.value(), tree)) break;
      for (std::size_t i = 0; i < names_.size(); ++i)
        if (at.key() == names_[i]) out[i] = tree;
    }
    if (got == lmdb_pages::outcome::damaged) fault = at.fault();
    return got == lmdb_pages::outcome::none && rows == meta.tables.entries ? 0 : MDB_CORRUPTED;
  });
  if (rc == left_guard) return failure(rc, "check of the tables");
  if (rc != 0) return damaged(std::string{"the tables: "} + fault);
  if (auto good = check_free_pages(file, meta, out); !good) return good.error();
  return out;
}

// A long list is checked only from time to time.
result<void> environment::check_free_pages(const lmdb_pages::file& file, const lmdb_pages::meta& meta,
                                           std::span<const lmdb_pages::tree> trees) {
  if (free_pages_ > free_pages_always && writes_begun_ % writes_between_checks != 0) return {};
  std::vector<std::uint64_t> roots{meta.tables.root, meta.free_pages.root};
  for (const auto& t : trees) roots.push_back(t.root);
  std::ranges::sort(roots, std::greater{});
  bool good = false;
  const int rc = run([&] {
    good = lmdb_pages::check_free_pages(file, meta, roots, free_pages_);
    return 0;
  });
  if (rc != 0) return failure(rc, "check of the free pages");
  return good ? result<void>{} : damaged("the list of free pages");
}

result<std::unique_ptr<kv_writer>> environment::begin_write(std::unique_lock<std::mutex> writer) {
  if (quarantined()) return failure(left_guard, "begin of a write");
  if (reads_only_) return error{errc::read_only, directory_ + ": opened for reads only"};
  if (read_only_.load()) return error{errc::read_only, directory_ + ": a commit failed before"};
  lmdb_pages::meta meta;
  if (!read_meta(last_commit_, meta))
    return quarantined() ? failure(left_guard, "begin of a write") : damaged("meta page");
  const lmdb_pages::file before{map_, page_bytes_, meta.pages};
  auto trees = checked_trees(before, meta);
  if (!trees) return trees.error();
  MDB_txn* txn = nullptr;
  bool expected = false;
  const int rc = run([&] {
    if (++writes_begun_ % writes_between_checks == 0) mdb_reader_check(env_, nullptr);
    const int begun = mdb_txn_begin(env_, nullptr, 0, &txn);
    if (begun != 0) return begun;
    expected = mdb_txn_id(txn) == meta.transaction + 1;
    if (!expected) mdb_txn_abort(txn);
    return 0;
  });
  if (rc != 0) return failure(rc, "begin of a write");
  if (!expected) return damaged("meta page");
  return make_writer(shared_from_this(), txn, std::move(writer), before, std::move(*trees));
}

} // namespace lmdb

namespace {

using lmdb::environment;
using lmdb::environment_ptr;

class lmdb_engine final : public kv_engine {
public:
  lmdb_engine(const lmdb_options& options, const std::string& extra_table) : options_(options) {
    for (unsigned i = 0; i < options.tables; ++i) names_.push_back((i < 10 ? "t0" : "t") + std::to_string(i));
    if (!extra_table.empty()) names_.push_back(extra_table);
    damage_ = options.damage ? options.damage : std::make_shared<kv_damage>(options.directory);
  }

  result<void> open() {
    if (auto opened = open_current(); opened || !options_.opens_damaged || !is_damage(opened.error())) return opened;
    damage_->unreadable();
    return {};
  }
  result<std::unique_ptr<kv_reader>> begin_read() override {
    auto env = current();
    return env ? env->begin_read() : result<std::unique_ptr<kv_reader>>{not_opened()};
  }
  result<std::unique_ptr<kv_writer>> begin_write() override {
    for (;;) {
      auto env = current();
      if (!env) return not_opened();
      if (env->quarantined()) return env->failure(lmdb::left_guard, "begin of a write");
      // A separate lock before LMDB's: a writer that left the guard never releases LMDB's lock.
      std::unique_lock writer{env->writer()};
      if (env == current()) return env->begin_write(std::move(writer));
    }
  }
  result<void> replace(const std::function<result<void>(kv_writer&)>& fill) override;

private:
  static bool is_damage(const error& e) { return e == errc::corrupt || e == errc::quarantined; }
  error not_opened() const { return {errc::corrupt, options_.directory + ": too damaged to be opened"}; }
  result<void> open_current() {
    if (options_.reads_only) return adopt(make());
    // Remains of a replacement that was interrupted.
    for (const char* name : {"/data.mdb", "/lock.mdb"}) ::unlink((fresh_directory() + name).c_str());
    ::rmdir(fresh_directory().c_str());
    return adopt(make());
  }
  result<void> adopt(environment_ptr env) {
    if (auto opened = env->open(options_.directory, options_.map_bytes); !opened) return opened;
    current_ = std::move(env);
    return {};
  }

  std::string fresh_directory() const { return options_.directory + "/fresh"; }
  environment_ptr make() const { return std::make_shared<environment>(options_, names_, damage_); }
  environment_ptr current() const {
    const std::lock_guard lock{mutex_};
    return current_;
  }

  const lmdb_options options_;
  std::vector<std::string> names_;
  std::shared_ptr<kv_damage> damage_;
  mutable std::mutex mutex_;
  environment_ptr current_; // under mutex_; null: could not be opened
};

// Writes and flushes a new file next to the old one and renames it over the old one, which stays open for its readers.
result<void> lmdb_engine::replace(const std::function<result<void>(kv_writer&)>& fill) {
  const auto old = current();
  if (options_.reads_only) return error{errc::read_only, options_.directory + ": opened for reads only"};
  const auto no_writer = old ? std::unique_lock{old->writer()} : std::unique_lock<std::mutex>{};
  auto& files = posix_file_system();
  for (const char* name : {"/data.mdb", "/lock.mdb"})
    if (auto gone = files.remove(fresh_directory() + name); !gone && gone.error() != errc::not_found) return gone;
  auto env = make();
  if (auto opened = env->open(fresh_directory(), options_.map_bytes); !opened) return opened;
  {
    // Nobody sees the file before it is complete, so several transactions will do: LMDB would keep up to 512 MiB of one
    // transaction in memory.
    stepped_writer writer{[&] { return env->begin_write(std::unique_lock{env->writer()}); }};
    if (auto good = writer.status(); !good) return good;
    if (auto filled = fill(writer); !filled) return filled;
    if (auto committed = writer.commit(); !committed) return committed;
  }
  for (const char* name : {"/lock.mdb", "/data.mdb"})
    if (auto renamed = files.rename(fresh_directory() + name, options_.directory + name); !renamed) return renamed;
  if (auto kept = files.flush_directory(options_.directory); !kept) return kept;
  ::rmdir(fresh_directory().c_str());
  damage_->replaced();
  const std::lock_guard lock{mutex_};
  current_ = std::move(env);
  return {};
}

} // namespace

result<std::unique_ptr<kv_engine>> open_plain_lmdb(const lmdb_options& options, const std::string& extra_table) {
  install_map_guard();
  auto engine = std::make_unique<lmdb_engine>(options, extra_table);
  if (auto opened = engine->open(); !opened) return opened.error();
  return std::unique_ptr<kv_engine>{std::move(engine)};
}

} // namespace cairn::storage

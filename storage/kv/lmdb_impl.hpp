// Internals of the LMDB engine, shared by storage/kv/lmdb_kv.cpp (which describes it) and storage/kv/lmdb_writer.cpp.
// The only file that includes lmdb.h.
#pragma once

#include "storage/kv/kv.hpp"
#include "storage/kv/kv_damage.hpp"
#include "storage/kv/lmdb_pages.hpp"
#include "storage/kv/map_guard.hpp"

#include <lmdb.h>

#include <atomic>
#include <mutex>
#include <vector>

namespace cairn::storage::lmdb {

constexpr int left_guard = -40000; // outside the ranges of LMDB's and the system's codes

// Keeps an object reachable that a quarantined engine cannot free, so that leak checkers do not report it.
void leak(void* what);

class environment : public std::enable_shared_from_this<environment> {
public:
  environment(const lmdb_options& options, std::vector<std::string> names, std::shared_ptr<kv_damage> damage)
      : directory_(options.directory),
        on_quarantine_(options.on_quarantine),
        reads_only_(options.reads_only),
        names_(std::move(names)),
        damage_(std::move(damage)) {}
  environment(const environment&) = delete;
  environment& operator=(const environment&) = delete;
  ~environment();

  // Opens the files in `folder`, which may differ from the directory that error texts name.
  result<void> open(const std::string& folder, std::uint64_t map_bytes);
  result<std::unique_ptr<kv_reader>> begin_read();
  result<std::unique_ptr<kv_writer>> begin_write(std::unique_lock<std::mutex> writer);

  // Returns LMDB's code, or left_guard once the map could not be read. `work` must not have objects with destructors.
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
  const std::vector<std::string>& names() const { return names_; }
  std::mutex& writer() { return writer_; }
  // Called with `writer` held. LMDB writes no meta page for a transaction that changed nothing.
  void committed(std::uint64_t transaction) {
    lmdb_pages::meta now;
    if (read_meta(transaction, now)) last_commit_.store(transaction, std::memory_order_release);
  }
  error damaged(const std::string& what) {
    damage_->report(what);
    return {errc::corrupt, directory_ + ": " + what};
  }
  error failure(int rc, const char* what) const;
  error commit_failure(int rc) { return refuse_writes(failure(rc, "commit")); }
  // After a commit. Who deleted the file took it with all later commits, although reads go on.
  result<void> check_that_file_is_there();

private:
  error refuse_writes(error why);
  result<void> prepare(const std::string& folder) const;
  result<void> make_data_file(const std::string& folder);
  result<void> check_meta_pages(const std::string& folder, std::uint64_t map_bytes);
  result<void> open_tables();
  result<void> map_file(const std::string& folder);
  bool read_meta(std::uint64_t transaction, lmdb_pages::meta& out);
  result<std::vector<lmdb_pages::tree>> checked_trees(const lmdb_pages::file& file, const lmdb_pages::meta& meta);
  result<void> check_free_pages(const lmdb_pages::file& file, const lmdb_pages::meta& meta,
                                std::span<const lmdb_pages::tree> trees);
  void enter_quarantine();
  bool disk_is_full() const;

  const std::string directory_;
  const std::function<void()> on_quarantine_;
  const bool reads_only_;
  const std::vector<std::string> names_;
  const std::shared_ptr<kv_damage> damage_;
  MDB_env* env_ = nullptr;
  std::vector<MDB_dbi> tables_;
  const char* map_ = nullptr; // a second map of the file: LMDB does not expose its own
  std::size_t map_bytes_ = 0, page_bytes_ = 0;
  std::mutex writer_;
  unsigned writes_begun_ = 0;    // under writer_
  std::uint64_t free_pages_ = 0; // at the last check, under writer_
  std::atomic<std::uint64_t> last_commit_{0};
  std::atomic<bool> quarantined_{false}, read_only_{false};
};

using environment_ptr = std::shared_ptr<environment>;

std::unique_ptr<kv_writer> make_writer(environment_ptr env, MDB_txn* txn, std::unique_lock<std::mutex> writer,
                                       lmdb_pages::file before, std::vector<lmdb_pages::tree> trees);

} // namespace cairn::storage::lmdb

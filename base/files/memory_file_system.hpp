// An in-memory disk for tests and simulation. It keeps what was flushed apart from what was only written: `crash`
// throws away, keeps or tears unflushed writes as a power loss may. Same contract as the POSIX engine. Thread-safe (one
// lock); deterministic: no clock, randomness from the caller.
//
// What a crash does: of each page written since the file's last flush, the old, the new or a mixture of 512-byte
// sectors survives; sizes and holes likewise; of the changes to a directory since its last flush a prefix survives. It
// does not model older versions of a page that was written twice without a flush, nor bits that rot (see flip_bit).
#pragma once

#include "base/file_system.hpp"
#include "base/seams.hpp"

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>

namespace cairn::storage {

enum class disk_operation : std::uint8_t {
  open,
  read,
  read_cached,
  write,
  flush,
  preallocate,
  punch,
  truncate,
  list,
  make_directories,
  remove,
  rename,
  flush_directory,
  space_of,
  lock
};

class memory_file_system final : public file_system {
public:
  // Asked before every operation; an answer makes it fail with that error (would_block for read_cached), and nothing is
  // done. Called under the lock: must not call back.
  using fault = std::function<std::optional<error>(disk_operation operation, const std::string& path)>;

  explicit memory_file_system(std::uint64_t capacity_bytes = 1ull << 40);
  ~memory_file_system() override; // after all its files and locks

  void set_fault(fault f);
  // Power loss and restart: files and locks that are open turn useless (io_error), the locks are free again.
  void crash(random_source& random);
  void flip_bit(const std::string& path, std::uint64_t bit); // rotten data: also the flushed copy
  std::uint64_t used_bytes() const;                          // pages written or preallocated, not punched
  std::uint64_t flushes() const;                             // of files and directories, that succeeded

  result<std::unique_ptr<file>> open(const std::string& path, open_mode mode) override;
  result<std::vector<std::string>> list(const std::string& directory) override;
  result<void> make_directories(const std::string& path) override;
  result<void> remove(const std::string& path) override;
  result<void> rename(const std::string& from, const std::string& to) override;
  result<void> flush_directory(const std::string& path) override;
  result<space> space_of(const std::string& path) override;
  result<std::shared_ptr<void>> lock(const std::string& directory) override;

private:
  friend class memory_file;
  struct inode;
  using inode_ptr = std::shared_ptr<inode>;
  struct change { // of a directory: `added` under its new name, the old name gone
    std::string added, removed;
    inode_ptr node;
  };
  struct directory {
    std::map<std::string, inode_ptr> now, durable;
    std::vector<change> unflushed;
  };

  std::optional<error> check(disk_operation operation, const std::string& path) const; // lock held
  directory* find_directory(const std::string& path);
  inode_ptr find(const std::string& path);
  void change_directory(directory& where, change c);
  static void apply(std::map<std::string, inode_ptr>& names, const change& c);
  result<void> reserve_pages(inode& node, std::uint64_t from, std::uint64_t to);

  const std::uint64_t capacity_pages_;
  mutable std::mutex mutex_;
  fault fault_;
  std::uint64_t life_ = 0; // crashes survived; handles of earlier lives are stale
  std::uint64_t flushes_ = 0;
  std::shared_ptr<std::uint64_t> used_pages_ = std::make_shared<std::uint64_t>(0);
  std::map<std::string, directory> directories_;
  std::map<std::string, std::weak_ptr<void>> locks_;
};

} // namespace cairn::storage

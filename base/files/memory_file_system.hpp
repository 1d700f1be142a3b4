// An in-memory disk for tests and simulation. It keeps flushed and unflushed data apart: `crash` drops, keeps or tears
// unflushed writes as a power loss may. Same contract as the POSIX engine, but it renames only within a directory.
// Thread-safe (one lock); deterministic: no clock, randomness comes from the caller.
//
// The model of a crash: for each page written since the file's last flush, the old page, the new page or a mixture of
// their 512-byte sectors survives; likewise the old or the new size, and each punched page. Of the changes to a
// directory since its last flush, a prefix survives. Not modelled: intermediate versions of a page that was written
// twice without a flush, and bit rot (see flip_bit).
#pragma once

#include "base/file_system.hpp"
#include "base/seams.hpp"

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>

namespace cairn {

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
  // Called before every operation; if it returns an error, the operation does nothing and fails with that error. Called
  // with the lock held: must not call the file system.
  using fault = std::function<std::optional<error>(disk_operation operation, const std::string& path)>;

  explicit memory_file_system(std::uint64_t capacity_bytes = 1ull << 40);
  ~memory_file_system() override; // its files must be destroyed first

  void set_fault(fault f);
  // Power loss and restart: open files fail with io_error from now on, and all locks are released.
  void crash(random_source& random);
  // A copy of all that programs see, flushed: as a backup of the whole disk. No faults, nothing open.
  std::unique_ptr<memory_file_system> image() const;
  void flip_bit(const std::string& path, std::uint64_t bit); // bit rot: also in the flushed copy
  std::uint64_t used_bytes() const;                          // of pages written or preallocated, and not punched
  std::uint64_t flushes() const;                             // successful ones, of files and directories

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
  struct change { // of a directory: `removed` is unlinked, `added` is linked; a rename does both
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
  bool is_linked(const std::string& path, const inode_ptr& node); // `path`: where it was opened
  void change_directory(directory& where, change c);
  static void apply(std::map<std::string, inode_ptr>& names, const change& c);
  result<void> reserve_pages(inode& node, std::uint64_t from, std::uint64_t to);

  const std::uint64_t capacity_pages_;
  mutable std::mutex mutex_;
  fault fault_;
  std::uint64_t life_ = 0; // number of crashes; a file opened before the last one is stale
  std::uint64_t flushes_ = 0;
  std::shared_ptr<std::uint64_t> used_pages_ = std::make_shared<std::uint64_t>(0);
  std::map<std::string, directory> directories_;
  std::map<std::string, std::weak_ptr<void>> locks_;
};

} // namespace cairn

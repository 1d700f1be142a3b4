// The disk seam under segment files and small files. Engines: POSIX (base/files/posix_file_system.cpp), and the
// in-memory disk of tests and simulation (base/files/memory_file_system.hpp), which injects errors and loses or tears
// unflushed writes at a crash. Offsets and lengths are bytes. Blocking calls run on a disk's executor; `read_cached` is
// the only call allowed on socket threads. Errors: io_error, no_space, not_found, locked, unsupported (the file system
// lacks the operation), would_block (read_cached only).
#pragma once

#include "base/error.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace cairn {

using bytes_view = std::span<const std::byte>;
using bytes_span = std::span<std::byte>;

class file {
public:
  virtual ~file() = default;
  // Gather write of all views, in order, at `offset`; an error may leave a part of it written. One thread at a time.
  // Large writes whose offset, addresses and lengths are multiples of 4 KiB may bypass the page cache.
  virtual result<void> write(std::uint64_t offset, std::span<const bytes_view> data) = 0;
  // Scatter read; returns fewer bytes than requested only at the end of the file.
  virtual result<std::size_t> read(std::uint64_t offset, std::span<const bytes_span> into) = 0;
  // As read(), but never waits for the device (preadv2 RWF_NOWAIT): would_block unless every byte is cached.
  virtual result<std::size_t> read_cached(std::uint64_t offset, std::span<const bytes_span> into) = 0;
  // fdatasync: data and size are durable. io_error: also when the file was deleted meanwhile, because its data would be
  // lost with the last descriptor; not with open_mode::append, since logs may be rotated by deletion.
  virtual result<void> flush() = 0;
  virtual result<void> preallocate(std::uint64_t size) = 0;                   // sets the size, reserves its blocks
  virtual result<void> punch(std::uint64_t offset, std::uint64_t length) = 0; // frees the blocks, keeps the size
  virtual result<void> truncate(std::uint64_t size) = 0;
  virtual result<std::uint64_t> size() const = 0;
};

enum class open_mode : std::uint8_t {
  read_only,
  // Reads bypass the page cache where the file system supports O_DIRECT. Offsets, addresses and lengths are multiples
  // of 4 KiB.
  read_direct,
  read_write,
  create, // must not exist
  append  // created if it does not exist; every write goes to the end of the file, whatever its offset
};

struct space {
  std::uint64_t total = 0, available = 0; // bytes of the file system that holds the path
};

// Bytes of a disk that are reserved for deletes, index and log: `configured`, or if that is 0 the larger of 1 % of the
// disk and 1 GiB.
constexpr std::uint64_t effective_reserve(std::uint64_t configured, const space& disk) {
  constexpr std::uint64_t default_min = 1ull << 30;
  return configured != 0 ? configured : (disk.total / 100 > default_min ? disk.total / 100 : default_min);
}

// Whether an operation that failed with no_space may be retried: a quarter of the reserve is free (at least 16 MiB, at
// most a quarter of the disk), so that the next write does not fail again.
constexpr bool has_room_again(std::uint64_t configured, const space& disk) {
  constexpr std::uint64_t least = 16 << 20;
  const std::uint64_t reserve = effective_reserve(configured, disk) / 4, wanted = reserve > least ? reserve : least;
  return disk.available >= (wanted < disk.total / 4 ? wanted : disk.total / 4);
}

class file_system {
public:
  virtual ~file_system() = default;
  // io_error: what is not a regular file; in particular it never waits for the other end of a FIFO.
  virtual result<std::unique_ptr<file>> open(const std::string& path, open_mode mode) = 0;
  virtual result<std::vector<std::string>> list(const std::string& directory) = 0; // names, sorted, without . and ..
  virtual result<void> make_directories(const std::string& path) = 0; // flushes each new directory and its parent
  virtual result<void> remove(const std::string& path) = 0;
  virtual result<void> rename(const std::string& from, const std::string& to) = 0; // atomic replace
  virtual result<void> flush_directory(const std::string& path) = 0;
  virtual result<space> space_of(const std::string& path) = 0;
  // Exclusive lock on `directory` for the life of the returned object; locked when another process holds it.
  virtual result<std::shared_ptr<void>> lock(const std::string& directory) = 0;
};

file_system& posix_file_system();

} // namespace cairn

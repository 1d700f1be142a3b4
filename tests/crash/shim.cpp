// Preloaded into the workload: does every call that changes a file, and records those below a directory (trace.hpp).
// One lock around call and record, so that the record's order is the real one. Calls that the checker does not model
// are recorded as unsupported, so that a new way of writing can't slip past it.
#include "tests/crash/trace.hpp"

#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

namespace {

using namespace cairn::crash;

struct open_file {
  std::uint32_t id = 0;
  bool synced = false, directory = false, said = false;
  std::string path;
};

struct recorder {
  std::recursive_mutex mutex;
  int trace = -1;
  std::string root, said;
  std::uint32_t next_id = 1;
  std::unordered_map<int, open_file> files;
};

recorder& state() {
  static auto* instance = new recorder; // never destroyed: files are closed late
  return *instance;
}

__attribute__((constructor)) void begin() {
  const char* trace = std::getenv(trace_variable);
  const char* root = std::getenv(root_variable);
  const char* said = std::getenv(said_variable);
  if (trace == nullptr || root == nullptr || said == nullptr) return;
  state().root = root;
  state().said = said;
  state().trace = static_cast<int>(
      ::syscall(SYS_openat, AT_FDCWD, trace, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600));
}

template <class Function>
Function* real(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

void put(const void* bytes, std::size_t length) {
  const auto* at = static_cast<const char*>(bytes);
  while (length > 0) {
    const auto n = ::syscall(SYS_write, state().trace, at, length);
    if (n <= 0) std::abort();
    at += n;
    length -= static_cast<std::size_t>(n);
  }
}

void record(event_header header, std::string_view path, std::string_view data) {
  const int before = errno;
  header.path_bytes = static_cast<std::uint32_t>(path.size());
  header.data_bytes = static_cast<std::uint32_t>(data.size());
  put(&header, sizeof header);
  put(path.data(), path.size());
  put(data.data(), data.size());
  errno = before;
}

// Locks are no data, and LMDB writes its own through a map.
bool is_lock(std::string_view path) {
  return path.ends_with("/lock.mdb") || path.ends_with("/lock");
}

// Path below the root, or false.
bool below_root(const char* path, std::string& relative) {
  const std::string_view text{path}, root{state().root};
  if (state().trace < 0 || !text.starts_with(root)) return false;
  if (text.size() == root.size()) {
    relative.clear();
    return true;
  }
  if (text[root.size()] != '/' || is_lock(text)) return false;
  relative = text.substr(root.size() + 1);
  return true;
}

open_file* find(int descriptor) {
  const auto at = state().files.find(descriptor);
  return at == state().files.end() ? nullptr : &at->second;
}

int open_and_record(const char* path, int flags, mode_t mode) {
  const std::lock_guard guard{state().mutex};
  std::string relative;
  const bool said = state().trace >= 0 && state().said == path;
  const bool watched = below_root(path, relative);
  struct stat status {};
  const bool existed = watched && ::syscall(SYS_newfstatat, AT_FDCWD, path, &status, 0) == 0;
  const int descriptor = static_cast<int>(::syscall(SYS_openat, AT_FDCWD, path, flags, mode));
  if (descriptor < 0 || (!watched && !said)) return descriptor;
  open_file opened{state().next_id++, (flags & (O_DSYNC | O_SYNC)) != 0, false, said, relative};
  opened.directory = watched && ::fstat(descriptor, &status) == 0 && S_ISDIR(status.st_mode);
  if (watched && !opened.directory) {
    record({.kind = event_kind::open, .created = !existed, .file = opened.id}, relative, {});
    if ((flags & O_TRUNC) != 0 && existed)
      record({.kind = event_kind::unsupported, .file = opened.id}, relative, "O_TRUNC");
  }
  state().files[descriptor] = std::move(opened);
  return descriptor;
}

void record_write(const open_file& to, std::uint64_t at, std::string_view data) {
  if (to.said)
    record({.kind = event_kind::say}, {}, data);
  else
    record({.kind = to.synced ? event_kind::synced_write : event_kind::write, .file = to.id, .at = at}, {}, data);
}

std::string joined(const iovec* pieces, int count, std::size_t limit) {
  std::string all;
  for (int i = 0; i < count && all.size() < limit; ++i)
    all.append(static_cast<const char*>(pieces[i].iov_base), std::min(pieces[i].iov_len, limit - all.size()));
  return all;
}

void unsupported(int descriptor, const char* call) {
  const std::lock_guard guard{state().mutex};
  if (const auto* f = find(descriptor)) record({.kind = event_kind::unsupported, .file = f->id}, f->path, call);
}

ssize_t position_of(int descriptor) {
  return ::syscall(SYS_lseek, descriptor, 0, SEEK_CUR);
}

int flush(int descriptor, long number) {
  const std::lock_guard guard{state().mutex};
  const int outcome = static_cast<int>(::syscall(number, descriptor));
  const auto* f = find(descriptor);
  if (outcome == 0 && f != nullptr)
    record({.kind = f->directory ? event_kind::flush_directory : event_kind::flush, .file = f->id}, f->path, {});
  return outcome;
}

int record_path(event_kind kind, const char* path, int outcome) {
  std::string relative;
  if (outcome == 0 && below_root(path, relative)) record({.kind = kind}, relative, {});
  return outcome;
}

} // namespace

extern "C" {

#define CAIRN_OPEN(name)                                                                                               \
  int name(const char* path, int flags, ...) {                                                                         \
    va_list rest;                                                                                                      \
    va_start(rest, flags);                                                                                             \
    const auto mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(rest, mode_t) : mode_t{0};                         \
    va_end(rest);                                                                                                      \
    return open_and_record(path, flags, mode);                                                                         \
  }
CAIRN_OPEN(open)
CAIRN_OPEN(open64)

int close(int descriptor) {
  const std::lock_guard guard{state().mutex};
  state().files.erase(descriptor);
  return static_cast<int>(::syscall(SYS_close, descriptor));
}

ssize_t pwrite64(int descriptor, const void* data, size_t length, off64_t offset) {
  const std::lock_guard guard{state().mutex};
  const auto n = ::syscall(SYS_pwrite64, descriptor, data, length, offset);
  if (const auto* f = find(descriptor); f != nullptr && n > 0)
    record_write(*f, static_cast<std::uint64_t>(offset), {static_cast<const char*>(data), static_cast<std::size_t>(n)});
  return n;
}
ssize_t pwrite(int descriptor, const void* data, size_t length, off_t offset) {
  return pwrite64(descriptor, data, length, offset);
}

ssize_t pwritev64(int descriptor, const iovec* pieces, int count, off64_t offset) {
  static auto* const call = real<ssize_t(int, const iovec*, int, off64_t)>("pwritev64");
  const std::lock_guard guard{state().mutex};
  const auto n = call(descriptor, pieces, count, offset);
  if (const auto* f = find(descriptor); f != nullptr && n > 0)
    record_write(*f, static_cast<std::uint64_t>(offset), joined(pieces, count, static_cast<std::size_t>(n)));
  return n;
}
ssize_t pwritev(int descriptor, const iovec* pieces, int count, off_t offset) {
  return pwritev64(descriptor, pieces, count, offset);
}

ssize_t write(int descriptor, const void* data, size_t length) {
  const std::lock_guard guard{state().mutex};
  const auto* f = find(descriptor);
  const auto at = f != nullptr ? position_of(descriptor) : 0;
  const auto n = ::syscall(SYS_write, descriptor, data, length);
  if (f != nullptr && n > 0)
    record_write(*f, static_cast<std::uint64_t>(at), {static_cast<const char*>(data), static_cast<std::size_t>(n)});
  return n;
}

ssize_t writev(int descriptor, const iovec* pieces, int count) {
  const std::lock_guard guard{state().mutex};
  const auto* f = find(descriptor);
  const auto at = f != nullptr ? position_of(descriptor) : 0;
  const auto n = ::syscall(SYS_writev, descriptor, pieces, count);
  if (f != nullptr && n > 0)
    record_write(*f, static_cast<std::uint64_t>(at), joined(pieces, count, static_cast<std::size_t>(n)));
  return n;
}

int fsync(int descriptor) {
  return flush(descriptor, SYS_fsync);
}
int fdatasync(int descriptor) {
  return flush(descriptor, SYS_fdatasync);
}

int ftruncate64(int descriptor, off64_t size) {
  const std::lock_guard guard{state().mutex};
  const int outcome = static_cast<int>(::syscall(SYS_ftruncate, descriptor, size));
  if (const auto* f = find(descriptor); f != nullptr && outcome == 0)
    record({.kind = event_kind::resize, .file = f->id, .at = static_cast<std::uint64_t>(size)}, {}, {});
  return outcome;
}
int ftruncate(int descriptor, off_t size) {
  return ftruncate64(descriptor, size);
}

int fallocate64(int descriptor, int mode, off64_t offset, off64_t length) {
  const std::lock_guard guard{state().mutex};
  struct stat before {};
  const auto* f = find(descriptor);
  if (f != nullptr) ::fstat(descriptor, &before);
  const int outcome = static_cast<int>(::syscall(SYS_fallocate, descriptor, mode, offset, length));
  if (f == nullptr || outcome != 0) return outcome;
  if (mode == (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE))
    record({.kind = event_kind::punch,
            .file = f->id,
            .at = static_cast<std::uint64_t>(offset),
            .length = static_cast<std::uint64_t>(length)},
           {}, {});
  else if (mode != 0)
    record({.kind = event_kind::unsupported, .file = f->id}, f->path, "fallocate");
  else if (offset + length > before.st_size)
    record({.kind = event_kind::resize, .file = f->id, .at = static_cast<std::uint64_t>(offset + length)}, {}, {});
  return outcome;
}
int fallocate(int descriptor, int mode, off_t offset, off_t length) {
  return fallocate64(descriptor, mode, offset, length);
}

int mkdir(const char* path, mode_t mode) {
  const std::lock_guard guard{state().mutex};
  return record_path(event_kind::make_directory, path, static_cast<int>(::syscall(SYS_mkdirat, AT_FDCWD, path, mode)));
}

int unlink(const char* path) {
  const std::lock_guard guard{state().mutex};
  return record_path(event_kind::remove, path, static_cast<int>(::syscall(SYS_unlinkat, AT_FDCWD, path, 0)));
}

int rename(const char* from, const char* to) {
  const std::lock_guard guard{state().mutex};
  const int outcome = static_cast<int>(::syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0));
  std::string relative_from, relative_to;
  if (outcome == 0 && below_root(from, relative_from) && below_root(to, relative_to))
    record({.kind = event_kind::rename}, relative_from + '\0' + relative_to, {});
  return outcome;
}

// Writing through a map or by other calls is not modelled.
void* mmap64(void* where, size_t length, int protection, int flags, int descriptor, off64_t offset) {
  if ((protection & PROT_WRITE) != 0 && (flags & MAP_SHARED) != 0) unsupported(descriptor, "mmap");
  return reinterpret_cast<void*>(::syscall(SYS_mmap, where, length, protection, flags, descriptor, offset));
}
void* mmap(void* where, size_t length, int protection, int flags, int descriptor, off_t offset) {
  return mmap64(where, length, protection, flags, descriptor, offset);
}

ssize_t pwritev64v2(int descriptor, const iovec* pieces, int count, off64_t offset, int flags) {
  static auto* const call = real<ssize_t(int, const iovec*, int, off64_t, int)>("pwritev64v2");
  unsupported(descriptor, "pwritev2");
  return call(descriptor, pieces, count, offset, flags);
}
ssize_t pwritev2(int descriptor, const iovec* pieces, int count, off_t offset, int flags) {
  return pwritev64v2(descriptor, pieces, count, offset, flags);
}

int sync_file_range(int descriptor, off64_t offset, off64_t length, unsigned flags) {
  unsupported(descriptor, "sync_file_range");
  return static_cast<int>(::syscall(SYS_sync_file_range, descriptor, offset, length, flags));
}

ssize_t copy_file_range(int in, off64_t* in_at, int out, off64_t* out_at, size_t length, unsigned flags) {
  unsupported(out, "copy_file_range");
  return ::syscall(SYS_copy_file_range, in, in_at, out, out_at, length, flags);
}

int posix_fallocate(int descriptor, off_t offset, off_t length) {
  static auto* const call = real<int(int, off_t, off_t)>("posix_fallocate");
  unsupported(descriptor, "posix_fallocate");
  return call(descriptor, offset, length);
}

} // extern "C"

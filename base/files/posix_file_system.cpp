// The disk seam on POSIX and Linux calls (fallocate(2), preadv2(2), flock(2)). Stateless.
#include "base/file_system.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

namespace cairn {

namespace {

errc code_of(int number) {
  switch (number) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG: return errc::no_space; // a limit of the process
    case EMFILE:
    case ENFILE: return errc::busy; // nothing was opened, and nothing is known of the disk
    case ENOENT: return errc::not_found;
    case EOPNOTSUPP: return errc::unsupported;
    default: return errc::io_error;
  }
}

error failed(const char* what, const std::string& path, int number) {
  return {code_of(number), std::string{what} + " of " + path + ": " + std::strerror(number)};
}

template <class Call>
auto retry_interrupted(Call call) {
  decltype(call()) outcome;
  do outcome = call();
  while (outcome == -1 && errno == EINTR);
  return outcome;
}

// Views as iovecs, at most 64 at a time; `advance` drops the bytes that a call transferred. Empty views are skipped.
template <class View>
class gather {
public:
  explicit gather(std::span<const View> views) : views_(views) { fill(); }
  bool done() const { return count_ == 0; }
  const iovec* data() const { return pieces_.data() + first_; }
  int count() const { return static_cast<int>(count_); }
  void advance(std::size_t bytes) {
    while (bytes > 0) {
      auto& piece = pieces_[first_];
      const auto step = std::min(bytes, piece.iov_len);
      piece.iov_base = static_cast<char*>(piece.iov_base) + step;
      piece.iov_len -= step;
      bytes -= step;
      if (piece.iov_len == 0) {
        ++first_;
        --count_;
      }
    }
    if (count_ == 0) fill();
  }

private:
  void fill() {
    first_ = 0;
    while (count_ < pieces_.size() && next_ < views_.size()) {
      const auto& view = views_[next_++];
      if (!view.empty()) pieces_[count_++] = {const_cast<std::byte*>(view.data()), view.size()};
    }
  }

  std::span<const View> views_;
  std::size_t next_ = 0, first_ = 0, count_ = 0;
  std::array<iovec, 64> pieces_;
};

// Writes of at least so many bytes, all of them page-aligned in memory and file, bypass the page cache (O_DIRECT): no
// copy, no page allocation, and uploads do not evict hot chunks. Smaller writes are cheaper through the page cache and
// the flush that follows.
constexpr std::size_t direct_write_min = 256 * 1024;
constexpr std::size_t direct_alignment = 4096;

bool is_direct(std::uint64_t offset, std::span<const bytes_view> data) {
  std::size_t total = 0;
  auto misaligned = offset;
  for (const auto& view : data) {
    if (view.empty()) continue;
    misaligned |= reinterpret_cast<std::uintptr_t>(view.data()) | view.size();
    total += view.size();
  }
  return total >= direct_write_min && misaligned % direct_alignment == 0;
}

class posix_file final : public file {
public:
  // `appends`: open_mode::append. Large writes to other files may bypass the page cache, through a second descriptor.
  posix_file(int descriptor, std::string path, bool appends = false)
      : descriptor_(descriptor), appends_(appends), direct_tried_(appends), path_(std::move(path)) {}
  ~posix_file() override { // errors of close(2) are ignored: whoever needs durability has called flush()
    ::close(descriptor_);
    if (direct_ >= 0) ::close(direct_);
  }
  posix_file(const posix_file&) = delete;
  posix_file& operator=(const posix_file&) = delete;

  result<void> write(std::uint64_t offset, std::span<const bytes_view> data) override {
    int to = is_direct(offset, data) ? direct_descriptor() : descriptor_;
    for (gather left{data}; !left.done();) {
      const auto n =
          retry_interrupted([&] { return ::pwritev(to, left.data(), left.count(), static_cast<off_t>(offset)); });
      if (to != descriptor_ && (n < 0 ? errno == EINVAL : n % direct_alignment != 0)) {
        to = descriptor_; // the device has larger blocks, or the rest is no longer aligned
        if (n < 0) continue;
      }
      if (n < 0) return failed("write", path_, errno);
      if (n == 0) return error{errc::io_error, "write of " + path_ + ": nothing was written"};
      offset += static_cast<std::uint64_t>(n);
      left.advance(static_cast<std::size_t>(n));
    }
    return {};
  }

  result<std::size_t> read(std::uint64_t offset, std::span<const bytes_span> into) override {
    return read_with(offset, into, 0);
  }
  result<std::size_t> read_cached(std::uint64_t offset, std::span<const bytes_span> into) override {
    return read_with(offset, into, RWF_NOWAIT);
  }

  result<void> flush() override {
    if (retry_interrupted([&] { return ::fdatasync(descriptor_); }) != 0) return failed("flush", path_, errno);
    if (appends_) return {};
    struct stat status {};
    if (::fstat(descriptor_, &status) != 0) return failed("status", path_, errno);
    if (status.st_nlink == 0) return error{errc::io_error, "flush of " + path_ + ": the file was deleted"};
    return {};
  }

  result<void> preallocate(std::uint64_t size) override {
    if (retry_interrupted([&] { return ::fallocate(descriptor_, 0, 0, static_cast<off_t>(size)); }) != 0)
      return failed("preallocation", path_, errno);
    return {};
  }

  result<void> punch(std::uint64_t offset, std::uint64_t length) override {
    if (retry_interrupted([&] {
          return ::fallocate(descriptor_, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(offset),
                             static_cast<off_t>(length));
        }) != 0)
      return failed("hole punching", path_, errno);
    return {};
  }

  result<void> truncate(std::uint64_t size) override {
    if (retry_interrupted([&] { return ::ftruncate(descriptor_, static_cast<off_t>(size)); }) != 0)
      return failed("truncation", path_, errno);
    return {};
  }

  result<std::uint64_t> size() const override {
    struct stat status {};
    if (::fstat(descriptor_, &status) != 0) return failed("status", path_, errno);
    return static_cast<std::uint64_t>(status.st_size);
  }

private:
  // A second descriptor with O_DIRECT, opened at the first write that can use it; the plain one if that fails.
  int direct_descriptor() {
    if (!direct_tried_) {
      direct_tried_ = true;
      direct_ = retry_interrupted([&] { return ::open(path_.c_str(), O_RDWR | O_DIRECT | O_CLOEXEC); });
    }
    return direct_ >= 0 ? direct_ : descriptor_;
  }

  // Switches O_DIRECT off, for a device whose blocks are larger than the alignment of reads. False: it was off already.
  bool leave_direct_mode() {
    const int flags = ::fcntl(descriptor_, F_GETFL);
    return flags >= 0 && (flags & O_DIRECT) != 0 && ::fcntl(descriptor_, F_SETFL, flags & ~O_DIRECT) == 0;
  }

  result<std::size_t> read_with(std::uint64_t offset, std::span<const bytes_span> into, int flags) {
    std::size_t done = 0;
    for (gather left{into}; !left.done();) {
      const auto n = retry_interrupted(
          [&] { return ::preadv2(descriptor_, left.data(), left.count(), static_cast<off_t>(offset + done), flags); });
      if (n == 0) break;
      if (n < 0) {
        if (errno == EINVAL && leave_direct_mode()) continue;
        // EOPNOTSUPP: the file system lacks RWF_NOWAIT; every read then goes to the executor.
        if (flags != 0 && (errno == EAGAIN || errno == EOPNOTSUPP)) return error{errc::would_block, {}};
        return failed("read", path_, errno);
      }
      done += static_cast<std::size_t>(n);
      left.advance(static_cast<std::size_t>(n));
    }
    return done;
  }

  int descriptor_, direct_ = -1;
  const bool appends_;
  bool direct_tried_;
  std::string path_;
};

class posix_disk final : public file_system {
public:
  result<std::unique_ptr<file>> open(const std::string& path, open_mode mode) override {
    const bool reads = mode == open_mode::read_only || mode == open_mode::read_direct;
    int flags = O_CLOEXEC | (reads ? O_RDONLY : O_RDWR);
    if (mode == open_mode::create) flags |= O_CREAT | O_EXCL;
    if (mode == open_mode::append) flags |= O_CREAT | O_APPEND;
    if (mode == open_mode::read_direct) flags |= O_DIRECT;
    // O_NONBLOCK: a FIFO without a writer would block the open for ever.
    const auto attempt = [&] { return ::open(path.c_str(), flags | O_NONBLOCK, 0600); };
    int descriptor = retry_interrupted(attempt);
    if (descriptor < 0 && errno == EINVAL && (flags & O_DIRECT) != 0) { // no O_DIRECT on this file system
      flags &= ~O_DIRECT;
      descriptor = retry_interrupted(attempt);
    }
    if (descriptor < 0) return failed("open", path, errno);
    auto opened = std::make_unique<posix_file>(descriptor, path, mode == open_mode::append);
    struct stat status {};
    if (::fstat(descriptor, &status) != 0) return failed("status", path, errno);
    if (!S_ISREG(status.st_mode)) return error{errc::io_error, "open of " + path + ": it is not a regular file"};
    if (::fcntl(descriptor, F_SETFL, ::fcntl(descriptor, F_GETFL) & ~O_NONBLOCK) != 0)
      return failed("open", path, errno);
    return std::unique_ptr<file>{std::move(opened)};
  }

  result<std::vector<std::string>> list(const std::string& directory) override {
    DIR* stream = ::opendir(directory.c_str());
    if (stream == nullptr) return failed("listing", directory, errno);
    std::vector<std::string> names;
    errno = 0;
    while (const auto* entry = ::readdir(stream)) {
      const std::string name = entry->d_name;
      if (name != "." && name != "..") names.push_back(name);
      errno = 0;
    }
    const int number = errno;
    ::closedir(stream);
    if (number != 0) return failed("listing", directory, number);
    std::sort(names.begin(), names.end());
    return names;
  }

  result<void> make_directories(const std::string& path) override {
    const auto whole = std::filesystem::path{path}.lexically_normal();
    std::filesystem::path current;
    for (const auto& part : whole) {
      if (part.empty()) continue; // a trailing slash
      const auto parent = current;
      current /= part;
      if (::mkdir(current.c_str(), 0750) != 0) {
        if (errno == EEXIST || errno == EISDIR) continue;
        return failed("making", current.string(), errno);
      }
      if (auto flushed = flush_directory(current.string()); !flushed) return flushed;
      if (auto flushed = flush_directory(parent.string()); !flushed) return flushed;
    }
    std::error_code ignored; // an error reads as "not a directory"
    if (!std::filesystem::is_directory(whole, ignored)) return error{errc::io_error, path + " is not a directory"};
    return {};
  }

  result<void> remove(const std::string& path) override {
    if (::unlink(path.c_str()) != 0) return failed("removal", path, errno);
    return {};
  }

  result<void> rename(const std::string& from, const std::string& to) override {
    if (::rename(from.c_str(), to.c_str()) != 0) return failed("renaming", from, errno);
    return {};
  }

  result<void> flush_directory(const std::string& path) override {
    const char* const name = path.empty() ? "." : path.c_str(); // empty: the parent of a bare file name
    const int descriptor = retry_interrupted([&] { return ::open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC); });
    if (descriptor < 0) return failed("open", path, errno);
    const int outcome = retry_interrupted([&] { return ::fsync(descriptor); });
    const int number = errno;
    ::close(descriptor);
    if (outcome != 0) return failed("flush", path, number);
    return {};
  }

  result<space> space_of(const std::string& path) override {
    struct statvfs status {};
    if (retry_interrupted([&] { return ::statvfs(path.c_str(), &status); }) != 0) return failed("space", path, errno);
    return space{std::uint64_t{status.f_blocks} * status.f_frsize, std::uint64_t{status.f_bavail} * status.f_frsize};
  }

  // flock(2) belongs to the open file description, not to the process: a second lock is refused within the same process
  // too, and the kernel releases it however the owner ends.
  result<std::shared_ptr<void>> lock(const std::string& directory) override {
    const std::string path = directory + "/lock";
    const int descriptor = retry_interrupted([&] { return ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600); });
    if (descriptor < 0) return failed("open", path, errno);
    auto held = std::make_shared<posix_file>(descriptor, path);
    if (retry_interrupted([&] { return ::flock(descriptor, LOCK_EX | LOCK_NB); }) != 0) {
      if (errno != EWOULDBLOCK) return failed("locking", path, errno);
      return error{errc::locked, directory + " is in use by another process" + owner_of(*held)};
    }
    if (auto cleared = held->truncate(0); !cleared) return cleared.error();
    const std::string text = std::to_string(::getpid()) + "\n";
    const bytes_view view{reinterpret_cast<const std::byte*>(text.data()), text.size()};
    if (auto written = held->write(0, std::span{&view, 1}); !written && written.error().code != errc::no_space)
      return written.error(); // a full disk is no reason to refuse: the process id only helps people
    return std::shared_ptr<void>{std::move(held)};
  }

private:
  static std::string owner_of(posix_file& lock_file) {
    std::array<std::byte, 16> bytes{};
    const bytes_span into{bytes};
    const auto n = lock_file.read(0, std::span{&into, 1});
    std::string digits;
    for (std::size_t i = 0; n && i < *n && bytes[i] >= std::byte{'0'} && bytes[i] <= std::byte{'9'}; ++i)
      digits.push_back(static_cast<char>(bytes[i]));
    return digits.empty() ? "" : " (process " + digits + ")";
  }
};

} // namespace

file_system& posix_file_system() {
  static posix_disk instance;
  return instance;
}

} // namespace cairn

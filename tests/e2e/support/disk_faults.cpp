// Preloaded into a node: while the control file exists, what it says happens to writes and flushes of files below a
// directory. CAIRN_FAULTS_BELOW, CAIRN_FAULTS_CONTROL; the file holds "EIO", or "delay MILLISECONDS" of each flush,
// or "hang": flushes wait until the control file is removed. "delay MILLISECONDS NAME": only of files with NAME in
// their path. "meta": EIO of the writes that would end a commit of the metadata's state, after which LMDB refuses reads
// too.
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

namespace {

constexpr off64_t meta_pages_end = 2 * 4096;

struct fault {
  bool fails = false, hangs = false, fails_meta = false;
  long delay_ms = 0;
};

fault fault_of(int descriptor) {
  static const char* const below = std::getenv("CAIRN_FAULTS_BELOW");
  static const char* const control = std::getenv("CAIRN_FAULTS_CONTROL");
  fault out;
  if (below == nullptr || control == nullptr) return out;
  const int before = errno;
  const int file = static_cast<int>(::syscall(SYS_openat, AT_FDCWD, control, O_RDONLY | O_CLOEXEC));
  if (file >= 0) {
    char text[64] = {}, name[4096] = {}, link[64] = "/proc/self/fd/";
    (void)!::syscall(SYS_read, file, text, sizeof text - 1);
    ::syscall(SYS_close, file);
    char digits[16];
    int n = 0;
    for (int rest = descriptor; n == 0 || rest > 0; rest /= 10) digits[n++] = static_cast<char>('0' + rest % 10);
    char* at = link + std::strlen(link);
    while (n > 0) *at++ = digits[--n];
    if (::readlink(link, name, sizeof name - 1) > 0 && std::strncmp(name, below, std::strlen(below)) == 0) {
      out.fails = std::strncmp(text, "EIO", 3) == 0;
      out.hangs = std::strncmp(text, "hang", 4) == 0;
      out.fails_meta = std::strncmp(text, "meta", 4) == 0 && std::strstr(name, "/metadata/data.mdb") != nullptr;
      if (std::strncmp(text, "delay ", 6) == 0) {
        char* rest = nullptr;
        const long delay = std::strtol(text + 6, &rest, 10);
        if (*rest == '\0' || std::strstr(name, rest + 1) != nullptr) out.delay_ms = delay;
      }
    }
  }
  errno = before;
  return out;
}

bool fails(int descriptor, off64_t offset = meta_pages_end) {
  const auto f = fault_of(descriptor);
  if (!f.fails && !(f.fails_meta && offset < meta_pages_end)) return false;
  errno = EIO;
  return true;
}

int flush(int descriptor, long number) {
  auto f = fault_of(descriptor);
  for (; f.hangs; f = fault_of(descriptor)) {
    const timespec wait{0, 50'000'000};
    ::nanosleep(&wait, nullptr);
  }
  if (f.delay_ms > 0) {
    timespec wait{f.delay_ms / 1000, f.delay_ms % 1000 * 1'000'000};
    ::nanosleep(&wait, nullptr);
  }
  if (f.fails) {
    errno = EIO;
    return -1;
  }
  return static_cast<int>(::syscall(number, descriptor));
}

} // namespace

extern "C" {

ssize_t pwrite64(int descriptor, const void* data, size_t length, off64_t offset) {
  return fails(descriptor, offset) ? -1 : ::syscall(SYS_pwrite64, descriptor, data, length, offset);
}
ssize_t pwrite(int descriptor, const void* data, size_t length, off_t offset) {
  return pwrite64(descriptor, data, length, offset);
}
ssize_t writev(int descriptor, const iovec* pieces, int count) {
  return fails(descriptor) ? -1 : ::syscall(SYS_writev, descriptor, pieces, count);
}
ssize_t pwritev64(int descriptor, const iovec* pieces, int count, off64_t offset) {
  static auto* const call =
      reinterpret_cast<ssize_t (*)(int, const iovec*, int, off64_t)>(::dlsym(RTLD_NEXT, "pwritev64"));
  return fails(descriptor) ? -1 : call(descriptor, pieces, count, offset);
}
ssize_t pwritev(int descriptor, const iovec* pieces, int count, off_t offset) {
  return pwritev64(descriptor, pieces, count, offset);
}
int fsync(int descriptor) {
  return flush(descriptor, SYS_fsync);
}
int fdatasync(int descriptor) {
  return flush(descriptor, SYS_fdatasync);
}

} // extern "C"

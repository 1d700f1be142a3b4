#include "cli/client/secret_file.hpp"

#include "cli/client/command_support.hpp"

#include <cstdio>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace cairn::cli {

namespace {

bool write_all(int file, std::string_view content) {
  while (!content.empty()) {
    const auto n = ::write(file, content.data(), content.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    content.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

} // namespace

result<void> write_private_file(const std::string& path, std::string_view content, file_secrecy secrecy) {
  const auto fresh = path + ".new";
  const ::mode_t mode = secrecy == file_secrecy::owner_only ? 0600 : 0644;
  ::unlink(fresh.c_str()); // left by a crash; O_EXCL tells when it is still there
  const int file = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  if (file < 0) return system_failure(fresh);
  const bool written = write_all(file, content) && ::fchmod(file, mode) == 0 && ::fsync(file) == 0;
  auto failed = written ? error{} : system_failure(fresh);
  ::close(file);
  if (written && ::rename(fresh.c_str(), path.c_str()) == 0) return {};
  if (written) failed = system_failure(path);
  ::unlink(fresh.c_str());
  return failed;
}

} // namespace cairn::cli

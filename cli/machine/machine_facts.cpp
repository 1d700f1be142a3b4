#include "cli/machine/machine_facts.hpp"

#include "actors/runtime/sealing_keys.hpp"
#include "base/files/small_file.hpp"
#include "base/memory/machine_memory.hpp"
#include "base/sockets/certificates.hpp"
#include "base/sockets/listener.hpp"
#include "base/third_party/asio.hpp"
#include "cli/client/file_transfer.hpp"
#include "net/wire/tls.hpp"

#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/timex.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>

namespace cairn::cli {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t page_bytes = 4096, probe_pages = 1024, flush_count = 15;

std::string reason(int code) {
  return std::strerror(code);
}

fs::path existing_folder(const fs::path& path) {
  std::error_code ignored;
  auto at = fs::absolute(path, ignored);
  while (!fs::is_directory(at, ignored) && at.has_relative_path()) at = at.parent_path();
  return fs::canonical(at, ignored);
}

// The mount with the longest mount point that holds the folder (proc(5), mountinfo).
void find_mount(disk_facts& disk) {
  std::ifstream mounts("/proc/self/mountinfo");
  std::size_t longest = 0;
  for (std::string line; std::getline(mounts, line);) {
    std::istringstream words(line);
    std::string skipped, point, options, type, source, more;
    words >> skipped >> skipped >> skipped >> skipped >> point >> options;
    while (words >> skipped && skipped != "-") {
    }
    words >> type >> source >> more;
    const bool holds = point == "/" || disk.folder == point || disk.folder.starts_with(point + "/");
    if (!holds || point.size() < longest) continue;
    longest = point.size();
    disk.file_system = type;
    disk.options = options + "," + more;
  }
}

// A file that has no name in the folder: it vanishes with its descriptor, also when the command is killed.
int open_unnamed(const std::string& folder, int flags) {
  return ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC | flags, 0600);
}

bool direct_works(const std::string& folder) {
  const descriptor file(open_unnamed(folder, O_DIRECT));
  if (file.get() < 0) return false;
  alignas(page_bytes) static std::array<char, page_bytes> block{};
  return ::pwrite(file.get(), block.data(), block.size(), 0) == ssize_t(page_bytes);
}

// Overwrites pages of a file that is written already, as a node does: each flush is then one of data only.
std::string time_flushes(disk_facts& disk) {
  const descriptor file(open_unnamed(disk.folder, 0));
  if (file.get() < 0) return "no file can be made: " + reason(errno);
  const std::vector<char> zeros(page_bytes * probe_pages);
  if (::pwrite(file.get(), zeros.data(), zeros.size(), 0) != ssize_t(zeros.size()))
    return "4 MiB cannot be written: " + reason(errno);
  if (::fdatasync(file.get()) != 0) return "a flush failed: " + reason(errno);
  for (std::size_t i = 0; i < flush_count; ++i) {
    const std::string block(page_bytes, char('a' + i));
    if (::pwrite(file.get(), block.data(), page_bytes, off_t(i * page_bytes)) != ssize_t(page_bytes))
      return "a page cannot be written: " + reason(errno);
    const auto before = std::chrono::steady_clock::now();
    if (::fdatasync(file.get()) != 0) return "a flush failed: " + reason(errno);
    disk.flushes.push_back(
        std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - before));
  }
  std::ranges::sort(disk.flushes);
  return {};
}

bool readable_by_others(const std::string& file) {
  struct stat mode {};
  return ::stat(file.c_str(), &mode) == 0 && (mode.st_mode & S_IROTH) != 0;
}

certificate_facts read_pair(const std::string& setting, const std::string& certificate, const std::string& key) {
  certificate_facts out{.key = setting, .path = certificate, .failure = {}};
  const auto loaded = net::tls_context::load(certificate, key);
  if (!loaded) {
    out.failure = loaded.error().text;
    return out;
  }
  out.ends = (*loaded)->ends();
  out.key_readable_by_others = readable_by_others(key);
  return out;
}

std::string connect_failure(const addrinfo& to, std::chrono::milliseconds timeout) {
  const descriptor socket(::socket(to.ai_family, to.ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, to.ai_protocol));
  if (socket.get() < 0) return reason(errno);
  if (::connect(socket.get(), to.ai_addr, to.ai_addrlen) == 0) return {};
  if (errno != EINPROGRESS) return reason(errno);
  pollfd waiting{.fd = socket.get(), .events = POLLOUT, .revents = 0};
  if (::poll(&waiting, 1, int(timeout.count())) == 0) return "no answer in time";
  int code = 0;
  socklen_t length = sizeof code;
  ::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &code, &length);
  return code == 0 ? std::string{} : reason(code);
}

peer_facts reach(const std::string& address, std::chrono::milliseconds timeout) {
  peer_facts out{.address = address, .failure = {}};
  const auto parsed = config::parse_host_port(address);
  if (!parsed) return {address, parsed.error().text};
  addrinfo hints{}, *found = nullptr;
  hints.ai_socktype = SOCK_STREAM;
  const int code = ::getaddrinfo(parsed->host.c_str(), std::to_string(parsed->port).c_str(), &hints, &found);
  if (code != 0) return {address, std::string{"the name is not resolved: "} + ::gai_strerror(code)};
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> all(found, &::freeaddrinfo);
  for (const auto* a = all.get(); a; a = a->ai_next) {
    out.failure = connect_failure(*a, timeout);
    if (out.failure.empty()) break;
  }
  return out;
}

} // namespace

clock_facts measure_clock(const config::settings& settings) {
  clock_facts out{.now = system_clock().wall()};
  timex kernel{};
  const int state = ::adjtimex(&kernel);
  out.synchronised = state >= 0 && state != TIME_ERROR;
  struct stat metadata {};
  if (::stat((settings.metadata_dir() + "/data.mdb").c_str(), &metadata) == 0)
    out.used = wall_ms(metadata.st_mtim.tv_sec) * 1000;
  return out;
}

disk_facts measure_disk(const std::string& path) {
  disk_facts out{.path = path, .folder = existing_folder(path)};
  struct stat folder {};
  if (::stat(out.folder.c_str(), &folder) != 0) {
    out.failure = reason(errno);
    return out;
  }
  out.device = folder.st_dev;
  find_mount(out);
  if (::access(out.folder.c_str(), W_OK | X_OK) != 0) {
    out.failure = out.folder + " may not be written by this user: " + reason(errno);
    return out;
  }
  if (const auto space = posix_file_system().space_of(out.folder)) out.space = *space;
  out.failure = time_flushes(out);
  if (out.failure.empty()) out.direct = direct_works(out.folder);
  return out;
}

memory_facts measure_memory() {
  return {usable_memory_bytes()};
}

std::uint64_t descriptor_limit() {
  rlimit limit{};
  return ::getrlimit(RLIMIT_NOFILE, &limit) == 0 ? std::uint64_t{limit.rlim_max} : 0;
}

std::vector<port_facts> try_ports(const config::settings& settings) {
  std::vector<port_facts> out{{"http.listen", settings.http.listen, {}}, {"admin.listen", settings.admin.listen, {}}};
  if (!settings.cluster.listen.host.empty()) out.push_back({"cluster.listen", settings.cluster.listen, {}});
  for (auto& port : out) {
    boost::asio::io_context context;
    sockets::acceptor listening(boost::asio::make_strand(context));
    if (const auto bound = sockets::listen_on(listening, port.where); !bound) port.failure = bound.error().text;
  }
  return out;
}

std::vector<certificate_facts> read_certificates(const config::settings& settings) {
  std::vector<certificate_facts> out;
  if (const auto& tls = settings.http.tls; !tls.cert.empty()) out.push_back(read_pair("http.tls", tls.cert, tls.key));
  if (const auto& tls = settings.admin.tls; !tls.cert.empty()) out.push_back(read_pair("admin.tls", tls.cert, tls.key));
  const auto& tls = settings.cluster.tls;
  if (tls.cert.empty()) return out;
  auto& node = out.emplace_back(read_pair("cluster.tls", tls.cert, tls.key));
  if (!node.failure.empty()) return out;
  auto& files = posix_file_system();
  const auto ca = read_small_file(files, tls.ca), certificate = read_small_file(files, tls.cert);
  if (!ca)
    node.failure = ca.error().text;
  else if (!certificate)
    node.failure = certificate.error().text;
  else if (const auto named = certificates::check_node_certificate(*ca, *certificate); !named)
    node.failure = named.error().text;
  return out;
}

sealing_facts read_sealing_keys(const config::settings& settings) {
  sealing_facts out{.path = settings.auth.sealing_key_file};
  const auto keys = actors::load_sealing_keys(posix_file_system(), settings.auth);
  if (!keys)
    out.failure = keys.error().text;
  else if (*keys)
    out.key = (*keys)->id();
  out.readable_by_others = !out.path.empty() && readable_by_others(out.path);
  return out;
}

std::vector<peer_facts> reach_peers(const config::settings& settings, std::chrono::milliseconds timeout) {
  std::vector<peer_facts> out;
  for (const auto& address : settings.cluster.join) out.push_back(reach(address, timeout));
  return out;
}

} // namespace cairn::cli

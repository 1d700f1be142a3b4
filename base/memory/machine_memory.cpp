#include "base/memory/machine_memory.hpp"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iterator>

namespace cairn {

namespace {

std::optional<std::string> contents_of(const std::string& path) {
  std::ifstream file{path};
  if (!file) return std::nullopt;
  return std::string{std::istreambuf_iterator<char>{file}, {}};
}

// "max" and a file that is missing are no limit.
std::optional<std::uint64_t> limit_in(const std::optional<std::string>& text) {
  std::uint64_t bytes = 0;
  if (!text || std::from_chars(text->data(), text->data() + text->size(), bytes).ec != std::errc{}) return std::nullopt;
  return bytes;
}

} // namespace

std::optional<std::uint64_t> control_group_limit(std::string_view membership, const text_reader& read) {
  std::optional<std::uint64_t> smallest;
  while (!membership.empty()) {
    const auto line = membership.substr(0, membership.find('\n'));
    membership.remove_prefix(std::min(line.size() + 1, membership.size()));
    // "0::/path" of version 2, "9:memory:/path" of version 1.
    const auto first = line.find(':'), second = line.find(':', first + 1);
    if (second == std::string_view::npos) continue;
    const auto controllers = line.substr(first + 1, second - first - 1);
    if (!controllers.empty() && controllers != "memory") continue;
    const std::string root = controllers.empty() ? "/sys/fs/cgroup" : "/sys/fs/cgroup/memory";
    const char* const file = controllers.empty() ? "/memory.max" : "/memory.limit_in_bytes";
    std::string group{line.substr(second + 1)};
    for (;;) {
      if (group == "/" || !group.starts_with('/')) group.clear();
      if (const auto limit = limit_in(read(root + group + file)))
        smallest = std::min(*limit, smallest.value_or(*limit));
      if (group.empty()) break;
      group.resize(group.find_last_of('/'));
    }
  }
  return smallest;
}

std::uint64_t usable_memory_bytes() {
  const auto machine = std::uint64_t(::sysconf(_SC_PHYS_PAGES)) * std::uint64_t(::sysconf(_SC_PAGESIZE));
  const auto limit = control_group_limit(contents_of("/proc/self/cgroup").value_or(""), contents_of);
  return std::min(machine, limit.value_or(machine));
}

} // namespace cairn

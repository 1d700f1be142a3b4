#include "cli/machine/open_files.hpp"

#include "base/log.hpp"

#include <sys/resource.h>

#include <algorithm>

namespace cairn::cli {

namespace {

constexpr std::uint64_t process_descriptors = 96; // logs, event queues, timers, the metadata, files that are being read
constexpr std::uint64_t admin_descriptors = 72;   // its connections and some
constexpr std::uint64_t disk_descriptors = 272;   // open segments, the index, the segment that is being written
constexpr std::uint64_t link_descriptors = 256;   // peers, strangers, state transfers
constexpr std::uint64_t beyond_the_limit = 128;   // connections that are being refused (net/wire/http_server.cpp)
constexpr std::uint64_t connections_min = 16;

} // namespace

std::uint64_t descriptors_kept(const config::settings& settings) {
  return process_descriptors + admin_descriptors + beyond_the_limit + settings.disk_list().size() * disk_descriptors +
         (settings.cluster.listen.host.empty() ? 0 : link_descriptors);
}

std::uint32_t connections_that_fit(const config::settings& settings, std::uint64_t descriptors) {
  const auto kept = descriptors_kept(settings);
  const auto left = std::max(connections_min, descriptors > kept ? descriptors - kept : 0);
  return std::uint32_t(std::min<std::uint64_t>(settings.limits.connections, left));
}

std::uint64_t raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1024; // POSIX promises less; Linux starts with this
  const auto soft = limit.rlim_cur;
  limit.rlim_cur = limit.rlim_max;
  if (soft == limit.rlim_max) return soft;
  if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) return soft;
  log::info("descriptor limit raised", {{"from", std::uint64_t{soft}}, {"to", std::uint64_t{limit.rlim_max}}});
  return limit.rlim_max;
}

config::settings fitted(config::settings settings, std::uint64_t descriptors) {
  const auto fit = connections_that_fit(settings, descriptors);
  if (fit < settings.limits.connections)
    log::warn("limits.connections lowered to what the descriptors (ulimit -n) leave room for",
              {{"connections", std::uint64_t{fit}},
               {"configured", std::uint64_t{settings.limits.connections}},
               {"descriptors", descriptors},
               {"kept_for_the_node", descriptors_kept(settings)}});
  settings.limits.connections = fit;
  return settings;
}

} // namespace cairn::cli

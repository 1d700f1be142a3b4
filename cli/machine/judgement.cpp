#include "cli/machine/judgement.hpp"

#include "actors/runtime/storage_node.hpp"
#include "cli/client/progress.hpp"
#include "cli/machine/open_files.hpp"

#include <algorithm>
#include <array>

namespace cairn::cli {

namespace {

using std::chrono::microseconds;

// No block device does a write and a cache flush in less. Found on memory, under libeatmydata, and in virtual machines
// whose host answers flushes without doing them.
constexpr microseconds flush_min{8};
constexpr microseconds flush_slow{20'000}, flush_very_slow{100'000};
constexpr wall_ms clock_min = 1'735'689'600'000; // 2025-01-01: before this program existed
constexpr wall_ms day_ms = 24ll * 3600 * 1000, certificate_days = 30;
constexpr wall_ms clock_back_max = 5 * 60 * 1000;

constexpr std::array in_memory{"tmpfs", "ramfs"};
constexpr std::array over_network{"nfs", "nfs4", "cifs", "smb3", "9p", "ceph", "glusterfs", "fuse.sshfs", "fuse.s3fs"};

template <class Names>
bool is_one_of(const Names& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

// One of the mount's options, which are separated by commas.
bool has_option(std::string_view options, std::string_view name) {
  const auto padded = "," + std::string{options} + ",";
  return padded.find("," + std::string{name} + ",") != std::string::npos;
}

std::string milliseconds(microseconds us) {
  const auto tenths = (us.count() + 50) / 100;
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " ms";
}

finding judge_place(const disk_facts& disk, const std::string& subject) {
  if (is_one_of(in_memory, disk.file_system))
    return {verdict::problem, subject,
            "is in memory (" + disk.file_system + "): a restart of the machine loses all of it",
            "name a folder on a disk"};
  if (is_one_of(over_network, disk.file_system))
    return {verdict::problem, subject,
            "is on a network file system (" + disk.file_system + "), where locks and flushes are not a disk's",
            "name a folder on a disk of this machine"};
  if (disk.file_system == "overlay")
    return {verdict::warning, subject, "is in a container's own layer (overlay): it goes with the container",
            "mount a volume there"};
  return {
      verdict::good, subject, "is on " + (disk.file_system.empty() ? "an unknown file system" : disk.file_system), {}};
}

finding judge_flushes(const disk_facts& disk, const std::string& subject) {
  const auto median = disk.flushes[disk.flushes.size() / 2], worst = disk.flushes.back();
  const auto text = "a flush takes " + milliseconds(median) + ", at most " + milliseconds(worst);
  for (const auto* off : {"nobarrier", "barrier=0"})
    if (has_option(disk.options, off))
      return {verdict::problem, subject, std::string{"is mounted with "} + off + ": a power failure loses flushed data",
              "mount it without that option"};
  if (median < flush_min)
    return {verdict::problem, subject,
            "a flush takes " + std::to_string(median.count()) +
                " µs, less than any disk needs: it is probably not carried out, and a power failure loses acknowledged "
                "data",
            "look for libeatmydata, for a volatile disk, and for a host that ignores flushes (cache=unsafe)"};
  if (median > flush_very_slow)
    return {verdict::warning, subject, text + ": small writes and a cluster's elections will wait for it",
            "look for other work on the disk, and for errors in the kernel's log"};
  if (median > flush_slow) return {verdict::note, subject, text + ", as of a hard disk or a busy one", {}};
  return {verdict::good, subject, text, {}};
}

finding judge_space(const disk_facts& disk, const std::string& subject, std::uint64_t reserve) {
  const auto kept = effective_reserve(reserve, disk.space);
  const auto text = human_bytes(disk.space.available) + " of " + human_bytes(disk.space.total) + " are free";
  if (disk.space.available <= kept)
    return {verdict::problem, subject,
            text + ", not more than storage.reserve (" + human_bytes(kept) + "): nothing can be stored",
            "make room, or name another folder"};
  return {verdict::good, subject, text, {}};
}

} // namespace

finding judge_clock(const clock_facts& clock) {
  const std::string subject = "clock";
  if (clock.now < clock_min)
    return {verdict::problem, subject, "is years behind: signatures, certificates and lifecycle rules go by it",
            "set it, and run an NTP client (chrony, systemd-timesyncd)"};
  if (clock.used && *clock.used > clock.now + clock_back_max)
    return {verdict::problem, subject,
            "is " + std::to_string((*clock.used - clock.now) / 60'000) +
                " minutes behind the last write to the metadata: it was set back",
            "set it, and run an NTP client"};
  if (!clock.synchronised)
    return {verdict::warning, subject, "is not synchronised: signed requests are refused when it is 15 minutes off",
            "run an NTP client (chrony, systemd-timesyncd)"};
  return {verdict::good, subject, "is synchronised", {}};
}

std::vector<finding> judge_disk(const disk_facts& disk, std::string_view use, std::uint64_t reserve) {
  const auto subject = std::string{use} + " " + disk.path;
  std::vector<finding> out;
  if (disk.folder != disk.path && !disk.failure.empty())
    out.push_back({verdict::note, subject, "does not exist yet; looked at " + disk.folder, {}});
  if (!disk.file_system.empty()) out.push_back(judge_place(disk, subject));
  if (!disk.failure.empty()) {
    out.push_back({verdict::problem, subject, disk.failure, "give it to the user that runs the node"});
    return out;
  }
  out.push_back(judge_flushes(disk, subject));
  out.push_back(judge_space(disk, subject, reserve));
  if (!disk.direct)
    out.push_back(
        {verdict::note, subject, "has no O_DIRECT: large writes go through the page cache, which is slower", {}});
  return out;
}

std::vector<finding> judge_devices(std::span<const disk_facts> disks) {
  std::vector<finding> out;
  for (std::size_t i = 0; i < disks.size(); ++i)
    for (std::size_t j = i + 1; j < disks.size(); ++j)
      if (disks[i].device == disks[j].device)
        out.push_back({verdict::warning, "disks " + disks[i].path + " and " + disks[j].path,
                       "are on one file system: they fill up and fail together",
                       "give each entry of storage.disks a disk"});
  return out;
}

finding judge_memory(const memory_facts& memory, const config::settings& settings) {
  constexpr std::uint64_t rest = 64 << 20;
  const auto cache = actors::cache_bytes(settings.limits);
  const auto needed = settings.limits.memory.bytes + cache + rest;
  const auto text =
      "limits.memory, limits.cache and the rest need " + human_bytes(needed) + " of " + human_bytes(memory.usable);
  if (needed > memory.usable)
    return {verdict::problem, "memory", text + ": the system will end the node when it uses them",
            "lower limits.cache or limits.memory, or raise the control group's limit"};
  if (needed > memory.usable / 10 * 9)
    return {verdict::warning, "memory", text + ": little is left for the metadata's pages and other programs",
            "lower limits.cache"};
  return {verdict::good, "memory", text, {}};
}

finding judge_descriptors(std::uint64_t limit, const config::settings& settings) {
  const auto fit = connections_that_fit(settings, limit);
  const auto text = "the process may have " + std::to_string(limit);
  if (fit < settings.limits.connections)
    return {verdict::warning, "open files",
            text + ": room for " + std::to_string(fit) + " connections, not for limits.connections (" +
                std::to_string(settings.limits.connections) + ")",
            "raise it to " + std::to_string(descriptors_kept(settings) + settings.limits.connections) +
                " (LimitNOFILE= of the service, or ulimit -n)"};
  return {verdict::good, "open files", text, {}};
}

finding judge_port(const port_facts& port, const running_node& node) {
  const auto subject = port.key + " " + config::format(port.where);
  if (port.failure.empty()) return {verdict::good, subject, "is free", {}};
  if (node.runs) return {verdict::good, subject, "is in use; a node runs", {}};
  return {verdict::problem, subject, port.failure, "end what uses it (ss -ltnp), or choose another"};
}

finding judge_certificate(const certificate_facts& certificate, wall_ms now) {
  const auto subject = certificate.key + " " + certificate.path;
  if (!certificate.failure.empty()) return {verdict::problem, subject, certificate.failure, {}};
  const auto days = (certificate.ends - now) / day_ms;
  if (certificate.ends <= now)
    return {verdict::problem, subject, "ended " + std::to_string(-days) + " days ago",
            "replace it, then reload (SIGHUP)"};
  if (certificate.key_readable_by_others)
    return {verdict::warning, subject, "has a key that every user of this machine can read", "chmod 600 the key"};
  if (days < certificate_days)
    return {verdict::warning, subject, "ends in " + std::to_string(days) + " days", "replace it, then reload (SIGHUP)"};
  return {verdict::good, subject, "is valid for " + std::to_string(days) + " days", {}};
}

finding judge_sealing(const sealing_facts& sealing) {
  const std::string subject = "secrets of access keys";
  if (!sealing.failure.empty()) return {verdict::problem, subject, "can't be opened: " + sealing.failure, {}};
  if (sealing.key.empty())
    return {verdict::note, subject, "are stored in clear in the metadata and their backups",
            "set auth.sealing_key_file, then `cairn key seal`"};
  if (sealing.readable_by_others)
    return {verdict::warning, subject, "have a sealing key that every user of this machine can read",
            "chmod 600 " + sealing.path};
  return {verdict::good, subject, "are sealed with the key " + sealing.key, {}};
}

finding judge_peer(const peer_facts& peer) {
  const auto subject = "peer " + peer.address;
  if (peer.failure.empty()) return {verdict::good, subject, "is reached", {}};
  return {verdict::warning, subject, "is not reached: " + peer.failure,
          "start it, or open the port in the firewall; a first start needs one of cluster.join"};
}

std::vector<finding> judge_node(const running_node& node, const config::settings& settings) {
  const auto subject = "node at " + config::format(settings.admin.listen);
  if (!node.runs) return {{verdict::note, subject, "does not run", {}}};
  std::vector<finding> out;
  if (node.not_ready.empty())
    out.push_back({verdict::good, subject, "runs and is ready", {}});
  else
    out.push_back({verdict::problem, subject, "runs and is not ready: " + node.not_ready, {}});
  for (const auto& down : node.down_nodes)
    out.push_back({verdict::warning, "cluster", "node " + down + " is down",
                   "start it, or `cairn cluster drain` it if it is lost"});
  return out;
}

} // namespace cairn::cli

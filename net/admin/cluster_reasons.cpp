#include "net/admin/cluster_reasons.hpp"

#include <algorithm>
#include <array>
#include <functional>

namespace cairn::net {

namespace {

using actors::cluster_node_status;
using actors::cluster_status;
using storage::metadata::node_state;

constexpr wall_ms certificate_warning_ms = 30ll * 24 * 3600 * 1000;

std::string named(const std::vector<node_number>& nodes) {
  return (nodes.size() == 1 ? "node " : "nodes ") + node_list(nodes);
}

std::string counted(std::uint64_t n, std::string_view what) {
  return std::to_string(n).append(" ").append(what).append(n == 1 ? "" : "s");
}

std::string zones_of(const cluster_status& s, const std::vector<node_number>& nodes) {
  std::vector<std::string_view> zones;
  for (const auto& n : s.nodes)
    if (std::ranges::find(nodes, n.number) != nodes.end() && std::ranges::find(zones, n.zone) == zones.end())
      zones.emplace_back(n.zone);
  std::string out = zones.size() == 1 ? "zone " : "zones ";
  for (std::size_t i = 0; i < zones.size(); ++i)
    out.append(i == 0 ? "" : ", ").append(zones[i].empty() ? "without a name" : zones[i]);
  return out;
}

void add_pause(std::vector<notice>& out, const cluster_status& s) {
  using cluster::out_pause;
  const auto& a = s.auto_out;
  if (a.paused == out_pause::none || a.waiting.empty()) return;
  const bool one = a.waiting.size() == 1;
  const auto count = std::to_string(a.because.size());
  std::string why, what = "Start them again, or repair the network between them. For one that won't come back: "
                          "`cairn cluster drain NODE`.";
  switch (a.paused) {
    case out_pause::many_down:
      why = count + " of " + std::to_string(s.nodes.size()) + " nodes are down (" + node_list(a.because) +
            "), so that the network is more likely at fault than their disks";
      break;
    case out_pause::zone_down:
      why = "all nodes of the " + zones_of(s, a.because) + " are down (" + node_list(a.because) +
            "), so that the network or the power is more likely at fault than their disks";
      break;
    default:
      why = std::string("the others' disks would get fuller than 85 % with what ") + (one ? "it holds" : "they hold");
      what = std::string("Add nodes or disks, delete objects, or start ") + (one ? "it" : "them") +
             " again. `cairn cluster drain NODE` moves the data in any case.";
  }
  out.push_back({"PAUSED", "no new replicas are made of what " + named(a.waiting) +
                               (one ? " holds, which is" : " hold, which are") +
                               " away for longer than cluster.down_out_after: " + why + ". " + what});
}

void add_certificates(std::vector<notice>& out, const cluster_status& s) {
  for (const auto& n : s.nodes) {
    if (n.certificate_end == 0 || n.certificate_end - s.now >= certificate_warning_ms) continue;
    const auto left = n.certificate_end - s.now;
    out.push_back({"CERTIFICATE", "that of node " + std::to_string(n.number) +
                                      (left > 0 ? " ends in " + short_time(left) : std::string(" has ended")) +
                                      ": issue a new one, then SIGHUP."});
  }
}

void add_node_reasons(std::vector<reason>& out, const cluster_node_status& n, wall_ms now) {
  const auto name = "Node " + std::to_string(n.number) + " (" + ascii_only(n.address) + ")";
  if (!n.fault.empty())
    out.push_back({severity::error, name + " has no usable copy of the metadata: " + ascii_only(n.fault) +
                                        ". It serves nothing until that is repaired; its log says more."});
  if (!n.up) {
    const auto since = n.since > 0 && n.since <= now ? " for " + short_time(now - n.since) : std::string{};
    out.push_back({severity::error, name + " is down" + since +
                                        (n.state == node_state::out
                                             ? ". Other nodes are making new replicas of its chunks."
                                             : ". After cluster.down_out_after other nodes make new replicas of its "
                                               "chunks.")});
  }
  if (n.closed_disks > 0)
    out.push_back({severity::error, counted(n.closed_disks, "disk") + " of node " + std::to_string(n.number) +
                                        " cannot be used: the log of the node says why."});
  if (n.state == node_state::draining)
    out.push_back(n.partitions_owned > 0
                      ? reason{severity::info, name + " is being drained: it still owns " +
                                                   counted(n.partitions_owned, "partition") +
                                                   ", which move to other nodes."}
                      : reason{severity::info, name + " is drained: it owns nothing and may be removed."});
}

void add_moves(std::vector<reason>& out, const cluster_status& s) {
  std::uint64_t incoming = 0;
  for (const auto& n : s.nodes) incoming += n.partitions_incoming;
  std::vector<node_number> down;
  for (const auto& n : s.nodes)
    if (!n.up) down.push_back(n.number);
  if (s.chunks_lost > 0 && incoming > 0)
    out.push_back({severity::warning, "Partitions with lost chunks do not move until the chunks turn up again or are "
                                      "given up (`cairn cluster forget-lost`)."});
  if (s.partitions_under_replicated > 0)
    out.push_back({severity::warning, "Partitions with fewer complete replicas on running nodes than configured: " +
                                          std::to_string(s.partitions_under_replicated) + "."});
  if (incoming > 0)
    out.push_back({severity::info, "To move to new owners: " + counted(incoming, "partition") + ", about " +
                                       short_bytes(s.bytes_to_move) + "."});
  if (s.repairs_waiting > 0)
    out.push_back(
        {severity::info,
         "Repairs waiting: " + std::to_string(s.repairs_waiting) + " ranges of chunks that a node lacks." +
             (down.empty() ? "" : " Those of " + named(down) + " wait until it runs again or is taken out.")});
}

std::string sentence(std::string text) {
  if (!text.empty() && text.front() >= 'a' && text.front() <= 'z') text.front() = char(text.front() - 'a' + 'A');
  return text;
}

} // namespace

std::string ascii_only(std::string_view text) {
  std::string out{text};
  for (char& c : out)
    if (c < 0x20 || c > 0x7e) c = '?';
  return out;
}

std::string short_bytes(std::uint64_t bytes) {
  constexpr std::array units{"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
  std::size_t unit = 0;
  std::uint64_t whole = bytes, rest = 0;
  for (; whole >= 1024 && unit + 1 < units.size(); ++unit) {
    rest = whole % 1024 * 10 / 1024;
    whole /= 1024;
  }
  const bool fraction = unit > 0 && whole < 10;
  return std::to_string(whole) + (fraction ? '.' + std::to_string(rest) : "") + ' ' + units[unit];
}

std::string short_time(wall_ms ms) {
  const auto s = ms / 1000;
  if (s < 120) return std::to_string(s) + " s";
  if (s < 120 * 60) return std::to_string(s / 60) + " min";
  return s < 48 * 3600 ? std::to_string(s / 3600) + " h" : std::to_string(s / 86400) + " d";
}

std::string node_list(const std::vector<node_number>& list) {
  std::string out;
  for (const auto n : list) out.append(out.empty() ? "" : ", ").append(std::to_string(n));
  return out;
}

std::vector<notice> cluster_notices(const cluster_status& s) {
  std::vector<notice> out;
  add_pause(out, s);
  for (const auto& w : s.waiting) {
    const auto id = cairn::to_string(w.id);
    out.push_back({"WAITING", "node " + id + " at " + ascii_only(w.address) + " asks to join: `cairn cluster add " +
                                  id + "` admits it."});
  }
  add_certificates(out, s);
  if (s.chunks_lost > 0)
    out.push_back({"LOST", "no node has " + std::to_string(s.chunks_lost) +
                               (s.chunks_lost == 1 ? " chunk that an object needs" : " chunks that objects need") +
                               ": `cairn cluster lost` shows which."});
  return out;
}

std::vector<reason> cluster_reasons(const cluster_status& s) {
  std::vector<reason> out;
  if (!s.leader)
    out.push_back({severity::error, "There is no leader: nothing can be written or changed until a majority of the "
                                    "voters (" +
                                        node_list(s.voters) + ") is up and they reach each other."});
  for (const auto& n : cluster_notices(s)) {
    const auto level = n.label == "LOST" ? severity::error : severity::warning;
    const auto subject = n.label == "CERTIFICATE" ? "the certificate of" + n.text.substr(n.text.find(" node")) : n.text;
    out.push_back({level, sentence(subject)});
  }
  for (const auto& n : s.nodes) add_node_reasons(out, n, s.now);
  add_moves(out, s);
  if (!s.voters_next.empty())
    out.push_back({severity::info, "The voters are being changed to " + node_list(s.voters_next) + "."});
  if (s.deletions_held)
    out.push_back({severity::warning, "The deletion of chunks is held, so deleted objects return no space: `cairn "
                                      "cluster deletions release` resumes it."});
  std::ranges::stable_sort(out, std::greater{}, &reason::severity);
  return out;
}

std::vector<reason> node_reasons(const actors::node_status& s, wall_ms now) {
  std::vector<reason> out;
  if (!s.ready) out.push_back({severity::error, "This node serves no requests: " + ascii_only(s.reason) + "."});
  if (!s.metadata_fault.empty())
    out.push_back({severity::error, "The metadata is out of service: " + ascii_only(s.metadata_fault) + "."});
  if (!s.audit_problem.empty())
    out.push_back({severity::error,
                   "Changes are refused, because the audit log takes no lines: " + ascii_only(s.audit_problem) + "."});
  for (const auto& d : s.disks) {
    const auto name = "The disk " + ascii_only(d.path);
    if (!d.open) {
      out.push_back({severity::error, name + " could not be opened: the log says why."});
    } else if (d.stats.state == storage::disk_state::quarantined) {
      out.push_back({severity::error, name + " is quarantined: it failed, and stays unused until it was checked."});
    } else if (d.stats.state == storage::disk_state::read_only) {
      out.push_back({severity::error, name + " takes no writes, because a flush failed: check it, then restart."});
    } else if (d.stats.disk.available <= d.stats.reserve_bytes) {
      out.push_back({severity::error, name + " is full up to storage.reserve: it takes no writes."});
    } else if (d.stats.full) {
      out.push_back({severity::error, name + " refused a write for lack of room, though it has free bytes: look at "
                                             "its quota and its inodes."});
    }
  }
  for (const auto& c : s.certificates)
    if (c.ends != 0 && c.ends - now < certificate_warning_ms)
      out.push_back({severity::warning, "The certificate of the " + c.use + " port" +
                                            (c.ends > now ? " ends in " + short_time(c.ends - now) : " has ended") +
                                            ": issue a new one, then SIGHUP."});
  if (s.buffer_waiters > 0)
    out.push_back(
        {severity::info, "Requests that wait for memory (limits.memory): " + std::to_string(s.buffer_waiters) + "."});
  std::ranges::stable_sort(out, std::greater{}, &reason::severity);
  return out;
}

json_array reasons_json(const std::vector<reason>& reasons) {
  constexpr std::array names{"info", "warning", "error"};
  json_array out;
  for (const auto& r : reasons)
    out.push_back(json_object{{"severity", names[std::size_t(r.severity)]}, {"text", r.text}});
  return out;
}

} // namespace cairn::net

#include "cluster/membership_controller.hpp"

#include "base/files/node_identity.hpp"
#include "cluster/raft/log_servers.hpp"

#include <algorithm>
#include <functional>

namespace cairn::cluster {

namespace {

namespace meta = storage::metadata;

constexpr std::size_t moved_at_once = 4096;
constexpr std::uint64_t fenced_starts = 1 << 20; // so many starts of an old copy are refused, should it try again
constexpr wall_ms lock_time_interval = 30'000;
static_assert(fenced_starts < std::uint64_t{1} << (incarnation_count_bits - 1));

bool is_up(const controller_view& v, const member& m, const controller_options& o) {
  return m.number == v.self || (v.reports[m.number].has_report && v.reports[m.number].since_last_report < o.down_after);
}

std::optional<controller_step> note_health(const controller_view& v, const controller_options& o) {
  step::commit c;
  for (const auto& m : v.now->members) {
    if (!is_member(m)) continue;
    const auto& report = v.reports[m.number];
    const bool up = is_up(v, m, o);
    if (up && (m.down_since != 0 || is_later_start(report.incarnation, m.incarnation)))
      c.commands.push_back(meta::note_up{
          m.number, is_later_start(report.incarnation, m.incarnation) ? report.incarnation : m.incarnation});
    else if (!up && m.down_since == 0 && report.since_last_report >= o.down_after)
      c.commands.push_back(meta::note_down{m.number, v.wall});
  }
  if (c.commands.empty()) return std::nullopt;
  return c;
}

std::optional<controller_step> note_addresses(const controller_view& v) {
  step::commit c;
  for (const auto& m : v.now->members) {
    const auto& address = v.reports[m.number].address;
    if (is_member(m) && has_moved(m, address))
      c.commands.push_back(meta::set_node{.node = m.number, .address = address});
  }
  if (c.commands.empty()) return std::nullopt;
  return c;
}

std::optional<controller_step> fence_old_copies(const controller_view& v) {
  step::commit c;
  for (const auto& m : v.now->members) {
    const auto lost = v.reports[m.number].lost_log;
    if (is_member(m) && lost != 0 && !is_later_start(m.incarnation, lost))
      c.commands.push_back(meta::note_up{m.number, lost + fenced_starts});
  }
  if (c.commands.empty()) return std::nullopt;
  return c;
}

// The session of a member that is away would block moves. Ending it abandons its uncommitted blobs.
std::optional<controller_step> end_sessions(const controller_view& v, const controller_options& o) {
  step::commit c;
  for (const auto& s : v.live) {
    const auto m = std::ranges::find(v.now->members, s.node, &member::id);
    if (m == v.now->members.end() || is_up(v, *m, o)) continue;
    if (v.reports[m->number].since_last_report >= o.session_ends_after) c.commands.push_back(meta::end_session{s.id});
  }
  if (c.commands.empty()) return std::nullopt;
  return c;
}

// A member cannot apply a command that it does not know, and would stop. So new commands are used only when every
// member has reported that it knows them.
std::optional<controller_step> raise_feature_level(const controller_view& v) {
  std::uint32_t known = meta::feature_level;
  for (const auto& m : v.now->members)
    if (is_member(m)) known = std::min(known, v.reports[m.number].feature_level);
  if (known <= v.feature_level) return std::nullopt;
  return step::commit{{meta::raise_feature_level{static_cast<std::uint8_t>(known)}}};
}

// At intervals, because each step is an entry of the log, also in an idle cluster.
std::optional<controller_step> advance_lock_time(const controller_view& v) {
  if (!v.lock_time || v.feature_level < meta::feature_level_of_object_lock) return std::nullopt;
  const auto time = majority_time(v);
  if (time < *v.lock_time + lock_time_interval) return std::nullopt;
  return step::commit{{meta::advance_lock_time{time}}};
}

std::optional<controller_step> next_log_change(const controller_view& v, const controller_options& o) {
  std::size_t members = 0;
  for (const auto& m : v.now->members) members += is_member(m);
  // Servers whose node is no longer a member.
  for (const auto& s : v.servers.servers) {
    const auto number = node_of(s.id);
    if (number < v.now->members.size() && is_member(v.now->members[number])) continue;
    if (number >= v.now->members.size()) continue; // this layout is older than the node's row
    return step::change_log{number,
                            s.role == raft::server_role::voter ? raft::change_kind::demote : raft::change_kind::remove};
  }
  for (const auto& m : v.now->members)
    if (is_member(m) && !v.servers.find(server_of(m.number)))
      return step::change_log{m.number, raft::change_kind::add_standby};
  const auto spare = std::ranges::find_if(v.now->members, [&](const auto& m) {
    const auto* s = v.servers.find(server_of(m.number));
    return s && s->role == raft::server_role::standby && is_member(m) && is_up(v, m, o);
  });
  if (spare == v.now->members.end()) return std::nullopt;
  if (v.servers.voters() < wanted_voters(members)) return step::change_log{spare->number, raft::change_kind::promote};
  for (const auto& m : v.now->members)
    if (is_member(m) && v.servers.is_voter(server_of(m.number)) && v.reports[m.number].failed && !is_up(v, m, o))
      return step::change_log{m.number, raft::change_kind::demote};
  return std::nullopt;
}

std::vector<member_health> health_of(const controller_view& v, const controller_options& o) {
  std::vector<member_health> health(v.now->members.size());
  for (const auto& m : v.now->members) {
    auto& h = health[m.number];
    const auto& report = v.reports[m.number];
    h.down = is_member(m) && m.down_since != 0 && !is_up(v, m, o);
    h.never_seen = m.incarnation == 0 && !report.has_report;
    h.overdue = h.down && v.wall - m.down_since >= o.out_after.count() && report.since_last_report >= o.down_after;
    h.used_bytes = report.used_bytes;
    h.capacity_bytes = report.capacity_bytes;
    h.data_bytes = report.data_bytes;
  }
  return health;
}

std::optional<controller_step> change_states(const controller_view& v, const controller_options& o) {
  for (const auto& m : v.now->members)
    if (m.state == member_state::out && m.down_since == 0 && is_up(v, m, o))
      return step::plan{change::set_state{m.number, member_state::active}};
  const auto decision = auto_out(v, o);
  if (!decision.out.empty()) return step::plan{change::set_state{decision.out.front(), member_state::out}};
  return std::nullopt;
}

// Waits until every new node is up, because it is to receive its share.
std::optional<controller_step> retarget(const controller_view& v, const controller_options& o,
                                        const plan_base& planned) {
  if (planned == plan_base_of(*v.now)) return std::nullopt;
  const auto owned = owned_partitions(*v.now);
  for (const auto& m : v.now->members)
    if (m.state == member_state::active && m.weight > 0 && owned[m.number] == 0 && !is_up(v, m, o)) return std::nullopt;
  return step::plan{change::retarget{}};
}

bool has_completed(const member_report& report, partition_id p, layout_epoch since) {
  return report.complete_epoch >= since && std::ranges::binary_search(report.complete, p);
}

// The move would drop replicas from live owners. Replicas of members that are out do not count.
bool drops_live_replicas(const layout& l, const partition_owners& owners) {
  return std::ranges::any_of(owners.current, [&](member_index n) {
    return !owners.target.contains(n) && l.members[n].state != member_state::out;
  });
}

std::optional<controller_step> finish_moves(const controller_view& v, const controller_options& o) {
  meta::moved done{.epoch = ~layout_epoch{0}};
  for (partition_id p = 0; p < v.now->partitions.size() && done.partitions.size() < moved_at_once; ++p) {
    const auto& owners = v.now->partitions[p];
    if (owners.epoch > v.acknowledged || same_nodes(owners.current, owners.target)) continue;
    const bool drops_live = drops_live_replicas(*v.now, owners), all_compare = only_shrinks(owners);
    layout_epoch under = v.now->epoch;
    const bool all = std::ranges::all_of(owners.target, [&](member_index n) {
      const bool stays = owners.current.contains(n);
      if (stays && !drops_live) return true;
      if (!is_up(v, v.now->members[n], o)) return false;
      if (stays && !all_compare) return true;
      under = std::min(under, v.reports[n].complete_epoch);
      return has_completed(v.reports[n], p, owners.epoch);
    });
    if (!all) continue;
    done.epoch = std::min(done.epoch, under);
    done.partitions.push_back(p);
  }
  if (done.partitions.empty()) return std::nullopt;
  return step::commit{{std::move(done)}};
}

} // namespace

std::size_t wanted_voters(std::size_t members) {
  return members >= 5 ? 5 : std::min<std::size_t>(members, 3);
}

wall_ms majority_time(const controller_view& view) {
  std::vector<wall_ms> clocks;
  for (const auto& s : view.servers.servers) {
    if (s.role != raft::server_role::voter) continue;
    const auto number = node_of(s.id);
    clocks.push_back(number < view.reports.size() ? view.reports[number].wall : 0);
  }
  if (clocks.empty()) return 0;
  const auto majority = clocks.begin() + std::ptrdiff_t(clocks.size() / 2);
  std::ranges::nth_element(clocks, majority, std::greater{});
  return *majority;
}

out_decision auto_out(const controller_view& view, const controller_options& options) {
  return decide_out(*view.now, health_of(view, options));
}

std::optional<controller_step> next_step(const controller_view& view, const controller_options& options,
                                         const plan_base& targets_planned) {
  if (auto s = fence_old_copies(view)) return s;
  if (auto s = note_addresses(view)) return s;
  if (auto s = note_health(view, options)) return s;
  if (auto s = end_sessions(view, options)) return s;
  if (auto s = raise_feature_level(view)) return s;
  if (auto s = advance_lock_time(view)) return s;
  if (auto s = next_log_change(view, options)) return s;
  if (auto s = change_states(view, options)) return s;
  if (auto s = retarget(view, options, targets_planned)) return s;
  return finish_moves(view, options);
}

} // namespace cairn::cluster

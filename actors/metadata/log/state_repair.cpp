#include "actors/metadata/log/state_repair.hpp"

#include "base/log.hpp"

namespace cairn::actors {

namespace {

namespace raft = cluster::raft;

constexpr auto without_commands = ~log_index{0}; // argument of raft_log::load

} // namespace

bool is_dispensable(const repair_view& v) {
  return v.leads ? v.healthy_voters > v.voters / 2 : v.has_leader;
}

bool leaves_for_repair(const repair_view& v) {
  return is_dispensable(v) || (v.leads && v.has_source && v.waited >= repair_patience);
}

result<log_before_state> plan_repair(const raft::stored_state& log, const raft::snapshot_record& record) {
  const auto snapshot = log.snapshot ? log.snapshot->index : 0;
  if (record.index < snapshot || record.index + 1 < log.first)
    return error{errc::busy,
                 "the fetched state ends at " + std::to_string(record.index) + ", before the log of this node begins"};
  if (record.index == snapshot) return log_before_state::keeps;
  const auto end = log.first + log.entries.size();
  if (record.index >= log.first && record.index < end &&
      log.entries[std::size_t(record.index - log.first)].term == record.term)
    return log_before_state::keeps;
  return log_before_state::restarts;
}

result<void> repair_state(const snapshot_transfer_services& s, raft::raft_log& log,
                          const raft::snapshot_record& record) {
  const auto stored = log.load(without_commands);
  if (!stored) return stored.error();
  const auto plan = plan_repair(*stored, record);
  if (!plan) return plan.error();
  if (*plan == log_before_state::restarts) {
    raft::log_write write;
    write.snapshot = record;
    if (auto written = log.write(std::span{&write, 1}); !written) return written;
  }
  if (auto replaced = install_staged(s, record.index); !replaced) return replaced;
  remove_staged(s);
  log::info("the damaged metadata was replaced", {{"index", record.index}});
  return {};
}

} // namespace cairn::actors

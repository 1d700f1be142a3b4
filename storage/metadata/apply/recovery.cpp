#include "storage/metadata/apply/recovery.hpp"

#include "storage/metadata/apply/apply.hpp"
#include "storage/metadata/rows/tables.hpp"

namespace cairn::storage::metadata {

namespace {

constexpr std::uint64_t ids_skipped = std::uint64_t{1} << 32; // more than any cluster assigned since the backup

// Their writers are lost, and live sessions that acknowledge no epoch block all moves.
void end_sessions(batch& b) {
  std::vector<session_id> live;
  const std::string prefix = b.keys.live_sessions();
  const auto cursor = b.kv.cursor(id_of(table::sessions));
  for (auto row = cursor->seek(prefix); row && row->key.starts_with(prefix); row = cursor->next())
    live.push_back(byte_reader{row->value}.u64());
  command_applier applier{b};
  for (std::uint32_t i = 0; i < live.size() && b.status(); ++i) applier.apply(end_session{live[i]}, i);
}

} // namespace

result<refounded> refound_cluster(kv_writer& writer, group_id group, const create_cluster& c) {
  batch b{writer, group};
  member_ledger members{b};
  const auto answer = members.refound(c);
  if (auto good = b.status(); !good) return good.error();
  if (answer.refused) return *answer.refused;
  end_sessions(b);
  b.skip_ids(ids_skipped);
  b.hold_deletions(true);
  if (auto finished = b.finish(); !finished) return finished.error();
  return refounded{static_cast<node_number>(answer.more), b.index()};
}

} // namespace cairn::storage::metadata

#include "actors/members/survivor.hpp"

#include "actors/metadata/log/snapshot_transfer.hpp"
#include "cluster/raft/log_servers.hpp"
#include "cluster/raft/raft_core.hpp"

#include <algorithm>

namespace cairn::actors {

namespace {

namespace meta = storage::metadata;
namespace raft = cluster::raft;

constexpr std::size_t entries_at_once = 256;

} // namespace

result<survivor_metadata> survivor_metadata::open(const parts& p) {
  survivor_metadata out{p};
  auto store = meta::store::open(*p.state);
  if (!store) return store.error();
  out.store_ = std::move(*store);
  {
    const auto view = out.store_->read();
    if (!view) return view.error();
    out.applied_ = out.last_ = (*view)->applied();
  }
  if (!p.log) return out;
  const auto stored = p.log->load_what_is_there();
  if (!stored) return stored.error();
  const auto snapshot = stored->snapshot ? stored->snapshot->index : 0;
  out.last_ = std::max({out.applied_, snapshot, stored->first + stored->entries.size() - 1});
  if (snapshot <= out.applied_) return out;
  const snapshot_transfer_services staged{p.state, p.files, p.transfer};
  if (auto finished = finish_install(staged, snapshot, out.applied_); !finished) return finished.error();
  out.applied_ = snapshot;
  return out;
}

result<void> survivor_metadata::apply_the_rest() {
  while (applied_ < last_) {
    const auto entries = parts_.log->read(applied_ + 1, entries_at_once);
    if (!entries) return entries.error();
    if (entries->empty()) return error{errc::corrupt, "the log lacks entry " + std::to_string(applied_ + 1)};
    std::vector<std::vector<meta::command>> batches;
    for (const auto& e : *entries) {
      batches.emplace_back();
      if (e.kind != raft::entry_kind::command) continue;
      auto decoded = meta::decode_batch(e.view());
      if (!decoded) return decoded.error();
      batches.back() = std::move(*decoded);
    }
    const std::vector<std::span<const meta::command>> views{batches.begin(), batches.end()};
    if (auto applied = store_->apply_all(views); !applied) return applied.error();
    applied_ += entries->size();
  }
  return {};
}

result<meta::refounded> survivor_metadata::refound(const meta::create_cluster& c) {
  if (auto applied = apply_the_rest(); !applied) return applied.error();
  auto writer = parts_.state->begin_write();
  if (!writer) return writer.error();
  auto done = meta::refound_cluster(**writer, meta::default_group, c);
  if (!done) return done.error();
  if (auto committed = (*writer)->commit(); !committed) return committed.error();
  applied_ = last_ = done->applied;
  return *done;
}

result<void> begin_new_log(raft::raft_log& log, const meta::refounded& now) {
  return log.begin(raft::raft_core::first_state(cluster::server_of(now.self), now.applied));
}

} // namespace cairn::actors

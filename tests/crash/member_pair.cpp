#include "tests/crash/member_pair.hpp"

#include "cluster/raft/raft_core.hpp"

namespace cairn::crash {

namespace {

namespace meta = storage::metadata;
namespace raft = cluster::raft;

constexpr raft::term_t term = 1;
constexpr session_id session = 1; // the first id that the state gives

} // namespace

result<void> member_pair::open() {
  store_.reset();
  engine_.reset();
  log_.reset();
  auto& files = posix_file_system();
  auto engine = storage::open_lmdb(meta::engine_options(member_directory(root_) + "/state"));
  if (!engine) return engine.error();
  engine_ = std::move(*engine);
  auto store = meta::store::open(*engine_);
  if (!store) return store.error();
  store_ = std::move(*store);
  {
    auto view = store_->read();
    if (!view) return view.error();
    applied_ = (*view)->applied();
  }
  log_ = std::make_unique<raft::raft_log>(files, member_directory(root_) + "/log", random_, log_options());
  auto stored = log_->load(applied_);
  if (!stored) return stored.error();
  if (!stored->snapshot && stored->entries.empty()) { // new, or its beginning was interrupted
    if (auto begun = log_->begin(raft::raft_core::first_state(1)); !begun) return begun;
    if (stored = log_->load(applied_); !stored) return stored.error();
  }
  compacted_ = stored->snapshot ? stored->snapshot->index : 0;
  if (applied_ + 1 < stored->first || applied_ < compacted_)
    return error{errc::corrupt, "the state is older than the log's first entry"};
  if (applied_ >= stored->first + stored->entries.size())
    return error{errc::corrupt, "the state is newer than the log"};
  return apply(std::span{stored->entries}.subspan(applied_ + 1 - stored->first));
}

result<void> member_pair::apply(std::span<const raft::entry> entries) {
  for (const auto& e : entries) {
    std::vector<meta::command> commands;
    if (e.kind == raft::entry_kind::command) {
      auto decoded = meta::decode_batch(e.view());
      if (!decoded) return decoded.error();
      commands = std::move(*decoded);
    }
    const std::span<const meta::command> batch{commands};
    const auto applied = store_->apply_open({&batch, 1});
    if (!applied) return applied.error();
    for (const auto& r : applied->front().results)
      if (r.refused) return *r.refused;
    applied_ = applied->front().index;
  }
  return {};
}

result<void> member_pair::enter(std::uint64_t batch) {
  raft::log_write w;
  w.first = applied_ + 1;
  w.entries.push_back({term, raft::entry_kind::command, raft::share(meta::encode(metadata_batch(batch, session)))});
  if (auto written = log_->write({&w, 1}); !written) return written;
  return apply(w.entries);
}

result<void> member_pair::settle() {
  if (auto committed = store_->commit_open(); !committed) return committed;
  if (applied_ == compacted_) return {};
  compacted_ = applied_;
  raft::log_write w;
  w.compaction = raft::compaction{record(), applied_ + 1};
  return log_->write({&w, 1});
}

raft::snapshot_record member_pair::record() const {
  return {applied_, term, {{{1, raft::server_role::voter}}}, first_index};
}

} // namespace cairn::crash

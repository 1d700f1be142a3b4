#include "actors/metadata/log/replicated_log.hpp"

#include "base/log.hpp"

// The state of another node replaces this node's state: first the log's snapshot record is written, then the state is
// replaced, then the engine is told. A crash between the first two steps is completed at the next start
// (actors/metadata/log/snapshot_transfer.hpp).

namespace cairn::actors {

namespace {

namespace raft = cluster::raft;
using namespace std::chrono_literals;

} // namespace

void replicated_log::offered(const raft::envelope& envelope) {
  const auto* offer = std::get_if<raft::snapshot_offer>(&envelope.body);
  const auto* from = uuid_of(envelope.from);
  if (offer && from && transfer_) transfer_->offered(*from, offer->index);
}

// The state that is being installed contains these entries. Their waiting commands get the result from the leader.
void replicated_log::drop_unapplied() {
  for (const auto& entry : std::exchange(to_apply_, {})) {
    for (const auto t : entry.tickets) {
      auto node = commands_.extract(t);
      if (node.empty()) continue;
      const auto [s, index] = node.mapped();
      s->uncertain = true;
      resolve(s, index, std::nullopt);
    }
  }
}

void replicated_log::store_snapshot(raft::log_write write) {
  storing_ = applying_ = replacing_ = true;
  host_.replacing();
  const auto number = write.number, index = write.snapshot->index;
  auto job = [this, w = std::make_shared<const raft::log_write>(std::move(write)), number, index, log = s_.log,
              post = host_.post](bool expired) {
    const result<void> outcome = expired ? result<void>{error{errc::timeout, "the consensus log's disk is overdue"}}
                                         : log->write(std::span{w.get(), 1});
    post([this, outcome, number, index] {
      if (!outcome) return replaced(number, index, outcome);
      replace_state(number, index);
    });
  };
  if (auto posted = s_.log_writes->post(host_.clock->now() + disk_time, std::move(job)); !posted)
    replaced(number, index, posted.error());
}

void replicated_log::replace_state(std::uint64_t write, log_index index) {
  auto job = [this, write, index, s = transfer_->services(), post = host_.post](bool expired) {
    const result<void> outcome =
        expired ? result<void>{error{errc::timeout, "the metadata's disk is overdue"}} : install_staged(s, index);
    post([this, write, index, outcome] { replaced(write, index, outcome); });
  };
  if (auto posted = host_.applies->post(host_.clock->now() + disk_time, std::move(job)); !posted)
    replaced(write, index, posted.error());
}

void replicated_log::replaced(std::uint64_t write, log_index index, const result<void>& outcome) {
  storing_ = applying_ = false;
  if (stopped_) return;
  if (!outcome && !failure_) fail(outcome.error());
  if (failure_ || stopped_) return; // reopening the log finds out how far it got
  replacing_ = false;
  applied_ = visible_ = index;
  bytes_since_compaction_ = 0;
  host_.replaced(index);
  transfer_->installed();
  log::info("the metadata's state was installed", {{"index", index}});
  node_->stored(write, now());
  serve_reads();
  pump();
}

} // namespace cairn::actors

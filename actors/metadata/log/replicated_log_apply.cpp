#include "actors/metadata/log/replicated_log.hpp"

#include <algorithm>
#include <iterator>
#include <type_traits>

// Committed entries of the log are applied in the state's open transaction. Their results are answered then: the log
// makes them durable. Readers see them when the transaction is committed (actors/metadata/log/commit_pace.hpp). One job
// at a time, an apply or a commit; entries that arrive meanwhile wait.

namespace cairn::actors {

namespace {

namespace meta = storage::metadata;
namespace raft = cluster::raft;

constexpr std::size_t entries_a_job = 64;
constexpr std::chrono::hours drop_time{1};        // no other job is running
constexpr std::uint64_t held_bytes_max = 1 << 30; // of log, kept for nodes that fetch the state

template <class Kind, class... Kinds>
constexpr bool is_one_of = (std::is_same_v<Kind, Kinds> || ...);

// Whether a command is answered when its entry is applied. Others are answered when their effect is visible: members,
// upkeep and operators read the tables without a barrier, and must find what they have changed.
bool answered_when_applied(const meta::command& c) {
  return std::visit(
      []<class Kind>(const Kind&) {
        return is_one_of<Kind, meta::put_object, meta::delete_object, meta::copy_object, meta::rename_object,
                         meta::set_extras, meta::begin_upload, meta::put_part, meta::copy_part, meta::complete_upload,
                         meta::abort_upload, meta::abandon_blob>;
      },
      c);
}

} // namespace

struct replicated_log::apply_job {
  std::vector<raft::committed> entries;
  std::vector<std::vector<meta::command>> batches;
};

void replicated_log::apply_next() {
  if (applying_ || failure_ || stopped_) return;
  const bool wanted = !visible_at_.empty() || !late_answers_.empty() || node_->engine().installing();
  if (pace_of_commits_.due(wanted, now())) return commit_open();
  if (to_apply_.empty()) return commit_later();
  auto job = std::make_shared<apply_job>();
  while (!to_apply_.empty() && job->entries.size() < entries_a_job) {
    auto entry = std::move(to_apply_.front());
    to_apply_.pop_front();
    std::vector<meta::command> commands;
    if (entry.content.kind == raft::entry_kind::command) {
      auto decoded = meta::decode_batch(entry.content.view());
      if (!decoded) return fail(decoded.error()); // a newer feature level: an entry is never skipped
      commands = std::move(*decoded);
    }
    job->entries.push_back(std::move(entry));
    job->batches.push_back(std::move(commands));
  }
  applying_ = true;
  apply_.begin();
  for (const auto& commands : job->batches) host_.applying(commands);
  auto work = [this, job, store = host_.store, post = host_.post](bool expired) {
    std::vector<std::span<const meta::command>> batches{job->batches.begin(), job->batches.end()};
    result<std::vector<meta::applied_batch>> outcome = error{errc::timeout, "the metadata's disk is overdue"};
    if (!expired) outcome = store->apply_open(batches);
    post([this, job, outcome = std::move(outcome)]() mutable { applied_job(*job, std::move(outcome)); });
  };
  if (auto posted = host_.applies->post(host_.clock->now() + disk_time, std::move(work)); !posted)
    applied_job(*job, posted.error());
}

void replicated_log::applied_job(apply_job& job, result<std::vector<meta::applied_batch>> outcome) {
  apply_.end();
  if (stopped_) return;
  if (!outcome) {
    // A committed entry must be applied before any later one, so the log fails here.
    for (auto& commands : job.batches) note_open(commands);
    applying_ = false;
    return failed_to_apply(outcome.error());
  }
  for (std::size_t i = 0; i < job.entries.size(); ++i) {
    const auto& entry = job.entries[i];
    CAIRN_ASSERT((*outcome)[i].index == entry.index);
    applied_ = entry.index;
    const auto bytes = entry.content.view().size();
    bytes_since_compaction_ += raft::stored_bytes(bytes);
    bytes_held_ += bytes;
    pace_of_commits_.applied(job.batches[i].size(), bytes, now());
    answer_tickets(entry, job.batches[i], (*outcome)[i]);
    note_open(job.batches[i]);
  }
  applying_ = false; // only now, because an answer may submit the next command
  if (failure_) return failed_to_apply(std::nullopt);
  node_->applied(applied_, now());
  serve_reads();
  pump();
}

void replicated_log::answer_tickets(const raft::committed& entry, const std::vector<meta::command>& commands,
                                    const meta::applied_batch& batch) {
  for (std::size_t i = 0; i < entry.tickets.size(); ++i) {
    auto node = commands_.extract(entry.tickets[i]);
    if (node.empty()) continue;
    const auto [s, index] = node.mapped();
    if (answered_when_applied(commands[i]))
      resolve(s, index, batch.results[i]);
    else
      late_answers_.push_back({s, index, batch.results[i]});
  }
}

// ── the open transaction ──

void replicated_log::commit_open() {
  applying_ = true;
  apply_.begin();
  auto work = [this, store = host_.store, post = host_.post](bool expired) {
    const result<void> outcome =
        expired ? result<void>{error{errc::timeout, "the metadata's disk is overdue"}} : store->commit_open();
    post([this, outcome] { committed_open(outcome); });
  };
  if (auto posted = host_.applies->post(host_.clock->now() + disk_time, std::move(work)); !posted)
    committed_open(posted.error());
}

void replicated_log::committed_open(const result<void>& outcome) {
  apply_.end();
  if (stopped_) return;
  if (outcome) {
    visible_ = applied_;
    end_open();
  }
  applying_ = false;
  if (!outcome) return failed_to_apply(outcome.error());
  if (failure_) return failed_to_apply(std::nullopt);
  serve_reads();
  compact_if_long();
  pump();
}

void replicated_log::note_open(std::vector<meta::command>& commands) {
  open_.insert(open_.end(), std::move_iterator{commands.begin()}, std::move_iterator{commands.end()});
}

// What was open is visible, or it is gone: then it is applied again from the log.
void replicated_log::end_open() {
  pace_of_commits_.ended();
  host_.applied(std::exchange(open_, {}), visible_);
  for (auto& late : std::exchange(late_answers_, {})) resolve(late.to, late.index, std::move(late.result));
}

// The log has failed, now or while the job was running.
void replicated_log::failed_to_apply(const std::optional<error>& why) {
  if (!failure_) return fail(*why);
  if (why) note_late_failure(*why);
  drop_tickets();
  drop_open();
}

// After a failure: the log is reopened at what the state's file has. The transaction ends on its own thread.
void replicated_log::drop_open() {
  applying_ = true;
  applied_ = visible_;
  end_open();
  auto work = [this, store = host_.store, post = host_.post](bool expired) {
    if (!expired) store->drop_open(); // else the node stops
    post([this] { applying_ = false; });
  };
  if (!host_.applies->post(host_.clock->now() + drop_time, std::move(work))) applying_ = false;
}

void replicated_log::commit_later() {
  const auto due = pace_of_commits_.deadline();
  if (!due || std::exchange(commit_armed_, true)) return;
  const auto at = now();
  host_.after(std::chrono::milliseconds(*due > at ? *due - at : 0), [this] {
    commit_armed_ = false;
    apply_next();
  });
}

void replicated_log::compact_if_long() {
  const auto& engine = node_->engine();
  const auto entries = visible_ - std::min(visible_, engine.snapshot_index());
  if (!transfer_ || (!transfer_->making() && !transfer_->holds_from())) bytes_held_ = 0;
  if (bytes_since_compaction_ < s_.compact_after_bytes && entries < s_.compact_after_entries) return;
  // A little more than the entries since the last compaction is kept, for followers that are a little behind.
  auto keep = std::max({log_index{1}, engine.snapshot_index(), visible_ - std::min(visible_, s_.entries_kept)});
  if (bytes_held_ > held_bytes_max && transfer_) {
    transfer_->stop_serving();
  } else if (bytes_held_ > 0 && transfer_) {
    if (transfer_->making()) return;
    keep = std::min(keep, transfer_->holds_from().value_or(keep));
  }
  if (node_->compact(visible_, keep, now())) bytes_since_compaction_ = 0;
}

} // namespace cairn::actors

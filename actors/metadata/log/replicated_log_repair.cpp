#include "actors/metadata/log/replicated_log.hpp"

#include "actors/metadata/log/state_repair.hpp"
#include "base/log.hpp"
#include "cluster/raft/log_servers.hpp"
#include "storage/kv/kv_damage.hpp"

#include <algorithm>

// This node's copy of the metadata is damaged on its disk, found by its checksums. As after a disk failure the node
// leaves the consensus, and a leader transfers leadership. Then the state of another member replaces the damaged one,
// and the log is reopened. Everything that the log has acknowledged is kept (actors/metadata/log/state_repair.hpp,
// which also decides when the node leaves).

namespace cairn::actors {

namespace {

namespace raft = cluster::raft;
using namespace std::chrono_literals;

constexpr auto repair_pause = 1s;
constexpr std::size_t repair_tries_max = 15; // then the node returns to service for a while
constexpr raft::time_ms return_min = 30'000, return_max = 1'800'000;
constexpr auto rebuild_time = 600s;     // the job writes a whole state
constexpr log_index lag_healthy = 1000; // entries: a voter that is further behind does not count

} // namespace

bool replicated_log::can_repair() const {
  return s_.damage && !s_.damage->first().empty() && transfer_ && s_.repair && s_.reopen && members_.size() > 1;
}

repair_view replicated_log::view_for_repair() const {
  const auto& engine = node_->engine();
  repair_view v;
  v.leads = engine.role() == raft::role::leader;
  v.has_leader = v.leads || engine.leader() != 0;
  v.voters = engine.configuration().voters();
  v.waited = std::chrono::milliseconds(damaged_since_ ? now() - *damaged_since_ : 0);
  for (const auto& s : engine.configuration().servers) {
    const auto* node = uuid_of(s.id);
    const auto match = engine.match(s.id);
    if (s.id == engine.id() || !node || !match || !s_.network->up(*node)) continue;
    // Who needs what has rotted in this log catches up with the next leader only.
    if (*match + lag_healthy < engine.commit() && !entries_unreadable_) continue;
    v.has_source = v.has_source || (*match > 0 && *match + 1 >= engine.first_kept());
    v.healthy_voters += s.role == raft::server_role::voter;
  }
  return v;
}

// A state that cannot be read at all serves nothing: such a node leaves at once.
void replicated_log::look_for_damage() {
  if (stopped_ || failure_) return;
  const bool in_log = s_.log_damage && !s_.log_damage->first().empty();
  if (!in_log && !can_repair()) {
    damaged_since_.reset();
    repair_at_ = return_for_ = 0;
    return;
  }
  if (!damaged_since_) damaged_since_ = now();
  const auto& damage = in_log ? *s_.log_damage : *s_.damage;
  if (now() < repair_at_ && !damage.is_unreadable()) return;
  const auto view = view_for_repair();
  // Without its log a node leaves for good.
  if (!damage.is_unreadable() && !(in_log ? is_dispensable(view) : leaves_for_repair(view))) return;
  returns_damaged_ = !in_log && !damage.is_unreadable();
  fail({errc::corrupt, damage.first()});
}

void replicated_log::repair_later() {
  host_.after(repair_pause, [this] { repair(); });
}

// Fetches the state from the leader; after a failure from the other members in turn.
void replicated_log::repair() {
  if (stopped_ || !failure_) return;
  if (storing_ || applying_) return repair_later(); // an earlier job is still running
  if (++repair_tries_ > repair_tries_max && returns_damaged_) return return_damaged();
  const auto self = node_->engine().id();
  std::vector<uuid> sources;
  const auto leader = recent_leader();
  if (const auto* node = leader != 0 && leader != self ? uuid_of(leader) : nullptr) sources.push_back(*node);
  for (const auto& [id, node] : members_)
    if (id != self && id != leader && s_.network->up(node)) sources.push_back(node);
  if (sources.empty()) return repair_later();
  const auto from = sources[(repair_tries_ - 1) % sources.size()];
  transfer_->fetch(from, [this](result<raft::snapshot_record> staged) { fetched_for_repair(std::move(staged)); });
}

void replicated_log::fetched_for_repair(result<raft::snapshot_record> staged) {
  if (stopped_ || !failure_) return;
  if (!staged) return repair_later();
  storing_ = applying_ = true;
  if (!std::exchange(replacing_, true)) host_.replacing();
  auto job = [this, record = std::move(*staged), repair = s_.repair, reopen = s_.reopen,
              post = host_.post](bool expired) {
    auto log = std::make_shared<result<opened_log>>(error{errc::timeout, "the metadata's disk is overdue"});
    const auto repaired = expired ? result<void>{log->error()} : repair(record);
    *log = repaired ? reopen() : result<opened_log>{repaired.error()};
    post([this, log] { reopened(std::move(*log)); });
  };
  if (auto posted = s_.log_writes->post(host_.clock->now() + rebuild_time, std::move(job)); !posted)
    reopened(posted.error());
}

// Nobody could give it a state. The others may need its vote, and its good rows are better than nothing.
void replicated_log::return_damaged() {
  log::warn("no member could give this node its metadata: it returns to service with the damaged copy");
  repair_tries_ = 0;
  return_for_ = std::clamp(2 * return_for_, return_min, return_max);
  repair_at_ = now() + return_for_;
  reopens_ = true;
  reopen_pause_ = std::max(reopen_pause_, reopen_pause_min);
  try_reopen();
}

} // namespace cairn::actors

#include "actors/metadata/log/replicated_log.hpp"

#include "base/log.hpp"
#include "cluster/raft/log_servers.hpp"
#include "storage/kv/kv_damage.hpp"

// This node's copy of the metadata is damaged on its disk, found by its checksums. As after a disk failure the node
// leaves the consensus, and a leader transfers leadership. Then the state of another member replaces the damaged one,
// and the log is reopened. Everything that the log has acknowledged is kept (actors/metadata/log/state_repair.hpp).

namespace cairn::actors {

namespace {

namespace raft = cluster::raft;
using namespace std::chrono_literals;

constexpr auto repair_pause = 1s;
constexpr auto rebuild_time = 600s;              // the job writes a whole state
constexpr storage::log_index lag_healthy = 1000; // entries: a voter that is further behind does not count

} // namespace

bool replicated_log::can_repair() const {
  return s_.damage && !s_.damage->first().empty() && transfer_ && s_.repair && s_.reopen && members_.size() > 1;
}

// Whether the other members have a majority without this node, as far as this node knows.
bool replicated_log::spared() const {
  const auto& engine = node_->engine();
  if (engine.role() != raft::role::leader) return engine.leader() != 0;
  std::size_t healthy = 0;
  for (const auto& s : engine.configuration().servers) {
    const auto* node = uuid_of(s.id);
    const auto match = engine.match(s.id);
    if (s.id == engine.id() || s.role != raft::server_role::voter || !node || !match || !s_.network->up(*node))
      continue;
    if (*match + lag_healthy >= engine.commit()) ++healthy;
  }
  return healthy > engine.configuration().voters() / 2;
}

// A node that the others cannot do without stays and serves the undamaged rows, as a standalone node does; a state that
// cannot be read at all serves nothing, so such a node leaves too.
void replicated_log::look_for_damage() {
  if (stopped_ || failure_) return;
  const bool in_log = s_.log_damage && !s_.log_damage->first().empty();
  if (!in_log && !can_repair()) return;
  if (!spared() && !(in_log ? s_.log_damage : s_.damage)->is_unreadable()) return;
  fail({errc::corrupt, (in_log ? s_.log_damage : s_.damage)->first()});
}

void replicated_log::repair_later() {
  env_.after(repair_pause, [this] { repair(); });
}

// Fetches the state from the leader; after a failure from the other members in turn.
void replicated_log::repair() {
  if (stopped_ || !failure_) return;
  if (storing_ || applying_) return repair_later(); // an earlier job is still running
  const auto self = node_->engine().id();
  std::vector<storage::uuid> sources;
  const auto leader = heard_leader();
  if (const auto* node = leader != 0 && leader != self ? uuid_of(leader) : nullptr) sources.push_back(*node);
  for (const auto& [id, node] : members_)
    if (id != self && id != leader && s_.network->up(node)) sources.push_back(node);
  if (sources.empty()) return repair_later();
  const auto from = sources[repair_tries_++ % sources.size()];
  transfer_->fetch(from, [this](result<raft::snapshot_record> staged) { fetched_for_repair(std::move(staged)); });
}

void replicated_log::fetched_for_repair(result<raft::snapshot_record> staged) {
  if (stopped_ || !failure_) return;
  if (!staged) return repair_later();
  storing_ = applying_ = true;
  if (!std::exchange(replacing_, true)) env_.replacing();
  auto job = [this, record = std::move(*staged), repair = s_.repair, reopen = s_.reopen,
              post = env_.post](bool expired) {
    auto log = std::make_shared<result<opened_log>>(error{errc::timeout, "the metadata's disk is overdue"});
    const auto repaired = expired ? result<void>{log->error()} : repair(record);
    *log = repaired ? reopen() : result<opened_log>{repaired.error()};
    post([this, log] { reopened(std::move(*log)); });
  };
  if (auto posted = s_.log_writes->post(env_.clock->now() + rebuild_time, std::move(job)); !posted)
    reopened(posted.error());
}

} // namespace cairn::actors

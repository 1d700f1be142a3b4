#include "actors/metadata/log/replicated_log.hpp"

#include "base/log.hpp"
#include "cluster/raft/log_servers.hpp"

#include <algorithm>

// Commands and reads: to the leader and back.

namespace cairn::actors {

namespace {

namespace meta = storage::metadata;
namespace raft = cluster::raft;
using namespace std::chrono_literals;

constexpr auto retry_pause = 50ms;
constexpr auto round_time = 2s; // deadline of a round's request to the leader
constexpr auto try_time = 4s;   // deadline of one try of commands at the leader; then they are sent again
// In flight. With two, each is half as full: 32 clients of a follower get a quarter fewer answers, two get them no
// sooner.
constexpr std::size_t rounds_max = 1;

} // namespace

// ── commands ──

void replicated_log::submit(std::vector<meta::command> commands, steady_time deadline, submitted done) {
  auto s = std::make_shared<submission>();
  s->commands = std::move(commands);
  s->outcomes.resize(s->commands.size());
  s->deadline = deadline;
  s->done = std::move(done);
  submissions_.push_back(s);
  submits_->ask(s);
}

leader_client<replicated_log::submission>::services replicated_log::submit_route() {
  leader_client<submission>::services r;
  r.network = s_.network;
  r.clock = host_.clock;
  r.patience = {retry_pause, try_time};
  r.post = host_.post;
  r.after = host_.after;
  r.find = [this](const submission_ptr& s, const std::function<void(const leader_place&)>& then) {
    if (s->over) return;
    const auto& engine = node_->engine();
    const bool sole_voter = engine.configuration().voters() == 1 && engine.configuration().is_voter(engine.id());
    if (stopped_ || (failure_ && sole_voter)) return finish(s);
    then(leader());
  };
  r.serve_locally = [this](const submission_ptr& s) { submit_locally(s); };
  r.bytes = [](submission& s) { return open_commands(s); };
  r.answered = [this](const submission_ptr& s, const result<link::answer>& a) { submitted_there(s, a); };
  r.gave_up = [this](const submission_ptr& s, const error&) { finish(s); };
  return r;
}

leader_place replicated_log::leader() const {
  const auto& engine = node_->engine();
  if (!failure_ && engine.role() == raft::role::leader) return {true, {}};
  const auto at = failure_ ? recent_leader() : engine.leader();
  const auto* node = at != 0 && at != engine.id() ? uuid_of(at) : nullptr;
  return node ? leader_place{false, *node} : leader_place{};
}

// Requests that wait for the former leader, which may be frozen, are sent to the new one.
void replicated_log::follow_leader() {
  const auto now = node_->engine().leader();
  if (now == 0 || std::exchange(followed_, now) == now) return;
  const auto place = leader();
  submits_->leader_moved(place);
  if (round_call_ && round_call_->first != place.remote) s_.network->cancel(round_call_->first, round_call_->second);
}

void replicated_log::submit_locally(const submission_ptr& s) {
  std::vector<raft::ticketed_command> wanted;
  for (std::size_t i = 0; i < s->commands.size(); ++i) {
    if (s->outcomes[i]) continue;
    wanted.push_back({meta::encode(s->commands[i]), next_ticket_++});
    commands_.emplace(wanted.back().from, std::pair{s, i});
  }
  s->open = wanted.size();
  node_->submit(std::move(wanted), now());
  pump();
}

std::string replicated_log::open_commands(submission& s) {
  std::vector<meta::command> open;
  s.sent.clear();
  for (std::size_t i = 0; i < s.commands.size(); ++i) {
    if (s.outcomes[i]) continue;
    open.push_back(s.commands[i]);
    s.sent.push_back(i);
  }
  return std::string(1, char(peer_request::submit)) + encode_submit(open);
}

void replicated_log::submitted_there(const submission_ptr& s, const result<link::answer>& a) {
  if (s->over) return;
  if (!a) {
    if (a.error().code != errc::no_leader && a.error().code != errc::busy) s->uncertain = true;
    return tried(s);
  }
  auto outcomes = decode_outcomes(a->bytes);
  if (!outcomes || outcomes->size() != s->sent.size()) {
    s->uncertain = true;
    return tried(s);
  }
  for (std::size_t i = 0; i < s->sent.size(); ++i) {
    auto& o = (*outcomes)[i];
    if (!o) {
      s->uncertain = true;
      continue;
    }
    s->outcomes[s->sent[i]] = std::move(*o);
  }
  tried(s);
}

void replicated_log::resolve(const submission_ptr& s, std::size_t index, std::optional<meta::command_result> outcome) {
  if (s->over) return;
  s->outcomes[index] = std::move(outcome);
  if (--s->open == 0) tried(s);
}

// One try has ended: every command was answered, or the rest is tried again.
void replicated_log::tried(const submission_ptr& s) {
  const bool whole = std::ranges::all_of(s->outcomes, [](const auto& o) { return o.has_value(); });
  if (whole || s->served) return finish(s);
  submits_->again(s, {}); // if no time is left, `finish` computes the error
}

void replicated_log::finish(const submission_ptr& s) {
  if (std::exchange(s->over, true)) return;
  std::erase(submissions_, s);
  if (s->served) return s->served(s->outcomes);
  error why = s->uncertain ? error{errc::timeout, "the cluster did not say in time whether it was committed"}
              : failure_   ? unavailable()
                           : error{errc::no_leader, "the metadata's leader was not reached in time"};
  if (stopped_) why = {errc::stopping, "the node stops"};
  results all;
  for (auto& o : s->outcomes) all.push_back(o ? std::move(*o) : meta::command_result{.refused = why});
  s->done(std::move(all));
}

// Every request is answered at its deadline, whatever happens to its entry or to the message that carried it.
void replicated_log::tick() {
  look_for_damage();
  check_hung_disk();
  const auto at = host_.clock->now();
  for (const auto& s : std::vector{submissions_}) {
    if (s->over || s->deadline > at) continue;
    s->uncertain = true;
    finish(s);
  }
  std::erase_if(commands_, [](const auto& c) { return c.second.first->over; });
  read_group late;
  for (auto* const waiting : {&reads_at_, &visible_at_}) {
    for (auto r = waiting->begin(); r != waiting->end();) {
      const auto here = r++;
      if (here->second.deadline <= at) late.push_back(std::move(waiting->extract(here).mapped()));
    }
  }
  for (auto& r : late) r.done(error{errc::no_leader, "this node's metadata did not catch up in time"});
  if (stopped_ || failure_) return;
  reported_.clear();
  if (s_.reported && node_->engine().role() == raft::role::leader)
    for (const auto& [number, r] : s_.reported()) reported_[cluster::server_of(number)] = {r.applied, ms_of(r.at)};
  check_leader_pace();
  const auto successor = pace_.successor(now());
  if (!successor || node_->transfer(*successor, now()) != raft::accepted::yes) return;
  pace_.transferred(now());
  log::warn("this node's disk is slower than the others': transferring leadership",
            {{"to", cluster::node_of(*successor)}});
  pump();
}

// ── the engine's answers ──

void replicated_log::take_answers(const std::vector<raft::answer>& answers) {
  for (const auto& a : answers) {
    if (auto group = rounds_.extract(a.to); !group.empty()) {
      round_done(std::move(group.mapped()), a.what == raft::outcome::read
                                                ? result<log_index>{a.index}
                                                : error{errc::no_leader, "this node does not lead any more"});
      continue;
    }
    auto node = commands_.extract(a.to);
    if (node.empty()) continue;
    const auto [s, index] = node.mapped();
    if (a.what == raft::outcome::unknown) s->uncertain = true;
    resolve(s, index, std::nullopt);
  }
}

// ── reads ──

void replicated_log::barrier(steady_time deadline, needs what, reached done) {
  if (stopped_) return done(error{errc::stopping, "the node stops"});
  if (failure_) return done(unavailable());
  reads_.push_back({deadline, std::move(done), {}, what});
  begin_round();
}

void replicated_log::when_visible(log_index index, steady_time deadline, reached done) {
  if (stopped_) return done(error{errc::stopping, "the node stops"});
  if (failure_) return done(unavailable());
  if (visible_ >= index) return done(index);
  visible_at_.emplace(index, waiting_read{deadline, std::move(done), {}});
  apply_next();
}

void replicated_log::begin_round() {
  if (reads_.empty() || rounds_out_ >= rounds_max || round_pause_ || stopped_ || failure_) return;
  const auto at = host_.clock->now();
  const auto late =
      std::stable_partition(reads_.begin(), reads_.end(), [&](const waiting_read& r) { return r.deadline > at; });
  read_group overdue{std::make_move_iterator(late), std::make_move_iterator(reads_.end())};
  reads_.erase(late, reads_.end());
  for (auto& r : overdue) r.done(error{errc::no_leader, "the metadata's leader was not reached in time"});
  if (reads_.empty()) return;
  const auto& engine = node_->engine();
  ++rounds_out_;
  if (engine.role() == raft::role::leader) {
    const auto t = next_ticket_++;
    rounds_.emplace(t, std::exchange(reads_, {}));
    node_->read(t, now());
    return pump();
  }
  auto group = std::make_shared<read_group>(std::exchange(reads_, {}));
  std::string bytes(1, char(peer_request::barrier));
  bytes += encode_barrier();
  auto answered = [this, group, from = engine.leader(), post = host_.post](result<link::answer> a) {
    post([this, group, from, a = std::move(a)] {
      auto answer = a ? decode_read_index(a->bytes) : result<read_index>{a.error()};
      if (!answer) return round_done(std::move(*group), answer.error());
      if (stopped_ || failure_) return round_done(std::move(*group), answer->index);
      node_->learn_commit(from, answer->term, answer->index, now());
      round_done(std::move(*group), answer->index);
      pump();
    });
  };
  const auto to = leader();
  const auto number = call_leader(*s_.network, to, std::move(bytes), at + round_time, std::move(answered));
  if (!number) return round_done(std::move(*group), error{errc::no_leader, "there is no leader"});
  round_call_.emplace(*to.remote, *number);
}

void replicated_log::round_done(read_group group, result<log_index> index) {
  const bool served = group.front().served != nullptr;
  if (!served) --rounds_out_;
  if (stopped_ || failure_) {
    const auto why = stopped_ ? error{errc::stopping, "the node stops"} : unavailable();
    for (auto& r : group) (r.served ? r.served : r.done)(why);
    return;
  }
  if (served) {
    for (auto& r : group) r.served(index);
    return;
  }
  if (index) {
    for (auto& r : group) reads_at_.emplace(*index, std::move(r));
    serve_reads();
    return begin_round();
  }
  std::move(reads_.begin(), reads_.end(), std::back_inserter(group));
  reads_ = std::move(group);
  if (std::exchange(round_pause_, true)) return;
  host_.after(retry_pause, [this] {
    round_pause_ = false;
    begin_round();
  });
}

void replicated_log::serve_reads() {
  while (!reads_at_.empty() && reads_at_.begin()->first <= applied_) {
    auto read = reads_at_.extract(reads_at_.begin());
    if (read.mapped().what == needs::visible && read.key() > visible_)
      visible_at_.insert(std::move(read));
    else
      read.mapped().done(read.key());
  }
  while (!visible_at_.empty() && visible_at_.begin()->first <= visible_) {
    auto read = visible_at_.extract(visible_at_.begin());
    read.mapped().done(read.key());
  }
}

} // namespace cairn::actors
